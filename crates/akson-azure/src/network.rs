//! The network: the only file with sockets. For now it reaches an emulator on this machine; hosts beyond it come with their sign-in.

use std::{net::IpAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, Uri, header::HOST, uri::PathAndQuery};
use reqwest::{Client, redirect::Policy};
use url::{Host, Url};

use crate::{Transport, TransportError, answer::BODY_LIMIT};

/// A request's whole time: connecting, sending and reading the answer. Shorter than the time a new run waits for requests of a dead one.
const WHOLE: Duration = Duration::from_secs(20);
/// Of which for connecting.
const CONNECT: Duration = Duration::from_secs(5);

/// Sends requests for Azure's real hosts to an emulator on this machine.
#[derive(Debug)]
pub struct Network {
    client: Client,
    /// `http://127.0.0.1:PORT`
    base: String,
}

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Not `http://` with an address and a port, and nothing after it.
    #[error("it is not of the form http://127.0.0.1:PORT")]
    Form,
    /// Not this machine. Without TLS nothing may leave it.
    #[error("`{0}` is not an address of this machine")]
    NotLoopback(String),
    /// The client cannot be made.
    #[error("the network client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

impl Network {
    /// The emulator at `url`, as `akson emulator start` prints it: `http://127.0.0.1:PORT`, or `localhost`, or `[::1]`.
    ///
    /// # Errors
    /// [`NetworkError`] unless it is an address of this machine.
    pub fn loopback(url: &str) -> Result<Self, NetworkError> {
        let base = loopback_base(url)?;
        let client =
            Client::builder().redirect(Policy::none()).no_proxy().connect_timeout(CONNECT).timeout(WHOLE).build()?;
        Ok(Self { client, base })
    }
}

fn loopback_base(url: &str) -> Result<String, NetworkError> {
    let url = Url::parse(url).map_err(|_| NetworkError::Form)?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if url.scheme() != "http" || !bare {
        return Err(NetworkError::Form);
    }
    let host = url.host().ok_or(NetworkError::Form)?;
    let is_loopback = match &host {
        Host::Ipv4(address) => IpAddr::V4(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).is_loopback(),
        Host::Domain(name) => *name == "localhost",
    };
    if !is_loopback {
        return Err(NetworkError::NotLoopback(host.to_string()));
    }
    // The name could be resolved to anything; the address cannot.
    let host = if matches!(host, Host::Domain(_)) { "127.0.0.1".to_owned() } else { host.to_string() };
    Ok(format!("http://{host}:{}", url.port().unwrap_or(80)))
}

#[async_trait::async_trait]
impl Transport for Network {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let outgoing = redirected(request, &self.base)
            .and_then(|request| reqwest::Request::try_from(request).map_err(|error| error.to_string()));
        let outgoing = outgoing.map_err(|detail| TransportError::Refused { host: host.clone(), detail })?;
        let mut incoming = self.client.execute(outgoing).await.map_err(|error| failure(&host, &error))?;
        let mut answer = Response::builder().status(incoming.status());
        if let Some(headers) = answer.headers_mut() {
            *headers = incoming.headers().clone();
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = incoming.chunk().await.map_err(|error| failure(&host, &error))? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(TransportError::Broken { host, detail: "the answer is longer than 16 MiB".to_owned() });
            }
            body.extend_from_slice(&chunk);
        }
        answer.body(body.freeze()).map_err(|error| TransportError::Broken { host, detail: error.to_string() })
    }
}

/// The same request to the emulator: the real host stays in `Host`, which is how the emulator knows who is asked.
fn redirected(mut request: Request<Bytes>, base: &str) -> Result<Request<Bytes>, String> {
    let host = request.uri().authority().map_or("", |authority| authority.as_str());
    let host = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let uri: Uri = format!("{base}{path}").parse().map_err(|error: http::uri::InvalidUri| error.to_string())?;
    *request.uri_mut() = uri;
    request.headers_mut().insert(HOST, host);
    Ok(request)
}

fn failure(host: &str, error: &reqwest::Error) -> TransportError {
    let host = host.to_owned();
    // A connection that never was has carried nothing, even if it took too long.
    if error.is_connect() {
        TransportError::Refused { host, detail: innermost(error) }
    } else if error.is_timeout() {
        TransportError::TimedOut { host, seconds: WHOLE.as_secs() }
    } else {
        TransportError::Broken { host, detail: innermost(error) }
    }
}

/// The system's words, without those of the layers above it.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    #[track_caller]
    fn check(url: &str, base: Option<&str>) {
        assert_eq!(loopback_base(url).ok().as_deref(), base, "{url}");
    }

    #[test]
    fn only_addresses_of_this_machine() {
        check("http://127.0.0.1:4566", Some("http://127.0.0.1:4566"));
        check("http://127.0.0.1:4566/", Some("http://127.0.0.1:4566"));
        check("http://localhost:4566", Some("http://127.0.0.1:4566"));
        check("http://[::1]:4566", Some("http://[::1]:4566"));
        check("http://127.9.9.9", Some("http://127.9.9.9:80"));
        for other in [
            "https://127.0.0.1:4566",
            "http://10.0.0.1:4566",
            "http://management.azure.com",
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

    #[test]
    fn the_real_host_stays_in_the_request() {
        let request = Request::get("https://management.azure.com/subscriptions?api-version=1&s=a%2fB")
            .body(Bytes::new())
            .unwrap();
        let sent = redirected(request, "http://127.0.0.1:9").unwrap();
        assert_eq!(sent.uri(), "http://127.0.0.1:9/subscriptions?api-version=1&s=a%2fB");
        assert_eq!(sent.headers()["host"], "management.azure.com");
    }

    /// Serves one connection with these bytes, and returns what it was asked.
    async fn serve(answer: &'static [u8]) -> (Network, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let network = Network::loopback(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.unwrap();
            stream.write_all(answer).await.unwrap();
            String::from_utf8(asked[..length].to_vec()).unwrap()
        });
        (network, asked)
    }

    fn get() -> Request<Bytes> {
        Request::get("https://management.azure.com/subscriptions").body(Bytes::new()).unwrap()
    }

    #[tokio::test]
    async fn an_answer_comes_back_whole_and_redirects_are_not_followed() {
        let (network, asked) =
            serve(b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nhi").await;
        let answer = network.send(get()).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (301, b"hi".as_slice()));
        let asked = asked.await.unwrap().to_ascii_lowercase();
        assert!(
            asked.starts_with("get /subscriptions http/1.1\r\n") && asked.contains("host: management.azure.com\r\n"),
            "{asked}"
        );
        assert_eq!(asked.matches("host:").count(), 1);
    }

    #[tokio::test]
    async fn what_was_certainly_not_sent_is_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let network = Network::loopback(&format!("http://{address}")).unwrap();
        assert!(matches!(network.send(get()).await, Err(TransportError::Refused { .. })));

        let (network, _asked) = serve(b"").await;
        assert!(matches!(network.send(get()).await, Err(TransportError::Broken { .. })), "closed without an answer");
        let (network, _asked) = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
        assert!(matches!(network.send(get()).await, Err(TransportError::Broken { .. })), "closed in the middle of one");
    }
}
