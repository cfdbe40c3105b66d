//! Operations to requests. There is no POST that creates: what is created has a name of our choosing, so that a retry is the same request.

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request,
    header::{ACCEPT, CONTENT_TYPE, IF_MATCH, USER_AGENT},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use crate::{Audience, Cloud, TrustCa};

/// What a segment of a path may not hold as it is.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// What a query may not hold as it is; what is encoded already stays.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What is asked of a service.
#[derive(Clone, PartialEq)]
pub struct Operation {
    verb: Verb,
    audience: Audience,
    /// Of a vault or a cluster; the others have the cloud's.
    host: Option<String>,
    /// Below the host, as it is written in ids: not encoded.
    path: String,
    query: String,
    body: Option<Value>,
    if_match: Option<String>,
    prefer: Option<&'static str>,
    /// Of the body.
    content_type: &'static str,
    /// Who vouches for the host, where that is not one of the public authorities.
    trust: Option<TrustCa>,
}

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Reads.
    Get,
    /// Creates or replaces at a chosen name.
    Put,
    /// Changes in place.
    Patch,
    /// Deletes.
    Delete,
    /// Does one of the few things that have no other verb.
    Post(Action),
}

/// The POSTs there are. None of them creates an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// `{deleted vault}/purge`
    Purge,
    /// `{deleted secret}/recover`
    Recover,
    /// `{set of edges}/$ref`: an edge to what is there, which is there once however often it is added.
    Reference,
    /// `{cluster}/listClusterUserCredential`: how a user reaches its API server. No plan and no apply sends it.
    ListClusterUserCredential,
}

impl Action {
    /// The last segment of the path.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Purge => "purge",
            Action::Recover => "recover",
            Action::Reference => "$ref",
            Action::ListClusterUserCredential => "listClusterUserCredential",
        }
    }
}

impl Verb {
    /// Whether it may change something.
    pub fn mutates(self) -> bool {
        self != Verb::Get
    }

    fn method(self) -> Method {
        match self {
            Verb::Get => Method::GET,
            Verb::Put => Method::PUT,
            Verb::Patch => Method::PATCH,
            Verb::Delete => Method::DELETE,
            Verb::Post(_) => Method::POST,
        }
    }
}

/// What a request is called in Azure's own logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestIds {
    /// The run, a GUID: the same for all of its requests.
    pub run: String,
    /// The step in this run, a GUID: the same for every retry.
    pub step: String,
}

/// Why an operation has no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOperation {
    /// It is no path, or one with `.` or `..` in it, which would lead elsewhere.
    #[error("`{0}` is no path below a host")]
    Path(String),
    /// It cannot stand in a header.
    #[error("`{0}` cannot stand in a request header")]
    Header(String),
}

impl Operation {
    /// A read below ARM's host by path and query: `/subscriptions/…?api-version=…`.
    pub fn read(path_and_query: &str) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        Self::new(Verb::Get, path.to_owned(), query.to_owned())
    }

    /// Reads the object of an id.
    pub fn get(id: &str, api_version: &str) -> Self {
        Self::new(Verb::Get, id.to_owned(), version(api_version))
    }

    /// Creates or replaces the object of an id.
    pub fn put(id: &str, api_version: &str, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Verb::Put, id.to_owned(), version(api_version)) }
    }

    /// Changes the object of an id in place.
    pub fn patch(id: &str, api_version: &str, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Verb::Patch, id.to_owned(), version(api_version)) }
    }

    /// Deletes the object of an id.
    pub fn delete(id: &str, api_version: &str) -> Self {
        Self::new(Verb::Delete, id.to_owned(), version(api_version))
    }

    /// Does something to the object of an id.
    pub fn action(id: &str, action: Action, api_version: &str) -> Self {
        Self::new(Verb::Post(action), format!("{id}/{}", action.as_str()), version(api_version))
    }

    /// Changes what is at a path, of a service that has its version in the path.
    pub fn change(path: &str, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Verb::Patch, path.to_owned(), String::new()) }
    }

    /// Deletes what is at such a path.
    pub fn remove(path: &str) -> Self {
        Self::new(Verb::Delete, path.to_owned(), String::new())
    }

    /// Does something at such a path.
    pub fn act(path: &str, action: Action, body: Value) -> Self {
        let path = format!("{path}/{}", action.as_str());
        Self { body: Some(body), ..Self::new(Verb::Post(action), path, String::new()) }
    }

    /// With one more parameter of its query.
    #[must_use]
    pub fn asking(mut self, parameter: &str) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(parameter);
        self
    }

    /// With a wish of how it is to be done.
    #[must_use]
    pub fn prefer(mut self, how: &'static str) -> Self {
        self.prefer = Some(how);
        self
    }

    /// Only if the object still has this entity tag.
    #[must_use]
    pub fn only_if(mut self, etag: impl Into<String>) -> Self {
        self.if_match = Some(etag.into());
        self
    }

    /// With a body that says more of it.
    #[must_use]
    pub fn saying(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// With a body that is meant in another way than as the object itself.
    #[must_use]
    pub fn as_type(mut self, content_type: &'static str) -> Self {
        self.content_type = content_type;
        self
    }

    /// At a host that this authority vouches for.
    #[must_use]
    pub fn trusting(mut self, authority: TrustCa) -> Self {
        self.trust = Some(authority);
        self
    }

    /// At another service than ARM.
    #[must_use]
    pub fn at(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }

    /// At a host of its own: a vault's or a cluster's. Whether a token may go there is decided when it is sent.
    #[must_use]
    pub fn at_host(mut self, audience: Audience, host: impl Into<String>) -> Self {
        self.audience = audience;
        self.host = Some(host.into());
        self
    }

    fn new(verb: Verb, path: String, query: String) -> Self {
        Self {
            verb,
            audience: Audience::Arm,
            host: None,
            path,
            query,
            body: None,
            if_match: None,
            prefer: None,
            content_type: JSON,
            trust: None,
        }
    }

    /// How.
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// Whom it asks.
    pub fn audience(&self) -> Audience {
        self.audience
    }

    /// The path below the host, not encoded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The body.
    pub fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }

    /// The read of the same object: what an unknown outcome is decided by.
    #[must_use]
    pub fn read_back(&self) -> Operation {
        Self { verb: Verb::Get, body: None, if_match: None, prefer: None, content_type: JSON, ..self.clone() }
    }

    /// The request, to the real host of `cloud`. The token is added when it is sent.
    ///
    /// # Errors
    /// [`BadOperation`] if the path or the ids cannot be sent.
    pub fn request(&self, cloud: &Cloud, ids: &RequestIds) -> Result<Request<Bytes>, BadOperation> {
        let bad = || BadOperation::Path(self.path.clone());
        let host = match (&self.host, self.audience) {
            (Some(host), _) => host.as_str(),
            (None, Audience::Arm) => cloud.arm,
            (None, Audience::Graph) => cloud.graph,
            // Neither has a host that all of them share.
            (None, Audience::KeyVault | Audience::Cluster) => return Err(bad()),
        };
        if !self.path.starts_with('/')
            || self.path.split('/').any(|segment| matches!(segment, "." | ".."))
            || self.path.contains("//")
        {
            return Err(bad());
        }
        let mut uri = format!("https://{host}{}", utf8_percent_encode(&self.path, PATH));
        if !self.query.is_empty() {
            uri.push('?');
            uri.extend(utf8_percent_encode(&self.query, QUERY));
        }
        let mut request = Request::builder()
            .method(self.verb.method())
            .uri(uri)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("akson/", env!("CARGO_PKG_VERSION")));
        for (name, value) in [(CORRELATION, &ids.run), (CLIENT_REQUEST, &ids.step)] {
            if !value.is_empty() {
                request = request.header(name, header(value)?);
            }
        }
        if let Some(etag) = &self.if_match {
            request = request.header(IF_MATCH, header(etag)?);
        }
        if let Some(how) = self.prefer {
            request = request.header("prefer", how);
        }
        let body = match &self.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, self.content_type);
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        if let Some(trust) = &self.trust {
            request = request.extension(trust.clone());
        }
        request.body(body).map_err(|_| bad())
    }
}

/// What a body is, if nothing else is said.
const JSON: &str = "application/json";
/// Groups all requests of a run in Azure's activity log.
const CORRELATION: HeaderName = HeaderName::from_static("x-ms-correlation-request-id");
/// Names one request of ours.
const CLIENT_REQUEST: HeaderName = HeaderName::from_static("x-ms-client-request-id");

fn header(text: &str) -> Result<HeaderValue, BadOperation> {
    HeaderValue::from_str(text).map_err(|_| BadOperation::Header(text.to_owned()))
}

fn version(api_version: &str) -> String {
    format!("api-version={api_version}")
}

/// Without the body: it may hold what must not be shown.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}?{}", self.verb.method(), self.path, self.query)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use serde_json::json;

    use super::*;

    const GROUP: &str = "/subscriptions/s/resourceGroups/g (1)";

    #[track_caller]
    fn check(operation: &Operation, line: &str) {
        let ids = RequestIds { run: "r".to_owned(), step: "s".to_owned() };
        let request = operation.request(&Cloud::PUBLIC, &ids).unwrap();
        assert_eq!(format!("{} {}", request.method(), request.uri()), line);
        assert_eq!(request.headers()["x-ms-client-request-id"], "s");
        assert_eq!(request.headers()["x-ms-correlation-request-id"], "r");
        assert!(!request.headers().contains_key("authorization"));
        assert_eq!(request.headers().contains_key("content-type"), operation.body().is_some());
    }

    #[test]
    fn an_operation_is_a_request_to_the_real_host() {
        check(
            &Operation::get(GROUP, "2021-04-01"),
            "GET https://management.azure.com/subscriptions/s/resourceGroups/g%20(1)?api-version=2021-04-01",
        );
        check(&Operation::put("/a", "1", json!({"x": 1})), "PUT https://management.azure.com/a?api-version=1");
        check(&Operation::delete("/a", "1").only_if("W/\"1\""), "DELETE https://management.azure.com/a?api-version=1");
        check(
            &Operation::action("/a/deletedVaults/v", Action::Purge, "1"),
            "POST https://management.azure.com/a/deletedVaults/v/purge?api-version=1",
        );
        check(
            &Operation::read("/a/providers?api-version=1&$filter=roleName eq 'X'"),
            "GET https://management.azure.com/a/providers?api-version=1&$filter=roleName%20eq%20'X'",
        );
        check(
            &Operation::put("/ä%", "1", json!({})).read_back(),
            "GET https://management.azure.com/%C3%A4%25?api-version=1",
        );
        check(
            &Operation::get("/v1.0/groups", "1").at(Audience::Graph),
            "GET https://graph.microsoft.com/v1.0/groups?api-version=1",
        );
    }

    #[test]
    fn what_would_lead_elsewhere_is_refused() {
        for path in ["", "a", "/a/../b", "/./a", "//evil.example/a", "/a//b"] {
            let refused = Operation::get(path, "1").request(&Cloud::PUBLIC, &RequestIds::default());
            assert_eq!(refused.unwrap_err(), BadOperation::Path(path.to_owned()));
        }
        let ids = RequestIds { run: "a\nb".to_owned(), step: String::new() };
        assert!(matches!(Operation::get("/a", "1").request(&Cloud::PUBLIC, &ids), Err(BadOperation::Header(_))));
    }

    #[test]
    fn a_body_is_not_printed() {
        let operation = Operation::put("/a", "1", json!({"password": "hunter2"}));
        assert_eq!(format!("{operation:?}"), "PUT /a?api-version=1");
    }
}
