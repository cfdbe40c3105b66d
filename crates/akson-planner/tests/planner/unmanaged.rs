//! What lies inside of the declared scopes and is declared nowhere.

use akson_catalog::{Severity, SymbolicId, marker::Mark};
use akson_planner::{
    Answer, Owned, Read, ReadTarget, Snapshot,
    unmanaged::{Unmanaged, reads, unmanaged},
};
use serde_json::{Value as Json, json};

use crate::declare::{Blocks, SUBSCRIPTION, catalog, text};

const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const SOMEBODY: &str = "00000000-0000-4000-8000-0000000000aa";
const PRINCIPAL: &str = "00000000-0000-4000-8000-0000000000bb";

fn blocks() -> Blocks {
    let mut blocks = Blocks::new();
    blocks.group("g").add();
    blocks.group("shared").existing().add();
    blocks.identity("i", "g").add();
    blocks.identity("j", "shared").add();
    blocks.credential("c", "i", "repo:a").add();
    blocks
}

fn put(snapshot: &mut Snapshot, id: &str, body: &Json) {
    let mut body = body.clone();
    body["id"] = id.into();
    let symbolic = SymbolicId::from_ledger(id.to_ascii_lowercase());
    let target = ReadTarget::Object { kind: String::new(), symbolic_id: symbolic };
    snapshot.absorb(&Read { at: akson_planner::At::Arm, path: String::new(), target }, Answer::Object(body));
}

/// What is declared is there.
fn live(blocks: &Blocks) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for resource in &blocks.config.resources {
        let id = resource.id.as_ref().unwrap().as_str();
        put(&mut snapshot, id, &json!({ "properties": { "principalId": PRINCIPAL } }));
    }
    snapshot
}

fn grant(snapshot: &mut Snapshot, on: &str, name: &str, description: &str) -> String {
    let id = format!("{on}/providers/Microsoft.Authorization/roleAssignments/{name}");
    let body = json!({ "id": id, "properties": {
        "roleDefinitionId": format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"),
        "principalId": if name == "identity" { PRINCIPAL } else { SOMEBODY },
        "principalType": "ServicePrincipal",
        "scope": on,
        "description": description,
    } });
    let target = ReadTarget::Candidates { kind: "grant".to_owned(), within: None, sought: Vec::new() };
    let read = Read { at: akson_planner::At::Arm, path: String::new(), target };
    snapshot.absorb(&read, Answer::Page { items: vec![body], last: true });
    id
}

fn found(blocks: &Blocks, snapshot: &Snapshot) -> Vec<Unmanaged> {
    unmanaged(&blocks.config, snapshot, &Owned::default(), catalog())
}

#[test]
fn one_list_a_subscription_and_one_a_parent() {
    let blocks = blocks();
    let mut snapshot = live(&blocks);
    let asked = |snapshot: &Snapshot| -> Vec<String> {
        let reads = reads(&blocks.config, snapshot, catalog());
        reads
            .iter()
            .map(|read| read.path.split('?').next().unwrap().rsplitn(3, '/').collect::<Vec<_>>().join(" "))
            .collect()
    };
    let lists = asked(&snapshot);
    assert_eq!(lists.len(), 4, "{lists:#?}");
    let ids: Vec<&str> = lists.iter().map(|list| list.split(' ').next().unwrap()).collect();
    assert_eq!(
        ids,
        ["federatedIdentityCredentials", "federatedIdentityCredentials", "roleAssignments", "policyAssignments"]
    );
    // What a plan has read is not read again.
    let subscription = SymbolicId::from_ledger(format!("/subscriptions/{SUBSCRIPTION}"));
    snapshot.listed.insert(("grant".to_owned(), subscription.clone()));
    snapshot.listed.insert(("policy".to_owned(), subscription));
    assert_eq!(asked(&snapshot).len(), 2);
    // Nothing declared is there: nothing can lie in it.
    assert!(asked(&Snapshot::default()).is_empty());
}

#[test]
fn grants_at_and_below_declared_scopes() {
    let blocks = blocks();
    let mut snapshot = live(&blocks);
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g");
    let at = grant(&mut snapshot, &group, "at", "");
    let below = grant(&mut snapshot, &format!("{group}/providers/Microsoft.KeyVault/vaults/Kv"), "identity", "");
    grant(&mut snapshot, &format!("/subscriptions/{SUBSCRIPTION}"), "above", "");
    grant(&mut snapshot, &format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/shared"), "looked-at", "");
    grant(&mut snapshot, &format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g2"), "beside", "");
    let found = found(&blocks, &snapshot);
    let told: Vec<(&str, &str, &str, Severity)> =
        found.iter().map(|one| (one.id.as_str(), one.on.as_str(), one.what.as_str(), one.severity)).collect();
    let to = format!("gives Contributor on resource_group.g to service principal {SOMEBODY}");
    assert_eq!(
        told,
        [
            (at.as_str(), "resource_group.g", to.as_str(), Severity::High),
            (
                below.as_str(),
                "resource_group.g",
                "gives Contributor on vaults/Kv in resource_group.g to identity.j",
                Severity::High
            ),
        ]
    );
    // What the ledger has is the plan's to decide about.
    let mut owned = Owned::default();
    for id in [&at, &below] {
        let entry = akson_planner::OwnedEntry { id: id.to_ascii_uppercase(), ..Default::default() };
        owned.entries.insert(SymbolicId::from_ledger(id.as_str()), entry);
    }
    assert!(unmanaged(&blocks.config, &snapshot, &owned, catalog()).is_empty());
}

#[test]
fn marks_of_other_stacks() {
    let blocks = blocks();
    let mut snapshot = live(&blocks);
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g");
    let other = "11111111-1111-4111-8111-111111111111";
    let mark = |stack: &str| Mark::new(stack, &SymbolicId::from_ledger("x")).append_to("why");
    grant(&mut snapshot, &group, "a", &mark(other));
    // Our own mark on what nobody declares says nothing: anybody can write it.
    grant(&mut snapshot, &group, "b", &mark(&blocks.config.stack.id()));
    let found = found(&blocks, &snapshot);
    assert_eq!((found[0].stack.as_deref(), found[0].severity), (Some(other), Severity::Low));
    assert_eq!((found[1].stack.as_deref(), found[1].severity), (None, Severity::High));
}

#[test]
fn credentials_and_policies() {
    let mut blocks = blocks();
    let mut snapshot = live(&blocks);
    let identity = blocks.resource("identity.i").id.clone().unwrap();
    let credential = format!("{identity}/federatedIdentityCredentials/foreign");
    let trusts = json!({ "properties": { "issuer": "https://evil.example", "subject": "repo:b" } });
    put(&mut snapshot, &credential, &trusts);
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g");
    let policy = format!("{group}/providers/Microsoft.Authorization/policyAssignments/p");
    let definition = "/providers/Microsoft.Authorization/policySetDefinitions/a8640138-9b0a-4a28-b8cb-1666c838647d";
    put(&mut snapshot, &policy, &json!({ "properties": { "policyDefinitionId": definition } }));
    // A lock is no such thing.
    put(&mut snapshot, &format!("{group}/providers/Microsoft.Authorization/locks/l"), &json!({}));
    let whats: Vec<String> = found(&blocks, &snapshot).into_iter().map(|one| one.what).collect();
    assert_eq!(whats.len(), 2, "{whats:?}");
    assert!(whats[0].starts_with("assigns ") && whats[0].ends_with(" on resource_group.g"), "{whats:?}");
    assert_eq!(whats[1], "lets repo:b of https://evil.example sign in as identity.i");
    // Declared, it is nothing to tell, be it as existing.
    let taken = blocks.reference("identity.i");
    blocks
        .block("federated_credential", "foreign")
        .set("name", text("foreign"))
        .set("identity", taken)
        .set("issuer", text("https://evil.example"))
        .set("subject", text("repo:b"))
        .existing()
        .add();
    assert_eq!(found(&blocks, &snapshot).len(), 1);
}
