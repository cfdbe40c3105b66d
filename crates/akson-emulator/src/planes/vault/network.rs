//! A vault's firewall: whether the caller's address may come in. Virtual networks, private links and
//! trusted services are not modelled: a caller has an address and nothing else.

use std::net::IpAddr;

use serde_json::Value;

use super::refusal::{self, Refused};
use super::{Call, Vault};

/// Refuses a caller whose address the vault's rules keep out.
pub(super) fn check(call: &Call<'_>, vault: &Vault) -> Result<(), Refused> {
    if vault.object.property("publicNetworkAccess").eq_ignore_ascii_case("Disabled") {
        return Err(refusal::firewall(call, vault, true));
    }
    let rules = vault.object.properties().and_then(|properties| properties.get("networkAcls"));
    let Some(rules) = rules else { return Ok(()) };
    if rules["defaultAction"].as_str().is_none_or(|action| action.eq_ignore_ascii_case("Allow")) {
        return Ok(());
    }
    let ranges = rules["ipRules"].as_array().into_iter().flatten();
    let mut ranges = ranges.filter_map(|rule| rule.get("value").and_then(Value::as_str));
    if ranges.any(|range| contains(range, call.options.caller_address)) {
        return Ok(());
    }
    Err(refusal::firewall(call, vault, false))
}

/// Whether an address is in a range such as `203.0.113.0/24`.
fn contains(range: &str, address: IpAddr) -> bool {
    let (base, length) = range.split_once('/').unwrap_or((range, ""));
    match (base.parse::<IpAddr>(), address) {
        (Ok(IpAddr::V4(base)), IpAddr::V4(address)) => {
            let length = length.parse().unwrap_or(32_u32);
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length)).unwrap_or(0);
            base.to_bits() & mask == address.to_bits() & mask
        }
        (Ok(base), address) => base == address,
        (Err(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let check = |range: &str, address: &str, expected: bool| {
            let found = address.parse().is_ok_and(|address| contains(range, address));
            assert_eq!(found, expected, "{range} {address}");
        };
        check("203.0.113.10/32", "203.0.113.10", true);
        check("203.0.113.10", "203.0.113.11", false);
        check("203.0.113.0/24", "203.0.113.10", true);
        check("203.0.112.0/24", "203.0.113.10", false);
        check("0.0.0.0/0", "203.0.113.10", true);
        check("10.0.0.0/8", "2001:db8::1", false);
        check("nonsense", "10.0.0.1", false);
    }
}
