//! What applications and service principals sign in with: passwords, and federated credentials.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::errors::{self, GraphError, Outcome};
use super::shape::{self, Body};
use super::{Ask, Call, show};
use crate::clock::WorldTime;
use crate::reply::{self, WithHeader};
use crate::world::{AppSecret, DirectoryEntry, DirectoryKind};

/// A password is good for two years if nothing else is said.
const USUAL_LIFE: Duration = Duration::from_secs(2 * 365 * 24 * 3600);

/// No more federated credentials in one application.
const MOST: usize = 20;

/// `POST .../addPassword`: the one time that the password is shown.
pub(super) fn add_password(call: &mut Call<'_>, ask: &Ask, entry: &DirectoryEntry) -> Outcome {
    ask.allowed(call, &format!("microsoft.directory/{}/credentials/update", shape::set(entry.kind)))?;
    let asked = ask.body(call)?;
    let given = asked.get("passwordCredential").cloned().unwrap_or_else(|| json!({}));
    let starts = moment(&given, "startDateTime")?.unwrap_or(call.now);
    let ends = moment(&given, "endDateTime")?.unwrap_or_else(|| starts.plus(USUAL_LIFE));
    if ends <= starts {
        return Err(errors::bad("Credential lifetime is invalid: the end date is before the start date."));
    }
    let world = &mut call.state.world;
    let (key_id, secret) = (world.dice.guid(), format!("emu8Q~{}", world.dice.hex(2)));
    let name = given.get("displayName").cloned().unwrap_or_default();
    let mut shown = json!({
        "customKeyIdentifier": null,
        "displayName": name,
        "endDateTime": ends.to_seconds(),
        "hint": secret.get(..3),
        "keyId": key_id,
        "secretText": null,
        "startDateTime": starts.to_seconds(),
    });
    let id = entry.text("id").to_owned();
    let stored = world.directory.edit(&id, |entry| {
        let list = entry.body.entry("passwordCredentials").or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(shown.clone());
        }
        entry.secrets.push(AppSecret { key_id: key_id.clone(), text: secret.clone(), ends });
    });
    stored.ok_or_else(errors::denied)?;
    shown["secretText"] = secret.into();
    let context = format!("{}/$metadata#microsoft.graph.passwordCredential", ask.root);
    let Value::Object(shown) = shown else { return Err(errors::denied()) };
    Ok(reply::json(StatusCode::OK, &show::with_context(context, shown)))
}

fn moment(given: &Value, name: &str) -> Outcome<Option<WorldTime>> {
    match given.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let parsed = value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
            let parsed = parsed.map(|moment| WorldTime(moment.as_millisecond()));
            parsed.map(Some).ok_or_else(|| errors::bad(format!("Invalid value specified for property '{name}'.")))
        }
    }
}

/// `POST .../removePassword`.
pub(super) fn remove_password(call: &mut Call<'_>, ask: &Ask, entry: &DirectoryEntry) -> Outcome {
    ask.allowed(call, &format!("microsoft.directory/{}/credentials/update", shape::set(entry.kind)))?;
    let asked = ask.body(call)?;
    let key_id = asked.get("keyId").and_then(Value::as_str).unwrap_or_default();
    if !entry.secrets.iter().any(|secret| secret.key_id == key_id) {
        return Err(errors::bad("No password credential found with keyId."));
    }
    let id = entry.text("id").to_owned();
    call.state.world.directory.edit(&id, |entry| {
        entry.secrets.retain(|secret| secret.key_id != key_id);
        if let Some(Value::Array(list)) = entry.body.get_mut("passwordCredentials") {
            list.retain(|shown| shown.get("keyId").and_then(Value::as_str) != Some(key_id));
        }
    });
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

fn text<'a>(body: &'a Body, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// `/applications/{id}/federatedIdentityCredentials/...`.
pub(super) fn federated(call: &mut Call<'_>, ask: &Ask, entry: &DirectoryEntry, rest: &[&str]) -> Outcome {
    if entry.kind != DirectoryKind::Application {
        return Err(errors::no_segment("federatedIdentityCredentials"));
    }
    let id = entry.text("id").to_owned();
    let context = format!("{}/$metadata#applications('{id}')/federatedIdentityCredentials", ask.root);
    let verb = if call.visit.method == http::Method::GET { "standard/read" } else { "credentials/update" };
    ask.allowed(call, &format!("microsoft.directory/applications/{verb}"))?;
    let find = |key: &str| {
        let fits =
            |credential: &Body| text(credential, "id").eq_ignore_ascii_case(key) || text(credential, "name") == key;
        entry.credentials.iter().position(fits)
    };
    match (call.visit.method.as_str(), rest) {
        ("GET", []) => {
            Ok(reply::json(StatusCode::OK, &json!({ "@odata.context": context, "value": entry.credentials })))
        }
        ("GET", [key]) => {
            let found = find(key).and_then(|at| entry.credentials.get(at)).ok_or_else(|| errors::not_found(key))?;
            Ok(reply::json(StatusCode::OK, &show::with_context(format!("{context}/$entity"), found.clone())))
        }
        ("POST", []) => {
            let asked = ask.body(call)?;
            add(call, &context, entry, &asked)
        }
        ("PATCH", [key]) => {
            let asked = ask.body(call)?;
            match find(key) {
                Some(at) => change(call, entry, at, asked),
                None if call.visit.header("prefer").is_some_and(|value| value.contains("create-if-missing")) => {
                    let mut asked = asked;
                    asked.entry("name").or_insert_with(|| (*key).into());
                    add(call, &context, entry, &asked)
                }
                None => Err(errors::not_found(key)),
            }
        }
        ("DELETE", [key]) => {
            let at = find(key).ok_or_else(|| errors::not_found(key))?;
            call.state.world.directory.edit(&id, |entry| entry.credentials.remove(at));
            Ok(reply::empty(StatusCode::NO_CONTENT))
        }
        (_, [] | [_]) => Err(errors::method_not_allowed()),
        (_, [_, other, ..]) => Err(errors::no_segment(other)),
    }
}

/// Documented: the name is for good, one audience, issuer and subject are unique in an application.
fn check(entry: &DirectoryEntry, own: Option<usize>, credential: &Body) -> Outcome<()> {
    for name in ["name", "issuer", "subject"] {
        if text(credential, name).is_empty() {
            return Err(errors::required(name, "FederatedIdentityCredential"));
        }
    }
    let name = text(credential, "name");
    let fits = (3..=120).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !fits {
        return Err(errors::bad("FederatedIdentityCredential name is invalid."));
    }
    let audiences = credential.get("audiences").and_then(Value::as_array);
    if audiences.is_none_or(|list| list.len() != 1 || !list.iter().all(Value::is_string)) {
        return Err(errors::bad("FederatedIdentityCredential must have exactly one audience."));
    }
    for (at, other) in entry.credentials.iter().enumerate().filter(|(at, _)| Some(*at) != own) {
        let same = |name: &str| text(other, name) == text(credential, name);
        if same("name") {
            return Err(GraphError::new(
                StatusCode::CONFLICT,
                "Request_MultipleObjectsWithSameKeyValue",
                format!("FederatedIdentityCredential with name {name} already exists."),
            ));
        }
        if same("issuer") && same("subject") {
            return Err(errors::bad(format!(
                "FederatedIdentityCredential with issuer and subject combination already exists ({}).",
                at + 1
            )));
        }
    }
    Ok(())
}

fn add(call: &mut Call<'_>, context: &str, entry: &DirectoryEntry, asked: &Body) -> Outcome {
    if entry.credentials.len() >= MOST {
        return Err(errors::bad(format!("The number of federated identity credentials exceeds the limit of {MOST}.")));
    }
    let new = call.state.world.dice.guid();
    let mut credential = Body::new();
    credential.insert("id".to_owned(), new.as_str().into());
    for name in ["name", "issuer", "subject", "description", "audiences"] {
        credential.insert(name.to_owned(), asked.get(name).cloned().unwrap_or_default());
    }
    check(entry, None, &credential)?;
    let id = entry.text("id").to_owned();
    let location = format!("{}/v2/{}/federatedIdentityCredentials/{new}", call.visit.base, call.state.world.tenant);
    let shown = show::with_context(format!("{context}/$entity"), credential.clone());
    call.state.world.directory.edit(&id, |entry| entry.credentials.push(credential));
    Ok(reply::json(StatusCode::CREATED, &shown).with("location", &location))
}

fn change(call: &mut Call<'_>, entry: &DirectoryEntry, at: usize, asked: Body) -> Outcome {
    let Some(mut credential) = entry.credentials.get(at).cloned() else { return Err(errors::not_found("")) };
    for (name, value) in asked {
        match name.as_str() {
            "issuer" | "subject" | "description" | "audiences" => {
                credential.insert(name, value);
            }
            "name" | "id" if credential.get(&name) == Some(&value) => {}
            other if other.starts_with('@') => {}
            other => return Err(errors::read_only(other)),
        }
    }
    check(entry, Some(at), &credential)?;
    let id = entry.text("id").to_owned();
    call.state.world.directory.edit(&id, |entry| {
        if let Some(old) = entry.credentials.get_mut(at) {
            *old = credential;
        }
    });
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
