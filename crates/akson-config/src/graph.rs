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

use crate::{
    codes,
    modules::{
        self,
        tree::{Module, Tree},
    },
    names::Names,
    sink::Sink,
};

/// Something that is evaluated once its references are, in each instance of its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node<'a> {
    /// Place of its module in the tree: 0 is the root.
    pub scope: usize,
    pub what: What<'a>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum What<'a> {
    /// The `stack` block: every resource needs it.
    Stack,
    Local(&'a str),
    /// Place among the declared resource blocks.
    Resource(usize),
    /// How many instances a `module` block has.
    Module(&'a str),
    /// A variable of a module.
    Variable(&'a str),
    /// An output of a module.
    Output(&'a str),
}

const STACK: Node<'static> = Node { scope: 0, what: What::Stack };

/// What is evaluated when, and what cannot be.
pub(crate) struct Order<'a> {
    /// Dependencies first.
    pub nodes: Vec<Node<'a>>,
    /// Members of a cycle.
    pub cyclic: HashSet<Node<'a>>,
}

/// The nodes of one module.
fn nodes_of<'a>(scope: usize, module: &Module<'a>) -> Vec<Node<'a>> {
    let names = &module.names;
    let mut found: Vec<What<'a>> = Vec::new();
    if scope > 0 {
        found.extend(names.variables.keys().map(|name| What::Variable(name)));
        found.extend(
            names.outputs.iter().filter_map(|block| block.labels.first()).map(|label| What::Output(&label.text)),
        );
    }
    found.extend(names.locals.keys().map(|name| What::Local(name)));
    found.extend(names.modules.keys().map(|name| What::Module(name)));
    found.extend((0..names.resources.len()).map(What::Resource));
    found.into_iter().map(|what| Node { scope, what }).collect()
}

pub(crate) fn order<'a>(tree: &Tree<'a>, sink: &mut Sink<'_>) -> Order<'a> {
    let mut graph: DiGraph<Node<'a>, Span> = DiGraph::new();
    let mut places: HashMap<Node<'a>, NodeIndex> = HashMap::new();
    places.insert(STACK, graph.add_node(STACK));
    let all: Vec<Node<'a>> =
        tree.scopes.iter().enumerate().flat_map(|(scope, module)| nodes_of(scope, module)).collect();
    for node in &all {
        places.insert(*node, graph.add_node(*node));
    }
    if let Some(root) = tree.scopes.first()
        && let Some(stack) = root.names.stacks.first()
    {
        let mut walk = Walk { tree, scope: 0, names: &root.names, found: Vec::new(), bound: Vec::new() };
        stack.computed_labels.iter().for_each(|(_, label)| walk.expr(label));
        walk.block(stack);
        connect(&mut graph, &places, STACK, walk.found);
    }
    for node in all {
        let Some(module) = tree.scopes.get(node.scope) else { continue };
        let mut walk = Walk { tree, scope: node.scope, names: &module.names, found: Vec::new(), bound: Vec::new() };
        walk.node(node, module);
        let mut found = walk.found;
        if let Some((scope, block)) = module.caller
            && let Some(label) = block.labels.last()
        {
            // What is in a module exists as often as its block says.
            found.push((Node { scope, what: What::Module(&label.text) }, block.header));
        }
        connect(&mut graph, &places, node, found);
    }
    let mut nodes = Vec::with_capacity(graph.node_count());
    let mut cyclic = HashSet::new();
    for component in kosaraju_scc(&graph) {
        let looped = component.len() > 1 || component.first().is_some_and(|node| graph.contains_edge(*node, *node));
        if looped {
            report(&graph, &component, tree, sink);
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
fn report<'a>(graph: &DiGraph<Node<'a>, Span>, component: &[NodeIndex], tree: &Tree<'a>, sink: &mut Sink<'_>) {
    let members: HashSet<NodeIndex> = component.iter().copied().collect();
    let Some(start) =
        component.iter().copied().min_by_key(|place| graph.node_weight(*place).map(|node| title(*node, tree)))
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
    let title_of = |place: NodeIndex| graph.node_weight(place).map_or_else(String::new, |node| title(*node, tree));
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

fn title(node: Node<'_>, tree: &Tree<'_>) -> String {
    let prefix = tree.prefix(node.scope);
    let own = match node.what {
        What::Stack => "stack".to_owned(),
        What::Local(name) => format!("local.{name}"),
        What::Module(name) => format!("module.{name}"),
        What::Variable(name) => format!("var.{name}"),
        What::Output(name) => format!("output.{name}"),
        What::Resource(at) => tree
            .scopes
            .get(node.scope)
            .and_then(|module| module.names.resources.get(at))
            .map_or_else(String::new, |declared| format!("{}.{}", declared.keyword, declared.name)),
    };
    prefix + &own
}

/// Collects the references of an expression.
struct Walk<'w, 'a> {
    tree: &'w Tree<'a>,
    /// The module that the expression stands in, and what is declared there.
    scope: usize,
    names: &'w Names<'a>,
    found: Vec<(Node<'a>, Span)>,
    /// For-variables in scope: they hide kinds.
    bound: Vec<&'w str>,
}

impl<'w, 'a: 'w> Walk<'w, 'a> {
    /// What a node refers to.
    fn node(&mut self, node: Node<'a>, module: &'w Module<'a>) {
        match node.what {
            What::Stack => {}
            What::Local(name) => {
                if let Some(local) = self.names.locals.get(name) {
                    self.expr(&local.value);
                }
            }
            What::Resource(at) => {
                let Some(declared) = self.names.resources.get(at) else { return };
                if declared.kind.is_some() || self.names.intents.contains(&at) {
                    self.block(declared.block);
                    self.found.push((STACK, declared.block.header));
                }
            }
            What::Module(name) => {
                let Some(block) = self.names.modules.get(name) else { return };
                for word in ["for_each", "when", "after"] {
                    if let Some(attribute) = block.attribute(word) {
                        self.attribute(attribute);
                    }
                }
            }
            What::Variable(name) => {
                if let Some((scope, block)) = module.caller
                    && let Some(argument) = block.attribute(name)
                    && let Some(above) = self.tree.scopes.get(scope)
                {
                    self.scope = scope;
                    self.names = &above.names;
                    self.expr(&argument.value);
                }
            }
            What::Output(name) => {
                if let Some(block) = self.names.output(name) {
                    self.block(block);
                }
            }
        }
    }

    fn attribute(&mut self, attribute: &'w Attribute) {
        self.expr(&attribute.value);
        if attribute.name.text == "after"
            && let ExprKind::List(items) = &attribute.value.kind
        {
            for item in items {
                if let Some((module, _)) = modules::named(item) {
                    self.all_of(&module.text, item.span);
                }
            }
        }
    }

    /// Every resource in a module.
    fn all_of(&mut self, name: &str, span: Span) {
        let mut open = vec![self.tree.called(self.scope, name)];
        while let Some(scope) = open.pop() {
            let Some((scope, module)) = scope.and_then(|at| Some((at, self.tree.scopes.get(at)?))) else { continue };
            let resources = 0..module.names.resources.len();
            self.found.extend(resources.map(|at| (Node { scope, what: What::Resource(at) }, span)));
            open.extend(module.children.values().copied());
        }
    }

    /// A reference to a module: to one of its outputs, or to all of them.
    fn module(&mut self, name: &str, output: Option<&str>, span: Span) {
        let Some((name, _)) = self.names.modules.get_key_value(name) else { return };
        self.found.push((Node { scope: self.scope, what: What::Module(name) }, span));
        let Some(scope) = self.tree.called(self.scope, name) else { return };
        let Some(module) = self.tree.scopes.get(scope) else { return };
        let outputs = module.names.outputs.iter().filter_map(|block| block.labels.first());
        self.found.extend(
            outputs
                .filter(|label| output.is_none_or(|output| output == label.text))
                .map(|label| (Node { scope, what: What::Output(&label.text) }, span)),
        );
    }

    fn block(&mut self, block: &'w Block) {
        for item in &block.body {
            match item {
                Item::Attribute(attribute) => self.attribute(attribute),
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
                    self.found.push((STACK, expr.span));
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
        if let Some((module, key)) = modules::named(base)
            && !self.bound.contains(&modules::MODULE)
        {
            if let Some(key) = key {
                self.expr(key);
            }
            return self.module(&module.text, Some(name), span);
        }
        let ExprKind::Word(root) = &base.kind else { return self.expr(base) };
        if self.bound.contains(&root.text.as_str()) {
            return;
        }
        if root.text == "local" {
            if let Some((name, _)) = self.names.locals.get_key_value(name) {
                self.found.push((Node { scope: self.scope, what: What::Local(name) }, span));
            }
        } else if root.text == "var" {
            if let Some((name, _)) = self.names.variables.get_key_value(name).filter(|_| self.scope > 0) {
                self.found.push((Node { scope: self.scope, what: What::Variable(name) }, span));
            }
        } else if root.text == modules::MODULE {
            self.module(name, None, span);
        } else if let Some(at) = self.names.find(&root.text, name) {
            self.found.push((Node { scope: self.scope, what: What::Resource(at) }, span));
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
