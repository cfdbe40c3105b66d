//! Entra's token endpoint: client credentials in, an unsigned JWT out; and the check of such a token
//! when it comes back. Who may sign in with what is in `sign_in`. No consent, no certificates.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Call;
use super::sign_in::{self, Shown};
use crate::clock::WorldTime;
use crate::reply::{self, Answer};
use crate::world::World;
use crate::world::principals::PrincipalKind;

/// Seconds that a token is good for, by the caller's clock.
const LIFETIME: u32 = 3599;

/// The client id of the Azure CLI.
const COMMAND_LINE: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

const GRAPH: &str = "https://graph.microsoft.com";

/// The resources that tokens are issued for, without the slash at the end.
const RESOURCES: [&str; 7] = [
    "https://management.azure.com",
    "https://management.core.windows.net",
    GRAPH,
    "00000003-0000-0000-c000-000000000000",
    "https://vault.azure.net",
    "https://storage.azure.com",
    "6dae42f8-4368-4678-94ff-3960e28e3630",
];

/// Whether a path under a loopback host is the token endpoint's.
pub(super) fn is_for(path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).skip(1);
    match (segments.next(), segments.next()) {
        (Some("oauth2" | "discovery"), _) => true,
        (Some("v2.0"), Some(next)) => next == ".well-known",
        _ => false,
    }
}

pub(super) fn answer(call: &mut Call<'_>) -> Answer {
    let segments = call.visit.segments().unwrap_or_default();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (call.visit.method.as_str(), segments.as_slice()) {
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => token(call, tenant),
        ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => configuration(call, tenant),
        ("GET", [_, "discovery", "instance"]) => instance(call),
        (_, [_, "oauth2", "v2.0", "token"]) => refuse(
            call,
            StatusCode::BAD_REQUEST,
            "invalid_request",
            900_561,
            "The endpoint only accepts POST requests. Received a GET request.",
        ),
        _ => reply::typed(StatusCode::NOT_FOUND, "text/html; charset=utf-8", "Not found".into()),
    }
}

fn token(call: &mut Call<'_>, tenant: &str) -> Answer {
    let bad = StatusCode::BAD_REQUEST;
    if !is_tenant(call, tenant) {
        let message = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
        );
        return refuse(call, bad, "invalid_request", 90_002, &message);
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&call.visit.body)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    for required in ["grant_type", "client_id", "scope"] {
        if field(required).is_empty() {
            let message = format!("The request body must contain the following parameter: '{required}'.");
            return refuse(call, bad, "invalid_request", 900_144, &message);
        }
    }
    if field("grant_type") != "client_credentials" {
        let message = format!("The app requested an unsupported grant type '{}'.", field("grant_type"));
        return refuse(call, bad, "unsupported_grant_type", 70_003, &message);
    }
    let shown = Shown {
        tenant,
        client: field("client_id"),
        secret: field("client_secret"),
        assertion_type: field("client_assertion_type"),
        assertion: field("client_assertion"),
    };
    let bearer = match sign_in::sign_in(&call.state.world, shown, call.now) {
        Ok(bearer) => bearer,
        Err(problem) => return refuse(call, problem.status, problem.error, problem.number, &problem.message),
    };
    let scope = field("scope");
    let Some(resource) = scope.split(' ').find_map(|scope| scope.strip_suffix("/.default")) else {
        let message = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        return refuse(call, bad, "invalid_scope", 1_002_012, &message);
    };
    let audience = match resource.trim_end_matches('/') {
        // As the metadata of a cloud on this machine have it.
        own if call.visit.loopback && own == call.visit.base => GRAPH,
        audience => audience,
    };
    if !RESOURCES.contains(&audience) {
        let message = format!(
            "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
        );
        return refuse(call, bad, "invalid_resource", 500_011, &message);
    }
    let access_token = issue(&call.state.world, &bearer, audience, &Terms::from(&*call));
    reply::json(
        StatusCode::OK,
        &json!({
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "ext_expires_in": LIFETIME,
            "access_token": access_token,
        }),
    )
}

/// Whether a path names the tenant of this world.
fn is_tenant(call: &Call<'_>, tenant: &str) -> bool {
    tenant.eq_ignore_ascii_case(&call.state.world.tenant)
}

fn configuration(call: &mut Call<'_>, tenant: &str) -> Answer {
    // `organizations` and `common` stand for any tenant when a client only asks what there is.
    if !is_tenant(call, tenant) && !matches!(tenant, "organizations" | "common") {
        let message = format!("Tenant '{tenant}' not found.");
        return refuse(call, StatusCode::BAD_REQUEST, "invalid_tenant", 90_002, &message);
    }
    let base = &call.visit.base;
    reply::json(
        StatusCode::OK,
        &json!({
            "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
            "device_authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/devicecode"),
        }),
    )
}

/// Which hosts stand for one another, and where the tenant's configuration is.
fn instance(call: &Call<'_>) -> Answer {
    let base = &call.visit.base;
    let asked = call.visit.query.get("authorization_endpoint").unwrap_or_default();
    let tenant = url::Url::parse(asked).ok().and_then(|asked| Some(asked.path_segments()?.next()?.to_owned()));
    let tenant = tenant.filter(|tenant| !tenant.is_empty()).unwrap_or_else(|| "common".to_owned());
    let metadata = if call.visit.loopback {
        let host = base.split_once("//").map_or("", |(_, host)| host);
        json!([{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }])
    } else {
        json!([{
            "preferred_network": "login.microsoftonline.com",
            "preferred_cache": "login.windows.net",
            "aliases": ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
        }])
    };
    reply::json(
        StatusCode::OK,
        &json!({
            "tenant_discovery_endpoint": format!("{base}/{tenant}/v2.0/.well-known/openid-configuration"),
            "api-version": "1.1",
            "metadata": metadata,
        }),
    )
}

/// The shape of all token errors: 400 or 401, `AADSTS` and a number.
fn refuse(call: &mut Call<'_>, status: StatusCode, error: &str, number: u32, message: &str) -> Answer {
    let luck = &mut call.state.world.luck;
    let (trace, correlation) = (luck.guid(), luck.guid());
    let time = call.now.spaced();
    let description =
        format!("AADSTS{number}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}");
    reply::json(
        status,
        &json!({
            "error": error,
            "error_description": description,
            "error_codes": [number],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        }),
    )
}

/// What a token says besides who and for what.
pub(super) struct Terms {
    pub(super) now: WorldTime,
    pub(super) time_scale: f64,
    pub(super) address: IpAddr,
}

impl From<&Call<'_>> for Terms {
    fn from(call: &Call<'_>) -> Self {
        Self { now: call.now, time_scale: call.time_scale, address: call.options.caller_address }
    }
}

/// A token in the form of a JWT. Its times are world time; it outlives [`LIFETIME`] whether the caller
/// counts that in its own seconds or in the world's.
fn issue(world: &World, bearer: &Bearer, audience: &str, terms: &Terms) -> String {
    let issued = terms.now.unix_seconds();
    let stretch = terms.time_scale.max(1.0);
    let expires = terms.now.plus(std::time::Duration::from_secs_f64(f64::from(LIFETIME) * stretch.min(1e9)));
    let mut claims = json!({
        "aud": audience,
        "iss": format!("https://sts.windows.net/{}/", world.tenant),
        "iat": issued,
        "nbf": issued,
        "exp": expires.unix_seconds(),
        "appid": bearer.client_id,
        "appidacr": "1",
        "idtyp": "app",
        "ipaddr": terms.address.to_string(),
        "oid": bearer.object_id,
        "sub": bearer.object_id,
        "tid": world.tenant,
        "ver": "1.0",
    });
    if let Some(user) = world.principal(&bearer.object_id).filter(|found| found.kind == PrincipalKind::User) {
        claims["idtyp"] = "user".into();
        claims["upn"] = user.name.into();
    }
    let head = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"none"}"#);
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    let seal = seal(&world.key, &head, &claims);
    format!("{head}.{claims}.{seal}")
}

/// A token for any principal, as if it had signed in. A user signs in through an application, the
/// command line's if none is named.
pub(crate) fn token_for(
    world: &World,
    (object_id, application): (&str, Option<&str>),
    audience: &str,
    terms: &Terms,
) -> Option<String> {
    let audience = audience.trim_end_matches('/');
    let found = world.principal(object_id).filter(|found| found.kind != PrincipalKind::Group)?;
    if !RESOURCES.contains(&audience) {
        return None;
    }
    let client_id = found.app_id.unwrap_or_else(|| application.unwrap_or(COMMAND_LINE).to_owned());
    Some(issue(world, &Bearer { object_id: found.object_id, client_id }, audience, terms))
}

fn seal(key: &str, head: &str, claims: &str) -> String {
    let digest = Sha256::new().chain_update(key).chain_update(head).chain_update(".").chain_update(claims).finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) object_id: String,
    pub(crate) client_id: String,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadToken {
    Missing,
    Invalid,
    WrongAudience,
    Expired {
        /// Since when.
        at: WorldTime,
    },
}

/// Checks the bearer token of a call against a set of audiences.
pub(super) fn check(
    world: &World,
    header: Option<&str>,
    audiences: &[&str],
    now: WorldTime,
) -> Result<Bearer, BadToken> {
    #[derive(Deserialize)]
    struct Claims {
        aud: String,
        exp: i64,
        tid: String,
        oid: String,
        appid: String,
    }
    let header = header.ok_or(BadToken::Missing)?;
    let (scheme, token) = header.split_once(' ').ok_or(BadToken::Invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(BadToken::Invalid);
    }
    let mut parts = token.trim().splitn(3, '.');
    let (Some(head), Some(body), Some(sealed)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(BadToken::Invalid);
    };
    if sealed != seal(&world.key, head, body) {
        return Err(BadToken::Invalid);
    }
    let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| BadToken::Invalid)?;
    let claims: Claims = serde_json::from_slice(&bytes).map_err(|_| BadToken::Invalid)?;
    if claims.tid != world.tenant {
        return Err(BadToken::Invalid);
    }
    if !audiences.contains(&claims.aud.as_str()) {
        return Err(BadToken::WrongAudience);
    }
    if claims.exp <= now.unix_seconds() {
        return Err(BadToken::Expired { at: WorldTime(claims.exp.saturating_mul(1000)) });
    }
    Ok(Bearer { object_id: claims.oid, client_id: claims.appid })
}

/// The object id of whoever a good token speaks for.
pub(super) fn principal(
    world: &World,
    header: Option<&str>,
    audiences: &[&str],
    now: WorldTime,
) -> Result<String, BadToken> {
    check(world, header, audiences, now).map(|bearer| bearer.object_id)
}

/// Whether a method reads only.
pub(super) fn reads(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}
