//! What objects of a cluster say in forms of their own: names for references, subjects of bindings, YAML in YAML. Not where it stands.

use indexmap::IndexMap;

use super::{
    Context,
    wire::{output_of, plain},
};
use crate::{ArmId, Reference, Residual, Type, Value, json::to_plain_json};

/// The API group of roles and bindings.
const RBAC: &str = "rbac.authorization.k8s.io";

/// The name of what is referred to: the last part of its id.
pub(super) fn name_of(reference: &Reference) -> Value {
    let id = ArmId::new(reference.id.as_deref().unwrap_or(reference.symbolic_id.as_str()));
    Value::Text(id.name().to_owned())
}

/// A subject of a binding. A group is known to a cluster by its object id, a user by the principal name, everything else that signs in
/// by its object id as a user.
pub(super) fn subject(value: &Value, context: &Context) -> Value {
    match value {
        Value::Reference(reference) if reference.kind == "service_account" => {
            let id = ArmId::new(reference.id.as_deref().unwrap_or(reference.symbolic_id.as_str()));
            let segments: Vec<&str> = id.as_str().rsplit('/').collect();
            account(segments.get(2).copied().unwrap_or_default(), id.name())
        }
        Value::Reference(reference) => {
            let told = |output: &str| output_of(reference, output, "object_id");
            let output = context.principals.get(&reference.kind).map(|principal| principal.output.as_str());
            match reference.kind.as_str() {
                "group" => of_kind("Group", told(output.unwrap_or("object_id"))),
                "user" => of_kind("User", told("user_principal_name")),
                _ => of_kind("User", told(output.unwrap_or("principal_id"))),
            }
        }
        Value::Text(text) => match text.split_once(':') {
            Some(("group", name)) => of_kind("Group", Value::Text(name.to_owned())),
            Some(("user", name)) => of_kind("User", Value::Text(name.to_owned())),
            Some(("service_account", account_name)) => match account_name.split_once('/') {
                Some((namespace, name)) => account(namespace, name),
                None => plain(value),
            },
            _ => plain(value),
        },
        other => plain(other),
    }
}

fn of_kind(kind: &str, name: Value) -> Value {
    let text = |text: &str| Value::Text(text.to_owned());
    Value::Map(IndexMap::from([
        ("kind".to_owned(), text(kind)),
        ("apiGroup".to_owned(), text(RBAC)),
        ("name".to_owned(), name),
    ]))
}

fn account(namespace: &str, name: &str) -> Value {
    let text = |text: &str| Value::Text(text.to_owned());
    Value::Map(IndexMap::from([
        ("kind".to_owned(), text("ServiceAccount")),
        ("name".to_owned(), text(name)),
        ("namespace".to_owned(), text(namespace)),
    ]))
}

/// A list as YAML in YAML: `array`, of a text each. With holes in it, the expression that makes it.
pub(super) fn yaml_texts(wire: &Value) -> Value {
    let Value::List(items) = wire else { return wire.clone() };
    if !wire.has_holes() {
        let texts: Option<Vec<String>> =
            items.iter().map(|item| serde_saphyr::to_string(&to_plain_json(item)?).ok()).collect();
        if let Some(text) = texts.and_then(|texts| serde_saphyr::to_string(&serde_json::json!({ "array": texts })).ok())
        {
            return Value::Text(text);
        }
    }
    let encoded = |argument| Residual::Call { function: "yamlencode".to_owned(), arguments: vec![argument] };
    let texts = items.iter().map(|item| encoded(residual(item))).collect();
    let array = Residual::Map(IndexMap::from([("array".to_owned(), Residual::List(texts))]));
    Value::Unknown { residual: Box::new(encoded(array)), of: Type::String, sensitive: false }
}

fn residual(value: &Value) -> Residual {
    match value {
        Value::Unknown { residual, .. } => (**residual).clone(),
        Value::List(items) => Residual::List(items.iter().map(residual).collect()),
        Value::Map(entries) => {
            Residual::Map(entries.iter().map(|(key, value)| (key.clone(), residual(value))).collect())
        }
        other => Residual::Known(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "a test that fails should say where")]

    use super::*;
    use crate::{Address, SymbolicId};

    #[track_caller]
    fn check(text: &str, expected: &serde_json::Value) {
        let subject = subject(&Value::Text(text.to_owned()), &Context::default());
        assert_eq!(to_plain_json(&subject).as_ref(), Some(expected), "{text}");
    }

    #[test]
    fn subjects_as_text() {
        let rbac = "rbac.authorization.k8s.io";
        check("group:6b1f", &serde_json::json!({"kind": "Group", "apiGroup": rbac, "name": "6b1f"}));
        check(
            "group:system:authenticated",
            &serde_json::json!({"kind": "Group", "apiGroup": rbac, "name": "system:authenticated"}),
        );
        check("user:a@example.com", &serde_json::json!({"kind": "User", "apiGroup": rbac, "name": "a@example.com"}));
        check(
            "service_account:app/web",
            &serde_json::json!({"kind": "ServiceAccount", "name": "web", "namespace": "app"}),
        );
    }

    #[test]
    fn subjects_by_reference() {
        let reference = |kind: &str, id: &str| {
            let address =
                Address { within: None, modules: Vec::new(), kind: kind.to_owned(), name: "x".to_owned(), key: None };
            Value::Reference(Reference {
                kind: kind.to_owned(),
                address,
                symbolic_id: SymbolicId::from_ledger(id),
                id: Some(id.to_owned()),
            })
        };
        let account = reference("service_account", "/c/kubernetes.namespace/app/serviceaccount/web");
        let wanted = serde_json::json!({"kind": "ServiceAccount", "name": "web", "namespace": "app"});
        assert_eq!(to_plain_json(&subject(&account, &Context::default())), Some(wanted));
        let Value::Map(user) = subject(&reference("user", "/u"), &Context::default()) else { panic!("no map") };
        assert!(matches!(&user["name"], Value::Unknown { residual, .. }
            if matches!(&**residual, Residual::Output { output, .. } if output == "user_principal_name")));
    }

    #[test]
    fn yaml_in_yaml() {
        let object = |name: Value| Value::Map(IndexMap::from([("objectName".to_owned(), name)]));
        let known = Value::List(vec![object(Value::Text("true".to_owned()))]);
        let Value::Text(text) = yaml_texts(&known) else { panic!("no text") };
        let read: serde_json::Value = serde_saphyr::from_str(&text).unwrap_or_default();
        let inner: serde_json::Value =
            serde_saphyr::from_str(read["array"][0].as_str().unwrap_or_default()).unwrap_or_default();
        assert_eq!(inner, serde_json::json!({"objectName": "true"}), "{text}");
        let hole =
            Value::Unknown { residual: Box::new(Residual::Known(Value::Int(1))), of: Type::String, sensitive: false };
        assert!(matches!(yaml_texts(&Value::List(vec![object(hole)])), Value::Unknown { .. }));
    }
}
