//! `Status`: what Kubernetes says when it does not say the object. Words as the API server writes them.

use std::fmt::Write as _;

use http::StatusCode;
use serde_json::{Value, json};

use super::kinds::Kind;
use crate::reply::{self, Answer};

/// A failure, not yet put into bytes.
#[derive(Debug)]
pub(super) struct Failure {
    code: StatusCode,
    reason: &'static str,
    message: String,
    details: Option<Value>,
}

/// What a part of the plane makes of a call.
pub(super) type Outcome<T = Answer> = Result<T, Failure>;

/// One thing that is wrong with an object.
#[derive(Debug)]
pub(super) struct Cause {
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) field: String,
}

impl Cause {
    pub(super) fn required(field: &str, detail: &str) -> Self {
        let message = if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
        Self { reason: "FieldValueRequired", message, field: field.to_owned() }
    }

    pub(super) fn invalid(field: &str, value: &str, detail: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {value}: {detail}"),
            field: field.to_owned(),
        }
    }

    fn shown(&self) -> Value {
        json!({ "reason": self.reason, "message": self.message, "field": self.field })
    }
}

impl Failure {
    fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None }
    }

    fn with(self, details: Value) -> Self {
        Self { details: Some(details), ..self }
    }

    pub(super) fn into_answer(self) -> Answer {
        let mut body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        });
        if let Some(details) = self.details {
            body["details"] = details;
        }
        body["code"] = self.code.as_u16().into();
        reply::typed(self.code, "application/json", body.to_string().into())
    }
}

/// `configmaps`, or `roles.rbac.authorization.k8s.io`.
fn qualified(kind: &Kind) -> String {
    if kind.group.is_empty() { kind.plural.to_owned() } else { format!("{}.{}", kind.plural, kind.group) }
}

fn details(kind: &Kind, name: &str) -> Value {
    let mut details = json!({});
    for (field, value) in [("name", name), ("group", kind.group), ("kind", kind.plural)] {
        if !value.is_empty() {
            details[field] = value.into();
        }
    }
    details
}

pub(super) fn unauthorized() -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
}

/// 403 by the authorizers.
pub(super) fn forbidden(
    user: &str,
    verb: &str,
    kind: &Kind,
    namespace: Option<&str>,
    name: &str,
    why: &str,
) -> Failure {
    let mut message = format!(
        "{}{} is forbidden: User \"{user}\" cannot {verb} resource \"{}\" in API group \"{}\"",
        qualified(kind),
        if name.is_empty() { String::new() } else { format!(" \"{name}\"") },
        kind.plural,
        kind.group
    );
    match namespace.filter(|_| kind.namespaced) {
        Some(namespace) => write!(message, " in the namespace \"{namespace}\"").unwrap_or_default(),
        None => message.push_str(" at the cluster scope"),
    }
    if !why.is_empty() {
        message.push_str(": ");
        message.push_str(why);
    }
    Failure::new(StatusCode::FORBIDDEN, "Forbidden", message).with(details(kind, name))
}

/// 403 because of what the object is.
pub(super) fn refused(kind: &Kind, name: &str, why: &str) -> Failure {
    let message = format!("{} \"{name}\" is forbidden: {why}", qualified(kind));
    Failure::new(StatusCode::FORBIDDEN, "Forbidden", message).with(details(kind, name))
}

/// Nothing is created in a namespace that goes away.
pub(super) fn terminating(kind: &Kind, name: &str, namespace: &str) -> Failure {
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let mut failure = refused(kind, name, &why);
    let cause = Cause {
        reason: "NamespaceTerminating",
        message: format!("namespace {namespace} is being terminated"),
        field: "metadata.namespace".to_owned(),
    };
    if let Some(details) = &mut failure.details {
        details["causes"] = json!([cause.shown()]);
    }
    failure
}

pub(super) fn not_found(kind: &Kind, name: &str) -> Failure {
    let message = format!("{} \"{name}\" not found", qualified(kind));
    Failure::new(StatusCode::NOT_FOUND, "NotFound", message).with(details(kind, name))
}

pub(super) fn no_such_path() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "NotFound", "the server could not find the requested resource").with(json!({}))
}

pub(super) fn already_exists(kind: &Kind, name: &str) -> Failure {
    let message = format!("{} \"{name}\" already exists", qualified(kind));
    Failure::new(StatusCode::CONFLICT, "AlreadyExists", message).with(details(kind, name))
}

pub(super) fn conflict(kind: &Kind, name: &str, why: &str) -> Failure {
    let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", qualified(kind));
    Failure::new(StatusCode::CONFLICT, "Conflict", message).with(details(kind, name))
}

/// 409 of server-side apply.
pub(super) fn apply_conflict(message: String, causes: &[Cause]) -> Failure {
    let causes: Vec<Value> = causes.iter().map(Cause::shown).collect();
    Failure::new(StatusCode::CONFLICT, "Conflict", message).with(json!({ "causes": causes }))
}

/// 422. `what` is `RoleBinding.rbac.authorization.k8s.io`.
pub(super) fn invalid_as(what: &str, name: &str, causes: &[Cause]) -> Failure {
    let said: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    let said = if said.len() == 1 { said.concat() } else { format!("[{}]", said.join(", ")) };
    let (kind, group) = what.split_once('.').unwrap_or((what, ""));
    let mut details = json!({ "kind": kind, "causes": causes.iter().map(Cause::shown).collect::<Vec<_>>() });
    for (field, value) in [("name", name), ("group", group)] {
        if !value.is_empty() {
            details[field] = value.into();
        }
    }
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", format!("{what} \"{name}\" is invalid: {said}"))
        .with(details)
}

pub(super) fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Failure {
    let what = if kind.group.is_empty() { kind.word.to_owned() } else { format!("{}.{}", kind.word, kind.group) };
    invalid_as(&what, name, causes)
}

/// 422 because of the request, not of the object.
pub(super) fn unprocessable(kind: &Kind, name: &str, why: &str) -> Failure {
    let message = format!("the server rejected our request due to an error in our request: {why}");
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with(details(kind, name))
}

pub(super) fn bad_request(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "BadRequest", message)
}

pub(super) fn expired(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::GONE, "Expired", message)
}

pub(super) fn method_not_allowed() -> Failure {
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
    )
    .with(json!({}))
}

pub(super) fn not_acceptable() -> Failure {
    Failure::new(
        StatusCode::NOT_ACCEPTABLE,
        "NotAcceptable",
        "only the following media types are accepted: application/json",
    )
    .with(json!({}))
}

pub(super) fn unsupported_media(accepted: &str) -> Failure {
    Failure::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaType",
        format!("the body of the request was in an unknown format - accepted media types include: {accepted}"),
    )
    .with(json!({}))
}

/// 200 after a deletion that is done.
pub(super) fn deleted(kind: &Kind, name: &str, uid: &str) -> Answer {
    let mut details = details(kind, name);
    details["uid"] = uid.into();
    let body = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details });
    reply::typed(StatusCode::OK, "application/json", body.to_string().into())
}
