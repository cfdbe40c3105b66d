//! `.../userAssignedIdentities/federatedIdentityCredentials`. One write at a time under one identity;
//! issuer and subject together are unique there; at most twenty.

use http::StatusCode;
use serde_json::{Value, json};

use super::body::{self, Body};
use super::types::{ArmType, Spelling};
use super::{Call, identity};
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, WithHeader};
use crate::world::Object;

const TYPE: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials";
pub(super) const TYPE_KEY: &str = "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials";

/// Documented: no more under one identity.
const MOST: usize = 20;

pub(super) struct FederatedCredentials;

impl ArmType for FederatedCredentials {
    fn spelling(&self) -> Spelling {
        Spelling::SmallGroups(TYPE)
    }

    /// Recorded: the provider's 404, without the gateway header, once the identity exists.
    fn missing(&self, id: &ResourceId) -> Refusal {
        errors::provider_not_found(&self.spell(id))
    }

    /// Recorded: when the whole group is gone, a DELETE says that the identity is.
    fn without_group(&self, id: &ResourceId, verb: &str) -> Refusal {
        match id.parent() {
            Some(parent) if verb == "delete" => errors::parent_not_found(verb, id, &parent),
            _ => errors::group_not_found(id.place.group.as_deref().unwrap_or_default()),
        }
    }

    /// Recorded: 201 with a relative `location` header that is no operation, 200 on update.
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        check_name(id.name())?;
        let asked = body::read(call)?;
        let properties = trust(&body::properties(&asked)?)?;
        occupy(call, id)?;
        let world = &mut call.state.world;
        let existing = world.objects.contains(id.key());
        check_siblings(world.objects.starting_with(&siblings(id), ""), id, &properties, existing)?;
        let shown = self.spell(id);
        let now = call.now;
        let mut body = Body::new();
        body.insert("id".to_owned(), shown.as_str().into());
        body.insert("name".to_owned(), id.name().into());
        body.insert("type".to_owned(), TYPE.into());
        body.insert("properties".to_owned(), Value::Object(properties));
        if existing {
            let answer = world.objects.edit(id.key(), |object| {
                if let Some(properties) = body.remove("properties") {
                    object.body.insert("properties".to_owned(), properties);
                }
                object.changed = now;
                reply::json(StatusCode::OK, &object.body)
            });
            return answer.ok_or_else(|| self.missing(id));
        }
        let answer = reply::json(StatusCode::CREATED, &body).with("location", &shown);
        world.objects.insert(id.key().to_owned(), Object::new(TYPE_KEY.to_owned(), body, now));
        Ok(answer)
    }

    fn patch(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        if !call.state.world.objects.contains(id.key()) {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        }
        occupy(call, id)?;
        call.state.world.remove_tree(id.key());
        Ok(reply::empty(StatusCode::OK))
    }
}

fn siblings(id: &ResourceId) -> String {
    let parent = id.parent().map(|parent| parent.key().to_owned()).unwrap_or_default();
    format!("{parent}/federatedidentitycredentials/")
}

/// A write holds the identity for as long as the service works on it; a second one meanwhile is refused.
fn occupy(call: &mut Call<'_>, id: &ResourceId) -> Result<(), Refusal> {
    let Some(parent) = id.parent() else { return Ok(()) };
    let (now, until) = (call.now, call.now.plus(call.work));
    let occupied = &mut call.state.occupied;
    if occupied.get(parent.key()).is_some_and(|busy| now < *busy) {
        let shown = parent.spelled("resourcegroups", identity::TYPE);
        return Err(errors::conflict(
            "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
            format!(
                "Too many Federated Identity Credentials are written concurrently for the managed identity '{shown}'. Concurrent Federated Identity Credentials writes under the same managed identity are not supported."
            ),
        ));
    }
    if until > now {
        occupied.retain(|_, busy| now < *busy);
        occupied.insert(parent.key().to_owned(), until);
    }
    Ok(())
}

/// The properties that the service keeps. Case and trailing slashes are taken as they are: a mistake
/// shows only when a token is exchanged.
fn trust(properties: &Body) -> Result<Body, Refusal> {
    let text = |name: &str| properties.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let audiences = properties.get("audiences").and_then(Value::as_array).filter(|list| !list.is_empty());
    let (Some(issuer), Some(subject), Some(audiences)) = (text("issuer"), text("subject"), audiences) else {
        return Err(errors::bad_request(
            "The request format was unexpected. Federated Identity Credential must specify 'issuer', 'subject' and 'audience'.",
        ));
    };
    if audiences.len() > 1 || !audiences.iter().all(Value::is_string) {
        return Err(errors::bad_request(
            "The request format was unexpected. Federated Identity Credential must specify exactly one 'audience'.",
        ));
    }
    let mut kept = Body::new();
    kept.insert("issuer".to_owned(), issuer.into());
    kept.insert("subject".to_owned(), subject.into());
    kept.insert("audiences".to_owned(), json!(audiences));
    Ok(kept)
}

fn check_siblings<'a>(
    siblings: impl Iterator<Item = (&'a str, &'a Object)>,
    id: &ResourceId,
    properties: &Body,
    existing: bool,
) -> Result<(), Refusal> {
    let text = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut count = 0;
    for (key, other) in siblings {
        count += 1;
        if key != id.key() && other.property("issuer") == text("issuer") && other.property("subject") == text("subject")
        {
            return Err(errors::conflict(
                "Conflict",
                "Issuer and subject combination already exists for this Managed Identity.",
            ));
        }
    }
    if !existing && count >= MOST {
        return Err(errors::bad_request(format!(
            "The number of Federated Identity Credentials of this Managed Identity exceeds the limit of {MOST}."
        )));
    }
    Ok(())
}

/// 3-120 letters, digits, `-` and `_`, starting with a letter or digit.
fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = (3..=120).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if fits {
        return Ok(());
    }
    Err(errors::bad_request(format!(
        "The Federated Identity Credential name '{name}' is invalid. It must have 3 to 120 characters, start with a letter or a number, and contain letters, numbers, '-' and '_' only."
    )))
}
