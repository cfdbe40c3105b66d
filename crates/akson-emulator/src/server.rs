//! The emulator over HTTP/1.1, with and without TLS at one port: the first byte tells which. A caller that goes away does not cancel what it asked for: each call
//! runs as a task of its own, as in a cloud. To clients that can be given a proxy it is one, whose every way leads to itself.

mod stream;
mod tunnel;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::emulator::{Answered, ConnectionReset, Emulator};
use crate::errors;
use crate::planes;
use crate::tls;
use stream::Body;
use tunnel::Tunnel;

/// Larger bodies than ARM accepts are refused.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// How long open connections may finish after the shutdown.
const GRACE: Duration = Duration::from_secs(5);
/// How long a caller may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// What every TLS connection begins with, and no HTTP request.
const TLS_HANDSHAKE: u8 = 0x16;
/// How long to wait after a failed accept, e.g. when file descriptors have run out.
const BREATH: Duration = Duration::from_millis(50);

/// Serves an emulator until `shutdown` is done; calls that are being processed then have five seconds.
///
/// # Errors
///
/// The listener's own error, if it has no local address. A failed accept is tried again.
pub async fn serve(
    emulator: Arc<Emulator>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.local_addr()?;
    let acceptor = TlsAcceptor::from(Arc::new(tls::server_config(Arc::clone(&emulator.inner.authority))));
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let caller = Caller { peer, secure: false };
                    connections.spawn(greet(Arc::clone(&emulator), acceptor.clone(), stream, caller, stopped.clone()));
                }
                Err(_) => tokio::time::sleep(BREATH).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    // Nobody listening means that all connections are closed already.
    let _ = stop.send(true);
    let _ = tokio::time::timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    Ok(())
}

/// Who is at the other end, and how.
#[derive(Clone, Copy)]
struct Caller {
    peer: SocketAddr,
    /// Over TLS.
    secure: bool,
}

/// One connection, from its first byte on.
async fn greet(
    emulator: Arc<Emulator>,
    acceptor: TlsAcceptor,
    stream: TcpStream,
    caller: Caller,
    mut stopped: watch::Receiver<bool>,
) {
    let first = async {
        let mut first = [0];
        match stream.peek(&mut first).await {
            Ok(1) => first.first().copied(),
            _ => None,
        }
    };
    let first = tokio::select! {
        first = first => first,
        _ = stopped.wait_for(|stop| *stop) => None,
    };
    match first {
        Some(TLS_HANDSHAKE) => agree(emulator, acceptor, stream, caller, stopped).await,
        Some(_) => {
            let tunnel = Tunnel::default();
            converse(Arc::clone(&emulator), stream, caller, stopped.clone(), Some(tunnel.clone())).await;
            if let Some(stream) = tunnel.dug().await {
                agree(emulator, acceptor, TokioIo::new(stream), caller, stopped).await;
            }
        }
        None => {}
    }
}

/// A connection with TLS, from its first byte on.
async fn agree(
    emulator: Arc<Emulator>,
    acceptor: TlsAcceptor,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    caller: Caller,
    stopped: watch::Receiver<bool>,
) {
    // Whoever does not trust us, or asks for a host that we do not play, goes away here.
    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        converse(emulator, stream, Caller { secure: true, ..caller }, stopped, None).await;
    }
}

/// One connection, until either side closes it or it has become a tunnel.
async fn converse(
    emulator: Arc<Emulator>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    caller: Caller,
    mut stopped: watch::Receiver<bool>,
    tunnel: Option<Tunnel>,
) {
    let stop = stopped.clone();
    let service =
        service_fn(move |request| respond(Arc::clone(&emulator), request, caller, stop.clone(), tunnel.clone()));
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let connection = connection.with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // An error is a caller that went away, or a reset on purpose: the connection is dropped.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// One call. An error makes hyper drop the connection without an answer.
async fn respond(
    emulator: Arc<Emulator>,
    request: Request<Incoming>,
    caller: Caller,
    stopped: watch::Receiver<bool>,
    tunnel: Option<Tunnel>,
) -> Result<Response<Body>, ConnectionReset> {
    if request.method() == Method::CONNECT {
        return Ok(tunnel.map_or_else(tunnel::refused, |tunnel| tunnel.dig(request, caller.peer)));
    }
    let (mut parts, body) = request.into_parts();
    if caller.secure {
        say_so(&mut parts);
    }
    if lacks_length(&parts) {
        return Ok(errors::length_required().map(Body::whole));
    }
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Ok(errors::content_too_large().into_answer().map(Body::whole));
        }
        Err(_) => return Err(ConnectionReset),
    };
    if planes::is_control_path(parts.uri.path()) && !caller.peer.ip().is_loopback() {
        let mut refused = Response::new(Body::whole(Bytes::new()));
        *refused.status_mut() = StatusCode::FORBIDDEN;
        return Ok(refused);
    }
    let inner = Arc::clone(&emulator.inner);
    let call = tokio::spawn(async move { emulator.respond(Request::from_parts(parts, body)).await });
    match call.await {
        Ok(Ok(Answered::Whole(answer))) => Ok(answer.map(Body::whole)),
        Ok(Ok(Answered::Stream(answer, watch))) => Ok(answer.map(|_| stream::follow(inner, watch, stopped))),
        Ok(Err(ConnectionReset)) | Err(_) => Err(ConnectionReset),
    }
}

/// Whether a call does not say how long it is, as Azure's own servers want it for these methods even where there is nothing. The API
/// servers of clusters are others.
fn lacks_length(parts: &Parts) -> bool {
    let host = parts.uri.host().or_else(|| parts.headers.get(HOST)?.to_str().ok()).unwrap_or_default();
    matches!(parts.method, Method::POST | Method::PUT)
        && !parts.headers.contains_key(CONTENT_LENGTH)
        && !parts.headers.contains_key(TRANSFER_ENCODING)
        && !planes::is_control_path(parts.uri.path())
        && !planes::is_cluster_host(host)
}

/// Writes the whole URL into a request that came over TLS: URLs in its answer must begin alike.
fn say_so(parts: &mut Parts) {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if let Some(uri) = host.and_then(|host| format!("https://{host}{path}").parse::<Uri>().ok()) {
        parts.uri = uri;
    }
}
