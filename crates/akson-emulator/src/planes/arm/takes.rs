//! How long things take: measured on the real services, drawn from the world's dice.

use std::time::Duration;

use crate::dice::Dice;

/// Seconds at the 10th, 50th and 90th percentile. A draw is as likely below the middle as above it and
/// never outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Takes(pub(super) u64, pub(super) u64, pub(super) u64);

impl Takes {
    pub(super) fn draw(self, dice: &mut Dice) -> Duration {
        let Self(least, middle, most) = self;
        let (from, to) = if dice.next() & 1 == 0 { (least, middle) } else { (middle, most) };
        Duration::from_millis(dice.between(from.saturating_mul(1000), to.saturating_mul(1000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_range_and_on_both_sides_of_the_middle() {
        let mut dice = Dice::new(1);
        let drawn: Vec<u64> = (0..100).map(|_| Takes(90, 114, 470).draw(&mut dice).as_secs()).collect();
        assert!(drawn.iter().all(|seconds| (90..=470).contains(seconds)), "{drawn:?}");
        let below = drawn.iter().filter(|seconds| **seconds < 114).count();
        assert!((30..70).contains(&below), "{below}");
    }
}
