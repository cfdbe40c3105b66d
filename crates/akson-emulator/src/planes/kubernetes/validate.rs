//! What an object must be like, and what the server fills in. Of plain stored kinds only the shape that
//! clients rely on is looked at.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::fields::Body;
use super::kinds::Kind;
use super::status::{self, Cause, Failure};

/// Fields of the object and of its metadata that the kind does not have.
pub(super) fn unknown_fields(kind: &Kind, body: &Body) -> Vec<String> {
    const METADATA: [&str; 15] = [
        "name",
        "generateName",
        "namespace",
        "labels",
        "annotations",
        "finalizers",
        "ownerReferences",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    ];
    let known = |name: &str| matches!(name, "apiVersion" | "kind" | "metadata") || kind.fields.contains(&name);
    let mut found: Vec<String> = body.keys().filter(|name| !known(name)).cloned().collect();
    let inner = |outer: &str, known: &[&str]| -> Vec<String> {
        let fields = body.get(outer).and_then(Value::as_object);
        let unknown =
            fields.into_iter().flat_map(|fields| fields.keys()).filter(|name| !known.contains(&name.as_str()));
        unknown.map(|name| format!("{outer}.{name}")).collect()
    };
    found.extend(inner("metadata", &METADATA));
    if kind.plural == "secretproviderclasses" {
        found.extend(inner("spec", &["provider", "parameters", "secretObjects"]));
    }
    found
}

/// Takes fields out that the kind does not have.
pub(super) fn drop_unknown(unknown: &[String], body: &mut Body) {
    for path in unknown {
        match path.split_once('.') {
            None => {
                body.remove(path);
            }
            Some((outer, name)) => {
                if let Some(Value::Object(fields)) = body.get_mut(outer) {
                    fields.remove(name);
                }
            }
        }
    }
}

/// What the server fills in.
pub(super) fn complete(kind: &Kind, body: &mut Body) {
    match kind.plural {
        "namespaces" => {
            let name = name_of(body).to_owned();
            if let Some(Value::Object(metadata)) = body.get_mut("metadata")
                && let Value::Object(labels) = metadata.entry("labels").or_insert_with(|| json!({}))
            {
                labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
            }
            body.entry("spec").or_insert_with(|| json!({ "finalizers": ["kubernetes"] }));
            body.entry("status").or_insert_with(|| json!({ "phase": "Active" }));
        }
        "secrets" => {
            if let Some(Value::Object(plain)) = body.remove("stringData")
                && let Value::Object(data) = body.entry("data").or_insert_with(|| json!({}))
            {
                let encoded = plain.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?)));
                data.extend(encoded.map(|(name, value)| (name, STANDARD.encode(value).into())));
            }
            body.entry("type").or_insert_with(|| "Opaque".into());
        }
        "rolebindings" | "clusterrolebindings" => {
            if let Some(Value::Object(role)) = body.get_mut("roleRef") {
                role.entry("apiGroup").or_insert_with(|| "rbac.authorization.k8s.io".into());
            }
            let subjects = body.get_mut("subjects").and_then(Value::as_array_mut);
            for subject in subjects.into_iter().flatten().filter_map(Value::as_object_mut) {
                if matches!(subject.get("kind").and_then(Value::as_str), Some("User" | "Group")) {
                    subject.entry("apiGroup").or_insert_with(|| "rbac.authorization.k8s.io".into());
                }
            }
        }
        "pods" => {
            body.entry("status").or_insert_with(|| json!({ "phase": "Pending" }));
        }
        "deployments" | "statefulsets" => {
            if let Some(Value::Object(spec)) = body.get_mut("spec") {
                spec.entry("replicas").or_insert_with(|| 1.into());
            }
            body.entry("status").or_insert_with(|| json!({}));
        }
        _ => {}
    }
}

pub(super) fn name_of(body: &Body) -> &str {
    body.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Value::as_str).unwrap_or_default()
}

/// Whether an object can be stored, after `old` if there is one.
pub(super) fn check(kind: &Kind, body: &Body, old: Option<&Body>) -> Result<(), Failure> {
    let name = name_of(body);
    let mut causes = Vec::new();
    if old.is_none() {
        check_name(kind, name, &mut causes);
    }
    check_texts(body, &mut causes);
    match kind.plural {
        "configmaps" => texts(body, "data", &mut causes),
        "secrets" => check_secret(body, old, &mut causes),
        "roles" | "clusterroles" => check_rules(body, &mut causes),
        "rolebindings" | "clusterrolebindings" => check_binding(kind, body, old, &mut causes),
        "secretproviderclasses" => check_class(body, &mut causes),
        _ => {}
    }
    if matches!(kind.plural, "configmaps" | "secrets")
        && let Some(old) = old.filter(|old| old.get("immutable") == Some(&Value::Bool(true)))
        && (old.get("data") != body.get("data") || body.get("immutable") != Some(&Value::Bool(true)))
    {
        causes.push(Cause {
            reason: "FieldValueForbidden",
            message: "Forbidden: field is immutable when `immutable` is set".to_owned(),
            field: "data".to_owned(),
        });
    }
    if causes.is_empty() { Ok(()) } else { Err(status::invalid(kind, name, &causes)) }
}

/// Kinds of roles take nearly any name, namespaces one label, all else names as of hosts.
fn check_name(kind: &Kind, name: &str, causes: &mut Vec<Cause>) {
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
        return;
    }
    let part = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let shown = format!("{name:?}");
    if kind.group == "rbac.authorization.k8s.io" {
        if matches!(name, "." | "..") || name.contains(['/', '%']) {
            causes.push(Cause::invalid("metadata.name", &shown, "may not be '.', '..' or contain '/' or '%'"));
        }
    } else if matches!(kind.plural, "namespaces" | "services") {
        if name.len() > 63 || !part(name) {
            let detail = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
            causes.push(Cause::invalid("metadata.name", &shown, detail));
        }
    } else if name.len() > 253 || !name.split('.').all(part) {
        let detail = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
        causes.push(Cause::invalid("metadata.name", &shown, detail));
    }
}

/// Labels and annotations are texts.
fn check_texts(body: &Body, causes: &mut Vec<Cause>) {
    let Some(Value::Object(metadata)) = body.get("metadata") else { return };
    for field in ["labels", "annotations"] {
        let before = causes.len();
        texts(metadata, field, causes);
        for cause in causes.iter_mut().skip(before) {
            cause.field = format!("metadata.{}", cause.field);
        }
    }
    let labels = metadata.get("labels").and_then(Value::as_object);
    for value in labels.into_iter().flat_map(|labels| labels.values()).filter_map(Value::as_str) {
        let fits = value.len() <= 63
            && value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !value.starts_with(['-', '_', '.'])
            && !value.ends_with(['-', '_', '.']);
        if !fits {
            let detail = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
            causes.push(Cause::invalid("metadata.labels", &format!("{value:?}"), detail));
        }
    }
}

/// A field is a map of texts, if it is there.
fn texts(body: &Body, field: &str, causes: &mut Vec<Cause>) {
    match body.get(field) {
        None | Some(Value::Null) => {}
        Some(Value::Object(map)) => {
            for (name, value) in map.iter().filter(|(_, value)| !value.is_string()) {
                causes.push(Cause::invalid(&format!("{field}.{name}"), &value.to_string(), "must be of type string"));
            }
        }
        Some(other) => causes.push(Cause::invalid(field, &other.to_string(), "must be of type object")),
    }
}

fn check_secret(body: &Body, old: Option<&Body>, causes: &mut Vec<Cause>) {
    texts(body, "data", causes);
    let data = body.get("data").and_then(Value::as_object);
    for (name, value) in data.into_iter().flatten() {
        if value.as_str().is_some_and(|text| STANDARD.decode(text).is_err()) {
            causes.push(Cause::invalid(&format!("data.{name}"), "<secret>", "illegal base64 data"));
        }
    }
    if let Some(old) = old
        && old.get("type") != body.get("type")
    {
        let shown = body.get("type").map(Value::to_string).unwrap_or_default();
        causes.push(Cause::invalid("type", &shown, "field is immutable"));
    }
}

fn check_rules(body: &Body, causes: &mut Vec<Cause>) {
    let rules = body.get("rules").and_then(Value::as_array);
    for (at, rule) in rules.into_iter().flatten().enumerate() {
        let empty = |name: &str| rule.get(name).and_then(Value::as_array).is_none_or(Vec::is_empty);
        if empty("verbs") {
            causes.push(Cause::required(&format!("rules[{at}].verbs"), "verbs must contain at least one value"));
        }
        if empty("nonResourceURLs") {
            if empty("apiGroups") {
                causes.push(Cause::required(
                    &format!("rules[{at}].apiGroups"),
                    "resource rules must supply at least one api group",
                ));
            }
            if empty("resources") {
                causes.push(Cause::required(
                    &format!("rules[{at}].resources"),
                    "resource rules must supply at least one resource",
                ));
            }
        }
    }
}

fn check_binding(kind: &Kind, body: &Body, old: Option<&Body>, causes: &mut Vec<Cause>) {
    let role = body.get("roleRef");
    let of_role = |name: &str| role.and_then(|role| role.get(name)).and_then(Value::as_str).unwrap_or_default();
    if let Some(old) = old.and_then(|old| old.get("roleRef"))
        && Some(old) != role
    {
        let shown = format!(
            "rbac.RoleRef{{APIGroup:{:?}, Kind:{:?}, Name:{:?}}}",
            of_role("apiGroup"),
            of_role("kind"),
            of_role("name")
        );
        causes.push(Cause::invalid("roleRef", &shown, "cannot change roleRef"));
        return;
    }
    if of_role("name").is_empty() {
        causes.push(Cause::required("roleRef.name", ""));
    }
    let fits = of_role("kind") == "ClusterRole" || (of_role("kind") == "Role" && kind.namespaced);
    if !fits {
        causes.push(Cause {
            reason: "FieldValueNotSupported",
            message: format!("Unsupported value: {:?}", of_role("kind")),
            field: "roleRef.kind".to_owned(),
        });
    }
    let subjects = body.get("subjects").and_then(Value::as_array);
    for (at, subject) in subjects.into_iter().flatten().enumerate() {
        let text = |name: &str| subject.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("name").is_empty() {
            causes.push(Cause::required(&format!("subjects[{at}].name"), ""));
        }
        match text("kind") {
            "ServiceAccount" if text("namespace").is_empty() && !kind.namespaced => {
                causes.push(Cause::required(&format!("subjects[{at}].namespace"), ""));
            }
            "User" | "Group" | "ServiceAccount" => {}
            other => causes.push(Cause {
                reason: "FieldValueNotSupported",
                message: format!(
                    "Unsupported value: {other:?}: supported values: \"Group\", \"ServiceAccount\", \"User\""
                ),
                field: format!("subjects[{at}].kind"),
            }),
        }
    }
}

/// The schema of the driver's definition: parameters are texts, whatever they stand for.
fn check_class(body: &Body, causes: &mut Vec<Cause>) {
    let Some(Value::Object(spec)) = body.get("spec") else { return };
    if spec.get("provider").is_some_and(|provider| !provider.is_string()) {
        causes.push(Cause::invalid("spec.provider", "", "spec.provider in body must be of type string"));
    }
    let before = causes.len();
    texts(spec, "parameters", causes);
    for cause in causes.iter_mut().skip(before) {
        cause.field = format!("spec.{}", cause.field);
    }
    let objects = spec.get("secretObjects");
    if objects.is_some_and(|objects| !objects.is_array()) {
        causes.push(Cause::invalid("spec.secretObjects", "", "spec.secretObjects in body must be of type array"));
    }
}
