//! Reviews: what the caller may do and who the caller is, asked and not tried. Nothing of them is kept.

use http::StatusCode;
use serde_json::{Value, json};

use super::fields::Body;
use super::kinds::Kind;
use super::rights::{self, Attempt, User};
use super::status::{self, Outcome};
use super::{Call, Target, write};

/// Whether a kind is asked, and not stored. Whoever is signed in may ask.
pub(super) fn is_one(kind: &Kind) -> bool {
    is_named(kind.plural)
}

/// The same by the kind's plural name.
pub(super) fn is_named(plural: &str) -> bool {
    matches!(plural, "selfsubjectaccessreviews" | "selfsubjectrulesreviews" | "selfsubjectreviews")
}

/// `POST` of a review.
pub(super) fn answer(call: &mut Call<'_>, target: &Target) -> Outcome {
    let mut body = write::read(call)?;
    write::fits(target, &mut body)?;
    let status = match target.kind.plural {
        "selfsubjectaccessreviews" => access(call, target, &body)?,
        "selfsubjectrulesreviews" => rules(call, target, &body)?,
        _ => json!({ "userInfo": who(&target.user) }),
    };
    body.insert("status".to_owned(), status);
    Ok(write::shown(StatusCode::CREATED, &body, &[]))
}

fn access(call: &Call<'_>, target: &Target, body: &Body) -> Outcome<Value> {
    let spec = |name: &str| body.get("spec").and_then(|spec| spec.get(name)).filter(|asked| asked.is_object());
    let world = &call.state.world;
    let allowed = match (spec("resourceAttributes"), spec("nonResourceAttributes")) {
        (Some(asked), None) => {
            let field = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
            let attempt = Attempt {
                verb: field("verb"),
                group: field("group"),
                plural: field("resource"),
                namespace: Some(field("namespace")).filter(|namespace| !namespace.is_empty()),
                name: field("name"),
            };
            rights::check(world, &target.cluster, &target.user, attempt, call.now)
        }
        (None, Some(asked)) => {
            let field = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
            rights::check_path(world, &target.cluster, &target.user, field("verb"), field("path"), call.now)
        }
        _ => {
            let detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            let cause = status::Cause::invalid("spec.resourceAttributes", "null", detail);
            return Err(status::invalid(target.kind, "", &[cause]));
        }
    };
    let mut status = json!({ "allowed": allowed.is_ok() });
    if let Err(why) = allowed
        && !why.is_empty()
    {
        status["reason"] = why.into();
    }
    Ok(status)
}

/// The rules of the cluster's own roles. Azure's roles are not told, and the answer says so.
fn rules(call: &Call<'_>, target: &Target, body: &Body) -> Outcome<Value> {
    let namespace = body.get("spec").and_then(|spec| spec.get("namespace")).and_then(Value::as_str);
    let Some(namespace) = namespace.filter(|namespace| !namespace.is_empty()) else {
        return Err(status::bad_request("no namespace on request"));
    };
    let all = rights::rules_of(&call.state.world, &target.cluster, &target.user, namespace);
    let (paths, resources): (Vec<Value>, Vec<Value>) =
        all.into_iter().partition(|rule| rule.get("nonResourceURLs").is_some());
    Ok(json!({
        "resourceRules": resources,
        "nonResourceRules": paths,
        "incomplete": true,
        "evaluationError": "webhook authorizer does not support user rule resolution",
    }))
}

fn who(user: &User) -> Value {
    let mut shown = json!({ "username": user.name, "groups": user.groups });
    if !user.object_id.is_empty() {
        shown["uid"] = user.object_id.as_str().into();
        shown["extra"] = json!({ "oid": [user.object_id] });
    }
    shown
}
