//! The clouds: their hosts and audiences, as data. Not who signs in.

use http::Uri;

use crate::origin::Origin;

/// One of Azure's clouds, by its own host names. The emulator answers for the hosts of [`Cloud::PUBLIC`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cloud {
    /// Azure Resource Manager's host.
    pub arm: &'static str,
    /// Where tokens are asked for.
    pub login: &'static str,
    /// Microsoft Graph's host.
    pub graph: &'static str,
    /// What a vault's host ends with, without the dot before it.
    pub vault: &'static str,
    /// What the host of a cluster's API server ends with, without the dot before it.
    pub cluster: &'static str,
    /// The audience that tokens of outside issuers are exchanged for.
    pub token_exchange_audience: &'static str,
}

impl Cloud {
    /// `public`
    pub const PUBLIC: Cloud = Cloud {
        arm: "management.azure.com",
        login: "login.microsoftonline.com",
        graph: "graph.microsoft.com",
        vault: "vault.azure.net",
        cluster: "azmk8s.io",
        token_exchange_audience: "api://AzureADTokenExchange",
    };
    /// `usgov`
    pub const USGOV: Cloud = Cloud {
        arm: "management.usgovcloudapi.net",
        login: "login.microsoftonline.us",
        graph: "graph.microsoft.us",
        vault: "vault.usgovcloudapi.net",
        cluster: "cx.aks.containerservice.azure.us",
        token_exchange_audience: "api://AzureADTokenExchangeUSGov",
    };
    /// `china`
    pub const CHINA: Cloud = Cloud {
        arm: "management.chinacloudapi.cn",
        login: "login.chinacloudapi.cn",
        graph: "microsoftgraph.chinacloudapi.cn",
        vault: "vault.azure.cn",
        cluster: "cx.prod.service.azk8s.cn",
        token_exchange_audience: "api://AzureADTokenExchangeChina",
    };

    /// All of them.
    pub const ALL: [Cloud; 3] = [Self::PUBLIC, Self::USGOV, Self::CHINA];

    /// The cloud of `--cloud`: `public`, `usgov`, `china`; `emulator` has the public cloud's hosts.
    pub fn by_name(name: &str) -> Option<Cloud> {
        match name {
            "public" | "emulator" => Some(Self::PUBLIC),
            "usgov" => Some(Self::USGOV),
            "china" => Some(Self::CHINA),
            _ => None,
        }
    }

    /// For which audience a token may travel to `uri`; none if no token may go there at all: another host, another port,
    /// no TLS, or a name before an `@`. API servers of clusters are not among them: anybody can have one, so which are ours
    /// must be said ([`Reach`](crate::Reach)).
    pub fn audience_of(&self, uri: &Uri) -> Option<Audience> {
        let origin = Origin::of(uri)?;
        let host = origin.host();
        if origin.port() != 443 {
            return None;
        }
        if host == self.arm {
            return Some(Audience::Arm);
        }
        if host == self.graph {
            return Some(Audience::Graph);
        }
        let vault = host.strip_suffix(self.vault)?.strip_suffix('.')?;
        is_label(vault).then_some(Audience::KeyVault)
    }

    /// What a token of an audience is asked for by.
    pub fn scope(&self, audience: Audience) -> String {
        let host = match audience {
            Audience::Arm => self.arm,
            Audience::Graph => self.graph,
            Audience::KeyVault => self.vault,
            Audience::Cluster => return format!("{CLUSTERS}/.default"),
        };
        format!("https://{host}/.default")
    }
}

/// The application that every managed cluster's API server takes tokens for, the same in each tenant and cloud.
const CLUSTERS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// Whether a text is one label of a host name.
pub(crate) fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whom a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// Azure Resource Manager.
    Arm,
    /// Microsoft Graph.
    Graph,
    /// The vaults' own endpoints.
    KeyVault,
    /// The API servers of managed clusters.
    Cluster,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    #[track_caller]
    fn check(uri: &str, audience: Option<Audience>) {
        assert_eq!(Cloud::PUBLIC.audience_of(&uri.parse().unwrap()), audience, "{uri}");
    }

    #[test]
    fn tokens_travel_to_the_clouds_own_hosts_only() {
        check("https://management.azure.com/subscriptions?api-version=2022-12-01", Some(Audience::Arm));
        check("https://management.azure.com:443/subscriptions", Some(Audience::Arm));
        check("https://MANAGEMENT.azure.com/subscriptions", Some(Audience::Arm));
        check("https://graph.microsoft.com/v1.0/groups", Some(Audience::Graph));
        check("https://kv-app.vault.azure.net/secrets/x", Some(Audience::KeyVault));
        for other in [
            "http://management.azure.com/x",
            "https://management.azure.com:8443/x",
            "https://management.azure.com.evil.example/x",
            "https://evilmanagement.azure.com/x",
            "https://user@management.azure.com/x",
            "https://management.azure.com@evil.example/x",
            "https://management.azure.com./x",
            "https://westus2.management.azure.com/x",
            "https://a.b.vault.azure.net/secrets",
            "https://vault.azure.net/secrets",
            "https://management.usgovcloudapi.net/x",
            "https://login.microsoftonline.com/t/oauth2/v2.0/token",
            "https://app-1.hcp.westeurope.azmk8s.io/api",
            "https://127.0.0.1/x",
            "/relative",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn a_scope_for_each_audience() {
        assert_eq!(Cloud::PUBLIC.scope(Audience::Arm), "https://management.azure.com/.default");
        assert_eq!(Cloud::USGOV.scope(Audience::KeyVault), "https://vault.usgovcloudapi.net/.default");
        assert_eq!(Cloud::CHINA.scope(Audience::Graph), "https://microsoftgraph.chinacloudapi.cn/.default");
        assert_eq!(Cloud::USGOV.scope(Audience::Cluster), "6dae42f8-4368-4678-94ff-3960e28e3630/.default");
        assert_eq!(Cloud::by_name("emulator"), Some(Cloud::PUBLIC));
        assert_eq!(Cloud::by_name("moon"), None);
    }
}
