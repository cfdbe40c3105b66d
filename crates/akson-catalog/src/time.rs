//! Moments between `2027-01-31T00:00:00Z` and seconds since 1970, as services want them. Not a clock.

/// Days from 1970 to the first of March of the year 0, in the calendar that begins its years in March.
const DAYS_TO_EPOCH: i64 = 719_468;
/// Days of 400 years.
const ERA: i64 = 146_097;

/// Seconds since 1970. None for what is no moment in that form.
pub fn to_epoch(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let seconds = (days(year, month, day) * 24 + hour) * 3600 + minute * 60 + second;
    (valid && of_epoch(seconds) == text).then_some(seconds)
}

/// A moment as text.
pub fn of_epoch(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let since = days + DAYS_TO_EPOCH;
    let (era, day) = (since.div_euclid(ERA), since.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + era * 400 + i64::from(month >= 10), if month < 10 { month + 3 } else { month - 9 });
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_EPOCH
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut next = || parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok();
    let found = [next()?, next()?, next()?];
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: Option<i64>) {
        assert_eq!(to_epoch(text), seconds, "{text}");
        if let Some(seconds) = seconds {
            assert_eq!(of_epoch(seconds), text);
        }
    }

    #[test]
    fn moments() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("2027-01-31T00:00:00Z", Some(1_801_353_600));
        check("2024-02-29T23:59:59Z", Some(1_709_251_199));
        check("2000-03-01T12:30:15Z", Some(951_913_815));
        check("1969-12-31T23:59:59Z", Some(-1));
        for wrong in [
            "2023-02-29T00:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-01-31",
            "2027-01-31T00:00:00",
            "",
            "TZ",
            "2027-1-31T0:0:0Z",
        ] {
            check(wrong, None);
        }
    }
}
