//! `/openapi/v3`: what clients look for before they send something, that is, which parameters a call takes and which fields
//! an object has at its top. What is below is not described: it is stored as it comes.

use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::kinds::{self, Kind};
use super::status::{self, Outcome};
use crate::reply;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// `None`, if the path is of no such document.
pub(super) fn answer(call: &Call<'_>, cluster: &str, segments: &[&str]) -> Option<Outcome> {
    let kinds = kinds::of_cluster(&call.state.world, cluster);
    let found = match segments {
        ["openapi", "v3"] => Some(index(&kinds)),
        ["openapi", "v3", "api", version] => document(&kinds, "", version),
        ["openapi", "v3", "apis", group, version] => document(&kinds, group, version),
        _ => return None,
    };
    let accepted = call.visit.header("accept").is_none_or(|accept| {
        accept.split(',').any(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            matches!(kind, "application/json" | "application/*" | "*/*")
        })
    });
    Some(match found {
        None => Err(status::no_such_path()),
        Some(_) if !accepted => Err(status::not_acceptable()),
        Some(body) => Ok(reply::typed(StatusCode::OK, "application/json", body.to_string().into())),
    })
}

/// `api/v1`, or `apis/apps/v1`.
fn path_of(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

fn index(kinds: &[&Kind]) -> Value {
    let paths = kinds.iter().map(|kind| {
        let path = path_of(kind.group, kind.version);
        let entry = json!({ "serverRelativeURL": format!("/openapi/v3/{path}") });
        (path, entry)
    });
    json!({ "paths": paths.collect::<serde_json::Map<String, Value>>() })
}

fn document(kinds: &[&Kind], group: &str, version: &str) -> Option<Value> {
    let of_group: Vec<&&Kind> = kinds.iter().filter(|kind| kind.group == group && kind.version == version).collect();
    if of_group.is_empty() {
        return None;
    }
    let mut paths = serde_json::Map::new();
    let mut schemas = serde_json::Map::new();
    schemas.insert(META.to_owned(), metadata());
    for kind in of_group {
        schemas.insert(schema_name(kind), schema(kind));
        let base = format!("/{}", path_of(group, version));
        let collection = if kind.namespaced {
            format!("{base}/namespaces/{{namespace}}/{}", kind.plural)
        } else {
            format!("{base}/{}", kind.plural)
        };
        let has = |verb: &str| kind.verbs().contains(&verb);
        let calls = |all: &[(&str, &str, &str)]| {
            let known = all.iter().filter(|(_, verb, _)| has(verb));
            let calls = known.map(|(method, verb, action)| ((*method).to_owned(), operation(kind, verb, action)));
            calls.collect::<serde_json::Map<String, Value>>()
        };
        let of_all =
            [("get", "list", "list"), ("post", "create", "post"), ("delete", "deletecollection", "deletecollection")];
        let of_one = [
            ("get", "get", "get"),
            ("put", "update", "put"),
            ("patch", "patch", "patch"),
            ("delete", "delete", "delete"),
        ];
        paths.insert(collection.clone(), calls(&of_all).into());
        let one = calls(&of_one);
        if !one.is_empty() {
            paths.insert(format!("{collection}/{{name}}"), one.into());
        }
    }
    Some(json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": "unversioned" },
        "paths": paths,
        "components": { "schemas": schemas },
    }))
}

/// The name of a kind's schema: the group backwards, version and kind.
fn schema_name(kind: &Kind) -> String {
    let group = match kind.group {
        "" => "io.k8s.api.core".to_owned(),
        "apps" => "io.k8s.api.apps".to_owned(),
        group => group.split('.').rev().collect::<Vec<_>>().join("."),
    };
    format!("{group}.{}.{}", kind.version, kind.word)
}

fn group_version_kind(kind: &Kind) -> Value {
    json!({ "group": kind.group, "version": kind.version, "kind": kind.word })
}

fn operation(kind: &Kind, verb: &str, action: &str) -> Value {
    let mut names = vec![("pretty", "string")];
    match verb {
        "create" | "update" | "patch" => {
            names.extend([("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string")]);
            if verb == "patch" {
                names.push(("force", "boolean"));
            }
        }
        "delete" => names.push(("dryRun", "string")),
        "list" | "deletecollection" => names.extend([
            ("continue", "string"),
            ("fieldSelector", "string"),
            ("labelSelector", "string"),
            ("limit", "integer"),
            ("resourceVersion", "string"),
            ("timeoutSeconds", "integer"),
            ("watch", "boolean"),
        ]),
        _ => {}
    }
    let parameters = names
        .iter()
        .map(|(name, of)| json!({ "name": name, "in": "query", "schema": { "type": of, "uniqueItems": true } }));
    let shown = json!({ "$ref": format!("#/components/schemas/{}", schema_name(kind)) });
    let content = json!({ "application/json": { "schema": shown } });
    json!({
        "operationId": format!("{verb}{}", kind.word),
        "parameters": parameters.collect::<Vec<_>>(),
        "responses": { "200": { "description": "OK", "content": content }, "401": { "description": "Unauthorized" } },
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": group_version_kind(kind),
    })
}

fn metadata() -> Value {
    let text = |name: &str| (name.to_owned(), json!({ "type": "string" }));
    let texts = |name: &str| {
        (name.to_owned(), json!({ "type": "object", "additionalProperties": { "type": "string", "default": "" } }))
    };
    let mut properties = serde_json::Map::new();
    properties.extend(["name", "generateName", "namespace", "uid", "resourceVersion"].map(text));
    properties.extend(["labels", "annotations"].map(texts));
    properties.insert("generation".to_owned(), json!({ "type": "integer", "format": "int64" }));
    for name in ["creationTimestamp", "deletionTimestamp"] {
        properties.insert(name.to_owned(), json!({ "type": "string", "format": "date-time" }));
    }
    properties.insert(
        "finalizers".to_owned(),
        json!({ "type": "array", "items": { "type": "string" }, "x-kubernetes-list-type": "set" }),
    );
    for name in ["ownerReferences", "managedFields"] {
        properties.insert(name.to_owned(), json!({ "type": "array", "items": { "type": "object" } }));
    }
    json!({ "type": "object", "description": "Standard object's metadata.", "properties": properties })
}

fn schema(kind: &Kind) -> Value {
    let mut properties = serde_json::Map::new();
    for name in ["apiVersion", "kind"] {
        properties.insert(name.to_owned(), json!({ "type": "string" }));
    }
    properties.insert(
        "metadata".to_owned(),
        json!({ "allOf": [{ "$ref": format!("#/components/schemas/{META}") }], "default": {} }),
    );
    for name in kind.fields {
        properties.insert((*name).to_owned(), field(name));
    }
    json!({
        "type": "object",
        "properties": properties,
        "x-kubernetes-group-version-kind": [group_version_kind(kind)],
    })
}

/// The type of a top-level field, which its name says in all kinds.
fn field(name: &str) -> Value {
    match name {
        "data" | "binaryData" | "stringData" => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        "immutable" | "automountServiceAccountToken" => json!({ "type": "boolean" }),
        "type" => json!({ "type": "string" }),
        "secrets" | "imagePullSecrets" | "rules" | "subjects" => {
            json!({ "type": "array", "items": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } })
        }
        _ => json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }),
    }
}
