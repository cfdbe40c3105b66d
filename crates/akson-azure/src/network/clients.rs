//! The HTTP clients of a network: one for hosts that the usual authorities vouch for, one for each authority of a cluster,
//! one without TLS. Not where a request goes.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Certificate, Client, ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::{NetworkError, install_tls, route::Reach};
use crate::transport::TrustCa;

/// A request's whole time: connecting, sending and reading the answer. Shorter than the time a new run waits for requests of a dead one.
pub(super) const WHOLE: Duration = Duration::from_secs(20);
/// Of which for connecting.
const CONNECT: Duration = Duration::from_secs(5);
/// Clusters of one run that are talked to at once: more than any stack has.
const MOST_AUTHORITIES: usize = 64;

/// The clients, made once each.
#[derive(Debug)]
pub(super) struct Clients {
    usual: Client,
    plain: Client,
    /// Where every name leads; the name's own address where there is none.
    pinned: Option<SocketAddr>,
    clusters: Mutex<BTreeMap<TrustCa, Client>>,
}

impl Clients {
    pub(super) fn open() -> Result<Self, NetworkError> {
        install_tls();
        Ok(Self { usual: usual().build()?, plain: without_tls()?, pinned: None, clusters: Mutex::default() })
    }

    pub(super) fn pinned(address: SocketAddr, ca_pem: &str) -> Result<Self, NetworkError> {
        install_tls();
        let authority = TrustCa::new(ca_pem);
        let usual = pinned(trusting(usual(), &authority)?, address).build()?;
        Ok(Self { usual, plain: without_tls()?, pinned: Some(address), clusters: Mutex::default() })
    }

    pub(super) fn plain() -> Result<Self, NetworkError> {
        install_tls();
        let plain = without_tls()?;
        Ok(Self { usual: plain.clone(), plain, pinned: None, clusters: Mutex::default() })
    }

    /// The client for a request: with an authority of its own if it names one.
    pub(super) fn of(&self, reach: Reach, trusted: Option<&TrustCa>) -> Result<Client, NetworkError> {
        match (reach, trusted) {
            (Reach::Plain, _) => Ok(self.plain.clone()),
            (Reach::Tls, None) => Ok(self.usual.clone()),
            (Reach::Tls, Some(authority)) => self.of_cluster(authority),
        }
    }

    fn of_cluster(&self, authority: &TrustCa) -> Result<Client, NetworkError> {
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clusters.get(authority) {
            return Ok(client.clone());
        }
        let builder = trusting(usual(), authority)?;
        let client = match self.pinned {
            Some(address) => pinned(builder, address),
            None => builder,
        }
        .build()?;
        // An authority that is replaced again and again must not fill the memory.
        if clusters.len() >= MOST_AUTHORITIES {
            clusters.clear();
        }
        clusters.insert(authority.clone(), client.clone());
        Ok(client)
    }
}

/// What all clients have in common. Proxies come from the environment.
fn usual() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("akson/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
}

/// For this machine and its link: no proxy is nearer, and `localhost` is not asked of anybody.
fn without_tls() -> Result<Client, NetworkError> {
    Ok(usual().no_proxy().resolve("localhost", SocketAddr::from(([127, 0, 0, 1], 0))).build()?)
}

/// Trusts this authority and no other.
fn trusting(builder: ClientBuilder, authority: &TrustCa) -> Result<ClientBuilder, NetworkError> {
    let broken = |detail: String| NetworkError::Authority(detail);
    let mut certificates = Vec::new();
    for der in CertificateDer::pem_slice_iter(authority.pem().as_bytes()) {
        let der = der.map_err(|error| broken(error.to_string()))?;
        certificates.push(Certificate::from_der(&der).map_err(|error| broken(error.to_string()))?);
    }
    if certificates.is_empty() {
        return Err(broken("there is no certificate in it".to_owned()));
    }
    Ok(builder.tls_certs_only(certificates))
}

/// Every name leads to this address.
fn pinned(builder: ClientBuilder, address: SocketAddr) -> ClientBuilder {
    builder.no_proxy().dns_resolver(Arc::new(Everywhere(address)))
}

/// Answers every name with one address, so that nothing leaves this machine.
struct Everywhere(SocketAddr);

impl Resolve for Everywhere {
    fn resolve(&self, _name: Name) -> Resolving {
        let addresses: Addrs = Box::new(std::iter::once(self.0));
        Box::pin(std::future::ready(Ok(addresses)))
    }
}
