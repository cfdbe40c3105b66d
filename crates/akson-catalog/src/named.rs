//! Nominal text types: their rules in one table. Which values may stand where is checked by the configuration.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

/// A nominal text type.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// Its name in type expressions: `cidr`.
    pub name: &'static str,
    /// The rule in words: `an address range such as 203.0.113.0/28`.
    pub words: &'static str,
    /// Whether a text satisfies the rule.
    pub allows: fn(&str) -> bool,
}

/// All of them.
pub static NAMED: &[Named] = &[
    Named { name: "location", words: "an Azure region such as westeurope or \"West Europe\"", allows: is_location },
    Named {
        name: "cidr",
        words: "an address range such as 203.0.113.0/28, without bits beyond its prefix, or one address",
        allows: is_cidr,
    },
    Named { name: "duration", words: "a duration such as 90s, 2m, 1h30m or PT2M", allows: is_duration },
    Named { name: "uuid", words: "a GUID such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8", allows: is_uuid },
    Named { name: "arm_id", words: "an ARM id such as /subscriptions/…/resourceGroups/…", allows: is_arm_id },
    Named { name: "principal_id", words: "the GUID of a principal: what `principal_id` outputs are", allows: is_uuid },
    Named { name: "client_id", words: "the GUID of an application: what `client_id` outputs are", allows: is_uuid },
    Named { name: "object_id", words: "the GUID of a directory object: what `object_id` outputs are", allows: is_uuid },
    Named { name: "tenant_id", words: "the GUID of a tenant: what `tenant_id` outputs are", allows: is_uuid },
    Named { name: "url", words: "an https URL", allows: is_url },
];

/// The nominal type of a name.
pub fn named(name: &str) -> Option<&'static Named> {
    NAMED.iter().find(|named| named.name == name)
}

fn is_location(text: &str) -> bool {
    let letters = text.chars().filter(char::is_ascii_alphanumeric).count();
    (3..=60).contains(&letters)
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || character == ' ')
}

fn is_cidr(text: &str) -> bool {
    match text.split_once('/') {
        None => IpAddr::from_str(text).is_ok(),
        Some(_) => IpNet::from_str(text).is_ok_and(|net| net.addr() == net.network()),
    }
}

/// `1h30m`, `90s`, or ISO 8601 (`PT1H30M`, `P1D`).
fn is_duration(text: &str) -> bool {
    if let Some(iso) = text.strip_prefix('P') {
        let (days, time) = iso.split_once('T').map_or((iso, None), |(days, time)| (days, Some(time)));
        return !iso.is_empty()
            && units(days, "YMWD", days.is_empty())
            && time.is_none_or(|time| units(time, "HMS", false));
    }
    units(text, "dhms", false)
}

/// Numbers each followed by one of `order`, in that order, at most once.
fn units(text: &str, order: &str, empty: bool) -> bool {
    let mut rest = order;
    let mut digits = 0;
    for character in text.chars() {
        if character.is_ascii_digit() {
            digits += 1;
            continue;
        }
        let Some(at) = rest.find(character) else { return false };
        if digits == 0 {
            return false;
        }
        digits = 0;
        rest = &rest[at + 1..];
    }
    digits == 0 && (empty || !text.is_empty())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

fn is_arm_id(text: &str) -> bool {
    text == "/"
        || text.strip_prefix('/').is_some_and(|path| {
            let path = path.strip_suffix('/').unwrap_or(path);
            let known = ["subscriptions/", "providers/"]
                .iter()
                .any(|root| path.get(..root.len()).is_some_and(|start| start.eq_ignore_ascii_case(root)));
            known
                && path.split('/').all(|segment| !segment.is_empty())
                && !path.contains(char::is_control)
                && path.split('/').count() >= 2
        })
}

fn is_url(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or("");
        !host.is_empty()
            && host.chars().all(|character| {
                character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | ':' | '[' | ']' | '_')
            })
            && !rest.contains(|character: char| character.is_whitespace() || character.is_control())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    #[track_caller]
    fn check(name: &str, good: &[&str], bad: &[&str]) {
        let named = named(name).unwrap();
        for text in good {
            assert!((named.allows)(text), "{name} refuses {text:?}");
        }
        for text in bad {
            assert!(!(named.allows)(text), "{name} allows {text:?}");
        }
    }

    #[test]
    fn rules_of_nominal_types() {
        check(
            "location",
            &["westeurope", "West Europe", "usgovvirginia", "eastus2", "global"],
            &["", "we", "west-europe", "west_europe", "2west", "wést"],
        );
        check(
            "cidr",
            &["203.0.113.0/28", "203.0.113.7", "203.0.113.7/32", "0.0.0.0/0", "2001:db8::/32", "::1"],
            &["203.0.113.7/28", "203.0.113.0/33", "203.0.113", "", "10.0.0.0/", "/8", "10.0.0.0/8 ", "example.com"],
        );
        check(
            "duration",
            &["2m", "90s", "1h30m", "1d", "PT2M", "P1D", "P1DT2H", "PT1H30M5S"],
            &["", "2", "m", "2x", "30m1h", "P", "PT", "P1DT", "2 m", "1.5h", "-2m"],
        );
        check(
            "uuid",
            &["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"],
            &["", "6ba7b8109dad11d180b400c04fd430c8", "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", "x"],
        );
        check(
            "arm_id",
            &[
                "/subscriptions/s",
                "/subscriptions/s/resourceGroups/g",
                "/Subscriptions/s/resourcegroups/g/",
                "/providers/Microsoft.Management/managementGroups/m",
                "/",
            ],
            &[
                "",
                "subscriptions/s",
                "/subscriptions/",
                "/subscriptions//resourceGroups/g",
                "/hello/world",
                "https://x/subscriptions/s",
            ],
        );
        check(
            "url",
            &["https://token.actions.githubusercontent.com", "https://x.y/z/", "https://[::1]:8443/a"],
            &["", "http://x", "https://", "https:///x", "https://a b", "token.example.com"],
        );
        for name in ["principal_id", "client_id", "object_id", "tenant_id"] {
            check(name, &["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], &["", "myapp"]);
        }
    }
}
