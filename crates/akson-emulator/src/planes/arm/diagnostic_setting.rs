//! `Microsoft.Insights/diagnosticSettings` on any resource: replaced as a whole, at once; what is read
//! later is more than what the write answered.

use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::body::{self, Body};
use super::types::ArmType;
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply;
use crate::world::{Object, World};

const TYPE: &str = "Microsoft.Insights/diagnosticSettings";
pub(super) const TYPE_KEY: &str = "microsoft.insights/diagnosticsettings";

/// No resource has more.
const MOST: usize = 5;

/// Where logs can go.
const SINKS: [&str; 4] = ["storageAccountId", "workspaceId", "eventHubAuthorizationRuleId", "marketplacePartnerId"];

pub(super) struct DiagnosticSettings;

impl ArmType for DiagnosticSettings {
    /// Recorded: everything but the type's last word and the name is in lower case.
    fn spell(&self, id: &ResourceId) -> String {
        format!("{}/providers/microsoft.insights/diagnosticSettings/{}", id.scope_key(), id.name())
    }

    fn name(&self, _id: &ResourceId) -> String {
        TYPE.to_owned()
    }

    /// Recorded: the provider's own 404, bare.
    fn missing(&self, id: &ResourceId) -> Refusal {
        let message = format!("The diagnostic setting '{}' doesn't exist.", id.name());
        bare(StatusCode::NOT_FOUND, "ResourceNotFound", message)
    }

    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let asked = body::read(call)?;
        let properties = settle(&body::properties(&asked)?)?;
        check_siblings(&call.state.world, id, &properties)?;
        let mut shown = Body::new();
        shown.insert("id".to_owned(), self.spell(id).into());
        shown.insert("type".to_owned(), TYPE.into());
        shown.insert("name".to_owned(), id.name().into());
        shown.insert("location".to_owned(), Value::Null);
        shown.insert("kind".to_owned(), Value::Null);
        shown.insert("tags".to_owned(), Value::Null);
        shown.insert("properties".to_owned(), Value::Object(properties));
        shown.insert("identity".to_owned(), Value::Null);
        let answer = reply::json(StatusCode::OK, &shown);
        // Known from clients: what enables nothing is accepted and not kept.
        if enabled(&shown).next().is_none() {
            call.state.world.objects.remove(id.key());
            return Ok(answer);
        }
        settle_later(&call.state.world, id, &mut shown);
        let created = call.state.world.objects.get(id.key()).map_or(call.now, |old| old.created);
        let mut object = Object::new(TYPE_KEY.to_owned(), shown, call.now);
        object.created = created;
        call.state.world.objects.insert(id.key().to_owned(), object);
        Ok(answer)
    }

    fn patch(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn complete(&self, world: &mut World, body: &mut Body, _now: WorldTime) {
        let id = body.get("id").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let scope = id.rsplit_once("/providers/").map_or("", |(scope, _)| scope);
        let location = world.objects.get(scope).map_or("global", |target| target.text("location")).to_owned();
        if body.get("location").is_none_or(Value::is_null) {
            body.insert("location".to_owned(), location.into());
        }
        let given = body::properties(body).unwrap_or_default();
        let kept = settle(&given).unwrap_or(given);
        body.insert("properties".to_owned(), Value::Object(kept));
        for absent in ["kind", "tags", "identity"] {
            body.entry(absent).or_insert(Value::Null);
        }
    }
}

fn bare(status: StatusCode, code: &'static str, message: String) -> Refusal {
    errors::bare(status, code, message)
}

/// What the service keeps: all keys are there, null if nothing was said.
fn settle(asked: &Body) -> Result<Body, Refusal> {
    let value = |name: &str| asked.get(name).cloned().unwrap_or_default();
    if SINKS.iter().all(|sink| value(sink).is_null()) {
        let message = "At least one data sink needs to be specified.";
        return Err(bare(StatusCode::BAD_REQUEST, "BadRequest", message.to_owned()));
    }
    let mut kept = Body::new();
    for name in ["storageAccountId", "serviceBusRuleId", "workspaceId", "eventHubAuthorizationRuleId", "eventHubName"] {
        kept.insert(name.to_owned(), value(name));
    }
    for name in ["metrics", "logs"] {
        let items = match value(name) {
            Value::Array(items) => items,
            Value::Null => Vec::new(),
            _ => return Err(errors::invalid_content(&format!("Error converting value. Path 'properties.{name}'."))),
        };
        kept.insert(
            name.to_owned(),
            items.iter().map(|item| category(item, name == "logs")).collect::<Vec<_>>().into(),
        );
    }
    kept.insert("logAnalyticsDestinationType".to_owned(), value("logAnalyticsDestinationType"));
    if !value("marketplacePartnerId").is_null() {
        kept.insert("marketplacePartnerId".to_owned(), value("marketplacePartnerId"));
    }
    Ok(kept)
}

fn category(item: &Value, log: bool) -> Value {
    let mut kept = json!({ "category": item["category"] });
    if log {
        kept["categoryGroup"] = item["categoryGroup"].clone();
    }
    kept["enabled"] = (item["enabled"] == json!(true)).into();
    let retention = item.get("retentionPolicy").filter(|policy| !policy.is_null());
    kept["retentionPolicy"] = retention.cloned().unwrap_or_else(|| json!({ "enabled": false, "days": 0 }));
    kept
}

/// Recorded: later the setting has its target's location, and the metrics that nobody spoke of.
fn settle_later(world: &World, id: &ResourceId, body: &mut Body) {
    let location = world.objects.get(id.scope_key()).map(|target| target.text("location")).unwrap_or_default();
    let location = if location.is_empty() { "global" } else { location };
    body.insert("location".to_owned(), location.into());
    if let Some(Value::Array(metrics)) = body.get_mut("properties").and_then(|properties| properties.get_mut("metrics"))
        && metrics.is_empty()
    {
        metrics.push(json!({
            "category": "AllMetrics", "enabled": false, "retentionPolicy": { "enabled": false, "days": 0 },
        }));
    }
}

/// The categories and groups that a setting enables.
fn enabled(body: &Body) -> impl Iterator<Item = &str> {
    let properties = body.get("properties");
    let items = |name: &str| properties.and_then(|all| all.get(name)).and_then(Value::as_array).into_iter().flatten();
    items("logs")
        .chain(items("metrics"))
        .filter(|item| item["enabled"] == json!(true))
        .filter_map(|item| item["category"].as_str().or(item["categoryGroup"].as_str()))
}

/// Five settings on one resource at most, and no category twice to one sink.
fn check_siblings(world: &World, id: &ResourceId, properties: &Body) -> Result<(), Refusal> {
    let prefix = format!("{}/providers/{TYPE_KEY}/", id.scope_key());
    let own = Body::from_iter([("properties".to_owned(), Value::Object(properties.clone()))]);
    let mut count = 0;
    for (key, other) in world.objects.starting_with(&prefix, "") {
        if key == id.key() {
            continue;
        }
        count += 1;
        let sink = SINKS.iter().find(|sink| {
            let own = properties.get(**sink).and_then(Value::as_str);
            own.is_some_and(|own| own.eq_ignore_ascii_case(other.property(sink)))
        });
        let Some(sink) = sink else { continue };
        if let Some(twice) = enabled(&own).find(|name| enabled(&other.body).any(|theirs| theirs == *name)) {
            let message = format!(
                "Data sink '{}' is already used in diagnostic setting '{}' for category '{twice}'. Data sinks can't be reused in different settings on the same category for the same resource.",
                other.property(sink),
                other.text("name")
            );
            return Err(bare(StatusCode::CONFLICT, "Conflict", message));
        }
    }
    if count < MOST {
        return Ok(());
    }
    let message = format!("The limit of {MOST} diagnostic settings was reached for the resource.");
    Err(bare(StatusCode::CONFLICT, "Conflict", message))
}
