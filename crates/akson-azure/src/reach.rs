//! Where tokens of a run may go: the cloud's own hosts, and the API servers of the stack's own clusters. Not what they are sent for.

use std::{
    collections::BTreeSet,
    sync::{PoisonError, RwLock},
};

use http::Uri;

use crate::{Audience, Cloud, Origin, cloud::is_label};

/// The hosts that a run's tokens may travel to. A cluster's host is known only once the cluster is, so it is added during the run.
#[derive(Debug)]
pub struct Reach {
    cloud: Cloud,
    clusters: RwLock<BTreeSet<String>>,
}

/// Not the host of a managed cluster's API server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the host of a managed cluster's API server")]
pub struct NotACluster(
    /// What was given. It may be foreign text.
    pub String,
);

impl Reach {
    /// The hosts of a cloud, and no cluster yet.
    pub fn new(cloud: Cloud) -> Self {
        Self { cloud, clusters: RwLock::default() }
    }

    /// The cloud.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Adds a cluster of the stack's by what Azure says of it: `fqdn` or `privateFQDN`, with or without `https://` and port 443.
    /// Returns the host as it stands in URLs.
    ///
    /// # Errors
    /// [`NotACluster`] if it lies outside of where the cloud has its clusters, whoever said it.
    pub fn add_cluster(&self, server: &str) -> Result<String, NotACluster> {
        let refused = || NotACluster(server.to_owned());
        let url = if server.contains("://") { server.to_owned() } else { format!("https://{server}/") };
        let origin = url.parse::<Uri>().ok().and_then(|uri| Origin::of(&uri)).ok_or_else(refused)?;
        let name = origin.host().strip_suffix(self.cloud.cluster).and_then(|name| name.strip_suffix('.'));
        if origin.port() != 443 || !name.is_some_and(|name| name.split('.').all(is_label)) {
            return Err(refused());
        }
        let host = origin.host().to_owned();
        self.clusters.write().unwrap_or_else(PoisonError::into_inner).insert(host.clone());
        Ok(host)
    }

    /// For which audience a token may travel to `uri`; none if no token may go there at all.
    pub fn audience_of(&self, uri: &Uri) -> Option<Audience> {
        if let Some(audience) = self.cloud.audience_of(uri) {
            return Some(audience);
        }
        let origin = Origin::of(uri)?;
        let clusters = self.clusters.read().unwrap_or_else(PoisonError::into_inner);
        (origin.port() == 443 && clusters.contains(origin.host())).then_some(Audience::Cluster)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    const SERVER: &str = "app-1a2b.hcp.westeurope.azmk8s.io";

    #[track_caller]
    fn check(reach: &Reach, uri: &str, audience: Option<Audience>) {
        assert_eq!(reach.audience_of(&uri.parse().unwrap()), audience, "{uri}");
    }

    #[test]
    fn only_our_own_clusters_get_a_token() {
        let reach = Reach::new(Cloud::PUBLIC);
        let api = format!("https://{SERVER}/api/v1/namespaces");
        check(&reach, &api, None);
        assert_eq!(reach.add_cluster(SERVER).unwrap(), SERVER);
        check(&reach, &api, Some(Audience::Cluster));
        check(&reach, &api.replace("azmk8s.io/", "azmk8s.io:443/"), Some(Audience::Cluster));
        check(&reach, &api.replace("azmk8s.io/", "azmk8s.io:8443/"), None);
        check(&reach, &api.replace("https:", "http:"), None);
        check(&reach, "https://other-1a2b.hcp.westeurope.azmk8s.io/api", None);
        check(&reach, &format!("https://{SERVER}.evil.example/api"), None);
        check(&reach, &format!("https://user@{SERVER}/api"), None);
        check(&reach, "https://management.azure.com/subscriptions", Some(Audience::Arm));
        check(&reach, "https://kv.vault.azure.net/secrets", Some(Audience::KeyVault));
        check(&reach, "https://evil.example/", None);
    }

    #[test]
    fn a_cluster_is_where_the_cloud_has_its_clusters() {
        let public = Reach::new(Cloud::PUBLIC);
        for good in [
            "https://app.hcp.westeurope.azmk8s.io:443",
            "https://app.hcp.westeurope.azmk8s.io/",
            "app.1a2b.privatelink.westeurope.azmk8s.io",
            "App.hcp.WestEurope.azmk8s.io",
        ] {
            public.add_cluster(good).unwrap();
        }
        for bad in [
            "evil.example",
            "azmk8s.io",
            "evilazmk8s.io",
            "app.azmk8s.io.evil.example",
            "app.azmk8s.io:8443",
            "http://app.azmk8s.io",
            "user@app.azmk8s.io",
            "evil.example/app.azmk8s.io",
            "evil.example#.azmk8s.io",
            "127.0.0.1",
            "",
        ] {
            assert_eq!(public.add_cluster(bad).unwrap_err(), NotACluster(bad.to_owned()));
        }
        Reach::new(Cloud::USGOV).add_cluster("a.hcp.usgovvirginia.cx.aks.containerservice.azure.us").unwrap();
        Reach::new(Cloud::CHINA).add_cluster("a.hcp.chinanorth3.cx.prod.service.azk8s.cn").unwrap();
        Reach::new(Cloud::USGOV).add_cluster(SERVER).unwrap_err();
    }
}
