//! One call as it arrived: host, path, query, caller's address base. Knows no plane.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, Method, Request};
use percent_encoding::percent_decode_str;

/// A request with what routing needs taken out.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) method: Method,
    /// Host in lower case, without port.
    pub(crate) host: String,
    /// What absolute URLs in answers start with: scheme, host and, for loopback, port.
    pub(crate) base: String,
    /// Path as it came.
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the call came for a loopback host name.
    pub(crate) loopback: bool,
}

impl Visit {
    pub(crate) fn new(request: Request<Bytes>) -> Self {
        let (Parts { method, uri, headers, .. }, body) = request.into_parts();
        let authority = uri
            .authority()
            .map(http::uri::Authority::as_str)
            .or_else(|| headers.get(HOST).and_then(|value| value.to_str().ok()))
            .unwrap_or_default()
            .to_ascii_lowercase();
        let host = without_port(&authority).to_owned();
        let loopback = is_loopback(&host);
        let scheme = if uri.scheme_str() == Some("https") { "https" } else { "http" };
        let base = if loopback { format!("{scheme}://{authority}") } else { format!("https://{host}") };
        Self {
            method,
            host,
            base,
            path: uri.path().to_owned(),
            query: Query::new(uri.query().unwrap_or_default()),
            headers,
            body,
            loopback,
        }
    }

    /// Path and query as they came.
    pub(crate) fn path_and_query(&self) -> String {
        if self.query.raw.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query.raw) }
    }

    /// The decoded segments of the path, without empty ones. `None` if a segment is not UTF-8 or hides
    /// a slash or a control character.
    pub(crate) fn segments(&self) -> Option<Vec<String>> {
        segments(&self.path)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The decoded segments of a path.
pub(crate) fn segments(path: &str) -> Option<Vec<String>> {
    let mut found = Vec::with_capacity(12);
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let decoded = percent_decode_str(segment).decode_utf8().ok()?;
        if decoded.chars().any(|c| c == '/' || c.is_control()) {
            return None;
        }
        found.push(decoded.into_owned());
    }
    Some(found)
}

/// The query of a call.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) raw: String,
    pairs: Vec<(String, String)>,
}

impl Query {
    fn new(raw: &str) -> Self {
        let pairs = url::form_urlencoded::parse(raw.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self { raw: raw.to_owned(), pairs }
    }

    /// The value of a parameter; names do not regard case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All parameters but this one, encoded again.
    pub(crate) fn without(&self, name: &str) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.pairs.iter().filter(|(known, _)| !known.eq_ignore_ascii_case(name)))
            .finish()
    }
}

fn without_port(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn hosts_and_bases() {
        let check = |uri: &str, host: &str, base: &str| {
            let visit = Visit::new(Request::get(uri).body(Bytes::new()).unwrap());
            assert_eq!((visit.host.as_str(), visit.base.as_str()), (host, base), "{uri}");
        };
        check("https://management.azure.com/a", "management.azure.com", "https://management.azure.com");
        check("https://Management.Azure.com:443/a", "management.azure.com", "https://management.azure.com");
        check("http://127.0.0.1:8080/a", "127.0.0.1", "http://127.0.0.1:8080");
        check("https://127.0.0.1:8080/a", "127.0.0.1", "https://127.0.0.1:8080");
        check("http://[::1]:8080/a", "::1", "http://[::1]:8080");
        check("http://localhost/a", "localhost", "http://localhost");
    }

    #[test]
    fn a_segment_hides_no_slash() {
        assert_eq!(segments("/a/b%20c//d/").unwrap(), ["a", "b c", "d"]);
        assert!(segments("/a%2fb").is_none());
        assert!(segments("/a%00b").is_none());
        assert!(segments("/a%ffb").is_none());
    }
}
