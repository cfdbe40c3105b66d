//! Everything that exists: tenant, subscriptions, objects, secrets, what is soft-deleted, running operations.
//! Holds and undoes; the rules of each type stand in `planes`, the file in `store`.

mod audit;
mod blob;
mod cached;
mod directory;
mod event;
mod kube;
mod object;
mod operation;
pub(crate) mod principals;
mod secret;
pub(crate) mod store;
mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::grants::{self, Spreading};
use crate::clock::WorldTime;
use crate::dice::Dice;
pub(crate) use audit::Audit;
pub(crate) use blob::{Blob, Lease as BlobLease};
pub(crate) use cached::Cached;
pub(crate) use directory::{AppSecret, DirectoryEntry, DirectoryKind};
pub(crate) use event::{Event, EventBody, EventCaller};
pub(crate) use kube::{KubeCluster, KubeObject};
pub(crate) use object::{DeletedVault, DeletedWorkspace, Object, Settling, Subscription, set_state};
pub(crate) use operation::{Operation, Work};
pub(crate) use secret::{DeletedSecret, Secret, SecretValue, SecretVersion};
pub(crate) use table::{Rows, Table};

/// A right taken away from the signed-in principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// An action, with `*` for any run of characters, e.g. `Microsoft.KeyVault/vaults/write` or
    /// `*/delete`; case does not matter. Those of the directory are denied everywhere or not at all, e.g.
    /// `microsoft.directory/groups/members/update`.
    pub action: String,
    /// The scope at and below which it is denied, e.g. a resource group's id; `/` is everywhere.
    pub scope: String,
}

/// The principal that tokens are issued for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Caller {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) object_id: String,
    pub(crate) denied: Vec<Denial>,
}

/// One Azure: a tenant and what is in it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) tenant: String,
    /// The subscription to use when none is named.
    pub(crate) home: String,
    pub(crate) caller: Caller,
    /// Signs tokens and operation URLs.
    pub(crate) key: String,
    /// World time when it was last committed.
    pub(crate) now: WorldTime,
    /// Randomness of what exists: ids, durations.
    pub(crate) dice: Dice,
    /// Randomness of calls: request ids, latency, faults. Apart, so that a read changes no id.
    pub(crate) luck: Dice,
    pub(crate) subscriptions: Table<Subscription>,
    pub(crate) objects: Table<Object>,
    pub(crate) deleted_vaults: Table<DeletedVault>,
    pub(crate) operations: Table<Operation>,
    /// Soft-deleted workspaces by the key that they had.
    #[serde(default)]
    pub(crate) deleted_workspaces: Table<DeletedWorkspace>,
    /// Role assignments that have no effect yet, by the assignment's key.
    #[serde(default)]
    pub(crate) spreading: Table<Spreading>,
    /// Secrets of vaults, soft-deleted ones of both kinds too, by `vault/name` in lower case.
    #[serde(default)]
    pub(crate) secrets: Table<Secret>,
    /// What was written, newest first.
    #[serde(default)]
    pub(crate) activity: Table<Event>,
    /// What was changed in the directory, newest first.
    #[serde(default)]
    pub(crate) audits: Table<Audit>,
    /// Whether the owner's role assignments were made; a world of an older version has none.
    #[serde(default)]
    pub(crate) owned: bool,
    /// Users, groups, applications and service principals, by object id.
    #[serde(default)]
    pub(crate) directory: Table<DirectoryEntry>,
    /// The API servers of clusters, by the cluster's key.
    #[serde(default)]
    pub(crate) kube_clusters: Table<KubeCluster>,
    /// What is in them.
    #[serde(default)]
    pub(crate) kube_objects: Table<KubeObject>,
    /// Blobs of storage accounts, by account, container and name.
    #[serde(default)]
    pub(crate) blobs: Table<Blob>,
    #[serde(skip)]
    pub(crate) indexes: principals::Indexes,
}

/// What a call changed: rows by table and key, null for what is gone.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Changes {
    caller: Caller,
    now: WorldTime,
    dice: Dice,
    luck: Dice,
    owned: bool,
    tables: BTreeMap<String, Value>,
}

impl World {
    /// A new world with one empty subscription.
    pub(crate) fn new(seed: u64, now: WorldTime) -> Self {
        let mut dice = Dice::new(seed);
        let tenant = dice.guid();
        let subscription = dice.guid();
        let caller = Caller {
            client_id: dice.guid(),
            client_secret: format!("emu~{}", dice.hex(2)),
            object_id: dice.guid(),
            denied: Vec::new(),
        };
        let key = dice.hex(4);
        let mut world = Self {
            tenant,
            home: subscription.clone(),
            caller,
            key,
            now,
            dice,
            luck: Dice::new(seed ^ 0x6c75_636b),
            subscriptions: Table::default(),
            objects: Table::default(),
            deleted_vaults: Table::default(),
            operations: Table::default(),
            deleted_workspaces: Table::default(),
            spreading: Table::default(),
            secrets: Table::default(),
            activity: Table::default(),
            audits: Table::default(),
            owned: true,
            directory: Table::default(),
            kube_clusters: Table::default(),
            kube_objects: Table::default(),
            blobs: Table::default(),
            indexes: principals::Indexes::default(),
        };
        world.subscriptions.insert(
            subscription.clone(),
            Subscription { id: subscription.clone(), name: "Emulated subscription".to_owned() },
        );
        grants::own(&mut world, &subscription, now);
        world.accept();
        world.furnish();
        world
    }

    /// Gives a world what every world has and an older version did not know.
    pub(crate) fn furnish(&mut self) {
        self.furnish_directory();
        self.accept();
    }

    /// Whether anything changed since the last `accept` or `undo`.
    pub(crate) fn changed(&self) -> bool {
        self.tables().iter().any(|(_, table)| table.changed())
    }

    /// Keeps the changes.
    pub(crate) fn accept(&mut self) {
        self.tables_mut().into_iter().for_each(|(_, table)| table.accept());
    }

    /// Takes the changes back.
    pub(crate) fn undo(&mut self) {
        self.tables_mut().into_iter().for_each(|(_, table)| table.undo());
    }

    /// What changed since the last `accept` or `undo`, with all that a call may change beside the tables.
    pub(crate) fn changes(&self) -> serde_json::Result<Changes> {
        let changed = self.tables().into_iter().filter(|(_, table)| table.changed());
        let tables = changed.map(|(name, table)| Ok((name.to_owned(), table.rows_touched()?)));
        Ok(Changes {
            caller: self.caller.clone(),
            now: self.now,
            dice: self.dice,
            luck: self.luck,
            owned: self.owned,
            tables: tables.collect::<serde_json::Result<_>>()?,
        })
    }

    /// Does again what `changes` told of the world as it was then.
    pub(crate) fn replay(&mut self, mut changes: Changes) -> serde_json::Result<()> {
        for (name, table) in self.tables_mut() {
            if let Some(rows) = changes.tables.remove(name) {
                table.replay(rows)?;
            }
        }
        (self.caller, self.now, self.owned) = (changes.caller, changes.now, changes.owned);
        (self.dice, self.luck) = (changes.dice, changes.luck);
        Ok(())
    }

    fn tables(&self) -> [(&'static str, &dyn Rows); 13] {
        [
            ("subscriptions", &self.subscriptions),
            ("objects", &self.objects),
            ("deleted_vaults", &self.deleted_vaults),
            ("operations", &self.operations),
            ("deleted_workspaces", &self.deleted_workspaces),
            ("spreading", &self.spreading),
            ("secrets", &self.secrets),
            ("activity", &self.activity),
            ("audits", &self.audits),
            ("directory", &self.directory),
            ("kube_clusters", &self.kube_clusters),
            ("kube_objects", &self.kube_objects),
            ("blobs", &self.blobs),
        ]
    }

    fn tables_mut(&mut self) -> [(&'static str, &mut dyn Rows); 13] {
        [
            ("subscriptions", &mut self.subscriptions),
            ("objects", &mut self.objects),
            ("deleted_vaults", &mut self.deleted_vaults),
            ("operations", &mut self.operations),
            ("deleted_workspaces", &mut self.deleted_workspaces),
            ("spreading", &mut self.spreading),
            ("secrets", &mut self.secrets),
            ("activity", &mut self.activity),
            ("audits", &mut self.audits),
            ("directory", &mut self.directory),
            ("kube_clusters", &mut self.kube_clusters),
            ("kube_objects", &mut self.kube_objects),
            ("blobs", &mut self.blobs),
        ]
    }

    /// Removes an object and everything below it. The secrets of a vault stay: they go when it is purged.
    pub(crate) fn remove_tree(&mut self, key: &str) {
        for below in self.objects.keys_below(key) {
            self.objects.remove(&below);
        }
        self.objects.remove(key);
    }
}
