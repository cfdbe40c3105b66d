//! What declared resources need of each other: an order to decide and to create in, or the circle that makes one impossible.
//! Not which of them are steps: see `order`.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque},
};

use akson_catalog::{Quirk, SymbolicId};
use akson_config::Config;
use akson_diagnostics::{Diagnostic, Diagnostics, Span};
use petgraph::{Direction, algo::tarjan_scc, graph::DiGraph, graph::NodeIndex, visit::EdgeRef};

use crate::{
    codes, early,
    place::{ancestors, scope_of},
};

/// What declared resources need, by their places in [`Config::resources`].
#[derive(Debug)]
pub struct Graph {
    /// Edges run from what needs to what is needed.
    graph: DiGraph<usize, Need>,
    order: Vec<usize>,
}

/// Why one needs the other.
#[derive(Debug, Clone)]
struct Need {
    /// Where it is written; for a lock and what lies in something, the block.
    span: Span,
    /// In words.
    text: String,
    /// A lock comes after what it locks; that is about the order alone.
    lock: bool,
    /// All that is needed of it, if that is outputs which its first answer has.
    early: BTreeSet<String>,
}

impl Graph {
    /// The graph of a configuration. Circles are reported, and then there is none.
    pub fn new(config: &Config, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut graph = DiGraph::with_capacity(config.resources.len(), config.resources.len() * 2);
        let mut by_id: BTreeMap<&SymbolicId, usize> = BTreeMap::new();
        for (at, resource) in config.resources.iter().enumerate() {
            graph.add_node(at);
            by_id.entry(&resource.symbolic_id).or_insert(at);
        }
        for (at, resource) in config.resources.iter().enumerate() {
            let mut seen = BTreeSet::new();
            for dependency in &resource.dependencies {
                if let Some(on) = by_id.get(&dependency.on).filter(|on| seen.insert(**on)) {
                    let text = match dependency.attribute.as_str() {
                        "after" => format!("`{}` comes after it", resource.address),
                        attribute => format!("`{}` needs it for `{attribute}`", resource.address),
                    };
                    let early = config.resources.get(*on).map_or_else(BTreeSet::new, |on| early::needed(resource, on));
                    let need = Need { span: dependency.span, text, lock: false, early };
                    graph.add_edge(node(at), node(*on), need);
                }
            }
            let declared = |id: &SymbolicId| by_id.get(id).copied();
            let within = resource.parent.as_ref().and_then(declared);
            // What it says it lies in may be more than the next above it: an account says its cluster, and a namespace by name.
            let nearest = ancestors(&resource.symbolic_id).find_map(|id| declared(&id));
            for on in within.into_iter().chain(nearest).filter(|on| *on != at) {
                if !seen.insert(on) {
                    continue;
                }
                let text = format!("`{}` lies in it", resource.address);
                graph.add_edge(
                    node(at),
                    node(on),
                    Need { span: resource.header, text, lock: false, early: BTreeSet::new() },
                );
            }
        }
        for (at, resource) in config.resources.iter().enumerate() {
            if resource.existing || !resource.kind.quirks.contains(&Quirk::Blocks) {
                continue;
            }
            for on in below(&scope_of(&resource.symbolic_id), &by_id) {
                let other = config.resources.get(on);
                if other.is_none_or(|other| other.existing || other.kind.quirks.contains(&Quirk::Blocks)) {
                    continue;
                }
                if graph.contains_edge(node(at), node(on)) {
                    continue;
                }
                let text = format!("`{}` locks it, and so comes after it", resource.address);
                graph.add_edge(
                    node(at),
                    node(on),
                    Need { span: resource.header, text, lock: true, early: BTreeSet::new() },
                );
            }
        }
        if let Some(cycle) = cycle(&graph) {
            diagnostics.push(report(config, &graph, &cycle));
            return None;
        }
        let order = ordered(&graph);
        Some(Self { graph, order })
    }

    /// Every resource after what it needs; of those that could come next, the first in source order.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// What a resource needs, be it for the order alone.
    pub fn needs(&self, of: usize) -> impl Iterator<Item = usize> {
        self.graph.neighbors_directed(node(of), Direction::Outgoing).map(NodeIndex::index)
    }

    /// The outputs that are all that one needs of the other, if its first answer has them; else none.
    pub fn early(&self, of: usize, need: usize) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        let edge = self.graph.find_edge(node(of), node(need)).and_then(|edge| self.graph.edge_weight(edge));
        edge.map_or(&NONE, |need| &need.early)
    }

    /// What a resource depends on: what the ledger remembers.
    pub fn dependencies(&self, of: usize) -> impl Iterator<Item = usize> {
        let edges = self.graph.edges_directed(node(of), Direction::Outgoing);
        edges.filter(|edge| !edge.weight().lock).map(|edge| edge.target().index())
    }
}

/// What lies at or below a scope.
pub(crate) fn below<'a, T: Copy>(
    scope: &SymbolicId,
    by_id: &'a BTreeMap<&SymbolicId, T>,
) -> impl Iterator<Item = T> + use<'a, T> {
    let at = by_id.get(scope).copied();
    let prefix = format!("{scope}/");
    let from = SymbolicId::from_ledger(prefix.clone());
    let rest: Vec<T> = by_id
        .range::<SymbolicId, _>(&from..)
        .take_while(|(id, _)| id.as_str().starts_with(&prefix))
        .map(|(_, value)| *value)
        .collect();
    at.into_iter().chain(rest)
}

fn node(at: usize) -> NodeIndex {
    NodeIndex::new(at)
}

/// Kahn's order, the smallest place first.
fn ordered(graph: &DiGraph<usize, Need>) -> Vec<usize> {
    let mut left: Vec<usize> =
        graph.node_indices().map(|at| graph.edges_directed(at, Direction::Outgoing).count()).collect();
    let mut ready: BinaryHeap<Reverse<usize>> =
        left.iter().enumerate().filter(|(_, left)| **left == 0).map(|(at, _)| Reverse(at)).collect();
    let mut order = Vec::with_capacity(left.len());
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        for edge in graph.edges_directed(node(at), Direction::Incoming) {
            let dependent = edge.source().index();
            if let Some(count) = left.get_mut(dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.push(Reverse(dependent));
                }
            }
        }
    }
    order
}

/// The shortest circle through the first resource that is in one.
fn cycle(graph: &DiGraph<usize, Need>) -> Option<Vec<usize>> {
    let looped = |at: &NodeIndex| graph.contains_edge(*at, *at);
    let knots = tarjan_scc(graph).into_iter().filter(|knot| knot.len() > 1 || knot.first().is_some_and(looped));
    let knot: BTreeSet<NodeIndex> = knots.min_by_key(|knot| knot.iter().min().copied())?.into_iter().collect();
    let start = *knot.first()?;
    let mut from: BTreeMap<NodeIndex, NodeIndex> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        let mut next: Vec<NodeIndex> =
            graph.neighbors_directed(at, Direction::Outgoing).filter(|next| knot.contains(next)).collect();
        next.sort();
        for next in next {
            if next == start {
                let back = std::iter::successors(Some(at), |at| from.get(at).copied());
                let mut path: Vec<usize> = back.map(NodeIndex::index).collect();
                path.reverse();
                return Some(path);
            }
            if let std::collections::btree_map::Entry::Vacant(entry) = from.entry(next) {
                entry.insert(at);
                queue.push_back(next);
            }
        }
    }
    None
}

fn report(config: &Config, graph: &DiGraph<usize, Need>, cycle: &[usize]) -> Diagnostic {
    let name = |at: usize| config.resources.get(at).map_or_else(String::new, |resource| resource.address.to_string());
    let mut path: Vec<String> = cycle.iter().map(|at| name(*at)).collect();
    path.extend(path.first().cloned());
    let mut diagnostic = Diagnostic::error(codes::CYCLE, format!("resources need each other: {}", path.join(" → ")));
    let next = cycle.iter().skip(1).chain(cycle.first());
    for (at, next) in cycle.iter().zip(next) {
        if let Some(need) = graph.find_edge(node(*at), node(*next)).and_then(|edge| graph.edge_weight(edge)) {
            diagnostic = diagnostic.at(need.span, format!("{}: `{}`", need.text, name(*next)));
        }
    }
    if let Some(first) = cycle.first() {
        diagnostic = diagnostic.on(name(*first));
    }
    diagnostic.help("take one of these references out")
}
