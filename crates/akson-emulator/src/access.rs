//! What a principal may do: the role assignments at a scope and above it, read each time they are asked
//! for. How assignments and definitions are written stands in `planes::arm::authorization`; conditions of
//! assignments and deny assignments are not evaluated.

pub(crate) mod grants;
pub(crate) mod roles;

use crate::clock::WorldTime;
use crate::faults::fits;
use crate::world::{Object, World};
use roles::Permission;

/// What stands between a scope's key and an assignment's name.
pub(crate) const ASSIGNMENTS: &str = "/providers/microsoft.authorization/roleassignments/";

/// Something that can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right<'a> {
    /// An action of the control plane, e.g. `Microsoft.KeyVault/vaults/write`.
    Action(&'a str),
    /// An action on data, e.g. `Microsoft.KeyVault/vaults/secrets/getSecret/action`.
    Data(&'a str),
}

impl<'a> Right<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::Action(name) | Self::Data(name) => name,
        }
    }
}

/// Whether a principal, by its object id, has a right at a scope.
pub(crate) fn allows(world: &World, principal: &str, right: Right<'_>, scope: &str, now: WorldTime) -> bool {
    let key = scope.trim_end_matches('/').to_ascii_lowercase();
    if is_denied(world, principal, right, &key) {
        return false;
    }
    let mut holders = world.groups_of(principal);
    holders.push(principal.to_owned());
    scopes(world, &key).iter().any(|scope| {
        let prefix = format!("{scope}{ASSIGNMENTS}");
        world.objects.starting_with(&prefix, "").any(|(at, assignment)| {
            let holder = assignment.property("principalId");
            holders.iter().any(|known| known.eq_ignore_ascii_case(holder))
                && grants::is_effective(world, at, right, now)
                && gives(world, assignment, right)
        })
    })
}

/// Whether a principal has any role at, above or below a scope: such scopes are shown to it in lists.
pub(crate) fn sees(world: &World, principal: &str, scope: &str, now: WorldTime) -> bool {
    let key = scope.trim_end_matches('/').to_ascii_lowercase();
    let mut holders = world.groups_of(principal);
    holders.push(principal.to_owned());
    let holds = |at: &str, object: &Object| {
        let holder = object.property("principalId");
        object.type_key == grants::TYPE_KEY
            && holders.iter().any(|known| known.eq_ignore_ascii_case(holder))
            && grants::is_effective(world, at, Right::Action(""), now)
    };
    let above = |scope: String| {
        world.objects.starting_with(&format!("{scope}{ASSIGNMENTS}"), "").any(|(at, object)| holds(at, object))
    };
    scopes(world, &key).into_iter().any(above)
        || world.objects.starting_with(&format!("{key}/"), "").any(|(at, object)| holds(at, object))
}

/// Whether the right was taken away from the signed-in principal from outside.
fn is_denied(world: &World, principal: &str, right: Right<'_>, key: &str) -> bool {
    principal.eq_ignore_ascii_case(&world.caller.object_id)
        && world.caller.denied.iter().any(|denial| fits(&denial.action, right.name()) && covers(&denial.scope, key))
}

/// Whether the role of an assignment contains a right.
fn gives(world: &World, assignment: &Object, right: Right<'_>) -> bool {
    let role = assignment.property("roleDefinitionId").rsplit('/').next().unwrap_or_default();
    roles::with_permissions(world, role, |permissions| permissions.iter().any(|some| contains(some, right)))
        .unwrap_or(false)
}

/// A permission contains what its list names and its exceptions do not.
fn contains(permission: &Permission, right: Right<'_>) -> bool {
    let (given, excepted) = match right {
        Right::Action(_) => (&permission.actions, &permission.not_actions),
        Right::Data(_) => (&permission.data_actions, &permission.not_data_actions),
    };
    let named = |list: &[String]| list.iter().any(|pattern| fits(pattern, right.name()));
    named(given) && !named(excepted)
}

/// Whether a scope is at or above a key.
pub(crate) fn covers(scope: &str, key: &str) -> bool {
    let scope = scope.trim_end_matches('/').to_ascii_lowercase();
    key.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The keys of the scopes at and above a key, from the tenant (an empty key) down. All subscriptions
/// stand directly under the tenant's root management group.
pub(crate) fn scopes(world: &World, key: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let root = format!("/providers/microsoft.management/managementgroups/{}", world.tenant);
    let in_group = key.starts_with("/providers/microsoft.management/managementgroups/") && !covers(&root, key);
    if key.starts_with("/subscriptions/") || in_group {
        found.push(root);
    }
    let ends = key.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(at, _)| at).chain([key.len()]);
    found.extend(ends.filter_map(|end| key.get(..end)).filter(|scope| !scope.is_empty()).map(str::to_owned));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn permission(actions: &[&str], not_actions: &[&str]) -> Permission {
        serde_json::from_value(json!({ "actions": actions, "notActions": not_actions })).unwrap_or_default()
    }

    #[test]
    fn coverage() {
        assert!(covers("/", "/subscriptions/s"));
        assert!(covers("/subscriptions/S", "/subscriptions/s/resourcegroups/g"));
        assert!(covers("/subscriptions/s", "/subscriptions/s"));
        assert!(!covers("/subscriptions/s", "/subscriptions/s2"));
    }

    #[test]
    fn permissions() {
        let check = |actions: &[&str], not_actions: &[&str], action: &str, expected: bool| {
            let permission = permission(actions, not_actions);
            assert_eq!(contains(&permission, Right::Action(action)), expected, "{actions:?} {not_actions:?} {action}");
            assert!(!contains(&permission, Right::Data(action)), "an action is no data action");
        };
        check(&["*"], &[], "A.B/c/write", true);
        check(&["*"], &["A.B/*/Write"], "a.b/c/write", false);
        check(&["*/read"], &[], "A.B/c/read", true);
        check(&["*/read"], &[], "A.B/c/write", false);
        check(&["A.B/c/*"], &[], "A.B/c/d/action", true);
        check(&["A.B/c/read"], &[], "A.B/c/d/read", false);
        check(&[], &[], "A.B/c/read", false);
    }

    #[test]
    fn scopes_at_and_above() {
        let world = World::new(0, WorldTime(0));
        let root = format!("/providers/microsoft.management/managementgroups/{}", world.tenant);
        let found = scopes(&world, "/subscriptions/s/resourcegroups/g");
        assert!(found.contains(&root) && found.contains(&String::new()));
        assert!(found.ends_with(&["/subscriptions/s/resourcegroups/g".to_owned()]));
        assert!(found.contains(&"/subscriptions/s".to_owned()));
        assert_eq!(scopes(&world, ""), [""]);
        assert_eq!(scopes(&world, &root).iter().filter(|scope| **scope == root).count(), 1);
    }
}
