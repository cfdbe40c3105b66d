//! The order of evaluation: which local and which resource block refers to which, from the syntax alone; cycles with their path.
//! Evaluation follows it, so nothing is ever evaluated by recursion through names.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use akson_diagnostics::{Diagnostic, Span};
use akson_parser::ast::{Argument, Attribute, Block, Expr, ExprKind, Item, ObjectKey, TemplatePart};
use petgraph::{
    algo::kosaraju_scc,
    graph::{DiGraph, NodeIndex},
    visit::EdgeRef,
};

use crate::{codes, names::Names, sink::Sink};

/// Something that is evaluated once its references are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Node<'a> {
    /// The `stack` block: every resource needs it.
    Stack,
    Local(&'a str),
    /// Place among the declared resource blocks.
    Resource(usize),
}

/// What is evaluated when, and what cannot be.
pub(crate) struct Order<'a> {
    /// Dependencies first.
    pub nodes: Vec<Node<'a>>,
    /// Members of a cycle.
    pub cyclic: HashSet<Node<'a>>,
}

pub(crate) fn order<'a>(names: &Names<'a>, sink: &mut Sink<'_>) -> Order<'a> {
    let mut graph: DiGraph<Node<'a>, Span> = DiGraph::new();
    let mut places: HashMap<Node<'a>, NodeIndex> = HashMap::new();
    places.insert(Node::Stack, graph.add_node(Node::Stack));
    for name in names.locals.keys() {
        places.insert(Node::Local(name), graph.add_node(Node::Local(name)));
    }
    for at in 0..names.resources.len() {
        places.insert(Node::Resource(at), graph.add_node(Node::Resource(at)));
    }
    for (name, local) in &names.locals {
        let mut walk = Walk { names, found: Vec::new(), bound: Vec::new() };
        walk.expr(&local.value);
        connect(&mut graph, &places, Node::Local(name), walk.found);
    }
    if let Some(stack) = names.stacks.first() {
        let mut walk = Walk { names, found: Vec::new(), bound: Vec::new() };
        stack.computed_labels.iter().for_each(|(_, label)| walk.expr(label));
        walk.block(stack);
        connect(&mut graph, &places, Node::Stack, walk.found);
    }
    for (at, declared) in names.resources.iter().enumerate() {
        if declared.kind.is_some() || names.intents.contains(&at) {
            let mut walk = Walk { names, found: Vec::new(), bound: Vec::new() };
            walk.block(declared.block);
            walk.found.push((Node::Stack, declared.block.header));
            connect(&mut graph, &places, Node::Resource(at), walk.found);
        }
    }
    let mut nodes = Vec::with_capacity(graph.node_count());
    let mut cyclic = HashSet::new();
    for component in kosaraju_scc(&graph) {
        let looped = component.len() > 1 || component.first().is_some_and(|node| graph.contains_edge(*node, *node));
        if looped {
            report(&graph, &component, names, sink);
        }
        for place in component {
            if let Some(node) = graph.node_weight(place) {
                nodes.push(*node);
                if looped {
                    cyclic.insert(*node);
                }
            }
        }
    }
    Order { nodes, cyclic }
}

fn connect<'a>(
    graph: &mut DiGraph<Node<'a>, Span>,
    places: &HashMap<Node<'a>, NodeIndex>,
    from: Node<'a>,
    found: Vec<(Node<'a>, Span)>,
) {
    let mut once = HashSet::new();
    let Some(from) = places.get(&from) else { return };
    for (to, span) in found {
        if let Some(to) = places.get(&to)
            && once.insert(*to)
        {
            graph.add_edge(*from, *to, span);
        }
    }
}

/// One shortest cycle of a component, each reference labelled.
fn report<'a>(graph: &DiGraph<Node<'a>, Span>, component: &[NodeIndex], names: &Names<'a>, sink: &mut Sink<'_>) {
    let members: HashSet<NodeIndex> = component.iter().copied().collect();
    let Some(start) =
        component.iter().copied().min_by_key(|place| graph.node_weight(*place).map(|node| title(*node, names)))
    else {
        return;
    };
    // Breadth first from `start` back to itself.
    let mut came: BTreeMap<NodeIndex, (NodeIndex, Span)> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    let mut last = None;
    'search: while let Some(at) = queue.pop_front() {
        let mut edges: Vec<_> = graph
            .edges(at)
            .filter(|edge| members.contains(&edge.target()))
            .map(|edge| (edge.target(), *edge.weight()))
            .collect();
        edges.sort_by_key(|(_, span)| *span);
        for (to, span) in edges {
            if to == start {
                last = Some((at, span));
                break 'search;
            }
            came.entry(to).or_insert_with(|| {
                queue.push_back(to);
                (at, span)
            });
        }
    }
    let Some((mut at, span)) = last else { return };
    let mut steps = vec![(at, start, span)];
    while at != start {
        let Some((before, span)) = came.get(&at).copied() else { return };
        steps.push((before, at, span));
        at = before;
    }
    steps.reverse();
    let title_of = |place: NodeIndex| graph.node_weight(place).map_or_else(String::new, |node| title(*node, names));
    let mut path: Vec<String> = steps.iter().map(|(from, _, _)| format!("`{}`", title_of(*from))).collect();
    path.push(format!("`{}`", title_of(start)));
    let mut diagnostic =
        Diagnostic::error(codes::CYCLE, format!("references go round in a circle: {}", path.join(" → ")));
    for (at, (from, to, span)) in steps.iter().enumerate() {
        let text = format!("`{}` needs `{}`", title_of(*from), title_of(*to));
        diagnostic = if at == 0 { diagnostic.at(*span, text) } else { diagnostic.also(*span, text) };
    }
    sink.report(
        diagnostic
            .note("a reference is an order: what is referred to exists first")
            .help("remove one of these references, or give its value by a variable or a local"),
    );
}

fn title(node: Node<'_>, names: &Names<'_>) -> String {
    match node {
        Node::Stack => "stack".to_owned(),
        Node::Local(name) => format!("local.{name}"),
        Node::Resource(at) => names
            .resources
            .get(at)
            .map_or_else(String::new, |declared| format!("{}.{}", declared.keyword, declared.name)),
    }
}

/// Collects the references of an expression.
struct Walk<'w, 'a> {
    names: &'w Names<'a>,
    found: Vec<(Node<'a>, Span)>,
    /// For-variables in scope: they hide kinds.
    bound: Vec<&'w str>,
}

impl<'w, 'a: 'w> Walk<'w, 'a> {
    fn block(&mut self, block: &'w Block) {
        for item in &block.body {
            match item {
                Item::Attribute(Attribute { value, .. }) => self.expr(value),
                Item::Block(inner) => self.block(inner),
            }
        }
    }

    fn expr(&mut self, expr: &'w Expr) {
        match &expr.kind {
            ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::None | ExprKind::Default | ExprKind::Word(_) => {}
            ExprKind::Template(parts) => self.parts(parts),
            ExprKind::List(items) => items.iter().for_each(|item| self.expr(item)),
            ExprKind::Object(entries) => {
                for (key, value) in entries {
                    if let ObjectKey::Expr(key) = key {
                        self.expr(key);
                    }
                    self.expr(value);
                }
            }
            ExprKind::Field(base, name) => self.field(base, &name.text, expr.span),
            ExprKind::Index(base, index) => {
                self.expr(base);
                self.expr(index);
            }
            ExprKind::Call(name, arguments) => {
                if name.text == "subscription" {
                    self.found.push((Node::Stack, expr.span));
                }
                self.arguments(arguments);
            }
            ExprKind::Method(base, _, arguments) => {
                self.expr(base);
                self.arguments(arguments);
            }
            ExprKind::Unary(_, operand) | ExprKind::Parens(operand) => self.expr(operand),
            ExprKind::Binary(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Conditional(condition, yes, no) => {
                self.expr(condition);
                self.expr(yes);
                self.expr(no);
            }
            ExprKind::For(walk) => {
                self.expr(&walk.collection);
                let depth = self.bound.len();
                self.bound.extend(walk.key.iter().map(|key| key.text.as_str()));
                self.bound.push(&walk.value.text);
                walk.result_key
                    .iter()
                    .chain([&walk.result])
                    .chain(walk.condition.iter())
                    .for_each(|part| self.expr(part));
                self.bound.truncate(depth);
            }
        }
    }

    fn field(&mut self, base: &'w Expr, name: &str, span: Span) {
        let ExprKind::Word(root) = &base.kind else { return self.expr(base) };
        if self.bound.contains(&root.text.as_str()) {
            return;
        }
        if root.text == "local" {
            if let Some((name, _)) = self.names.locals.get_key_value(name) {
                self.found.push((Node::Local(name), span));
            }
        } else if let Some(at) = self.names.find(&root.text, name) {
            self.found.push((Node::Resource(at), span));
        }
    }

    fn arguments(&mut self, arguments: &'w [Argument]) {
        for argument in arguments {
            self.expr(&argument.value);
        }
    }

    fn parts(&mut self, parts: &'w [TemplatePart]) {
        for part in parts {
            match part {
                TemplatePart::Literal(_) => {}
                TemplatePart::Interpolation(expr) => self.expr(expr),
                TemplatePart::If { condition, then, otherwise } => {
                    self.expr(condition);
                    self.parts(then);
                    self.parts(otherwise);
                }
                TemplatePart::For { key, value, collection, body } => {
                    self.expr(collection);
                    let depth = self.bound.len();
                    self.bound.extend(key.iter().map(|key| key.text.as_str()));
                    self.bound.push(&value.text);
                    self.parts(body);
                    self.bound.truncate(depth);
                }
            }
        }
    }
}
