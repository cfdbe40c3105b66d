//! Lists, page by page: which page comes next, and when to stop. Not the sending.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use crate::{Answer, Origin, Unfit, answer::Body};

/// More pages than any list has.
pub const PAGE_LIMIT: usize = 1_000;

/// A list being read.
#[derive(Debug)]
pub struct Pages {
    origin: Option<Origin>,
    first: Request<Bytes>,
    seen: BTreeSet<String>,
}

/// One page.
#[derive(Debug)]
pub struct Page {
    /// What stood in `value`.
    pub items: Vec<Value>,
    /// The request for the next page; none after the last.
    pub next: Option<Request<Bytes>>,
}

/// Why a list cannot be read to its end. A list that is not whole is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The next page is elsewhere.
    #[error("the link to the next page is not followed: {0}")]
    Link(#[from] Unfit),
    /// A link came twice.
    #[error("the link to the next page leads in a circle")]
    Circle,
    /// More than [`PAGE_LIMIT`] pages.
    #[error("there are more than {PAGE_LIMIT} pages")]
    TooMany,
    /// No `value` list.
    #[error("the answer is no list: {0}")]
    NoList(&'static str),
}

impl Pages {
    /// A list whose first page is asked for by `first`.
    pub fn new(first: Request<Bytes>) -> Self {
        Self { origin: Origin::of(first.uri()), first, seen: BTreeSet::new() }
    }

    /// Takes a page. An empty page is not the end; only a missing link is.
    ///
    /// # Errors
    /// [`PageError`]
    pub fn page(&mut self, answer: &Answer) -> Result<Page, PageError> {
        let body = match &answer.body {
            Body::Json(body) => body,
            Body::Empty => return Err(PageError::NoList("it has no body")),
            Body::Other { because, .. } => return Err(PageError::NoList(because)),
        };
        let Some(Value::Array(items)) = body.get("value") else { return Err(PageError::NoList("it has no `value`")) };
        let items = items.clone();
        let link = ["nextLink", "@odata.nextLink"]
            .iter()
            .find_map(|key| body.get(*key)?.as_str())
            .filter(|link| !link.is_empty());
        let Some(link) = link else { return Ok(Page { items, next: None }) };
        let uri = self.origin.as_ref().ok_or(Unfit::Malformed)?.admit(link)?;
        if !self.seen.insert(link.to_owned()) || uri == *self.first.uri() {
            return Err(PageError::Circle);
        }
        if self.seen.len() >= PAGE_LIMIT {
            return Err(PageError::TooMany);
        }
        let mut request = self.first.clone();
        *request.uri_mut() = uri;
        Ok(Page { items, next: Some(request) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use http::Response;
    use serde_json::json;

    use super::*;

    fn pages() -> Pages {
        Pages::new(Request::get("https://management.azure.com/list?api-version=1").body(Bytes::new()).unwrap())
    }

    fn page(body: &Value) -> Answer {
        Answer::of(Response::new(Bytes::from(body.to_string())))
    }

    fn link(to: &str) -> Answer {
        page(&json!({"value": [], "nextLink": to}))
    }

    #[test]
    fn pages_follow_each_other_and_an_empty_one_is_not_the_end() {
        let mut pages = pages();
        let next = "https://management.azure.com/list?api-version=1&$skiptoken=a%2F&$skipToken=b";
        let first = pages.page(&page(&json!({"value": [1], "nextLink": next}))).unwrap();
        assert_eq!((first.items, first.next.unwrap().uri().to_string()), (vec![json!(1)], next.to_owned()));
        let empty = pages.page(&link("https://management.azure.com/list?page=2")).unwrap();
        assert!(empty.items.is_empty() && empty.next.is_some());
        let last = pages.page(&page(&json!({"value": [2, 3]}))).unwrap();
        assert!(last.items.len() == 2 && last.next.is_none());
    }

    #[test]
    fn links_that_are_not_followed() {
        assert_eq!(
            pages().page(&link("https://evil.example/list")).unwrap_err(),
            PageError::Link(Unfit::OtherHost("evil.example".to_owned()))
        );
        assert_eq!(
            pages().page(&link("http://management.azure.com/list")).unwrap_err(),
            PageError::Link(Unfit::NotHttps)
        );
        assert_eq!(
            pages().page(&link("https://management.azure.com/list?api-version=1")).unwrap_err(),
            PageError::Circle
        );
        let mut circle = pages();
        assert!(circle.page(&link("https://management.azure.com/list?page=2")).is_ok());
        assert_eq!(circle.page(&link("https://management.azure.com/list?page=2")).unwrap_err(), PageError::Circle);
        let mut endless = pages();
        let last = (0..PAGE_LIMIT)
            .map(|at| endless.page(&link(&format!("https://management.azure.com/list?page={at}"))))
            .last()
            .unwrap();
        assert_eq!(last.unwrap_err(), PageError::TooMany);
    }

    #[test]
    fn what_is_no_list_is_an_error_and_never_an_empty_list() {
        for body in ["", "<html>", "{}", r#"{"value":{}}"#, "[]"] {
            let answer = Answer::of(Response::new(Bytes::from(body)));
            assert!(matches!(pages().page(&answer), Err(PageError::NoList(_))), "{body}");
        }
        assert!(pages().page(&page(&json!({"value": [], "nextLink": ""}))).unwrap().next.is_none());
    }
}
