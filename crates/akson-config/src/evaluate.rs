//! One run over a whole configuration, in the order of its references.

use akson_catalog::{Catalog, encode};
use akson_diagnostics::{Diagnostic, Diagnostics, SourceMap};
use akson_parser::ast;

use crate::{
    codes,
    eval::{BlockState, Evaluator, Scope, Want},
    graph::{self, What},
    lints,
    model::{Config, Inputs, OutputValue, Resource, Stack},
    modules::{run::Frame, tree::Tree},
    names::Names,
    policy,
    resources::{Instance, body::plain_block, nested, tolerate, unique},
    sink::Sink,
    val::Val,
    variables::constant,
    workload::Expansion,
};

/// Evaluates the files of one folder as one configuration.
///
/// Every mistake of the run goes to `diagnostics`, one error a mistake. The configuration that comes back holds what could be
/// evaluated; it is complete only if no error was reported. None if there is nothing at all. The order of `files` does not matter.
pub fn evaluate(
    files: &[ast::File],
    sources: &SourceMap,
    catalog: &Catalog,
    inputs: &Inputs,
    diagnostics: &mut Diagnostics,
) -> Option<Config> {
    evaluate_all(files, sources, catalog, inputs, diagnostics).0
}

/// The files by name: the order of the source.
pub(crate) fn in_order<'f>(files: &'f [ast::File], sources: &SourceMap) -> Vec<&'f ast::File> {
    let mut files: Vec<&ast::File> = files.iter().collect();
    files.sort_by(|left, right| {
        sources.get(left.source).name.cmp(&sources.get(right.source).name).then(left.source.cmp(&right.source))
    });
    files
}

/// As `evaluate`, with what the intents have become.
pub(crate) fn evaluate_all(
    files: &[ast::File],
    sources: &SourceMap,
    catalog: &Catalog,
    inputs: &Inputs,
    diagnostics: &mut Diagnostics,
) -> (Option<Config>, Vec<Expansion>) {
    let ordered = in_order(files, sources);
    let mut found = Diagnostics::new();
    let (tree, order, incomplete) = {
        let mut sink = Sink::new(&mut found);
        let tree = Tree::build(files, sources, catalog, inputs, diagnostics, &mut sink);
        let order = graph::order(&tree, &mut sink);
        (tree, order, sink.incomplete)
    };
    let Some(root) = tree.scopes.first() else { return (None, Vec::new()) };
    let mut evaluator = Evaluator::new(sources, catalog, inputs, &root.names, &mut found);
    evaluator.files = ordered.iter().map(|file| file.source).collect();
    evaluator.tree = Some(&tree);
    evaluator.frames_of = tree.scopes.iter().map(|_| Vec::new()).collect();
    if let Some(frames) = evaluator.frames_of.first_mut() {
        frames.push(0);
    }
    evaluator.sink.incomplete = incomplete;
    evaluator.variables();
    evaluator.count_stacks();
    let mut stack = None;
    for node in &order.nodes {
        let cyclic = order.cyclic.contains(node);
        if node.what == What::Stack {
            stack = Some(evaluator.stack(cyclic));
            continue;
        }
        let frames = evaluator.frames_of.get(node.scope).cloned().unwrap_or_default();
        for frame in frames {
            evaluator.within(frame, |evaluator| evaluator.node(node.what, cyclic, &mut stack));
        }
    }
    let stack = stack.unwrap_or_else(|| evaluator.stack(true));
    evaluator.namespaces(&stack);
    for frame in 1..evaluator.frames.len() {
        evaluator.within(frame, Evaluator::module_validations);
    }
    evaluator.report_locations();
    let outputs = evaluator.outputs();
    let mut instances = std::mem::take(&mut evaluator.instances);
    // Instances were made in the order of references; they come out in the order of the source, those of modules after the root's.
    let mut places = vec![0; evaluator.frames.len()];
    for (order, frame) in evaluator.frames_of.iter().flatten().enumerate() {
        if let Some(place) = places.get_mut(*frame) {
            *place = order;
        }
    }
    instances.sort_by_key(|instance| (places.get(instance.frame).copied(), instance.block));
    let all: Vec<&Instance> = instances.iter().collect();
    unique::check(&all, &mut evaluator.sink);
    policy::check(&all, &mut evaluator.sink);
    lints::check(&all, inputs, &mut evaluator.sink);
    let expansions = std::mem::take(&mut evaluator.expansions);
    drop(evaluator);
    diagnostics.append(found);

    let context = encode::Context {
        tenant: stack.tenant.clone(),
        token_exchange_audience: inputs.token_exchange_audience.clone(),
        ..encode::Context::default()
    };
    let context = context.with_principals(catalog);
    let mut resources: Vec<Resource> =
        instances.into_iter().filter_map(|instance| resource(instance, &context)).collect();
    nested::travel(&mut resources);
    if !diagnostics.has_errors() {
        tolerate::check(&resources, diagnostics);
    }
    let any = stack.span.is_some() || !resources.is_empty() || !outputs.is_empty();
    (any.then_some(Config { stack, resources, outputs }), expansions)
}

/// The resolved resource; none if a part of it is wrong.
fn resource(instance: Instance, context: &encode::Context) -> Option<Resource> {
    let attributes = instance
        .values
        .iter()
        .map(|(path, value, span)| Some((path.clone(), value.to_value()?, *span)))
        .collect::<Option<Vec<_>>>()?;
    let context = &encode::Context { subscription: instance.role_subscription(), ..context.clone() };
    let leaves = if instance.existing { Vec::new() } else { encode::encode(&instance.kind, &attributes, context) };
    let (late, finders) = instance.sought(&attributes, context);
    Some(Resource {
        address: instance.address().clone(),
        symbolic_id: instance.symbolic_id().clone(),
        kind: instance.kind,
        existing: instance.existing,
        id: instance.id,
        late,
        finders,
        parent: instance.parent,
        subscription: instance.subscription,
        attributes,
        leaves,
        dependencies: instance.dependencies,
        conflict_domain: instance.conflict_domain,
        protect: instance.protect,
        keep: instance.keep,
        tolerated: instance.tolerated,
        header: instance.header,
    })
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        sources: &'a SourceMap,
        catalog: &'a Catalog,
        inputs: &'a Inputs,
        names: &'a Names<'a>,
        found: &'a mut Diagnostics,
    ) -> Self {
        Self {
            sources,
            catalog,
            inputs,
            names,
            sink: Sink::new(found),
            variables: std::collections::HashMap::new(),
            locals: std::collections::HashMap::new(),
            blocks: names.resources.iter().map(|_| BlockState::Poisoned).collect(),
            instances: Vec::new(),
            needs: indexmap::IndexMap::new(),
            subscription: None,
            stack_is_wrong: false,
            without_location: Vec::new(),
            principals: encode::Context::default().with_principals(catalog),
            expansions: Vec::new(),
            named: Vec::new(),
            files: Vec::new(),
            tree: None,
            frames: vec![Frame::new(names, 0)],
            frames_of: Vec::new(),
            at: 0,
        }
    }

    /// Evaluates one declaration of the module that is evaluated.
    fn node(&mut self, what: What<'a>, cyclic: bool, stack: &mut Option<Stack>) {
        match what {
            What::Stack => {}
            What::Local(name) => self.local(name, cyclic),
            What::Module(name) => self.module(name, cyclic),
            What::Variable(name) => self.argument_of_module(name, cyclic),
            What::Output(name) => self.module_output(name, cyclic),
            What::Resource(at) => {
                let phantom = self.frames.get(self.at).is_some_and(|frame| frame.phantom);
                // The stack comes before every resource, unless both are in a cycle.
                let known = stack.get_or_insert_with(|| self.stack(true)).clone();
                let state = self.declared(at, cyclic || phantom, &known);
                if let Some(place) = self.blocks.get_mut(at) {
                    *place = state;
                }
            }
        }
    }

    fn local(&mut self, name: &'a str, cyclic: bool) {
        let names = self.names;
        let Some(local) = names.locals.get(name) else { return };
        let value = if cyclic { Val::Poison } else { self.eval(&local.value, Want::Free, &Scope::default()) };
        self.locals.insert(name, value);
    }

    fn outputs(&mut self) -> Vec<OutputValue> {
        let names = self.names;
        let mut outputs = Vec::new();
        for block in &names.outputs {
            let Some(label) = block.labels.first() else { continue };
            let parts = plain_block(&mut self.sink, block, &["value", "description", "sensitive"], &[], &["value"]);
            let sensitive = parts.get("sensitive").is_some_and(|expr| self.flag(expr));
            let description = parts.get("description").and_then(|expr| {
                match self.eval(expr, Want::Of(&akson_catalog::Type::String, None), &constant("a description")) {
                    Val::Text(text) => Some(text.to_string()),
                    _ => None,
                }
            });
            let Some(expr) = parts.get("value") else { continue };
            let value = self.eval(expr, Want::Free, &Scope { secret: sensitive, ..Scope::default() });
            if value.traits().sensitive && !sensitive {
                self.sink.report(
                    Diagnostic::error(
                        codes::SENSITIVE_OUTPUT,
                        format!("the output `{}` has a sensitive value", label.text),
                    )
                    .at(expr.span, "")
                    .help("add `sensitive = true` to the output: then it is never shown"),
                );
                continue;
            }
            if let Val::Ref(pointed) = value.plain() {
                let address = pointed.reference.address.clone();
                self.sink.report(
                    Diagnostic::error(
                        codes::WRONG_TYPE,
                        format!("an output has a value, and `{address}` is a resource"),
                    )
                    .at(expr.span, "")
                    .help(format!("name one of its outputs: `{address}.id`")),
                );
                continue;
            }
            if let Some(value) = value.to_value() {
                outputs.push(OutputValue {
                    name: label.text.clone(),
                    value,
                    description,
                    sensitive,
                    span: block.header,
                });
            }
        }
        outputs
    }
}
