//! Where a request leads: as its URL says, or to an emulator on this machine. Pure; not the sending.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header::HOST, uri::PathAndQuery};
use url::{Host, Url};

use super::NetworkError;

/// Where requests lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Where their URL says.
    Open,
    /// To an emulator over TLS.
    Pinned(SocketAddr),
    /// To an emulator without.
    Plain(SocketAddr),
}

/// By which client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Over TLS.
    Tls,
    /// Without, on this machine or its link.
    Plain,
}

impl Route {
    /// The request as it is to be sent.
    ///
    /// # Errors
    /// Why it must not be.
    pub(super) fn direct(self, request: Request<Bytes>) -> Result<(Request<Bytes>, Reach), String> {
        match self {
            Route::Open => match request.uri().scheme_str() {
                Some("https") => Ok((request, Reach::Tls)),
                Some("http") if host_of(request.uri()).is_some_and(|host| is_near(&host)) => {
                    Ok((request, Reach::Plain))
                }
                _ => Err("nothing leaves this machine without TLS".to_owned()),
            },
            Route::Pinned(address) => {
                if request.uri().scheme_str() != Some("https") {
                    return Err("the emulator's hosts are https".to_owned());
                }
                let port = request.uri().port_u16().unwrap_or(443);
                let fits = match host_of(request.uri()) {
                    Some(Host::Domain(name)) if name != "localhost" => port == 443,
                    Some(host) => is_loopback(&host) && port == address.port(),
                    None => false,
                };
                if fits { Ok((request, Reach::Tls)) } else { Err("it is no host of the emulator's".to_owned()) }
            }
            Route::Plain(address) => Ok((redirected(request, address)?, Reach::Plain)),
        }
    }
}

/// The same request to the emulator: the real host stays in `Host`, which is how the emulator knows who is asked.
fn redirected(mut request: Request<Bytes>, address: SocketAddr) -> Result<Request<Bytes>, String> {
    let host = request.uri().authority().map_or("", |authority| authority.as_str());
    let host = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let uri: Uri =
        format!("http://{address}{path}").parse().map_err(|error: http::uri::InvalidUri| error.to_string())?;
    *request.uri_mut() = uri;
    request.headers_mut().insert(HOST, host);
    Ok(request)
}

/// The scheme and address of `http://127.0.0.1:PORT`, or `https`, or `localhost`, or `[::1]`.
pub(super) fn loopback_address(url: &str) -> Result<(String, SocketAddr), NetworkError> {
    let url = Url::parse(url).map_err(|_| NetworkError::Form)?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !bare {
        return Err(NetworkError::Form);
    }
    let host = url.host().map(|host| host.to_owned()).ok_or(NetworkError::Form)?;
    if !is_loopback(&host) {
        return Err(NetworkError::NotLoopback(host.to_string()));
    }
    // The name could be resolved to anything; the address cannot.
    let address = match host {
        Host::Domain(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
    };
    let port = url.port_or_known_default().ok_or(NetworkError::Form)?;
    Ok((url.scheme().to_owned(), SocketAddr::new(address, port)))
}

fn host_of(uri: &Uri) -> Option<Host<String>> {
    Host::parse(uri.host()?).ok()
}

fn is_loopback(host: &Host<String>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    }
}

/// This machine, or an address that no router passes on, such as 169.254.169.254.
fn is_near(host: &Host<String>) -> bool {
    is_loopback(host)
        || match host {
            Host::Ipv4(address) => address.is_link_local(),
            Host::Ipv6(address) => is_unicast_link_local(address),
            Host::Domain(_) => false,
        }
}

fn is_unicast_link_local(address: &Ipv6Addr) -> bool {
    (address.segments()[0] & 0xffc0) == 0xfe80
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    #[track_caller]
    fn check(url: &str, address: Option<&str>) {
        let found = loopback_address(url).ok().map(|(scheme, address)| format!("{scheme} {address}"));
        assert_eq!(found.as_deref(), address, "{url}");
    }

    #[test]
    fn only_addresses_of_this_machine() {
        check("http://127.0.0.1:4566", Some("http 127.0.0.1:4566"));
        check("http://127.0.0.1:4566/", Some("http 127.0.0.1:4566"));
        check("https://127.0.0.1:4566", Some("https 127.0.0.1:4566"));
        check("http://localhost:4566", Some("http 127.0.0.1:4566"));
        check("http://[::1]:4566", Some("http [::1]:4566"));
        check("http://127.9.9.9", Some("http 127.9.9.9:80"));
        for other in [
            "ftp://127.0.0.1:4566",
            "http://10.0.0.1:4566",
            "https://management.azure.com",
            "http://localhost.evil.example:4566",
            "http://127.0.0.1@evil.example",
            "http://user@127.0.0.1:1",
            "http://127.0.0.1:4566/path",
            "http://127.0.0.1:4566/?a=1",
            "http://0.0.0.0:4566",
            "127.0.0.1:4566",
            "",
        ] {
            check(other, None);
        }
    }

    fn get(uri: &str) -> Request<Bytes> {
        Request::get(uri).body(Bytes::new()).unwrap()
    }

    #[test]
    fn the_real_host_stays_in_the_request() {
        let request = get("https://management.azure.com/subscriptions?api-version=1&s=a%2fB");
        let (sent, reach) = Route::Plain("127.0.0.1:9".parse().unwrap()).direct(request).unwrap();
        assert_eq!(sent.uri(), "http://127.0.0.1:9/subscriptions?api-version=1&s=a%2fB");
        assert_eq!(sent.headers()["host"], "management.azure.com");
        assert_eq!(reach, Reach::Plain);
    }

    #[test]
    fn without_tls_nothing_leaves_this_machine_and_its_link() {
        let open = |uri: &str| Route::Open.direct(get(uri)).ok().map(|(_, reach)| reach);
        assert_eq!(open("https://management.azure.com/x"), Some(Reach::Tls));
        assert_eq!(open("http://169.254.169.254/metadata/identity/oauth2/token"), Some(Reach::Plain));
        assert_eq!(open("http://localhost:8081/msi/token"), Some(Reach::Plain));
        assert_eq!(open("http://127.0.0.1:41741/MSI/token/"), Some(Reach::Plain));
        assert_eq!(open("http://[fe80::1]/x"), Some(Reach::Plain));
        for other in ["http://management.azure.com/x", "http://10.0.0.1/x", "http://[2001:db8::1]/x", "/relative"] {
            assert_eq!(open(other), None, "{other}");
        }
    }

    #[test]
    fn an_emulator_over_tls_has_azures_names_and_its_own_address() {
        let pinned = Route::Pinned("127.0.0.1:4566".parse().unwrap());
        for good in [
            "https://management.azure.com/x",
            "https://management.azure.com:443/x",
            "https://kv.vault.azure.net/secrets",
            "https://127.0.0.1:4566/_emulator/info",
            "https://localhost:4566/_emulator/info",
        ] {
            assert!(pinned.direct(get(good)).is_ok(), "{good}");
        }
        for other in [
            "http://management.azure.com/x",
            "https://10.0.0.1/x",
            "https://management.azure.com:8443/x",
            "https://127.0.0.1/x",
            "https://[2001:db8::1]/x",
        ] {
            assert!(pinned.direct(get(other)).is_err(), "{other}");
        }
    }
}
