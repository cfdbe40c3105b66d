//! What errors say: codes, messages and shapes as Azure sends them. One place, so that they are
//! compared with recorded traffic in one place.

pub(crate) mod container;
pub(crate) mod network;

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::id::ResourceId;
use crate::reply::{self, Answer, WithHeader};

/// An error answer, not yet put into bytes.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: Cow<'static, str>,
    /// Whether ARM itself speaks (header `x-ms-failure-cause: gateway`) and not a provider.
    gateway: bool,
    /// Whole world seconds.
    retry_after: Option<u64>,
    /// A `WWW-Authenticate` header.
    challenge: Option<Box<str>>,
    /// The whole body, where it is not the usual one.
    body: Option<Box<Value>>,
}

/// What a plane makes of a call.
pub(crate) type Outcome = Result<Answer, Refusal>;

impl Refusal {
    fn gateway(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { gateway: true, ..Self::provider(status, code, message) }
    }

    /// An error of a resource provider: no gateway header.
    pub(crate) fn provider(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            gateway: false,
            retry_after: None,
            challenge: None,
            body: None,
        }
    }

    /// The same error with a body of its own shape.
    fn with_body(self, body: Value) -> Self {
        Self { body: Some(Box::new(body)), ..self }
    }

    /// Whether a resource provider speaks and not ARM itself.
    pub(crate) fn by_provider(&self) -> bool {
        !self.gateway
    }

    pub(crate) fn into_answer(self) -> Answer {
        let mut answer = match &self.body {
            Some(body) => reply::json(self.status, body),
            None => reply::json(self.status, &wrapped(&self.code, &self.message)),
        };
        if self.gateway {
            answer = answer.with("x-ms-failure-cause", "gateway");
        }
        if let Some(seconds) = self.retry_after {
            answer = answer.with("retry-after", &seconds.to_string());
        }
        if let Some(challenge) = &self.challenge {
            answer = answer.with("www-authenticate", challenge);
        }
        answer
    }
}

/// `{"error":{"code","message"}}`.
pub(crate) fn wrapped(code: &str, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message } })
}

/// An error of a provider that puts no `error` around it: `{"code","message"}`.
pub(crate) fn bare(status: StatusCode, code: &'static str, message: String) -> Refusal {
    let body = json!({ "code": code, "message": message });
    Refusal::provider(status, code, message).with_body(body)
}

/// 401 for a call without a usable token. `reason` is the short form in the header.
pub(crate) fn unauthenticated(tenant: &str, code: &'static str, message: String, reason: &str) -> Refusal {
    let challenge = format!(
        "Bearer authorization_uri=\"https://login.microsoftonline.com/{tenant}\", error=\"invalid_token\", error_description=\"{reason}\""
    );
    Refusal { challenge: Some(challenge.into()), ..Refusal::gateway(StatusCode::UNAUTHORIZED, code, message) }
}

/// 403 for an action that the caller has no right to (recorded).
pub(crate) fn forbidden(client: &str, object: &str, action: &str, scope: &str) -> Refusal {
    let message = format!(
        "The client '{client}' with object id '{object}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    );
    Refusal::gateway(StatusCode::FORBIDDEN, "AuthorizationFailed", message)
}

/// 429 of ARM itself.
pub(crate) fn throttled(subscription: &str, object: &str, word: &str, seconds: u64) -> Refusal {
    let kind = word.trim_end_matches('s');
    let message = format!(
        "Number of '{kind}' requests for subscription '{subscription}' actor '{object}' exceeded. Please try again after '{seconds}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information."
    );
    Refusal {
        retry_after: Some(seconds),
        ..Refusal::gateway(StatusCode::TOO_MANY_REQUESTS, "SubscriptionRequestsThrottled", message)
    }
}

/// 429 of the managed identity provider, whose code is the number (recorded).
pub(crate) fn identity_throttled(subscription: &str, seconds: u64) -> Refusal {
    let message = format!(
        "Request is temporarily throttled because subscription {subscription} has issued too many requests. Retry after {seconds} seconds."
    );
    Refusal { retry_after: Some(seconds), ..Refusal::provider(StatusCode::TOO_MANY_REQUESTS, "429", message) }
}

pub(crate) fn missing_api_version() -> Refusal {
    Refusal::gateway(
        StatusCode::BAD_REQUEST,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )
}

pub(crate) fn invalid_api_version(version: &str) -> Refusal {
    let message = format!(
        "The api-version '{version}' is invalid. The supported versions are '2024-11-01,2024-07-01,2024-03-01,2022-12-01,2022-09-01,2021-04-01,2020-10-01,2020-06-01,2019-10-01,2018-05-01'."
    );
    Refusal::gateway(StatusCode::BAD_REQUEST, "InvalidApiVersionParameter", message)
}

pub(crate) fn no_provider_for_version(version: &str, type_name: &str) -> Refusal {
    let message = format!(
        "No registered resource provider found for API version '{version}' and type '{type_name}'. The supported api-versions are '2014-01-01' to '2030-12-31'."
    );
    Refusal::gateway(StatusCode::BAD_REQUEST, "NoRegisteredProviderFound", message)
}

pub(crate) fn invalid_subscription_id(subscription: &str) -> Refusal {
    Refusal::gateway(
        StatusCode::BAD_REQUEST,
        "InvalidSubscriptionId",
        format!("The provided subscription identifier '{subscription}' is malformed or invalid."),
    )
}

pub(crate) fn subscription_not_found(subscription: &str) -> Refusal {
    Refusal::gateway(
        StatusCode::NOT_FOUND,
        "SubscriptionNotFound",
        format!("The subscription '{subscription}' could not be found."),
    )
}

pub(crate) fn group_not_found(group: &str) -> Refusal {
    Refusal::gateway(
        StatusCode::NOT_FOUND,
        "ResourceGroupNotFound",
        format!("Resource group '{group}' could not be found."),
    )
}

pub(crate) fn group_being_deleted(group: &str) -> Refusal {
    Refusal::gateway(
        StatusCode::CONFLICT,
        "ResourceGroupBeingDeleted",
        format!("The resource group '{group}' is in deprovisioning state and cannot perform this operation."),
    )
}

/// 404 by ARM, before the provider is asked (recorded).
pub(crate) fn resource_not_found(id: &ResourceId) -> Refusal {
    let names: Vec<&str> = id.steps.iter().map(|step| step.name.as_str()).collect();
    let what = format!("{}/{}", id.full_type(), names.join("/"));
    let message = match &id.place.group {
        Some(group) => format!(
            "The Resource '{what}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        ),
        None => format!(
            "The Resource '{what}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        ),
    };
    Refusal::gateway(StatusCode::NOT_FOUND, "ResourceNotFound", message)
}

/// 404 by a provider: the same shape, but no gateway header and other words (recorded for federated
/// credentials).
pub(crate) fn provider_not_found(id: &str) -> Refusal {
    Refusal::provider(StatusCode::NOT_FOUND, "NotFound", format!("Resource '{id}' was not found."))
}

/// 404 for a child whose parent is missing (recorded). `verb` is `read`, `write` or `delete`.
pub(crate) fn parent_not_found(verb: &str, id: &ResourceId, parent: &ResourceId) -> Refusal {
    let kinds: Vec<&str> = id.steps.iter().map(|step| step.kind.as_str()).collect();
    let message = format!(
        "Failed to perform '{verb}' on resource(s) of type '{}', because the parent resource '{}' could not be found.",
        kinds.join("/"),
        parent.as_written(),
    );
    Refusal::gateway(StatusCode::NOT_FOUND, "ParentResourceNotFound", message)
}

pub(crate) fn invalid_namespace(namespace: &str) -> Refusal {
    Refusal::gateway(
        StatusCode::NOT_FOUND,
        "InvalidResourceNamespace",
        format!("The resource namespace '{namespace}' is invalid."),
    )
}

pub(crate) fn invalid_type(namespace: &str, kinds: &str, version: &str) -> Refusal {
    let message = format!(
        "The resource type '{kinds}' could not be found in the namespace '{namespace}' for api version '{version}'."
    );
    Refusal::gateway(StatusCode::NOT_FOUND, "InvalidResourceType", message)
}

pub(crate) fn no_such_path(path: &str) -> Refusal {
    Refusal::gateway(
        StatusCode::NOT_FOUND,
        "NotFound",
        format!("No HTTP resource was found that matches the request URI '{path}'."),
    )
}

pub(crate) fn method_not_allowed(method: &str) -> Refusal {
    Refusal::gateway(
        StatusCode::METHOD_NOT_ALLOWED,
        "HttpMethodNotAllowed",
        format!("The requested resource does not support http method '{method}'."),
    )
}

pub(crate) fn invalid_content(detail: &str) -> Refusal {
    Refusal::gateway(
        StatusCode::BAD_REQUEST,
        "InvalidRequestContent",
        format!("The request content was invalid and could not be deserialized: '{detail}'."),
    )
}

pub(crate) fn content_too_large() -> Refusal {
    Refusal::gateway(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestContentTooLarge",
        "The request content size exceeds the maximum size of 4 MB.",
    )
}

/// What Azure's web servers say before any service is asked, in HTML.
pub(crate) fn length_required() -> Answer {
    let text = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n\
        <HTML><HEAD><TITLE>Length Required</TITLE>\r\n\
        <META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; charset=us-ascii\"></HEAD>\r\n\
        <BODY><h2>Length Required</h2>\r\n\
        <hr><p>HTTP Error 411. The request must be chunked or have a content length.</p>\r\n\
        </BODY></HTML>\r\n";
    let html = "text/html; charset=us-ascii";
    reply::typed(StatusCode::LENGTH_REQUIRED, html, Bytes::from_static(text.as_bytes()))
}

pub(crate) fn unsupported_media(given: &str) -> Refusal {
    Refusal::gateway(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaType",
        format!("The content media type '{given}' is not supported. Only 'application/json' is supported."),
    )
}

pub(crate) fn location_required() -> Refusal {
    Refusal::gateway(
        StatusCode::BAD_REQUEST,
        "LocationRequired",
        "The location property is required for this definition.",
    )
}

pub(crate) fn group_location_unavailable(location: &str, regions: &str) -> Refusal {
    let message = format!(
        "The provided location '{location}' is not available for resource group. List of available regions is '{regions}'."
    );
    Refusal::gateway(StatusCode::BAD_REQUEST, "LocationNotAvailableForResourceGroup", message)
}

pub(crate) fn type_location_unavailable(location: &str, type_name: &str, regions: &str) -> Refusal {
    let message = format!(
        "The provided location '{location}' is not available for resource type '{type_name}'. List of available regions for the resource type is '{regions}'."
    );
    Refusal::gateway(StatusCode::BAD_REQUEST, "LocationNotAvailableForResourceType", message)
}

pub(crate) fn group_elsewhere(wanted: &str, existing: &str) -> Refusal {
    let message = format!(
        "Invalid resource group location '{wanted}'. The Resource group already exists in location '{existing}'."
    );
    Refusal::gateway(StatusCode::CONFLICT, "InvalidResourceGroupLocation", message)
}

pub(crate) fn resource_elsewhere(name: &str, group: &str, wanted: &str, existing: &str) -> Refusal {
    let message = format!(
        "The resource '{name}' already exists in location '{existing}' in resource group '{group}'. A resource with the same name cannot be created in location '{wanted}'. Please select a new resource name."
    );
    Refusal::gateway(StatusCode::CONFLICT, "InvalidResourceLocation", message)
}

pub(crate) fn locked(scope: &str, verb: &str, locked: &[String]) -> Refusal {
    let message = format!(
        "The scope '{scope}' cannot perform {verb} operation because following scope(s) are locked: '{}'. Please remove the lock and try again.",
        locked.join(",")
    );
    Refusal::gateway(StatusCode::CONFLICT, "ScopeLocked", message)
}

/// 400 by ARM with a code of its own.
pub(crate) fn invalid(code: &'static str, message: String) -> Refusal {
    Refusal::gateway(StatusCode::BAD_REQUEST, code, message)
}

/// 400 `BadRequest` by a provider.
pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::provider(StatusCode::BAD_REQUEST, "BadRequest", message)
}

/// A provider's 400 with details.
pub(crate) fn with_details(code: &'static str, message: &'static str, details: Value) -> Refusal {
    let mut body = wrapped(code, message);
    body["error"]["details"] = details;
    Refusal::provider(StatusCode::BAD_REQUEST, code, message).with_body(body)
}

/// 409 by a provider.
pub(crate) fn conflict(code: &'static str, message: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::provider(StatusCode::CONFLICT, code, message)
}

/// 500 when the world could not be committed: nothing has changed.
pub(crate) fn not_stored(detail: &str) -> Refusal {
    Refusal::provider(
        StatusCode::INTERNAL_SERVER_ERROR,
        "InternalServerError",
        format!("The emulator could not store its world, so nothing was changed: {detail}"),
    )
}
