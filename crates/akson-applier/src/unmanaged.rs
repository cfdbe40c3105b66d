//! Reads what a plan does not need and drift wants: lists of what may lie in a stack's scopes without being declared. What is found in
//! them is the planner's to say.

use akson_catalog::Catalog;
use akson_config::Config;
use akson_planner::{
    Owned, Snapshot,
    unmanaged::{self, Unmanaged},
};
use futures_util::future::join_all;

use crate::{
    engine::Engine,
    refresh::{ReadFailure, fetch},
};

/// What lies inside of the scopes and is declared nowhere. What is read for it is added to the snapshot, which a plan was made of already.
///
/// # Errors
/// [`ReadFailure`], of the first read in order that failed: what could not be listed is never taken for absent.
pub async fn unmanaged(
    engine: &Engine,
    config: &Config,
    owned: &Owned,
    catalog: &Catalog,
    snapshot: &mut Snapshot,
) -> Result<Vec<Unmanaged>, ReadFailure> {
    let reads = unmanaged::reads(config, snapshot, catalog);
    let answers = join_all(reads.iter().map(|read| fetch(engine, read, false))).await;
    for (read, answers) in reads.iter().zip(answers) {
        for answer in answers? {
            snapshot.absorb(read, answer);
        }
    }
    snapshot.link(config, owned, catalog);
    Ok(unmanaged::unmanaged(config, snapshot, owned, catalog))
}
