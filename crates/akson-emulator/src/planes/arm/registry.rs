//! `Microsoft.ContainerRegistry/registries`, the management side. Premium registries are written in
//! their own time by newer versions; everything else is done at once.

use http::StatusCode;
use serde_json::{Value, json};

use super::body::{self, Body};
use super::takes::Takes;
use super::types::{ArmType, Spelling};
use super::{Call, operation, removal};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, Answer, WithHeader};
use crate::world::{Object, Settling, Work, World};

const TYPE: &str = "Microsoft.ContainerRegistry/registries";
pub(super) const TYPE_KEY: &str = "microsoft.containerregistry/registries";

const WRITE: Takes = Takes(6, 10, 20);
const DELETE: Takes = Takes(6, 10, 20);

/// The version from which Premium registries are written asynchronously (as recorded).
const ASYNCHRONOUS: &str = "2023-11";

pub(super) struct Registries;

impl ArmType for Registries {
    fn spelling(&self) -> Spelling {
        Spelling::Groups(TYPE)
    }

    fn put(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        check_name(id.name())?;
        let asked = body::read(call)?;
        let existing = call.state.world.objects.get(id.key()).cloned();
        if existing.is_none() {
            check_free(&call.state.world, id)?;
        }
        let location = body::settled_location(&asked, id, TYPE, existing.as_ref())?;
        let tags = body::tags(&asked)?.unwrap_or_else(|| json!({}));
        let sku = sku(asked.get("sku"))?;
        let properties = settle(call, id, &body::properties(&asked)?, existing.as_ref(), sku == "Premium")?;
        let mut body = Body::new();
        body.insert("sku".to_owned(), json!({ "name": sku, "tier": sku }));
        body.insert("type".to_owned(), TYPE.into());
        let shown = existing.as_ref().map_or_else(|| self.spell(id), |old| old.id().to_owned());
        body.insert("id".to_owned(), shown.into());
        body.insert("name".to_owned(), existing.as_ref().map_or(id.name(), |old| old.text("name")).into());
        body.insert("location".to_owned(), location.into());
        body.insert("tags".to_owned(), tags);
        body.insert("systemData".to_owned(), body::system_data(call, existing.as_ref()));
        if let Some(identity) = identity(call, asked.get("identity"), existing.as_ref()) {
            body.insert("identity".to_owned(), identity);
        }
        body.insert("properties".to_owned(), Value::Object(properties));
        let slow = sku == "Premium" && version >= ASYNCHRONOUS;
        Ok(store(call, id, body, existing.as_ref(), slow, version))
    }

    /// Recorded: at once, except for what concerns every node of the service.
    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        let change = body::read(call)?;
        let tags = body::tags(&change)?;
        let Some(existing) = call.state.world.objects.get(id.key()).cloned() else { return Err(self.missing(id)) };
        let mut merged = Value::Object(existing.properties().cloned().unwrap_or_default());
        let given = body::properties(&change)?;
        body::merge(&mut merged, &Value::Object(given.clone()));
        let sku = sku(change.get("sku").filter(|sku| !sku.is_null()).or(existing.body.get("sku")))?;
        let merged = merged.as_object().cloned().unwrap_or_default();
        let properties = settle(call, id, &merged, Some(&existing), sku == "Premium")?;
        let anonymous = |of: &Body| of.get("anonymousPullEnabled").cloned();
        let slow = change.get("identity").is_some_and(|identity| !identity.is_null())
            || (given.contains_key("anonymousPullEnabled")
                && anonymous(&given) != existing.properties().and_then(anonymous));
        let mut body = existing.body.clone();
        body.insert("sku".to_owned(), json!({ "name": sku, "tier": sku }));
        if let Some(tags) = tags {
            body.insert("tags".to_owned(), tags);
        }
        body.insert("systemData".to_owned(), body::system_data(call, Some(&existing)));
        if let Some(identity) = identity(call, change.get("identity"), Some(&existing)) {
            body.insert("identity".to_owned(), identity);
        }
        body.insert("properties".to_owned(), Value::Object(properties));
        Ok(store(call, id, body, Some(&existing), slow && version >= ASYNCHRONOUS, version))
    }

    /// Recorded: 200 at once, or for a Premium registry and a stable version 202 with `Location`.
    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        let Some(object) = call.state.world.objects.get(id.key()).cloned() else {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        };
        let premium = object.body.get("sku").is_some_and(|sku| sku["name"] == "Premium");
        if !premium || version.len() > 10 {
            removal::remove(&mut call.state.world, id.key(), call.now);
            return Ok(reply::empty(StatusCode::OK));
        }
        let takes = DELETE.draw(&mut call.state.world.dice);
        let until = call.now.plus(takes);
        call.state.world.objects.edit(id.key(), |object| {
            object.settling = Some(Settling { until, state: "Deleting".to_owned() });
        });
        let work = Work::DeleteObject { key: id.key().to_owned() };
        let token = operation::begin(call, work, object.id().to_owned(), takes);
        let subscription = id.place.subscription.as_deref().unwrap_or_default();
        let location = object.text("location");
        let path = format!(
            "/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/locations/{location}/operationResults/registries-{token}"
        );
        let shown = call.state.world.objects.get(id.key()).map(|object| object.view(call.now).into_owned());
        let answer = reply::json(StatusCode::ACCEPTED, &shown);
        Ok(answer.with("location", &operation::url(call, &path, version)).with("retry-after", "10"))
    }

    fn complete(&self, _world: &mut World, body: &mut Body, now: WorldTime) {
        body.entry("location").or_insert_with(|| "westeurope".into());
        body.entry("tags").or_insert_with(|| json!({}));
        let sku = sku(body.get("sku")).unwrap_or("Premium");
        body.insert("sku".to_owned(), json!({ "name": sku, "tier": sku }));
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let given = body::properties(body).unwrap_or_default();
        let filled = fill(&name, given, None, sku == "Premium", now);
        body.insert("properties".to_owned(), Value::Object(filled));
    }
}

fn store(
    call: &mut Call<'_>,
    id: &ResourceId,
    body: Body,
    existing: Option<&Object>,
    slow: bool,
    version: &str,
) -> Answer {
    let now = call.now;
    let mut object = Object::new(TYPE_KEY.to_owned(), body, now);
    object.created = existing.map_or(now, |old| old.created);
    if !slow {
        let answer = reply::json(StatusCode::OK, &object.body);
        call.state.world.objects.insert(id.key().to_owned(), object);
        return answer;
    }
    let takes = WRITE.draw(&mut call.state.world.dice);
    let state = if existing.is_some() { "Updating" } else { "Creating" };
    object.settling = Some(Settling { until: now.plus(takes), state: state.to_owned() });
    let shown = object.view(now).into_owned();
    let target = object.id().to_owned();
    call.state.world.objects.insert(id.key().to_owned(), object);
    let token = operation::begin(call, Work::Write { key: id.key().to_owned() }, target, takes);
    if existing.is_some() {
        call.state.world.operations.edit(&token, |operation| operation.stages = vec!["Updating".to_owned()]);
    }
    let path = format!("{}/operationStatuses/registries-{token}", Registries.spell(id));
    reply::json(StatusCode::CREATED, &shown)
        .with("azure-asyncoperation", &operation::url(call, &path, version))
        .with("retry-after", "10")
}

fn sku(value: Option<&Value>) -> Result<&'static str, Refusal> {
    let name = value.and_then(|sku| sku.get("name")).and_then(Value::as_str).unwrap_or_default();
    ["Basic", "Standard", "Premium"].into_iter().find(|known| known.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let message = format!("The SKU '{name}' of a registry must be Basic, Standard or Premium.");
        Refusal::provider(StatusCode::BAD_REQUEST, "InvalidSku", message)
    })
}

/// Recorded: the type comes back in small letters.
fn identity(call: &mut Call<'_>, asked: Option<&Value>, existing: Option<&Object>) -> Option<Value> {
    let before = existing.and_then(|old| old.body.get("identity")).cloned();
    let Some(Value::Object(asked)) = asked else { return before };
    let kind = asked.get("type").and_then(Value::as_str).unwrap_or("none").to_ascii_lowercase();
    if kind == "none" {
        return None;
    }
    let world = &mut call.state.world;
    let mut identity = json!({ "type": kind });
    if kind.contains("systemassigned") {
        let known = before.as_ref().and_then(|before| before.get("principalId")).cloned();
        identity["principalId"] = known.unwrap_or_else(|| world.dice.guid().into());
        identity["tenantId"] = world.tenant.as_str().into();
    }
    if let Some(Value::Object(assigned)) = asked.get("userAssignedIdentities") {
        let of = |id: &String| {
            let found = world.objects.get(&id.to_ascii_lowercase());
            let text = |name: &str| found.map_or("", |object| object.property(name)).to_owned();
            (id.clone(), json!({ "principalId": text("principalId"), "clientId": text("clientId") }))
        };
        identity["userAssignedIdentities"] = Value::Object(assigned.keys().map(of).collect());
    }
    Some(identity)
}

fn settle(
    call: &Call<'_>,
    id: &ResourceId,
    asked: &Body,
    existing: Option<&Object>,
    premium: bool,
) -> Result<Body, Refusal> {
    let before = existing.and_then(Object::properties);
    let zones = |of: &Body| of.get("zoneRedundancy").and_then(Value::as_str).unwrap_or("Disabled").to_owned();
    if before.is_some_and(|before| asked.contains_key("zoneRedundancy") && zones(before) != zones(asked)) {
        let message = format!("The zone redundancy of the registry {} cannot be changed.", id.name());
        return Err(Refusal::provider(StatusCode::BAD_REQUEST, "ZoneRedundancyNotSupported", message));
    }
    let given = asked.iter().filter(|(_, value)| !value.is_null());
    let given = given.map(|(name, value)| (name.clone(), value.clone())).collect();
    Ok(fill(id.name(), given, before, premium, call.now))
}

/// The properties of a registry with all that the service fills in.
fn fill(name: &str, mut given: Body, before: Option<&Body>, premium: bool, now: WorldTime) -> Body {
    let stamp = now.to_string();
    let kept = |what: &str, new: Value| before.and_then(|before| before.get(what)).cloned().unwrap_or(new);
    let mut properties = Body::new();
    properties.insert("loginServer".to_owned(), format!("{}.azurecr.io", name.to_ascii_lowercase()).into());
    properties.insert("creationDate".to_owned(), kept("creationDate", stamp.as_str().into()));
    properties.insert("provisioningState".to_owned(), "Succeeded".into());
    for own in
        ["loginServer", "creationDate", "provisioningState", "dataEndpointHostNames", "privateEndpointConnections"]
    {
        given.shift_remove(own);
    }
    let mut policies = json!({
        "quarantinePolicy": { "status": "disabled" },
        "trustPolicy": { "type": "Notary", "status": "disabled" },
        "retentionPolicy": { "days": 7, "lastUpdatedTime": stamp, "status": "disabled" },
        "exportPolicy": { "status": "enabled" },
        "azureADAuthenticationAsArmPolicy": { "status": "enabled" },
        "softDeletePolicy": { "retentionDays": 7, "lastUpdatedTime": stamp, "status": "disabled" },
    });
    if let Some(policy) = given.shift_remove("policies") {
        body::merge(&mut policies, &policy);
    }
    let mut defaults = json!({
        "adminUserEnabled": false,
        "policies": policies,
        "encryption": { "status": "disabled" },
        "dataEndpointEnabled": false,
        "dataEndpointHostNames": [],
        "privateEndpointConnections": [],
        "publicNetworkAccess": "Enabled",
        "networkRuleBypassOptions": "AzureServices",
        "zoneRedundancy": "Disabled",
        "anonymousPullEnabled": false,
        "metadataSearch": "Disabled",
    });
    if premium {
        let mut rules = json!({ "defaultAction": "Allow", "ipRules": [] });
        if let Some(asked) = given.shift_remove("networkRuleSet") {
            body::merge(&mut rules, &asked);
        }
        // Documented by clients: a single address comes back without its length.
        if let Some(Value::Array(addresses)) = rules.get_mut("ipRules") {
            for rule in addresses {
                if let Some(text) = rule.get("value").and_then(Value::as_str).and_then(|text| text.strip_suffix("/32"))
                {
                    rule["value"] = text.into();
                }
            }
        }
        if let Some(Value::Array(networks)) = rules.get_mut("virtualNetworkRules") {
            for rule in networks.iter_mut().filter_map(Value::as_object_mut) {
                rule.entry("action").or_insert_with(|| "Allow".into());
            }
        }
        defaults["networkRuleSet"] = rules;
    }
    body::merge(&mut defaults, &Value::Object(given));
    if let Value::Object(defaults) = defaults {
        properties.extend(defaults);
    }
    properties
}

/// Registries have one name space in the world.
fn check_free(world: &World, id: &ResourceId) -> Result<(), Refusal> {
    let taken = world
        .objects
        .iter()
        .any(|(_, object)| object.type_key == TYPE_KEY && object.text("name").eq_ignore_ascii_case(id.name()));
    if !taken {
        return Ok(());
    }
    let name = id.name().to_ascii_lowercase();
    Err(errors::conflict(
        "AlreadyInUse",
        format!(
            "The registry DNS name {name}.azurecr.io is already in use. You can check if the name is already claimed using following API: https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability"
        ),
    ))
}

/// 5-50 letters and digits.
fn check_name(name: &str) -> Result<(), Refusal> {
    if (5..=50).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let message = format!("The registry name '{name}' is invalid. It must have 5 to 50 letters and digits.");
    Err(Refusal::provider(StatusCode::BAD_REQUEST, "InvalidResourceName", message))
}
