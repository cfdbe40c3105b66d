//! Role assignments and role definitions as objects; what they allow stands in `access`.

use serde_json::{Value, json};

use crate::support::{Azure, pass};

const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const WEB: &str = "~/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web";
const SOMEBODY: &str = "11111111-1111-4111-8111-111111111111";
const NAMES: [&str; 3] = [
    "00000000-0000-4000-8000-000000000001",
    "00000000-0000-4000-8000-000000000002",
    "00000000-0000-4000-8000-000000000003",
];

fn at(scope: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}")
}

fn body(role: &str, principal: &str, extra: &Value) -> Value {
    let mut properties = json!({
        "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
        "principalId": principal,
    });
    for (name, value) in extra.as_object().into_iter().flatten() {
        properties[name.as_str()] = value.clone();
    }
    json!({ "properties": properties })
}

fn names(list: &Value) -> Vec<&str> {
    list["value"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

async fn with_identity() -> (Azure, String) {
    let azure = Azure::new().await;
    azure.group("g").await;
    let made = azure.check(&format!("PUT {WEB}"), json!({ "location": "westeurope" }), "201").await;
    let principal = made.body["properties"]["principalId"].as_str().unwrap().to_owned();
    (azure, principal)
}

#[tokio::test(start_paused = true)]
async fn a_first_answer_knows_less_than_the_next() {
    let (azure, principal) = with_identity().await;
    let path = at("~/resourceGroups/g", NAMES[0]);
    let asked = body(READER, &principal, &json!({ "principalType": "ServicePrincipal", "description": "why" }));
    let made = azure.check(&format!("PUT {path}"), asked.clone(), "201").await.body;
    let properties = &made["properties"];
    assert_eq!(properties["createdBy"], Value::Null);
    assert_eq!(
        properties["roleDefinitionId"],
        format!("{}/providers/Microsoft.Authorization/roleDefinitions/{READER}", azure.subscription)
    );
    assert_eq!(properties["scope"], format!("{}/resourceGroups/g", azure.subscription));
    for null in ["condition", "conditionVersion", "delegatedManagedIdentityResourceId"] {
        assert_eq!(properties.get(null), Some(&Value::Null), "{null}");
    }
    let me = azure.emulator.identity().object_id;
    let read = azure.get(&path).await;
    assert_eq!((&read["properties"]["createdBy"], &read["properties"]["description"]), (&json!(me), &json!("why")));
    pass(60).await;
    let changed = body(READER, &principal, &json!({ "principalType": "ServicePrincipal", "description": "because" }));
    azure.check(&format!("PUT {path}"), changed, "201").await;
    let again = azure.get(&path).await;
    assert_eq!(again["properties"]["createdOn"], read["properties"]["createdOn"]);
    assert_ne!(again["properties"]["updatedOn"], read["properties"]["updatedOn"]);
    let gone = azure.check(&format!("DELETE {path}"), Value::Null, "200").await;
    assert_eq!(gone.body["properties"]["createdBy"], me);
    azure.check(&format!("DELETE {path}"), Value::Null, "204").await;
    azure.check(&format!("GET {path}"), Value::Null, "404 RoleAssignmentNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn refusals() {
    let (azure, principal) = with_identity().await;
    let check = async |name: &str, asked: Value, expected: &str| {
        azure.check(&format!("PUT {}", at("~/resourceGroups/g", name)), asked, expected).await
    };
    let known = json!({ "principalType": "ServicePrincipal" });
    check("nonsense", body(READER, &principal, &known), "400 InvalidRoleAssignmentId").await;
    check(NAMES[0], body(READER, "wow", &known), "400 InvalidPrincipalId").await;
    check(NAMES[0], body("x", &principal, &known), "400 InvalidRoleDefinitionId").await;
    check(NAMES[0], body(SOMEBODY, &principal, &known), "404 RoleDefinitionDoesNotExist").await;
    check(NAMES[0], body(READER, &principal, &json!({ "principalType": "Group" })), "400 UnmatchedPrincipalType").await;
    check(NAMES[0], body(READER, SOMEBODY, &json!({})), "400 PrincipalNotFound").await;
    check(NAMES[0], body(READER, SOMEBODY, &known), "201").await;
    check(NAMES[1], body(READER, SOMEBODY, &known), "409 RoleAssignmentExists").await;
    check(NAMES[0], body(READER, &principal, &known), "400 RoleAssignmentUpdateNotPermitted").await;
    check(NAMES[0], body(OWNER, SOMEBODY, &known), "400 RoleAssignmentUpdateNotPermitted").await;
    let elsewhere = at("~", NAMES[0]);
    let refused = "400 RoleAssignmentUpdateNotPermitted";
    azure.check(&format!("PUT {elsewhere}"), body(READER, SOMEBODY, &known), refused).await;
    azure.check(&format!("PUT {}", at("~", NAMES[1])), body(READER, SOMEBODY, &known), "201").await;
}

#[tokio::test(start_paused = true)]
async fn a_fresh_principal_is_not_found_unless_its_type_is_given() {
    let (azure, principal) = with_identity().await;
    let path = at("~/resourceGroups/g", NAMES[0]);
    let refused =
        azure.check(&format!("PUT {path}"), body(READER, &principal, &json!({})), "400 PrincipalNotFound").await;
    assert!(refused.text.contains(&format!("Principal {} does", principal.replace('-', ""))), "{}", refused.text);
    let typed = body(READER, &principal, &json!({ "principalType": "ServicePrincipal" }));
    azure.check(&format!("PUT {}", at("~", NAMES[1])), typed, "201").await;
    pass(38).await;
    let made = azure.check(&format!("PUT {path}"), body(READER, &principal, &json!({})), "201").await;
    assert_eq!(made.body["properties"]["principalType"], "ServicePrincipal");
}

#[tokio::test(start_paused = true)]
async fn at_every_scope() {
    let (azure, _) = with_identity().await;
    azure.grant(OWNER, "");
    let cluster = "~/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
    azure.emulator.god().put_object(&cluster.replace('~', &azure.subscription), json!({})).unwrap();
    let group = format!("/providers/Microsoft.Management/managementGroups/{}", azure.tenant);
    let of_subscription = format!("{}/providers", azure.subscription);
    for (number, (scope, shown, home)) in [
        ("", "/", "/providers"),
        (group.as_str(), group.as_str(), "/providers"),
        ("~", "~", of_subscription.as_str()),
        (WEB, WEB, of_subscription.as_str()),
        (cluster, cluster, of_subscription.as_str()),
        (&format!("{cluster}/namespaces/shop"), &format!("{cluster}/namespaces/shop"), of_subscription.as_str()),
    ]
    .into_iter()
    .enumerate()
    {
        let path = at(scope, &format!("00000000-0000-4000-8000-{number:012}"));
        let asked = body(READER, SOMEBODY, &json!({ "principalType": "User" }));
        let made = azure.check(&format!("PUT {path}"), asked, "201").await.body;
        assert_eq!(made["properties"]["scope"], shown.replace('~', &azure.subscription), "{scope}");
        assert!(made["properties"]["roleDefinitionId"].as_str().unwrap().starts_with(home), "{scope} {made}");
        assert_eq!(azure.get(&path).await["id"], path.replace('~', &azure.subscription));
    }
    let missing = at(&format!("{cluster}x/namespaces/shop"), NAMES[0]);
    let asked = body(READER, SOMEBODY, &json!({ "principalType": "User" }));
    let refused = azure.check(&format!("PUT {missing}"), asked, "404 ResourceNotFound").await;
    assert!(refused.text.contains("managedClusters/cx'"), "{}", refused.text);
    azure.check(&format!("GET {cluster}/namespaces/shop"), Value::Null, "404 ResourceNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn lists() {
    let (azure, principal) = with_identity().await;
    azure.ungrant();
    azure.grant(OWNER, "");
    let typed = json!({ "principalType": "ServicePrincipal" });
    for (scope, name, holder) in
        [("~", NAMES[0], SOMEBODY), ("~/resourceGroups/g", NAMES[1], principal.as_str()), (WEB, NAMES[2], SOMEBODY)]
    {
        azure.check(&format!("PUT {}", at(scope, name)), body(READER, holder, &typed), "201").await;
    }
    let check = async |scope: &str, filter: &str, expected: &[&str]| {
        let filter = if filter.is_empty() { String::new() } else { format!("?$filter={}", filter.replace(' ', "%20")) };
        let listed = azure.get(&format!("{scope}/providers/Microsoft.Authorization/roleAssignments{filter}")).await;
        let mut found = names(&listed);
        found.sort_unstable();
        assert_eq!(found, expected, "{scope} {filter}");
        assert!(listed.get("nextLink").is_none());
    };
    check("~", "", &NAMES).await;
    check("~/resourceGroups/g", "", &NAMES[1..]).await;
    check(WEB, "", &NAMES[2..]).await;
    // The owner's own assignment at the tenant bears the name of its role.
    check("~", "atScope()", &[NAMES[0], OWNER]).await;
    check(WEB, "atScope()", &[NAMES[0], NAMES[1], NAMES[2], OWNER]).await;
    check("~", &format!("principalId eq '{principal}'"), &NAMES[1..2]).await;
    check("~/resourceGroups/g", &format!("principalId eq '{SOMEBODY}'"), &[NAMES[0], NAMES[2]]).await;
    check("~/resourceGroups/g", &format!("assignedTo('{SOMEBODY}')"), &[NAMES[0], NAMES[2]]).await;
    check("~/resourceGroups/g", &format!("atScope() and assignedTo('{SOMEBODY}')"), &NAMES[..1]).await;
    azure
        .check(
            "GET ~/providers/Microsoft.Authorization/roleAssignments?$filter=principalName%20eq",
            Value::Null,
            "400 InvalidFilter",
        )
        .await;
    // What is deleted takes its assignments along; a principal does not.
    azure.check(&format!("DELETE {WEB}"), Value::Null, "200").await;
    check("~", "", &NAMES[..2]).await;
}

#[tokio::test(start_paused = true)]
async fn definitions() {
    let azure = Azure::new().await;
    azure.group("g").await;
    let all = azure.get("~/providers/Microsoft.Authorization/roleDefinitions").await;
    assert!(all["value"].as_array().unwrap().len() > 50);
    let one = azure
        .get("~/resourceGroups/g/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName%20eq%20'owner'")
        .await;
    assert_eq!(
        one["value"][0]["id"],
        format!("{}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}", azure.subscription)
    );
    assert_eq!(one["value"].as_array().unwrap().len(), 1);
    azure.get(&format!("/providers/Microsoft.Authorization/roleDefinitions/{OWNER}")).await;

    let role = format!("~/resourceGroups/g/providers/Microsoft.Authorization/roleDefinitions/{}", NAMES[0]);
    let asked = |name: &str| {
        json!({ "properties": {
            "roleName": name, "type": "customRole", "assignableScopes": [azure.subscription],
            "permissions": [{ "actions": ["*/read"] }],
        }})
    };
    let made = azure.check(&format!("PUT {role}"), asked("Looks"), "201").await.body;
    assert_eq!(
        made["id"],
        format!("{}/providers/Microsoft.Authorization/roleDefinitions/{}", azure.subscription, NAMES[0])
    );
    assert_eq!(made["properties"]["type"], "CustomRole");
    assert_eq!(
        made["properties"]["permissions"],
        json!([{ "actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": [] }])
    );
    azure.check(&format!("PUT {role}"), asked("Looks"), "201").await;
    let other = role.replace(NAMES[0], NAMES[1]);
    azure.check(&format!("PUT {other}"), asked("looks"), "409 RoleDefinitionWithSameNameExists").await;
    azure.check(&format!("PUT {other}"), asked("Reader"), "409 RoleDefinitionWithSameNameExists").await;
    azure.check(&format!("PUT {other}"), json!({ "properties": {} }), "400 BadRequestFormat").await;
    azure.check(&format!("GET {other}"), Value::Null, "404 RoleDefinitionDoesNotExist").await;
    let custom =
        azure.get("~/providers/Microsoft.Authorization/roleDefinitions?$filter=type%20eq%20'CustomRole'").await;
    assert_eq!(names(&custom), [NAMES[0]]);

    let assignment = at("~", NAMES[2]);
    let given = body(NAMES[0], SOMEBODY, &json!({ "principalType": "User" }));
    azure.check(&format!("PUT {assignment}"), given, "201").await;
    azure.check(&format!("DELETE {role}"), Value::Null, "400 RoleDefinitionHasAssignments").await;
    azure.check(&format!("DELETE {assignment}"), Value::Null, "200").await;
    let gone = azure.check(&format!("DELETE {role}"), Value::Null, "200").await;
    assert_eq!(gone.body["properties"]["roleName"], "Looks");
    azure.check(&format!("DELETE {role}"), Value::Null, "204").await;
    azure
        .check(
            &format!("DELETE {}", role.replace(NAMES[0], OWNER)),
            Value::Null,
            "400 RoleDefinitionUpdateNotPermitted",
        )
        .await;
}
