//! What plans of a changed configuration would ask for: lists around what this one asked. Nothing of it is needed for the plan at hand.

use akson_catalog::{
    ArmId, Catalog, Kind, SymbolicId, Type,
    kind::{ListScope, Plane},
};
use akson_config::Config;

use super::{Claim, Read, Reads, Wanted, list, subscription_id, wanted};
use crate::{At, Owned, Snapshot, options::PlanOptions, reads::ReadTarget};

/// Lists of every kind in the stack's subscriptions and in each of its resources that is there, of names that deleted objects hold, of what is in
/// its clusters, and the sets of edges of its objects. Without those that `snapshot` has already.
pub fn around(
    config: &Config,
    owned: &Owned,
    catalog: &Catalog,
    options: &PlanOptions,
    snapshot: &Snapshot,
) -> Vec<Read> {
    let wanted = wanted(config, owned, catalog, options);
    let mut reads = Reads::default();
    let mut subscriptions: Vec<&str> = wanted.iter().filter_map(Wanted::subscription).collect();
    subscriptions.push(&config.stack.subscription);
    subscriptions.sort_unstable();
    subscriptions.dedup();
    for subscription in subscriptions {
        for kind in catalog.iter().filter(|kind| kind.plane == Plane::Arm) {
            if let Some(path) = list(kind, ListScope::Subscription) {
                reads.list(kind, path, &subscription_id(subscription));
            }
            // Whatever of this kind might be declared there.
            let any = SymbolicId::of_arm(&subscription_id(subscription));
            let edges = std::collections::BTreeSet::new();
            reads.soft_deleted(&Wanted {
                id: any,
                path: "",
                kind: kind.clone(),
                claim: Claim::New,
                goes: false,
                edges,
            });
        }
    }
    for want in &wanted {
        let Some(live) = snapshot.live(&want.id) else { continue };
        for kind in catalog.iter().filter(|kind| lies_in(kind, &want.kind.keyword)) {
            let shown = kind.lists.iter().any(|list| list.inline.is_some());
            if let Some(path) = list(kind, ListScope::Parent).filter(|_| !shown && kind.plane != Plane::Graph) {
                reads.list(kind, path, &ArmId::new(live.id.as_str()));
            }
            if let Some(path) = list(kind, ListScope::Cluster).filter(|_| owned.reachable.contains_key(&want.id)) {
                reads.push(Read {
                    at: At::Cluster(want.id.clone()),
                    path: path.to_owned(),
                    target: ReadTarget::List { kind: kind.keyword.clone(), within: want.id.clone() },
                });
            }
        }
        if want.claim != Claim::Existing {
            for pointer in want.kind.edges().filter_map(|attribute| attribute.pointer.as_deref()) {
                reads.edge_set(want, &live.id, pointer);
            }
        }
    }
    reads.list.retain(|read| match &read.target {
        ReadTarget::List { kind, within } | ReadTarget::Candidates { kind, within: Some(within), .. } => {
            !snapshot.listed.contains(&(kind.clone(), within.clone()))
        }
        ReadTarget::SoftDeleted { kind, subscription } => {
            !snapshot.soft_deleted_listed.contains(&(kind.clone(), subscription.clone()))
        }
        ReadTarget::Edges { symbolic_id, pointer } => {
            snapshot.live(symbolic_id).is_none_or(|live| live.body.pointer(pointer).is_none())
        }
        _ => true,
    });
    reads.list
}

/// Whether resources of a kind may lie in those of another.
fn lies_in(kind: &Kind, parent: &str) -> bool {
    let attribute = kind.parent.as_deref().and_then(|parent| kind.attributes.get(parent));
    attribute.is_some_and(|attribute| match &attribute.of {
        Type::Resource(kinds) => kinds.iter().any(|kind| kind == parent),
        _ => false,
    })
}
