//! The emulator itself: opening a world, one call from arrival to answer, the commit before it. What
//! is answered stands in `planes`; this file knows no path.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use thiserror::Error;

use crate::access::grants;
use crate::clock::{Clock, WorldTime};
use crate::errors;
use crate::faults::{self, Effect, Faults, Spoil, Spoiled};
use crate::god::God;
use crate::log::{Log, RequestRecord};
use crate::options::{Options, Store};
use crate::planes::{self, Call, GraphIndex, Journal, Watch};
use crate::reply::{self, Answer};
use crate::seed::{self, SeedError};
use crate::throttle::Buckets;
use crate::tls::Authority;
use crate::visit::Visit;
use crate::world::store::{Disk, OpenError};
use crate::world::{Denial, World};

/// How long a call hangs before its connection is reset, in the caller's time.
const HANG: Duration = Duration::from_secs(600);

/// Where the authority's certificate is asked for.
const CA_PATH: &str = "/_emulator/ca.pem";

/// The connection was reset: the caller got no answer and cannot know whether the call was processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the connection was reset")]
pub struct ConnectionReset;

/// Who is signed in, and where: what a caller needs to get a token and to begin.
#[derive(Clone, PartialEq)]
pub struct SignedIn {
    /// The tenant's id, a GUID in lower case.
    pub tenant: String,
    /// The subscription to use when none is named.
    pub subscription: String,
    /// All subscriptions.
    pub subscriptions: Vec<String>,
    /// The client id of the signed-in principal.
    pub client_id: String,
    /// Its secret: a throw-away that only this world accepts.
    pub client_secret: String,
    /// Its object id.
    pub object_id: String,
    /// World seconds in one second of tokio's clock.
    pub time_scale: f64,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("tenant", &self.tenant)
            .field("subscription", &self.subscription)
            .field("client_id", &self.client_id)
            .field("object_id", &self.object_id)
            .finish_non_exhaustive()
    }
}

/// An Azure of its own.
#[derive(Debug)]
pub struct Emulator {
    pub(crate) inner: Arc<Inner>,
}

/// What an emulator, its god view and its calls share.
#[derive(Debug)]
pub(crate) struct Inner {
    options: Options,
    /// Vouches for every host that is played, clusters included.
    pub(crate) authority: Arc<Authority>,
    clock: Clock,
    state: Mutex<State>,
}

/// Everything that changes.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    disk: Option<Disk>,
    pub(crate) buckets: Buckets,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    /// Until when something is being written to, by key.
    pub(crate) occupied: BTreeMap<String, WorldTime>,
    /// What changed in clusters lately, for those who watch.
    pub(crate) journal: Journal,
    /// What Azure Resource Graph knows; not kept.
    pub(crate) index: Option<GraphIndex>,
}

/// What a call comes to.
#[derive(Debug)]
pub(crate) enum Answered {
    Whole(Answer),
    /// A head, and the events that will follow.
    Stream(Answer, Box<Watch>),
}

/// A call that has arrived.
struct Arrival {
    number: usize,
    latency: Duration,
    spoiled: Spoiled,
}

impl Emulator {
    /// Opens a world, or makes a new one where there is none.
    ///
    /// # Errors
    ///
    /// [`OpenError`], if the folder cannot be used, is in use by another process, or holds a world
    /// that is broken or of a newer version. Nothing is changed then.
    pub fn open(options: Options) -> Result<Arc<Self>, OpenError> {
        let (disk, world) = match &options.store {
            Store::Memory => (None, World::new(options.seed, WorldTime::EPOCH)),
            Store::Directory(folder) => {
                let (mut disk, world) = Disk::open(folder)?;
                let world = if let Some(mut world) = world {
                    grants::own_old_world(&mut world);
                    world.accept();
                    world.furnish();
                    world
                } else {
                    let world = World::new(options.seed, WorldTime::of_the_computer());
                    disk.commit(&world).map_err(|source| OpenError::Io { path: folder.clone(), source })?;
                    world
                };
                (Some(disk), world)
            }
        };
        let authority = Arc::new(Authority::open(&options.store)?);
        let scale = if options.time_scale.is_finite() && options.time_scale > 0.0 { options.time_scale } else { 1.0 };
        let state = State {
            disk,
            buckets: Buckets::default(),
            faults: Faults::new(options.faults.clone()),
            log: Log::default(),
            occupied: BTreeMap::new(),
            index: None,
            journal: Journal::default(),
            world,
        };
        let clock = Clock::starting_at(state.world.now, scale);
        Ok(Arc::new(Self { inner: Arc::new(Inner { options, authority, clock, state: Mutex::new(state) }) }))
    }

    /// Answers one call. A watch of a cluster ends with its first events, or when its time is up; over HTTP it goes on.
    ///
    /// Dropping the future before it is done is a caller that dies: the call is then
    /// processed as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`ConnectionReset`], if a fault resets the connection, before or after processing.
    pub async fn handle(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ConnectionReset> {
        match self.respond(request).await? {
            Answered::Whole(answer) => Ok(answer),
            Answered::Stream(mut answer, mut watch) => {
                *answer.body_mut() = self.inner.next_events(&mut watch).await.unwrap_or_default();
                Ok(answer)
            }
        }
    }

    /// Answers one call as [`Emulator::handle`] does, but leaves it to the caller to follow a stream of events.
    pub(crate) async fn respond(&self, request: Request<Bytes>) -> Result<Answered, ConnectionReset> {
        let visit = Visit::new(request);
        if planes::is_control(&visit) && visit.method == Method::GET && visit.path == CA_PATH {
            // Whoever may speak to us without TLS may learn whom to trust with it.
            let pem = Bytes::from(self.ca_pem());
            return Ok(Answered::Whole(reply::typed(StatusCode::OK, "application/pem-certificate-chain", pem)));
        }
        let Arrival { number, latency, spoiled } = self.inner.arrive(&visit);
        // A quarter of the time is the way there, so that a caller can die before and after.
        let way = latency / 4;
        self.inner.pause(way + spoiled.before.latency).await;
        if let Some(answer) = self.inner.spoil(&spoiled.before).await {
            return answer.map(Answered::Whole);
        }
        let mut answer = self.inner.process(&visit, number, latency.saturating_sub(way), &spoiled);
        self.inner.pause(latency.saturating_sub(way) + spoiled.after.latency).await;
        if reply::is_reset(&answer) {
            return Err(ConnectionReset);
        }
        if let Some(spoiled) = self.inner.spoil(&spoiled.after).await {
            return spoiled.map(Answered::Whole);
        }
        Ok(match answer.extensions_mut().remove::<Watch>() {
            Some(watch) => Answered::Stream(answer, Box::new(watch)),
            None => Answered::Whole(answer),
        })
    }

    /// Who is signed in.
    pub fn identity(&self) -> SignedIn {
        let state = self.inner.lock();
        signed_in(&state.world, self.inner.clock.scale())
    }

    /// The certificate, in PEM, of the authority that vouches for every host that is played, clusters included. It
    /// lasts as long as the world.
    pub fn ca_pem(&self) -> String {
        self.inner.authority.pem().to_owned()
    }

    /// A view from outside, for tests. It keeps the world open, and locked on disk, for as long as it
    /// lives.
    pub fn god(&self) -> God {
        God::new(Arc::clone(&self.inner))
    }

    /// Puts raw objects of ARM, the directory, vaults and clusters into the world, over what is there. Whatever they
    /// refer to and is not there is made up: subscriptions (which the signed-in principal then owns),
    /// resource groups, parents, resources named in their properties, users that are members by their
    /// principal name. Users, groups, applications and service principals are recognised by `@odata.type`
    /// or by their properties; a group can have `members` and `owners`, an application
    /// `federatedIdentityCredentials`. Role assignments among them have effect at once. A secret has the
    /// id that its vault gives it and can have a `value`; an object of Kubernetes has `apiVersion`, `kind` and `metadata`,
    /// and `cluster` for the id or name of its cluster where there are several.
    ///
    /// # Errors
    ///
    /// [`SeedError`], if an object has no id or one of no service that is played, lies in a vault or cluster that is not
    /// there, or if the world cannot be stored. Nothing is changed then.
    pub fn seed(&self, objects: Vec<Value>) -> Result<(), SeedError> {
        self.inner.change(|world, now| seed::put_all(world, objects, now))?.map_err(SeedError::Store)
    }
}

pub(crate) fn signed_in(world: &World, time_scale: f64) -> SignedIn {
    let subscriptions: Vec<String> = world.subscriptions.iter().map(|(_, row)| row.id.clone()).collect();
    SignedIn {
        tenant: world.tenant.clone(),
        subscription: world.home.clone(),
        subscriptions,
        client_id: world.caller.client_id.clone(),
        client_secret: world.caller.client_secret.clone(),
        object_id: world.caller.object_id.clone(),
        time_scale,
    }
}

impl Inner {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| {
            // A panic under the lock is a bug of ours. The call it struck was not answered: it never was.
            let mut state = poisoned.into_inner();
            state.world.undo();
            self.state.clear_poison();
            state
        })
    }

    pub(crate) fn now(&self) -> WorldTime {
        self.clock.now()
    }

    /// Notes the call and decides what will happen to it.
    fn arrive(&self, visit: &Visit) -> Arrival {
        let mut state = self.lock();
        let State { world, faults, log, .. } = &mut *state;
        let record = RequestRecord {
            method: visit.method.to_string(),
            host: visit.host.clone(),
            path: visit.path_and_query(),
            arrived: self.clock.now(),
            processed: false,
            status: None,
        };
        if planes::is_control(visit) {
            return Arrival { number: usize::MAX, latency: Duration::ZERO, spoiled: Spoiled::default() };
        }
        Arrival {
            number: log.arrived(record),
            latency: self.options.latency.draw(&visit.method, &visit.path, &mut world.luck),
            spoiled: faults.strike(visit, &mut world.luck),
        }
    }

    /// Does what the call asks for, and commits the world before it lets go of the answer.
    fn process(&self, visit: &Visit, number: usize, work: Duration, spoiled: &Spoiled) -> Answer {
        let mut state = self.lock();
        let now = self.clock.now();
        planes::settle(&mut state.world, now);
        if let Some(doing) = &spoiled.before.background {
            planes::work_in_background(&mut state.world, &visit.path, doing, now);
        }
        let answer = planes::answer(&mut Call {
            state: &mut state,
            visit,
            now,
            work,
            options: &self.options,
            authority: &self.authority,
            time_scale: self.clock.scale(),
            bearer: None,
        });
        if let Some(doing) = &spoiled.after.background {
            planes::work_in_background(&mut state.world, &visit.path, doing, now);
        }
        let answer = match state.commit(now) {
            Ok(()) => answer,
            Err(error) => errors::not_stored(&error.to_string()).into_answer(),
        };
        let answer = planes::with_usual_headers(answer, visit, &mut state.world, now, self.clock.scale());
        if !reply::is_reset(&answer) {
            state.log.answered(number, answer.status().as_u16());
        }
        answer
    }

    /// Changes the world as nobody in particular: all or nothing.
    pub(crate) fn change<T, E>(
        &self,
        change: impl FnOnce(&mut World, WorldTime) -> Result<T, E>,
    ) -> Result<Result<T, std::io::Error>, E> {
        let mut state = self.lock();
        let now = self.clock.now();
        planes::settle(&mut state.world, now);
        match change(&mut state.world, now) {
            Ok(value) => Ok(state.commit(now).map(|()| value)),
            Err(error) => {
                state.world.undo();
                Err(error)
            }
        }
    }

    /// A token for a principal, as if it had signed in.
    pub(crate) fn token(&self, who: (&str, Option<&str>), audience: &str) -> Option<String> {
        let state = self.lock();
        planes::token_for(&state.world, who, audience, self.clock.now(), self.clock.scale(), &self.options)
    }

    /// What a fault makes of a call in one phase: `None` lets it go on.
    async fn spoil(&self, spoil: &Spoil) -> Option<Result<Answer, ConnectionReset>> {
        match spoil.effect.as_ref()? {
            Effect::Latency { .. } | Effect::Background { .. } => None,
            Effect::Status { status, retry_after, html } => {
                Some(Ok(faults::answer(*status, retry_after, *html, self.clock.now())))
            }
            Effect::Reset => Some(Err(ConnectionReset)),
            Effect::Hang => {
                tokio::time::sleep(HANG).await;
                Some(Err(ConnectionReset))
            }
        }
    }

    /// Lets world time pass.
    async fn pause(&self, world_time: Duration) {
        if !world_time.is_zero() {
            tokio::time::sleep(self.clock.real(world_time)).await;
        }
    }
}

impl State {
    /// Replaces the rights that are taken away; all or nothing.
    pub(crate) fn deny(&mut self, denied: Vec<Denial>, now: WorldTime) -> std::io::Result<()> {
        let before = std::mem::replace(&mut self.world.caller.denied, denied);
        self.world.now = now;
        if let Some(disk) = &mut self.disk
            && let Err(error) = disk.commit(&self.world)
        {
            self.world.caller.denied = before;
            return Err(error);
        }
        Ok(())
    }

    /// Makes the changes durable, or takes them back.
    pub(crate) fn commit(&mut self, now: WorldTime) -> std::io::Result<()> {
        if !self.world.changed() {
            return Ok(());
        }
        self.world.now = now;
        if let Some(disk) = &mut self.disk
            && let Err(error) = disk.commit(&self.world)
        {
            self.world.undo();
            return Err(error);
        }
        self.journal.note(&self.world);
        self.world.accept();
        Ok(())
    }
}
