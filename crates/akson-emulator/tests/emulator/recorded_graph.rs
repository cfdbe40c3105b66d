//! Recorded traffic of Microsoft Graph, replayed: status, error code, property names, headers. Found and
//! skipped as in `recorded`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use akson_emulator::{Denial, Emulator, Options};
use http::Request;
use serde_json::{Value, json};

use crate::recorded::{Exchange, folder};
use crate::support::{Reply, pass, read, token};

const ROOT: &str = "https://graph.microsoft.com";

/// One recording, the world it is replayed in, and which id of ours stands for which recorded one.
struct Replay {
    emulator: Arc<Emulator>,
    name: String,
    ids: BTreeMap<String, String>,
}

/// The property names of an object, or of the first of a list.
fn names(body: &Value) -> Vec<String> {
    let item = body.get("value").and_then(|list| list.get(0));
    let fields = |value: &Value| value.as_object().map(|body| body.keys().cloned().collect()).unwrap_or_default();
    let mut names: Vec<String> = fields(body);
    names.extend::<Vec<String>>(item.map(fields).unwrap_or_default());
    names
}

impl Replay {
    fn ours(&self, text: &str) -> String {
        self.ids.iter().fold(text.to_owned(), |text, (recorded, ours)| text.replace(recorded, ours))
    }

    fn ours_json(&self, value: &Value) -> Value {
        serde_json::from_str(&self.ours(&value.to_string())).unwrap()
    }

    /// Brings the world to where the exchange presumes it.
    fn presume(&self, exchange: &Exchange) {
        let denied = exchange.status == 403;
        let everything = Denial { action: "microsoft.directory/*".to_owned(), scope: "/".to_owned() };
        let god = self.emulator.god();
        god.set_denied_actions(if denied { vec![everything] } else { Vec::new() }).unwrap();
        if exchange.status >= 300 {
            return;
        }
        let url = self.ours(&exchange.url).replace("%27", "'").replace("%23", "#").replace("%24", "$");
        let path = url.trim_start_matches(ROOT).trim_start_matches("/v1.0/");
        let body = self.ours_json(&exchange.response_body);
        let known = |id: &str| {
            god.snapshot().directory.values().any(|entry| entry["id"] == id || entry["userPrincipalName"] == id)
        };
        let seed = |kind: &str, id: &str, more: &Value| {
            if known(id) {
                return;
            }
            let mut object = if more.is_object() { more.clone() } else { json!({}) };
            object["@odata.type"] = format!("#microsoft.graph.{kind}").into();
            if id.contains('@') {
                object["userPrincipalName"] = id.into();
            } else {
                object["id"] = id.into();
            }
            self.emulator.seed(vec![object]).unwrap();
        };
        // What a list shows.
        for item in body["value"].as_array().into_iter().flatten().filter(|item| item["id"].is_string()) {
            let set = path.split(['?', '/']).next().unwrap();
            let kind = item["@odata.type"]
                .as_str()
                .map_or(set.trim_end_matches('s'), |kind| kind.trim_start_matches("#microsoft.graph."));
            if matches!(kind, "user" | "group" | "application" | "servicePrincipal") {
                seed(kind, item["id"].as_str().unwrap(), item);
            }
        }
        // What the path names.
        let mut segments = path.split('?').next().unwrap().splitn(3, '/');
        let (set, id) = (segments.next().unwrap(), segments.next());
        let (set, id) = match set.split_once("('") {
            Some((set, key)) => (set, Some(key.trim_end_matches("')"))),
            None => (set, id),
        };
        if let Some(id) = id.filter(|id| *id != "getByIds") {
            match set {
                "users" | "groups" | "applications" | "servicePrincipals" => seed(set.trim_end_matches('s'), id, &body),
                "directoryObjects" => seed("group", id, &Value::Null),
                _ => {}
            }
        }
        // What it refers to, and what stands there already.
        if let Some(referred) = self.ours_json(&exchange.request_body)["@odata.id"].as_str() {
            seed("user", referred.rsplit('/').next().unwrap(), &Value::Null);
        }
        // A service principal of an application that the recording does not show.
        if exchange.method == "POST" && path == "servicePrincipals" {
            let app = self.ours_json(&exchange.request_body)["appId"].clone();
            let there = god
                .snapshot()
                .directory
                .values()
                .any(|entry| entry["appId"] == app && entry["@odata.type"] == "#microsoft.graph.application");
            if !there {
                self.emulator
                    .seed(vec![
                        json!({ "@odata.type": "#microsoft.graph.application", "appId": app, "displayName": "a" }),
                    ])
                    .unwrap();
            }
        }
    }

    async fn send(&self, exchange: &Exchange) -> Reply {
        let token = if exchange.url.ends_with("/me") {
            // The recorded caller was a person.
            let directory = self.emulator.god().snapshot().directory;
            let person = directory.values().find(|entry| entry["userPrincipalName"] == "user@example.com").unwrap();
            self.emulator.god().token(person["id"].as_str().unwrap(), ROOT).unwrap()
        } else {
            token(&self.emulator, &format!("{ROOT}/.default")).await
        };
        let body = self.ours_json(&exchange.request_body);
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder()
            .method(exchange.method.as_str())
            .uri(self.ours(&exchange.url).replace(' ', "%20").replace('\'', "%27"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(bytes.into())
            .unwrap();
        read(&self.emulator.handle(request).await.unwrap())
    }

    /// Sends an exchange and says how the answer differs.
    async fn compare(&mut self, exchange: &Exchange) -> Option<String> {
        self.presume(exchange);
        let reply = self.send(exchange).await;
        let recorded = |name: &str| {
            let found = exchange.response_headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.and_then(|(_, value)| value.as_str()).unwrap_or_default().to_owned()
        };
        let mut expected = vec![format!("status {}", exchange.status)];
        let mut found = vec![format!("status {}", reply.status)];
        for (facts, body) in [(&mut expected, &exchange.response_body), (&mut found, &reply.body)] {
            facts.push(format!("code {}", body["error"]["code"].as_str().unwrap_or("none")));
        }
        for name in ["x-ms-resource-unit", "odata-version", "content-type"] {
            let said = recorded(name);
            if !said.is_empty() {
                expected.push(format!("{name} {said}"));
                found.push(format!("{name} {}", reply.header(name)));
            }
        }
        let place = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
        if exchange.status == 201 && !recorded("location").contains("federated") {
            expected.push(format!("location {}", place(&recorded("location"))));
            found.push(format!("location {}", place(reply.header("location"))));
        }
        // Old recordings lack what came later; nothing that was there is missing now.
        let there = names(&reply.body);
        let hidden = ["@odata.nextLink"];
        let missing: Vec<String> = names(&exchange.response_body)
            .into_iter()
            .filter(|name| !there.contains(name) && !hidden.contains(&name.as_str()))
            .filter(|_| reply.body["value"].as_array().is_none_or(|list| !list.is_empty()))
            .collect();
        if !missing.is_empty() {
            found.push(format!("missing {missing:?}"));
        }
        if exchange.status < 300 {
            for name in ["id", "appId", "keyId"] {
                if let (Some(recorded), Some(ours)) = (exchange.response_body[name].as_str(), reply.body[name].as_str())
                {
                    self.ids.insert(recorded.to_owned(), ours.to_owned());
                }
            }
        }
        // The recorder gave two users one name; a person who makes an application owns it, and here an
        // application makes it.
        let same_name = exchange.request_body["userPrincipalName"] == "aaa@foo.com" && reply.status == 400;
        let own =
            exchange.method == "DELETE" && exchange.url.contains("/applications/") && exchange.url.contains("/owners/");
        if expected == found || same_name || own {
            return None;
        }
        let call = format!("{} {}", exchange.method, exchange.url);
        Some(format!("{}: {call}\n  recorded {expected:?}\n  answered {found:?}\n  {}", self.name, reply.text))
    }
}

#[tokio::test(start_paused = true)]
async fn exchanges_with_graph() {
    let folder = folder();
    let Ok(sources) = fs::read_dir(&folder) else {
        #[allow(clippy::print_stderr, reason = "a skipped test must say so")]
        {
            eprintln!("skipped: no recordings at {}", folder.display());
        }
        return;
    };
    let mut files: Vec<PathBuf> = sources
        .filter_map(|source| fs::read_dir(source.ok()?.path()).ok())
        .flatten()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let (mut compared, mut differences) = (0, Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().filter(|line| line.contains(ROOT));
        let exchanges: Vec<Exchange> = lines
            .map(|line| serde_json::from_str::<Exchange>(line).unwrap())
            .filter(|exchange| exchange.url.starts_with(ROOT))
            .collect();
        let options = Options { directory_lag: Duration::ZERO, ..Options::default() };
        let emulator = Emulator::open(options).unwrap();
        let mut replay = Replay { emulator, name: file.display().to_string(), ids: BTreeMap::new() };
        for exchange in &exchanges {
            differences.extend(replay.compare(exchange).await);
            compared += 1;
            pass(5).await;
        }
    }
    assert!(compared > 300, "only {compared} exchanges compared");
    assert!(differences.is_empty(), "{} of {compared} differ:\n{}", differences.len(), differences.join("\n"));
}
