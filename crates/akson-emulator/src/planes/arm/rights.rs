//! What the signed-in principal may do: everything, except what was taken away. Roles come later.

use http::Method;

use super::{Call, Target, place_key};
use crate::errors::{self, Refusal};
use crate::faults::fits;

/// Refuses an action that was taken away at the scope or above it.
pub(super) fn check(call: &Call<'_>, target: &Target) -> Result<(), Refusal> {
    let caller = &call.state.world.caller;
    if caller.denied.is_empty() {
        return Ok(());
    }
    let Some((action, scope)) = action(target, &call.visit.method) else { return Ok(()) };
    let key = scope.to_ascii_lowercase();
    let denied = caller.denied.iter().any(|denial| fits(&denial.action, &action) && covers(&denial.scope, &key));
    if denied { Err(errors::forbidden(&caller.client_id, &caller.object_id, &action, &scope)) } else { Ok(()) }
}

/// Whether a scope is at or above a key.
fn covers(scope: &str, key: &str) -> bool {
    let scope = scope.trim_end_matches('/').to_ascii_lowercase();
    key.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The action that a call needs, and the scope at which.
fn action(target: &Target, method: &Method) -> Option<(String, String)> {
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
                None => collection.scope.clone(),
            };
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
    fn coverage() {
        assert!(covers("/", "/subscriptions/s"));
        assert!(covers("/subscriptions/S", "/subscriptions/s/resourcegroups/g"));
        assert!(covers("/subscriptions/s", "/subscriptions/s"));
        assert!(!covers("/subscriptions/s", "/subscriptions/s2"));
    }

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
