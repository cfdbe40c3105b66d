//! Lints of what lies in clusters and of who may write there: each where it counts, and silent where it does not.

use super::{
    own::run_own,
    workload::{BASE, MYAPP},
};

/// The codes that a text after the base is warned or told about, with their lines in the text.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let run = run_own(&format!("{BASE}{text}"));
    assert!(!run.diagnostics.has_errors(), "{:#?}", run.lines());
    let base = BASE.lines().count();
    let found: Vec<String> = run
        .lines()
        .iter()
        .map(|line| {
            let (number, rest) = line.split_once(": ").unwrap();
            format!("{}: {}", number.parse::<usize>().unwrap() - base, rest.split(' ').next().unwrap())
        })
        .collect();
    assert_eq!(found, expected, "{text}\n{:#?}", run.lines());
}

fn account(labels: &str) -> String {
    format!(
        "service_account \"a\" {{\n  cluster   = cluster.main\n  namespace = \"a\"\n  name      = \"a\"\n  labels    = {{ {labels} }}\n}}\n"
    )
}

fn class(parameters: &str) -> String {
    format!(
        "secret_provider_class \"a\" {{\n  cluster    = cluster.main\n  namespace  = \"a\"\n  name       = \"a\"\n  parameters = {{ {parameters} }}\n}}\n"
    )
}

#[test]
fn labels_of_service_accounts() {
    check(&account("\"azure.workload.identity/use\" = \"true\""), &["5: AKS0350"]);
    check(&account("app = \"myapp\""), &[]);
}

#[test]
fn parameters_of_classes() {
    check(&class("usePodIdentity = \"true\""), &["5: AKS0351"]);
    check(&class("usePodIdentity = \"false\", clientID = \"x\", keyvaultName = \"y\", other = \"z\""), &[]);
    check(&class("useVMAssignedIdentity = \"true\""), &["5: AKS0352"]);
    check(&class("keyVaultName = \"y\""), &["5: AKS0352"]);
}

#[test]
fn writers() {
    let grant = |role: &str, on: &str| {
        format!(
            "identity \"team\" {{\n  name           = \"team\"\n  resource_group = resource_group.app\n}}\ngrant \"a\" {{\n  to   = identity.team\n  role = \"{role}\"\n  on   = {on}\n}}\n"
        )
    };
    let writer = "Azure Kubernetes Service RBAC Writer";
    check(&grant(writer, "cluster.main.namespace(\"a\")"), &["7: AKS0354"]);
    check(&grant("a7ffa36f-339b-4b5c-8bdf-e2c162b2c0eb", "cluster.main"), &["7: AKS0354"]);
    check(&grant("Azure Kubernetes Service RBAC Reader", "cluster.main"), &[]);
    // The service accounts that are reached are shown.
    let reached = |on: &str| {
        let run = run_own(&format!("{BASE}{MYAPP}{}", grant(writer, on)));
        assert!(!run.diagnostics.has_errors());
        run.diagnostics.iter().find(|found| found.code.to_string() == "AKS0354").unwrap().labels.len() - 1
    };
    assert_eq!(reached("cluster.main.namespace(\"production\")"), 1);
    assert_eq!(reached("cluster.main"), 1);
    assert_eq!(reached("cluster.main.namespace(\"prod\")"), 0);
}

#[test]
fn issuers_that_issue_nothing() {
    check(MYAPP, &[]);
    let found = |without: &[&str]| {
        let base = without.iter().fold(BASE.to_owned(), |base, line| {
            assert!(base.contains(line));
            base.replace(line, "")
        });
        let run = run_own(&format!("{base}{MYAPP}"));
        run.diagnostics.iter().map(|found| found.message.clone()).collect::<Vec<_>>()
    };
    let (issuer, identity) = ("oidc_issuer       = enabled", "workload_identity = enabled");
    let start = "this credential trusts `cluster.main`, which does not say";
    assert_eq!(found(&[identity]), [format!("{start} `workload_identity = enabled`")]);
    assert_eq!(
        found(&[issuer, identity]),
        [format!("{start} `oidc_issuer = enabled` and `workload_identity = enabled`")]
    );
}
