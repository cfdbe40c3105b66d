//! The tables of the Resource Graph, made from what is in the world.

use serde_json::{Map, Value, json};

use super::run::Row;
use crate::access::grants;
use crate::clock::WorldTime;
use crate::world::{Object, World};

/// A row and the table that it is in.
pub(super) type Placed = (&'static str, Row);

/// The tables that there are, in lower case.
pub(super) const TABLES: [&str; 5] =
    ["resources", "resourcecontainers", "authorizationresources", "policyresources", "securityresources"];

/// All rows, but of what is younger than a moment.
pub(super) fn all(world: &World, oldest: WorldTime) -> Vec<Placed> {
    let mut rows: Vec<Placed> = Vec::new();
    for (_, subscription) in world.subscriptions.iter() {
        let body = json!({
            "id": format!("/subscriptions/{}", subscription.id), "name": subscription.name,
            "type": "microsoft.resources/subscriptions", "properties": { "state": "Enabled" },
        });
        rows.extend(body.as_object().map(|body| ("resourcecontainers", row(world, body, &Map::new()))));
    }
    let objects = world.objects.iter().filter(|(_, object)| object.created <= oldest);
    rows.extend(objects.filter_map(|(key, object)| {
        let table = table_of(key, object)?;
        Some((table, row(world, &object.body, object.properties().unwrap_or(&Map::new()))))
    }));
    rows
}

fn table_of(key: &str, object: &Object) -> Option<&'static str> {
    let kind = object.type_key.as_str();
    if kind == "microsoft.resources/resourcegroups" || kind == "microsoft.resources/subscriptions/resourcegroups" {
        return Some("resourcecontainers");
    }
    if kind == grants::TYPE_KEY || kind == "microsoft.authorization/roledefinitions" {
        return Some("authorizationresources");
    }
    if kind.starts_with("microsoft.authorization/policy") || kind.starts_with("microsoft.policyinsights/") {
        return Some("policyresources");
    }
    if kind.starts_with("microsoft.security/") {
        return Some("securityresources");
    }
    // Tracked resources alone: children without a place of their own and extensions are in no table.
    let tracked = key.contains("/providers/") && object.body.contains_key("location") && kind.matches('/').count() == 1;
    tracked.then_some("resources")
}

/// What every row shows.
fn row(world: &World, body: &Map<String, Value>, properties: &Map<String, Value>) -> Row {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let id = text("id");
    let mut words = id.split('/').skip(1);
    let subscription = if words.next() == Some("subscriptions") { words.next().unwrap_or_default() } else { "" };
    let group = words.next().filter(|word| word.eq_ignore_ascii_case("resourcegroups")).and_then(|_| words.next());
    let mut properties = properties.clone();
    if properties.is_empty() {
        properties = body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    }
    let mut row = Row::new();
    row.insert("id".to_owned(), id.into());
    row.insert("name".to_owned(), text("name").into());
    let kind = match text("type").to_ascii_lowercase().as_str() {
        "microsoft.resources/resourcegroups" => "microsoft.resources/subscriptions/resourcegroups".to_owned(),
        kind => kind.to_owned(),
    };
    row.insert("type".to_owned(), kind.into());
    row.insert("tenantId".to_owned(), world.tenant.as_str().into());
    row.insert("kind".to_owned(), text("kind").into());
    row.insert("location".to_owned(), text("location").into());
    row.insert("resourceGroup".to_owned(), group.unwrap_or_default().to_ascii_lowercase().into());
    row.insert("subscriptionId".to_owned(), subscription.into());
    row.insert("managedBy".to_owned(), text("managedBy").into());
    for name in ["sku", "plan", "tags", "identity", "zones", "extendedLocation"] {
        row.insert(name.to_owned(), body.get(name).cloned().unwrap_or(Value::Null));
    }
    row.insert("properties".to_owned(), Value::Object(properties));
    row
}
