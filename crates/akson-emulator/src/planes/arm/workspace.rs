//! `Microsoft.OperationalInsights/workspaces`: a deleted one keeps its name for two weeks, and a write
//! of the same id brings it back.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::body::{self, Body};
use super::takes::Takes;
use super::types::{ArmType, Spelling};
use super::{Call, actions, operation, removal};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, Answer, WithHeader};
use crate::world::{DeletedWorkspace, Object, Settling, Work, World};

const TYPE: &str = "Microsoft.OperationalInsights/workspaces";
pub(super) const TYPE_KEY: &str = "microsoft.operationalinsights/workspaces";

const WRITE: Takes = Takes(12, 17, 30);

/// How long a deleted workspace is kept.
const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// The version in the URLs of operations, whatever the caller's is (recorded).
const OPERATIONS: &str = "2015-11-01-preview";

pub(super) struct Workspaces;

impl ArmType for Workspaces {
    fn spelling(&self) -> Spelling {
        Spelling::Groups(TYPE)
    }

    fn put(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        check_name(id.name())?;
        let asked = body::read(call)?;
        let existing = call.state.world.objects.get(id.key()).cloned();
        let location = body::settled_location(&asked, id, TYPE, existing.as_ref())?;
        let tags = body::tags(&asked)?;
        let given = body::properties(&asked)?;
        let deleted = if existing.is_none() { deleted(call, id, &location)? } else { None };
        let before = existing.as_ref().or(deleted.as_ref());
        let properties = settle(call, &given, before)?;
        let unchanged = existing.as_ref().and_then(Object::properties).is_some_and(|before| same(before, &properties));
        let mut body = Body::new();
        body.insert("properties".to_owned(), Value::Object(properties));
        body.insert("location".to_owned(), location.into());
        if let Some(tags) = tags {
            body.insert("tags".to_owned(), tags);
        }
        body.insert("id".to_owned(), before.map_or_else(|| self.spell(id), |old| old.id().to_owned()).into());
        body.insert("name".to_owned(), before.map_or(id.name(), |old| old.text("name")).into());
        body.insert("type".to_owned(), TYPE.into());
        body.insert("etag".to_owned(), format!("\"{}\"", call.state.world.dice.guid()).into());
        let created = before.map_or(call.now, |old| old.created);
        let state = match (&existing, &deleted) {
            (Some(_), _) => "Updating",
            (None, Some(_)) => "Restoring",
            (None, None) => "Creating",
        };
        call.state.world.deleted_workspaces.remove(id.key());
        let mut object = Object::new(TYPE_KEY.to_owned(), body, call.now);
        object.created = created;
        if existing.is_some() && (unchanged || version == "2023-09-01") {
            let answer = reply::json(StatusCode::OK, &object.body);
            call.state.world.objects.insert(id.key().to_owned(), object);
            return Ok(answer);
        }
        Ok(store(call, id, object, state, version))
    }

    /// 200: the workspace is soft-deleted, or with `force=true` gone for good.
    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let world = &mut call.state.world;
        if !world.objects.contains(id.key()) {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        }
        removal::remove(world, id.key(), call.now);
        if call.visit.query.get("force").is_some_and(|force| force.eq_ignore_ascii_case("true")) {
            world.deleted_workspaces.remove(id.key());
        }
        Ok(reply::empty(StatusCode::OK))
    }

    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let change = body::read(call)?;
        let tags = body::tags(&change)?;
        let Some(existing) = call.state.world.objects.get(id.key()).cloned() else { return Err(self.missing(id)) };
        let mut merged = Value::Object(existing.properties().cloned().unwrap_or_default());
        body::merge(&mut merged, &Value::Object(body::properties(&change)?));
        let merged = merged.as_object().cloned().unwrap_or_default();
        let properties = settle(call, &merged, Some(&existing))?;
        let now = call.now;
        let answer = call.state.world.objects.edit(id.key(), |object| {
            if let Some(tags) = tags {
                object.body.insert("tags".to_owned(), tags);
            }
            object.body.insert("properties".to_owned(), Value::Object(properties));
            object.changed = now;
            reply::json(StatusCode::OK, &object.view(now))
        });
        answer.ok_or_else(|| self.missing(id))
    }

    fn act(&self, call: &mut Call<'_>, id: &ResourceId, action: &str, version: &str) -> Outcome {
        if !action.eq_ignore_ascii_case("sharedKeys") {
            if let Some(outcome) = actions::of(call, id, action) {
                return outcome;
            }
            return Err(errors::invalid_type(&id.namespace, &format!("workspaces/{action}"), version));
        }
        if !call.state.world.objects.contains(id.key()) {
            return Err(self.missing(id));
        }
        let key = |which: &str| {
            let digest = Sha256::new();
            let parts = [call.state.world.key.as_str(), "workspace", id.key(), which];
            let digest = parts.iter().fold(digest, |digest, part| digest.chain_update(part).chain_update("\n"));
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest.finalize())
        };
        let body = json!({ "primarySharedKey": key("primary"), "secondarySharedKey": key("secondary") });
        Ok(reply::json(StatusCode::OK, &body))
    }

    fn leave(&self, world: &mut World, key: &str, now: WorldTime) {
        if let Some(object) = world.objects.get(key).cloned() {
            world.deleted_workspaces.insert(key.to_owned(), DeletedWorkspace { object, purge: now.plus(KEPT) });
        }
    }

    fn complete(&self, world: &mut World, body: &mut Body, now: WorldTime) {
        body.entry("location").or_insert_with(|| "westeurope".into());
        let given = body::properties(body).unwrap_or_default();
        let filled = fill(world, given, None, now);
        body.insert("properties".to_owned(), Value::Object(filled));
    }
}

/// The soft-deleted workspace that a write brings back, if there is one; a name that another one
/// still has is refused.
fn deleted(call: &mut Call<'_>, id: &ResourceId, location: &str) -> Result<Option<Object>, Refusal> {
    let world = &mut call.state.world;
    let due: Vec<String> = world
        .deleted_workspaces
        .iter()
        .filter(|(_, deleted)| deleted.purge <= call.now)
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in due {
        world.deleted_workspaces.remove(&key);
    }
    let taken = world
        .deleted_workspaces
        .iter()
        .find(|(_, deleted)| deleted.object.text("name").eq_ignore_ascii_case(id.name()));
    match taken {
        None => Ok(None),
        Some((key, deleted)) if key == id.key() && deleted.object.text("location") == location => {
            Ok(Some(deleted.object.clone()))
        }
        Some(_) => Err(errors::conflict(
            "Conflict",
            format!(
                "The workspace name '{}' is not unique. A workspace of this name was deleted and can still be recovered.",
                id.name()
            ),
        )),
    }
}

fn store(call: &mut Call<'_>, id: &ResourceId, mut object: Object, state: &str, version: &str) -> Answer {
    let now = call.now;
    let takes = WRITE.draw(&mut call.state.world.dice);
    object.settling = Some(Settling { until: now.plus(takes), state: state.to_owned() });
    let shown = object.view(now).into_owned();
    let (target, location) = (object.id().to_owned(), object.text("location").to_owned());
    call.state.world.objects.insert(id.key().to_owned(), object);
    let subscription = id.place.subscription.as_deref().unwrap_or_default();
    // Recorded: some versions only point at the resource, and have finished an update at once.
    let preview = version.len() > 10 || version == "2023-09-01";
    let created = state != "Updating";
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let mut answer = reply::json(status, &shown);
    let resource = format!("{}{}?api-version={version}", call.visit.base, target);
    if preview {
        return if created { answer.with("location", &resource) } else { answer };
    }
    let token = operation::begin(call, Work::Write { key: id.key().to_owned() }, target.clone(), takes);
    let provider =
        format!("/subscriptions/{subscription}/providers/Microsoft.OperationalInsights/locations/{location}");
    let status = operation::url(call, &format!("{provider}/operationstatuses/{token}"), OPERATIONS);
    answer = answer.with("azure-asyncoperation", &status).with("location", &resource);
    answer.with("retry-after", "20")
}

/// Whether nothing but dates differs.
fn same(before: &Body, after: &Body) -> bool {
    let plain = |of: &Body| {
        let mut of = of.clone();
        of.shift_remove("modifiedDate");
        of
    };
    plain(before) == plain(after)
}

fn settle(call: &mut Call<'_>, given: &Body, before: Option<&Object>) -> Result<Body, Refusal> {
    let days = given.get("retentionInDays").filter(|days| !days.is_null());
    if days.is_some_and(|days| !days.as_i64().is_some_and(|days| (4..=730).contains(&days))) {
        let message = "'RetentionInDays' property doesn't match the SKU limits.";
        return Err(Refusal::provider(StatusCode::BAD_REQUEST, "InvalidParameter", message));
    }
    let given = given.iter().filter(|(_, value)| !value.is_null());
    let given = given.map(|(name, value)| (name.clone(), value.clone())).collect();
    let now = call.now;
    Ok(fill(&mut call.state.world, given, before.and_then(Object::properties), now))
}

/// The properties of a workspace with all that the service fills in.
fn fill(world: &mut World, mut given: Body, before: Option<&Body>, now: WorldTime) -> Body {
    let stamp = now.to_string();
    let before_or = |name: &str, new: Value| before.and_then(|before| before.get(name)).cloned().unwrap_or(new);
    let mut properties = Body::new();
    let customer = given.shift_remove("customerId").filter(|_| before.is_none());
    let customer = customer.unwrap_or_else(|| before_or("customerId", world.dice.guid().into()));
    properties.insert("customerId".to_owned(), customer);
    properties.insert("provisioningState".to_owned(), "Succeeded".into());
    let mut sku = given.shift_remove("sku").unwrap_or_else(|| before_or("sku", json!({ "name": "PerGB2018" })));
    if let Value::Object(sku) = &mut sku {
        // Recorded: the old name turns into today's with the first update.
        if before.is_some() && sku.get("name").and_then(Value::as_str) == Some("Standalone") {
            sku.insert("name".to_owned(), "PerGB2018".into());
        }
        let changed = before.and_then(|before| before.get("sku")).and_then(|sku| sku.get("lastSkuUpdate")).cloned();
        sku.insert("lastSkuUpdate".to_owned(), changed.unwrap_or_else(|| stamp.as_str().into()));
    }
    properties.insert("sku".to_owned(), sku);
    let mut rest = json!({
        "retentionInDays": before_or("retentionInDays", 30.into()),
        "features": { "legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": true },
        "workspaceCapping": {
            "dailyQuotaGb": -1.0,
            "quotaNextResetTime": now.plus(Duration::from_secs(12 * 3600)).to_string(),
            "dataIngestionStatus": "RespectQuota",
        },
        "publicNetworkAccessForIngestion": "Enabled",
        "publicNetworkAccessForQuery": "Enabled",
    });
    if let Some(reset) =
        before.and_then(|before| before.get("workspaceCapping")).and_then(|all| all.get("quotaNextResetTime"))
    {
        rest["workspaceCapping"]["quotaNextResetTime"] = reset.clone();
    }
    for own in ["provisioningState", "createdDate", "modifiedDate", "privateLinkScopedResources"] {
        given.shift_remove(own);
    }
    body::merge(&mut rest, &Value::Object(given));
    if let Value::Object(rest) = rest {
        properties.extend(rest);
    }
    properties.insert("createdDate".to_owned(), before_or("createdDate", stamp.as_str().into()));
    properties.insert("modifiedDate".to_owned(), stamp.into());
    properties
}

/// 4-63 letters, digits and `-`, with a letter or digit at both ends.
fn check_name(name: &str) -> Result<(), Refusal> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let fits = (4..=63).contains(&name.len())
        && edge(name.chars().next())
        && edge(name.chars().last())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if fits {
        return Ok(());
    }
    let message = format!(
        "The workspace name '{name}' is invalid. It must have 4 to 63 letters, digits and '-', and start and end with a letter or digit."
    );
    Err(Refusal::provider(StatusCode::BAD_REQUEST, "InvalidResourceName", message))
}
