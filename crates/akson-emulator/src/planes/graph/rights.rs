//! Who may do what in the directory: the caller and the person behind it everything that was not taken
//! away, other users read, other service principals nothing.

use super::Call;
use super::errors::{self, Outcome};
use crate::faults::fits;
use crate::world::principals::{PrincipalKind, guid_of};

/// Refuses an action such as `microsoft.directory/groups/create`.
pub(super) fn check(call: &Call<'_>, principal: &str, action: &str) -> Outcome<()> {
    let world = &call.state.world;
    let person = guid_of(&[&world.key, "user"]);
    if principal != world.caller.object_id && principal != person {
        let user = world.principal(principal).is_some_and(|found| found.kind == PrincipalKind::User);
        return if user && action.ends_with("/read") { Ok(()) } else { Err(errors::denied()) };
    }
    let taken_away = world
        .caller
        .denied
        .iter()
        .any(|denial| denial.scope.trim_end_matches('/').is_empty() && fits(&denial.action, action));
    if taken_away { Err(errors::denied()) } else { Ok(()) }
}
