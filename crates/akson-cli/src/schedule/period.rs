//! How long to wait between two looks: durations as people write them, chance, and patience after failures. Pure; not the waiting.

use std::{fmt, time::Duration};

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);
/// How far failures stretch it: eight times, and not beyond six hours.
const MOST_TIMES: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(6 * 3600);
/// A service that wants to be left alone for longer is asked again all the same.
const LONGEST_WISH: Duration = Duration::from_secs(3600);

/// A time as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period(Duration);

impl Period {
    /// `30s`, `5m`, `2h`, `1d`, `1h30m`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let period = read(text)?;
        if (SHORTEST..=LONGEST).contains(&period) {
            Ok(Self(period))
        } else {
            Err("it is between 1s and 31d".to_owned())
        }
    }

    /// The same; also none at all.
    pub(crate) fn parse_jitter(text: &str) -> Result<Self, String> {
        let jitter = read(text)?;
        if jitter <= LONGEST { Ok(Self(jitter)) } else { Err("it is at most 31d".to_owned()) }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_secs();
        for (unit, seconds) in [("d", 86_400), ("h", 3600), ("m", 60)] {
            if left >= seconds {
                write!(f, "{}{unit}", left / seconds)?;
                left %= seconds;
            }
        }
        if left > 0 || self.0.as_secs() == 0 { write!(f, "{left}s") } else { Ok(()) }
    }
}

fn read(text: &str) -> Result<Duration, String> {
    let wrong = || "write it as `30s`, `5m`, `2h` or `1h30m`".to_owned();
    let mut sum = 0_u64;
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let mut units = rest[digits..].chars();
        let seconds = match units.next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            _ => return Err(wrong()),
        };
        rest = units.as_str();
        sum = number.checked_mul(seconds).and_then(|part| sum.checked_add(part)).ok_or_else(wrong)?;
    }
    Ok(Duration::from_secs(sum))
}

/// When looks begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rhythm {
    every: Duration,
    jitter: Duration,
}

/// How the last look ended, for the next.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before {
    /// How long ago it began.
    pub(crate) elapsed: Duration,
    /// Looks in a row that failed.
    pub(crate) failures: u32,
    /// How long a service still asked to be left alone.
    pub(crate) wish: Duration,
}

impl Rhythm {
    /// Looks so far apart, and by chance up to that much further; a tenth if that is not said.
    pub(crate) fn new(every: Period, jitter: Option<Period>) -> Self {
        Self { every: every.0, jitter: jitter.map_or(every.0 / 10, |jitter| jitter.0) }
    }

    /// How long to wait now. `chance` is from 0 to 1. A look that took longer than the time between two is followed by the next at once,
    /// never overtaken by it; the first failure changes nothing, each further one doubles the time.
    pub(crate) fn wait(self, before: Before, chance: f64) -> Duration {
        let times = 1 << before.failures.saturating_sub(1).min(MOST_TIMES.ilog2());
        let stretched = (self.every * times).min(PATIENCE.max(self.every));
        let due = stretched + self.jitter.mul_f64(chance.clamp(0.0, 1.0));
        let wait = due.saturating_sub(before.elapsed);
        if before.failures > 0 { wait.max(before.wish.min(LONGEST_WISH)) } else { wait }
    }

    /// After how long without a success something is wrong.
    pub(crate) fn stale(self) -> Duration {
        self.every * 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        #[track_caller]
        fn check(text: &str, expected: Option<&str>) {
            assert_eq!(Period::parse(text).ok().map(|period| period.to_string()).as_deref(), expected, "{text}");
        }
        for (text, written) in [
            ("30s", "30s"),
            ("5m", "5m"),
            ("2h", "2h"),
            ("90m", "1h30m"),
            ("1h30m", "1h30m"),
            ("1d", "1d"),
            ("60s", "1m"),
        ] {
            check(text, Some(written));
        }
        for text in [
            "",
            "0",
            "0s",
            "5",
            "m",
            "5x",
            "-5m",
            "1.5h",
            "5 m",
            "32d",
            "99999999999999999999s",
            "9999999999999999d",
            "5mm",
        ] {
            check(text, None);
        }
        assert_eq!(Period::parse_jitter("0"), Ok(Period(Duration::ZERO)));
    }

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    #[test]
    fn looks_begin_in_time_and_failures_make_patient() {
        let rhythm = Rhythm::new(Period(minutes(30)), None);
        let check = |elapsed: u64, failures: u32, wish: u64, chance: f64, expected: u64| {
            let before = Before { elapsed: minutes(elapsed), failures, wish: minutes(wish) };
            assert_eq!(rhythm.wait(before, chance), minutes(expected), "{before:?}");
        };
        check(0, 0, 0, 0.0, 30);
        check(0, 0, 0, 1.0, 33);
        check(10, 0, 0, 0.0, 20);
        // One that took longer than the period is not overtaken, and the next does not wait.
        check(45, 0, 0, 0.0, 0);
        check(0, 1, 0, 0.0, 30);
        check(0, 2, 0, 0.0, 60);
        check(0, 3, 0, 0.0, 120);
        check(0, 4, 0, 0.0, 240);
        check(0, 1000, 0, 0.0, 240);
        // Wishes count after failures alone, and not without end.
        check(0, 0, 50, 0.0, 30);
        check(0, 1, 50, 0.0, 50);
        check(0, 1, 5000, 0.0, 60);
        let daily = Rhythm::new(Period(minutes(24 * 60)), Some(Period(Duration::ZERO)));
        assert_eq!(daily.wait(Before { failures: 5, ..Before::default() }, 0.5), minutes(24 * 60));
        let often = Rhythm::new(Period(minutes(60)), None);
        assert_eq!(often.wait(Before { failures: 9, ..Before::default() }, 0.0), PATIENCE);
    }
}
