//! The namespaces that workloads bring along: those that no block declares. They are looked for when everything else is evaluated, so that the order of
//! blocks does not matter. Not the other parts: `workload.rs`.

use std::{collections::HashSet, sync::Arc};

use akson_catalog::{ArmId, SymbolicId};
use akson_parser::ast::Block;

use super::{Part, Place, make::Make};
use crate::{
    eval::{Evaluator, Scope},
    model::Stack,
    val::Pointed,
};

/// Namespaces that every cluster has: nobody brings them.
pub(crate) const EVERYWHERE: &[&str] = &["default", "kube-system", "kube-public", "kube-node-lease"];

/// The kind of what is brought.
const KIND: &str = "namespace";

/// A namespace that an instance of a workload lies in, and that it names by a text.
pub(crate) struct Named {
    /// The workload's place among the declared blocks.
    pub at: usize,
    /// The workload's key.
    pub key: Option<Arc<str>>,
    pub cluster: Arc<Pointed>,
    pub namespace: Arc<str>,
}

impl Evaluator<'_> {
    /// Makes the namespaces that workloads need and no block declares: each once, by the first workload that lies in it.
    pub(crate) fn namespaces(&mut self, stack: &Stack) {
        let mut named = std::mem::take(&mut self.named);
        named.sort_by_key(|named| named.at);
        if named.is_empty() || self.catalog.get(KIND).is_none() {
            return;
        }
        let mut there: HashSet<SymbolicId> =
            self.instances.iter().map(|instance| instance.symbolic_id().clone()).collect();
        let homes: HashSet<String> =
            there.iter().filter_map(|id| id.as_str().rsplitn(3, '/').nth(2).map(str::to_owned)).collect();
        for Named { at, key, cluster, namespace } in named {
            let Some(declared) = self.names.resources.get(at) else { continue };
            let make = Make { span: declared.block.header };
            let id = format!("{}/kubernetes.namespace/{namespace}", cluster.reference.symbolic_id);
            let id = SymbolicId::of_arm(&ArmId::new(id));
            // Without anything in it, what is wrong with the workload was said.
            if EVERYWHERE.contains(&&*namespace) || !homes.contains(id.as_str()) || !there.insert(id) {
                continue;
            }
            let block = block(make, &cluster, &namespace);
            let place = Place { at, name: declared.name, key: key.as_ref() };
            let part = Part { name: KIND, key: None, block: block.clone() };
            self.part(&place, &part, None, &Scope::default(), stack);
            if let Some(expansion) = self.expansions.iter_mut().find(|expansion| expansion.at == at) {
                expansion.namespaces.push((namespace.to_string(), block));
            }
        }
        self.sink.address = None;
    }
}

/// What an author would write. It stays when the workload goes: others may have come to live in it.
fn block(make: Make, cluster: &Pointed, namespace: &str) -> Block {
    let body = vec![
        make.attribute("cluster", make.address(&cluster.reference.address)),
        make.attribute("name", make.text(namespace)),
        make.attribute("on_remove", make.word("keep")),
    ];
    make.block(KIND, None, body)
}
