//! Blocks in a resource's block that are resources of their own: a cluster's node pools. Each lies in the other, is addressed below it
//! and is a step of its own; the first one of a cluster also travels in the cluster's first request.

use std::sync::Arc;

use akson_catalog::{
    Address, Kind, Reference, SymbolicId, Value,
    encode::Leaf,
    json::item_step,
    kind::{First, Role},
};
use akson_diagnostics::Diagnostic;

use super::{Instance, Nested};
use crate::{
    codes,
    eval::{Evaluator, Scope},
    model::{Dependency, Resource, Stack},
    names::Declared,
    val::{Entries, Pointed, Val},
};

impl Evaluator<'_> {
    /// Makes the instances of the blocks in the block of the instance at `parent`.
    pub(super) fn nested(&mut self, at: usize, plans: &[Nested<'_>], parent: usize, scope: &Scope<'_>, stack: &Stack) {
        for plan in plans {
            let Some(above) = self.instances.get(parent).map(|parent| Arc::clone(&parent.pointed)) else { return };
            let header = plan.block.header;
            let address = Address {
                within: Some(Box::new(above.reference.address.clone())),
                modules: Vec::new(),
                kind: plan.word.to_owned(),
                name: plan.label.text.clone(),
                key: None,
            };
            self.sink.address = Some(address.to_string());
            let mut dependencies = Vec::new();
            let mut values = Vec::with_capacity(plan.written.len() + 1);
            if let Some(attribute) = &plan.kind.parent {
                let on = above.reference.symbolic_id.clone();
                dependencies.push(Dependency { on, span: header, attribute: attribute.clone() });
                values.push((attribute.clone(), Val::Ref(above), header));
            }
            let mut sound = plan.whole;
            for written in &plan.written {
                let Some(value) = self.attribute_unless_omitted(written, scope, plan.block, &mut dependencies) else {
                    continue;
                };
                sound &= !(written.attribute.role == Role::Name && value.traits().poison);
                values.push((written.path.clone(), value, written.span));
            }
            let inherits = self.instances.get(parent).and_then(|above| above.kind.blocks.get(plan.word)).cloned();
            for (name, from) in inherits.into_iter().flat_map(|nested| nested.inherits) {
                if !values.iter().any(|(path, ..)| *path == name)
                    && let Some((value, span)) =
                        self.instances.get(parent).and_then(|above| super::rules::inherited(above, &from))
                {
                    values.push((name, value, span));
                }
            }
            let declared = Declared {
                block: plan.block,
                kind: Some(Arc::clone(plan.kind)),
                keyword: &plan.kind.keyword,
                name: &plan.label.text,
            };
            if !sound {
                continue;
            }
            let Some(instance) = self.identify(at, &declared, plan.kind, address, values, stack) else { continue };
            let place = self.instances.len();
            let pointed = Pointed { reference: instance.pointed.reference.clone(), instance: Some(place) };
            let mut seen = std::collections::HashSet::new();
            dependencies.retain(|dependency: &Dependency| {
                dependency.on != pointed.reference.symbolic_id
                    && seen.insert((dependency.on.clone(), dependency.attribute.clone()))
            });
            // What holds for a whole block holds for what is in it.
            let (protect, keep) =
                self.instances.get(parent).map_or((false, false), |above| (above.protect, above.keep));
            self.instances.push(Instance {
                pointed: Arc::new(pointed),
                dependencies,
                protect,
                keep,
                tolerated: plan.tolerated.clone(),
                ..instance
            });
            self.rules(place);
        }
    }

    /// Reports that none of the nested resources is the one that must be there.
    pub(super) fn first_of(&mut self, kind: &Kind, parent: usize, plans: &[Nested<'_>]) {
        for (word, nested) in &kind.blocks {
            let Some(first) = &nested.first else { continue };
            // Without any such block, that was reported; with a wrong one, it may be the one.
            if !plans.iter().any(|plan| plan.word == word) || plans.iter().any(|plan| !plan.whole) {
                continue;
            }
            let known: Vec<Option<bool>> = self.children(parent, word).map(|child| is_first(child, first)).collect();
            if known.is_empty() || known.iter().any(|first| *first != Some(false)) {
                continue;
            }
            let Some(header) = self.instances.get(parent).map(|parent| parent.header) else { continue };
            let text = format!("`{}` lacks a `{word}` with `{} = {}`", kind.keyword, first.attribute, first.is);
            self.sink.report(
                Diagnostic::error(codes::MISSING_ATTRIBUTES, text)
                    .at(header, "")
                    .help(format!("write `{} = {}` in one of them", first.attribute, first.is)),
            );
        }
    }

    /// The nested resources of an instance that are called so.
    pub(crate) fn children<'s>(&'s self, parent: usize, word: &'s str) -> impl Iterator<Item = &'s Instance> + 's {
        let above = self.instances.get(parent).map(Instance::address);
        self.instances
            .iter()
            .skip(parent + 1)
            .take_while(move |child| above.is_some() && child.address().within.as_deref() == above)
            .filter(move |child| child.address().kind == word)
    }

    /// `cluster.main.node_pool`: its nested resources by label.
    pub(crate) fn children_by_label(&self, pointed: &Pointed, word: &str) -> Val {
        let mut all = Entries::new();
        if let Some(parent) = pointed.instance {
            for child in self.children(parent, word) {
                all.insert(Arc::from(child.address().name.as_str()), Val::Ref(Arc::clone(&child.pointed)));
            }
        }
        Val::map(all)
    }
}

/// Whether a nested resource is one that its parent cannot be created without; none if that is not known.
fn is_first(instance: &Instance, first: &First) -> Option<bool> {
    match instance.value(&first.attribute).map(|(value, _)| value.plain()) {
        Some(Val::Text(word)) => Some(**word == *first.is),
        Some(Val::Unknown(_) | Val::Poison) => None,
        _ => Some(false),
    }
}

/// Lets the first nested resource of each parent travel in the parent's first request. What it needs, the parent then needs.
pub(crate) fn travel(resources: &mut [Resource]) {
    let mut parents: Vec<(usize, usize, First)> = Vec::new();
    for (at, resource) in resources.iter().enumerate() {
        for (word, nested) in &resource.kind.blocks {
            let Some(first) = &nested.first else { continue };
            let child = resources.iter().enumerate().skip(at + 1).find(|(_, child)| {
                child.address.within.as_deref() == Some(&resource.address)
                    && child.address.kind == *word
                    && child
                        .attributes
                        .iter()
                        .any(|(path, value, _)| *path == first.attribute && value.as_text() == Some(first.is.as_str()))
            });
            if let Some((child, _)) = child {
                parents.push((at, child, first.clone()));
            }
        }
    }
    for (parent, child, first) in parents {
        let Some(child) = resources.get(child) else { continue };
        let name = child.id.as_ref().map(|id| id.name().to_owned()).unwrap_or_default();
        let path = format!("{}.{}", child.address.kind, child.address.name);
        let item = format!("{}/{}", first.place, item_step("name", &name));
        let shown = Value::Reference(Reference {
            kind: child.kind.keyword.clone(),
            address: child.address.clone(),
            symbolic_id: child.symbolic_id.clone(),
            id: child.id.as_ref().map(ToString::to_string),
        });
        let travelling: Vec<Leaf> = child
            .leaves
            .iter()
            .filter_map(|leaf| {
                let below = leaf.pointer.strip_prefix("/properties")?;
                Some(Leaf {
                    attribute: path.clone(),
                    pointer: format!("{item}{below}"),
                    shown: shown.clone(),
                    on_create_only: true,
                    span: Some(child.header),
                    ..leaf.clone()
                })
            })
            .collect();
        let needed: Vec<Dependency> = child.dependencies.clone();
        let Some(parent) = resources.get_mut(parent) else { continue };
        parent.leaves.extend(travelling);
        let own = |on: &SymbolicId| *on == parent.symbolic_id || parent.dependencies.iter().any(|has| has.on == *on);
        let more: Vec<Dependency> = needed.into_iter().filter(|need| !own(&need.on)).collect();
        parent.dependencies.extend(more);
    }
}
