//! Whether an object is at rest, by the word that Azure has for its state. The vocabulary is open: only the words for an end are known.

use akson_catalog::json::lookup;
use serde_json::Value as Json;

/// What is at work on an object: the word of its state. Nothing for what is at rest or has no state.
pub fn unsettled(body: &Json) -> Option<&str> {
    let state = state(body)?;
    let at_rest = state.eq_ignore_ascii_case("succeeded") || is_failure(state);
    (!at_rest).then_some(state)
}

/// The word of the state of an object whose last operation came to nothing.
pub fn failed(body: &Json) -> Option<&str> {
    state(body).filter(|state| is_failure(state))
}

fn state(body: &Json) -> Option<&str> {
    lookup(body, "/properties/provisioningState")?.as_str()
}

fn is_failure(state: &str) -> bool {
    ["failed", "canceled"].iter().any(|word| state.eq_ignore_ascii_case(word))
}
