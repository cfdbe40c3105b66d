//! A vault's own endpoint, `{name}.vault.azure.net`: challenge, token, network, rights, then the secrets
//! in it. Keys and certificates are not there. The vault as a resource stands in `arm::vault`.

mod access;
mod network;
mod refusal;
mod secrets;
pub(crate) mod seeding;

use http::{Method, StatusCode};

use super::{Call, absent, login};
use crate::clock::WorldTime;
use crate::reply::{self, Answer, WithHeader};
use crate::world::{Object, World};
pub(super) use refusal::Refused;
pub(super) use secrets::{Written, change, write};

/// What the hosts of vaults end with.
pub(super) const SUFFIX: &str = ".vault.azure.net";

/// What a method of this plane makes of a call.
type Outcome = Result<Answer, Refused>;

/// The audiences whose tokens a vault accepts.
const AUDIENCES: [&str; 1] = ["https://vault.azure.net"];

/// A vault that was asked.
struct Vault {
    /// As it is spelled.
    name: String,
    object: Object,
}

impl Vault {
    fn base(&self) -> String {
        format!("https://{}{SUFFIX}", self.name.to_ascii_lowercase())
    }

    fn flag(&self, name: &str) -> bool {
        self.object.properties().and_then(|all| all.get(name)).and_then(serde_json::Value::as_bool).unwrap_or(false)
    }

    /// Days that a deleted secret is kept.
    fn retention(&self) -> u64 {
        let days = self.object.properties().and_then(|all| all.get("softDeleteRetentionInDays"));
        days.and_then(serde_json::Value::as_u64).unwrap_or(90)
    }

    fn recovery_level(&self) -> &'static str {
        match (self.flag("enablePurgeProtection"), self.retention() < 90) {
            (false, false) => "Recoverable+Purgeable",
            (false, true) => "CustomizedRecoverable+Purgeable",
            (true, false) => "Recoverable",
            (true, true) => "CustomizedRecoverable",
        }
    }
}

pub(super) fn answer(call: &mut Call<'_>) -> Answer {
    let name = call.visit.host.strip_suffix(SUFFIX).unwrap_or_default().to_owned();
    let Some(object) = find(&call.state.world, &name).cloned() else {
        // Where there is no vault there is no host: in Azure its name does not resolve.
        let world = &call.state.world;
        return match login::check(world, call.visit.header("authorization"), &AUDIENCES, call.now) {
            Err(bad) => refusal::unauthenticated(&world.tenant, bad).into_answer(),
            Ok(_) => absent::host(call),
        };
    };
    let vault = Vault { name: object.text("name").to_owned(), object };
    let outcome = respond(call, &vault);
    let info = format!("conn_type=Ipv4;addr={};act_addr_fam=InterNetwork;", call.options.caller_address);
    outcome
        .unwrap_or_else(Refused::into_answer)
        .with("x-ms-keyvault-region", vault.object.text("location"))
        .with("x-ms-keyvault-network-info", &info)
        .with("x-ms-keyvault-service-version", "1.9.1054.1")
}

/// The live vault of a name.
fn find<'a>(world: &'a World, name: &str) -> Option<&'a Object> {
    world
        .objects
        .iter()
        .map(|(_, object)| object)
        .find(|object| object.type_key == "microsoft.keyvault/vaults" && object.text("name").eq_ignore_ascii_case(name))
}

fn respond(call: &mut Call<'_>, vault: &Vault) -> Outcome {
    let world = &call.state.world;
    let checked = login::check(world, call.visit.header("authorization"), &AUDIENCES, call.now);
    let bearer = checked.map_err(|bad| refusal::unauthenticated(&world.tenant, bad))?;
    call.bearer = Some(bearer);
    if call.visit.query.get("api-version").unwrap_or_default().is_empty() {
        return Err(refusal::bad_parameter("api-version must be specified"));
    }
    network::check(call, vault)?;
    let Some(segments) = call.visit.segments() else { return Err(refusal::no_such_path()) };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = call.visit.method.clone();
    match (&method, segments.as_slice()) {
        (&Method::GET, ["secrets"]) => secrets::list(call, vault),
        (&Method::GET, ["secrets", name, "versions"]) => secrets::versions(call, vault, name),
        (&Method::GET, ["secrets", name]) => secrets::get(call, vault, name, None),
        (&Method::GET, ["secrets", name, version]) => secrets::get(call, vault, name, Some(version)),
        (&Method::PUT, ["secrets", name]) => secrets::set(call, vault, name),
        (&Method::PATCH, ["secrets", name]) => secrets::update(call, vault, name, None),
        (&Method::PATCH, ["secrets", name, version]) => secrets::update(call, vault, name, Some(version)),
        (&Method::DELETE, ["secrets", name]) => secrets::delete(call, vault, name),
        (&Method::GET, ["deletedsecrets"]) => secrets::list_deleted(call, vault),
        (&Method::GET, ["deletedsecrets", name]) => secrets::get_deleted(call, vault, name),
        (&Method::POST, ["deletedsecrets", name, "recover"]) => secrets::recover(call, vault, name),
        (&Method::DELETE, ["deletedsecrets", name]) => secrets::purge(call, vault, name),
        (_, ["secrets" | "deletedsecrets", ..]) => Err(refusal::method_not_allowed(method.as_str())),
        _ => Err(refusal::no_such_path()),
    }
}

/// Purges the secrets whose time has come, and ends recoveries.
pub(super) fn settle(world: &mut World, now: WorldTime) {
    if world.secrets.len() == 0 {
        return;
    }
    let due: Vec<String> = world
        .secrets
        .iter()
        .filter(|(_, secret)| secret.deleted.is_some_and(|deleted| deleted.purge <= now))
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in due {
        world.secrets.remove(&key);
    }
}

fn json(body: &impl serde::Serialize) -> Answer {
    reply::json(StatusCode::OK, body)
}
