//! `privateDnsZones` and their `virtualNetworkLinks`: a write answers 202 with `{}` and says nothing
//! more until it is done; a link goes on settling after that.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use super::super::body::{self, Body};
use super::super::takes::Takes;
use super::super::types::{ArmType, Spelling};
use super::super::{Call, generic, operation, removal};
use super::references;
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, Answer, WithHeader};
use crate::world::{Object, Settling, Work, World};

const ZONE: &str = "Microsoft.Network/privateDnsZones";
const LINK: &str = "Microsoft.Network/privateDnsZones/virtualNetworkLinks";
const ZONE_KEY: &str = "microsoft.network/privatednszones";

const WRITE: Takes = Takes(28, 31, 40);
const DELETE: Takes = Takes(28, 31, 60);

/// Private DNS zones.
pub(super) struct Zones;

/// The links of zones to virtual networks.
pub(super) struct Links;

/// The URLs of an operation: its status and its result.
pub(in super::super) fn urls(call: &Call<'_>, id: &ResourceId, token: &str) -> (String, String) {
    let (subscription, group) = (&id.place.subscription, &id.place.group);
    let (subscription, group) = (subscription.as_deref().unwrap_or_default(), group.as_deref().unwrap_or_default());
    let version = call.visit.query.get("api-version").unwrap_or("2024-06-01");
    let url = |kind: &str| {
        let place = format!("/subscriptions/{subscription}/resourceGroups/{group}");
        operation::url(call, &format!("{place}/providers/Microsoft.Network/{kind}/{token}"), version)
    };
    (url("privateDnsOperationStatuses"), url("privateDnsOperationResults"))
}

fn accepted(call: &Call<'_>, id: &ResourceId, token: &str, body: bool) -> Answer {
    let (statuses, results) = urls(call, id, token);
    let answer = if body { reply::json(StatusCode::ACCEPTED, &json!({})) } else { reply::empty(StatusCode::ACCEPTED) };
    answer.with("azure-asyncoperation", &statuses).with("location", &results).with("retry-after", "30")
}

impl ArmType for Zones {
    fn spelling(&self) -> Spelling {
        Spelling::Groups(ZONE)
    }

    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let labels: Vec<&str> = id.name().split('.').collect();
        if labels.len() < 2 || labels.iter().any(|label| label.is_empty() || label.len() > 63) {
            return Err(errors::bad_request(format!(
                "The domain name '{}' is invalid. The provided private zone name must have at least 2 labels.",
                id.name()
            )));
        }
        let asked = body::read(call)?;
        let draft = draft(call, self, id, &asked)?;
        Ok(store(call, id, ZONE_KEY, draft))
    }

    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        patch(call, self, id)
    }

    /// Recorded: refused until the last link is really gone.
    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let prefix = format!("{}/virtualnetworklinks/", id.key());
        if let Some((_, link)) = call.state.world.objects.starting_with(&prefix, "").next() {
            let child = format!("{ZONE}/{}/virtualNetworkLinks/{}", id.name(), link.text("name"));
            return Err(errors::network::nested(&child));
        }
        Ok(delete(call, id))
    }

    fn complete(&self, _world: &mut World, body: &mut Body, _now: WorldTime) {
        body.insert("location".to_owned(), "global".into());
        body::merge_missing(body, "properties", "provisioningState", "Succeeded".into());
    }

    /// Recorded: newer versions show an id of the zone's own, which does not say anything.
    fn view<'a>(&self, object: &'a Object, version: &str, now: WorldTime) -> Cow<'a, Body> {
        let mut body = object.view(now).into_owned();
        if version >= "2024-06-01"
            && let Some(Value::Object(properties)) = body.get_mut("properties")
        {
            let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            let seed = object.id().to_ascii_lowercase().bytes().fold(0xcbf2_9ce4_8422_2325, hash);
            let identity = format!("ImmutableZoneIdentity;{};0", crate::dice::Dice::new(seed).guid());
            properties.insert("internalId".to_owned(), STANDARD.encode(identity).into());
        }
        Cow::Owned(body)
    }

    fn finish(&self, world: &mut World, key: &str, now: WorldTime) {
        self.gather(world, key, now);
    }

    /// The counters.
    fn gather(&self, world: &mut World, key: &str, _now: WorldTime) {
        let prefix = format!("{key}/virtualnetworklinks/");
        let (mut links, mut registering) = (0, 0);
        for (_, link) in world.objects.starting_with(&prefix, "") {
            links += 1;
            let registers = link.properties().and_then(|own| own.get("registrationEnabled")) == Some(&json!(true));
            registering += u32::from(registers);
        }
        world.objects.edit(key, |zone| {
            let properties = zone.body.entry("properties").or_insert_with(|| json!({}));
            properties["numberOfVirtualNetworkLinks"] = links.into();
            properties["numberOfVirtualNetworkLinksWithRegistration"] = registering.into();
            for (name, value) in [
                ("maxNumberOfRecordSets", 25_000),
                ("maxNumberOfVirtualNetworkLinks", 1000),
                ("maxNumberOfVirtualNetworkLinksWithRegistration", 100),
                ("numberOfRecordSets", 1),
            ] {
                properties[name] = value.into();
            }
        });
    }
}

impl ArmType for Links {
    fn spelling(&self) -> Spelling {
        Spelling::Groups(LINK)
    }

    /// Recorded: a link that is read in a zone that is not there is itself what is not found.
    fn without_parent(&self, verb: &str, id: &ResourceId, parent: &ResourceId) -> Refusal {
        if verb == "read" { errors::resource_not_found(id) } else { errors::parent_not_found(verb, id, parent) }
    }

    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let asked = body::read(call)?;
        let mut draft = draft(call, self, id, &asked)?;
        let properties = body::properties(&asked)?;
        let network = properties.get("virtualNetwork").and_then(|network| network.get("id")).and_then(Value::as_str);
        let Some(network) = network else {
            return Err(errors::bad_request("The virtual network of a virtual network link must be given."));
        };
        check_network(&call.state.world, id, network)?;
        let existing = call.state.world.objects.get(id.key());
        let before = existing.and_then(|old| old.body.get("properties")?.pointer("/virtualNetwork/id")?.as_str());
        if before.is_some_and(|before| !before.eq_ignore_ascii_case(network)) {
            return Err(errors::bad_request(format!(
                "The virtual network of the virtual network link '{}' cannot be changed.",
                id.name()
            )));
        }
        references::check(&call.state.world, id, &self.spell(id), &properties, call.now)?;
        let registers = properties.get("registrationEnabled").and_then(Value::as_bool).unwrap_or(false);
        let mut kept = json!({
            "provisioningState": "Succeeded",
            "registrationEnabled": registers,
            "virtualNetwork": { "id": network },
            "virtualNetworkLinkState": "InProgress",
        });
        if let Some(policy) = properties.get("resolutionPolicy").filter(|policy| !policy.is_null()) {
            kept["resolutionPolicy"] = policy.clone();
        }
        draft.insert("properties".to_owned(), kept);
        Ok(store(call, id, "microsoft.network/privatednszones/virtualnetworklinks", draft))
    }

    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        patch(call, self, id)
    }

    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        Ok(delete(call, id))
    }

    fn complete(&self, _world: &mut World, body: &mut Body, _now: WorldTime) {
        body.insert("location".to_owned(), "global".into());
        for (name, value) in [
            ("provisioningState", json!("Succeeded")),
            ("registrationEnabled", json!(false)),
            ("virtualNetworkLinkState", json!("Completed")),
        ] {
            body::merge_missing(body, "properties", name, value);
        }
    }

    /// The link itself settles a little later than the operation (recorded): at the second look.
    fn finish(&self, world: &mut World, key: &str, now: WorldTime) {
        world.objects.edit(key, |link| {
            if let Some(properties) = link.body.get_mut("properties") {
                properties["virtualNetworkLinkState"] = "Completed".into();
            }
        });
        removal::tidy(world, key, now);
    }
}

/// One link between a zone and a network.
fn check_network(world: &World, id: &ResourceId, network: &str) -> Result<(), Refusal> {
    let Some(zone) = id.parent() else { return Ok(()) };
    let prefix = format!("{}/virtualnetworklinks/", zone.key());
    let other = world.objects.starting_with(&prefix, "").find(|(key, link)| {
        let theirs = link.body.get("properties").and_then(|own| own.pointer("/virtualNetwork/id"));
        *key != id.key() && theirs.and_then(Value::as_str).is_some_and(|theirs| theirs.eq_ignore_ascii_case(network))
    });
    match other {
        Some((_, other)) => Err(errors::conflict(
            "Conflict",
            format!(
                "A virtual network link to the virtual network '{network}' already exists in the private DNS zone '{}': '{}'.",
                zone.name(),
                other.text("name")
            ),
        )),
        None => Ok(()),
    }
}

/// The body of a zone or link before its properties, with all that both check.
fn draft(call: &mut Call<'_>, rules: &dyn ArmType, id: &ResourceId, asked: &Body) -> Result<Body, Refusal> {
    let existing = call.state.world.objects.get(id.key()).cloned();
    generic::check_conditions(call, existing.as_ref())?;
    generic::check_busy(call, id, existing.as_ref())?;
    let tags = body::tags(asked)?;
    let location = body::settled_location(asked, id, &rules.name(id), existing.as_ref())?;
    if location != "global" {
        return Err(errors::type_location_unavailable(&location, &rules.name(id), "global"));
    }
    let mut body = Body::new();
    body.insert("id".to_owned(), existing.as_ref().map_or_else(|| rules.spell(id), |old| old.id().to_owned()).into());
    body.insert("name".to_owned(), existing.as_ref().map_or(id.name(), |old| old.text("name")).into());
    body.insert("type".to_owned(), rules.name(id).into());
    body.insert("etag".to_owned(), call.state.world.dice.guid().into());
    body.insert("location".to_owned(), location.into());
    if let Some(tags) = tags {
        body.insert("tags".to_owned(), tags);
    }
    body.insert("properties".to_owned(), json!({ "provisioningState": "Succeeded" }));
    Ok(body)
}

fn store(call: &mut Call<'_>, id: &ResourceId, type_key: &str, body: Body) -> Answer {
    let takes = WRITE.draw(&mut call.state.world.dice);
    let mut object = Object::new(type_key.to_owned(), body, call.now);
    object.created = call.state.world.objects.get(id.key()).map_or(call.now, |old| old.created);
    object.settling = Some(Settling { until: call.now.plus(takes), state: "Updating".to_owned() });
    let target = object.id().to_owned();
    call.state.world.objects.insert(id.key().to_owned(), object);
    if type_key == ZONE_KEY {
        Zones.gather(&mut call.state.world, id.key(), call.now);
    }
    removal::tidy(&mut call.state.world, id.key(), call.now);
    let token = operation::begin(call, Work::Write { key: id.key().to_owned() }, target, takes);
    accepted(call, id, &token, true)
}

/// Recorded: like a write; tags and `registrationEnabled` are what can change.
fn patch(call: &mut Call<'_>, rules: &dyn ArmType, id: &ResourceId) -> Outcome {
    let change = body::read(call)?;
    let tags = body::tags(&change)?;
    let registers = body::properties(&change)?.get("registrationEnabled").filter(|value| value.is_boolean()).cloned();
    let existing = call.state.world.objects.get(id.key()).cloned();
    let Some(mut object) = existing else { return Err(rules.missing(id)) };
    generic::check_busy(call, id, Some(&object))?;
    if let Some(tags) = tags {
        object.body.insert("tags".to_owned(), tags);
    }
    if let (Some(registers), Some(Value::Object(properties))) = (registers, object.body.get_mut("properties")) {
        properties.insert("registrationEnabled".to_owned(), registers);
    }
    let type_key = object.type_key.clone();
    Ok(store(call, id, &type_key, object.body))
}

fn delete(call: &mut Call<'_>, id: &ResourceId) -> Answer {
    let Some(object) = call.state.world.objects.get(id.key()).cloned() else {
        return reply::empty(StatusCode::NO_CONTENT);
    };
    let takes = DELETE.draw(&mut call.state.world.dice);
    let until = call.now.plus(takes);
    call.state.world.objects.edit(id.key(), |object| {
        object.settling = Some(Settling { until, state: "Deleting".to_owned() });
    });
    let token = operation::begin(call, Work::DeleteObject { key: id.key().to_owned() }, object.id().to_owned(), takes);
    accepted(call, id, &token, false)
}
