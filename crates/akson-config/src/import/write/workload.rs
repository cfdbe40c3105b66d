//! The syntax of a `workload` block of objects that are one. Not which they are: `workloads.rs`.

use akson_catalog::{Value, kind::Role};
use akson_parser::ast::{Block, Item};

use super::{
    super::workloads::{Access, Mount, Workload},
    Writer, literal,
};

impl Writer<'_> {
    /// The block, at the place of its account.
    pub(super) fn workload(&mut self, at: usize, workload: &Workload) -> Block {
        let make = self.make;
        let stack = self.stack;
        let mut body = Vec::new();
        let Some(account) = stack.things.get(at) else { return make.block("workload", None, body) };
        body.extend(self.refer(at, workload.cluster).map(|cluster| make.attribute("cluster", cluster)));
        let space = account.object.places.iter().map(|(_, name)| name.clone()).next().unwrap_or_default();
        let namespace = workload.namespace.and_then(|namespace| self.refer(at, namespace));
        body.push(make.attribute("namespace", namespace.unwrap_or_else(|| make.text(&space))));

        let name = account.object.name.clone();
        let more = self.said(workload.account, at, &["identity"]);
        if more.is_empty() {
            body.push(make.attribute("service_account", make.text(&name)));
        } else {
            let mut inner = vec![make.attribute("name", make.text(&name))];
            inner.extend(more);
            body.push(Item::Block(Box::new(make.block("service_account", None, inner))));
        }
        let usual = format!("{space}-{name}");
        if workload.own_identity {
            body.extend(self.identity(at, workload, &usual).map(|block| Item::Block(Box::new(block))));
        } else if let Some(identity) = self.refer(at, workload.identity) {
            body.push(make.attribute("identity", identity));
        }
        match workload.access {
            Access::Secrets => body.push(make.attribute("access", make.word("secret"))),
            Access::None if !workload.mounts.is_empty() => {
                body.push(make.attribute("grant", literal(make, &Value::None)));
            }
            Access::None | Access::Vaults => {}
        }
        let mut credential = self.other_name(workload.credential, &usual);
        credential.extend(self.said(workload.credential, at, &["issuer", "subject"]));
        if !credential.is_empty() {
            body.push(Item::Block(Box::new(make.block("federated_credential", None, credential))));
        }
        for mount in &workload.mounts {
            body.push(Item::Block(Box::new(self.mount(at, mount, workload.mounts.len() > 1))));
        }
        make.block("workload", Some(&account.label), body)
    }

    /// What a part says beside what follows from the block.
    fn said(&mut self, part: usize, at: usize, follows: &[&str]) -> Vec<Item> {
        let stack = self.stack;
        let Some(thing) = stack.things.get(part) else { return Vec::new() };
        let mut items = Vec::new();
        for attribute in thing.object.kind.attributes.values() {
            let own = thing.written.iter().filter(|written| written.name() == attribute.name);
            for written in own.filter(|written| !follows.contains(&written.name())) {
                items.push(self.item(at, attribute, written));
            }
        }
        items
    }

    /// A part's name, if it is another than the usual one.
    fn other_name(&self, part: usize, usual: &str) -> Vec<Item> {
        let name = self.stack.things.get(part).map(|thing| thing.object.name.as_str()).unwrap_or_default();
        let make = self.make;
        (name != usual).then(|| make.attribute("name", make.text(name))).into_iter().collect()
    }

    /// What the identity says of itself: its name, group and region where they are not the cluster's.
    fn identity(&mut self, at: usize, workload: &Workload, usual: &str) -> Option<Block> {
        let make = self.make;
        let stack = self.stack;
        let (identity, cluster) = (stack.things.get(workload.identity)?, stack.things.get(workload.cluster)?);
        let mut items = self.other_name(workload.identity, usual);
        if identity.parent != cluster.parent {
            let kind = identity.object.kind.clone();
            let parent = self.parent(at, identity, &kind)?;
            items.push(make.attribute(kind.parent.as_deref()?, parent));
        }
        let live = identity.region();
        let place = match (&cluster.location, cluster.existing) {
            // The block takes it from what the cluster's says.
            (Some(of_cluster), false) => live.filter(|live| live != of_cluster),
            _ => identity.location.clone(),
        };
        let located = identity.object.kind.attributes.values().find(|attribute| attribute.role == Role::Location);
        if let (Some(attribute), Some(place)) = (located, place) {
            items.push(make.attribute(&attribute.name, make.text(&place)));
        }
        items.extend(self.said(workload.identity, at, &[]));
        (!items.is_empty()).then(|| make.block("identity", None, items))
    }

    fn mount(&mut self, at: usize, mount: &Mount, labelled: bool) -> Block {
        let make = self.make;
        let stack = self.stack;
        let class = stack.things.get(mount.class).map(|class| class.object.name.as_str()).unwrap_or_default();
        let mut items = Vec::new();
        if !labelled {
            items.push(make.attribute("class", make.text(class)));
        }
        let mut secret = |secret: usize| self.refer(at, secret).unwrap_or_else(|| make.text(""));
        items.push(make.attribute("secrets", make.list(mount.secrets.iter().map(|of| secret(*of)).collect())));
        if !mount.sync.is_empty() {
            let mut copies = Vec::new();
            for (name, keys) in &mount.sync {
                let keys = keys.iter().map(|(key, of)| (key.as_str(), secret(*of))).collect();
                copies.push((name.as_str(), make.object(keys)));
            }
            items.push(make.attribute("sync", make.object(copies)));
        }
        if !mount.parameters.is_empty() {
            items.push(make.attribute("parameters", literal(make, &Value::Map(mount.parameters.clone()))));
        }
        make.block("mount", labelled.then_some(class), items)
    }
}
