//! `CONNECT`: a client that sends everything through a proxy reaches Azure's own names here, without a resolver that lies to
//! it. No way leads out: a host that is not played is refused.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};

use super::stream::Body;
use crate::tls;

/// A way through a connection, once one was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Tunnel(Arc<Mutex<Option<OnUpgrade>>>);

impl Tunnel {
    /// Answers `CONNECT`; only this machine may go through.
    pub(super) fn dig(&self, mut request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let host = request.uri().host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if !peer.ip().is_loopback() || !tls::plays(&host) {
            return refused();
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(hyper::upgrade::on(&mut request));
        Response::new(Body::whole(Bytes::new()))
    }

    /// The other end, if there is a way.
    pub(super) async fn dug(self) -> Option<Upgraded> {
        let way = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        way?.await.ok()
    }
}

pub(super) fn refused() -> Response<Body> {
    let mut refused = Response::new(Body::whole(Bytes::new()));
    *refused.status_mut() = StatusCode::FORBIDDEN;
    refused
}
