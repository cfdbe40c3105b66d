//! What kubectl and other clients need of an API server beside the objects: watches, tables, schemas, patches, reviews, the
//! binary form, local accounts.

use akson_emulator::Options;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::kubernetes::Cluster;
use crate::support::pass;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn version(cluster: &Cluster) -> String {
    let list = cluster.check(&format!("GET {MAPS}"), Value::Null, "200").await;
    list.body["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

/// The events of a watch up to now, as `ADDED a`.
async fn events(cluster: &Cluster, query: &str) -> Vec<String> {
    let reply = cluster.check(&format!("GET {MAPS}?watch=true&timeoutSeconds=1&{query}"), Value::Null, "200").await;
    let lines = reply.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|event| {
            let object = match event["object"]["kind"].as_str() {
                Some("Table") => &event["object"]["rows"][0]["object"],
                _ => &event["object"],
            };
            let name = object["metadata"]["name"].as_str().or(object["reason"].as_str()).unwrap_or_default();
            format!("{} {name}", event["type"].as_str().unwrap()).trim_end().to_owned()
        })
        .collect()
}

fn map(name: &str, labels: &Value) -> Value {
    json!({ "metadata": { "name": name, "labels": labels }, "data": { "a": "b" } })
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_all_that_came_after() {
    let cluster = Cluster::new();
    let start = version(&cluster).await;
    cluster.check(&format!("POST {MAPS}"), map("one", &json!({ "app": "x" })), "201").await;
    cluster.check(&format!("POST {MAPS}"), map("two", &json!({})), "201").await;
    let middle = version(&cluster).await;
    let relabelled = json!({ "metadata": { "labels": { "app": "y" } } });
    cluster.check(&format!("PATCH {MAPS}/one"), relabelled, "200").await;
    cluster.check(&format!("DELETE {MAPS}/two"), Value::Null, "200").await;
    let since = |version: &str, more: &str| format!("resourceVersion={version}{more}");
    let all = ["ADDED one", "ADDED two", "MODIFIED one", "DELETED two"];
    assert_eq!(events(&cluster, &since(&start, "")).await, all);
    assert_eq!(events(&cluster, &since(&middle, "")).await, all[2..]);
    // Who sees only some sees them come and go.
    assert_eq!(events(&cluster, &since(&start, "&labelSelector=app=x")).await, ["ADDED one", "DELETED one"]);
    assert_eq!(events(&cluster, &since(&start, "&labelSelector=app=y")).await, ["ADDED one"]);
    assert_eq!(
        events(&cluster, &since(&start, "&fieldSelector=metadata.name=two")).await,
        ["ADDED two", "DELETED two"]
    );
    // Without a version what there is comes first.
    assert_eq!(events(&cluster, "").await, ["ADDED kube-root-ca.crt", "ADDED one"]);
    let now = version(&cluster).await;
    assert_eq!(events(&cluster, &since(&now, "")).await, [""; 0]);
    assert_eq!(events(&cluster, &since(&now, "&allowWatchBookmarks=true")).await, ["BOOKMARK"]);
    let begun = events(&cluster, "resourceVersion=1").await;
    assert_eq!((begun[0].as_str(), &begun[1..]), ("ADDED kube-root-ca.crt", &all.map(str::to_owned)[..]));
    cluster.check(&format!("GET {MAPS}?watch=1&resourceVersion=x"), Value::Null, "400 BadRequest").await;
    cluster.check(&format!("GET {MAPS}?watch=1&sendInitialEvents=true"), Value::Null, "422 Invalid").await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_too_late_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        || Options { store: akson_emulator::Store::Directory(folder.path().to_owned()), ..Options::default() };
    let before = {
        let cluster = Cluster::with(&json!({}), options());
        let before = version(&cluster).await;
        cluster.check(&format!("POST {MAPS}"), map("one", &json!({})), "201").await;
        before
    };
    let cluster = Cluster::with(&json!({}), options());
    assert_eq!(events(&cluster, &format!("resourceVersion={before}")).await, ["ERROR Expired"]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_is_watched_to_its_end() {
    let cluster = Cluster::new();
    cluster.namespace("n").await;
    let list = cluster.check("GET /api/v1/namespaces", Value::Null, "200").await;
    let start = list.body["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    cluster.check("DELETE /api/v1/namespaces/n", Value::Null, "200").await;
    pass(60).await;
    let call = format!("GET /api/v1/namespaces?watch=true&fieldSelector=metadata.name=n&resourceVersion={start}");
    let reply = cluster.check(&call, Value::Null, "200").await;
    let told: Vec<&str> = reply.text.lines().map(|line| &line[..15]).collect();
    assert_eq!(told, ["{\"type\":\"MODIFI", "{\"type\":\"DELETE"], "{}", reply.text);
}

#[tokio::test(start_paused = true)]
async fn tables() {
    let cluster = Cluster::new();
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")];
    let table = cluster.check_as("GET /api/v1/namespaces/kube-system", &accept, Value::Null, "200").await.body;
    assert_eq!(table["kind"], "Table");
    let names: Vec<&str> =
        table["columnDefinitions"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Name", "Status", "Age"]);
    assert_eq!(table["rows"][0]["cells"][1], "Active");
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let whole = cluster.check_as("GET /api/v1/namespaces?includeObject=Object", &accept, Value::Null, "200").await.body;
    assert_eq!(whole["rows"][0]["object"]["spec"]["finalizers"], json!(["kubernetes"]));
}

#[tokio::test(start_paused = true)]
async fn schemas() {
    let cluster = Cluster::new();
    let index = cluster.check("GET /openapi/v3", Value::Null, "200").await.body;
    let place = index["paths"]["apis/apps/v1"]["serverRelativeURL"].as_str().unwrap().to_owned();
    let apps = cluster.check(&format!("GET {place}"), Value::Null, "200").await.body;
    let patch = &apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "Deployment");
    assert!(patch["parameters"].as_array().unwrap().iter().any(|parameter| parameter["name"] == "fieldValidation"));
    let binary = [("accept", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf")];
    cluster.check_as(&format!("GET {place}"), &binary, Value::Null, "406 NotAcceptable").await;
}

#[tokio::test(start_paused = true)]
async fn patches() {
    let cluster = Cluster::new();
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    let body = json!({ "metadata": { "name": "web" }, "spec": { "template": { "spec": {
        "containers": [{ "name": "web", "image": "i:1" }, { "name": "side", "image": "s:1" }],
    } } } });
    cluster.check(&format!("POST {deployments}"), body, "201").await;
    let change = json!({ "spec": { "template": { "spec": {
        "containers": [{ "name": "web", "image": "i:2" }, { "name": "side", "$patch": "delete" }],
    } } } });
    let strategic = [("content-type", "application/strategic-merge-patch+json")];
    let changed = cluster.check_as(&format!("PATCH {deployments}/web"), &strategic, change, "200").await.body;
    assert_eq!(changed["spec"]["template"]["spec"]["containers"], json!([{ "name": "web", "image": "i:2" }]));
    assert_eq!(changed["metadata"]["generation"], 2);
    let json_patch = [("content-type", "application/json-patch+json")];
    let operations = json!([{ "op": "replace", "path": "/spec/replicas", "value": 3 }]);
    let changed = cluster.check_as(&format!("PATCH {deployments}/web"), &json_patch, operations, "200").await.body;
    assert_eq!(changed["spec"]["replicas"], 3);
    let wrong = json!([{ "op": "remove", "path": "/spec/nothing" }]);
    cluster.check_as(&format!("PATCH {deployments}/web"), &json_patch, wrong, "422 Invalid").await;
    let class = "/apis/secrets-store.csi.x-k8s.io/v1/namespaces/default/secretproviderclasses/x";
    cluster.check_as(&format!("PATCH {class}"), &strategic, json!({}), "415 UnsupportedMediaType").await;
}

#[tokio::test(start_paused = true)]
async fn the_binary_form() {
    let cluster = Cluster::new();
    let kind = [("content-type", "application/vnd.kubernetes.protobuf")];
    let sent = cluster.send("POST /api/v1/namespaces", &kind, Bytes::from_static(b"{}")).await.unwrap();
    assert_eq!(sent.status, 415, "{}", sent.text);
    let object = [&[0x0a, 0x03, 0x0a, 0x01, b'n'][..], &[0x12, 0x00, 0x1a, 0x00]].concat();
    let types = [&[0x0a, 0x02][..], b"v1", &[0x12, 0x09], b"Namespace"].concat();
    let mut whole = b"k8s\0".to_vec();
    for (tag, part) in [(0x0a, types), (0x12, object)] {
        whole.extend([tag, u8::try_from(part.len()).unwrap()]);
        whole.extend(part);
    }
    let made = cluster.send("POST /api/v1/namespaces", &kind, Bytes::from(whole)).await.unwrap();
    assert_eq!((made.status, made.body["status"]["phase"].as_str()), (201, Some("Active")), "{}", made.text);
}

#[tokio::test(start_paused = true)]
async fn reviews() {
    let cluster = Cluster::new();
    let ask = async |spec: Value| {
        let call = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        cluster.check(call, json!({ "spec": spec }), "201").await.body["status"]["allowed"].as_bool().unwrap()
    };
    assert!(
        ask(json!({ "resourceAttributes": { "verb": "create", "resource": "pods", "namespace": "default" } })).await
    );
    assert!(ask(json!({ "nonResourceAttributes": { "verb": "get", "path": "/metrics" } })).await);
    let both = json!({ "spec": {} });
    cluster.check("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", both, "422 Invalid").await;
    let who = cluster.check("POST /apis/authentication.k8s.io/v1/selfsubjectreviews", json!({}), "201").await.body;
    assert_eq!(who["status"]["userInfo"]["uid"], cluster.emulator.identity().object_id);
    let rules = json!({ "spec": { "namespace": "default" } });
    let rules = cluster.check("POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews", rules, "201").await.body;
    assert_eq!(rules["status"]["incomplete"], true);
}

#[tokio::test(start_paused = true)]
async fn local_accounts() {
    let cluster = Cluster::new();
    let management =
        cluster.emulator.god().token(&cluster.emulator.identity().object_id, "https://management.azure.com");
    let call = format!("{}/listClusterAdminCredential?api-version=2025-08-01", cluster.id);
    let request = http::Request::post(format!("https://management.azure.com{call}"))
        .header("authorization", format!("Bearer {}", management.unwrap()))
        .body(Bytes::new())
        .unwrap();
    let answer = crate::support::read(&cluster.emulator.handle(request).await.unwrap());
    let config = STANDARD.decode(answer.body["kubeconfigs"][0]["value"].as_str().unwrap()).unwrap();
    let config = String::from_utf8(config).unwrap();
    let token = config.split("token: ").nth(1).unwrap().trim();
    let authorization = format!("Bearer {token}");
    let header = [("authorization", authorization.as_str())];
    cluster.check_as("GET /api/v1/secrets", &header, Value::Null, "200").await;
    cluster.edit(|properties| properties["disableLocalAccounts"] = true.into());
    cluster.check_as("GET /api/v1/secrets", &header, Value::Null, "401 Unauthorized").await;
}
