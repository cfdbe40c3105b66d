//! Calls that go wrong on purpose: rules say which calls and what happens to them. A rule is plain
//! data, the same in process and over HTTP. Latency of the world as a whole is an option, not a fault.

use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::WorldTime;
use crate::dice::Dice;
use crate::errors;
use crate::planes::BackgroundWork;
use crate::reply::{self, Answer, WithHeader};
use crate::visit::Visit;

/// Spoils the calls that it matches.
///
/// ```
/// use akson_emulator::{Effect, FaultRule, RetryAfter};
/// let first_vault_write = FaultRule::new(Effect::Status { status: 429, retry_after: RetryAfter::Seconds(7), html: false })
///     .on_method("PUT")
///     .on_path("*/vaults/*")
///     .nth(1);
/// let text = serde_json::to_string(&first_vault_write).unwrap();
/// assert_eq!(serde_json::from_str::<FaultRule>(&text).unwrap(), first_vault_write);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Which calls; empty is every call.
    #[serde(default, rename = "match")]
    pub on: FaultMatch,
    /// Whether the service has done its work when the fault strikes.
    #[serde(default)]
    pub phase: Phase,
    /// What happens.
    pub effect: Effect,
    /// How often at most; `None` is without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// The calls that a rule is for: all given conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultMatch {
    /// `PUT`, ...; case does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// A host, with `*` for any run of characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// A path: with `*` for any run of characters it must fit as a whole, without one it must occur
    /// somewhere. Case does not matter. The query is not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only the n-th call (from 1) that the conditions above hold for, counted by this rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// How likely, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The call is not processed.
    #[default]
    Before,
    /// The call is processed; its answer is spoiled.
    After,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// The call takes longer.
    Latency {
        /// World seconds more.
        seconds: f64,
    },
    /// The caller sees this status.
    Status {
        /// 429, 500, 502, 503, 504 or any other.
        status: u16,
        /// The header that says when to come back.
        #[serde(default)]
        retry_after: RetryAfter,
        /// An HTML page, as proxies send, and not a JSON error.
        #[serde(default)]
        html: bool,
    },
    /// The platform begins an operation of its own on the managed cluster that the call is for, as it does for
    /// upgrades, node images and add-ons: writes are refused until it has ended. Before the call it is there when the
    /// call comes; after it, it begins as soon as whatever the call began has ended.
    Background {
        /// What the cluster shows meanwhile as `provisioningState`: `Updating`, `Upgrading`, ...
        state: String,
        /// World seconds that it takes.
        seconds: f64,
        /// What it merges into the cluster's properties: a policy that deploys an add-on, say. Null removes.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        changes: Value,
    },
    /// The connection is reset.
    Reset,
    /// No answer for ten minutes of the caller's time, then a reset.
    Hang,
}

/// A `Retry-After` header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// None.
    #[default]
    Absent,
    /// Whole world seconds.
    Seconds(u64),
    /// A date so many world seconds ahead.
    Date(u64),
    /// Any text, sensible or not.
    Text(String),
}

impl FaultRule {
    /// A rule for every call, before processing, without limit.
    pub fn new(effect: Effect) -> Self {
        Self { on: FaultMatch::default(), phase: Phase::Before, effect, limit: None }
    }

    /// Only calls of this method.
    #[must_use]
    pub fn on_method(mut self, method: &str) -> Self {
        self.on.method = Some(method.to_owned());
        self
    }

    /// Only calls to such a path.
    #[must_use]
    pub fn on_path(mut self, path: &str) -> Self {
        self.on.path = Some(path.to_owned());
        self
    }

    /// Only the n-th of the calls that match otherwise, from 1.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.on.nth = Some(nth);
        self
    }

    /// Only with this probability, 0 to 1.
    #[must_use]
    pub fn with_probability(mut self, probability: f64) -> Self {
        self.on.probability = Some(probability);
        self
    }

    /// After processing.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.phase = Phase::After;
        self
    }

    /// At most so often.
    #[must_use]
    pub fn at_most(mut self, times: u64) -> Self {
        self.limit = Some(times);
        self
    }
}

/// The rules and how often each has matched and struck.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<(FaultRule, u64, u64)>,
}

/// What happens to one call, by phase.
#[derive(Debug, Default)]
pub(crate) struct Spoiled {
    pub(crate) before: Spoil,
    pub(crate) after: Spoil,
}

/// What happens to one call in one phase.
#[derive(Debug, Default)]
pub(crate) struct Spoil {
    /// World time more.
    pub(crate) latency: Duration,
    /// What the platform begins by itself.
    pub(crate) background: Option<BackgroundWork>,
    /// What else; the first rule that strikes wins.
    pub(crate) effect: Option<Effect>,
}

impl Faults {
    pub(crate) fn new(rules: Vec<FaultRule>) -> Self {
        Self { rules: rules.into_iter().map(|rule| (rule, 0, 0)).collect() }
    }

    pub(crate) fn rules(&self) -> Vec<&FaultRule> {
        self.rules.iter().map(|(rule, ..)| rule).collect()
    }

    /// Decides what happens to a call.
    pub(crate) fn strike(&mut self, visit: &Visit, dice: &mut Dice) -> Spoiled {
        let mut spoiled = Spoiled::default();
        for (rule, matched, struck) in &mut self.rules {
            if !rule.on.holds(visit) {
                continue;
            }
            *matched += 1;
            let due = rule.limit.is_none_or(|limit| *struck < limit)
                && rule.on.nth.is_none_or(|nth| nth == *matched)
                && rule.on.probability.is_none_or(|probability| dice.fraction() < probability);
            if !due {
                continue;
            }
            *struck += 1;
            let spoil = match rule.phase {
                Phase::Before => &mut spoiled.before,
                Phase::After => &mut spoiled.after,
            };
            match &rule.effect {
                Effect::Latency { seconds } => {
                    spoil.latency += Duration::try_from_secs_f64(*seconds).unwrap_or(Duration::ZERO);
                }
                Effect::Background { state, seconds, changes } => {
                    let takes = Duration::try_from_secs_f64(*seconds).unwrap_or(Duration::ZERO);
                    let (state, changes) = (state.clone(), changes.clone());
                    spoil.background.get_or_insert_with(|| BackgroundWork { state, takes, changes });
                }
                effect => {
                    spoil.effect.get_or_insert_with(|| effect.clone());
                }
            }
        }
        spoiled
    }
}

impl FaultMatch {
    fn holds(&self, visit: &Visit) -> bool {
        self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(visit.method.as_str()))
            && self.host.as_ref().is_none_or(|host| fits(host, &visit.host))
            && self.path.as_ref().is_none_or(|path| {
                if path.contains('*') {
                    fits(path, &visit.path)
                } else {
                    visit.path.to_ascii_lowercase().contains(&path.to_ascii_lowercase())
                }
            })
    }
}

/// Whether text fits a pattern in which `*` stands for any run of characters; case does not matter.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The answer of a `Status` fault.
pub(crate) fn answer(status: u16, retry_after: &RetryAfter, html: bool, now: WorldTime) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let answer = if html {
        let reason = status.canonical_reason().unwrap_or("Error");
        let page = format!(
            "<html>\r\n<head><title>{0} {reason}</title></head>\r\n<body>\r\n<center><h1>{0} {reason}</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n",
            status.as_u16()
        );
        reply::typed(status, "text/html", page.into())
    } else {
        let (code, message) = match status.as_u16() {
            429 => ("TooManyRequests", "The request is being throttled."),
            502 => (
                "BadGatewayConnection",
                "The network connectivity issue encountered for the resource; cannot fulfill the request.",
            ),
            503 => (
                "ServerTimeout",
                "The request timed out. Diagnostic information: timestamp, subscription id, tracking id, request correlation id.",
            ),
            504 => (
                "GatewayTimeout",
                "The gateway did not receive a response from the resource provider within the specified time period.",
            ),
            _ => (
                "InternalServerError",
                "Encountered internal server error. Diagnostic information: timestamp, subscription id, tracking id, request correlation id.",
            ),
        };
        reply::json(status, &errors::wrapped(code, message))
    };
    match retry_after {
        RetryAfter::Absent => answer,
        RetryAfter::Seconds(seconds) => answer.with("retry-after", &seconds.to_string()),
        RetryAfter::Date(seconds) => answer.with("retry-after", &now.plus(Duration::from_secs(*seconds)).http_date()),
        RetryAfter::Text(text) => answer.with("retry-after", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check =
            |pattern: &str, text: &str, expected: bool| assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        check("a*c", "abbbc", true);
        check("a*c", "ac", true);
        check("a*c", "acd", false);
        check("*/vaults/*", "/x/Vaults/v", true);
        check("*", "", true);
        check("abc", "ABC", true);
        check("abc", "abcd", false);
        check("a*b*c", "a1b2b3c", true);
        check("a*b*c", "a1c", false);
        check("ab*ba", "aba", false);
    }
}
