//! Which day it is: the one thing of a plan that no file and no answer says. Not the clock of requests, which is the engine's.

use akson_config::Day;

/// Today, in UTC. `SOURCE_DATE_EPOCH` is taken for the time where it is set, so that a run can be made again.
pub(crate) fn today() -> Day {
    let set = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.trim().parse::<i64>().ok());
    let now = set.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()).unwrap_or_else(jiff::Timestamp::now);
    let date = now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    Day::parse(&date).or_else(|| Day::parse("9999-12-31")).expect("the last day of the calendar is one")
}
