//! The `api-version` of a call: it must be there and be a plausible date. Which version a type has is
//! not modelled, so that clients of many years work; types look at it only where behaviour changed.

use super::{Call, Target};
use crate::errors::{self, Refusal};

/// The api-version of a call, checked.
pub(super) fn check(call: &Call<'_>, target: &Target) -> Result<String, Refusal> {
    let version = call.visit.query.get("api-version").unwrap_or_default();
    if version.is_empty() {
        return Err(errors::missing_api_version());
    }
    let version = version.to_ascii_lowercase();
    let Some(date) = date(&version) else { return Err(errors::invalid_api_version(&version)) };
    if ("2014-01-01".."2031-01-01").contains(&date) {
        return Ok(version);
    }
    Err(match target {
        Target::Resource(id) | Target::Action { id, .. } => errors::no_provider_for_version(&version, &id.full_type()),
        Target::Collection(collection) => {
            let kind = format!("{}/{}", collection.namespace, collection.kind);
            errors::no_provider_for_version(&version, &kind)
        }
        _ => errors::invalid_api_version(&version),
    })
}

/// The date of a version such as `2023-01-31` or `2024-09-02-preview`, if it has one.
pub(super) fn date(version: &str) -> Option<&str> {
    let (date, rest) = version.split_at_checked(10)?;
    let shaped = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let in_range = |text: Option<&str>, most: u8| {
        text.and_then(|text| text.parse::<u8>().ok()).is_some_and(|number| (1..=most).contains(&number))
    };
    let suffix = rest.is_empty()
        || rest.strip_prefix('-').is_some_and(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        });
    (shaped && suffix && in_range(date.get(5..7), 12) && in_range(date.get(8..10), 31)).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date("2023-01-31"), Some("2023-01-31"));
        assert_eq!(date("2024-09-02-preview"), Some("2024-09-02"));
        for nonsense in
            ["", "latest", "2023-13-01", "2023-01-32", "2023-01-31preview", "2023-01-31-", "2023/01/31", "ä023-01-31x"]
        {
            assert_eq!(date(nonsense), None, "{nonsense}");
        }
    }
}
