//! Leaves, bodies and the way back, kind by kind.

use akson_catalog::{
    Kind, Secret, Value,
    body::{body, lay_over},
    decode::{decode_attribute, decode_leaf, output_value},
    encode::{Leaf, encode},
    json::to_json,
};
use serde_json::{Value as Json, json};

use crate::values::{PRINCIPAL, TENANT, choice, context, kind, list, map, reference, residual, span, text, unknown};

fn leaves(kind: &Kind, attributes: &[(&str, Value)]) -> Vec<Leaf> {
    let attributes: Vec<_> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone(), span())).collect();
    encode(kind, &attributes, &context())
}

fn line(leaf: &Leaf) -> String {
    let want = match &leaf.want {
        Value::None => "absent".to_owned(),
        Value::Unknown { residual: later, .. } => format!("<{}>", residual(later)),
        want => to_json(want).map_or_else(|| format!("{want:?}"), |json| json.to_string()),
    };
    format!("{} {} {want}{}", leaf.attribute, leaf.pointer, if leaf.on_create_only { " (at create)" } else { "" })
}

#[track_caller]
fn check(keyword: &str, attributes: &[(&str, Value)], wanted: &[&str]) {
    let found: Vec<String> = leaves(&kind(keyword), attributes).iter().map(line).collect();
    assert_eq!(found, wanted);
}

#[test]
fn parts_of_the_id_have_no_leaf_and_tags_one_a_key() {
    check(
        "resource_group",
        &[
            ("name", text("myapp-rg")),
            ("location", text("West Europe")),
            ("tags", map(&[("app", text("x")), ("cost center/a~b", unknown("client_id"))])),
        ],
        &[
            "location /location \"West Europe\"",
            "tags.app /tags/app \"x\"",
            "tags[\"cost center/a~b\"] /tags/cost center~1a~0b <identity.app.client_id>",
        ],
    );
}

#[test]
fn one_audience_is_a_list_on_the_wire() {
    let written = [
        ("identity", reference("identity", Some("/i"))),
        ("issuer", text("https://token.actions.githubusercontent.com")),
        ("subject", text("repo:a/b")),
    ];
    let common = [
        "issuer /properties/issuer \"https://token.actions.githubusercontent.com\"",
        "subject /properties/subject \"repo:a/b\"",
    ];
    let left_out =
        [&common[..], &["audience /properties/audiences [\"api://AzureADTokenExchange\"] (at create)"]].concat();
    check("federated_credential", &written, &left_out);

    let own = [&written[..], &[("audience", text("api://Own"))]].concat();
    check("federated_credential", &own, &[&common[..], &["audience /properties/audiences [\"api://Own\"]"]].concat());
}

#[test]
fn a_vault_is_created_with_what_it_needs() {
    check(
        "vault",
        &[("name", text("kv")), ("purge_protection", text("enabled"))],
        &[
            "purge_protection /properties/enablePurgeProtection true",
            "tenant /properties/tenantId \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\" (at create)",
            "sku /properties/sku/name \"standard\" (at create)",
            "sku /properties/sku/family \"A\" (at create)",
            "access /properties/enableRbacAuthorization true (at create)",
            "access /properties/accessPolicies [] (at create)",
        ],
    );
}

#[test]
fn switches_words_none_and_default() {
    let created = [
        "tenant /properties/tenantId \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\" (at create)",
        "access /properties/enableRbacAuthorization true (at create)",
        "access /properties/accessPolicies [] (at create)",
    ];
    let written = [
        "purge_protection /properties/enablePurgeProtection absent",
        "enabled_for_deployment /properties/enabledForDeployment false",
        "soft_delete_retention_days /properties/softDeleteRetentionInDays 90",
        "sku /properties/sku/name <table[identity.app.client_id]>",
        "sku /properties/sku/family \"A\" (at create)",
    ];
    check(
        "vault",
        &[
            ("purge_protection", text("disabled")),
            ("enabled_for_deployment", text("disabled")),
            ("soft_delete_retention_days", Value::Default),
            ("sku", unknown("client_id")),
        ],
        &[&written[..], &created[..]].concat(),
    );
    check(
        "lock",
        &[("level", text("cannot_delete")), ("notes", Value::None)],
        &["level /properties/level \"CanNotDelete\"", "notes /properties/notes absent"],
    );
}

/// The leaves of a vault's `network` and `access`, without what is left out.
#[track_caller]
fn check_vault(attribute: &str, value: &Value, wanted: &[&str]) {
    let found: Vec<String> = leaves(&kind("vault"), &[(attribute, value.clone())])
        .iter()
        .filter(|leaf| leaf.attribute == attribute)
        .inspect(|leaf| assert_eq!(leaf.shown, *value))
        .map(|leaf| line(leaf).replace("/properties/networkAcls", "…").replace(&format!("{attribute} "), ""))
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn constructors_write_their_words_and_arguments() {
    check_vault(
        "network",
        &choice("public", &[]),
        &[
            "/properties/publicNetworkAccess \"Enabled\"",
            "…/defaultAction \"Allow\"",
            "…/ipRules absent",
            "…/virtualNetworkRules absent",
        ],
    );
    check_vault(
        "network",
        &choice("private", &[("trusted_services", text("disabled"))]),
        &["/properties/publicNetworkAccess \"Disabled\"", "…/bypass \"None\"", "…/defaultAction \"Deny\" (at create)"],
    );
    let subnet = reference("resource", Some("/subscriptions/s/subnets/a"));
    check_vault(
        "network",
        &choice(
            "selected",
            &[
                ("ips", list(&[text("203.0.113.0/28"), unknown("ip")])),
                ("subnets", list(&[subnet])),
                ("subnets_without_endpoint", list(&[text("/subscriptions/s/subnets/b")])),
            ],
        ),
        &[
            "/properties/publicNetworkAccess \"Enabled\"",
            "…/defaultAction \"Deny\"",
            "…/ipRules List([Map({\"value\": Text(\"203.0.113.0/28\")}), Map({\"value\": Unknown { residual: Output { of: SymbolicId(\"/identity\"), address: Address { within: None, modules: [], kind: \"identity\", name: \"app\", key: None }, output: \"ip\" }, of: String, sensitive: false }})])",
            "…/virtualNetworkRules [{\"id\":\"/subscriptions/s/subnets/a\"},{\"id\":\"/subscriptions/s/subnets/b\",\"ignoreMissingVnetServiceEndpoint\":true}]",
        ],
    );
    let policy = map(&[
        ("principal", text(PRINCIPAL)),
        ("secrets", list(&[text("get")])),
        ("keys", list(&[text("wrap_key"), text("get")])),
    ]);
    check_vault(
        "access",
        &choice("policies", &[("list", list(&[policy]))]),
        &[
            "/properties/enableRbacAuthorization false",
            &format!(
                "/properties/accessPolicies [{}]",
                json!({"objectId": PRINCIPAL, "tenantId": TENANT, "permissions": {"secrets": ["get"], "keys": ["wrapKey", "get"]}})
            ),
        ],
    );
}

#[test]
fn raw_bodies_are_walked() {
    let raw = akson_catalog::Catalog::builtin().unwrap().raw_kind("Microsoft.Network/routeTables@2025-03-01").unwrap();
    let body = map(&[
        (
            "properties",
            map(&[
                ("disableBgp", Value::Bool(true)),
                ("routes", list(&[map(&[("name", text("r"))])])),
                ("empty", map(&[])),
                ("gone", Value::None),
            ]),
        ),
        ("identity", reference("identity", Some("/subscriptions/s/i"))),
    ]);
    let found: Vec<String> = leaves(&raw, &[("body", body)]).iter().map(line).collect();
    assert_eq!(
        found,
        [
            "body.properties.disableBgp /properties/disableBgp true",
            "body.properties.routes /properties/routes [{\"name\":\"r\"}]",
            "body.properties.empty /properties/empty {}",
            "body.properties.gone /properties/gone absent",
            "body.identity /identity \"/subscriptions/s/i\"",
        ]
    );
    assert_eq!(leaves(&raw, &[("body", map(&[]))]).len(), 0);
}

#[test]
fn secrets_are_sent_and_neither_compared_nor_shown() {
    let found = leaves(&kind("lock"), &[("notes", Value::Sensitive(Secret::new("hush")))]);
    assert!(found[0].sensitive);
    assert_eq!(found[0].in_sync(&json!({"properties": {"notes": "hush"}})), None);
    assert_eq!(body(&found).unwrap(), json!({"properties": {"notes": "hush"}}));
    assert!(!format!("{found:?}").contains("hush"));
}

#[test]
fn a_hole_is_an_error_of_the_body() {
    let found = leaves(&kind("federated_credential"), &[("subject", unknown("client_id"))]);
    assert_eq!(body(&found).unwrap_err().to_string(), "the value of `subject` is not known");
}

#[test]
fn an_update_lays_what_is_ours_over_what_is_there() {
    let vault = kind("vault");
    let found = leaves(
        &vault,
        &[
            ("tags", map(&[("app", text("new")), ("old", Value::None)])),
            ("purge_protection", text("enabled")),
            ("network", choice("public", &[])),
        ],
    );
    let live = json!({
        "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v", "name": "v", "type": "Microsoft.KeyVault/vaults",
        "location": "westeurope", "tags": {"App": "old", "theirs": "kept", "old": "x"}, "systemData": {"createdBy": "me"},
        "properties": {
            "sku": {"family": "A", "name": "premium"}, "tenantId": TENANT, "accessPolicies": [{"objectId": PRINCIPAL}],
            "enableRbacAuthorization": false, "enableSoftDelete": true, "vaultUri": "https://v.vault.azure.net/",
            "provisioningState": "Succeeded", "privateEndpointConnections": [], "enabledForDeployment": true,
            "networkAcls": {"bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7/32"}], "virtualNetworkRules": []}
        }
    });
    assert_eq!(
        lay_over(&vault, live, &found).unwrap(),
        json!({
            "location": "westeurope", "tags": {"App": "new", "theirs": "kept"},
            "properties": {
                "sku": {"family": "A", "name": "premium"}, "tenantId": TENANT, "accessPolicies": [{"objectId": PRINCIPAL}],
                "enableRbacAuthorization": false, "enableSoftDelete": true, "enabledForDeployment": true,
                "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow"},
                "enablePurgeProtection": true, "publicNetworkAccess": "Enabled"
            }
        })
    );
}

/// Whether each leaf of an attribute is in sync with a live body.
#[track_caller]
fn check_sync(keyword: &str, attribute: (&str, Value), live: &Json, in_sync: bool) {
    let found = leaves(&kind(keyword), std::slice::from_ref(&attribute));
    let compared: Vec<_> = found
        .iter()
        .filter(|leaf| !leaf.on_create_only)
        .map(|leaf| (line(leaf), leaf.in_sync(live).unwrap()))
        .collect();
    assert_eq!(compared.iter().all(|(_, same)| *same), in_sync, "{compared:?} against {live}");
}

#[test]
fn what_azure_leaves_out_is_what_it_means() {
    check_sync("vault", ("network", choice("public", &[])), &json!({"properties": {}}), true);
    let acls = json!({"properties": {"networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []}}});
    check_sync("vault", ("network", choice("public", &[])), &acls, true);
    check_sync("vault", ("network", choice("private", &[])), &acls, false);
    check_sync(
        "vault",
        ("network", choice("selected", &[("trusted_services", text("enabled"))])),
        &json!({"properties": {"networkAcls": {"defaultAction": "deny"}}}),
        true,
    );
    check_sync("vault", ("access", choice("policies", &[("list", list(&[]))])), &json!({"properties": {}}), true);
    check_sync("vault", ("access", choice("rbac", &[])), &json!({"properties": {}}), false);
    check_sync("vault", ("enabled_for_deployment", text("disabled")), &json!({"properties": {}}), true);
    check_sync("vault", ("soft_delete_retention_days", Value::Int(90)), &json!({"properties": {}}), true);
    check_sync(
        "vault",
        ("soft_delete_retention_days", Value::Int(7)),
        &json!({"properties": {"softDeleteRetentionInDays": 7.0}}),
        true,
    );
    check_sync("identity", ("isolation_scope", text("none")), &json!({"properties": {}}), true);
    check_sync("identity", ("isolation_scope", text("regional")), &json!({"properties": {}}), false);
    check_sync(
        "federated_credential",
        ("subject", text("repo:A/b")),
        &json!({"properties": {"subject": "repo:a/b"}}),
        false,
    );
    check_sync(
        "federated_credential",
        ("issuer", text("https://x")),
        &json!({"properties": {"issuer": "https://x/"}}),
        false,
    );
    check_sync(
        "federated_credential",
        ("audience", text("api://X")),
        &json!({"properties": {"audiences": ["api://x"]}}),
        false,
    );
    check_sync(
        "resource_group",
        ("tags", map(&[("app", text("x"))])),
        &json!({"tags": {"APP": "x", "other": "y"}}),
        true,
    );
    check_sync("resource_group", ("tags", map(&[("app", text("x"))])), &json!({}), false);
}

#[test]
fn irreversible_goes_one_way() {
    let back = |word: &str, live: Json| leaves(&kind("vault"), &[("purge_protection", text(word))])[0].goes_back(&live);
    assert!(back("disabled", json!({"properties": {"enablePurgeProtection": true}})));
    assert!(!back("disabled", json!({"properties": {}})));
    assert!(!back("disabled", json!({"properties": {"enablePurgeProtection": false}})));
    assert!(!back("enabled", json!({"properties": {}})));
}

#[track_caller]
fn check_decoded(keyword: &str, attribute: &str, live: &Json, wanted: Option<Value>) {
    assert_eq!(decode_attribute(kind(keyword).attribute(attribute).unwrap(), live), wanted);
}

#[test]
fn live_values_in_the_words_of_the_configuration() {
    check_decoded("lock", "level", &json!({"properties": {"level": "canNotDelete"}}), Some(text("cannot_delete")));
    check_decoded("lock", "level", &json!({"properties": {"level": "NotSpecified"}}), Some(text("NotSpecified")));
    check_decoded(
        "vault",
        "purge_protection",
        &json!({"properties": {"enablePurgeProtection": true}}),
        Some(text("enabled")),
    );
    check_decoded("vault", "purge_protection", &json!({"properties": {}}), Some(text("disabled")));
    check_decoded("vault", "enabled_for_deployment", &json!({"properties": {}}), Some(text("disabled")));
    check_decoded("vault", "network", &json!({"properties": {}}), Some(choice("public", &[])));
    check_decoded(
        "vault",
        "network",
        &json!({"properties": {"networkAcls": {"defaultAction": "Allow", "ipRules": [{"value": "203.0.113.7/32"}]}}}),
        Some(choice("public", &[("ips", list(&[text("203.0.113.7/32")]))])),
    );
    check_decoded(
        "vault",
        "network",
        &json!({"properties": {"networkAcls": {"defaultAction": "Deny", "bypass": "None", "ipRules": [{"value": "203.0.113.7/32"}], "virtualNetworkRules": [
            {"id": "/a", "ignoreMissingVnetServiceEndpoint": false}, {"id": "/b", "ignoreMissingVnetServiceEndpoint": true}]}}}),
        Some(choice(
            "selected",
            &[
                ("ips", list(&[text("203.0.113.7/32")])),
                ("subnets", list(&[text("/a")])),
                ("subnets_without_endpoint", list(&[text("/b")])),
                ("trusted_services", text("disabled")),
            ],
        )),
    );
    check_decoded("vault", "network", &json!({"properties": {"publicNetworkAccess": "SecuredByPerimeter"}}), None);
    check_decoded(
        "vault",
        "access",
        &json!({"properties": {"accessPolicies": [{"objectId": PRINCIPAL, "tenantId": TENANT, "permissions": {"keys": ["WrapKey"], "secrets": []}}]}}),
        Some(choice(
            "policies",
            &[(
                "list",
                list(&[map(&[
                    ("principal", text(PRINCIPAL)),
                    ("tenant", text(TENANT)),
                    ("keys", list(&[text("wrap_key")])),
                ])]),
            )],
        )),
    );
    check_decoded(
        "federated_credential",
        "audience",
        &json!({"properties": {"audiences": ["api://x"]}}),
        Some(text("api://x")),
    );
    check_decoded("resource_group", "location", &json!({}), None);
}

#[test]
fn leaves_are_shown_by_their_attribute() {
    let lock = kind("lock");
    let mark = akson_catalog::marker::Mark::new(TENANT, &akson_catalog::SymbolicId::from_ledger("/x"));
    let found = leaves(&lock, &[("notes", text("why"))]);
    assert_eq!(
        decode_leaf(&lock, &found[0], &json!({"properties": {"notes": mark.append_to("old")}})),
        Some(text("old"))
    );
    let group = kind("resource_group");
    let found = leaves(&group, &[("tags", map(&[("a.b", text("x"))]))]);
    assert_eq!(decode_leaf(&group, &found[0], &json!({"tags": {"a.b": "y"}})), Some(text("y")));
    assert_eq!(decode_leaf(&group, &found[0], &json!({})), None);
}

#[test]
fn an_endpoint_has_its_slash_before_azure_writes_it() {
    let vault = kind("vault");
    let uri = &vault.outputs["uri"];
    let live = |uri: &str| json!({"properties": {"vaultUri": uri}});
    assert_eq!(output_value(uri, &live("https://v.vault.azure.net")), Some(text("https://v.vault.azure.net/")));
    assert_eq!(output_value(uri, &live("https://v.vault.azure.net/")), Some(text("https://v.vault.azure.net/")));
    assert_eq!(output_value(uri, &json!({})), None);
}

#[test]
fn references_that_stand_for_an_output_or_a_key() {
    check(
        "cluster",
        &[
            ("entra", map(&[])),
            ("entra.admin_groups", list(&[reference("group", None), text("id")])),
            ("identity", choice("user_assigned", &[("identity", reference("identity", Some("/i")))])),
            ("monitoring", Value::None),
            ("fqdn_subdomain", text("x")),
        ],
        &[
            "entra /properties/aadProfile/managed true",
            "entra.admin_groups /properties/aadProfile/adminGroupObjectIDs List([Unknown { residual: Output { of: SymbolicId(\"/group\"), address: Address { within: None, modules: [], kind: \"group\", name: \"app\", key: None }, output: \"object_id\" }, of: Named(\"object_id\"), sensitive: false }, Text(\"id\")])",
            "identity /identity/type \"UserAssigned\"",
            "identity /identity/userAssignedIdentities {\"/i\":{}}",
            "monitoring /properties/addonProfiles/omsagent/enabled false",
            "fqdn_subdomain /properties/fqdnSubdomain \"x\"",
            "sku /sku/name \"Base\" (at create)",
        ],
    );
}

#[test]
fn labelled_blocks_are_items_with_what_stands_beside_them() {
    check(
        "firewall_rules",
        &[("application.aks", map(&[])), ("application.aks.fqdn_tags", list(&[text("AzureKubernetesService")]))],
        &[
            "application.aks /properties/ruleCollections/~kname=application/ruleCollectionType \"FirewallPolicyFilterRuleCollection\"",
            "application.aks /properties/ruleCollections/~kname=application/priority 200",
            "application.aks /properties/ruleCollections/~kname=application/action/type \"Allow\"",
            "application.aks /properties/ruleCollections/~kname=application/rules/~kname=aks/ruleType \"ApplicationRule\"",
            "application.aks.fqdn_tags /properties/ruleCollections/~kname=application/rules/~kname=aks/fqdnTags [\"AzureKubernetesService\"]",
        ],
    );
}
