//! `Microsoft.ManagedIdentity/userAssignedIdentities`. Synchronous; an identity that is deleted and
//! made again is another principal.

use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::body::{self, Body};
use super::types::{ArmType, Spelling};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, WithHeader};
use crate::world::{Object, World};

pub(super) const TYPE: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
pub(super) const TYPE_KEY: &str = "microsoft.managedidentity/userassignedidentities";

pub(super) struct Identities;

impl ArmType for Identities {
    /// Recorded: `resourcegroups` in lower case, in every version.
    fn spelling(&self) -> Spelling {
        Spelling::SmallGroups(TYPE)
    }

    /// Recorded: 201 with a relative `location` header that is no operation, 200 on update.
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        check_name(id.name())?;
        let asked = body::read(call)?;
        let existing = call.state.world.objects.get(id.key());
        let location = body::settled_location(&asked, id, TYPE, existing)?;
        let tags = body::tags(&asked)?.unwrap_or_else(|| json!({}));
        let scope = isolation_scope(&asked)?;
        let now = call.now;
        if existing.is_some() {
            let answer = call.state.world.objects.edit(id.key(), |object| {
                object.body.insert("tags".to_owned(), tags);
                object.changed = now;
                reply::json(StatusCode::OK, &object.body)
            });
            return answer.ok_or_else(|| self.missing(id));
        }
        let shown = self.spell(id);
        let mut body = Body::new();
        body.insert("location".to_owned(), location.into());
        body.insert("tags".to_owned(), tags);
        body.insert("id".to_owned(), shown.as_str().into());
        body.insert("name".to_owned(), id.name().into());
        body.insert("type".to_owned(), TYPE.into());
        body.insert("properties".to_owned(), principal(&mut call.state.world, scope));
        let answer = reply::json(StatusCode::CREATED, &body).with("location", &shown);
        call.state.world.objects.insert(id.key().to_owned(), Object::new(TYPE_KEY.to_owned(), body, now));
        Ok(answer)
    }

    /// Only tags change; `properties` are the service's own.
    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let change = body::read(call)?;
        if let Some(location) = body::location(&change, TYPE)? {
            body::stays(&location, id, call.state.world.objects.get(id.key()))?;
        }
        let tags = body::tags(&change)?;
        let now = call.now;
        let answer = call.state.world.objects.edit(id.key(), |object| {
            if let Some(tags) = tags {
                object.body.insert("tags".to_owned(), tags);
            }
            object.changed = now;
            reply::json(StatusCode::OK, &object.body)
        });
        answer.ok_or_else(|| self.missing(id))
    }

    fn complete(&self, world: &mut World, body: &mut Body, _now: WorldTime) {
        body.entry("tags").or_insert_with(|| json!({}));
        body.entry("location").or_insert_with(|| "westeurope".into());
        let filled = principal(world, None);
        let given = body.entry("properties").or_insert_with(|| json!({}));
        if let (Value::Object(given), Value::Object(filled)) = (given, filled) {
            for (name, value) in filled {
                given.entry(name).or_insert(value);
            }
        }
    }
}

/// What the service makes up: a new service principal.
fn principal(world: &mut World, isolation_scope: Option<Value>) -> Value {
    let mut properties = json!({
        "tenantId": world.tenant,
        "principalId": world.dice.guid(),
        "clientId": world.dice.guid(),
    });
    if let Some(scope) = isolation_scope {
        properties["isolationScope"] = scope;
    }
    properties
}

fn isolation_scope(body: &Body) -> Result<Option<Value>, Refusal> {
    match body::properties(body)?.get("isolationScope") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(scope)) if matches!(scope.as_str(), "None" | "Regional") => Ok(Some(scope.as_str().into())),
        Some(_) => Err(errors::bad_request("The value of 'isolationScope' must be 'None' or 'Regional'.")),
    }
}

/// 3-128 letters, digits, `-` and `_`, starting with a letter or digit.
fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = (3..=128).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if fits {
        return Ok(());
    }
    Err(errors::bad_request(format!(
        "The resource name '{name}' is invalid. It must have 3 to 128 characters, start with a letter or a number, and contain letters, numbers, '-' and '_' only."
    )))
}
