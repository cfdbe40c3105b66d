//! `Microsoft.KeyVault/vaults`, the management side: a PUT is 200 even on create, DNS takes half a
//! minute, nothing is ever deleted at once. The vault's own endpoint is another plane.

use std::net::IpAddr;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::body::{self, Body};
use super::types::{ArmType, Spelling};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, Answer, WithHeader};
use crate::world::{DeletedVault, Object, Settling, World};

const TYPE: &str = "Microsoft.KeyVault/vaults";
pub(super) const TYPE_KEY: &str = "microsoft.keyvault/vaults";

/// The header that the provider puts on its answers.
pub(super) const SERVICE_VERSION: (&str, &str) = ("x-ms-keyvault-service-version", "2.2.45.0");

/// Days that a deleted vault is kept if nobody said otherwise.
const RETENTION: u64 = 90;

pub(super) struct Vaults;

impl ArmType for Vaults {
    fn spelling(&self) -> Spelling {
        Spelling::Groups(TYPE)
    }

    fn stamp(&self, answer: Answer) -> Answer {
        stamped(answer)
    }

    fn put(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        check_name(id.name())?;
        let asked = body::read(call)?;
        let location = body::settled_location(&asked, id, TYPE, call.state.world.objects.get(id.key()))?;
        let tags = body::tags(&asked)?.unwrap_or_else(|| json!({}));
        let properties = body::properties(&asked)?;
        let name = id.name().to_ascii_lowercase();
        let recover = properties.get("createMode").and_then(Value::as_str) == Some("recover");
        if let Some(deleted) = call.state.world.deleted_vaults.get(&name).cloned() {
            return if recover { restore(call, id, &location, deleted) } else { Err(name_taken(id, &deleted)) };
        }
        let existing = call.state.world.objects.get(id.key()).cloned();
        if existing.is_none() {
            check_free(&call.state.world, id)?;
            // A vault that somebody removed from outside leaves nothing to its successor.
            call.state.world.forget_secrets(&name);
            if recover {
                return Err(super::deleted_vault::not_found(id.name()));
            }
        }
        let kept = settle(&properties, existing.as_ref(), id.name(), version)?;
        let mut body = Body::new();
        body.insert(
            "id".to_owned(),
            existing.as_ref().map_or_else(|| self.spell(id), |old| old.id().to_owned()).into(),
        );
        body.insert("name".to_owned(), existing.as_ref().map_or(id.name(), |old| old.text("name")).into());
        body.insert("type".to_owned(), TYPE.into());
        body.insert("location".to_owned(), location.into());
        body.insert("tags".to_owned(), tags);
        body.insert("systemData".to_owned(), body::system_data(call, existing.as_ref()));
        body.insert("properties".to_owned(), Value::Object(kept));
        let now = call.now;
        if existing.is_some() {
            let answer = call.state.world.objects.edit(id.key(), |object| {
                object.body = body;
                object.changed = now;
                reply::json(StatusCode::OK, &object.view(now))
            });
            return answer.ok_or_else(|| self.missing(id));
        }
        // Recorded: 22 s at the 10th percentile, 39 s at most.
        let registering = Duration::from_secs(call.state.world.dice.between(22, 39));
        let mut object = Object::new(TYPE_KEY.to_owned(), body, now);
        object.settling = Some(Settling { until: now.plus(registering), state: "RegisteringDns".to_owned() });
        let mut shown = object.view(now).into_owned();
        // Recorded: until DNS is there, and in this answer only, the URI has no slash at its end.
        if let Some(Value::Object(properties)) = shown.get_mut("properties") {
            properties.insert("vaultUri".to_owned(), uri(id.name()).trim_end_matches('/').into());
        }
        call.state.world.objects.insert(id.key().to_owned(), object);
        Ok(reply::json(StatusCode::OK, &shown))
    }

    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        let change = body::read(call)?;
        let tags = body::tags(&change)?;
        let change = body::properties(&change)?;
        let Some(existing) = call.state.world.objects.get(id.key()).cloned() else { return Err(self.missing(id)) };
        let mut merged = Value::Object(existing.properties().cloned().unwrap_or_default());
        body::merge(&mut merged, &Value::Object(change));
        let merged = merged.as_object().cloned().unwrap_or_default();
        let kept = settle(&merged, Some(&existing), id.name(), version)?;
        let system = body::system_data(call, Some(&existing));
        let now = call.now;
        let answer = call.state.world.objects.edit(id.key(), |object| {
            if let Some(tags) = tags {
                object.body.insert("tags".to_owned(), tags);
            }
            object.body.insert("systemData".to_owned(), system);
            object.body.insert("properties".to_owned(), Value::Object(kept));
            object.changed = now;
            reply::json(StatusCode::OK, &object.view(now))
        });
        answer.ok_or_else(|| self.missing(id))
    }

    /// Recorded: 200 at once; the vault is soft-deleted.
    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        if !call.state.world.objects.contains(id.key()) {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        }
        bury(&mut call.state.world, id.key(), call.now);
        Ok(reply::empty(StatusCode::OK))
    }

    fn leave(&self, world: &mut World, key: &str, now: WorldTime) {
        bury(world, key, now);
    }

    fn complete(&self, world: &mut World, body: &mut Body, now: WorldTime) {
        body.entry("tags").or_insert_with(|| json!({}));
        body.entry("location").or_insert_with(|| "westeurope".into());
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut given = body::properties(body).unwrap_or_default();
        given.entry("sku").or_insert_with(|| json!({ "family": "A", "name": "standard" }));
        given.entry("tenantId").or_insert_with(|| world.tenant.as_str().into());
        given.entry("accessPolicies").or_insert_with(|| json!([]));
        // What cannot be a vault's property is left as it was given: the author wanted it so.
        let kept = settle(&given, None, &name, "2023-07-01").unwrap_or(given);
        body.insert("properties".to_owned(), Value::Object(kept));
        let by = world.caller.client_id.as_str();
        body.entry("systemData").or_insert_with(|| {
            json!({
                "createdBy": by, "createdByType": "Application", "createdAt": now.to_string(),
                "lastModifiedBy": by, "lastModifiedByType": "Application", "lastModifiedAt": now.to_string(),
            })
        });
    }
}

/// Puts the provider's header on an answer.
pub(super) fn stamped(answer: Answer) -> Answer {
    answer.with(SERVICE_VERSION.0, SERVICE_VERSION.1)
}

fn uri(name: &str) -> String {
    format!("https://{}.vault.azure.net/", name.to_ascii_lowercase())
}

/// Soft-deletes a vault that exists, with everything below it.
pub(super) fn bury(world: &mut World, key: &str, now: WorldTime) {
    let Some(object) = world.objects.get(key).cloned() else { return };
    world.remove_tree(key);
    let days = object
        .properties()
        .and_then(|properties| properties.get("softDeleteRetentionInDays"))
        .and_then(Value::as_u64)
        .unwrap_or(RETENTION);
    let name = object.text("name").to_ascii_lowercase();
    let subscription = object.id().split('/').nth(2).unwrap_or_default().to_owned();
    let purge = now.plus(Duration::from_secs(days.saturating_mul(86_400)));
    world.deleted_vaults.insert(name, DeletedVault { subscription, object, deleted: now, purge });
}

/// Ends a soft-deleted vault for good, with all that was in it.
pub(super) fn purge(world: &mut World, name: &str) {
    if world.deleted_vaults.remove(name).is_some() {
        world.forget_secrets(name);
    }
}

/// Recorded: a recovered vault is as it was, whatever else the call says.
fn restore(call: &mut Call<'_>, id: &ResourceId, location: &str, deleted: DeletedVault) -> Outcome {
    if deleted.object.id().to_ascii_lowercase() != id.key() || deleted.object.text("location") != location {
        return Err(name_taken(id, &deleted));
    }
    let mut object = deleted.object;
    object.settling = None;
    object.changed = call.now;
    object.body.insert("systemData".to_owned(), body::system_data(call, Some(&object)));
    let answer = reply::json(StatusCode::OK, &object.body);
    let world = &mut call.state.world;
    world.deleted_vaults.remove(&id.name().to_ascii_lowercase());
    world.objects.insert(id.key().to_owned(), object);
    Ok(answer)
}

fn name_taken(id: &ResourceId, deleted: &DeletedVault) -> Refusal {
    let own = id.place.subscription.as_ref().is_some_and(|mine| mine.eq_ignore_ascii_case(&deleted.subscription));
    if own {
        errors::conflict(
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
        )
    } else {
        in_use(id.name())
    }
}

fn in_use(name: &str) -> Refusal {
    errors::conflict(
        "VaultAlreadyExists",
        format!(
            "The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name is already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a recoverable state then the vault will need to be purged before reusing the name. For more information about VaultAlreadyExists, soft delete and purging a vault follow this link https://go.microsoft.com/fwlink/?linkid=2147740."
        ),
    )
}

/// Whether no other vault of the world has the name.
fn check_free(world: &World, id: &ResourceId) -> Result<(), Refusal> {
    let taken = world
        .objects
        .iter()
        .any(|(_, object)| object.type_key == TYPE_KEY && object.text("name").eq_ignore_ascii_case(id.name()));
    if taken { Err(in_use(id.name())) } else { Ok(()) }
}

/// The properties that a vault has after a write: defaults filled in, what the service forces forced,
/// what cannot be taken back kept.
fn settle(asked: &Body, existing: Option<&Object>, name: &str, version: &str) -> Result<Body, Refusal> {
    let old = existing.and_then(Object::properties);
    let old_value = |name: &str| old.and_then(|old| old.get(name));
    let given = |name: &str| asked.get(name).filter(|value| !value.is_null());
    let mut kept = Body::new();
    kept.insert("sku".to_owned(), sku(given("sku"))?);
    kept.insert("tenantId".to_owned(), tenant(given("tenantId"))?);
    if let Some(rules) = network_rules(given("networkAcls"))? {
        kept.insert("networkAcls".to_owned(), rules);
    }
    let rbac = flag(given("enableRbacAuthorization"), "enableRbacAuthorization")?;
    // Documented: the default for a new vault turned with this version.
    let rbac = rbac.or((existing.is_none() && version >= "2026-02-01").then_some(true));
    let policies = match given("accessPolicies") {
        Some(Value::Array(policies)) => Value::Array(policies.clone()),
        None if rbac == Some(true) => json!([]),
        _ => return Err(bad_value("accessPolicies")),
    };
    kept.insert("accessPolicies".to_owned(), policies);
    let deployment = flag(given("enabledForDeployment"), "enabledForDeployment")?.unwrap_or(false);
    kept.insert("enabledForDeployment".to_owned(), deployment.into());
    for optional in ["enabledForDiskEncryption", "enabledForTemplateDeployment"] {
        if let Some(value) = flag(given(optional), optional)? {
            kept.insert(optional.to_owned(), value.into());
        }
    }
    // Recorded: `false` is accepted and comes back as `true`.
    flag(given("enableSoftDelete"), "enableSoftDelete")?;
    kept.insert("enableSoftDelete".to_owned(), true.into());
    if let Some(days) = retention(given("softDeleteRetentionInDays"), old_value("softDeleteRetentionInDays"))? {
        kept.insert("softDeleteRetentionInDays".to_owned(), days);
    } else if existing.is_none() {
        kept.insert("softDeleteRetentionInDays".to_owned(), RETENTION.into());
    }
    // Recorded: what vaults without roles say, newer versions always say.
    if let Some(rbac) = rbac.or((version >= "2023-07").then_some(false)) {
        kept.insert("enableRbacAuthorization".to_owned(), rbac.into());
    }
    let protected = flag(given("enablePurgeProtection"), "enablePurgeProtection")?;
    if protected == Some(false) {
        return Err(errors::bad_request(
            "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.",
        ));
    }
    if protected == Some(true) || old_value("enablePurgeProtection") == Some(&Value::Bool(true)) {
        kept.insert("enablePurgeProtection".to_owned(), true.into());
    }
    kept.insert("vaultUri".to_owned(), uri(name).into());
    kept.insert("provisioningState".to_owned(), "Succeeded".into());
    let public = match given("publicNetworkAccess") {
        None => "Enabled",
        Some(Value::String(access)) if access.eq_ignore_ascii_case("enabled") => "Enabled",
        Some(Value::String(access)) if access.eq_ignore_ascii_case("disabled") => "Disabled",
        Some(_) => return Err(bad_value("publicNetworkAccess")),
    };
    kept.insert("publicNetworkAccess".to_owned(), public.into());
    // Who is connected is for others to say.
    if let Some(connections) = old_value("privateEndpointConnections") {
        kept.insert("privateEndpointConnections".to_owned(), connections.clone());
    }
    Ok(kept)
}

fn bad_value(name: &str) -> Refusal {
    errors::bad_request(format!("An invalid value was provided for '{name}'."))
}

fn flag(value: Option<&Value>, name: &str) -> Result<Option<bool>, Refusal> {
    match value {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(bad_value(name)),
    }
}

fn sku(value: Option<&Value>) -> Result<Value, Refusal> {
    let word = |name: &str| value.and_then(|sku| sku.get(name)).and_then(Value::as_str).unwrap_or_default();
    let name = word("name").to_ascii_lowercase();
    if word("family").eq_ignore_ascii_case("A") && matches!(name.as_str(), "standard" | "premium") {
        return Ok(json!({ "family": "A", "name": name }));
    }
    Err(bad_value("sku"))
}

fn tenant(value: Option<&Value>) -> Result<Value, Refusal> {
    match value.and_then(Value::as_str) {
        Some(tenant) if tenant.len() == 36 => Ok(tenant.to_ascii_lowercase().into()),
        _ => Err(bad_value("tenantId")),
    }
}

/// 7-90 days; once set it cannot be changed.
fn retention(asked: Option<&Value>, old: Option<&Value>) -> Result<Option<Value>, Refusal> {
    let Some(asked) = asked else { return Ok(old.cloned()) };
    let days = asked.as_u64().filter(|days| (7..=90).contains(days));
    let days = days.ok_or_else(|| bad_value("softDeleteRetentionInDays"))?;
    match old.and_then(Value::as_u64) {
        Some(set) if set != days => Err(errors::bad_request(
            "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.",
        )),
        _ => Ok(Some(days.into())),
    }
}

/// Recorded: rules that allow everything are dropped; addresses come back with their length, subnets
/// in lower case.
fn network_rules(value: Option<&Value>) -> Result<Option<Value>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let rules = value.as_object().ok_or_else(|| bad_value("networkAcls"))?;
    let word = |name: &str, default: &str, known: [&'static str; 2]| {
        let word = rules.get(name).and_then(Value::as_str).unwrap_or(default);
        known.into_iter().find(|known| known.eq_ignore_ascii_case(word)).ok_or_else(|| bad_value(name))
    };
    let bypass = word("bypass", "AzureServices", ["AzureServices", "None"])?;
    let action = word("defaultAction", "Allow", ["Allow", "Deny"])?;
    let items = |name: &str| match rules.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items.clone()),
        Some(_) => Err(bad_value(name)),
    };
    let addresses: Vec<Value> = items("ipRules")?.iter().map(address).collect::<Result<_, _>>()?;
    let subnets: Vec<Value> = items("virtualNetworkRules")?
        .into_iter()
        .map(|mut rule| {
            if let Some(id) = rule.get("id").and_then(Value::as_str) {
                rule["id"] = id.to_ascii_lowercase().into();
            }
            rule
        })
        .collect();
    if action == "Allow" && bypass == "AzureServices" && addresses.is_empty() && subnets.is_empty() {
        return Ok(None);
    }
    Ok(Some(json!({
        "bypass": bypass,
        "defaultAction": action,
        "ipRules": addresses,
        "virtualNetworkRules": subnets,
    })))
}

fn address(rule: &Value) -> Result<Value, Refusal> {
    let text = rule.get("value").and_then(Value::as_str).ok_or_else(|| bad_value("ipRules"))?;
    let (host, length) = text.split_once('/').unwrap_or((text, "32"));
    let length_fits = length.parse::<u8>().is_ok_and(|length| length <= 32);
    if !matches!(host.parse(), Ok(IpAddr::V4(_))) || !length_fits {
        return Err(bad_value("ipRules"));
    }
    Ok(json!({ "value": format!("{host}/{length}") }))
}

/// 3-24 letters, digits and hyphens; starts with a letter, ends with none of hyphens, none doubled.
fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = (3..=24).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('-')
        && !name.contains("--");
    if fits {
        return Ok(());
    }
    Err(errors::invalid(
        "VaultNameNotValid",
        format!(
            "The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147742"
        ),
    ))
}
