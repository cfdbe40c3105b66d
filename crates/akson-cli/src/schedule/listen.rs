//! `/metrics`, `/healthz` and `/readyz` over HTTP. It answers what is asked and does nothing: no path changes anything, and there is no
//! secret behind any.

use std::{convert::Infallible, sync::Arc, time::Duration};

use akson_applier::Cancel;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::board::Board;

/// Connections at once; further ones wait.
const MOST: usize = 32;
/// How long a caller may take for its request, and altogether.
const HEAD: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);
/// How long to wait after a failed accept, e.g. when file descriptors have run out.
const BREATH: Duration = Duration::from_millis(50);

/// Serves until it is stopped.
pub(super) async fn serve(listener: TcpListener, board: Arc<Board>, cancel: Cancel) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = cancel.stopped() => return,
            accepted = listener.accept(), if connections.len() < MOST => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(tokio::time::timeout(WHOLE, answer(stream, Arc::clone(&board))));
                }
                Err(_) => tokio::time::sleep(BREATH).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn answer(stream: TcpStream, board: Arc<Board>) {
    let service = service_fn(move |request| {
        let response = respond(&request, &board);
        async move { Ok::<_, Infallible>(response) }
    });
    // Whoever goes away in the middle is its own affair. One request a connection: a scrape a quarter of a minute needs no more.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn respond(request: &Request<Incoming>, board: &Board) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
    }
    match request.uri().path() {
        "/metrics" => {
            let mut response = plain(StatusCode::OK, board.with(|metrics| metrics.text()));
            let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        "/readyz" if !board.is_ready() => {
            plain(StatusCode::SERVICE_UNAVAILABLE, "no look has seen everything yet\n".to_owned())
        }
        "/healthz" | "/readyz" => healthy(board),
        _ => plain(StatusCode::NOT_FOUND, "/metrics, /healthz, /readyz\n".to_owned()),
    }
}

fn healthy(board: &Board) -> Response<Full<Bytes>> {
    match board.health() {
        Ok(()) => plain(StatusCode::OK, "ok\n".to_owned()),
        Err(since) => {
            plain(StatusCode::SERVICE_UNAVAILABLE, format!("no look has seen everything for {} s\n", since.as_secs()))
        }
    }
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
