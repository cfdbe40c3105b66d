//! What a configuration declares, with what is there of it: so that a value that was read can be written in its words, with references to
//! what it declares. Not the writing itself.

use std::collections::{BTreeMap, HashMap};

use akson_catalog::{Address, ArmId, Attribute, Catalog, SymbolicId, Type, Value};
use akson_diagnostics::{Diagnostics, SourceMap};
use akson_parser::{ast::Expr, parse_expression, print_block};
use serde_json::{Value as Json, json};

use super::{
    ImportOptions, Skipped,
    objects::{self, Object},
    stack::{Stack, Thing},
    write::{Writer, more},
};
use crate::model::{Config, Resource};

/// The resources of a configuration as things that can be referred to.
pub(crate) struct Known<'a> {
    stack: Stack<'a>,
    places: BTreeMap<SymbolicId, usize>,
    needs: Vec<(usize, usize)>,
}

impl<'a> Known<'a> {
    /// `live` is what is there of each: its id and its body.
    pub(crate) fn new(config: &Config, live: &BTreeMap<SymbolicId, (String, Json)>, catalog: &'a Catalog) -> Self {
        let mut stack = Stack {
            catalog,
            name: config.stack.label.clone(),
            subscription: Some(config.stack.subscription.clone()),
            location: config.stack.location.clone(),
            things: Vec::new(),
            fixed: 0,
            by_id: HashMap::new(),
            workloads: Vec::new(),
        };
        let mut places = BTreeMap::new();
        for resource in &config.resources {
            let nothing = (resource.id.as_ref().map(ToString::to_string).unwrap_or_default(), json!({}));
            let (id, body) = live.get(&resource.symbolic_id).unwrap_or(&nothing);
            let at = stack.things.len();
            stack.by_id.insert(ArmId::new(id.as_str()).folded().to_owned(), at);
            places.insert(resource.symbolic_id.clone(), at);
            stack.things.push(thing(resource, id, body));
        }
        for resource in &config.resources {
            let Some(at) = places.get(&resource.symbolic_id).copied() else { continue };
            let parent = resource.parent.as_ref().and_then(|parent| places.get(parent)).copied();
            let within = resource.address.within.as_deref().and_then(|above| {
                let above = config.resources.iter().find(|other| other.address == *above)?;
                Some((*places.get(&above.symbolic_id)?, resource.address.kind.clone()))
            });
            if let Some(thing) = stack.things.get_mut(at) {
                thing.parent = parent;
                thing.within = within;
            }
        }
        let needs = config
            .resources
            .iter()
            .flat_map(|resource| resource.dependencies.iter().map(|dependency| (&resource.symbolic_id, &dependency.on)))
            .filter_map(|(from, on)| Some((*places.get(from)?, *places.get(on)?)))
            .collect();
        Self { stack, places, needs }
    }

    /// Blocks that declare more objects, as canonical text, and what they declare: addresses and ids.
    pub(crate) fn declare(
        &mut self,
        answers: &[Json],
        options: &ImportOptions,
    ) -> (String, Vec<(String, String)>, Vec<Skipped>) {
        let skipped = self.stack.declare(answers, options);
        let blocks = more(&self.stack, &self.needs);
        let declared = blocks
            .iter()
            .filter_map(|(at, block)| {
                let thing = self.stack.things.get(*at).filter(|thing| !thing.existing)?;
                Some((format!("{}.{}", block.keyword.text, thing.label), thing.object.id.clone()))
            })
            .collect();
        let text: Vec<String> = blocks.iter().map(|(_, block)| print_block(block)).collect();
        let text = text.join("\n");
        let mut sources = SourceMap::new();
        let id = sources.add("adopted.aks", text.as_str());
        (akson_parser::format(&sources, id).unwrap_or(text), declared, skipped)
    }

    /// The writer of values.
    pub(crate) fn words(&self) -> Words<'_> {
        let mut writer = Writer::new(&self.stack);
        for (from, on) in &self.needs {
            writer.needs(*from, *on);
        }
        Words { writer, places: &self.places }
    }
}

/// Writes values in the configuration's words.
pub(crate) struct Words<'s> {
    writer: Writer<'s>,
    places: &'s BTreeMap<SymbolicId, usize>,
}

impl Words<'_> {
    /// A value of an attribute of a declared resource. None if it is not declared.
    pub(crate) fn write(&mut self, of: &SymbolicId, attribute: &Attribute, ty: &Type, value: &Value) -> Option<Expr> {
        let at = *self.places.get(of)?;
        Some(self.writer.expr(at, attribute, ty, value))
    }
}

fn thing(resource: &Resource, id: &str, body: &Json) -> Thing {
    let mut body = body.clone();
    if let Json::Object(members) = &mut body {
        members.entry("id").or_insert_with(|| json!(id));
    }
    let object = objects::place(&resource.kind, &body).unwrap_or_else(|| Object {
        kind: std::sync::Arc::clone(&resource.kind),
        id: id.to_owned(),
        body,
        name: ArmId::new(id).name().to_owned(),
        parent: None,
        places: Vec::new(),
        subscription: Some(resource.subscription.clone()),
    });
    Thing {
        object,
        label: resource.address.name.clone(),
        address: written(&resource.address),
        scope: modules(&resource.address),
        raw: None,
        existing: resource.existing,
        within: None,
        workload: None,
        parent: None,
        written: Vec::new(),
        unsaid: Vec::new(),
        location: None,
        name: None,
    }
}

fn modules(address: &Address) -> Vec<(String, Option<akson_catalog::InstanceKey>)> {
    address.within.as_deref().map_or_else(|| address.modules.clone(), modules)
}

/// An address as it is written where its block is.
fn written(address: &Address) -> Option<Expr> {
    let mut address = address.clone();
    here(&mut address);
    let mut sources = SourceMap::new();
    let id = sources.add("address", address.to_string());
    parse_expression(&sources, id, &mut Diagnostics::new())
}

fn here(address: &mut Address) {
    address.modules.clear();
    if let Some(within) = &mut address.within {
        here(within);
    }
}
