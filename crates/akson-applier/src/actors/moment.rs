//! Moments as logs write them, with fractions of seconds or without, to moments that can be told and compared. Not a clock.

/// A moment of UTC to the second. None for what is none.
pub(super) fn second(text: &str) -> Option<String> {
    let text = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00"))?;
    let whole = text.split('.').next()?;
    let moment = format!("{whole}Z");
    akson_catalog::time::to_epoch(&moment).map(|_| moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_of_whatever_form() {
        let check = |text: &str, second: Option<&str>| assert_eq!(super::second(text).as_deref(), second, "{text}");
        check("2026-11-26T08:00:01.1234567Z", Some("2026-11-26T08:00:01Z"));
        check("2026-11-26T08:00:01Z", Some("2026-11-26T08:00:01Z"));
        check("2026-11-26T08:00:01.1+00:00", Some("2026-11-26T08:00:01Z"));
        check("2026-11-26T08:00:01+02:00", None);
        check("yesterday", None);
        let _ = second("");
    }
}
