//! One resource in every situation: what is declared, what the ledger has, what is live. From the abstract description to the
//! planner's three inputs.

use akson_catalog::{SymbolicId, marker::Mark};
use akson_planner::{
    Mode, Owned, OwnedEntry, OwnedState, PlanOptions,
    hashes::{observed_hash, sent_hash},
    place::symbolic,
};
use serde_json::{Value as Json, json};

use crate::{
    azure::World,
    declare::{Blocks, text},
};

/// What stands in for a kind of its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// An identity: marked by a tag, stateful.
    Tagged,
    /// A lock: marked in free text, not stateful.
    Text,
    /// A federated credential of an identity of ours.
    Child,
    /// A federated credential of a foreign identity.
    ForeignChild,
}

/// Whose mark is on the live object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    Ours,
    OtherStack,
    No,
    /// Our stack's mark, of another object.
    Copied,
}

/// What the ledger has. Values stand for what was sent and what was observed; none where nothing was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub state: OwnedState,
    pub values: Option<(u8, u8)>,
    pub protected: bool,
    pub keep: bool,
}

/// What is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    pub value: u8,
    pub marked: Marked,
    /// Whether an immutable attribute has another value than is declared.
    pub moved: bool,
}

/// What is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    pub value: u8,
    pub protect: bool,
    pub keep: bool,
    pub existing: bool,
}

/// All of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    pub class: Class,
    pub declared: Option<Declared>,
    pub entry: Option<Entry>,
    pub live: Option<Live>,
    /// Whether the identity that a child lies in has lost our mark.
    pub parent_unmarked: bool,
    pub destroy: bool,
    pub replace: bool,
}

/// The planner's inputs.
pub struct Inputs {
    pub world: World,
    pub blocks: Blocks,
    pub options: PlanOptions,
    pub subject: SymbolicId,
}

const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/app";
const IDENTITY: &str = "providers/Microsoft.ManagedIdentity/userAssignedIdentities";

impl Situation {
    pub fn address(&self) -> &'static str {
        match self.class {
            Class::Tagged => "identity.it",
            Class::Text => "lock.it",
            Class::Child | Class::ForeignChild => "federated_credential.it",
        }
    }

    pub fn id(&self) -> String {
        match self.class {
            Class::Tagged => format!("{GROUP}/{IDENTITY}/it"),
            Class::Text => format!("{GROUP}/providers/Microsoft.Authorization/locks/it"),
            Class::Child | Class::ForeignChild => format!("{GROUP}/{IDENTITY}/host/federatedIdentityCredentials/it"),
        }
    }

    pub fn inputs(&self) -> Inputs {
        let subject = symbolic(&self.id());
        let mut world = World::new();
        let mut blocks = self.surroundings();
        world.apply(&blocks.config);
        if self.class == Class::ForeignChild {
            world.azure.insert(&format!("{GROUP}/{IDENTITY}/host"), json!({"location": "westeurope"}));
            let group = blocks_group(&blocks);
            let host = blocks.block("identity", "host").set("name", text("host"));
            host.set("resource_group", group).existing().add();
        }
        if self.parent_unmarked && self.class == Class::Child {
            let host = symbolic(&format!("{GROUP}/{IDENTITY}/host"));
            world.azure.edit(&host, "/tags/akson", Json::Null);
        }
        if let Some(live) = self.live {
            world.azure.insert(&self.id(), self.body(live));
        }
        if let Some(entry) = self.entry {
            let entry = self.entry_of(entry);
            world.owned.entries.insert(subject.clone(), entry);
        }
        if let Some(declared) = self.declared {
            self.declare(&mut blocks, declared);
        }
        let mode = if self.destroy { Mode::Destroy } else { Mode::Apply };
        let replace = if self.replace && self.declared.is_some_and(|declared| !declared.existing) {
            vec![self.address().to_owned()]
        } else {
            Vec::new()
        };
        let options = PlanOptions { mode, replace, cloud: "emulator".to_owned(), ..PlanOptions::default() };
        // What it stands in is not what this is about.
        world.owned = Owned {
            entries: world
                .owned
                .entries
                .into_iter()
                .filter(|(id, _)| *id == subject || !self.destroy || self.is_parent(id))
                .collect(),
            known: true,
            ..Owned::default()
        };
        Inputs { world, blocks, options, subject }
    }

    fn is_parent(&self, id: &SymbolicId) -> bool {
        self.class == Class::Child && id.as_str().ends_with("/host")
    }

    fn surroundings(&self) -> Blocks {
        let mut blocks = Blocks::new();
        blocks.group("app").add();
        if self.class == Class::Child {
            blocks.identity("host", "app").add();
        }
        blocks
    }

    fn declare(&self, blocks: &mut Blocks, declared: Declared) {
        let value = format!("v{}", declared.value);
        let mut block = match self.class {
            Class::Tagged => blocks.identity("it", "app").tag("v", &value),
            Class::Text => blocks.lock("it", "resource_group.app").set("notes", text(&value)),
            Class::Child | Class::ForeignChild => blocks.credential("it", "host", &value),
        };
        block.protect = declared.protect;
        block.keep = declared.keep;
        block.existing = declared.existing;
        block.add();
    }

    fn body(&self, live: Live) -> Json {
        let value = format!("v{}", live.value);
        let (id, other) = (symbolic(&self.id()), SymbolicId::from_ledger("/somewhere/else"));
        let stack = Blocks::new().config.stack.id();
        let mark = match live.marked {
            Marked::Ours => Some(Mark::new(&stack, &id)),
            Marked::OtherStack => Some(Mark::new("6ba7b810-9dad-11d1-80b4-00c04fd430c8", &id)),
            Marked::Copied => Some(Mark::new(&stack, &other)),
            Marked::No => None,
        };
        match self.class {
            Class::Tagged => {
                let location = if live.moved { "northeurope" } else { "westeurope" };
                let mut body = json!({"location": location, "tags": {"v": value}});
                if let Some(mark) = mark {
                    body["tags"]["akson"] = json!(mark.to_string());
                }
                body
            }
            Class::Text => {
                let notes = mark.map_or(value.clone(), |mark| mark.append_to(&value));
                json!({"properties": {"level": "CanNotDelete", "notes": notes}})
            }
            Class::Child | Class::ForeignChild => json!({"properties": {
                "issuer": "https://issuer.example.com", "subject": value, "audiences": ["api://AzureADTokenExchange"],
            }}),
        }
    }

    /// The entry as an apply of the one value and an answer with the other would have left it.
    fn entry_of(&self, entry: Entry) -> OwnedEntry {
        let mut blocks = self.surroundings();
        if self.class == Class::ForeignChild {
            blocks.identity("host", "app").add();
        }
        let plain = |value| Declared { value, protect: false, keep: false, existing: false };
        self.declare(&mut blocks, plain(entry.values.map_or(0, |(sent, _)| sent)));
        let resource = blocks.resource(self.address());
        let mut recorded = OwnedEntry {
            id: self.id(),
            kind: resource.kind.keyword.clone(),
            resource_type: resource.kind.resource_type.clone(),
            api_version: resource.kind.api_version.clone(),
            state: entry.state,
            conflict_domain: resource.conflict_domain.clone(),
            protected: entry.protected,
            keep: entry.keep,
            address: self.address().to_owned(),
            dependencies: resource.dependencies.iter().map(|dependency| dependency.on.clone()).collect(),
            ..OwnedEntry::default()
        };
        if let Some((_, observed)) = entry.values {
            let body = self.body(Live { value: observed, marked: Marked::Ours, moved: false });
            for leaf in resource.leaves.iter().filter(|leaf| !leaf.on_create_only) {
                recorded.sent.insert(leaf.pointer.clone(), sent_hash(leaf).expect("no holes"));
                recorded.observed.insert(leaf.pointer.clone(), observed_hash(leaf, &body));
            }
        }
        recorded
    }
}

fn blocks_group(blocks: &Blocks) -> akson_catalog::Value {
    blocks.reference("resource_group.app")
}
