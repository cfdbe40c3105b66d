//! Kubernetes API servers.
use super::Call;
use crate::clock::WorldTime;
use crate::reply::{self, Answer};
use crate::visit::Visit;
use crate::world::World;
pub(super) const SUFFIX: &str = ".azmk8s.io";
pub(super) fn settle(_: &mut World, _: WorldTime) {}
pub(super) fn answer(_: &mut Call<'_>) -> Answer {
    reply::reset()
}
pub(super) fn with_usual_headers(answer: Answer, _: &Visit, _: &str, _: WorldTime) -> Answer {
    answer
}
