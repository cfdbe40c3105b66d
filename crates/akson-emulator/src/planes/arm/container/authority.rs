//! The local accounts of clusters and their static tokens. The certificate authority of clusters is the emulator's own.

use sha2::{Digest, Sha256};

use super::shape::is_on;
use crate::world::{Object, World};

/// Local accounts as their kubeconfigs are named.
const ACCOUNTS: [&str; 2] = ["clusterAdmin", "clusterUser"];
/// What the API server calls whoever uses one.
const NAME: &str = "masterclient";

/// The token of a local account (`clusterAdmin`, `clusterUser`) of a cluster: it follows from the
/// world's key, so that nobody has to keep it. `cluster_key` is the cluster's id in lower case.
pub(crate) fn local_token(world: &World, cluster_key: &str, account: &str) -> String {
    let digest = Sha256::new();
    let parts = [world.key.as_str(), "local account", cluster_key, account];
    let digest = parts.iter().fold(digest, |digest, part| digest.chain_update(part).chain_update("\n")).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The local account that a header speaks for, if the cluster has local accounts.
pub(crate) fn local_account(
    world: &World,
    cluster_key: &str,
    cluster: &Object,
    header: Option<&str>,
) -> Option<&'static str> {
    if cluster.properties().is_some_and(|properties| is_on(properties, "disableLocalAccounts")) {
        return None;
    }
    let (scheme, token) = header?.split_once(' ')?;
    let known = ACCOUNTS.iter().any(|account| token.trim() == local_token(world, cluster_key, account));
    (known && scheme.eq_ignore_ascii_case("bearer")).then_some(NAME)
}
