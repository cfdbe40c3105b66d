//! What Azure answered, kept and answered again: a transport that remembers what goes through it, and one that has nothing behind it but
//! what was remembered. Reads only. Which file that is, and for which stack, is the command line's.

pub mod clean;
mod replay;
mod tape;

pub use replay::Replay;
pub use tape::Recorder;

use serde_json::{Value, json};

/// One read, and what came of it. A list is there as a whole, whatever pages it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The host asked.
    pub host: String,
    /// Path and query as they were asked for.
    pub path: String,
    /// What came.
    pub outcome: Outcome,
}

/// What came of a read.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A status and a JSON body; null where there was none.
    Answer(u16, Value),
    /// No answer came, for this reason. Of clusters alone: elsewhere there is no plan without an answer.
    None(String),
}

impl Recorded {
    /// As it stands in a file.
    pub fn to_json(&self) -> Value {
        let mut line = json!({ "host": self.host, "path": self.path });
        match &self.outcome {
            Outcome::Answer(status, body) => {
                line["status"] = (*status).into();
                line["body"] = body.clone();
            }
            Outcome::None(why) => line["unreachable"] = why.as_str().into(),
        }
        line
    }

    /// What stands in a file; none if it is not of this form.
    pub fn of_json(line: &Value) -> Option<Self> {
        let text = |key: &str| line.get(key).and_then(Value::as_str).map(str::to_owned);
        let outcome = match (line.get("status"), text("unreachable")) {
            (Some(status), None) => {
                let status = u16::try_from(status.as_u64()?).ok().filter(|status| (100..600).contains(status))?;
                Outcome::Answer(status, line.get("body").cloned().unwrap_or_default())
            }
            (None, Some(why)) => Outcome::None(why),
            _ => return None,
        };
        Some(Self { host: text("host")?, path: text("path")?, outcome })
    }
}

/// Under what an answer is found again: hosts and paths of Azure do not tell cases apart.
fn key(host: &str, path: &str) -> (String, String) {
    (host.to_ascii_lowercase(), path.to_ascii_lowercase())
}

/// A path without one parameter of its query.
fn without_parameter(path: &str, name: &str) -> String {
    let Some((place, query)) = path.split_once('?') else { return path.to_owned() };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|part| part.split('=').next().is_none_or(|of| !of.eq_ignore_ascii_case(name)))
        .collect();
    if kept.is_empty() { place.to_owned() } else { format!("{place}?{}", kept.join("&")) }
}

/// The value of a parameter of a path's query, as it is written there.
fn parameter<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let (_, query) = path.split_once('?')?;
    query
        .split('&')
        .find_map(|part| part.split_once('=').filter(|(of, _)| of.eq_ignore_ascii_case(name)))
        .map(|(_, value)| value)
}

/// Where the items of a list's page stand.
fn items_of(body: &mut Value) -> Option<&mut Vec<Value>> {
    let place = if body.get("value").is_some_and(Value::is_array) { "value" } else { "items" };
    body.get_mut(place)?.as_array_mut()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let answer = |outcome| Recorded { host: "h".to_owned(), path: "/p?a=1".to_owned(), outcome };
        for recorded in [
            answer(Outcome::Answer(200, json!({"value": []}))),
            answer(Outcome::Answer(404, Value::Null)),
            answer(Outcome::None("refused".to_owned())),
        ] {
            assert_eq!(Recorded::of_json(&recorded.to_json()).unwrap(), recorded);
        }
        for broken in
            [json!({}), json!({"host": "h", "path": "/p"}), json!({"host": "h", "path": "/p", "status": 1}), json!([])]
        {
            assert_eq!(Recorded::of_json(&broken), None, "{broken}");
        }
    }

    #[test]
    fn parameters() {
        assert_eq!(without_parameter("/p?limit=5&continue=x", "continue"), "/p?limit=5");
        assert_eq!(without_parameter("/p?continue=x", "Continue"), "/p");
        assert_eq!(without_parameter("/p", "continue"), "/p");
        assert_eq!(parameter("/p?a=1&api-version=2", "API-Version"), Some("2"));
        assert_eq!(parameter("/p", "a"), None);
    }
}
