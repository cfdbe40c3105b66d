//! Where a principal and a role are wanted: what may stand there, and that it is the same however it is written.

use super::run::run;

const BASE: &str = r#"
stack "s" { location = "westeurope" }
resource_group "app" { name = "app-rg" }
identity "app" {
  name           = "app-identity"
  resource_group = resource_group.app
}
"#;

fn grant(to: &str, role: &str) -> String {
    format!("{BASE}\ngrant \"a\" {{\n  to   = {to}\n  role = {role}\n  on   = resource_group.app\n}}\n")
}

#[track_caller]
fn known_as(to: &str, role: &str) -> String {
    let config = run(&grant(to, role)).good();
    let grant = config.resources.iter().find(|resource| resource.kind.keyword == "grant").unwrap();
    assert!(grant.id.is_none() && grant.late.is_some() && grant.finders.len() == 3, "{grant:#?}");
    grant.symbolic_id.as_str().to_owned()
}

#[track_caller]
fn wrong(to: &str, role: &str, expected: &[&str]) {
    assert_eq!(run(&grant(to, role)).lines(), expected, "{to} {role}");
}

#[test]
fn a_grant_is_one_however_it_is_written() {
    let plain = known_as("identity.app", "\"Reader\"");
    assert!(
        plain.contains("/providers/microsoft.authorization/roleassignments/acdd72a7-3385-48ef-bd42-f606fba81ae7~|")
    );
    for (to, role) in [
        ("identity.app.principal_id", "\"reader\""),
        ("identity.app", "\"acdd72a7-3385-48ef-bd42-f606fba81ae7\""),
        (
            "identity.app",
            "\"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/ACDD72A7-3385-48ef-bd42-f606fba81ae7\"",
        ),
    ] {
        assert_eq!(known_as(to, role), plain, "{to} {role}");
    }
    let other = known_as("\"11111111-2222-4333-8444-555555555555\"", "\"Reader\"");
    assert!(other.ends_with("~11111111-2222-4333-8444-555555555555"), "{other}");
}

#[test]
fn what_is_no_principal_and_no_role() {
    wrong(
        "resource_group.app",
        "\"Reader\"",
        &["10: AKS0215 a principal is wanted here, and the resource_group `resource_group.app` is none"],
    );
    wrong("identity.app.client_id", "\"Reader\"", &["10: AKS0216 a principal id is wanted here, not a client id"]);
    wrong("\"somebody\"", "\"Reader\"", &["10: AKS0214 a principal is wanted here, not text"]);
    wrong("identity.app", "\"Readr\"", &["11: AKS0213 there is no built-in role `Readr`"]);
    wrong("identity.app", "identity.app", &["11: AKS0215 a role is wanted here, not the identity `identity.app`"]);
}
