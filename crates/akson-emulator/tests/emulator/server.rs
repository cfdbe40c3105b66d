//! The emulator over a real loopback socket.

use std::sync::Arc;
use std::time::Duration;

use akson_emulator::{Effect, Emulator, FaultRule, Latency, Options, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A served emulator.
struct Served {
    emulator: Arc<Emulator>,
    address: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start(options: Options) -> Served {
    let emulator = Emulator::open(options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(serve(Arc::clone(&emulator), listener, async move {
        let _ = stopped.await;
    }));
    Served { emulator, address, stop, task }
}

/// Sends one request on a connection of its own: head and body of the answer.
async fn exchange(address: &str, call: &str, headers: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = format!(
        "{call} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A reset shows as an error or as an early end.
    let _ = stream.read_to_string(&mut answer).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (head.to_owned(), body.to_owned())
}

async fn signed_in(served: &Served) -> (String, Value) {
    let (_, info) = exchange(&served.address, "GET /_emulator/info", "", "").await;
    let info: Value = serde_json::from_str(&info).unwrap();
    let text = |name: &str| info[name].as_str().unwrap().to_owned();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fmanagement.azure.com%2F.default",
        text("client_id"),
        text("client_secret")
    );
    let (head, token) =
        exchange(&served.address, &format!("POST /{}/oauth2/v2.0/token", text("tenant")), "", &form).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let token: Value = serde_json::from_str(&token).unwrap();
    let headers = format!(
        "authorization: Bearer {}\r\ncontent-type: application/json\r\n",
        token["access_token"].as_str().unwrap()
    );
    (headers, info)
}

#[tokio::test]
async fn sign_in_create_follow_and_stop() {
    // Fast enough that a deletion ends in a fraction of a second.
    let served = start(Options { time_scale: 1000.0, ..Options::default() }).await;
    let (headers, info) = signed_in(&served).await;
    assert_eq!(info["time_scale"], 1000.0);
    let group =
        format!("/subscriptions/{}/resourceGroups/g?api-version=2021-04-01", info["subscription"].as_str().unwrap());
    let (head, _) = exchange(&served.address, &format!("PUT {group}"), &headers, r#"{"location":"westeurope"}"#).await;
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    // Half a minute of the world is less than the shortest wait of those who know no time scale.
    assert!(head.contains("x-ms-retry-after-ms: 100"), "{head}");
    let (head, _) = exchange(&served.address, &format!("DELETE {group}"), &headers, "").await;
    assert!(head.starts_with("HTTP/1.1 202"), "{head}");
    assert!(head.contains("retry-after: 15") && !head.contains("x-ms-retry-after-ms"), "{head}");
    let location = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
    let path = location.strip_prefix(&format!("http://{}", served.address)).unwrap();
    loop {
        let (head, _) = exchange(&served.address, &format!("GET {path}"), &headers, "").await;
        if head.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(head.starts_with("HTTP/1.1 202"), "{head}");
        tokio::task::yield_now().await;
    }
    served.stop.send(()).unwrap();
    served.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn other_hosts_are_reached_by_their_name() {
    let served = start(Options::default()).await;
    let god = served.emulator.god();
    let who = served.emulator.identity();
    let cluster = format!(
        "/subscriptions/{}/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/web",
        who.subscription
    );
    let properties =
        json!({ "fqdn": "web.hcp.westeurope.azmk8s.io", "aadProfile": {}, "provisioningState": "Succeeded" });
    god.put_object(&cluster, json!({ "properties": properties })).unwrap();
    let get = async |host: &str, path: &str, audience: &str| {
        let mut stream = TcpStream::connect(&served.address).await.unwrap();
        let token = god.token(&who.object_id, audience).unwrap();
        let text = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer.lines().next().unwrap_or_default().to_owned()
    };
    let kubernetes = "6dae42f8-4368-4678-94ff-3960e28e3630";
    assert_eq!(get("web.hcp.westeurope.azmk8s.io:443", "/version", kubernetes).await, "HTTP/1.1 200 OK");
    assert_eq!(get("gone.hcp.westeurope.azmk8s.io:443", "/version", kubernetes).await, "", "nobody is there");
    assert_eq!(
        get("graph.microsoft.com", "/v1.0/organization", "https://graph.microsoft.com").await,
        "HTTP/1.1 200 OK"
    );
}

#[tokio::test]
async fn a_call_says_how_long_it_is() {
    let served = start(Options::default()).await;
    let send = async |call: &str, host: &str, more: &str| {
        let mut stream = TcpStream::connect(&served.address).await.unwrap();
        let text = format!("{call} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{more}\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    };
    let list = "POST /subscriptions/s/resourceGroups/g/providers/Microsoft.X/y/z/listKeys?api-version=2024-01-01";
    for host in ["management.azure.com", "management.azure.com:443", &served.address, "a.blob.core.windows.net"] {
        let answer = send(list, host, "").await;
        assert!(answer.starts_with("HTTP/1.1 411 Length Required"), "{host}: {answer}");
        assert!(answer.contains("text/html") && answer.contains("HTTP Error 411. The request must be chunked"));
    }
    for more in ["content-length: 0\r\n", "transfer-encoding: chunked\r\n\r\n0\r\n"] {
        let answer = send(list, "management.azure.com", more).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    // What is not Azure's own takes it as nothing.
    let answer = send("POST /api/v1/namespaces", "gone.hcp.westeurope.azmk8s.io:443", "").await;
    assert_eq!(answer, "", "nobody is there");
    assert!(send("POST /_emulator/nothing", &served.address, "").await.starts_with("HTTP/1.1 404"));
    let answer = send("GET /subscriptions?api-version=2022-12-01", "management.azure.com", "").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test]
async fn the_emulators_own_calls() {
    let served = start(Options::default()).await;
    let address = &served.address;
    let json_type = "content-type: application/json\r\n";
    let check = async |call: &str, headers: &str, body: &str, expected: &str| {
        let (head, body) = exchange(address, call, headers, body).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {expected}")), "{call}: {head} {body}");
        serde_json::from_str::<Value>(&body).unwrap_or(Value::Null)
    };
    let seed =
        json!([{ "id": "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/g/providers/A.B/c/d" }]);
    check("POST /_emulator/objects", "", &seed.to_string(), "415").await;
    check("POST /_emulator/objects", json_type, &seed.to_string(), "204").await;
    check("POST /_emulator/objects", json_type, "{}", "400").await;
    let world = check("GET /_emulator/world", "", "", "200").await;
    let objects = world["objects"].as_object().unwrap().keys();
    assert_eq!(objects.filter(|id| !id.contains("/roleassignments/")).count(), 2);
    let rules = json!([FaultRule::new(Effect::Reset).on_path("/subscriptions")]);
    check("POST /_emulator/faults", json_type, &rules.to_string(), "204").await;
    assert_eq!(check("GET /_emulator/faults", "", "", "200").await, rules);
    let (head, _) = exchange(address, "GET /subscriptions", "", "").await;
    assert_eq!(head, "", "the connection was reset");
    check("DELETE /_emulator/faults", "", "", "204").await;
    check("GET /subscriptions", "", "", "401").await;
    check("POST /_emulator/denied", json_type, r#"[{"action":"*","scope":"/"}]"#, "204").await;
    let log = check("GET /_emulator/requests", "", "", "200").await;
    assert_eq!(log.as_array().unwrap().len(), 2, "its own calls are not logged: {log}");
    check("DELETE /_emulator/requests", "", "", "204").await;
    check("GET /_emulator/nonsense", "", "", "404").await;
    check("POST /_emulator/faults", json_type, "[{}]", "400").await;
    check("PUT /subscriptions", "", &"x".repeat(5_000_000), "413").await;
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_its_call() {
    let latency = Latency::Fixed { seconds: 0.2 };
    let served = start(Options { latency, ..Options::default() }).await;
    let (headers, info) = signed_in(&served).await;
    let group = format!("/subscriptions/{}/resourceGroups/g", info["subscription"].as_str().unwrap());
    let body = r#"{"location":"westeurope"}"#;
    let mut stream = TcpStream::connect(&served.address).await.unwrap();
    let text = format!(
        "PUT {group}?api-version=2021-04-01 HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        served.address,
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let god = served.emulator.god();
    // Gone as soon as the call has arrived, long before it is processed.
    while !god.requests().iter().any(|record| record.method == "PUT") {
        tokio::task::yield_now().await;
    }
    drop(stream);
    let done = async {
        while god.object(&group).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), done).await.unwrap();
}
