//! What a type of resource can do, and what it does if it has no rules of its own. One module a type
//! overrides what differs; unknown types are `generic`.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::Value;

use super::body::{self, Body};
use super::path::Collection;
use super::{
    Call, actions, activity, authorization, availability, container, deleted_vault, diagnostic_setting, facts,
    federated_credential, generic, identity, list, lock, network, pricing, progress, registry, secret, vault,
    workspace,
};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, Answer};
use crate::world::{Object, World};

/// How a service spells a type and its ids, whatever a caller wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As the caller did when it was made.
    AsWritten,
    /// With `resourceGroups`.
    Groups(&'static str),
    /// With `resourcegroups`.
    SmallGroups(&'static str),
    /// Below any scope, which stays as written.
    Extension(&'static str),
}

/// The rules of a type.
pub(super) trait ArmType: Sync {
    /// How the service spells the type and its ids.
    fn spelling(&self) -> Spelling {
        Spelling::AsWritten
    }

    /// The id as the service spells it.
    fn spell(&self, id: &ResourceId) -> String {
        match self.spelling() {
            Spelling::AsWritten => id.as_written(),
            Spelling::Groups(kind) => id.spelled("resourceGroups", kind),
            Spelling::SmallGroups(kind) => id.spelled("resourcegroups", kind),
            Spelling::Extension(kind) => id.spelled_extension(kind),
        }
    }

    /// Whether children need a parent that exists. Paths like `locations/.../deletedVaults` have none.
    fn has_parents(&self) -> bool {
        true
    }

    /// Creates or updates.
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome;

    /// Changes a part: by default the tags (replaced) and the properties (merged).
    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        let _ = version;
        patch(call, id)
    }

    /// Reads one; missing is ARM's own 404.
    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        let object = call.state.world.objects.get(id.key()).ok_or_else(|| self.missing(id))?;
        let version = call.visit.query.get("api-version").unwrap_or_default();
        Ok(reply::json(StatusCode::OK, &self.view(object, version, call.now)))
    }

    /// What a version of the API shows of one now.
    fn view<'a>(&self, object: &'a Object, version: &str, now: WorldTime) -> Cow<'a, Body> {
        let _ = version;
        object.view(now)
    }

    /// What the provider puts on all its answers, refusals included.
    fn stamp(&self, answer: Answer) -> Answer {
        answer
    }

    /// The 404 for one whose resource group is missing.
    fn without_group(&self, id: &ResourceId, verb: &str) -> Refusal {
        let _ = verb;
        errors::group_not_found(id.place.group.as_deref().unwrap_or_default())
    }

    /// The 404 for a child whose parent is missing.
    fn without_parent(&self, verb: &str, id: &ResourceId, parent: &ResourceId) -> Refusal {
        errors::parent_not_found(verb, id, parent)
    }

    /// The 404 of this type.
    fn missing(&self, id: &ResourceId) -> Refusal {
        errors::resource_not_found(id)
    }

    /// Deletes one with all below it, at once: 200, or 204 if there was none.
    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        let _ = version;
        if !call.state.world.objects.contains(id.key()) {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        }
        call.state.world.remove_tree(id.key());
        Ok(reply::empty(StatusCode::OK))
    }

    /// Lists all at or below a place.
    fn list(&self, call: &mut Call<'_>, collection: &Collection, version: &str) -> Outcome {
        let _ = version;
        list::of_type(call, collection)
    }

    /// Does something that is no write of the resource: by default there is nothing.
    fn act(&self, call: &mut Call<'_>, id: &ResourceId, action: &str, version: &str) -> Outcome {
        if let Some(outcome) = actions::of(call, id, action) {
            return outcome;
        }
        let kinds: Vec<&str> = id.steps.iter().map(|step| step.kind.as_str()).collect();
        Err(errors::invalid_type(&id.namespace, &format!("{}/{action}", kinds.join("/")), version))
    }

    /// Completes a raw body that was put into the world from outside with what the service would have
    /// filled in. `id`, `name` and `type` are there already.
    fn complete(&self, world: &mut World, body: &mut Body, now: WorldTime) {
        let _ = (world, body, now);
    }

    /// What only the end of a write brings. Also called when an object was put into the world from
    /// outside.
    fn finish(&self, world: &mut World, key: &str, now: WorldTime) {
        let _ = (world, key, now);
    }

    /// Writes into an object what it shows of its children.
    fn gather(&self, world: &mut World, key: &str, now: WorldTime) {
        let _ = (world, key, now);
    }

    /// Called just before one goes, alone or with its group: takes along what stands elsewhere, keeps
    /// what is only soft-deleted.
    fn leave(&self, world: &mut World, key: &str, now: WorldTime) {
        let _ = (world, key, now);
    }

    /// Puts a raw body into the world from outside, for what is not kept as an object. `false`, the
    /// default, leaves it to the caller.
    fn place(&self, world: &mut World, id: &ResourceId, body: &Body, now: WorldTime) -> bool {
        let _ = (world, id, body, now);
        false
    }

    /// The type's name as the service spells it; by default as the id has it.
    fn name(&self, id: &ResourceId) -> String {
        match self.spelling() {
            Spelling::AsWritten => id.full_type(),
            Spelling::Groups(kind) | Spelling::SmallGroups(kind) | Spelling::Extension(kind) => kind.to_owned(),
        }
    }
}

/// The rules of a type, by its name in lower case.
pub(super) fn of(type_key: &str) -> &'static dyn ArmType {
    match type_key {
        identity::TYPE_KEY => &identity::Identities,
        federated_credential::TYPE_KEY => &federated_credential::FederatedCredentials,
        vault::TYPE_KEY => &vault::Vaults,
        "microsoft.keyvault/deletedvaults" | "microsoft.keyvault/locations/deletedvaults" => {
            &deleted_vault::DeletedVaults
        }
        lock::TYPE_KEY => &lock::Locks,
        registry::TYPE_KEY => &registry::Registries,
        workspace::TYPE_KEY => &workspace::Workspaces,
        diagnostic_setting::TYPE_KEY => &diagnostic_setting::DiagnosticSettings,
        secret::TYPE_KEY => &secret::Secrets,
        pricing::TYPE_KEY => &pricing::Pricings,
        activity::TYPE_KEY => &activity::Activity,
        key if key.starts_with(authorization::NAMESPACE) => authorization::of(key).unwrap_or(&generic::Anything),
        "microsoft.containerregistry/registries/operationstatuses"
        | "microsoft.network/privatednsoperationstatuses"
        | "microsoft.network/privatednsoperationresults" => &progress::Operations,
        key if facts::KEYS.contains(&key) => &facts::Facts,
        key if key.ends_with(availability::WORD) => &availability::Names,
        key => {
            let in_location = key.split('/').nth(1) == Some("locations");
            let otherwise: &dyn ArmType = if in_location { &progress::Operations } else { &generic::Anything };
            container::of(key).or_else(|| network::of(key)).unwrap_or(otherwise)
        }
    }
}

/// The usual PATCH: tags are replaced, properties merged.
pub(super) fn patch(call: &mut Call<'_>, id: &ResourceId) -> Outcome {
    let change = body::read(call)?;
    let tags = body::tags(&change)?;
    let properties = body::properties(&change)?;
    let (now, rules) = (call.now, of(&id.type_key()));
    let version = call.visit.query.get("api-version").unwrap_or_default();
    let edited = call.state.world.objects.edit(id.key(), |object| {
        if let Some(tags) = tags {
            object.body.insert("tags".to_owned(), tags);
        }
        if !properties.is_empty() {
            let target = object.body.entry("properties").or_insert_with(|| Value::Object(Body::new()));
            body::merge(target, &Value::Object(properties));
        }
        object.changed = now;
        reply::json(StatusCode::OK, &rules.view(object, version, now))
    });
    edited.ok_or_else(|| errors::resource_not_found(id))
}
