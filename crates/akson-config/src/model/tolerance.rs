//! A difference that its author tolerates for a while, and the day that it ends on. No clock: which day it is comes from outside.

use std::fmt;

use akson_diagnostics::Span;

/// A difference that is left as it is until a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tolerance {
    /// The attribute's path as it is written: `tags`, `network.default_action`, `tags["cost"]`.
    pub attribute: String,
    /// Its steps.
    pub path: Vec<String>,
    /// Why.
    pub because: String,
    /// The last day.
    pub until: Day,
    /// Where the path is written.
    pub span: Span,
}

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// Year, month and day of the month.
    parts: (u16, u8, u8),
}

impl Tolerance {
    /// Whether an attribute, as a leaf calls it, is this one or lies below it.
    pub fn covers(&self, attribute: &str) -> bool {
        Self::steps(attribute).is_some_and(|steps| steps.starts_with(&self.path))
    }

    /// Whether it holds on a day.
    pub fn holds_on(&self, day: Day) -> bool {
        day <= self.until
    }

    /// The steps of a path: `network.rules["a.b"]` has three. None if it is none.
    pub fn steps(path: &str) -> Option<Vec<String>> {
        let mut steps = Vec::new();
        let mut rest = path;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                // A text in quotes, read as JSON.
                let mut read = serde_json::Deserializer::from_str(inner).into_iter::<String>();
                let step = read.next()?.ok()?;
                rest = inner.get(read.byte_offset()..)?.strip_prefix(']')?;
                steps.push(step);
                continue;
            }
            let inner = if steps.is_empty() { rest } else { rest.strip_prefix('.')? };
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            let step = inner.get(..end).filter(|step| !step.is_empty())?;
            steps.push(step.to_owned());
            rest = inner.get(end..)?;
        }
        Some(steps)
    }
}

impl Day {
    /// `2026-12-31`. None if there is no such day.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |part: &str, width: usize| {
            (part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<u16>().ok())?
        };
        let mut parts = text.split('-');
        let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        let real = parts.next().is_none() && year > 0 && (1..=last).contains(&day);
        real.then_some(Self { parts: (year, u8::try_from(month).ok()?, u8::try_from(day).ok()?) })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts;
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days_of_the_calendar() {
        for good in ["2026-12-31", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(Day::parse(good).map(|day| day.to_string()).as_deref(), Some(good));
        }
        for bad in [
            "",
            "2026",
            "2026-12",
            "2026-12-32",
            "2026-02-29",
            "1900-02-29",
            "2026-00-10",
            "2026-13-01",
            "2026-1-1",
            "26-12-31",
            "2026-12-31T00:00:00Z",
            "2026-12-31-01",
            "+026-12-31",
            " 2026-12-31",
            "0000-01-01",
        ] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
        assert!(Day::parse("2026-12-31") < Day::parse("2027-01-01"));
        assert!(Day::parse("2026-02-28") < Day::parse("2026-12-01"));
    }

    #[test]
    fn paths_have_steps() {
        let steps = |path: &str| Tolerance::steps(path);
        assert_eq!(steps("tags"), Some(vec!["tags".to_owned()]));
        assert_eq!(steps("a.b"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(steps("tags[\"x.y\"].z"), Some(vec!["tags".to_owned(), "x.y".to_owned(), "z".to_owned()]));
        for bad in [".", "a.", "a..b", "a[b]", "a[\"b\"", "a[\"b\"]c", "[1]"] {
            assert_eq!(steps(bad), None, "{bad}");
        }
    }
}
