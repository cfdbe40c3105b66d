//! What a cluster's API server is trusted and entered by: its certificate authority, kept in the world
//! for whoever runs the API server, and the static token of its local accounts.

use sha2::{Digest, Sha256};

use crate::tls::Authority;
use crate::world::World;

/// The certificate authority of a cluster in PEM: its own if one was set, else `ours`, which vouches for every host.
/// `cluster_key` is the cluster's id in lower case.
pub(crate) fn cluster_ca(world: &World, cluster_key: &str, ours: &Authority) -> String {
    world.cluster_authorities.get(cluster_key).cloned().unwrap_or_else(|| ours.pem().to_owned())
}

/// The token of a local account (`clusterAdmin`, `clusterUser`) of a cluster: it follows from the
/// world's key, so that nobody has to keep it.
pub(crate) fn local_token(world: &World, cluster_key: &str, account: &str) -> String {
    let digest = Sha256::new();
    let parts = [world.key.as_str(), "local account", cluster_key, account];
    let digest = parts.iter().fold(digest, |digest, part| digest.chain_update(part).chain_update("\n")).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
