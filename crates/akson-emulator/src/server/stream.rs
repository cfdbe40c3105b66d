//! Bodies of answers: in one piece, or in pieces as they come.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as HyperBody, Frame, SizeHint};
use tokio::sync::{mpsc, watch};

use crate::emulator::Inner;
use crate::planes::Watch;

/// Pieces that wait for a caller that does not read.
const MOST_WAITING: usize = 16;

/// The body of an answer.
pub(super) enum Body {
    Whole(Full<Bytes>),
    Pieces(mpsc::Receiver<Bytes>),
}

impl Body {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }
}

impl HyperBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context),
            Self::Pieces(pieces) => pieces.poll_recv(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Pieces(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Pieces(_) => SizeHint::default(),
        }
    }
}

/// The events of a watch as they come, until it ends, its caller goes away or the server stops.
pub(super) fn follow(inner: Arc<Inner>, mut watch: Box<Watch>, mut stopped: watch::Receiver<bool>) -> Body {
    let (send, pieces) = mpsc::channel(MOST_WAITING);
    tokio::spawn(async move {
        loop {
            let events = tokio::select! {
                events = inner.next_events(&mut watch) => events,
                () = send.closed() => None,
                _ = stopped.wait_for(|stop| *stop) => None,
            };
            let Some(events) = events else { return };
            if send.send(events).await.is_err() {
                return;
            }
        }
    });
    Body::Pieces(pieces)
}
