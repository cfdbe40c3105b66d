//! IPv4 prefixes: whether they lie in each other, and their addresses. Other text is nobody's prefix
//! and is not judged.

use std::net::Ipv4Addr;

/// A prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    base: u32,
    length: u32,
}

impl Prefix {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let address: Ipv4Addr = address.parse().ok()?;
        let length: u32 = length.parse().ok().filter(|length| *length <= 32)?;
        Some(Self { base: u32::from(address) & mask(length), length })
    }

    /// Whether another lies in this one.
    pub(super) fn contains(self, other: Self) -> bool {
        self.length <= other.length && other.base & mask(self.length) == self.base
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// Whether an address lies in this prefix.
    pub(super) fn holds(self, address: Ipv4Addr) -> bool {
        self.contains(Self { base: u32::from(address), length: 32 })
    }

    /// How many addresses there are.
    pub(super) fn size(self) -> u64 {
        1 << (32 - self.length)
    }

    /// The address at a place; Azure keeps the first four for itself.
    pub(super) fn address(self, at: u32) -> Ipv4Addr {
        Ipv4Addr::from(self.base.wrapping_add(at))
    }
}

fn mask(length: u32) -> u32 {
    u32::MAX.checked_shl(32 - length).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn prefixes() {
        let p = |text| Prefix::parse(text).unwrap();
        assert!(p("10.0.0.0/8").contains(p("10.1.0.0/16")));
        assert!(!p("10.1.0.0/16").contains(p("10.0.0.0/8")));
        assert!(p("0.0.0.0/0").contains(p("10.0.0.0/32")));
        assert!(p("10.0.0.0/24").overlaps(p("10.0.0.128/25")));
        assert!(!p("10.0.0.0/24").overlaps(p("10.0.1.0/24")));
        assert_eq!(p("10.0.1.7/26").address(4).to_string(), "10.0.1.4");
        for nonsense in ["10.0.0.0", "10.0.0.0/33", "fd00::/8", "Storage"] {
            assert_eq!(Prefix::parse(nonsense), None, "{nonsense}");
        }
    }
}
