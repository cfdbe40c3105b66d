//! Azure Resource Manager: what holds for every type before its own rules are asked. In Azure's order:
//! token, rate, api-version, subscription, rights, resource group, parent, locks.

mod actions;
mod activity;
mod authorization;
mod availability;
mod body;
pub(crate) mod container;
mod deleted_vault;
mod diagnostic_setting;
mod facts;
mod federated_credential;
mod generic;
mod identity;
mod inventory;
mod list;
mod lock;
mod network;
mod operation;
mod path;
mod policy_insights;
mod pricing;
mod progress;
mod provider;
mod region;
mod registry;
mod removal;
mod resource_graph;
mod resource_group;
mod rights;
pub(crate) mod secret;
pub(crate) mod seeding;
mod subscription;
mod tags;
mod takes;
mod types;
mod vault;
mod version;
mod workspace;

use http::Method;

use super::{Bearer, Call, login};
use crate::errors::{self, Outcome, Refusal};
use crate::id::{ResourceId, group_key, subscription_key};
use crate::planes::login::BadToken;
use crate::reply::{Answer, WithHeader};
use crate::throttle::Limit;
use crate::world::World;
use path::{Collection, Target};
use types::ArmType;

pub(crate) use activity::{Outside, note_of as note_deed_of};
pub(crate) use operation::settle;
pub(crate) use removal::forget;
pub(crate) use resource_graph::Index as GraphIndex;

/// The audiences whose tokens ARM accepts.
const AUDIENCES: [&str; 2] = ["https://management.azure.com", "https://management.core.windows.net"];

pub(super) fn answer(call: &mut Call<'_>) -> Answer {
    let mut remaining = None;
    let mut target = None;
    let outcome = respond(call, &mut remaining, &mut target);
    let answer = outcome.unwrap_or_else(Refusal::into_answer);
    if let Some(target) = target {
        activity::note(call, &target, &answer);
    }
    match remaining {
        Some((limit, left)) => with_remaining(answer, limit, left),
        None => answer,
    }
}

/// Says on the way how much of a limit is left and, once the call has got past the gate, what it is for.
fn respond(call: &mut Call<'_>, remaining: &mut Option<(Limit, u32)>, noted: &mut Option<Target>) -> Outcome {
    call.bearer = Some(authenticate(call)?);
    let target = Target::of(call.visit).ok_or_else(|| errors::no_such_path(&call.visit.path))?;
    *remaining = Some(throttle(call, &target)?);
    let version = version::check(call, &target)?;
    if let Some(subscription) = target.subscription() {
        find_subscription(&call.state.world, subscription)?;
    }
    *noted = Some(target.clone());
    rights::check(call, &target)?;
    dispatch(call, &target, &version)
}

fn authenticate(call: &Call<'_>) -> Result<Bearer, Refusal> {
    let world = &call.state.world;
    let bad = match login::check(world, call.visit.header("authorization"), &AUDIENCES, call.now) {
        Ok(bearer) => return Ok(bearer),
        Err(bad) => bad,
    };
    let (code, message, reason) = match bad {
        BadToken::Missing => (
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.".to_owned(),
            "The authentication failed because of missing 'Authorization' header.",
        ),
        BadToken::Invalid => {
            ("InvalidAuthenticationToken", "The access token is invalid.".to_owned(), "The access token is invalid.")
        }
        BadToken::WrongAudience => (
            "InvalidAuthenticationTokenAudience",
            "The access token has been obtained for wrong audience or resource. It should exactly match with one of the allowed audiences 'https://management.core.windows.net/','https://management.core.windows.net','https://management.azure.com/','https://management.azure.com'.".to_owned(),
            "The access token has been obtained for wrong audience.",
        ),
        BadToken::Expired { at } => (
            "ExpiredAuthenticationToken",
            format!(
                "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
                at.to_seconds(),
                call.now.to_seconds()
            ),
            "The access token has expired.",
        ),
    };
    Err(errors::unauthenticated(&world.tenant, code, message, reason))
}

/// Takes tokens for a call: ARM's own, and those of the providers that have limits of their own.
fn throttle(call: &mut Call<'_>, target: &Target) -> Result<(Limit, u32), Refusal> {
    let (method, now) = (&call.visit.method, call.now);
    let subscription = target.subscription().unwrap_or_default().to_ascii_lowercase();
    let limit = Limit::of(method);
    if !call.options.rate_limits {
        return Ok((limit, 199));
    }
    let left = call
        .state
        .buckets
        .take(&subscription, limit, now)
        .map_err(|seconds| errors::throttled(&subscription, &call.bearer().object_id, limit.word(), seconds))?;
    if target.namespace().is_some_and(|namespace| namespace.eq_ignore_ascii_case("Microsoft.ManagedIdentity")) {
        let limit = Limit::of_identities(method, matches!(target, Target::Collection(_)));
        call.state
            .buckets
            .take(&subscription, limit, now)
            .map_err(|seconds| errors::identity_throttled(&subscription, seconds))?;
    }
    if target.namespace().is_some_and(|namespace| namespace.eq_ignore_ascii_case("Microsoft.ContainerService")) {
        container::admit(call, target)?;
    }
    Ok((limit, left))
}

/// The headers that say how much of a limit is left (recorded names; the global one is of all
/// principals, 15 times as large).
fn with_remaining(answer: Answer, limit: Limit, left: u32) -> Answer {
    let global = left.saturating_mul(15).saturating_add(14).to_string();
    let left = left.to_string();
    match limit.word() {
        "reads" => answer
            .with("x-ms-ratelimit-remaining-subscription-reads", &left)
            .with("x-ms-ratelimit-remaining-subscription-global-reads", &global),
        "deletes" => answer
            .with("x-ms-ratelimit-remaining-subscription-deletes", &left)
            .with("x-ms-ratelimit-remaining-subscription-global-deletes", &global),
        _ => answer
            .with("x-ms-ratelimit-remaining-subscription-writes", &left)
            .with("x-ms-ratelimit-remaining-subscription-global-writes", &global),
    }
}

fn find_subscription(world: &World, subscription: &str) -> Result<(), Refusal> {
    if world.subscriptions.contains(&subscription.to_ascii_lowercase()) {
        return Ok(());
    }
    let digits = subscription.chars().filter(char::is_ascii_hexdigit).count();
    if subscription.len() == 36 && digits == 32 {
        Err(errors::subscription_not_found(subscription))
    } else {
        Err(errors::invalid_subscription_id(subscription))
    }
}

fn dispatch(call: &mut Call<'_>, target: &Target, version: &str) -> Outcome {
    match target {
        Target::Subscriptions => subscription::list(call),
        Target::Subscription(id) => subscription::get(call, id),
        Target::Locations(id) => subscription::locations(call, id),
        Target::Tenants => subscription::tenants(call),
        Target::Providers(subscription) => provider::list(call, subscription.as_deref()),
        Target::Provider { subscription, namespace } => provider::get(call, subscription.as_deref(), namespace),
        Target::Register { subscription, namespace } => provider::register(call, subscription, namespace),
        Target::Groups(subscription) => resource_group::list(call, subscription),
        Target::Group { subscription, group } => resource_group::answer(call, subscription, group),
        Target::Inventory { subscription, group } => inventory::list(call, subscription, group.as_deref()),
        Target::GroupOperation { token } => operation::poll_group(call, token),
        Target::Resource(id) => of_resource(call, id, version),
        Target::Collection(collection) => of_collection(call, collection, version),
        Target::Action { id, action } => {
            let rules = types::of(&id.type_key());
            ready(call, rules, id)?;
            let outcome = rules.act(call, id, action, version);
            by_provider(rules, outcome)
        }
    }
}

fn of_resource(call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
    let rules = types::of(&id.type_key());
    ready(call, rules, id)?;
    let outcome = match call.visit.method {
        Method::GET | Method::HEAD => rules.get(call, id),
        Method::PUT => rules.put(call, id, version),
        Method::PATCH => rules.patch(call, id, version),
        Method::DELETE => rules.delete(call, id, version),
        _ => Err(errors::method_not_allowed(call.visit.method.as_str())),
    };
    by_provider(rules, outcome)
}

/// Lets the provider mark what it answered itself.
fn by_provider(rules: &dyn ArmType, outcome: Outcome) -> Outcome {
    match outcome {
        Ok(answer) => Ok(rules.stamp(answer)),
        Err(refusal) if refusal.by_provider() => Ok(rules.stamp(refusal.into_answer())),
        Err(refusal) => Err(refusal),
    }
}

fn of_collection(call: &mut Call<'_>, collection: &Collection, version: &str) -> Outcome {
    let question = collection.type_key.ends_with(availability::WORD) || collection.type_key == resource_graph::TYPE_KEY;
    if !login::reads(&call.visit.method) && !question {
        return Err(errors::method_not_allowed(call.visit.method.as_str()));
    }
    let rules = types::of(&collection.type_key);
    if let (Some(subscription), Some(group)) = (&collection.place.subscription, &collection.place.group)
        && !call.state.world.objects.contains(&group_key(subscription, group))
    {
        return Err(errors::group_not_found(group));
    }
    if rules.has_parents()
        && let Some(parent) = &collection.parent
        && !call.state.world.objects.contains(parent.key())
    {
        return Err(rules.without_parent("read", &collection.member("x"), parent));
    }
    let outcome = rules.list(call, collection, version);
    by_provider(rules, outcome)
}

/// Whether what a resource stands in exists and may be changed.
fn ready(call: &Call<'_>, rules: &dyn ArmType, id: &ResourceId) -> Result<(), Refusal> {
    let world = &call.state.world;
    let method = &call.visit.method;
    let verb = match *method {
        Method::GET | Method::HEAD => "read",
        Method::DELETE => "delete",
        _ => "write",
    };
    if let (Some(subscription), Some(group)) = (&id.place.subscription, &id.place.group) {
        let found = world.objects.get(&group_key(subscription, group));
        let found = found.ok_or_else(|| rules.without_group(id, verb))?;
        if verb == "write" && found.property("provisioningState") == "Deleting" {
            return Err(errors::group_being_deleted(group));
        }
    }
    if id.on_resource()
        && id.place.subscription.is_some()
        && !world.objects.contains(authorization::resource_of(id.scope_key()))
        && let Some(Target::Resource(scope)) =
            Target::parse(id.scope.get(..authorization::resource_of(&id.scope).len()).unwrap_or_default(), &Method::GET)
    {
        return Err(errors::resource_not_found(&scope));
    }
    if rules.has_parents()
        && let Some(parent) = id.parent()
        && !world.objects.contains(parent.key())
    {
        return Err(rules.without_parent(verb, id, &parent));
    }
    lock::check(call, &id.as_written(), id.key(), &id.type_key())
}

/// The key of a scope that may be a subscription or a group.
fn place_key(subscription: &str, group: Option<&str>) -> String {
    group.map_or_else(|| subscription_key(subscription), |group| group_key(subscription, group))
}
