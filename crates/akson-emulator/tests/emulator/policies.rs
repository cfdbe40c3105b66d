//! Policy definitions, initiatives, assignments and exemptions.

use serde_json::{Value, json};

use crate::support::{Azure, pass};

const BASELINE: &str = "/providers/Microsoft.Authorization/policySetDefinitions/a8640138-9b0a-4a28-b8cb-1666c838647d";
const IMAGES: &str = "/providers/Microsoft.Authorization/policyDefinitions/febd0533-8e55-448f-b837-bd0e06f16469";
const ESCALATION: &str = "/providers/Microsoft.Authorization/policyDefinitions/1c6e92c9-99f0-4e55-9cf2-0c234dc48f99";
const DEFENDER: &str = "/providers/Microsoft.Authorization/policyDefinitions/64def556-fbad-4622-930e-72d1d5589bf5";

fn assignment(scope: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/policyAssignments/safe")
}

fn assign(definition: &str, parameters: &Value) -> Value {
    let given: serde_json::Map<String, Value> = parameters
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), json!({ "value": value })))
        .collect();
    json!({ "properties": { "policyDefinitionId": definition, "parameters": given } })
}

fn names(list: &Value) -> Vec<&str> {
    list["value"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_built_in() {
    let azure = Azure::new().await;
    let baseline = azure.get(BASELINE).await;
    let properties = &baseline["properties"];
    assert_eq!((&properties["policyType"], &properties["version"]), (&json!("BuiltIn"), &json!("1.4.0")));
    assert_eq!(properties["policyDefinitions"].as_array().unwrap().len(), 5);
    assert_eq!(properties["parameters"]["effect"]["defaultValue"], "Audit");
    let images = azure.get(IMAGES).await;
    assert_eq!(images["properties"]["mode"], "Microsoft.Kubernetes.Data");
    assert_eq!(images["properties"]["parameters"]["effect"]["defaultValue"], "Deny");
    azure.check(&format!("GET ~{BASELINE}"), Value::Null, "404 PolicySetDefinitionNotFound").await;
    azure.check(&format!("GET ~{IMAGES}"), Value::Null, "404 PolicyDefinitionNotFound").await;
    azure.grant("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "");
    azure.check(&format!("DELETE {IMAGES}"), Value::Null, "405 HttpMethodNotAllowed").await;
    azure.check(&format!("PUT {IMAGES}"), json!({}), "405 HttpMethodNotAllowed").await;
}

#[tokio::test(start_paused = true)]
async fn parameters_are_checked() {
    let azure = Azure::new().await;
    let check = async |definition: &str, parameters: Value, expected: &str| {
        azure.check(&format!("PUT {}", assignment("~")), assign(definition, &parameters), expected).await
    };
    check(BASELINE, json!({ "effect": "deny" }), "201").await;
    check(BASELINE, json!({ "effect": "Deny", "excludedNamespaces": ["kube-system"] }), "201").await;
    let wrong = check(ESCALATION, json!({ "effect": "deny" }), "400 PolicyParameterValueNotAllowed").await;
    assert!(
        wrong.text.contains(
            "'1c6e92c9-99f0-4e55-9cf2-0c234dc48f99 version 8.0.0'. The allowed values are 'Audit, Deny, Disabled'."
        ),
        "{}",
        wrong.text
    );
    let unknown = check(BASELINE, json!({ "x": 1, "y": 2 }), "400 UndefinedPolicyParameter").await;
    assert!(unknown.text.contains("the parameter(s) 'x,y' which are not defined"), "{}", unknown.text);
    let missing = check(IMAGES, json!({}), "400 MissingPolicyParameter").await;
    assert!(missing.text.contains("is missing the parameter(s) 'allowedContainerImagesRegex'"), "{}", missing.text);
    check(IMAGES, json!({ "allowedContainerImagesRegex": 1 }), "400 InvalidPolicyParameters").await;
    check(IMAGES, json!({ "allowedContainerImagesRegex": ".*" }), "201").await;
    check("/providers/Microsoft.Authorization/policyDefinitions/none", json!({}), "404 PolicyDefinitionNotFound").await;
    check("", json!({}), "400 InvalidCreatePolicyAssignmentRequest").await;
}

#[tokio::test(start_paused = true)]
async fn an_assignment() {
    let azure = Azure::new().await;
    azure.group("g").await;
    let path = assignment("~/resourceGroups/g");
    let mut asked = assign(BASELINE, &json!({ "effect": "audit" }));
    let made = azure.check(&format!("PUT {path}"), asked.clone(), "201").await.body;
    let properties = &made["properties"];
    assert_eq!(properties["scope"], format!("{}/resourceGroups/g", azure.subscription));
    assert_eq!(properties["enforcementMode"], "Default");
    assert_eq!(properties["metadata"]["createdBy"], azure.emulator.identity().object_id);
    assert_eq!(properties["metadata"]["updatedBy"], Value::Null);
    assert!(made.get("identity").is_none() && properties.get("instanceId").is_none());
    assert!(made["systemData"]["createdAt"].is_string());
    let new = azure.get(&format!("{path}?api-version=2025-01-01")).await;
    assert_eq!(new["properties"]["definitionVersion"], "1.*.*");
    pass(60).await;
    asked["properties"]["enforcementMode"] = "donotenforce".into();
    asked["properties"]["metadata"] = json!({ "mine": "yes" });
    let again = azure.check(&format!("PUT {path}"), asked.clone(), "201").await.body;
    assert_eq!(again["properties"]["enforcementMode"], "DoNotEnforce");
    assert_eq!(again["properties"]["metadata"]["createdOn"], properties["metadata"]["createdOn"]);
    assert!(again["properties"]["metadata"]["updatedOn"].is_string());
    assert_eq!(again["properties"]["metadata"]["mine"], "yes");
    asked["properties"]["enforcementMode"] = "never".into();
    azure.check(&format!("PUT {path}"), asked, "400 InvalidRequestContent").await;

    let check = async |scope: &str, filter: &str, expected: usize| {
        let listed = azure.get(&format!("{scope}/providers/Microsoft.Authorization/policyAssignments{filter}")).await;
        assert_eq!(names(&listed).len(), expected, "{scope} {filter}");
    };
    azure.check(&format!("PUT {}", assignment("~")), assign(BASELINE, &json!({})), "201").await;
    check("~", "", 2).await;
    check("~", "?$filter=atScope()", 1).await;
    check("~/resourceGroups/g", "", 1).await;
    check("~/resourceGroups/g", "?$filter=atScope()", 2).await;
    check("~/resourceGroups/g", "?$filter=atExactScope()", 1).await;
    check("~", &format!("?$filter=policyDefinitionId%20eq%20'{IMAGES}'"), 0).await;
    let gone = azure.check(&format!("DELETE {path}"), Value::Null, "200").await;
    assert_eq!(gone.body["name"], "safe");
    azure.check(&format!("DELETE {path}"), Value::Null, "204").await;
    azure.check(&format!("GET {path}"), Value::Null, "404 PolicyAssignmentNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn identities() {
    let azure = Azure::new().await;
    azure.group("g").await;
    let path = assignment("~");
    let put = async |extra: Value, expected: &str| {
        let mut asked = assign(DEFENDER, &json!({}));
        for (name, value) in extra.as_object().into_iter().flatten() {
            asked[name.as_str()] = value.clone();
        }
        azure.check(&format!("PUT {path}"), asked, expected).await.body
    };
    put(json!({}), "400 ResourceIdentityRequired").await;
    put(json!({ "identity": { "type": "SystemAssigned" } }), "400 LocationRequired").await;
    let own = json!({ "location": "West Europe", "identity": { "type": "SystemAssigned" } });
    let made = put(own.clone(), "201").await;
    assert_eq!(made["location"], "westeurope");
    assert_eq!(made["identity"]["tenantId"], azure.tenant.as_str());
    let principal = made["identity"]["principalId"].as_str().unwrap().to_owned();
    assert_eq!(put(own.clone(), "201").await["identity"]["principalId"], principal.as_str());
    // It is a principal like any other.
    pass(40).await;
    let role = "~/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000001";
    let reader = "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7";
    let given = json!({ "properties": { "roleDefinitionId": reader, "principalId": principal } });
    azure.check(&format!("PUT {role}"), given, "201").await;

    let web = "~/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web";
    let id = web.replace('~', &azure.subscription);
    let user = json!({ "location": "westeurope", "identity": { "type": "UserAssigned", "userAssignedIdentities": { id.as_str(): {} } } });
    put(user.clone(), "400 FailedIdentityOperation").await;
    let identity = azure.check(&format!("PUT {web}"), json!({ "location": "westeurope" }), "201").await.body;
    let made = put(user, "201").await;
    assert_eq!(
        made["identity"]["userAssignedIdentities"][id.as_str()]["principalId"],
        identity["properties"]["principalId"]
    );
    put(json!({ "location": "westeurope", "identity": { "type": "None" } }), "400 ResourceIdentityRequired").await;
    put(json!({ "location": "eastus", "identity": { "type": "SystemAssigned" } }), "409 InvalidResourceLocation").await;
    assert_ne!(put(own, "201").await["identity"]["principalId"], principal.as_str(), "another principal");
    // An effect that only looks needs none.
    let maintenance = "/providers/Microsoft.Authorization/policyDefinitions/e1352e44-d34d-4e4d-a22e-451a15f759a1";
    let window = json!({ "effect": "AuditIfNotExists", "configurationType": "aksManagedAutoUpgradeSchedule", "maintenanceWindow": {} });
    azure.check(&format!("PUT {}", assignment("~/resourceGroups/g")), assign(maintenance, &window), "201").await;
    let integrity = "/providers/Microsoft.Authorization/policySetDefinitions/af28bf8b-c669-4dd3-9137-1e68fdc61bd6";
    let asked = assign(integrity, &json!({ "effect": "Disabled" }));
    azure.check(&format!("PUT {}", assignment("~/resourceGroups/g")), asked, "400 ResourceIdentityRequired").await;
}

#[tokio::test(start_paused = true)]
async fn custom_definitions() {
    let azure = Azure::new().await;
    let path = "~/providers/Microsoft.Authorization/policyDefinitions/mine";
    let rule = json!({ "if": { "field": "location", "notIn": "[parameters('where')]" }, "then": { "effect": "deny" } });
    let asked = |parameters: Value| json!({ "properties": { "displayName": "Mine", "policyRule": rule, "parameters": parameters } });
    let place = json!({ "type": "Array" });
    let made = azure.check(&format!("PUT {path}"), asked(json!({ "where": place })), "201").await.body;
    assert_eq!((&made["properties"]["policyType"], &made["properties"]["mode"]), (&json!("Custom"), &json!("Indexed")));
    azure.check(&format!("PUT {path}"), asked(json!({ "where": place })), "201").await;
    azure.check(&format!("PUT {path}"), asked(json!({})), "400 InvalidPolicyParameterUpdate").await;
    let more = json!({ "where": place, "effect": { "type": "String" } });
    azure.check(&format!("PUT {path}"), asked(more), "400 InvalidPolicyParameterUpdate").await;
    let empty = path.replace("mine", "empty");
    azure.check(&format!("PUT {empty}"), json!({ "properties": {} }), "400 InvalidPolicyRule").await;

    let set = path.replace("policyDefinitions/mine", "policySetDefinitions/all");
    let id = path.replace('~', &azure.subscription);
    let members = |parameters: Value| json!({ "properties": { "policyDefinitions": [{ "policyDefinitionId": id, "parameters": parameters }] } });
    azure.check(&format!("PUT {set}"), members(json!({})), "400 MissingPolicyParameter").await;
    azure
        .check(&format!("PUT {set}"), json!({ "properties": {} }), "400 InvalidCreatePolicySetDefinitionRequest")
        .await;
    let good = members(json!({ "where": { "value": ["westeurope"] } }));
    let made = azure.check(&format!("PUT {set}"), good.clone(), "201").await.body;
    assert!(made["properties"]["policyDefinitions"][0]["policyDefinitionReferenceId"].is_string());
    azure.check(&format!("PUT {set}"), good, "200").await;
    let refused = azure.check(&format!("DELETE {path}"), Value::Null, "400 InvalidDeletePolicyDefinitionRequest").await;
    assert!(refused.text.contains("It is referenced by the policy set definition"), "{}", refused.text);
    let set_id = set.replace('~', &azure.subscription);
    azure.check(&format!("PUT {}", assignment("~")), assign(&set_id, &json!({})), "201").await;
    azure.check(&format!("DELETE {set}"), Value::Null, "400 InvalidDeletePolicySetDefinitionRequest").await;
    azure.check(&format!("DELETE {}", assignment("~")), Value::Null, "200").await;
    azure.check(&format!("DELETE {set}"), Value::Null, "200").await;
    azure.check(&format!("DELETE {path}"), Value::Null, "200").await;
    azure.check(&format!("DELETE {path}"), Value::Null, "204").await;
    azure.check(&format!("GET {path}"), Value::Null, "404 PolicyDefinitionNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn lists_of_definitions() {
    let azure = Azure::new().await;
    let path = "~/providers/Microsoft.Authorization/policyDefinitions";
    let rule = json!({ "if": { "field": "type", "equals": "A.B/c" }, "then": { "effect": "audit" } });
    azure.check(&format!("PUT {path}/mine"), json!({ "properties": { "policyRule": rule } }), "201").await;
    let count = async |filter: &str| {
        let listed = azure.get(&format!("{path}{filter}")).await;
        names(&listed).len()
    };
    assert!(count("").await > 50);
    assert_eq!(count("?$filter=policyType%20eq%20'Custom'").await, 1);
    assert_eq!(count("?$filter=policyType%20eq%20'BuiltIn'").await + 1, count("").await);
    assert_eq!(count("?$filter=atExactScope()").await, 1);
    assert_eq!(count("?$filter=category%20eq%20'Key%20Vault'").await, 1);
    let sets = azure.get("/providers/Microsoft.Authorization/policySetDefinitions").await;
    assert_eq!(names(&sets).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn exemptions() {
    let azure = Azure::new().await;
    azure.group("g").await;
    azure.check(&format!("PUT {}", assignment("~")), assign(BASELINE, &json!({})), "201").await;
    let path = "~/resourceGroups/g/providers/Microsoft.Authorization/policyExemptions/e";
    let id = assignment("~").replace('~', &azure.subscription);
    let asked = |category: &str, assignment: &str| json!({ "properties": { "policyAssignmentId": assignment, "exemptionCategory": category, "expiresOn": "2026-01-01T01:00:00Z" } });
    let refused = "400 InvalidCreatePolicyExemptionRequest";
    azure.check(&format!("PUT {path}"), asked("Because", &id), refused).await;
    azure.check(&format!("PUT {path}"), asked("Waiver", "/nothing"), refused).await;
    azure.check(&format!("PUT {path}"), asked("Waiver", &id), "201").await;
    azure.check(&format!("PUT {path}"), asked("Mitigated", &id), "200").await;
    assert_eq!(azure.get(path).await["properties"]["exemptionCategory"], "Mitigated");
    let count = async |filter: &str| {
        let listed = azure.get(&format!("~/providers/Microsoft.Authorization/policyExemptions{filter}")).await;
        names(&listed).len()
    };
    assert_eq!(count("").await, 1);
    assert_eq!(count("?$filter=atScope()").await, 0);
    assert_eq!(count(&format!("?$filter=policyAssignmentId%20eq%20'{id}'")).await, 1);
    assert_eq!(count("?$filter=excludeExpired()").await, 1);
    pass(3500).await;
    let azure = Azure::with(azure.emulator.clone()).await;
    pass(200).await;
    let listed = azure.get("~/providers/Microsoft.Authorization/policyExemptions?$filter=excludeExpired()").await;
    assert!(names(&listed).is_empty());
    azure.check(&format!("DELETE {path}"), Value::Null, "200").await;
    azure.check(&format!("DELETE {path}"), Value::Null, "204").await;
    azure.check(&format!("GET {path}"), Value::Null, "404 PolicyExemptionNotFound").await;
}
