//! Microsoft Graph: groups, users, applications, service principals.

use std::sync::Arc;
use std::time::Duration;

use akson_emulator::{Denial, Emulator, Options, Store};
use http::Request;
use serde_json::{Value, json};

use crate::support::{Reply, read, token};

/// Somebody who calls Graph.
struct Graph {
    emulator: Arc<Emulator>,
    token: String,
}

impl Graph {
    async fn new() -> Self {
        Self::open(Options { directory_lag: Duration::ZERO, ..Options::default() }).await
    }

    async fn open(options: Options) -> Self {
        let emulator = Emulator::open(options).unwrap();
        let token = token(&emulator, "https://graph.microsoft.com/.default").await;
        Self { emulator, token }
    }

    async fn send(&self, call: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let (method, path) = call.split_once(' ').unwrap();
        let url = path.replace(' ', "%20").replace('\'', "%27");
        let url = if url.starts_with("https:") { url } else { format!("https://graph.microsoft.com/v1.0{url}") };
        let mut request = Request::builder().method(method).uri(url).header("content-type", "application/json");
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        read(&self.emulator.handle(request.body(bytes.into()).unwrap()).await.unwrap())
    }

    async fn check(&self, call: &str, body: Value, expected: &str) -> Reply {
        self.check_with(call, &[], body, expected).await
    }

    async fn check_with(&self, call: &str, headers: &[(&str, &str)], body: Value, expected: &str) -> Reply {
        let reply = self.send(call, headers, &body).await;
        assert_eq!(reply.outcome(), expected, "{call}\n{}", reply.text);
        reply
    }

    async fn group(&self, name: &str) -> String {
        id_of(&self.check("POST /groups", group(name), "201").await)
    }

    async fn get(&self, path: &str) -> Value {
        self.check(&format!("GET {path}"), Value::Null, "200").await.body
    }
}

fn id_of(reply: &Reply) -> String {
    reply.body["id"].as_str().unwrap().to_owned()
}

fn group(name: &str) -> Value {
    json!({ "displayName": name, "mailNickname": name, "mailEnabled": false, "securityEnabled": true })
}

fn reference(id: &str) -> Value {
    json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}") })
}

fn names(list: &Value) -> Vec<String> {
    list["value"].as_array().unwrap().iter().map(|item| item["displayName"].as_str().unwrap().to_owned()).collect()
}

const MISSING: &str = "00000000-1111-4222-8333-444444444444";

#[tokio::test(start_paused = true)]
async fn life_of_a_group() {
    let graph = Graph::new().await;
    let made = graph.check("POST /groups", group("team"), "201").await;
    let id = id_of(&made);
    assert_eq!(made.body["@odata.context"], "https://graph.microsoft.com/v1.0/$metadata#groups/$entity");
    assert_eq!((&made.body["groupTypes"], &made.body["mail"]), (&json!([]), &Value::Null));
    assert!(made.header("location").ends_with(&format!("/directoryObjects/{id}/Microsoft.DirectoryServices.Group")));
    assert_eq!(made.header("x-ms-resource-unit"), "1");
    let mut expected = made.body.clone();
    assert_eq!(graph.get(&format!("/groups/{id}")).await, expected);
    graph.check(&format!("PATCH /groups/{id}"), json!({ "description": "d" }), "204").await;
    expected["description"] = "d".into();
    assert_eq!(graph.get(&format!("/groups/{id}")).await, expected);
    graph.check(&format!("PATCH /groups/{id}"), json!({ "isAssignableToRole": true }), "400 Request_BadRequest").await;
    graph.check(&format!("PATCH /groups/{id}"), json!({ "id": "x" }), "400 Request_BadRequest").await;
    graph.check(&format!("PATCH /groups/{id}"), json!({ "nonsense": 1 }), "400 Request_BadRequest").await;
    graph.check(&format!("DELETE /groups/{id}"), Value::Null, "204").await;
    let gone = graph.check(&format!("GET /groups/{id}"), Value::Null, "404 Request_ResourceNotFound").await;
    assert!(gone.body["error"]["innerError"]["request-id"].is_string());
    graph.check(&format!("DELETE /groups/{id}"), Value::Null, "404 Request_ResourceNotFound").await;
    for missing in ["displayName", "mailEnabled", "mailNickname", "securityEnabled"] {
        let mut body = group("x");
        body.as_object_mut().unwrap().remove(missing);
        graph.check("POST /groups", body, "400 Request_BadRequest").await;
    }
}

#[tokio::test(start_paused = true)]
async fn upsert_by_unique_name() {
    let graph = Graph::new().await;
    for (set, body) in [("groups", group("team")), ("applications", json!({ "displayName": "team" }))] {
        let path = format!("/{set}(uniqueName='akson-1')");
        let prefer = [("prefer", "create-if-missing")];
        graph.check(&format!("PATCH {path}"), body.clone(), "404 Request_ResourceNotFound").await;
        let made = graph.check_with(&format!("PATCH {path}"), &prefer, body.clone(), "201").await;
        assert_eq!(made.body["uniqueName"], "akson-1");
        let change = json!({ "displayName": "other" });
        graph.check_with(&format!("PATCH {path}"), &prefer, change, "204").await;
        let found = graph.get(&path).await;
        assert_eq!((&found["id"], &found["displayName"]), (&made.body["id"], &json!("other")));
        let taken = json!({ "uniqueName": "akson-2" });
        graph.check(&format!("PATCH {path}"), taken, "400 Request_BadRequest").await;
        let mut second = body.clone();
        second["uniqueName"] = "AKSON-1".into();
        graph.check(&format!("POST /{set}"), second, "409 ObjectConflict").await;
        let list = graph.get(&format!("/{set}?$filter=uniqueName eq 'akson-1'")).await;
        assert_eq!(list["value"].as_array().unwrap().len(), 1);
    }
    // A soft-deleted application keeps its name.
    let path = "/applications(uniqueName='akson-1')";
    let id = graph.get(path).await["id"].as_str().unwrap().to_owned();
    graph.check(&format!("DELETE {path}"), Value::Null, "204").await;
    graph.check(&format!("GET {path}"), Value::Null, "404 Request_ResourceNotFound").await;
    let prefer = [("prefer", "create-if-missing")];
    let body = json!({ "displayName": "team" });
    graph.check_with(&format!("PATCH {path}"), &prefer, body.clone(), "409 ObjectConflict").await;
    graph.check(&format!("DELETE /directory/deletedItems/{id}"), Value::Null, "204").await;
    graph.check_with(&format!("PATCH {path}"), &prefer, body, "201").await;
}

#[tokio::test(start_paused = true)]
async fn members_and_owners() {
    let graph = Graph::new().await;
    let (outer, inner) = (graph.group("outer").await, graph.group("inner").await);
    let me = graph.emulator.identity().object_id;
    let members = format!("/groups/{outer}/members");
    graph.check(&format!("POST {members}/$ref"), reference(&inner), "204").await;
    let twice = graph.check(&format!("POST {members}/$ref"), reference(&inner), "400 Request_BadRequest").await;
    assert!(
        twice.body["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("One or more added object references already exist")
    );
    graph.check(&format!("POST {members}/$ref"), reference(MISSING), "404 Request_ResourceNotFound").await;
    graph.check(&format!("POST {members}/$ref"), reference(&outer), "400 Request_BadRequest").await;
    graph.check(&format!("POST {members}/$ref"), json!({ "@odata.id": "nonsense" }), "400 Request_BadRequest").await;
    graph.check(&format!("POST /groups/{inner}/members/$ref"), reference(&me), "204").await;
    let user = json!({ "@odata.id": "https://graph.microsoft.com/v1.0/users('user@example.com')" });
    graph.check(&format!("POST /groups/{inner}/members/$ref"), user, "204").await;
    let listed = graph.get(&members).await;
    assert_eq!(names(&listed), ["inner"]);
    assert_eq!(listed["value"][0]["@odata.type"], "#microsoft.graph.group");
    assert_eq!(
        names(&graph.get(&format!("/groups/{outer}/transitiveMembers")).await),
        ["inner", "akson-emulator", "Emulated user"]
    );
    assert_eq!(
        names(&graph.get(&format!("/groups/{outer}/transitiveMembers/microsoft.graph.user")).await),
        ["Emulated user"]
    );
    assert_eq!(names(&graph.get("/users/user@example.com/memberOf").await), ["inner"]);
    let ids = json!({ "groupIds": [outer, inner, MISSING] });
    let check = format!("POST /directoryObjects/{me}/checkMemberGroups");
    let mut found = graph.check(&check, ids, "200").await.body["value"].as_array().unwrap().clone();
    found.sort_by_key(Value::to_string);
    let mut both = vec![json!(outer), json!(inner)];
    both.sort_by_key(Value::to_string);
    assert_eq!(found, both);
    graph.check(&format!("DELETE {members}/{inner}/$ref"), Value::Null, "204").await;
    graph.check(&format!("DELETE {members}/{inner}/$ref"), Value::Null, "404 Request_ResourceNotFound").await;
    let bind = json!({ "members@odata.bind": [format!("https://graph.microsoft.com/v1.0/directoryObjects/{inner}")] });
    graph.check(&format!("PATCH /groups/{outer}"), bind, "204").await;
    // Without `$ref` the member itself goes.
    graph.check(&format!("DELETE {members}/{inner}"), Value::Null, "204").await;
    graph.check(&format!("GET /groups/{inner}"), Value::Null, "404 Request_ResourceNotFound").await;
    assert!(names(&graph.get(&members).await).is_empty());
    let owners = format!("/groups/{outer}/owners");
    graph.check(&format!("POST {owners}/$ref"), reference(&me), "204").await;
    graph.check(&format!("DELETE {owners}/{me}/$ref"), Value::Null, "400 Request_BadRequest").await;
}

#[tokio::test(start_paused = true)]
async fn filters_and_pages() {
    let graph = Graph::new().await;
    let mut ids = Vec::new();
    for at in 0..5 {
        ids.push(graph.group(&format!("g{at}")).await);
    }
    ids.sort();
    assert_eq!(names(&graph.get("/groups?$filter=displayName eq 'G3'").await), ["g3"]);
    assert_eq!(names(&graph.get("/groups?$filter=mailNickname eq 'g1' and securityEnabled eq true").await), ["g1"]);
    let some = graph.get(&format!("/groups?$filter=id in ('{}','{MISSING}')&$select=id", ids[0])).await;
    assert_eq!(some["value"], json!([{ "id": ids[0] }]));
    assert_eq!(some["@odata.context"], "https://graph.microsoft.com/v1.0/$metadata#groups(id)");
    let mut seen = Vec::new();
    let mut next = "/groups?$top=2".to_owned();
    loop {
        let page = graph.get(&next).await;
        seen.extend(page["value"].as_array().unwrap().iter().map(|group| group["id"].as_str().unwrap().to_owned()));
        match page["@odata.nextLink"].as_str() {
            Some(link) => next = link.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    let eventual = [("consistencylevel", "eventual")];
    let counted = graph.check_with("GET /groups?$count=true&$top=1", &eventual, Value::Null, "200").await;
    assert_eq!(counted.body["@odata.count"], 5);
    assert_eq!(graph.check_with("GET /groups/$count", &eventual, Value::Null, "200").await.text, "5");
    graph.check("GET /groups/$count", Value::Null, "400 Request_BadRequest").await;
    graph.check("GET /groups?$top=1000", Value::Null, "400 Request_UnsupportedQuery").await;
    graph.check("GET /groups?$filter=displayName ne 'a'", Value::Null, "400 Request_UnsupportedQuery").await;
    graph.check("GET /groups?$filter=nonsense eq 'a'", Value::Null, "400 BadRequest").await;
    graph.check("GET /groups?$orderby=displayName", Value::Null, "400 Request_UnsupportedQuery").await;
    graph.check("GET /nonsense", Value::Null, "400 BadRequest").await;
    graph.check("PUT /groups", json!({}), "405 Request_BadRequest").await;
}

#[tokio::test(start_paused = true)]
async fn applications_sign_in() {
    let graph = Graph::new().await;
    let made = graph.check("POST /applications", json!({ "displayName": "ci" }), "201").await;
    assert_eq!(made.body["signInAudience"], "AzureADandPersonalMicrosoftAccount");
    let (id, app_id) = (id_of(&made), made.body["appId"].as_str().unwrap().to_owned());
    let added = graph.check(&format!("POST /applications/{id}/addPassword"), json!({}), "200").await;
    let secret = added.body["secretText"].as_str().unwrap().to_owned();
    let shown = graph.get(&format!("/applications/{id}")).await;
    assert_eq!(shown["passwordCredentials"][0]["secretText"], Value::Null);
    let tenant = graph.emulator.identity().tenant;
    let sign_in = async |more: &str| {
        let form = format!(
            "grant_type=client_credentials&client_id={app_id}&scope=https://management.azure.com/.default&{more}"
        );
        let url = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
        let reply = read(&graph.emulator.handle(Request::post(url).body(form.into()).unwrap()).await.unwrap());
        (reply.status, reply.body["error_codes"][0].as_u64().unwrap_or(0))
    };
    let with_secret = format!("client_secret={secret}");
    assert_eq!(sign_in(&with_secret).await, (401, 7_000_229), "it has no service principal yet");
    let principal = graph.check("POST /servicePrincipals", json!({ "appId": app_id }), "201").await;
    graph
        .check("POST /servicePrincipals", json!({ "appId": app_id }), "409 Request_MultipleObjectsWithSameKeyValue")
        .await;
    graph.check("POST /servicePrincipals", json!({ "appId": MISSING }), "400 Request_BadRequest").await;
    assert_eq!(sign_in(&with_secret).await, (200, 0));
    assert_eq!(sign_in("client_secret=x").await, (401, 7_000_215));
    let filter = format!("/servicePrincipals?$filter=servicePrincipalNames/any(x:x eq '{app_id}')");
    assert_eq!(graph.get(&filter).await["value"][0]["id"], principal.body["id"]);
    // A federated credential.
    let credentials = format!("/applications/{id}/federatedIdentityCredentials");
    let trust =
        json!({ "name": "main", "issuer": "https://i", "subject": "s", "audiences": ["api://AzureADTokenExchange"] });
    graph.check(&format!("POST {credentials}"), trust.clone(), "201").await;
    graph.check(&format!("POST {credentials}"), trust, "409 Request_MultipleObjectsWithSameKeyValue").await;
    assert_eq!(graph.get(&format!("{credentials}/main")).await["subject"], "s");
    let claims = |issuer: &str, subject: &str, audience: &str| json!({ "iss": issuer, "sub": subject, "aud": audience, "exp": 4_000_000_000_u64 });
    let ours = "api://AzureADTokenExchange";
    assert_eq!(sign_in(&assertion(&claims("https://i", "s", ours))).await, (200, 0));
    assert_eq!(sign_in(&assertion(&claims("https://i/", "s", ours))).await, (401, 700_211));
    assert_eq!(sign_in(&assertion(&claims("https://i", "t", ours))).await, (401, 700_213));
    assert_eq!(sign_in(&assertion(&claims("https://i", "s", "x"))).await, (401, 700_212));
    assert_eq!(sign_in(&assertion(&json!({ "iss": "https://i", "exp": 5 }))).await, (401, 700_024));
    graph.check(&format!("PATCH {credentials}/main"), json!({ "subject": "t" }), "204").await;
    assert_eq!(sign_in(&assertion(&claims("https://i", "t", ours))).await, (200, 0));
    // The application and its principal go and come back together.
    graph.check(&format!("DELETE /applications/{id}"), Value::Null, "204").await;
    let principal = format!("/servicePrincipals/{}", principal.body["id"].as_str().unwrap());
    graph.check(&format!("GET {principal}"), Value::Null, "404 Request_ResourceNotFound").await;
    assert_eq!(sign_in(&with_secret).await, (400, 700_016));
    assert_eq!(names(&graph.get("/directory/deletedItems/microsoft.graph.application").await), ["ci"]);
    graph.check(&format!("POST /directory/deletedItems/{id}/restore"), Value::Null, "200").await;
    graph.get(&principal).await;
    assert_eq!(sign_in(&with_secret).await, (200, 0));
    let key = json!({ "keyId": added.body["keyId"] });
    graph.check(&format!("POST /applications/{id}/removePassword"), key, "204").await;
    assert_eq!(sign_in(&with_secret).await, (401, 7_000_215));
}

fn assertion(claims: &Value) -> String {
    use base64::Engine;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!(
        "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={}.{}.x",
        encode("{}"),
        encode(&claims.to_string())
    )
}

#[tokio::test(start_paused = true)]
async fn managed_identities_are_principals() {
    let graph = Graph::new().await;
    let who = graph.emulator.identity();
    let identity = format!(
        "/subscriptions/{}/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web",
        who.subscription
    );
    let god = graph.emulator.god();
    god.put_object(&identity, json!({})).unwrap();
    let trust =
        json!({ "properties": { "issuer": "https://i", "subject": "system:serviceaccount:n:s", "audiences": ["a"] } });
    god.put_object(&format!("{identity}/federatedIdentityCredentials/main"), trust).unwrap();
    let object = god.object(&identity).unwrap();
    let (principal, client) =
        (object["properties"]["principalId"].as_str().unwrap(), object["properties"]["clientId"].as_str().unwrap());
    let shown = graph.get(&format!("/servicePrincipals/{principal}")).await;
    assert_eq!((&shown["servicePrincipalType"], &shown["appId"]), (&json!("ManagedIdentity"), &json!(client)));
    assert_eq!(names(&graph.get(&format!("/servicePrincipals?$filter=appId eq '{client}'")).await), ["web"]);
    let found = graph
        .check(
            "POST /directoryObjects/getByIds",
            json!({ "ids": [principal, MISSING], "types": ["servicePrincipal"] }),
            "200",
        )
        .await;
    assert_eq!(names(&found.body), ["web"]);
    let group = graph.group("team").await;
    graph.check(&format!("POST /groups/{group}/members/$ref"), reference(principal), "204").await;
    graph
        .check(&format!("DELETE /servicePrincipals/{principal}"), Value::Null, "403 Authorization_RequestDenied")
        .await;
    let form = format!(
        "grant_type=client_credentials&client_id={client}&scope=https://vault.azure.net/.default&{}",
        assertion(
            &json!({ "iss": "https://i", "sub": "system:serviceaccount:n:s", "aud": ["a"], "exp": 4_000_000_000_u64 })
        )
    );
    let url = format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", who.tenant);
    let reply = read(&graph.emulator.handle(Request::post(url).body(form.into()).unwrap()).await.unwrap());
    assert_eq!(reply.status, 200, "{}", reply.text);
    god.delete_object(&identity).unwrap();
    graph.check(&format!("GET /servicePrincipals/{principal}"), Value::Null, "404 Request_ResourceNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn who_may_what() {
    let graph = Graph::new().await;
    graph.check_with("GET /groups", &[("authorization", "")], Value::Null, "401 InvalidAuthenticationToken").await;
    let me = graph.check("GET /me", Value::Null, "400 BadRequest").await;
    assert!(me.body["error"]["message"].as_str().unwrap().contains("delegated"));
    let person = graph.get("/users/user@example.com").await["id"].as_str().unwrap().to_owned();
    let god = graph.emulator.god();
    let header = format!("Bearer {}", god.token(&person, "https://graph.microsoft.com").unwrap());
    let me = graph.check_with("GET /me", &[("authorization", &header)], Value::Null, "200").await;
    assert_eq!(me.body["userPrincipalName"], "user@example.com");
    let own = json!({ "displayName": "own" });
    let made = graph.check_with("POST /applications", &[("authorization", &header)], own, "201").await;
    assert_eq!(names(&graph.get(&format!("/applications/{}/owners", id_of(&made))).await), ["Emulated user"]);
    assert_eq!(graph.get("/organization").await["value"][0]["id"], graph.emulator.identity().tenant.as_str());
    let user = json!({ "accountEnabled": true, "displayName": "Ann", "mailNickname": "ann", "userPrincipalName": "ann@example.com", "passwordProfile": { "password": "x" } });
    let ann = id_of(&graph.check("POST /users", user.clone(), "201").await);
    graph.check("POST /users", user, "400 Request_BadRequest").await;
    let header = format!("Bearer {}", god.token(&ann, "https://graph.microsoft.com").unwrap());
    graph.check_with("GET /groups", &[("authorization", &header)], Value::Null, "200").await;
    graph
        .check_with("POST /groups", &[("authorization", &header)], group("x"), "403 Authorization_RequestDenied")
        .await;
    let team = graph.group("team").await;
    let deny = |action: &str| {
        god.set_denied_actions(vec![Denial { action: action.to_owned(), scope: "/".to_owned() }]).unwrap();
    };
    let member = format!("POST /groups/{team}/members/$ref");
    deny("microsoft.directory/groups/create");
    graph.check("POST /groups", group("x"), "403 Authorization_RequestDenied").await;
    graph.check(&member, reference(&ann), "204").await;
    deny("microsoft.directory/groups/members/update");
    graph.check(&member, reference(&person), "403 Authorization_RequestDenied").await;
    deny("microsoft.directory/applications/*");
    graph.check("POST /applications", json!({ "displayName": "a" }), "403 Authorization_RequestDenied").await;
    graph.check(&format!("DELETE /groups/{team}"), Value::Null, "204").await;
    deny("microsoft.directory/*");
    graph.check("GET /groups", Value::Null, "403 Authorization_RequestDenied").await;
}

#[tokio::test(start_paused = true)]
async fn batches() {
    let graph = Graph::new().await;
    let team = graph.group("team").await;
    let header = json!({ "Content-Type": "application/json" });
    let batch = json!({ "requests": [
        { "id": "1", "method": "GET", "url": format!("/groups/{team}") },
        { "id": "2", "method": "POST", "url": "/groups", "headers": header, "body": group("new") },
        { "id": "3", "method": "GET", "url": format!("/groups/{MISSING}") },
        { "id": "4", "method": "GET", "url": "/groups?$filter=displayName eq 'new'", "dependsOn": ["2"] },
        { "id": "5", "method": "DELETE", "url": format!("/groups/{team}"), "dependsOn": ["3"] },
    ]});
    let reply = graph.check("POST /$batch", batch, "200").await;
    let of =
        |id: &str| reply.body["responses"].as_array().unwrap().iter().find(|response| response["id"] == id).unwrap();
    let statuses: Vec<u64> = ["1", "2", "3", "4", "5"].iter().map(|id| of(id)["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 201, 404, 200, 424]);
    assert_eq!(names(&of("4")["body"]), ["new"]);
    let many: Vec<Value> =
        (0..21).map(|at| json!({ "id": at.to_string(), "method": "GET", "url": "/groups" })).collect();
    graph.check("POST /$batch", json!({ "requests": many }), "400 BadRequest").await;
    graph.check("POST /$batch", json!({ "requests": many[..20] }), "200").await;
    let wrong = |item: Value| json!({ "requests": [item] });
    graph
        .check(
            "POST /$batch",
            wrong(json!({ "id": "1", "method": "POST", "url": "/groups", "body": {} })),
            "400 BadRequest",
        )
        .await;
    graph
        .check(
            "POST /$batch",
            wrong(json!({ "id": "1", "method": "GET", "url": "/groups", "dependsOn": ["1"] })),
            "400 BadRequest",
        )
        .await;
    graph
        .check("POST /$batch", wrong(json!({ "id": "1", "method": "POST", "url": "/$batch" })), "400 BadRequest")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_new_object_is_not_everywhere_at_once() {
    let graph = Graph::open(Options { directory_lag: Duration::from_secs(20), ..Options::default() }).await;
    let id = graph.group("team").await;
    let mut outcomes = std::collections::BTreeSet::new();
    let mut lengths = std::collections::BTreeSet::new();
    for _ in 0..40 {
        outcomes.insert(graph.send(&format!("GET /groups/{id}"), &[], &Value::Null).await.outcome());
        lengths.insert(names(&graph.get("/groups").await).len());
    }
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), ["200", "404 Request_ResourceNotFound"]);
    assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [0, 1]);
    crate::support::pass(20).await;
    for _ in 0..40 {
        graph.get(&format!("/groups/{id}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn seeded_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        directory_lag: Duration::ZERO,
        store: Store::Directory(folder.path().to_owned()),
        ..Options::default()
    };
    let graph = Graph::open(options()).await;
    let seed = json!([
        { "displayName": "ops", "securityEnabled": true, "members": ["bob@example.com", MISSING, "user@example.com"] },
        { "@odata.type": "#microsoft.graph.user", "id": MISSING, "userPrincipalName": "ann@example.com" },
        { "appId": "33333333-3333-4333-8333-333333333333", "displayName": "app", "identifierUris": [] },
    ]);
    graph.emulator.seed(seed.as_array().unwrap().clone()).unwrap();
    let ops = graph.get("/groups?$filter=displayName eq 'ops'").await["value"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(names(&graph.get(&format!("/groups/{ops}/members")).await), ["bob", "ann", "Emulated user"]);
    graph.get("/applications(appId='33333333-3333-4333-8333-333333333333')").await;
    let before = graph.emulator.god().snapshot().directory;
    drop(graph);
    let graph = Graph::open(options()).await;
    assert_eq!(graph.emulator.god().snapshot().directory, before);
    // A world of before there was a directory.
    drop(graph);
    let path = folder.path().join("world.json");
    let mut world: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for name in ["directory", "kube_clusters", "kube_objects"] {
        world["world"].as_object_mut().unwrap().remove(name).unwrap();
    }
    world["format"] = json!(1);
    std::fs::write(&path, world.to_string()).unwrap();
    let _ = std::fs::remove_file(folder.path().join("world.journal"));
    let graph = Graph::open(options()).await;
    assert_eq!(names(&graph.get("/users").await), ["Emulated user"]);
}
