//! The world seen and touched from outside: what tests compare with, and a third party that changes
//! things behind everybody's back. Not a way for clients; those make calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::clock::WorldTime;
use crate::emulator::Inner;
use crate::faults::{FaultRule, Faults};
use crate::log::RequestRecord;
use crate::planes;
use crate::seed::{self, SeedError};
use crate::world::{DeletedVault, Denial, World};

/// A view of a world, and hands in it.
#[derive(Clone, Debug)]
pub struct God {
    inner: Arc<Inner>,
}

/// A world at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// The moment.
    pub world_time: WorldTime,
    /// Every live object as a GET would answer it, resource groups among them, by its id in lower case.
    /// Secrets are among them without their values.
    pub objects: BTreeMap<String, Value>,
    /// Soft-deleted vaults as their GET would answer them, by vault name in lower case.
    pub deleted_vaults: BTreeMap<String, Value>,
    /// Every object of the directory, soft-deleted ones among them, as Graph would show it with all its
    /// properties, members and owners; by object id.
    pub directory: BTreeMap<String, Value>,
    /// Every object of every cluster: by the cluster's id in lower case, two slashes,
    /// `{plural}.{group}/{namespace or -}/{name}`.
    pub kubernetes: BTreeMap<String, Value>,
    /// Operations that have not ended.
    pub operations: Vec<RunningOperation>,
    /// The calls since the emulator was opened or the log cleared, oldest first.
    pub requests: Vec<RequestRecord>,
}

/// An operation that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunningOperation {
    /// The id of what it works on.
    pub target: String,
    /// Since when.
    pub started: WorldTime,
    /// Until when.
    pub ends: WorldTime,
}

impl God {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Everything, consistent.
    pub fn snapshot(&self) -> Snapshot {
        let mut state = self.inner.lock();
        let now = self.inner.now();
        settle(&mut state, now);
        let requests = state.log.all();
        look(&state.world, requests, now)
    }

    /// One live object as a GET would answer it; case of the id does not matter.
    pub fn object(&self, id: &str) -> Option<Value> {
        let mut state = self.inner.lock();
        let now = self.inner.now();
        settle(&mut state, now);
        let key = id.to_ascii_lowercase();
        let Some(object) = state.world.objects.get(&key) else {
            return planes::secret::shown(&state.world, &key, now).map(Value::Object);
        };
        Some(Value::Object(object.view(now).into_owned()))
    }

    /// The ids of all live objects, in lower case, sorted.
    pub fn ids(&self) -> Vec<String> {
        let mut state = self.inner.lock();
        let now = self.inner.now();
        settle(&mut state, now);
        let objects = state.world.objects.iter().map(|(id, _)| id.to_owned());
        let mut ids: Vec<String> = objects.chain(planes::secret::all(&state.world, now).map(|(id, _)| id)).collect();
        ids.sort();
        ids
    }

    /// The calls so far, oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.inner.lock().log.all()
    }

    /// Forgets the calls so far.
    pub fn clear_request_log(&self) {
        self.inner.lock().log.clear();
    }

    /// Replaces all fault rules; their counts start again.
    pub fn set_faults(&self, rules: Vec<FaultRule>) {
        self.inner.lock().faults = Faults::new(rules);
    }

    /// Replaces the rights that are taken away from the signed-in principal.
    ///
    /// # Errors
    ///
    /// [`SeedError::Store`], if the world cannot be stored.
    pub fn set_denied_actions(&self, denied: Vec<Denial>) -> Result<(), SeedError> {
        self.inner.deny(denied).map_err(SeedError::Store)
    }

    /// A token for any user, service principal or managed identity, as if it had signed in; `None` if
    /// there is no such principal or no such audience (e.g. `https://graph.microsoft.com`).
    pub fn token(&self, object_id: &str, audience: &str) -> Option<String> {
        self.inner.token((object_id, None), audience)
    }

    /// The same for a user who signed in through this application, by its client id: the portal's, for one. Of what is no user the
    /// application is known.
    pub fn token_through(&self, object_id: &str, application: &str, audience: &str) -> Option<String> {
        self.inner.token((object_id, Some(application)), audience)
    }

    /// Writes into the activity log that somebody wrote or deleted what was changed from outside, through an application by its
    /// client id; it can be found at once.
    ///
    /// # Errors
    ///
    /// [`SeedError::Store`], if the world cannot be stored.
    pub fn blame(&self, object_id: &str, application: &str, id: &str, deletes: bool) -> Result<(), SeedError> {
        let deed = planes::Outside { object_id, application, id, deletes };
        let change = |world: &mut World, now| -> Result<(), SeedError> {
            planes::note_deed_of(world, &deed, now);
            Ok(())
        };
        self.inner.change(change)?.map_err(SeedError::Store)
    }

    /// Puts an object into the world, over what is there; `body` is as for [`crate::Emulator::seed`]
    /// and needs no `id`.
    ///
    /// # Errors
    ///
    /// As for [`crate::Emulator::seed`].
    pub fn put_object(&self, id: &str, body: Value) -> Result<(), SeedError> {
        let Value::Object(mut body) = body else { return Err(SeedError::NotAnObject { index: 0 }) };
        body.insert("id".to_owned(), id.into());
        let objects = vec![Value::Object(body)];
        self.inner.change(|world, now| seed::put_all(world, objects, now))?.map_err(SeedError::Store)
    }

    /// Removes an object and everything below it at once: no lock, no soft delete, no operation.
    /// `false` if there is none.
    ///
    /// # Errors
    ///
    /// [`SeedError::Store`], if the world cannot be stored.
    pub fn delete_object(&self, id: &str) -> Result<bool, SeedError> {
        let key = id.to_ascii_lowercase();
        let change = |world: &mut World, now| -> Result<bool, SeedError> {
            if planes::secret::remove(world, &key) {
                return Ok(true);
            }
            let known = world.objects.contains(&key);
            planes::forget(world, &key, now);
            Ok(known)
        };
        self.inner.change(change)?.map_err(SeedError::Store)
    }

    /// Changes the body of an object as a third party would; no rule is checked. `false` if there is
    /// no such object.
    ///
    /// # Errors
    ///
    /// [`SeedError::NotAnObject`], if the change leaves no JSON object; [`SeedError::Store`], if the
    /// world cannot be stored.
    pub fn edit(&self, id: &str, change: impl FnOnce(&mut Value)) -> Result<bool, SeedError> {
        let key = id.to_ascii_lowercase();
        let change = |world: &mut World, now| {
            let Some(object) = world.objects.get(&key) else { return Ok(false) };
            let mut body = Value::Object(object.body.clone());
            change(&mut body);
            let Value::Object(body) = body else { return Err(SeedError::NotAnObject { index: 0 }) };
            world.objects.edit(&key, |object| {
                object.body = body;
                object.changed = now;
            });
            Ok(true)
        };
        self.inner.change(change)?.map_err(SeedError::Store)
    }
}

/// Applies what has ended; a world that cannot be stored shows what was before.
fn settle(state: &mut crate::emulator::State, now: WorldTime) {
    planes::settle(&mut state.world, now);
    let _ = state.commit(now);
}

/// A snapshot of a world.
pub(crate) fn look(world: &World, requests: Vec<RequestRecord>, now: WorldTime) -> Snapshot {
    let shown = |body: &Map<String, Value>| Value::Object(body.clone());
    Snapshot {
        world_time: now,
        objects: world
            .objects
            .iter()
            .map(|(key, object)| (key.to_owned(), shown(&object.view(now))))
            .chain(planes::secret::all(world, now).map(|(key, body)| (key, Value::Object(body))))
            .collect(),
        deleted_vaults: world.deleted_vaults.iter().map(|(name, vault)| (name.to_owned(), vault.body())).collect(),
        directory: planes::everything_in_directory(world).into_iter().collect(),
        kubernetes: planes::everything_in_clusters(world).collect(),
        operations: world
            .operations
            .iter()
            .filter(|(_, operation)| !operation.done)
            .map(|(_, operation)| RunningOperation {
                target: operation.target.clone(),
                started: operation.started,
                ends: operation.ends,
            })
            .collect(),
        requests,
    }
}

impl DeletedVault {
    /// What a GET of the deleted vault answers (recorded).
    pub(crate) fn body(&self) -> Value {
        let (name, location) = (self.object.text("name"), self.object.text("location"));
        let tags = self.object.body.get("tags").cloned().unwrap_or_else(|| json!({}));
        let mut properties = json!({
            "vaultId": self.object.id(),
            "location": location,
            "tags": tags,
            "deletionDate": self.deleted.to_seconds(),
            "scheduledPurgeDate": self.purge.to_seconds(),
        });
        if self.purge_protected() {
            properties["purgeProtectionEnabled"] = true.into();
        }
        json!({
            "id": format!(
                "/subscriptions/{}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{name}",
                self.subscription
            ),
            "name": name,
            "type": "Microsoft.KeyVault/deletedVaults",
            "properties": properties,
        })
    }
}

impl Inner {
    /// Replaces the rights that are taken away; all or nothing.
    pub(crate) fn deny(&self, denied: Vec<Denial>) -> std::io::Result<()> {
        let mut state = self.lock();
        let now = self.now();
        state.deny(denied, now)
    }
}
