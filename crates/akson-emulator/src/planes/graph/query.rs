//! What the query of a list or of one object asks for: `$filter`, `$select`, `$top`, `$count`, pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::Call;
use super::errors::{self, GraphError};
use super::filter::Filter;

/// How many objects a page holds if nothing is asked for, and at most.
const USUAL_PAGE: usize = 100;
const LARGEST_PAGE: usize = 999;

/// The options of a request.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) filter: Option<Filter>,
    pub(super) select: Option<Vec<String>>,
    pub(super) top: usize,
    /// Whether the number of all matches is wanted (and may be given).
    pub(super) count: bool,
    /// Where the page begins: after this object.
    pub(super) after: Option<String>,
    pub(super) advanced: bool,
}

impl Query {
    pub(super) fn of(call: &Call<'_>) -> Result<Self, GraphError> {
        let given = |name: &str| call.visit.query.get(name).filter(|value| !value.is_empty());
        let advanced =
            call.visit.header("consistencylevel").is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
        for name in ["$orderby", "$expand", "$search", "$skip", "$apply"] {
            if given(name).is_some() {
                return Err(errors::unsupported(format!(
                    "The query option '{name}' is not supported for this request."
                )));
            }
        }
        let filter = given("$filter").map(|text| Filter::parse(text, advanced)).transpose()?;
        let select = given("$select").map(|names| names.split(',').map(|name| name.trim().to_owned()).collect());
        let top = match given("$top") {
            None => USUAL_PAGE,
            Some(text) => match text.parse::<usize>() {
                Ok(top) if (1..=LARGEST_PAGE).contains(&top) => top,
                Ok(top) => {
                    return Err(errors::unsupported(format!(
                        "Invalid page size specified: '{top}'. Must be between 1 and {LARGEST_PAGE} inclusive."
                    )));
                }
                Err(_) => {
                    return Err(errors::malformed(format!(
                        "Invalid value '{text}' for $top query option found. The $top query option requires a non-negative integer value."
                    )));
                }
            },
        };
        let after = match given("$skiptoken") {
            None => None,
            Some(token) => {
                let bytes = URL_SAFE_NO_PAD.decode(token).ok();
                let after = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                Some(after.ok_or_else(Self::expired)?)
            }
        };
        let count = advanced && given("$count").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Ok(Self { filter, select, top: top.min(call.options.page_size.max(1)), count, after, advanced })
    }

    /// A page token that leads nowhere any more.
    pub(super) fn expired() -> GraphError {
        errors::bad("The specified page token value has expired and can no longer be included in your request.")
    }

    /// The properties that are wanted, of all that there are.
    pub(super) fn selected(&self, whole: Map<String, Value>) -> Map<String, Value> {
        match &self.select {
            None => whole,
            Some(names) if names.iter().any(|name| name == "*") => whole,
            Some(names) => whole
                .into_iter()
                .filter(|(known, _)| known.starts_with('@') || names.iter().any(|name| name == known))
                .collect(),
        }
    }

    /// What a context URL says of the selection: `(id,displayName)`.
    pub(super) fn context(&self) -> String {
        self.select.as_ref().map_or_else(String::new, |names| format!("({})", names.join(",")))
    }

    /// The URL of the page after this object.
    pub(super) fn next_link(call: &Call<'_>, last: &str) -> String {
        let others = call.visit.query.without("$skiptoken");
        let token = URL_SAFE_NO_PAD.encode(last);
        let separator = if others.is_empty() { "" } else { "&" };
        // As the service writes it: the dollar stands as it is.
        let others = others.replace("%24", "$");
        format!("{}{}?{others}{separator}$skiptoken={token}", call.visit.base, call.visit.path)
    }
}
