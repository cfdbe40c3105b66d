//! Who may sign in with what: the caller and applications with a secret, managed identities and
//! applications with a token that a federated credential trusts. The protocol around it is in `login`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Map, Value};

use super::login::Bearer;
use crate::clock::WorldTime;
use crate::world::{DirectoryEntry, World};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Why somebody is not signed in: what the token endpoint says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) number: u32,
    pub(super) message: String,
}

impl Problem {
    fn bad(error: &'static str, number: u32, message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, number, message }
    }

    fn client(number: u32, message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, error: "invalid_client", number, message: message.into() }
    }
}

/// What a client shows: fields of the form, empty where absent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) tenant: &'a str,
    pub(super) client: &'a str,
    pub(super) secret: &'a str,
    pub(super) assertion_type: &'a str,
    pub(super) assertion: &'a str,
}

/// Whoever has the client id, before anything was shown.
struct Candidate<'a> {
    bearer: Bearer,
    /// The application and the service principal: whose secrets and credentials count.
    entries: Vec<&'a DirectoryEntry>,
    /// The key of a user-assigned identity.
    identity: Option<String>,
}

/// Signs in.
pub(super) fn sign_in(world: &World, shown: Shown<'_>, now: WorldTime) -> Result<Bearer, Problem> {
    let candidate = find(world, shown)?;
    if !shown.assertion.is_empty() {
        return check_assertion(world, &candidate, shown, now).map(|()| candidate.bearer);
    }
    if shown.secret.is_empty() {
        let message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return Err(Problem::client(7_000_218, message));
    }
    let is_caller = candidate.bearer.client_id.eq_ignore_ascii_case(&world.caller.client_id);
    if is_caller && shown.secret == world.caller.client_secret {
        return Ok(candidate.bearer);
    }
    let mut secrets = candidate.entries.iter().flat_map(|entry| &entry.secrets);
    match secrets.find(|secret| secret.text == shown.secret) {
        Some(secret) if now < secret.ends => Ok(candidate.bearer),
        Some(_) => Err(Problem::client(
            7_000_222,
            format!(
                "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
                shown.client
            ),
        )),
        None => Err(Problem::client(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
                shown.client
            ),
        )),
    }
}

fn find<'a>(world: &'a World, shown: Shown<'_>) -> Result<Candidate<'a>, Problem> {
    let client = shown.client.to_ascii_lowercase();
    let keys = world.key_index();
    let entry = |id: Option<&String>| id.and_then(|id| world.directory.get(id));
    let (application, principal) = (keys.applications.get(&client), keys.service_principals.get(&client));
    let entries = [entry(application), entry(principal)].into_iter().flatten().collect();
    let bearer = |object_id: &str| Bearer { object_id: object_id.to_owned(), client_id: client.clone() };
    if client.eq_ignore_ascii_case(&world.caller.client_id) {
        let bearer = Bearer { client_id: world.caller.client_id.clone(), ..bearer(&world.caller.object_id) };
        return Ok(Candidate { bearer, entries, identity: None });
    }
    if let Some(object_id) = principal {
        return Ok(Candidate { bearer: bearer(object_id), entries, identity: None });
    }
    if application.is_some() {
        let message = format!(
            "The client application {} is missing service principal in the tenant {}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119",
            shown.client, shown.tenant
        );
        return Err(Problem {
            status: StatusCode::UNAUTHORIZED,
            ..Problem::bad("unauthorized_client", 7_000_229, message)
        });
    }
    let index = world.arm_index();
    let identity = index.clients.get(&client).and_then(|object_id| index.identities.get(object_id));
    match identity.filter(|identity| identity.user_assigned) {
        Some(identity) => {
            Ok(Candidate { bearer: bearer(&identity.object_id), entries, identity: Some(identity.key.clone()) })
        }
        None => Err(Problem::bad(
            "unauthorized_client",
            700_016,
            format!(
                "Application with identifier '{}' was not found in the directory '{}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
                shown.client, shown.tenant
            ),
        )),
    }
}

/// What is trusted: issuer, subject, audience. All are compared as they are.
struct Trust<'a> {
    issuer: &'a str,
    subject: &'a str,
    audience: &'a str,
}

impl<'a> Trust<'a> {
    fn of(properties: &'a Map<String, Value>) -> Self {
        let text = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default();
        let audience = properties.get("audiences").and_then(|list| list.get(0)).and_then(Value::as_str);
        Self { issuer: text("issuer"), subject: text("subject"), audience: audience.unwrap_or_default() }
    }
}

/// The signature is not looked at: no issuer here publishes keys.
fn check_assertion(world: &World, candidate: &Candidate<'_>, shown: Shown<'_>, now: WorldTime) -> Result<(), Problem> {
    if shown.assertion_type != ASSERTION_TYPE {
        let message =
            format!("Invalid client assertion type '{}'. The value must be '{ASSERTION_TYPE}'.", shown.assertion_type);
        return Err(Problem::bad("invalid_request", 900_443, message));
    }
    let Some(claims) = claims(shown.assertion) else {
        let message = "Invalid JWT token. The token is malformed.".to_owned();
        return Err(Problem::bad("invalid_request", 50_027, message));
    };
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let moment = |name: &str| claims.get(name).and_then(Value::as_i64);
    let seconds = now.unix_seconds();
    if moment("exp").is_none_or(|ends| ends <= seconds) || moment("nbf").is_some_and(|starts| starts > seconds + 300) {
        return Err(Problem::client(
            700_024,
            format!(
                "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of assertion {}.",
                now.to_seconds(),
                WorldTime(moment("nbf").unwrap_or(0).saturating_mul(1000)).to_seconds(),
                WorldTime(moment("exp").unwrap_or(0).saturating_mul(1000)).to_seconds(),
            ),
        ));
    }
    let below = candidate.identity.as_ref().map(|key| format!("{key}/federatedidentitycredentials/"));
    let of_identity = below.iter().flat_map(|prefix| world.objects.starting_with(prefix, ""));
    let of_identity = of_identity.filter_map(|(_, object)| object.properties());
    let of_application = candidate.entries.iter().flat_map(|entry| &entry.credentials);
    let trusts: Vec<Trust<'_>> = of_identity.chain(of_application).map(Trust::of).collect();
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(audience)) => vec![audience],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let unmatched = |number, what: &str, value: &str| {
        let message = format!(
            "No matching federated identity record found for presented assertion {what} '{value}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
        );
        Err(Problem::client(number, message))
    };
    let (issuer, subject) = (text("iss"), text("sub"));
    let mut matching: Vec<&Trust<'_>> = trusts.iter().filter(|trust| trust.issuer == issuer).collect();
    if matching.is_empty() {
        return unmatched(700_211, "issuer", issuer);
    }
    matching.retain(|trust| trust.subject == subject);
    if matching.is_empty() {
        return unmatched(700_213, "subject", subject);
    }
    if !matching.iter().any(|trust| audiences.contains(&trust.audience)) {
        return unmatched(700_212, "audience", &audiences.join(","));
    }
    Ok(())
}

fn claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_, body, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(body).ok()?;
    serde_json::from_slice(&bytes).ok()
}
