//! Recorded traffic with the endpoints of vaults, replayed: status, codes, the fields of each body and the
//! spelling of ids. Backups, keys and certificates are not compared.

use std::sync::Arc;

use akson_emulator::Options;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::recorded::{Exchange, recordings};
use crate::support::{Azure, Reply, pass};

/// Vault, path below it, whether it is of secrets that somebody set.
fn parts(exchange: &Exchange) -> Option<(String, String)> {
    let rest = exchange.url.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    let vault = host.strip_suffix(".vault.azure.net")?;
    let bare = path.split('?').next().unwrap_or_default();
    let mut words = bare.split('/');
    let known = matches!(words.next(), Some("secrets" | "deletedsecrets"));
    let spared = bare.ends_with("/backup") || bare.ends_with("/restore") || exchange.response_body["managed"] == true;
    (known && !spared).then(|| (vault.to_owned(), path.to_owned()))
}

/// The names of all fields, deep, and the texts that do not depend on the moment.
fn shape(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect("", body, &mut found);
    found.sort();
    found.dedup();
    found
}

fn collect(at: &str, body: &Value, found: &mut Vec<String>) {
    match body {
        Value::Object(fields) => {
            for (name, value) in fields {
                collect(&format!("{at}/{name}"), value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(&format!("{at}/*"), item, found)),
        Value::String(text) if at.ends_with("/recoveryLevel") || at.ends_with("/code") => {
            found.push(format!("{at} {text}"));
        }
        Value::String(text) if at.ends_with("/id") => {
            let words: Vec<&str> = text.split('/').collect();
            found.push(format!("{at} {} segments", words.len()));
        }
        Value::Null => found.push(format!("{at} null")),
        _ => found.push(at.to_owned()),
    }
}

/// Sends an exchange; versions are drawn, so those of the recording are replaced by ours.
async fn send(azure: &Azure, exchange: &Exchange, vault: &str, path: &str, ours: &[(String, String)]) -> Reply {
    if exchange.status == 401 {
        let request = Request::builder().method(exchange.method.as_str()).uri(exchange.url.as_str());
        return azure.send(request.body(Bytes::new()).unwrap()).await.unwrap();
    }
    let path = ours.iter().fold(path.to_owned(), |path, (recorded, mine)| path.replace(recorded, mine));
    let path = path.replace("?api-version=7.4&", "?").replace("?api-version=7.4", "").replace("&api-version=7.4", "");
    azure.vault(&format!("{} {vault}/{path}", exchange.method), exchange.request_body.clone()).await
}

#[tokio::test(start_paused = true)]
async fn exchanges_with_vaults() {
    let Some(recordings) = recordings() else { return };
    let mut compared = 0;
    let mut differences = Vec::new();
    for (name, exchanges) in recordings {
        let mut azure = Azure::open(Options { rate_limits: false, ..Options::default() }).await;
        let mut versions: Vec<(String, String)> = Vec::new();
        for exchange in &exchanges {
            let Some((vault, path)) = parts(exchange) else { continue };
            // Their tokens are opaque; following ours is another test.
            if path.contains("$skiptoken") || name.contains("certificate") {
                continue;
            }
            presume(&azure, exchange, &vault, &path).await;
            let reply = send(&azure, exchange, &vault, &path, &versions).await;
            compared += 1;
            versions.extend(version_of(&exchange.response_body).zip(version_of(&reply.body)));
            let mut expected = shape(&exchange.response_body);
            let mut found = shape(&reply.body);
            if exchange.method == "GET" && exchange.response_body["value"].is_array() {
                // What is in a list depends on what else was done; that it is one does not.
                expected.retain(|fact| fact.starts_with("/nextLink"));
                found.retain(|fact| fact.starts_with("/nextLink"));
            }
            if (exchange.status, &expected) != (reply.status, &found) {
                differences.push(format!(
                    "{name}: {} {}\n  recorded {} {expected:?}\n  answered {} {found:?}",
                    exchange.method, exchange.url, exchange.status, reply.status
                ));
            }
            pass(60).await;
            azure = Azure::with(Arc::clone(&azure.emulator)).await;
        }
    }
    assert!(compared > 30, "only {compared} exchanges compared");
    assert!(differences.is_empty(), "{} of {compared} differ:\n{}", differences.len(), differences.join("\n"));
}

/// Brings the vault to where the exchange presumes it.
async fn presume(azure: &Azure, exchange: &Exchange, vault: &str, path: &str) {
    let id = format!("{}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/{vault}", azure.subscription);
    let god = azure.emulator.god();
    if god.object(&id).is_none() {
        let properties = json!({ "enableRbacAuthorization": true, "softDeleteRetentionInDays": 7 });
        god.put_object(&id, json!({ "properties": properties })).unwrap();
    }
    let mut words = path.split('?').next().unwrap_or_default().split('/').filter(|word| !word.is_empty());
    let (Some(kind), Some(secret)) = (words.next(), words.next()) else { return };
    let live = azure.vault(&format!("GET {vault}/secrets/{secret}/versions"), Value::Null).await.status == 200;
    let wanted = exchange.status < 300 && exchange.method != "PUT";
    if kind == "secrets" && wanted && !live {
        azure.check_vault(&format!("PUT {vault}/secrets/{secret}"), exchange_body(exchange), "200").await;
    }
}

/// The version at the end of an id.
fn version_of(body: &Value) -> Option<String> {
    let version = body["id"].as_str()?.rsplit('/').next()?;
    (version.len() == 32).then(|| version.to_owned())
}

/// A write that leaves what a recorded answer shows.
fn exchange_body(exchange: &Exchange) -> Value {
    let body = &exchange.response_body;
    let body = body["value"].as_array().and_then(|items| items.last()).unwrap_or(body);
    let mut written = json!({ "value": "x" });
    for name in ["tags", "contentType"] {
        if !body[name].is_null() {
            written[name] = body[name].clone();
        }
    }
    written
}
