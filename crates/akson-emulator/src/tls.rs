//! TLS for the emulator: an authority of its own, and a certificate for whichever of Azure's hosts is asked for. Not the
//! serving, and no client certificates.

mod authority;
mod hosts;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

pub(crate) use authority::Authority;

/// Certificates are made anew after this time, long before their end.
const RENEW: Duration = Duration::from_secs(30 * 24 * 3600);
/// Names that are remembered at once. Vaults share one, clusters do not.
const MOST_NAMES: usize = 256;

/// Whether a host is one of those that have a certificate here.
pub(crate) fn plays(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    address || hosts::names_for(Some(host)).is_some()
}

/// The configuration of a server that has a certificate for each of Azure's hosts.
pub(crate) fn server_config(authority: Arc<Authority>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for the versions that rustls was built with")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Leaves { authority, made: Mutex::default() }));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// Certificates by name, made when they are first asked for.
struct Leaves {
    authority: Arc<Authority>,
    made: Mutex<BTreeMap<String, (Arc<CertifiedKey>, Instant)>>,
}

impl ResolvesServerCert for Leaves {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let names = hosts::names_for(hello.server_name())?;
        let first = names.first()?.clone();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((leaf, since)) = made.get(&first)
            && since.elapsed() < RENEW
        {
            return Some(Arc::clone(leaf));
        }
        // A caller that makes up names must not fill the memory.
        if made.len() >= MOST_NAMES {
            made.clear();
        }
        let leaf = Arc::new(self.authority.leaf(names).ok()?);
        made.insert(first, (Arc::clone(&leaf), Instant::now()));
        Some(leaf)
    }
}

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaves")
    }
}
