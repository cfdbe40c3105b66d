//! Whether a run leaves a service alone for as long as that asked to be: after a 429 or 503 with `Retry-After` nothing that is limited
//! together with it may be sent before. Of what was under way already nothing is said.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use akson_azure::{Answer, Audience, Cloud, Lane, LaneKind};
use bytes::Bytes;
use http::{Method, Request, Response};
use tokio::time::Instant;

/// What one run was told.
#[derive(Default)]
pub(crate) struct Patience {
    closed: Mutex<BTreeMap<Place, Instant>>,
}

/// What is limited together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    SignIn,
    Lane(Lane),
}

impl Place {
    /// Where a request goes: to what its service counts with it, and below ARM's host to what ARM does.
    fn all_of(request: &Request<Bytes>) -> Vec<Self> {
        let host = request.uri().host().unwrap_or_default();
        let verb = match *request.method() {
            Method::GET => LaneKind::Read,
            Method::DELETE => LaneKind::Delete,
            _ => LaneKind::Write,
        };
        if host == Cloud::PUBLIC.login {
            return vec![Self::SignIn];
        }
        let lane = match Cloud::PUBLIC.audience_of(request.uri()) {
            Some(Audience::Arm) => Lane::of_path(request.uri().path(), verb),
            Some(other) => Lane::beside(other, verb),
            None => Lane::beside(Audience::Cluster, verb),
        };
        [Some(lane.own()), lane.gateway()].into_iter().flatten().map(Self::Lane).collect()
    }
}

/// A request on its way: where it goes.
pub(crate) struct Going(Vec<Place>);

impl Patience {
    /// A request is sent now.
    ///
    /// # Panics
    /// If it should have waited.
    pub(crate) fn sent(&self, request: &Request<Bytes>) -> Going {
        let places = Place::all_of(request);
        let (now, closed) = (Instant::now(), self.closed.lock().unwrap_or_else(PoisonError::into_inner));
        let early = places.iter().filter_map(|place| closed.get(place)).map(|until| until.duration_since(now)).max();
        let early = early.unwrap_or_default();
        assert!(early.is_zero(), "{} {} was sent {early:?} too early", request.method(), request.uri());
        Going(places)
    }

    /// It was answered so.
    pub(crate) fn answered(&self, going: Going, response: &Response<Bytes>) {
        if !matches!(response.status().as_u16(), 429 | 503) {
            return;
        }
        let answer = Answer::of(response.clone());
        let Some(wait) = answer.retry_after() else { return };
        let by_gateway = answer.status.as_u16() == 429 && answer.error().says("SubscriptionRequestsThrottled");
        let mut places = going.0.into_iter();
        let place = if by_gateway { places.next_back() } else { places.next() };
        if let Some(place) = place {
            let until = Instant::now() + wait;
            let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
            let known = closed.entry(place).or_insert(until);
            *known = until.max(*known);
        }
    }
}
