//! The way from an engine to the emulator: it sees that each mutating request was announced and none sent too early, kills runs, and lets
//! one request have trouble. What the trouble is stands in `trouble`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use akson_applier::ledger::MemoryStore;
use akson_azure::{Cloud, Transport, TransportError};
use akson_catalog::{Catalog, SymbolicId};
use akson_emulator::Emulator;
use akson_planner::OwnedState;
use bytes::Bytes;
use http::{Method, Request, Response};
use tokio::sync::Notify;

use super::{
    Hand, Kill, Tamper, Trouble, World,
    patience::Patience,
    watch::{Watched, made_by_post, processed},
};

/// The way to the emulator. Each mutating request must have been announced when it arrives.
pub(super) struct Wire {
    emulator: Arc<Emulator>,
    store: MemoryStore,
    kill: Option<Kill>,
    sent: AtomicUsize,
    pub(super) killed: Notify,
    trouble: Option<(usize, Trouble)>,
    afterwards: Option<Hand>,
    tamper: Option<Tamper>,
    patience: Patience,
    pub(super) watched: Arc<Watched>,
    ours: Option<String>,
}

impl Wire {
    pub(super) fn new(world: &World, kill: Option<Kill>) -> Self {
        Self {
            emulator: Arc::clone(&world.emulator),
            store: world.store.clone(),
            kill,
            sent: AtomicUsize::new(0),
            killed: Notify::new(),
            trouble: world.trouble,
            afterwards: world.afterwards.clone(),
            tamper: world.tamper.clone(),
            patience: Patience::default(),
            watched: Arc::new(world.watch.run(world.sure)),
            ours: world.ours.clone(),
        }
    }

    /// What the durable ledger says of the object at a place: by what it is known as, or by the id it has or will have.
    fn announced(&self, host: &str, path: &str) -> Vec<(SymbolicId, OwnedState, bool)> {
        let Some(document) = self.store.document() else { return Vec::new() };
        if host.ends_with(Cloud::PUBLIC.cluster) {
            let states = document.entries.iter().filter(|(id, _)| in_cluster(id.as_str()).as_deref() == Some(path));
            return states.map(|(id, entry)| (id.clone(), entry.owned.state, false)).collect();
        }
        let unique = if host == Cloud::PUBLIC.graph { self.unique_name(path) } else { None };
        let path = match host.strip_suffix(Cloud::PUBLIC.vault) {
            // A version of a secret, or a deleted one: it is the secret that is announced.
            Some(vault) => {
                let name = path.split('/').nth(2).unwrap_or_default();
                format!("/vaults/{}/secrets/{name}", vault.trim_end_matches('.')).to_ascii_lowercase()
            }
            None => path.to_ascii_lowercase(),
        };
        let is_there = |(id, entry): &(&SymbolicId, &akson_applier::ledger::Entry)| {
            if host.ends_with(Cloud::PUBLIC.vault) {
                id.as_str().ends_with(&path)
            } else {
                let known = unique.as_ref().is_some_and(|name| id.as_str().ends_with(&format!(":{name}")));
                known || id.as_str() == path || entry.owned.id.eq_ignore_ascii_case(&path)
            }
        };
        let catalog = Catalog::builtin().unwrap();
        let resets = |kind: &str| catalog.get(kind).is_some_and(|kind| kind.reset.is_some());
        document
            .entries
            .iter()
            .filter(is_there)
            .map(|(id, entry)| (id.clone(), entry.owned.state, resets(&entry.owned.kind)))
            .collect()
    }

    /// What the object of a Graph path was announced as: Graph's own id of it is known only once it is made.
    fn unique_name(&self, path: &str) -> Option<String> {
        let object = path.split('/').nth(3)?;
        let directory = self.emulator.god().snapshot().directory;
        directory.get(object)?.get("uniqueName")?.as_str().map(str::to_owned)
    }

    async fn die(&self) -> ! {
        self.killed.notify_one();
        std::future::pending().await
    }
}

#[async_trait::async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let going = self.patience.sent(&request);
        let answer = self.pass(request).await?;
        self.patience.answered(going, &answer);
        Ok(answer)
    }
}

impl Wire {
    async fn pass(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let host = request.uri().host().unwrap().to_owned();
        assert!(is_azures(request.uri()), "{} was asked, which is none of Azure's hosts", request.uri());
        let (method, asked) = (request.method().clone(), request.uri().path().to_owned());
        let path = request.uri().path();
        let asks = request.method() == Method::GET
            || host == Cloud::PUBLIC.login
            || asks_in_batch(&request)
            || path.ends_with("/listClusterUserCredential");
        let mut flight = None;
        if !asks {
            // To take a member out of a group is to write the group.
            let deletes = request.method() == Method::DELETE && !path.ends_with("/$ref");
            let announced = self.announced(&host, path);
            let fits = |(_, state, resets): &(SymbolicId, OwnedState, bool)| match state {
                // What Azure always has is set back by a write where other things are deleted.
                OwnedState::IntentDelete => deletes || *resets,
                OwnedState::IntentWrite => !deletes,
                _ => false,
            };
            assert!(
                announced.iter().any(fits),
                "{} {} was not announced: {announced:?}",
                request.method(),
                request.uri()
            );
            let of: Vec<SymbolicId> = announced.iter().filter(|each| fits(each)).map(|(id, ..)| id.clone()).collect();
            let target = format!("{host}{}", path.to_ascii_lowercase());
            let document = self.store.document().expect("what is announced stands in it");
            flight = Some(self.watched.arrives(request.method(), &target, &of, &document));
        }
        if self.kill == Some(Kill::Before(number)) {
            self.die().await;
        }
        if self.kill == Some(Kill::OnItsWay(number)) {
            let emulator = Arc::clone(&self.emulator);
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_secs(15)).await;
                let _ = emulator.handle(request).await;
                drop(flight);
            });
            self.die().await;
        }
        let trouble = self.trouble.filter(|(at, _)| *at == number).map(|(_, trouble)| trouble);
        if let Some(instead) = trouble.and_then(|trouble| trouble.instead(&host)) {
            return instead;
        }
        if trouble.is_some_and(Trouble::never_arrives) {
            return Err(nobody_answers(host).await);
        }
        let writes = request.method() == Method::PUT;
        let before = (flight.is_some() && method == Method::POST).then(|| self.emulator.god().snapshot());
        let answer = self.emulator.handle(request).await;
        if flight.take().is_some() {
            processed(&self.emulator.god(), self.ours.as_deref(), self.store.document().as_ref());
        }
        if let Some(before) = before {
            made_by_post(&before, &self.emulator.god().snapshot()).unwrap_or_else(|why| panic!("{asked}: {why}"));
        }
        if trouble.is_some_and(Trouble::never_answers) {
            return Err(nobody_answers(host).await);
        }
        if let Some(afterwards) = self.afterwards.as_ref().filter(|_| writes) {
            afterwards(&self.emulator.god());
        }
        if self.kill == Some(Kill::After(number)) {
            self.die().await;
        }
        let reset = |_| TransportError::Broken { host: host.clone(), detail: "connection reset".to_owned() };
        let mut answer = answer.map_err(reset)?;
        if let Some(trouble) = trouble {
            trouble.spoil(&method, &host, &mut answer)?;
        }
        if let Some(tamper) = &self.tamper {
            tamper(&method, &asked, &mut answer);
        }
        Ok(answer)
    }
}

/// Where an object of a cluster is at its API server, as far as tests make such.
fn in_cluster(id: &str) -> Option<String> {
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    let (_, place) = id.split_once("/kubernetes.")?;
    let segments: Vec<&str> = place.split('/').collect();
    let (kind, namespace, name) = match segments.as_slice() {
        [kind, name] => (*kind, String::new(), *name),
        [_, namespace, kind, name] => (*kind, format!("/namespaces/{namespace}"), *name),
        _ => return None,
    };
    let (group, plural) = match kind {
        "namespace" => ("/api/v1", "namespaces"),
        "serviceaccount" => ("/api/v1", "serviceaccounts"),
        "secretproviderclass" => ("/apis/secrets-store.csi.x-k8s.io/v1", "secretproviderclasses"),
        "clusterrole" => (RBAC, "clusterroles"),
        "clusterrolebinding" => (RBAC, "clusterrolebindings"),
        "rolebinding" => (RBAC, "rolebindings"),
        _ => return None,
    };
    Some(format!("{group}{namespace}/{plural}/{name}"))
}

/// Whether a URL leads to one of the hosts that a run has any business with.
fn is_azures(uri: &http::Uri) -> bool {
    let (host, cloud) = (uri.host().unwrap_or_default(), Cloud::PUBLIC);
    let is_below = |suffix: &str| host.strip_suffix(suffix).is_some_and(|name| name.ends_with('.'));
    let known =
        [cloud.arm, cloud.login, cloud.graph].contains(&host) || is_below(cloud.vault) || is_below(cloud.cluster);
    let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    uri.scheme_str() == Some("https") && matches!(uri.port_u16(), None | Some(443)) && plain && known
}

/// Whether a request is a batch of reads.
fn asks_in_batch(request: &Request<Bytes>) -> bool {
    let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let inner = body["requests"].as_array();
    request.uri().path().ends_with("/$batch")
        && inner.is_some_and(|inner| inner.iter().all(|request| request["method"] == "GET"))
}

/// A transport waits so long, and no longer.
async fn nobody_answers(host: String) -> TransportError {
    const SECONDS: u64 = 20;
    tokio::time::sleep(std::time::Duration::from_secs(SECONDS)).await;
    TransportError::TimedOut { host, seconds: SECONDS }
}
