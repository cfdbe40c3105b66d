//! Whether a caller's packets reach an API server: authorized ranges, private clusters, clusters that
//! do not run.

use std::net::IpAddr;

use serde_json::Value;

use crate::clock::WorldTime;
use crate::world::Object;

/// Whether the API server of a cluster answers a caller from this address.
pub(super) fn admits(cluster: &Object, caller: IpAddr, now: WorldTime) -> bool {
    let view = cluster.view(now);
    let properties = view.get("properties");
    let property = |name: &str| properties.and_then(|properties| properties.get(name));
    let state = property("provisioningState").and_then(Value::as_str).unwrap_or_default();
    let power = property("powerState").and_then(|power| power.get("code")).and_then(Value::as_str);
    let starts = matches!(state, "Creating" | "Starting" | "Stopping" | "Deleting");
    if starts || power == Some("Stopped") {
        return false;
    }
    let profile = property("apiServerAccessProfile");
    let profile = |name: &str| profile.and_then(|profile| profile.get(name));
    if profile("enablePrivateCluster").and_then(Value::as_bool) == Some(true) {
        return is_inside(caller);
    }
    let ranges = profile("authorizedIPRanges").and_then(Value::as_array);
    ranges.is_none_or(|ranges| {
        let mut ranges = ranges.iter().filter_map(Value::as_str).peekable();
        ranges.peek().is_none() || ranges.any(|range| contains(range, caller))
    })
}

/// Whether an address is of a virtual network.
fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || contains("100.64.0.0/10", IpAddr::V4(address)),
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

/// Whether a range such as `203.0.113.0/24`, or a single address, contains an address.
fn contains(range: &str, address: IpAddr) -> bool {
    let (start, length) = range.split_once('/').map_or((range, None), |(start, length)| (start, Some(length)));
    let Ok(start) = start.trim().parse::<IpAddr>() else { return false };
    let (start, address, bits) = match (start, address) {
        (IpAddr::V4(start), IpAddr::V4(address)) => {
            (u128::from(start.to_bits()), u128::from(address.to_bits()), 32_u32)
        }
        (IpAddr::V6(start), IpAddr::V6(address)) => (start.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let Some(length) = length.map_or(Some(bits), |length| length.trim().parse().ok()).filter(|length| *length <= bits)
    else {
        return false;
    };
    let shift = bits - length;
    start.checked_shr(shift).unwrap_or(0) == address.checked_shr(shift).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn ranges() {
        let check = |range: &str, address: &str, expected: bool| {
            assert_eq!(contains(range, address.parse().unwrap()), expected, "{range} {address}");
        };
        check("203.0.113.0/24", "203.0.113.255", true);
        check("203.0.113.0/24", "203.0.114.0", false);
        check("203.0.113.7", "203.0.113.7", true);
        check("203.0.113.7/32", "203.0.113.8", false);
        check("0.0.0.0/0", "1.2.3.4", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "fd00::1", true);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("nonsense", "1.2.3.4", false);
        check("1.2.3.4/33", "1.2.3.4", false);
        assert!(is_inside("10.1.2.3".parse().unwrap()));
        assert!(!is_inside("203.0.113.10".parse().unwrap()));
    }
}
