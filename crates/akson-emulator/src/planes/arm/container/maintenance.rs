//! `managedClusters/maintenanceConfigurations`: replaced as a whole, at once, 200 even when new.

use http::StatusCode;
use serde_json::{Value, json};

use super::shape::{fill, is_empty, said, text};
use super::types::{ArmType, Spelling};
use super::{Body, Call, body};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply;
use crate::world::{Object, World};

const TYPE: &str = "Microsoft.ContainerService/managedClusters/maintenanceConfigurations";
const TYPE_KEY: &str = "microsoft.containerservice/managedclusters/maintenanceconfigurations";

/// The only names there are.
const NAMES: [&str; 3] = ["default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"];

pub(super) struct MaintenanceConfigurations;

impl ArmType for MaintenanceConfigurations {
    /// Recorded: unlike its cluster, with `resourceGroups`.
    fn spelling(&self) -> Spelling {
        Spelling::Groups(TYPE)
    }

    fn without_parent(&self, _verb: &str, _id: &ResourceId, parent: &ResourceId) -> Refusal {
        errors::resource_not_found(parent)
    }

    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        if !NAMES.iter().any(|name| name.eq_ignore_ascii_case(id.name())) {
            let message = format!(
                "The value of parameter configName is invalid. Error details: '{}' must be one of {}.",
                id.name(),
                NAMES.join(", ")
            );
            return Err(errors::container::invalid_parameter(message, "configName"));
        }
        let asked = body::read(call)?;
        let properties = settle(body::properties(&asked)?, id.name(), call.now)?;
        let mut body = Body::new();
        body.insert("id".to_owned(), self.spell(id).into());
        body.insert("name".to_owned(), id.name().into());
        body.insert("properties".to_owned(), Value::Object(properties));
        let answer = reply::json(StatusCode::OK, &body);
        let created = call.state.world.objects.get(id.key()).map_or(call.now, |old| old.created);
        let mut object = Object::new(TYPE_KEY.to_owned(), body, call.now);
        object.created = created;
        call.state.world.objects.insert(id.key().to_owned(), object);
        Ok(answer)
    }

    fn patch(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn complete(&self, _world: &mut World, body: &mut Body, now: WorldTime) {
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let given = body::properties(body).unwrap_or_default();
        let kept = settle(given.clone(), &name, now).unwrap_or(given);
        body.insert("properties".to_owned(), Value::Object(kept));
    }
}

/// Each name has its own form; the start is today unless said otherwise (recorded).
fn settle(properties: Body, name: &str, now: WorldTime) -> Result<Body, Refusal> {
    let Value::Object(mut kept) = said(Value::Object(properties)) else { return Ok(Body::new()) };
    kept.retain(|_, value| !is_empty(value));
    let weekly = name.eq_ignore_ascii_case("default");
    if !weekly && !kept.contains_key("maintenanceWindow") {
        let message = format!("maintenanceWindow must be given for the maintenance configuration {name}.");
        return Err(errors::container::invalid_parameter(message, "properties.maintenanceWindow"));
    }
    if weekly && kept.contains_key("maintenanceWindow") {
        let message =
            "The maintenance configuration default takes timeInWeek and notAllowedTime, no maintenanceWindow.";
        return Err(errors::container::invalid_parameter(message, "properties.maintenanceWindow"));
    }
    if let Some(Value::Object(window)) = kept.get_mut("maintenanceWindow") {
        let hours = window.get("durationHours").and_then(Value::as_u64);
        if !hours.is_some_and(|hours| (4..=24).contains(&hours)) {
            let message = "durationHours must be between 4 and 24.";
            return Err(errors::container::invalid_parameter(message, "properties.maintenanceWindow.durationHours"));
        }
        let kinds = ["daily", "weekly", "absoluteMonthly", "relativeMonthly"];
        let schedule = window.get("schedule").and_then(Value::as_object);
        if schedule.is_none_or(|schedule| kinds.iter().filter(|kind| schedule.contains_key(**kind)).count() != 1) {
            let message = "schedule must be exactly one of daily, weekly, absoluteMonthly and relativeMonthly.";
            return Err(errors::container::invalid_parameter(message, "properties.maintenanceWindow.schedule"));
        }
        if text(window, "startTime").is_empty() {
            let message = "startTime must be given.";
            return Err(errors::container::invalid_parameter(message, "properties.maintenanceWindow.startTime"));
        }
        let today = now.to_seconds().get(..10).unwrap_or_default().to_owned();
        fill(window, json!({ "utcOffset": "+00:00", "startDate": today }));
    }
    Ok(kept)
}
