//! `Microsoft.Authorization`: who may do what, and which rules resources must follow. All its types are
//! extensions of a scope. Locks stand in `lock`, whether a call is allowed in `rights`.

mod policy;
mod policy_assignment;
mod policy_builtin;
mod policy_definition;
mod policy_exemption;
mod policy_parameters;
mod role_assignment;
mod role_definition;
mod scope;

use http::StatusCode;

use super::body::Body;
use super::types::{ArmType, Spelling};
use super::{Call, body, list};
use crate::access::{grants, roles};
use crate::errors::{Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, Answer};

pub(super) use scope::resource_of;

/// What the names of the types begin with, in lower case.
pub(super) const NAMESPACE: &str = "microsoft.authorization/";

/// The rules of a type of this namespace.
pub(super) fn of(type_key: &str) -> Option<&'static dyn ArmType> {
    let rules: &dyn ArmType = match type_key {
        grants::TYPE_KEY => &role_assignment::RoleAssignments,
        roles::TYPE_KEY => &role_definition::RoleDefinitions,
        policy_assignment::TYPE_KEY => &policy_assignment::PolicyAssignments,
        policy_definition::TYPE_KEY => &policy_definition::DEFINITIONS,
        policy_definition::SET_TYPE_KEY => &policy_definition::SETS,
        policy_exemption::TYPE_KEY => &policy_exemption::PolicyExemptions,
        _ => return None,
    };
    Some(rules)
}

/// A provider's 400 or 404 with a code of its own.
fn refuse(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::provider(status, code, message.into())
}

fn invalid(code: &'static str, message: impl Into<String>) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, code, message)
}

/// Recorded for all types of this namespace but locks: 200 with what was deleted, 204 if there was none.
fn delete(call: &mut Call<'_>, id: &ResourceId) -> Answer {
    let Some(object) = call.state.world.objects.get(id.key()) else {
        return reply::empty(StatusCode::NO_CONTENT);
    };
    let answer = reply::json(StatusCode::OK, &object.body);
    call.state.world.remove_tree(id.key());
    answer
}

/// Whether a text is a GUID.
fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
