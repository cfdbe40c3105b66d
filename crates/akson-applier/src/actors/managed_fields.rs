//! What an object of a cluster says of its own fields: who wrote which last. The object was read anyway, so that nothing is sent. Who deleted
//! one stands nowhere that is read.

use akson_azure::plane::kubernetes::MANAGER;
use serde_json::{Map, Value as Json};

use super::{Actor, Deed, Happened, Source, Told, moment, newest, text};

const UNKNOWN: &str = "the object does not say who: fields that nobody has any more have no owner";
const DELETED: &str = "who deletes in a cluster stands in its audit log alone, which is not read";

/// Who wrote the fields that differ, but for us.
pub(super) fn told(deed: &Deed) -> Told {
    if deed.happened == Happened::Deleted {
        return Told { by: Vec::new(), note: Some(DELETED.to_owned()) };
    }
    let entries = deed.body.as_ref().and_then(|body| body.pointer("/metadata/managedFields")).and_then(Json::as_array);
    let theirs: Vec<Actor> = entries
        .into_iter()
        .flatten()
        .filter(|entry| text(entry, "/manager") != MANAGER && text(entry, "/subresource").is_empty())
        .filter(|entry| {
            let fields = entry.get("fieldsV1").and_then(Json::as_object);
            let owns = |pointer: &String| fields.is_some_and(|fields| owns(fields, pointer));
            deed.pointers.is_empty() || deed.pointers.iter().any(owns)
        })
        .map(|entry| Actor {
            who: text(entry, "/manager").to_owned(),
            application: None,
            at: moment::second(text(entry, "/time")),
            operation: Some(text(entry, "/operation").to_owned()).filter(|word| !word.is_empty()),
            source: Source::ManagedFields,
        })
        .collect();
    let note = theirs.is_empty().then(|| UNKNOWN.to_owned());
    Told { by: newest(theirs), note }
}

/// Whether a set of fields has what a pointer leads to, or a part of it.
fn owns(fields: &Map<String, Json>, pointer: &str) -> bool {
    let mut at = fields;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        match at.get(&format!("f:{step}")).and_then(Json::as_object) {
            Some(inner) => at = inner,
            // Items of a list are named by their keys or values; a list or object that is owned as a whole names nothing.
            None if at.is_empty() => return true,
            None => {
                return at.keys().any(|key| key.starts_with("k:") || key.starts_with("v:") || key.starts_with("i:"));
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn who(pointers: &[&str]) -> Vec<String> {
        let entry = |manager: &str, fields: Json| json!({ "manager": manager, "operation": "Update", "time": "2026-11-26T08:00:01Z", "fieldsV1": fields });
        let mut deed = Deed::to("/c/kubernetes.namespace/app", Happened::Changed);
        deed.pointers = pointers.iter().map(|pointer| (*pointer).to_owned()).collect();
        deed.body = Some(json!({ "metadata": { "managedFields": [
            entry("akson", json!({ "f:metadata": { "f:labels": { "f:a": {}, "f:b": {} } } })),
            entry("kubectl-edit", json!({ "f:metadata": { "f:labels": { ".": {}, "f:a": {} } } })),
            entry("operator", json!({ "f:spec": {}, "f:subjects": { "k:{\"name\":\"x\"}": { "f:name": {} } }, "f:metadata": { "f:annotations": { "f:a.b/c": {} } } })),
        ] } }));
        told(&deed).by.into_iter().map(|actor| actor.who).collect()
    }

    #[test]
    fn who_has_the_field() {
        assert_eq!(who(&["/metadata/labels/a"]), ["kubectl-edit"]);
        assert_eq!(who(&["/metadata/labels/b"]), [""; 0]);
        assert_eq!(who(&["/metadata/annotations/a.b~1c"]), ["operator"]);
        assert_eq!(who(&["/spec/parameters/objects"]), ["operator"], "it has all of it");
        assert_eq!(who(&["/subjects/0/name"]), ["operator"]);
        assert_eq!(who(&[]), ["kubectl-edit", "operator"]);
    }

    #[test]
    fn what_is_gone_has_no_owner() {
        let told = told(&Deed::to("/c/kubernetes.namespace/app", Happened::Deleted));
        assert_eq!(told.note.as_deref(), Some(DELETED));
    }
}
