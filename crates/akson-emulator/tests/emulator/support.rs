//! A signed-in caller for tests. Paths begin with `~` for the subscription; an `api-version` is added
//! where there is none.

use std::sync::Arc;
use std::time::Duration;

use akson_emulator::{ConnectionReset, Emulator, Options};
use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::{Value, json};

/// An emulator and a token for it.
pub(crate) struct Azure {
    pub(crate) emulator: Arc<Emulator>,
    /// `/subscriptions/{id}`.
    pub(crate) subscription: String,
    pub(crate) tenant: String,
    token: String,
}

/// An answer, its body read as JSON (null if it has none).
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `409 ScopeLocked`, or `200`.
    pub(crate) fn outcome(&self) -> String {
        // AKS and Insights put no `error` around theirs.
        let bare = self.body["code"].as_str().filter(|_| self.status >= 400);
        match self.body["error"]["code"].as_str().filter(|_| self.status >= 400).or(bare) {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }
}

impl Azure {
    pub(crate) async fn new() -> Self {
        Self::open(Options::default()).await
    }

    pub(crate) async fn open(options: Options) -> Self {
        Self::with(Emulator::open(options).unwrap()).await
    }

    pub(crate) async fn with(emulator: Arc<Emulator>) -> Self {
        let identity = emulator.identity();
        let token = token(&emulator, "https://management.azure.com/.default").await;
        Self {
            subscription: format!("/subscriptions/{}", identity.subscription),
            tenant: identity.tenant,
            emulator,
            token,
        }
    }

    /// Lets time pass, longer than a token lasts if need be; needs a paused clock.
    pub(crate) async fn pass(self, seconds: u64) -> Self {
        pass(seconds).await;
        Self::with(self.emulator).await
    }

    /// The URL that a path of tests means.
    pub(crate) fn url(&self, path: &str) -> String {
        let path = path.replace('~', &self.subscription);
        let path = if path.starts_with("http") { path } else { format!("https://management.azure.com{path}") };
        let version = if path.contains("Microsoft.ContainerService") { "2025-08-01" } else { "2023-01-31" };
        match path.split_once('?') {
            Some(_) if path.contains("api-version") => path,
            Some(_) => format!("{path}&api-version={version}"),
            None => format!("{path}?api-version={version}"),
        }
    }

    /// A request with a token and a JSON body (none if null).
    pub(crate) fn request(&self, call: &str, body: &Value) -> Request<Bytes> {
        let (method, path) = call.split_once(' ').unwrap();
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        Request::builder()
            .method(method)
            .uri(self.url(path))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(bytes.into())
            .unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Reply, ConnectionReset> {
        self.emulator.handle(request).await.map(|answer| read(&answer))
    }

    /// Sends a call such as `GET ~/resourceGroups/g`.
    pub(crate) async fn call(&self, call: &str, body: Value) -> Reply {
        self.send(self.request(call, &body)).await.unwrap()
    }

    /// Sends a call that does not borrow its arguments, for joining several.
    pub(crate) fn call_owned(&self, call: &str, body: &Value) -> impl Future<Output = Reply> + use<'_> {
        let request = self.request(call, body);
        async move { self.send(request).await.unwrap() }
    }

    /// Sends a call and compares its outcome, e.g. `201` or `409 ScopeLocked`.
    pub(crate) async fn check(&self, call: &str, body: Value, expected: &str) -> Reply {
        let reply = self.call(call, body).await;
        assert_eq!(reply.outcome(), expected, "{call}\n{}", reply.text);
        reply
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.check(&format!("GET {path}"), Value::Null, "200").await.body
    }

    /// Sends a call to a vault's own endpoint, e.g. `GET kv/secrets/a`.
    pub(crate) async fn vault(&self, call: &str, body: Value) -> Reply {
        let (method, path) = call.split_once(' ').unwrap();
        let (vault, path) = path.split_once('/').unwrap();
        let path = match path.split_once('?') {
            Some(_) => format!("{path}&api-version=7.4"),
            None => format!("{path}?api-version=7.4"),
        };
        let token = token(&self.emulator, "https://vault.azure.net/.default").await;
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder()
            .method(method)
            .uri(format!("https://{vault}.vault.azure.net/{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(bytes.into())
            .unwrap();
        self.send(request).await.unwrap()
    }

    /// Sends a call to a vault and compares its outcome, e.g. `200` or `409 Conflict ObjectIsBeingDeleted`.
    pub(crate) async fn check_vault(&self, call: &str, body: Value, expected: &str) -> Reply {
        let reply = self.vault(call, body).await;
        let inner = reply.body["error"]["innererror"]["code"].as_str().map_or_else(String::new, |it| format!(" {it}"));
        assert_eq!(format!("{}{inner}", reply.outcome()), expected, "{call}\n{}", reply.text);
        reply
    }

    /// Gives the caller a role at a scope, at once and from outside.
    pub(crate) fn grant(&self, role: &str, scope: &str) {
        let scope = scope.replace('~', &self.subscription);
        let id = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{role}");
        let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{role}");
        let holder = self.emulator.identity().object_id;
        let body = json!({ "properties": { "roleDefinitionId": role, "principalId": holder } });
        self.emulator.god().put_object(&id, body).unwrap();
    }

    /// Takes all roles from the caller.
    pub(crate) fn ungrant(&self) {
        let god = self.emulator.god();
        for id in god.ids().into_iter().filter(|id| id.contains("/roleassignments/")) {
            god.delete_object(&id).unwrap();
        }
    }

    /// Makes a resource group in westeurope.
    pub(crate) async fn group(&self, name: &str) {
        self.check(&format!("PUT ~/resourceGroups/{name}"), json!({ "location": "westeurope" }), "201").await;
    }
}

/// A token for a scope.
pub(crate) async fn token(emulator: &Emulator, scope: &str) -> String {
    let identity = emulator.identity();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope={scope}",
        identity.client_id, identity.client_secret
    );
    let request = Request::post(format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", identity.tenant))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.into())
        .unwrap();
    let reply = read(&emulator.handle(request).await.unwrap());
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body["access_token"].as_str().unwrap().to_owned()
}

pub(crate) fn read(answer: &http::Response<Bytes>) -> Reply {
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    Reply {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    }
}

/// Lets time pass without waiting; needs a paused clock.
pub(crate) async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}
