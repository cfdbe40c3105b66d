//! What a principal may do at a scope. Roles are not known yet: the signed-in principal may everything
//! that was not taken away, nobody else anything.

use crate::clock::WorldTime;
use crate::faults::fits;
use crate::world::World;

/// Something that can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right<'a> {
    /// An action of the control plane, e.g. `Microsoft.KeyVault/vaults/write`.
    #[allow(dead_code, reason = "actions of the control plane are still checked by the plane itself")]
    Action(&'a str),
    /// An action on data, e.g. `Microsoft.ContainerService/managedClusters/pods/read`.
    Data(&'a str),
}

/// Whether a principal, by its object id, has a right at a scope.
pub(crate) fn allows(world: &World, principal: &str, right: Right<'_>, scope: &str, _now: WorldTime) -> bool {
    let (Right::Action(action) | Right::Data(action)) = right;
    let key = scope.trim_end_matches('/').to_ascii_lowercase();
    let covers = |scope: &str| {
        let scope = scope.trim_end_matches('/').to_ascii_lowercase();
        key.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let denied = world.caller.denied.iter().any(|denial| fits(&denial.action, action) && covers(&denial.scope));
    principal == world.caller.object_id && !denied
}
