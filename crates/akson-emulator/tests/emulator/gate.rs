//! What holds for every call to Azure Resource Manager: token, api-version, subscription, rates, rights,
//! headers, hosts.

use akson_emulator::{Denial, Emulator, Options};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::support::{Azure, pass, read, token};

#[tokio::test(start_paused = true)]
async fn tokens() {
    let azure = Azure::new().await;
    let check = async |authorization: Option<String>, expected: &str| {
        let mut request = Request::get(azure.url("/subscriptions"));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let reply = azure.send(request.body(Bytes::new()).unwrap()).await.unwrap();
        assert_eq!(reply.outcome(), expected);
        if reply.status == 401 {
            let challenge = reply.header("www-authenticate");
            assert!(
                challenge.starts_with("Bearer authorization_uri=\"https://login.microsoftonline.com/"),
                "{challenge}"
            );
        }
    };
    let good = token(&azure.emulator, "https://management.azure.com/.default").await;
    check(None, "401 AuthenticationFailed").await;
    check(Some("Basic abc".to_owned()), "401 InvalidAuthenticationToken").await;
    check(Some("Bearer abc".to_owned()), "401 InvalidAuthenticationToken").await;
    check(Some(format!("Bearer {good}x")), "401 InvalidAuthenticationToken").await;
    check(Some(format!("Bearer {good}")), "200").await;
    let core = token(&azure.emulator, "https://management.core.windows.net//.default").await;
    check(Some(format!("Bearer {core}")), "200").await;
    let graph = token(&azure.emulator, "https://graph.microsoft.com/.default").await;
    check(Some(format!("Bearer {graph}")), "401 InvalidAuthenticationTokenAudience").await;
    let other = Emulator::open(Options { seed: 1, ..Options::default() }).unwrap();
    let foreign = token(&other, "https://management.azure.com/.default").await;
    check(Some(format!("Bearer {foreign}")), "401 InvalidAuthenticationToken").await;
    pass(3600).await;
    check(Some(format!("Bearer {good}")), "401 ExpiredAuthenticationToken").await;
}

#[tokio::test(start_paused = true)]
async fn versions_subscriptions_paths() {
    let azure = Azure::new().await;
    let check = async |path: &str, expected: &str| {
        let mut request = azure.request("GET /", &Value::Null);
        *request.uri_mut() =
            format!("https://management.azure.com{}", path.replace('~', &azure.subscription)).parse().unwrap();
        assert_eq!(azure.send(request).await.unwrap().outcome(), expected, "{path}");
    };
    check("/subscriptions", "400 MissingApiVersionParameter").await;
    check("/subscriptions?api-version=latest", "400 InvalidApiVersionParameter").await;
    check("/subscriptions?api-version=2099-01-01", "400 InvalidApiVersionParameter").await;
    check("~/providers/A.B/c?api-version=2099-01-01", "400 NoRegisteredProviderFound").await;
    check("/SUBSCRIPTIONS?API-VERSION=2026-06-01-preview", "200").await;
    check("~?api-version=2022-12-01", "200").await;
    check("~/locations?api-version=2022-12-01", "200").await;
    check("/tenants?api-version=2022-12-01", "200").await;
    check("~/providers?api-version=2022-12-01", "200").await;
    check("~/providers/microsoft.keyvault?api-version=2022-12-01", "200").await;
    check("/subscriptions/nonsense?api-version=2022-12-01", "400 InvalidSubscriptionId").await;
    check(
        "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups?api-version=2022-12-01",
        "404 SubscriptionNotFound",
    )
    .await;
    check("/?api-version=2022-12-01", "404 NotFound").await;
    check("~/nonsense/a/b?api-version=2022-12-01", "404 NotFound").await;
    check("~/resourceGroups/a%2fb?api-version=2022-12-01", "404 NotFound").await;
    let registered = azure.check("POST ~/providers/Microsoft.Network/register", Value::Null, "200").await;
    assert_eq!(registered.body["registrationState"], "Registered");
}

#[tokio::test(start_paused = true)]
async fn content() {
    let azure = Azure::new().await;
    let check = async |kind: &'static str, body: &'static str, expected: &str| {
        let mut request = azure.request("PUT ~/resourceGroups/g", &Value::Null);
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        *request.body_mut() = Bytes::from_static(body.as_bytes());
        assert_eq!(azure.send(request).await.unwrap().outcome(), expected, "{kind} {body}");
    };
    check("application/x-www-form-urlencoded", "{}", "415 UnsupportedMediaType").await;
    check("application/json", "{", "400 InvalidRequestContent").await;
    check("application/json", "", "400 InvalidRequestContent").await;
    check("Application/JSON; charset=utf-8", "{\"location\":\"westeurope\"}", "201").await;
}

#[tokio::test(start_paused = true)]
async fn usual_headers() {
    let azure = Azure::new().await;
    let mut request = azure.request("GET /subscriptions", &Value::Null);
    request.headers_mut().insert("x-ms-correlation-request-id", "mine".parse().unwrap());
    request.headers_mut().insert("x-ms-client-request-id", "theirs".parse().unwrap());
    let reply = azure.send(request).await.unwrap();
    assert_eq!(reply.header("x-ms-request-id").len(), 36);
    assert_eq!(
        (reply.header("x-ms-correlation-request-id"), reply.header("x-ms-client-request-id")),
        ("mine", "theirs")
    );
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(reply.header("date"), "Thu, 01 Jan 2026 00:00:00 GMT");
    assert_eq!(reply.header("x-ms-ratelimit-remaining-subscription-reads"), "249");
}

#[tokio::test(start_paused = true)]
async fn rates() {
    let azure = Azure::new().await;
    azure.group("g").await;
    let mut refused = None;
    for number in 0..250 {
        let reply = azure.call("PUT ~/resourceGroups/g", json!({ "location": "westeurope" })).await;
        if reply.status == 429 {
            refused = Some((number, reply));
            break;
        }
    }
    let (number, reply) = refused.unwrap();
    assert_eq!((number, reply.outcome().as_str()), (199, "429 SubscriptionRequestsThrottled"));
    assert_eq!(reply.header("retry-after"), "1");
    pass(1).await;
    azure.check("PUT ~/resourceGroups/g", json!({ "location": "westeurope" }), "200").await;

    let identity = "PUT ~/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web";
    pass(60).await;
    let mut passed = 0;
    let throttled = loop {
        let reply = azure.call(identity, json!({ "location": "westeurope" })).await;
        if reply.status == 429 {
            break reply;
        }
        passed += 1;
    };
    assert_eq!((passed, throttled.outcome().as_str(), throttled.header("retry-after")), (40, "429 429", "1"));

    // Of AKS: lists of the subscription and of a group, a cluster, operations, and all else.
    let aks = "providers/Microsoft.ContainerService";
    let cluster = &format!("GET ~/resourceGroups/g/{aks}/managedClusters/none");
    for (call, expected) in [
        (&format!("GET ~/resourceGroups/g/{aks}/managedClusters"), 60),
        (cluster, 60),
        (&format!("GET ~/resourceGroups/g/{aks}/managedClusters/other"), 60),
        (&format!("GET ~/{aks}/locations/westeurope/operations/none"), 200),
        (&format!("GET ~/resourceGroups/g/{aks}/managedClusters/none/agentPools/p"), 60),
        (&format!("DELETE ~/resourceGroups/g/{aks}/managedClusters/none"), 0),
    ] {
        let mut passed = 0;
        let throttled = loop {
            let reply = azure.call(call, Value::Null).await;
            if reply.status == 429 {
                break reply;
            }
            passed += 1;
        };
        assert_eq!((passed, throttled.outcome().as_str()), (expected, "429 Throttled"), "{call}");
        assert_eq!(throttled.header("retry-after"), "1", "{call}");
        // ARM's own bucket fills again, and the provider's do not matter to others.
        if expected > 0 && !call.contains("agentPools") {
            pass(30).await;
        }
    }
    pass(1).await;
    azure.check(cluster, Value::Null, "404 ResourceNotFound").await;

    let free = Azure::open(Options { rate_limits: false, ..Options::default() }).await;
    for _ in 0..300 {
        free.check("GET /subscriptions", Value::Null, "200").await;
    }
}

#[tokio::test(start_paused = true)]
async fn rights() {
    let azure = Azure::new().await;
    azure.group("g").await;
    azure.group("h").await;
    let deny = |action: &str, scope: &str| {
        let scope = scope.replace('~', &azure.subscription);
        azure.emulator.god().set_denied_actions(vec![Denial { action: action.to_owned(), scope }]).unwrap();
    };
    deny("*/write", "~/resourceGroups/G");
    let refused = azure.check("PUT ~/resourceGroups/g/providers/A.B/c/d", json!({}), "403 AuthorizationFailed").await;
    assert!(refused.text.contains("perform action 'A.B/c/write' over scope"), "{}", refused.text);
    assert_eq!(refused.header("x-ms-failure-cause"), "gateway");
    azure.check("PUT ~/resourceGroups/h/providers/A.B/c/d", json!({}), "201").await;
    azure.get("~/resourceGroups/g").await;
    deny("microsoft.resources/subscriptions/resourcegroups/read", "/");
    azure.check("GET ~/resourceGroups/g", Value::Null, "403 AuthorizationFailed").await;
    azure.check("GET ~/resourceGroups", Value::Null, "403 AuthorizationFailed").await;
    azure.emulator.god().set_denied_actions(Vec::new()).unwrap();
    azure.get("~/resourceGroups").await;
}

#[tokio::test(start_paused = true)]
async fn hosts() {
    let azure = Azure::new().await;
    let check = async |uri: &str, expected: &str| {
        let answer = azure.emulator.handle(Request::get(uri).body(Bytes::new()).unwrap()).await.unwrap();
        let reply = read(&answer);
        assert_eq!(reply.outcome(), expected, "{uri}");
        reply
    };
    check("https://graph.microsoft.com/v1.0/groups", "401 InvalidAuthenticationToken").await;
    let vault = check("https://a.vault.azure.net/secrets", "401 Unauthorized").await;
    assert!(vault.header("www-authenticate").contains("resource=\"https://vault.azure.net\""));
    check("https://example.com/", "404 HostNotFound").await;
    check("https://management.azure.com/_emulator/info", "401 AuthenticationFailed").await;
    let metadata = check("https://management.azure.com/metadata/endpoints?api-version=2022-09-01", "200").await;
    assert_eq!(metadata.body["resourceManager"], "https://management.azure.com");
    let local = check("http://127.0.0.1:8080/metadata/endpoints?api-version=2022-09-01", "200").await;
    assert_eq!(local.body["authentication"]["loginEndpoint"], "http://127.0.0.1:8080");
    check("http://127.0.0.1:8080/metadata/nonsense", "404 NotFound").await;
}
