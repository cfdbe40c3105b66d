//! Subscriptions, their locations, and the tenant. Read only: they are made when the world is.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};

use super::{Call, list, region};
use crate::access;
use crate::errors::{self, Outcome};
use crate::id::subscription_key;
use crate::planes::login;
use crate::reply;
use crate::world::{Subscription, World};

pub(super) fn list(call: &Call<'_>) -> Outcome {
    only_reads(call)?;
    let after = list::start(call)?;
    let world = &call.state.world;
    let caller = call.bearer().object_id;
    let rows = world
        .subscriptions
        .starting_with("", &after)
        .filter(|(key, _)| access::sees(world, &caller, &subscription_key(key), call.now))
        .map(|(key, subscription)| (key, Cow::<Value>::Owned(describe(world, subscription))));
    Ok(list::page(call, rows))
}

pub(super) fn get(call: &Call<'_>, id: &str) -> Outcome {
    only_reads(call)?;
    let world = &call.state.world;
    let subscription =
        world.subscriptions.get(&id.to_ascii_lowercase()).ok_or_else(|| errors::subscription_not_found(id))?;
    Ok(reply::json(StatusCode::OK, &describe(world, subscription)))
}

pub(super) fn locations(call: &Call<'_>, id: &str) -> Outcome {
    only_reads(call)?;
    let value: Vec<Value> = region::REGIONS
        .iter()
        .map(|(name, shown)| {
            json!({
                "id": format!("/subscriptions/{id}/locations/{name}"),
                "name": name,
                "type": "Region",
                "displayName": shown,
                "regionalDisplayName": shown,
                "metadata": { "regionType": "Physical", "regionCategory": "Recommended" },
            })
        })
        .collect();
    Ok(reply::json(StatusCode::OK, &json!({ "value": value })))
}

pub(super) fn tenants(call: &Call<'_>) -> Outcome {
    only_reads(call)?;
    let tenant = &call.state.world.tenant;
    let value = json!([{
        "id": format!("/tenants/{tenant}"),
        "tenantId": tenant,
        "countryCode": "DE",
        "displayName": "Emulated tenant",
        "domains": ["emulated.onmicrosoft.com"],
        "tenantCategory": "Home",
        "defaultDomain": "emulated.onmicrosoft.com",
        "tenantType": "AAD",
    }]);
    Ok(reply::json(StatusCode::OK, &json!({ "value": value })))
}

fn only_reads(call: &Call<'_>) -> Result<(), errors::Refusal> {
    if login::reads(&call.visit.method) { Ok(()) } else { Err(errors::method_not_allowed(call.visit.method.as_str())) }
}

fn describe(world: &World, subscription: &Subscription) -> Value {
    json!({
        "id": format!("/subscriptions/{}", subscription.id),
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.id,
        "tenantId": world.tenant,
        "displayName": subscription.name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    })
}
