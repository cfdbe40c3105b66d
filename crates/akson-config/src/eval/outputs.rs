//! What a resource tells: outputs, and attributes as they are written. Not the names that lead to it: `eval/traverse.rs`.

use std::sync::Arc;

use akson_catalog::{Residual, Type, kind::Role};
use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Expr, ExprKind, Name};

use super::{BlockState, Evaluator, Scope};
use crate::{
    codes,
    val::{Entries, Marks, Nominal, Pointed, Val, quoted},
};

impl Evaluator<'_> {
    /// What a resource tells: an output, or an attribute as it is written.
    #[inline(never)]
    pub(crate) fn told(&mut self, pointed: &Arc<Pointed>, name: &Name) -> Val {
        self.output(pointed, name)
    }

    #[inline(never)]
    pub(super) fn output(&mut self, pointed: &Arc<Pointed>, name: &Name) -> Val {
        let Some(instance) = self.instance_of(pointed) else { return Val::Poison };
        let kind = Arc::clone(&instance.kind);
        let output = kind.outputs.get(&name.text);
        let nominal = |of: &Type| match of {
            Type::Named(id) => Some(Nominal { name: id.clone(), from: Some(Arc::clone(pointed)) }),
            _ => None,
        };
        let marks = |of: &Type| Marks { sensitive: false, refs: vec![Arc::clone(pointed)], nominal: nominal(of) };
        let arm_id = Type::Named("arm_id".to_owned());
        if name.text == "id"
            && let Some(id) = &instance.id
        {
            return Val::text(id.as_str()).with(marks(&arm_id));
        }
        let named = kind.attributes.get("name").is_none_or(|attribute| attribute.role == Role::Name);
        if name.text == "name"
            && named
            && let Some(known) = &instance.name
        {
            return Val::text(known.as_str()).with(marks(&Type::String));
        }
        if kind.blocks.contains_key(&name.text) {
            return self.children_by_label(pointed, &name.text);
        }
        // `cluster.main.kubelet_identity.object_id`: outputs that belong together, also where an attribute of their name is written.
        let group = format!("{}.", name.text);
        let is_group = kind.outputs.keys().any(|output| output.starts_with(&group));
        let is_block = kind.attributes.get(&name.text).is_some_and(|attribute| matches!(attribute.of, Type::Object(_)));
        if let Some((_, value, _)) = instance.values.iter().find(|(path, ..)| *path == name.text)
            && !is_block
            && !is_group
            && !matches!(value.plain(), Val::Default | Val::None)
            && (output.is_none() || !value.traits().holes)
        {
            return value.clone().with(marks(&value.own_type()));
        }
        if let Some(output) = output {
            let of = output.of.clone();
            let residual = Residual::Output {
                of: pointed.reference.symbolic_id.clone(),
                address: pointed.reference.address.clone(),
                output: name.text.clone(),
            };
            let marks = marks(&of);
            return Val::unknown(residual, of).with(marks);
        }
        let grouped: Entries = kind
            .outputs
            .values()
            .filter_map(|output| {
                let member = output.name.strip_prefix(&group)?;
                let residual = Residual::Output {
                    of: pointed.reference.symbolic_id.clone(),
                    address: pointed.reference.address.clone(),
                    output: output.name.clone(),
                };
                let value = Val::unknown(residual, output.of.clone()).with(marks(&output.of));
                Some((Arc::from(member), value))
            })
            .collect();
        if !grouped.is_empty() {
            return Val::map(grouped);
        }
        if kind.resource_type.is_empty() || pointed.reference.kind == "resource" {
            // A raw resource tells whatever its body has, as a pointer into it.
            let output = format!("/{}", name.text);
            let residual = Residual::Output {
                of: pointed.reference.symbolic_id.clone(),
                address: pointed.reference.address.clone(),
                output,
            };
            return Val::unknown(residual, Type::Any).with(marks(&Type::Any));
        }
        self.unknown_output(pointed, name);
        Val::Poison
    }

    /// The evaluated instance that a reference points at.
    pub(crate) fn instance_of(&self, pointed: &Pointed) -> Option<&crate::resources::Instance> {
        pointed.instance.and_then(|at| self.instances.get(at))
    }

    /// A resource may be wrong in itself: that it has no such output is another mistake.
    pub(super) fn output_of_poisoned(&mut self, base: &Expr, name: &Name, scope: &Scope<'_>) {
        let ExprKind::Field(kind, label) = &base.kind else { return };
        let ExprKind::Word(keyword) = &kind.kind else { return };
        let found = self.names.find(&keyword.text, &label.text).filter(|_| scope.find(&keyword.text).is_none());
        let Some(at) = found.filter(|at| matches!(self.blocks.get(*at), Some(BlockState::Poisoned))) else { return };
        let Some(declared) = self.names.resources.get(at) else { return };
        let Some(kind) = declared
            .kind
            .clone()
            .filter(|_| declared.keyword != "resource" && declared.block.attribute("for_each").is_none())
        else {
            return;
        };
        if kind.outputs.contains_key(&name.text)
            || kind.attributes.contains_key(&name.text)
            || kind.blocks.contains_key(&name.text)
            || kind.outputs.keys().any(|output| output.split('.').next() == Some(name.text.as_str()))
            || name.text == "name"
            || name.text == "id"
        {
            return;
        }
        let outputs: Vec<&str> = kind.outputs.keys().map(String::as_str).collect();
        let diagnostic =
            Diagnostic::error(codes::UNKNOWN_OUTPUT, format!("{} has no `{}`", declared.keyword, name.text))
                .at(name.span, "");
        self.sink.report(match did_you_mean(&name.text, outputs.iter().copied()) {
            Some(near) => {
                diagnostic.help(format!("did you mean `{near}`?")).suggest(name.span, near, format!("write `{near}`"))
            }
            None => diagnostic.help(format!("its outputs are {}", quoted(outputs.into_iter()))),
        });
    }

    fn unknown_output(&mut self, pointed: &Arc<Pointed>, name: &Name) {
        let Some(instance) = pointed.instance.and_then(|at| self.instances.get(at)) else { return };
        let kind = &pointed.reference.kind;
        let outputs: Vec<&str> = instance.kind.outputs.keys().map(String::as_str).collect();
        let block_written = instance
            .values
            .iter()
            .any(|(path, ..)| path.strip_prefix(&name.text).is_some_and(|rest| rest.starts_with('.')));
        let mut diagnostic = if block_written || instance.kind.attributes.contains_key(&name.text) {
            Diagnostic::error(
                codes::UNKNOWN_OUTPUT,
                format!("`{}` does not say its `{}`", pointed.reference.address, name.text),
            )
            .at(name.span, "")
            .note(
                "an attribute can be referred to where it is written as one value; what Azure makes of it is an output",
            )
        } else {
            Diagnostic::error(codes::UNKNOWN_OUTPUT, format!("{kind} has no `{}`", name.text)).at(name.span, "")
        };
        let candidates = outputs.iter().copied().chain(instance.kind.attributes.keys().map(String::as_str));
        diagnostic = match did_you_mean(&name.text, candidates) {
            Some(near) if near != name.text => {
                diagnostic.help(format!("did you mean `{near}`?")).suggest(name.span, near, format!("write `{near}`"))
            }
            _ => diagnostic.help(format!("its outputs are {}", quoted(outputs.into_iter()))),
        };
        self.sink.report(diagnostic);
    }

    /// Reports that one instance of a block with `for_each` has to be picked.
    pub(super) fn pick_instance<'k>(&mut self, first: &Pointed, keys: impl Iterator<Item = &'k str>, span: Span) {
        let block = format!("{}.{}", first.reference.address.kind, first.reference.address.name);
        self.sink.report(
            Diagnostic::error(
                codes::INSTANCES,
                format!("`{block}` has `for_each`: one of its instances is wanted here"),
            )
            .at(span, "")
            .help(format!("pick one: `{}`, or `{block}[each.key]`", first.reference.address))
            .note(format!("its keys are {}", quoted(keys))),
        );
    }
}

/// The first instance, if a map is the instances of a block.
pub(super) fn instance_map(value: &Val) -> Option<Arc<Pointed>> {
    let Val::Map(map) = value.plain() else { return None };
    match map.entries.values().next()?.plain() {
        Val::Ref(pointed) if pointed.reference.address.key.is_some() => Some(Arc::clone(pointed)),
        _ => None,
    }
}
