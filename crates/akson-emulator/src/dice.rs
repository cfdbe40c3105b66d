//! Seeded randomness: a pure function of a seed and how often it was asked, so that it persists as
//! two numbers. Good for ids that look random; not for secrets that must withstand an attacker.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A stream of numbers that depends on its seed alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dice {
    seed: u64,
    drawn: u64,
}

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The next 64 bits (splitmix64).
    pub(crate) fn next(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        let mut z = self.seed.wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn fraction(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }

    /// A number in `least..=most`.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most.saturating_sub(least) + 1)
    }

    /// A version 4 GUID in lower case.
    pub(crate) fn guid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff,
        )
    }

    /// Lower-case hexadecimal text, 16 digits a word.
    pub(crate) fn hex(&mut self, words: usize) -> String {
        let words: Vec<String> = (0..words).map(|_| format!("{:016x}", self.next())).collect();
        words.concat()
    }
}

/// A version 4 GUID that depends on texts alone.
pub(crate) fn guid_of(texts: &[&str]) -> String {
    let digest =
        texts.iter().fold(Sha256::new(), |digest, text| digest.chain_update(text).chain_update("\n")).finalize();
    let word = |at: usize| digest.iter().skip(at).take(8).fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
    let (a, b) = (word(0), word(8));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | ((b >> 48) & 0x3fff),
        b & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_two_seeds_differ() {
        let ids = |seed| {
            let mut dice = Dice::new(seed);
            (dice.guid(), dice.guid())
        };
        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
        assert_ne!(ids(7).0, ids(7).1);
        assert_eq!(ids(7).0.len(), 36);
    }
}
