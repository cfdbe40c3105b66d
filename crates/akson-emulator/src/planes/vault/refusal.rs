//! What a vault's errors say: code, message and mostly an inner code. Their shape is not ARM's.

use http::StatusCode;
use serde_json::json;

use super::Vault;
use crate::planes::login::BadToken;
use crate::planes::{Bearer, Call};
use crate::reply::{self, Answer, WithHeader};

/// An error answer of a vault.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    inner: Option<&'static str>,
    challenge: Option<String>,
}

impl Refused {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), inner: None, challenge: None }
    }

    fn inside(self, inner: &'static str) -> Self {
        Self { inner: Some(inner), ..self }
    }

    pub(crate) fn into_answer(self) -> Answer {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(inner) = self.inner {
            error["innererror"] = json!({ "code": inner });
        }
        let answer = reply::json(self.status, &json!({ "error": error }));
        match &self.challenge {
            Some(challenge) => answer.with("www-authenticate", challenge),
            None => answer,
        }
    }
}

/// Recorded for a call without a token: clients make one on purpose, to learn where to get it.
pub(super) fn unauthenticated(tenant: &str, bad: BadToken) -> Refused {
    let message = match bad {
        BadToken::Missing => "AKV10000: Request is missing a Bearer or PoP token.",
        BadToken::Invalid => "AKV10001: The token is not valid.",
        BadToken::WrongAudience => "AKV10022: Invalid audience. Expected https://vault.azure.net.",
        BadToken::Expired { .. } => "[TokenExpired] Error validating token: 'S2S12086'.",
    };
    let challenge = format!(
        "Bearer authorization=\"https://login.microsoftonline.com/{tenant}\", resource=\"https://vault.azure.net\""
    );
    Refused { challenge: Some(challenge), ..Refused::new(StatusCode::UNAUTHORIZED, "Unauthorized", message) }
}

fn caller(call: &Call<'_>) -> String {
    let Bearer { object_id, client_id } = call.bearer();
    format!("appid={client_id};oid={object_id};iss=https://sts.windows.net/{}/", call.state.world.tenant)
}

/// 403 where roles decide.
pub(super) fn no_role(call: &Call<'_>, vault: &Vault, action: &str, secret: Option<&str>) -> Refused {
    let id = vault.object.id().to_ascii_lowercase();
    let resource = secret.map_or_else(|| id.clone(), |secret| format!("{id}/secrets/{}", secret.to_ascii_lowercase()));
    Refused::new(
        StatusCode::FORBIDDEN,
        "Forbidden",
        format!(
            "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: {}\r\nAction: '{action}'\r\nResource: '{resource}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: {};location={}\r\n",
            caller(call),
            vault.name,
            vault.object.text("location")
        ),
    )
    .inside("ForbiddenByRbac")
}

/// 403 where access policies decide.
pub(super) fn no_policy(call: &Call<'_>, vault: &Vault, permission: &str) -> Refused {
    Refused::new(
        StatusCode::FORBIDDEN,
        "Forbidden",
        format!(
            "The user, group or application '{}' does not have secrets {permission} permission on key vault '{};location={}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
            caller(call),
            vault.name,
            vault.object.text("location")
        ),
    )
    .inside("ForbiddenByPolicy")
}

/// 403 by the vault's firewall.
pub(super) fn firewall(call: &Call<'_>, vault: &Vault, closed: bool) -> Refused {
    let start = if closed {
        "Public network access is disabled and request is not from a trusted service nor via an approved private link."
            .to_owned()
    } else {
        format!(
            "Client address is not authorized and caller is not a trusted service.\r\nClient address: {}",
            call.options.caller_address
        )
    };
    let message = format!(
        "{start}\r\nCaller: {}\r\nVault: {};location={}",
        caller(call),
        vault.name,
        vault.object.text("location")
    );
    Refused::new(StatusCode::FORBIDDEN, "Forbidden", message).inside("ForbiddenByFirewall")
}

pub(super) fn disabled() -> Refused {
    Refused::new(StatusCode::FORBIDDEN, "Forbidden", "Operation get is not allowed on a disabled secret.")
        .inside("SecretDisabled")
}

pub(super) fn purge_protected() -> Refused {
    Refused::new(
        StatusCode::FORBIDDEN,
        "Forbidden",
        "Operation \"purge\" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.",
    )
    .inside("ForbiddenByPurgeProtection")
}

pub(super) fn not_found(name: &str) -> Refused {
    Refused::new(
        StatusCode::NOT_FOUND,
        "SecretNotFound",
        format!(
            "A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"
        ),
    )
}

pub(super) fn deleted_not_found(name: &str) -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "SecretNotFound", format!("Deleted Secret not found: {name}"))
}

/// 409 for a name that a deleted secret holds, or one that is on its way.
pub(super) fn conflict(name: &str, inner: &'static str) -> Refused {
    let message = match inner {
        "ObjectIsBeingDeleted" => format!("Secret {name} is currently being deleted."),
        "ObjectIsBeingRecovered" => format!("Secret {name} is currently being recovered."),
        _ => format!(
            "Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."
        ),
    };
    Refused::new(StatusCode::CONFLICT, "Conflict", message).inside(inner)
}

/// Recorded in words: 400 with the code of a 405.
pub(super) fn not_deleted_yet(name: &str) -> Refused {
    Refused::new(
        StatusCode::BAD_REQUEST,
        "MethodNotAllowed",
        format!("The requested operation is not allowed on secret {name}, which is not deleted."),
    )
    .inside("RequestNotAllowedOnNonDeletedObject")
}

pub(super) fn bad_parameter(message: impl Into<String>) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, "BadParameter", message)
}

pub(super) fn no_such_path() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "NotFound", "The requested path was not found.")
}

pub(super) fn method_not_allowed(method: &str) -> Refused {
    Refused::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        format!("The requested resource does not support http method '{method}'."),
    )
}
