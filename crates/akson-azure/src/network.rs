//! The network: real clouds over TLS, or an emulator on this machine in their place. Not which hosts may have a token: see `reach`.
//!
//! URLs are Azure's real ones in each case; a [`Network`] decides where they lead. Nothing here follows a redirect.

mod clients;
mod route;

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, header::CONTENT_LENGTH};

use crate::{Transport, TransportError, answer::BODY_LIMIT, transport::TrustCa};
use clients::{Clients, WHOLE};
use route::Route;

/// Makes ring the process's one TLS provider. First thing in `main`; a second call does nothing.
pub fn install_tls() {
    // Refused only if one is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Sends requests.
#[derive(Debug)]
pub struct Network {
    route: Route,
    clients: Clients,
}

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Not `http://` or `https://` with an address and a port, and nothing after it.
    #[error("it is not of the form http://127.0.0.1:PORT")]
    Form,
    /// Not this machine: only an emulator may stand in for Azure.
    #[error("`{0}` is not an address of this machine")]
    NotLoopback(String),
    /// Not a certificate.
    #[error("the certificate authority cannot be read: {0}")]
    Authority(String),
    /// The client cannot be made.
    #[error("the network client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

impl Network {
    /// The real network: TLS with the roots of the system, proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`).
    /// Without TLS it reaches this machine and link-local addresses only, where managed identities are asked for.
    ///
    /// # Errors
    /// [`NetworkError`] if the system's roots cannot be read.
    pub fn open() -> Result<Self, NetworkError> {
        Ok(Self { route: Route::Open, clients: Clients::open()? })
    }

    /// An emulator over TLS at an address of this machine: every host of Azure leads there, and must show a certificate
    /// of this authority for its own name.
    ///
    /// # Errors
    /// [`NetworkError`] unless it is an address of this machine and an authority.
    pub fn pinned(address: SocketAddr, ca_pem: &str) -> Result<Self, NetworkError> {
        if !address.ip().is_loopback() {
            return Err(NetworkError::NotLoopback(address.ip().to_string()));
        }
        Ok(Self { route: Route::Pinned(address), clients: Clients::pinned(address, ca_pem)? })
    }

    /// The emulator at `url` over plain HTTP, as `akson emulator start` prints it: `http://127.0.0.1:PORT`, or `localhost`, or `[::1]`.
    ///
    /// # Errors
    /// [`NetworkError`] unless it is an address of this machine.
    pub fn loopback(url: &str) -> Result<Self, NetworkError> {
        let (scheme, address) = route::loopback_address(url)?;
        if scheme != "http" {
            return Err(NetworkError::Form);
        }
        Ok(Self { route: Route::Plain(address), clients: Clients::plain()? })
    }

    /// The emulator at `url`, with or without TLS. With TLS its authority is asked for at the same port without: nobody
    /// but this machine is between.
    ///
    /// # Errors
    /// [`NetworkError`] unless it is an address of this machine where an emulator answers.
    pub async fn emulator(url: &str) -> Result<Self, NetworkError> {
        let (scheme, address) = route::loopback_address(url)?;
        let plain = Self { route: Route::Plain(address), clients: Clients::plain()? };
        if scheme == "http" {
            return Ok(plain);
        }
        let broken = |error: String| NetworkError::Authority(error);
        let request = Request::get(format!("http://{address}/_emulator/ca.pem")).body(Bytes::new());
        let answer = plain.send(request.map_err(|error| broken(error.to_string()))?).await;
        let answer = answer.map_err(|error| broken(error.to_string()))?;
        if !answer.status().is_success() {
            return Err(broken(format!("the emulator answered {}", answer.status())));
        }
        let ca_pem = std::str::from_utf8(answer.body()).map_err(|error| broken(error.to_string()))?;
        Self::pinned(address, ca_pem)
    }
}

#[async_trait::async_trait]
impl Transport for Network {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let refused = |detail: String| TransportError::Refused { host: host.clone(), detail };
        let trusted = request.extensions_mut().remove::<TrustCa>();
        let (mut request, reach) = self.route.direct(request).map_err(refused)?;
        if request.body().is_empty() && matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH) {
            // Nothing has a length, too: Azure's servers refuse a call that does not say so, and the client leaves it out.
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let client = self.clients.of(reach, trusted.as_ref()).map_err(|error| refused(error.to_string()))?;
        let outgoing = reqwest::Request::try_from(request).map_err(|error| refused(error.to_string()))?;
        let mut incoming = client.execute(outgoing).await.map_err(|error| failure(&host, &error))?;
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

fn failure(host: &str, error: &reqwest::Error) -> TransportError {
    let host = host.to_owned();
    let (detail, certificate) = innermost(error);
    // A connection that never was has carried nothing, even if it took too long.
    if certificate {
        TransportError::Untrusted { host, detail }
    } else if error.is_connect() {
        TransportError::Refused { host, detail }
    } else if error.is_timeout() {
        TransportError::TimedOut { host, seconds: WHOLE.as_secs() }
    } else {
        TransportError::Broken { host, detail }
    }
}

/// The system's words, without those of the layers above it; and whether it is the other side's certificate that is wrong.
fn innermost(error: &reqwest::Error) -> (String, bool) {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    loop {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return (tls.to_string(), matches!(tls, rustls::Error::InvalidCertificate(_)));
        }
        // An error of input and output hides the one that it was made of from `source`.
        let inside = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match inside.map(|inside| inside as &(dyn std::error::Error + 'static)).or_else(|| cause.source()) {
            Some(next) => cause = next,
            None => return (cause.to_string(), false),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

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
    async fn nothing_has_a_length_where_there_could_be_something() {
        for (method, told) in
            [(Method::PUT, 1), (Method::POST, 1), (Method::PATCH, 1), (Method::GET, 0), (Method::DELETE, 0)]
        {
            let (network, asked) = serve(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            let mut request = get();
            *request.method_mut() = method.clone();
            network.send(request).await.unwrap();
            let asked = asked.await.unwrap().to_ascii_lowercase();
            assert_eq!(asked.matches("content-length: 0\r\n").count(), told, "{method}: {asked}");
        }
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
