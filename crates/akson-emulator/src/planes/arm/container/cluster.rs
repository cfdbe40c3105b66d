//! `managedClusters`: a write lays itself over what there is, answers at once with nearly all of it,
//! and is at work for minutes.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};

use super::pool_shape::{self, Settled, Surroundings};
use super::shape::{at, fill, is_on, lay_over, said, set, text};
use super::takes::Takes;
use super::types::ArmType;
use super::version::Version;
use super::{
    Body, CLUSTER, CLUSTER_KEY, Call, POOL_KEY, actions, body, credential, defaults, edition, flow, node_group,
    operation, pool, profiles, removal, rules,
};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::{ResourceId, Step};
use crate::reply;
use crate::world::{Object, Settling, Work, World};

/// The type as the body spells it (recorded, every version).
const SHOWN: &str = "Microsoft.ContainerService/ManagedClusters";

const CREATE: Takes = Takes(209, 303, 439);
const UPDATE: Takes = Takes(92, 114, 470);
const UPGRADE: Takes = Takes(600, 867, 1200);
const DELETE: Takes = Takes(90, 191, 360);
const POWER: Takes = Takes(60, 120, 240);
const ABORT: Takes = Takes(3, 5, 10);

/// What only the service says.
const OWN: [&str; 12] = [
    "provisioningState",
    "powerState",
    "fqdn",
    "privateFQDN",
    "azurePortalFQDN",
    "currentKubernetesVersion",
    "maxAgentPools",
    "privateLinkResources",
    "resourceUID",
    "eTag",
    "status",
    "oidcIssuerProfile.issuerURL",
];

pub(super) struct Clusters;

/// A cluster as a write leaves it.
struct Draft {
    body: Body,
    pools: Vec<(ResourceId, Settled)>,
    state: &'static str,
    takes: Takes,
    /// Empty profiles that were sent and are in the first answer only.
    also_shown: Vec<&'static str>,
}

impl ArmType for Clusters {
    fn spell(&self, id: &ResourceId) -> String {
        id.spelled("resourcegroups", CLUSTER)
    }

    fn name(&self, _id: &ResourceId) -> String {
        SHOWN.to_owned()
    }

    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        rules::check_name(id.name())?;
        let asked = body::read(call)?;
        flow::throttle(call, id)?;
        flow::check_all(call, id.key())?;
        let draft = draft(call, id, &asked)?;
        Ok(store(call, id, draft))
    }

    /// Only tags, but at work like any write.
    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let change = body::read(call)?;
        let tags = body::tags(&change)?;
        if !call.state.world.objects.contains(id.key()) {
            return Err(self.missing(id));
        }
        flow::check_all(call, id.key())?;
        if let Some(tags) = tags {
            call.state.world.objects.edit(id.key(), |object| object.body.insert("tags".to_owned(), tags));
        }
        let token = work_on(call, id, "Updating", UPDATE, Vec::new());
        let answer = reply::json(StatusCode::OK, &view(call, id));
        Ok(flow::followed(call, answer, id, &token, false))
    }

    /// Accepted at any time, even while something else is going on.
    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let Some(object) = call.state.world.objects.get(id.key()).cloned() else {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        };
        let deleting = operation::running(&call.state.world, id.key())
            .filter(|(_, operation)| matches!(operation.work, Work::DeleteObject { .. }))
            .map(|(token, _)| token.to_owned());
        let token = deleting.unwrap_or_else(|| {
            operation::cancel(&mut call.state.world, id.key(), call.now);
            let takes = DELETE.draw(&mut call.state.world.dice);
            flow::settle_for(&mut call.state.world, id.key(), call.now.plus(takes), "Deleting");
            let work = Work::DeleteObject { key: id.key().to_owned() };
            flow::begin(call, work, object.id().to_owned(), takes, Vec::new())
        });
        Ok(flow::followed(call, reply::empty(StatusCode::ACCEPTED), id, &token, true))
    }

    fn act(&self, call: &mut Call<'_>, id: &ResourceId, action: &str, version: &str) -> Outcome {
        let Some(cluster) = call.state.world.objects.get(id.key()).cloned() else { return Err(self.missing(id)) };
        match action.to_ascii_lowercase().as_str() {
            "listclusterusercredential" | "listclustermonitoringusercredential" => {
                credential::of_users(call, id, &cluster)
            }
            "listclusteradmincredential" => credential::of_admins(call, id, &cluster),
            "abort" => Ok(abort(call, id)),
            "start" => power(call, id, "Running", "Starting"),
            "stop" => power(call, id, "Stopped", "Stopping"),
            _ => actions::of_cluster(call, id, action).unwrap_or_else(|| {
                let kinds = format!("managedClusters/{action}");
                Err(errors::invalid_type(&id.namespace, &kinds, version))
            }),
        }
    }

    fn complete(&self, world: &mut World, body: &mut Body, now: WorldTime) {
        complete(world, body, now);
    }

    fn finish(&self, world: &mut World, key: &str, now: WorldTime) {
        node_group::furnish(world, key, now);
        self.gather(world, key, now);
    }

    fn view<'a>(&self, object: &'a Object, version: &str, now: WorldTime) -> Cow<'a, Body> {
        let mut body = object.view(now).into_owned();
        body.insert("eTag".to_owned(), flow::etag(object, now).into());
        edition::of_cluster(&mut body, version);
        Cow::Owned(body)
    }

    /// The pools, as they show themselves now.
    fn gather(&self, world: &mut World, key: &str, now: WorldTime) {
        let prefix = format!("{key}/agentpools/");
        let pools: Vec<Value> = world
            .objects
            .starting_with(&prefix, "")
            .filter(|(_, pool)| pool.type_key == POOL_KEY)
            .map(|(_, pool)| profile(&pool::whole(pool, now)))
            .collect();
        world.objects.edit(key, |cluster| {
            if let Some(Value::Object(properties)) = cluster.body.get_mut("properties") {
                let scales = |pool: &Value| {
                    pool["enableAutoScaling"] == true || !pool["virtualMachinesProfile"]["scale"]["autoscale"].is_null()
                };
                if pools.iter().any(scales)
                    && let Value::Object(profile) = properties.entry("autoScalerProfile").or_insert_with(|| json!({}))
                {
                    defaults::autoscaler(profile);
                }
                properties.insert("agentPoolProfiles".to_owned(), pools.into());
            }
        });
    }

    fn leave(&self, world: &mut World, key: &str, now: WorldTime) {
        node_group::remove(world, key, now);
    }
}

/// A pool as a cluster shows it.
fn profile(pool: &Body) -> Value {
    let mut profile = Body::new();
    profile.insert("name".to_owned(), pool.get("name").cloned().unwrap_or_default());
    if let Some(Value::Object(properties)) = pool.get("properties") {
        profile.extend(properties.clone());
    }
    Value::Object(profile)
}

fn view(call: &Call<'_>, id: &ResourceId) -> Body {
    let version = call.visit.query.get("api-version").unwrap_or_default();
    let object = call.state.world.objects.get(id.key());
    object.map(|object| Clusters.view(object, version, call.now).into_owned()).unwrap_or_default()
}

/// What a write asks for, with all that only the service says taken out.
fn wishes(asked: &Body) -> Result<Body, Refusal> {
    let Value::Object(mut wishes) = said(Value::Object(body::properties(asked)?)) else { return Ok(Body::new()) };
    for own in OWN {
        super::shape::drop_if(&mut wishes, own, |_| true);
    }
    for blank in ["kubernetesVersion", "nodeResourceGroup", "dnsPrefix"] {
        super::shape::drop_if(&mut wishes, blank, |value| *value == json!(""));
    }
    super::shape::drop_if(&mut wishes, "networkProfile.loadBalancerProfile.effectiveOutboundIPs", |_| true);
    if let Some(Value::Object(addons)) = wishes.get_mut("addonProfiles") {
        for addon in addons.values_mut().filter_map(Value::as_object_mut) {
            addon.shift_remove("identity");
        }
    }
    Ok(wishes)
}

/// Works out what a write makes of a cluster.
fn draft(call: &mut Call<'_>, id: &ResourceId, asked: &Body) -> Result<Draft, Refusal> {
    let existing = call.state.world.objects.get(id.key()).cloned();
    let before = existing.as_ref().and_then(Object::properties);
    let tags = body::tags(asked)?;
    let location = body::settled_location(asked, id, CLUSTER, existing.as_ref())?;
    let mut wishes = wishes(asked)?;
    // Beside an identity a client id without its secret is no wish: clients read one somewhere and send it back.
    if asked.get("identity").is_some_and(Value::is_object) && text(&wishes, "servicePrincipalProfile.secret").is_empty()
    {
        super::shape::drop_if(&mut wishes, "servicePrincipalProfile.clientId", |id| *id != json!("msi"));
    }
    if is_on(&wishes, "azureMonitorProfile.containerInsights.enabled") {
        profiles::monitored(&mut wishes);
    }
    let mut written = wishes.shift_remove("agentPoolProfiles");
    let mut also_shown = Vec::new();
    if wishes.contains_key("apiServerAccessProfile") {
        also_shown.push("apiServerAccessProfile");
    }
    let mut properties = before.cloned().unwrap_or_default();
    lay_over(&mut properties, wishes);
    properties.shift_remove("provisioningState");
    let sku = sku(asked, existing.as_ref());
    if existing.is_none() {
        // The Automatic SKU chooses its plugin itself: that is no wish.
        defaults::windows(&mut properties);
        if sku["name"] == "Automatic" {
            defaults::automatic(&mut properties);
            written.as_mut().into_iter().for_each(defaults::automatic_pools);
        }
    }
    rules::check_dns_prefix(&properties)?;
    let version = version(before, &properties)?;
    defaults::complete(&mut properties, id, &location, &version, &call.state.world.tenant);
    name_service(call, &mut properties, &location, existing.is_none());
    profiles::around_proxy(&mut properties);
    let cached = text(&properties, "bootstrapProfile.artifactSource").eq_ignore_ascii_case("Cache");
    if cached && text(&properties, "bootstrapProfile.containerRegistryId").is_empty() {
        let registry = node_group::registry(id, &properties, &mut call.state.world.dice);
        set(&mut properties, "bootstrapProfile.containerRegistryId", registry.into());
    }
    let pools = pools(call, id, &properties, written, existing.is_none())?;
    let all = all_profiles(&call.state.world, id, &pools);
    let mut whole = existing.as_ref().map_or_else(Body::new, |old| old.body.clone());
    properties.insert("agentPoolProfiles".to_owned(), all.into());
    let identity = own_identity(call, id, asked, existing.as_ref())?;
    whole.insert("sku".to_owned(), sku);
    whole.extend(identity.map(|identity| ("identity".to_owned(), identity)));
    rules::check_whole(&call.state.world, &whole, &properties)?;
    defaults::vanish(&mut properties);
    let (mut state, mut takes) = ("Creating", CREATE);
    if let Some(before) = before {
        rules::check_change(before, &properties)?;
        (state, takes) = change(before, &properties);
    }
    also_shown.retain(|name| !properties.contains_key(*name));
    let mut ordered = Body::new();
    let spelled = existing.as_ref().map_or_else(|| Clusters.spell(id), |old| old.id().to_owned());
    ordered.insert("id".to_owned(), spelled.into());
    ordered.insert("location".to_owned(), location.into());
    ordered.insert("name".to_owned(), existing.as_ref().map_or(id.name(), |old| old.text("name")).into());
    let tags = tags.or_else(|| whole.get("tags").cloned()).filter(|tags| !super::shape::is_empty(tags));
    ordered.extend(tags.map(|tags| ("tags".to_owned(), tags)));
    ordered.insert("type".to_owned(), SHOWN.into());
    ordered.insert("kind".to_owned(), whole["sku"]["name"].clone());
    let mut with_state = Body::new();
    with_state.insert("provisioningState".to_owned(), "Succeeded".into());
    with_state.extend(properties);
    ordered.insert("properties".to_owned(), Value::Object(with_state));
    for name in ["identity", "sku"] {
        ordered.extend(whole.shift_remove(name).map(|value| (name.to_owned(), value)));
    }
    if let Some(place) = asked.get("extendedLocation").filter(|place| !place.is_null()) {
        ordered.insert("extendedLocation".to_owned(), place.clone());
    }
    Ok(Draft { body: ordered, pools, state, takes, also_shown })
}

/// The version that a cluster will have: a patch that runs stays until another version is asked for.
fn version(before: Option<&Body>, after: &Body) -> Result<Version, Refusal> {
    const TARGET: &str = "properties.kubernetesVersion";
    let asked = text(after, "kubernetesVersion");
    match before.filter(|before| text(before, "kubernetesVersion") == asked) {
        Some(before) => Version::running(asked, text(before, "currentKubernetesVersion"), TARGET),
        None => Version::parse(asked, TARGET),
    }
}

/// How a change of an existing cluster is called, and how long it takes.
fn change(before: &Body, after: &Body) -> (&'static str, Takes) {
    let counts = |properties: &Body| -> Vec<Value> {
        let pools = properties.get("agentPoolProfiles").and_then(Value::as_array);
        pools.into_iter().flatten().map(|pool| pool["count"].clone()).collect()
    };
    if at(before, "currentKubernetesVersion") != at(after, "currentKubernetesVersion") {
        ("Upgrading", UPGRADE)
    } else if counts(before) == counts(after) {
        ("Updating", UPDATE)
    } else {
        ("Scaling", UPDATE)
    }
}

/// Names, the issuer and ids that are drawn once.
fn name_service(call: &mut Call<'_>, properties: &mut Body, location: &str, new: bool) {
    let world = &mut call.state.world;
    defaults::name_endpoints(properties, location, &mut world.dice);
    if is_on(properties, "oidcIssuerProfile.enabled") && text(properties, "oidcIssuerProfile.issuerURL").is_empty() {
        let issuer = format!("https://{location}.oic.prod-aks.azure.com/{}/{}/", world.tenant, world.dice.guid());
        set(properties, "oidcIssuerProfile.issuerURL", issuer.into());
    }
    if new {
        let uid = world.dice.hex(2).get(..24).unwrap_or_default().to_owned();
        properties.insert("resourceUID".to_owned(), uid.into());
    }
}

fn pool_id(cluster: &ResourceId, name: &str) -> ResourceId {
    let mut steps = cluster.steps.clone();
    steps.push(Step { kind: "agentPools".to_owned(), name: name.to_owned() });
    ResourceId::new(cluster.place.clone(), cluster.scope.clone(), cluster.namespace.clone(), steps)
}

/// The pools that a write speaks of. Only a new cluster takes new ones.
fn pools(
    call: &Call<'_>,
    id: &ResourceId,
    properties: &Body,
    profiles: Option<Value>,
    new: bool,
) -> Result<Vec<(ResourceId, Settled)>, Refusal> {
    let around = Surroundings::of(properties)?;
    let profiles = match profiles {
        Some(Value::Array(profiles)) => profiles,
        _ => Vec::new(),
    };
    let mut pools: Vec<(ResourceId, Settled)> = Vec::new();
    for profile in profiles {
        let Value::Object(mut profile) = profile else {
            return Err(errors::container::invalid_parameter(
                "An agent pool profile must be an object.",
                "agentPoolProfiles",
            ));
        };
        let profile = match said(Value::Object(std::mem::take(&mut profile))) {
            Value::Object(profile) => profile,
            _ => Body::new(),
        };
        let mut profile = profile;
        let name = profile.shift_remove("name").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
        pool_shape::check_name(&name, &profile)?;
        let pool = pool_id(id, &name);
        if pools.iter().any(|(known, _)| known.key() == pool.key()) {
            let message = format!("The agent pool name {name} is used more than once.");
            return Err(errors::container::invalid_parameter(message, "agentPoolProfile.name"));
        }
        let before = call.state.world.objects.get(pool.key());
        if before.is_none() && !new {
            let message = format!(
                "A new agent pool was introduced. Adding agent pools to an existing cluster is not allowed through managed cluster operations. For agent pool specific change, please use per agent pool operations: https://aka.ms/agent-pool-rest-api. New agent pool: {name}."
            );
            return Err(errors::container::bad_request(message));
        }
        let settled = pool_shape::settle(&around, before.and_then(Object::properties), profile)?;
        pools.push((pool, settled));
    }
    // A pool that the service runs itself counts, and so does a system that it hosts.
    let system = |properties: &Body| text(properties, "mode").to_ascii_lowercase().ends_with("system");
    let hosted = is_on(properties, "hostedSystemProfile.enabled");
    if new && !hosted && !pools.iter().any(|(_, settled)| system(&settled.kept)) {
        let message = "A cluster must have at least one agent pool of mode System.";
        return Err(errors::container::invalid_parameter(message, "agentPoolProfiles"));
    }
    Ok(pools)
}

/// All pools that there will be, as profiles.
fn all_profiles(world: &World, id: &ResourceId, written: &[(ResourceId, Settled)]) -> Vec<Value> {
    let prefix = format!("{}/agentpools/", id.key());
    let mut profiles: Vec<(String, Value)> = world
        .objects
        .starting_with(&prefix, "")
        .map(|(key, pool)| (key.to_owned(), profile(&pool.body)))
        .filter(|(key, _)| !written.iter().any(|(pool, _)| pool.key() == key))
        .collect();
    for (pool, settled) in written {
        let mut profile = Body::new();
        profile.insert("name".to_owned(), pool.name().into());
        profile.extend(settled.kept.clone());
        profiles.push((pool.key().to_owned(), Value::Object(profile)));
    }
    profiles.sort_by(|(a, _), (b, _)| a.cmp(b));
    profiles.into_iter().map(|(_, profile)| profile).collect()
}

fn sku(asked: &Body, existing: Option<&Object>) -> Value {
    let mut sku = existing.and_then(|old| old.body.get("sku")).and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(Value::Object(given)) = asked.get("sku").cloned().map(said) {
        lay_over(&mut sku, given);
    }
    fill(&mut sku, json!({ "name": "Base", "tier": "Free" }));
    Value::Object(sku)
}

/// The identity that the cluster will have; its principals come at the end.
fn own_identity(
    call: &Call<'_>,
    id: &ResourceId,
    asked: &Body,
    existing: Option<&Object>,
) -> Result<Option<Value>, Refusal> {
    let before = existing.and_then(|old| old.body.get("identity"));
    let given = match asked.get("identity") {
        Some(Value::Object(given)) => given,
        _ if before.is_some() => return Ok(before.cloned()),
        _ => {
            let principal = body::properties(asked)?.get("servicePrincipalProfile").is_some_and(|all| !all.is_null());
            if principal {
                return Ok(None);
            }
            let message = "Required parameter servicePrincipalProfile is missing (null).";
            return Err(errors::container::invalid_parameter(
                message,
                "managedCluster.properties.servicePrincipalProfile",
            ));
        }
    };
    let kind = given.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind.eq_ignore_ascii_case("SystemAssigned") {
        let same = before.is_some_and(|before| before["type"] == "SystemAssigned");
        return Ok(Some(before.filter(|_| same).cloned().unwrap_or_else(|| json!({ "type": "SystemAssigned" }))));
    }
    let assigned = given.get("userAssignedIdentities").and_then(Value::as_object);
    let Some(assigned) = assigned.filter(|all| kind.eq_ignore_ascii_case("UserAssigned") && !all.is_empty()) else {
        let message = "The identity of a cluster must be SystemAssigned, or UserAssigned with one identity.";
        return Err(errors::container::invalid_parameter(message, "identity"));
    };
    let mut kept = Body::new();
    for (identity, _) in assigned.iter().filter(|(_, value)| !value.is_null()) {
        if !call.state.world.objects.contains(&identity.to_ascii_lowercase()) {
            return Err(errors::container::no_identity(&Clusters.spell(id), identity));
        }
        let known = before.and_then(|before| before["userAssignedIdentities"].get(identity));
        kept.insert(identity.clone(), known.cloned().unwrap_or_else(|| json!({})));
    }
    Ok(Some(json!({ "type": "UserAssigned", "userAssignedIdentities": kept })))
}

/// Stores a write with its pools and answers.
fn store(call: &mut Call<'_>, id: &ResourceId, draft: Draft) -> reply::Answer {
    let now = call.now;
    let world = &mut call.state.world;
    let takes = draft.takes.draw(&mut world.dice);
    let until = now.plus(takes);
    let existed = world.objects.get(id.key()).map(|old| old.created);
    let nodes: i64 = draft.pools.iter().filter_map(|(_, pool)| pool.kept.get("count").and_then(Value::as_i64)).sum();
    let mut object = Object::new(CLUSTER_KEY.to_owned(), draft.body, now);
    object.created = existed.unwrap_or(now);
    object.settling = Some(Settling { until, state: draft.state.to_owned() });
    let target = object.id().to_owned();
    // The first answer shows the principal of its own already, those of others only later.
    let own = object.body.get("identity").is_some_and(|identity| identity["type"] == "SystemAssigned");
    if let Some(identity) = node_group::own_identity(world, &object).filter(|_| own) {
        object.body.insert("identity".to_owned(), identity);
    }
    node_group::make(world, &object, now);
    world.objects.insert(id.key().to_owned(), object);
    let mut extras: Vec<(String, Body)> = Vec::new();
    for (pool, settled) in draft.pools {
        pool::store(world, &pool, settled.kept, now);
        extras.push((pool.name().to_owned(), settled.also_shown));
    }
    for key in world.objects.keys_below(id.key()) {
        if world.objects.get(&key).is_some_and(|object| object.type_key == POOL_KEY) {
            flow::settle_for(world, &key, until, draft.state);
        }
    }
    Clusters.gather(world, id.key(), now);
    removal::tidy(world, id.key(), now);
    let stages =
        if existed.is_none() { creating(nodes) } else { vec!["InProgress".into(), "ReconcilingAddons".into()] };
    let token = flow::begin(call, Work::Write { key: id.key().to_owned() }, target, takes, stages);
    let mut shown = view(call, id);
    if let Some(Value::Object(properties)) = shown.get_mut("properties") {
        for name in draft.also_shown {
            properties.insert(name.to_owned(), json!({}));
        }
        // Recorded: a creation is answered without the etags that every later answer has.
        if let (None, Some(Value::Array(profiles))) = (existed, properties.get_mut("agentPoolProfiles")) {
            profiles.iter_mut().filter_map(Value::as_object_mut).for_each(|profile| _ = profile.shift_remove("eTag"));
        }
        if let Some(Value::Array(profiles)) = properties.get_mut("agentPoolProfiles") {
            for profile in profiles.iter_mut().filter_map(Value::as_object_mut) {
                let extra = extras.iter().find(|(name, _)| profile.get("name").is_some_and(|own| own == name.as_str()));
                profile.extend(extra.map(|(_, extra)| extra.clone()).unwrap_or_default());
            }
        }
    }
    if existed.is_none() {
        shown.shift_remove("eTag");
    }
    let status = if existed.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    flow::followed(call, reply::json(status, &shown), id, &token, false)
}

/// What a creation says of itself on the way (recorded words).
fn creating(nodes: i64) -> Vec<String> {
    vec![
        "InProgress".to_owned(),
        "ProvisioningNetworkResources".to_owned(),
        "ProvisioningControlPlane".to_owned(),
        "ProvisioningControlPlane".to_owned(),
        "CreatingAgentPools".to_owned(),
        format!("CreatingAgentPools: 0/{nodes} nodes completed"),
        format!("CreatingAgentPools: {nodes}/{nodes} nodes completed"),
        "ReconcilingDNS".to_owned(),
        "ReconcilingAddons".to_owned(),
    ]
}

/// Lets a cluster be at work without any other change.
fn work_on(call: &mut Call<'_>, id: &ResourceId, state: &str, takes: Takes, stages: Vec<String>) -> String {
    let takes = takes.draw(&mut call.state.world.dice);
    flow::settle_for(&mut call.state.world, id.key(), call.now.plus(takes), state);
    let target = call.state.world.objects.get(id.key()).map(|object| object.id().to_owned()).unwrap_or_default();
    flow::begin(call, Work::Write { key: id.key().to_owned() }, target, takes, stages)
}

/// Recorded: 202 with the cluster; what was going on is given up.
fn abort(call: &mut Call<'_>, id: &ResourceId) -> reply::Answer {
    let shown = view(call, id);
    let now = call.now;
    let world = &mut call.state.world;
    operation::cancel(world, id.key(), now);
    let takes = ABORT.draw(&mut world.dice);
    for key in world.objects.keys_below(id.key()) {
        world.objects.edit(&key, |object| object.settling = None);
    }
    flow::settle_for(world, id.key(), now.plus(takes), "Canceling");
    let target = world.objects.get(id.key()).map(|object| object.id().to_owned()).unwrap_or_default();
    let token = flow::begin(call, Work::Abort { key: id.key().to_owned() }, target, takes, Vec::new());
    flow::followed(call, reply::json(StatusCode::ACCEPTED, &shown), id, &token, true)
}

/// Starts or stops; `code` is what the power state will be.
fn power(call: &mut Call<'_>, id: &ResourceId, code: &str, state: &str) -> Outcome {
    flow::check_all(call, id.key())?;
    call.state.world.objects.edit(id.key(), |cluster| {
        if let Some(Value::Object(properties)) = cluster.body.get_mut("properties") {
            properties.insert("powerState".to_owned(), json!({ "code": code }));
        }
    });
    let token = work_on(call, id, state, POWER, Vec::new());
    Ok(flow::followed(call, reply::empty(StatusCode::ACCEPTED), id, &token, true))
}

/// Completes a cluster that was put into the world from outside; its pools become objects.
fn complete(world: &mut World, body: &mut Body, now: WorldTime) {
    let id = body.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(super::super::path::Target::Resource(id)) = super::super::path::Target::parse(&id, &http::Method::GET)
    else {
        return;
    };
    body.entry("location").or_insert_with(|| "westeurope".into());
    let location = body.get("location").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut properties = body::properties(body).unwrap_or_default();
    fill(&mut properties, json!({ "dnsPrefix": id.name() }));
    let profiles = properties.shift_remove("agentPoolProfiles");
    let given = text(&properties, "currentKubernetesVersion");
    let version = if given.is_empty() {
        Version::parse(text(&properties, "kubernetesVersion"), "")
    } else {
        Version::running(text(&properties, "kubernetesVersion"), given, "")
    };
    let version = version.or_else(|_| Version::parse("", ""));
    if let Ok(version) = version {
        defaults::complete(&mut properties, &id, &location, &version, &world.tenant);
    }
    defaults::name_endpoints(&mut properties, &location, &mut world.dice);
    if is_on(&properties, "oidcIssuerProfile.enabled") && text(&properties, "oidcIssuerProfile.issuerURL").is_empty() {
        let issuer = format!("https://{location}.oic.prod-aks.azure.com/{}/{}/", world.tenant, world.dice.guid());
        set(&mut properties, "oidcIssuerProfile.issuerURL", issuer.into());
    }
    defaults::vanish(&mut properties);
    properties.insert("provisioningState".to_owned(), "Succeeded".into());
    if let (Some(Value::Array(profiles)), Ok(around)) = (profiles, Surroundings::of(&properties)) {
        for profile in profiles {
            let Value::Object(mut profile) = said(profile) else { continue };
            let Some(name) = profile.shift_remove("name").and_then(|name| name.as_str().map(str::to_owned)) else {
                continue;
            };
            let kept = pool_shape::settle(&around, None, profile.clone()).map_or(profile, |settled| settled.kept);
            pool::store(world, &pool_id(&id, &name), kept, now);
        }
    }
    properties.insert("agentPoolProfiles".to_owned(), json!([]));
    body.insert("properties".to_owned(), Value::Object(properties));
    body.entry("identity").or_insert_with(|| json!({ "type": "SystemAssigned" }));
    body::merge_missing(body, "sku", "name", "Base".into());
    body::merge_missing(body, "sku", "tier", "Free".into());
    let kind = body["sku"]["name"].clone();
    body.entry("kind").or_insert(kind);
}
