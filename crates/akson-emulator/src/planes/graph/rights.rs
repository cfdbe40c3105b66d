//! Who may do what in the directory: the caller and the person behind it everything that was not taken
//! away, other users read, other service principals what their roles of Microsoft Graph let them read.

use super::Call;
use super::errors::{self, Outcome};
use crate::faults::fits;
use crate::world::principals::{PrincipalKind, guid_of};

/// Graph's roles that read: the id, and the sets that it opens. Documented in Graph's reference of permissions.
const READERS: [(&str, &[&str]); 5] = [
    // Directory.Read.All
    ("7ab1d382-f21e-4acd-a863-ba3e13f7da61", &["*"]),
    // GroupMember.Read.All
    ("98830695-27a2-44f7-8c18-0c3ebc9698f6", &["groups"]),
    // Group.Read.All
    ("5b567255-7703-4780-807c-7be8301ae99b", &["groups"]),
    // User.Read.All
    ("df021288-bdef-4463-88db-98f22de89214", &["users"]),
    // Application.Read.All
    ("9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30", &["applications", "servicePrincipals"]),
];

/// Refuses an action such as `microsoft.directory/groups/create`.
pub(super) fn check(call: &Call<'_>, principal: &str, action: &str) -> Outcome<()> {
    let world = &call.state.world;
    let person = guid_of(&[&world.key, "user"]);
    if principal != world.caller.object_id && principal != person {
        let user = world.principal(principal).is_some_and(|found| found.kind == PrincipalKind::User);
        let roles = world.directory.get(principal).map(|entry| entry.app_roles.as_slice()).unwrap_or_default();
        let reads = action.ends_with("/read") && (user || opens(roles, action));
        return if reads { Ok(()) } else { Err(errors::denied()) };
    }
    let taken_away = world
        .caller
        .denied
        .iter()
        .any(|denial| denial.scope.trim_end_matches('/').is_empty() && fits(&denial.action, action));
    if taken_away { Err(errors::denied()) } else { Ok(()) }
}

/// Whether one of these roles reads what an action is about. Who an id belongs to is told to whoever reads anything.
fn opens(roles: &[String], action: &str) -> bool {
    let set = action.split('/').nth(1).unwrap_or_default();
    let opened = READERS.iter().filter(|(role, _)| roles.iter().any(|held| held == role));
    opened.flat_map(|(_, sets)| *sets).any(|open| *open == "*" || *open == set || set == "directoryObjects")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_open_sets() {
        let check = |roles: &[usize], action: &str, expected: bool| {
            let roles: Vec<String> = roles.iter().map(|at| READERS[*at].0.to_owned()).collect();
            assert_eq!(opens(&roles, action), expected, "{roles:?} {action}");
        };
        check(&[], "microsoft.directory/groups/standard/read", false);
        check(&[], "microsoft.directory/directoryObjects/standard/read", false);
        check(&[0], "microsoft.directory/organization/standard/read", true);
        check(&[1], "microsoft.directory/groups/members/read", true);
        check(&[1], "microsoft.directory/users/standard/read", false);
        check(&[1, 3], "microsoft.directory/users/standard/read", true);
        check(&[4], "microsoft.directory/servicePrincipals/standard/read", true);
        check(&[3], "microsoft.directory/directoryObjects/standard/read", true);
    }
}
