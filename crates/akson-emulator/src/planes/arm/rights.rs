//! Whether the caller may do what a call asks for: the action that it needs, at which scope, asked of
//! `access`.

use http::Method;

use super::{Call, Target, place_key};
use crate::access::{self, Right};
use crate::errors::{self, Refusal};
use crate::planes::login;

/// Refuses an action that the caller has no role for.
pub(super) fn check(call: &Call<'_>, target: &Target) -> Result<(), Refusal> {
    let Some((action, scope)) = action(target, &call.visit.method) else { return Ok(()) };
    // Whoever asks the Resource Graph is shown what he may read.
    if matches!(target, Target::Collection(collection) if collection.type_key == super::resource_graph::TYPE_KEY) {
        return Ok(());
    }
    if login::reads(&call.visit.method) && is_public(target) {
        return Ok(());
    }
    let bearer = call.bearer();
    if access::allows(&call.state.world, &bearer.object_id, Right::Action(&action), &scope, call.now) {
        return Ok(());
    }
    Err(errors::forbidden(&bearer.client_id, &bearer.object_id, &action, &scope))
}

/// Built-in definitions, which everybody in the tenant can read.
fn is_public(target: &Target) -> bool {
    let (scope, type_key) = match target {
        Target::Resource(id) => (id.scope.as_str(), id.type_key()),
        Target::Collection(collection) => (collection.scope.as_str(), collection.type_key.clone()),
        _ => return false,
    };
    scope.is_empty()
        && matches!(
            type_key.as_str(),
            "microsoft.authorization/roledefinitions"
                | "microsoft.authorization/policydefinitions"
                | "microsoft.authorization/policysetdefinitions"
        )
}

/// The action that a call needs, and the scope at which.
pub(super) fn action(target: &Target, method: &Method) -> Option<(String, String)> {
    let verb = match *method {
        Method::GET | Method::HEAD => "read",
        Method::DELETE => "delete",
        _ => "write",
    };
    let found = match target {
        Target::Group { subscription, group } => (
            format!("Microsoft.Resources/subscriptions/resourceGroups/{verb}"),
            format!("/subscriptions/{subscription}/resourceGroups/{group}"),
        ),
        Target::Groups(subscription) => (
            "Microsoft.Resources/subscriptions/resourceGroups/read".to_owned(),
            format!("/subscriptions/{subscription}"),
        ),
        Target::Inventory { subscription, group } => {
            ("Microsoft.Resources/subscriptions/resources/read".to_owned(), place_key(subscription, group.as_deref()))
        }
        Target::Subscription(subscription) | Target::Locations(subscription) => {
            ("Microsoft.Resources/subscriptions/read".to_owned(), format!("/subscriptions/{subscription}"))
        }
        Target::Resource(id) => (format!("{}/{verb}", id.full_type()), id.as_written()),
        Target::Action { id, action } => (format!("{}/{action}/action", id.full_type()), id.as_written()),
        Target::Collection(collection) => {
            let member = collection.member("");
            let scope = match &collection.parent {
                Some(parent) => parent.as_written(),
                None if collection.scope.is_empty() => "/".to_owned(),
                None => collection.scope.clone(),
            };
            // A question that is asked with POST reads.
            let verb = if verb == "delete" { verb } else { "read" };
            (format!("{}/{verb}", member.full_type()), scope)
        }
        _ => return None,
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions() {
        let check = |path: &str, method: &Method, expected: &str| {
            let found =
                Target::parse(path, method).and_then(|target| action(&target, method)).map(|(action, _)| action);
            assert_eq!(found.as_deref(), Some(expected), "{path}");
        };
        check(
            "/subscriptions/s/resourceGroups/g",
            &Method::PUT,
            "Microsoft.Resources/subscriptions/resourceGroups/write",
        );
        check("/subscriptions/s/providers/A.B/c", &Method::GET, "A.B/c/read");
        check("/subscriptions/s/resourceGroups/g/providers/A.B/c/d", &Method::DELETE, "A.B/c/delete");
        check("/subscriptions/s/resourceGroups/g/providers/A.B/c/d/e", &Method::POST, "A.B/c/e/action");
    }
}
