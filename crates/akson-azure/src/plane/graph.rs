//! Microsoft Graph: objects made by a key of ours, so that a retry makes no second one, and edges between them.

use serde_json::{Map, Value, json};

use crate::{Action, Audience, Operation};

/// Where the items of every set of edges are.
const OBJECTS: &str = "https://graph.microsoft.com/v1.0/directoryObjects/";
/// The longest nickname that a group may have.
const NICKNAME: usize = 64;

/// Reads by path and query.
pub fn read(path_and_query: &str) -> Operation {
    Operation::read(path_and_query).at(Audience::Graph)
}

/// Makes an object at `path`, which has its key, or changes the one that is there already.
pub fn upsert(path: &str, body: Value) -> Operation {
    Operation::change(path, with_nickname(path, body)).at(Audience::Graph).prefer("create-if-missing")
}

/// Changes an object that is there.
pub fn patch(path: &str, body: Value) -> Operation {
    Operation::change(path, body).at(Audience::Graph)
}

/// Deletes an object.
pub fn delete(path: &str) -> Operation {
    Operation::remove(path).at(Audience::Graph)
}

/// Adds an item to a set of edges: `/members` of a group.
pub fn add_edge(path: &str, set: &str, to: &str) -> Operation {
    let body = json!({ "@odata.id": format!("{OBJECTS}{to}") });
    Operation::act(&format!("{path}{set}"), Action::Reference, body).at(Audience::Graph)
}

/// Takes an item out of a set of edges. Without `/$ref` it would delete what the edge leads to.
pub fn remove_edge(path: &str, set: &str, to: &str) -> Operation {
    Operation::remove(&format!("{path}{set}/{to}/$ref")).at(Audience::Graph)
}

/// What is changed of an object, from the whole of it: what it tells of itself and its edges are not sent.
pub fn body(object: &Value, edges: &[&str]) -> Value {
    let own = |key: &str| key == "id" || key == "uniqueName" || key == "appId" || key.starts_with('@');
    let is_set = |key: &str| edges.iter().any(|set| set.trim_start_matches('/') == key);
    let members = object.as_object().into_iter().flatten().filter(|(key, _)| !own(key) && !is_set(key));
    Value::Object(members.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
}

/// A group needs a nickname for mail that it will never get.
fn with_nickname(path: &str, mut body: Value) -> Value {
    let key = path.strip_prefix("/v1.0/groups(uniqueName='").and_then(|rest| rest.strip_suffix("')"));
    if let (Some(key), Some(members)) = (key, body.as_object_mut()) {
        let plain = key.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-');
        members.entry("mailNickname").or_insert_with(|| plain.take(NICKNAME).collect::<String>().into());
    }
    body
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;
    use crate::{Cloud, RequestIds};

    #[track_caller]
    fn check(operation: &Operation, line: &str, body: Option<&Value>) {
        let request = operation.request(&Cloud::PUBLIC, &RequestIds::default()).unwrap();
        assert_eq!(format!("{} {}", request.method(), request.uri()), line);
        assert_eq!(operation.body(), body);
    }

    #[test]
    fn what_is_made_is_made_by_a_key() {
        let made = upsert("/v1.0/groups(uniqueName='my_app.x')", json!({"displayName": "x"}));
        check(
            &made,
            "PATCH https://graph.microsoft.com/v1.0/groups(uniqueName='my_app.x')",
            Some(&json!({"displayName": "x", "mailNickname": "myappx"})),
        );
        let request = made.request(&Cloud::PUBLIC, &RequestIds::default()).unwrap();
        assert_eq!(request.headers()["prefer"], "create-if-missing");
        check(
            &upsert("/v1.0/servicePrincipals(appId='a')", json!({})),
            "PATCH https://graph.microsoft.com/v1.0/servicePrincipals(appId='a')",
            Some(&json!({})),
        );
    }

    #[test]
    fn edges_are_added_and_taken_out_by_reference() {
        check(
            &add_edge("/v1.0/groups/g", "/members", "u"),
            "POST https://graph.microsoft.com/v1.0/groups/g/members/$ref",
            Some(&json!({"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/u"})),
        );
        check(
            &remove_edge("/v1.0/groups/g", "/members", "u"),
            "DELETE https://graph.microsoft.com/v1.0/groups/g/members/u/$ref",
            None,
        );
    }

    #[test]
    fn only_what_may_be_changed_is_sent() {
        let object = json!({"id": "i", "uniqueName": "n", "displayName": "d", "description": null, "members": {"u": "u"}, "@odata.context": "c"});
        assert_eq!(body(&object, &["/members", "/owners"]), json!({"displayName": "d", "description": null}));
    }
}
