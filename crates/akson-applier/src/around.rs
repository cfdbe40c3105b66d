//! Reads what plans of a changed configuration would ask for, so that a recording has it. What cannot be read is left out: no plan needs it now.

use akson_catalog::Catalog;
use akson_config::Config;
use akson_planner::{At, Owned, Snapshot, options::PlanOptions, waves::around};
use futures_util::future::join_all;

use crate::{
    engine::Engine,
    refresh::{fetch, in_cluster},
};

/// Reads around what `snapshot` has; how many requests were answered. What comes is for whoever listens at the transport.
pub async fn look_around(
    engine: &Engine,
    config: &Config,
    owned: &Owned,
    catalog: &Catalog,
    options: &PlanOptions,
    snapshot: &Snapshot,
) -> usize {
    let reads = around(config, owned, catalog, options, snapshot);
    let answers = join_all(reads.iter().map(async |read| match &read.at {
        At::Cluster(of) => {
            let object = snapshot.live(of).map(|live| &live.body);
            // One that could not be looked into is not waited for once more.
            if snapshot.unreachable.contains_key(of) {
                return false;
            }
            in_cluster(engine, catalog, read, (of, object), owned.reachable.get(of)).await.is_ok()
        }
        At::Arm | At::Graph => fetch(engine, read, false).await.is_ok(),
    }));
    answers.await.into_iter().filter(|answered| *answered).count()
}
