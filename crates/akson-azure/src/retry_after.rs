//! `Retry-After` in all the forms it has been seen in. No clock: a date is taken against the answer's own `Date`.

use std::time::Duration;

/// The shortest wait that is honoured.
pub(crate) const SHORTEST: Duration = Duration::from_secs(1);
/// The longest.
pub(crate) const LONGEST: Duration = Duration::from_secs(600);

/// How long to wait, between [`SHORTEST`] and [`LONGEST`]; none if the header says nothing that can be understood.
pub(crate) fn parse(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    let seconds = if let Ok(seconds) = value.parse::<f64>() {
        seconds
    } else {
        let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
        let now = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date?).ok()?;
        until.duration_since(now).as_secs_f64()
    };
    if seconds.is_nan() || seconds < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, seconds: Option<u64>) {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(parse(value, date), seconds.map(Duration::from_secs), "{value}");
    }

    #[test]
    fn seconds_dates_and_nonsense() {
        check("15", Some(15));
        check(" 15 ", Some(15));
        check("0", Some(1));
        check("372", Some(372));
        check("601", Some(600));
        check("99999999999999999999", Some(600));
        check("inf", Some(600));
        check("1.5e400", Some(600));
        check("-5", None);
        check("NaN", None);
        check("soon", None);
        check("", None);
        check("Sun, 06 Nov 1994 08:50:07 GMT", Some(30));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(1));
        check("Sun, 06 Nov 1994 08:00:00 GMT", None);
        check("Mon, 07 Nov 1994 08:49:37 GMT", Some(600));
        assert_eq!(parse("Sun, 06 Nov 1994 08:50:07 GMT", None), None);
        assert_eq!(parse("Sun, 06 Nov 1994 08:50:07 GMT", Some("never")), None);
    }
}
