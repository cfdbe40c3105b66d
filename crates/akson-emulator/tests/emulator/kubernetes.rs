//! API servers of clusters: who gets through, what is stored, who owns which field.

use akson_emulator::{Denial, Emulator, Options};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::support::{Reply, pass, read};

const HOST: &str = "https://web-1a2b.hcp.westeurope.azmk8s.io";
const AUDIENCE: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// A cluster and somebody who calls it.
pub(crate) struct Cluster {
    pub(crate) emulator: std::sync::Arc<Emulator>,
    pub(crate) id: String,
    token: String,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        Self::with(&json!({}), Options::default())
    }

    /// With these properties over the usual ones.
    pub(crate) fn with(properties: &Value, options: Options) -> Self {
        let emulator = Emulator::open(Options { directory_lag: std::time::Duration::ZERO, ..options }).unwrap();
        let who = emulator.identity();
        let id = format!(
            "/subscriptions/{}/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/web",
            who.subscription
        );
        let mut all = json!({
            "fqdn": HOST.trim_start_matches("https://"),
            "provisioningState": "Succeeded",
            "kubernetesVersion": "1.33.2",
            "powerState": { "code": "Running" },
            "aadProfile": { "managed": true, "enableAzureRBAC": true },
            "addonProfiles": { "azureKeyvaultSecretsProvider": { "enabled": true } },
        });
        for (name, value) in properties.as_object().unwrap() {
            all[name] = value.clone();
        }
        emulator.god().put_object(&id, json!({ "location": "westeurope", "properties": all })).unwrap();
        let token = emulator.god().token(&who.object_id, AUDIENCE).unwrap();
        Self { emulator, id, token }
    }

    pub(crate) fn edit(&self, change: impl FnOnce(&mut Value)) {
        assert!(self.emulator.god().edit(&self.id, |body| change(&mut body["properties"])).unwrap());
    }

    pub(crate) async fn send(&self, call: &str, headers: &[(&str, &str)], body: Bytes) -> Option<Reply> {
        let (method, path) = call.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(format!("{HOST}:443{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        self.emulator.handle(request.body(body).unwrap()).await.ok().map(|answer| read(&answer))
    }

    /// Sends JSON and compares status and reason: `201`, `404 NotFound`.
    pub(crate) async fn check(&self, call: &str, body: Value, expected: &str) -> Reply {
        let kind = if call.starts_with("PATCH") { "application/merge-patch+json" } else { "application/json" };
        self.check_as(call, &[("content-type", kind)], body, expected).await
    }

    pub(crate) async fn check_as(&self, call: &str, headers: &[(&str, &str)], body: Value, expected: &str) -> Reply {
        let bytes = match body {
            Value::Null => Bytes::new(),
            Value::String(text) => text.into(),
            other => other.to_string().into(),
        };
        let reply = self.send(call, headers, bytes).await.unwrap();
        let reason = reply.body["reason"].as_str().filter(|_| reply.body["kind"] == "Status").unwrap_or("");
        assert_eq!(format!("{} {reason}", reply.status).trim_end(), expected, "{call}\n{}", reply.text);
        reply
    }

    async fn apply(&self, path: &str, manager: &str, body: Value, expected: &str) -> Reply {
        let call = if manager.is_empty() {
            format!("PATCH {path}")
        } else {
            format!("PATCH {path}{}fieldManager={manager}", if path.contains('?') { "&" } else { "?" })
        };
        self.check_as(&call, &[("content-type", "application/apply-patch+yaml")], body, expected).await
    }

    pub(crate) async fn namespace(&self, name: &str) {
        self.check("POST /api/v1/namespaces", json!({ "metadata": { "name": name } }), "201").await;
    }
}

fn config(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" }, "data": data })
}

const C: &str = "/api/v1/namespaces/n/configmaps/c";

#[tokio::test(start_paused = true)]
async fn who_gets_through() {
    let reaches = async |properties: Value| {
        let cluster = Cluster::with(&json!({}), Options::default());
        // Changed afterwards: what is put into the world is at rest.
        cluster.edit(|all| {
            for (name, value) in properties.as_object().unwrap() {
                all[name] = value.clone();
            }
        });
        cluster.send("GET /version", &[], Bytes::new()).await.map(|reply| reply.status)
    };
    assert_eq!(reaches(json!({})).await, Some(200));
    assert_eq!(reaches(json!({ "powerState": { "code": "Stopped" } })).await, None);
    assert_eq!(reaches(json!({ "provisioningState": "Creating" })).await, None);
    assert_eq!(reaches(json!({ "apiServerAccessProfile": { "enablePrivateCluster": true } })).await, None);
    let ranges = |ranges: Value| json!({ "apiServerAccessProfile": { "authorizedIPRanges": ranges } });
    assert_eq!(reaches(ranges(json!(["203.0.113.0/24"]))).await, Some(200));
    assert_eq!(reaches(ranges(json!(["198.51.100.0/24"]))).await, None);
    assert_eq!(reaches(ranges(json!([]))).await, Some(200));
    let inside = Options { caller_address: "10.1.0.4".parse().unwrap(), ..Options::default() };
    let private = Cluster::with(&json!({ "apiServerAccessProfile": { "enablePrivateCluster": true } }), inside);
    private.check("GET /version", Value::Null, "200").await;
    let elsewhere = Request::get("https://none.hcp.westeurope.azmk8s.io/version").body(Bytes::new()).unwrap();
    assert!(private.emulator.handle(elsewhere).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn who_is_who() {
    let cluster = Cluster::new();
    for header in ["", "Bearer nonsense", "Basic eDp5"] {
        cluster.check_as("GET /api", &[("authorization", header)], Value::Null, "401 Unauthorized").await;
    }
    let god = cluster.emulator.god();
    let other = god.token(&cluster.emulator.identity().object_id, "https://graph.microsoft.com").unwrap();
    let header = format!("Bearer {other}");
    cluster.check_as("GET /api", &[("authorization", &header)], Value::Null, "401 Unauthorized").await;
    cluster.edit(|properties| properties["aadProfile"] = Value::Null);
    cluster.check("GET /api", Value::Null, "401 Unauthorized").await;
}

#[tokio::test(start_paused = true)]
async fn who_may_what() {
    let cluster = Cluster::new();
    let (group, user) = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
    cluster
        .emulator
        .seed(vec![
            json!({ "@odata.type": "#microsoft.graph.group", "id": group, "displayName": "team", "members": ["ann@example.com"] }),
            json!({ "id": user, "userPrincipalName": "ann@example.com" }),
        ])
        .unwrap();
    cluster.namespace("n").await;
    let token = format!("Bearer {}", cluster.emulator.god().token(user, AUDIENCE).unwrap());
    let ann = async |call: &str, expected: &str| {
        let body = if call.starts_with("POST") { json!({ "metadata": { "name": "new" } }) } else { Value::Null };
        cluster.check_as(call, &[("authorization", &token), ("content-type", "application/json")], body, expected).await
    };
    ann("GET /apis", "200").await;
    let refused = ann("GET /api/v1/namespaces/n/configmaps", "403 Forbidden").await;
    let message = refused.body["message"].as_str().unwrap();
    assert!(message.starts_with("configmaps is forbidden: User \"ann@example.com\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"n\": User does not have access to the resource in Azure."), "{message}");
    // A role in one namespace, by the group's object id.
    let binding = json!({
        "metadata": { "name": "team" },
        "roleRef": { "kind": "ClusterRole", "name": "view" },
        "subjects": [{ "kind": "Group", "name": group }],
    });
    cluster.check("POST /apis/rbac.authorization.k8s.io/v1/namespaces/n/rolebindings", binding, "201").await;
    ann("GET /api/v1/namespaces/n/configmaps", "200").await;
    ann("GET /api/v1/namespaces/n", "200").await;
    ann("GET /api/v1/namespaces/n/secrets", "403 Forbidden").await;
    ann("POST /api/v1/namespaces/n/configmaps", "403 Forbidden").await;
    ann("GET /api/v1/namespaces/default/configmaps", "403 Forbidden").await;
    ann("GET /api/v1/configmaps", "403 Forbidden").await;
    // An admin group of the cluster.
    cluster.edit(|properties| properties["aadProfile"]["adminGroupObjectIDs"] = json!([group]));
    ann("POST /api/v1/namespaces/n/configmaps", "201").await;
    ann("GET /api/v1/secrets", "200").await;
    // What was taken away from the caller.
    let action = "Microsoft.ContainerService/managedClusters/secrets/*".to_owned();
    cluster
        .emulator
        .god()
        .set_denied_actions(vec![Denial { action, scope: format!("{}/namespaces/n", cluster.id) }])
        .unwrap();
    cluster.check("GET /api/v1/namespaces/n/secrets", Value::Null, "403 Forbidden").await;
    cluster.check("GET /api/v1/namespaces/default/secrets", Value::Null, "200").await;
    let review = |namespace: &str| json!({ "spec": { "resourceAttributes": { "verb": "get", "resource": "secrets", "namespace": namespace } } });
    let call = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    assert_eq!(cluster.check(call, review("n"), "201").await.body["status"]["allowed"], false);
    assert_eq!(cluster.check(call, review("default"), "201").await.body["status"]["allowed"], true);
}

#[tokio::test(start_paused = true)]
async fn discovery() {
    let cluster = Cluster::new();
    let get = async |path: &str| cluster.check(&format!("GET {path}"), Value::Null, "200").await.body;
    assert_eq!(get("/version").await["gitVersion"], "v1.33.2");
    assert_eq!(get("/api").await["versions"], json!(["v1"]));
    let names = |list: &Value, name: &str| {
        list.as_array().unwrap().iter().map(|item| item[name].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let store = "secrets-store.csi.x-k8s.io".to_owned();
    assert!(names(&get("/apis").await["groups"], "name").contains(&store));
    assert!(names(&get("/api/v1").await["resources"], "name").contains(&"secrets".to_owned()));
    get(&format!("/apis/{store}/v1")).await;
    let accept = [("accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json")];
    let all = cluster.check_as("GET /apis", &accept, Value::Null, "200").await;
    assert_eq!(all.body["kind"], "APIGroupDiscoveryList");
    assert!(all.header("content-type").ends_with("as=APIGroupDiscoveryList"));
    let definitions = get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").await;
    assert_eq!(definitions["items"].as_array().unwrap().len(), 1);
    let class = format!("/apis/{store}/v1/namespaces/default/secretproviderclasses");
    let body = json!({ "metadata": { "name": "s" }, "spec": { "provider": "azure", "parameters": { "usePodIdentity": "false" } } });
    cluster.check(&format!("POST {class}"), body, "201").await;
    let wrong = json!({ "metadata": { "name": "t" }, "spec": { "parameters": { "usePodIdentity": false } } });
    cluster.check(&format!("POST {class}"), wrong, "422 Invalid").await;
    // Without the add-on the kind is gone, and what was of it.
    cluster.edit(|properties| properties["addonProfiles"] = Value::Null);
    cluster.check(&format!("GET /apis/{store}/v1"), Value::Null, "404 NotFound").await;
    cluster.check(&format!("GET {class}"), Value::Null, "404 NotFound").await;
    cluster.check(&format!("GET /openapi/v3/apis/{store}/v1"), Value::Null, "404 NotFound").await;
    cluster.check("GET /openapi/v2", Value::Null, "404 NotFound").await;
    cluster.edit(|properties| {
        properties["addonProfiles"] = json!({ "azureKeyvaultSecretsProvider": { "enabled": true } });
    });
    assert_eq!(get(&class).await["items"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn life_of_an_object() {
    let cluster = Cluster::new();
    cluster.check("POST /api/v1/namespaces/n/configmaps", config(&json!({})), "404 NotFound").await;
    cluster.namespace("n").await;
    let made = cluster.check("POST /api/v1/namespaces/n/configmaps", config(&json!({ "a": "1" })), "201").await.body;
    for field in ["uid", "resourceVersion", "creationTimestamp"] {
        assert!(made["metadata"][field].is_string(), "{field}");
    }
    cluster.check("POST /api/v1/namespaces/n/configmaps", config(&json!({})), "409 AlreadyExists").await;
    let same = cluster.check(&format!("PUT {C}"), config(&json!({ "a": "1" })), "200").await.body;
    assert_eq!(same["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"], "nothing changed");
    let patched = cluster.check(&format!("PATCH {C}"), json!({ "data": { "a": null, "b": "2" } }), "200").await.body;
    assert_eq!(patched["data"], json!({ "b": "2" }));
    assert_ne!(patched["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"]);
    let mut outdated = config(&json!({}));
    outdated["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"].clone();
    cluster.check(&format!("PUT {C}"), outdated, "409 Conflict").await;
    cluster.check(&format!("PATCH {C}?dryRun=All"), json!({ "data": { "b": "3" } }), "200").await;
    assert_eq!(cluster.check(&format!("GET {C}"), Value::Null, "200").await.body["data"]["b"], "2");
    cluster.check(&format!("PATCH {C}"), json!({ "data": { "b": 3 } }), "422 Invalid").await;
    cluster.check(&format!("PATCH {C}?fieldValidation=Strict"), json!({ "dta": {} }), "400 BadRequest").await;
    let warned = cluster.check(&format!("PATCH {C}"), json!({ "dta": {} }), "200").await;
    assert_eq!(warned.header("warning"), "299 - \"unknown field \\\"dta\\\"\"");
    cluster.check(&format!("DELETE {C}"), json!({ "preconditions": { "uid": "x" } }), "409 Conflict").await;
    cluster.check(&format!("DELETE {C}"), Value::Null, "200").await;
    cluster.check(&format!("DELETE {C}"), Value::Null, "404 NotFound").await;
    // Something holds it.
    let held = json!({ "metadata": { "name": "c", "finalizers": ["a.b/c"] } });
    cluster.check("POST /api/v1/namespaces/n/configmaps", held, "201").await;
    let going = cluster.check(&format!("DELETE {C}"), Value::Null, "200").await.body;
    assert!(going["metadata"]["deletionTimestamp"].is_string());
    cluster.check(&format!("PATCH {C}"), json!({ "metadata": { "finalizers": null } }), "200").await;
    cluster.check(&format!("GET {C}"), Value::Null, "404 NotFound").await;
}

#[tokio::test(start_paused = true)]
async fn names_and_kinds() {
    let cluster = Cluster::new();
    cluster.check("POST /api/v1/namespaces", json!({ "metadata": { "name": "Bad" } }), "422 Invalid").await;
    cluster.check("POST /api/v1/namespaces", json!({ "metadata": {} }), "422 Invalid").await;
    cluster.check("POST /api/v1/namespaces", json!({ "kind": "Pod", "apiVersion": "v1" }), "400 BadRequest").await;
    cluster.check("POST /api/v1/namespaces", json!([]), "400 BadRequest").await;
    cluster.check("GET /api/v1/nonsense", Value::Null, "404 NotFound").await;
    cluster.check("GET /api/v1/namespaces/n/clusterroles", Value::Null, "404 NotFound").await;
    cluster.check("PUT /api/v1/namespaces", json!({}), "405 MethodNotAllowed").await;
    cluster.check("DELETE /api/v1/namespaces/kube-system", Value::Null, "403 Forbidden").await;
    let secret = json!({ "metadata": { "name": "s" }, "stringData": { "a": "b" } });
    let made = cluster.check("POST /api/v1/namespaces/default/secrets", secret, "201").await.body;
    assert_eq!(
        (&made["type"], &made["data"]["a"], &made["stringData"]),
        (&json!("Opaque"), &json!("Yg=="), &Value::Null)
    );
    let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
    let binding = |role: &str| json!({ "metadata": { "name": "b" }, "roleRef": { "kind": "Role", "name": role } });
    cluster.check(&format!("POST {bindings}"), binding("one"), "201").await;
    let refused = cluster.check(&format!("PUT {bindings}/b"), binding("two"), "422 Invalid").await.body;
    assert_eq!(refused["details"]["causes"][0]["field"], "roleRef");
    assert!(
        refused["message"].as_str().unwrap().starts_with(
            "RoleBinding.rbac.authorization.k8s.io \"b\" is invalid: roleRef: Invalid value: rbac.RoleRef{"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn lists() {
    let cluster = Cluster::new();
    cluster.namespace("n").await;
    for at in 0..5 {
        let body = json!({ "metadata": { "name": format!("c{at}"), "labels": { "odd": (at % 2).to_string() } } });
        cluster.check("POST /api/v1/namespaces/n/configmaps", body, "201").await;
    }
    let get = async |query: &str| {
        cluster.check(&format!("GET /api/v1/namespaces/n/configmaps{query}"), Value::Null, "200").await.body
    };
    let names = |list: &Value| {
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&get("?labelSelector=odd%3D1").await), ["c1", "c3"]);
    assert_eq!(names(&get("?fieldSelector=metadata.name%3Dc4").await), ["c4"]);
    let first = get("?limit=4&labelSelector=odd").await;
    assert_eq!(names(&first), ["c0", "c1", "c2", "c3"]);
    let next = first["metadata"]["continue"].as_str().unwrap();
    let second = get(&format!("?limit=4&labelSelector=odd&continue={next}")).await;
    assert_eq!((names(&second), &second["metadata"]["continue"]), (vec!["c4".to_owned()], &Value::Null));
    assert_eq!(get("?limit=2").await["metadata"]["remainingItemCount"], 4);
    cluster.check("GET /api/v1/configmaps?continue=!", Value::Null, "400 BadRequest").await;
    let accept = [("accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")];
    let short = cluster.check_as("GET /api/v1/namespaces/n/configmaps", &accept, Value::Null, "200").await.body;
    assert_eq!((&short["kind"], &short["items"][0]["data"]), (&json!("PartialObjectMetadataList"), &Value::Null));
    cluster.check("DELETE /api/v1/namespaces/n/configmaps?labelSelector=odd%3D1", Value::Null, "200").await;
    assert_eq!(names(&get("?labelSelector=odd").await), ["c0", "c2", "c4"]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_goes_with_everything_in_it() {
    let cluster = Cluster::new();
    cluster.namespace("n").await;
    cluster.check("POST /api/v1/namespaces/n/configmaps", config(&json!({})), "201").await;
    let going = cluster.check("DELETE /api/v1/namespaces/n", Value::Null, "200").await.body;
    assert_eq!(going["status"]["phase"], "Terminating");
    let refused = cluster
        .check("POST /api/v1/namespaces/n/secrets", json!({ "metadata": { "name": "s" } }), "403 Forbidden")
        .await
        .body;
    assert_eq!(refused["details"]["causes"][0]["reason"], "NamespaceTerminating");
    cluster.check(&format!("GET {C}"), Value::Null, "200").await;
    pass(30).await;
    cluster.check("GET /api/v1/namespaces/n", Value::Null, "404 NotFound").await;
    cluster.namespace("n").await;
    cluster.check(&format!("GET {C}"), Value::Null, "404 NotFound").await;
}

#[tokio::test(start_paused = true)]
async fn a_new_cluster_of_the_same_name_is_empty() {
    let cluster = Cluster::new();
    cluster.namespace("n").await;
    let god = cluster.emulator.god();
    let body = god.object(&cluster.id).unwrap();
    god.delete_object(&cluster.id).unwrap();
    assert!(cluster.send("GET /version", &[], Bytes::new()).await.is_none());
    assert!(god.snapshot().kubernetes.is_empty());
    god.put_object(&cluster.id, body).unwrap();
    cluster.check("GET /api/v1/namespaces/n", Value::Null, "404 NotFound").await;
    cluster.check("GET /api/v1/namespaces/default", Value::Null, "200").await;
}

#[tokio::test(start_paused = true)]
async fn server_side_apply() {
    let cluster = Cluster::new();
    cluster.namespace("n").await;
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  labels: {app: web}\ndata:\n  a: \"1\"\n  b: |\n    two\n";
    cluster.apply(C, "", yaml.into(), "422 Invalid").await;
    cluster.apply(C, &"x".repeat(129), yaml.into(), "422 Invalid").await;
    let planned = cluster.apply(&format!("{C}?dryRun=All"), "one", yaml.into(), "201").await.body;
    assert_eq!(planned["data"]["b"], "two\n");
    cluster.check(&format!("GET {C}"), Value::Null, "404 NotFound").await;
    let made = cluster.apply(C, "one", yaml.into(), "201").await.body;
    let entry = &made["metadata"]["managedFields"][0];
    assert_eq!((&entry["manager"], &entry["operation"]), (&json!("one"), &json!("Apply")));
    assert_eq!(
        entry["fieldsV1"],
        json!({ "f:data": { "f:a": {}, "f:b": {} }, "f:metadata": { "f:labels": { "f:app": {} } } })
    );
    pass(5).await;
    let again = cluster.apply(C, "one", yaml.into(), "200").await.body;
    assert_eq!(again, made, "the same once more is nothing");
    // What is not applied any more goes.
    let less = cluster.apply(C, "one", config(&json!({ "a": "1" })), "200").await.body;
    assert_eq!((&less["data"], &less["metadata"]["labels"]), (&json!({ "a": "1" }), &Value::Null));
    // Somebody else's field.
    let conflict = cluster.apply(C, "two", config(&json!({ "a": "2", "z": "3" })), "409 Conflict").await.body;
    assert_eq!(conflict["message"], "Apply failed with 1 conflict: conflict with \"one\": .data.a");
    let cause = json!({ "reason": "FieldManagerConflict", "message": "conflict with \"one\"", "field": ".data.a" });
    assert_eq!(conflict["details"]["causes"], json!([cause]));
    cluster.apply(C, "two", config(&json!({ "a": "1" })), "200").await;
    let mine = cluster.apply(C, "one", config(&json!({})), "200").await.body;
    assert_eq!(mine["data"], json!({ "a": "1" }), "the other still owns it");
    let forced = cluster.apply(&format!("{C}?force=true"), "three", config(&json!({ "a": "9" })), "200").await.body;
    assert_eq!(forced["data"], json!({ "a": "9" }));
    let managers: Vec<&Value> =
        forced["metadata"]["managedFields"].as_array().unwrap().iter().map(|entry| &entry["manager"]).collect();
    assert!(!managers.contains(&&json!("two")), "{managers:?}");
    // Drift by an update is a conflict with whoever made it.
    let headers = [("content-type", "application/merge-patch+json"), ("user-agent", "kubectl/v1.33")];
    cluster.check_as(&format!("PATCH {C}"), &headers, json!({ "data": { "a": "x" } }), "200").await;
    let conflict = cluster.apply(C, "three", config(&json!({ "a": "9" })), "409 Conflict").await.body;
    assert_eq!(conflict["details"]["causes"][0]["message"], "conflict with \"kubectl\" using v1");
    cluster.apply(C, "one", json!({ "apiVersion": "v1", "kind": "ConfigMap", "dta": {} }), "400 BadRequest").await;
    cluster.apply(C, "one", "a: [".into(), "400 BadRequest").await;
}

#[tokio::test(start_paused = true)]
async fn applied_lists_are_merged_by_key() {
    let cluster = Cluster::new();
    let path = "/apis/apps/v1/namespaces/default/deployments/web";
    let deployment = |containers: Value| {
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
            "spec": { "selector": { "matchLabels": { "app": "web" } }, "template": { "spec": { "containers": containers } } } })
    };
    let made = cluster.apply(path, "one", deployment(json!([{ "name": "web", "image": "a" }])), "201").await.body;
    assert_eq!(made["metadata"]["generation"], 1);
    let both = cluster.apply(path, "two", deployment(json!([{ "name": "side", "image": "b" }])), "200").await.body;
    assert_eq!(both["spec"]["template"]["spec"]["containers"].as_array().unwrap().len(), 2);
    assert_eq!(both["metadata"]["generation"], 2);
    let other = deployment(json!([{ "name": "web", "image": "c" }]));
    let conflict = cluster.apply(path, "two", other, "409 Conflict").await.body;
    assert_eq!(conflict["details"]["causes"][0]["field"], ".spec.template.spec.containers[name=\"web\"].image");
    let gone = cluster.apply(path, "two", deployment(json!([])), "200").await.body;
    assert_eq!(gone["spec"]["template"]["spec"]["containers"], json!([{ "name": "web", "image": "a" }]));
}

/// Calls put together at random from words that mean something here: whatever comes, the answer is
/// well-formed and is no 5xx.
#[tokio::test(start_paused = true)]
async fn nonsense_is_answered_with_sense() {
    let cluster = Cluster::new();
    let mut state = 7_u64;
    let mut below = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let paths = [
        "/api/v1/namespaces/default/configmaps",
        "/api/v1/namespaces/default/configmaps/c",
        "/api/v1/namespaces/default/secrets/c",
        "/api/v1/namespaces/c",
        "/api/v1/namespaces",
        "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/c",
        "/apis/apps/v1/namespaces/default/deployments/c",
        "/apis/secrets-store.csi.x-k8s.io/v1/namespaces/default/secretproviderclasses/c",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/x",
        "/",
    ];
    let queries = [
        "",
        "?fieldManager=a",
        "?fieldManager=b&force=true",
        "?dryRun=All&fieldManager=a",
        "?labelSelector=a=b",
        "?limit=1&continue=%00",
    ];
    let kinds = [
        "application/json",
        "application/apply-patch+yaml",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "x/y",
    ];
    for _ in 0..4000 {
        let path = paths[below(paths.len())];
        let (api_version, kind) = match path.split('/').collect::<Vec<_>>().as_slice() {
            [_, "api", _, "namespaces"] | [_, "api", _, "namespaces", "c"] => ("v1", "Namespace"),
            [_, "api", .., "secrets", _] => ("v1", "Secret"),
            [_, "apis", "apps", ..] => ("apps/v1", "Deployment"),
            [_, "apis", "rbac.authorization.k8s.io", ..] => ("rbac.authorization.k8s.io/v1", "RoleBinding"),
            [_, "apis", "secrets-store.csi.x-k8s.io", ..] => ("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass"),
            _ => ("v1", "ConfigMap"),
        };
        let values = [
            json!(null),
            json!("a"),
            json!(7),
            json!([]),
            json!({}),
            json!({ "a": "b" }),
            json!([{ "name": "a" }]),
            json!({ "c": { "d": null } }),
        ];
        let mut body = json!({ "apiVersion": api_version, "kind": kind });
        for name in
            ["metadata", "data", "spec", "status", "subjects", "roleRef", "secrets", "stringData", "type", "immutable"]
        {
            if below(4) == 0 {
                body[name] = values[below(values.len())].clone();
            }
        }
        if below(3) > 0 {
            body["metadata"] = json!({ "name": "c", "labels": values[below(values.len())], "finalizers": values[below(values.len())] });
        }
        if below(5) == 0 {
            body["spec"] = json!({ "template": { "spec": { "containers": values[below(values.len())] } } });
        }
        let call = format!(
            "{} {path}{}",
            ["GET", "PUT", "PATCH", "DELETE", "POST", "PATCH"][below(6)],
            queries[below(queries.len())]
        );
        let headers = [("content-type", kinds[below(kinds.len())])];
        let reply = cluster.send(&call, &headers, body.to_string().into()).await.unwrap();
        assert!(reply.status < 500, "{call} {body}\n{}", reply.text);
        assert!(!reply.body.is_null(), "{call} {body}\n{}", reply.text);
        if below(8) == 0 {
            pass(5).await;
        }
    }
}
