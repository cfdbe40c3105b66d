//! What changed outside, taken over into the source: edits of the files after which the configuration says what is there. Pure: texts,
//! syntax and live bodies come in. Whether a plan is empty then is proved by whoever can plan.

mod live;
mod scopes;

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{Catalog, SymbolicId, Value, json::lookup};
use akson_diagnostics::{Diagnostic, Diagnostics, SourceId, SourceMap, Span};
use akson_parser::ast::{Block, File, Item};
use serde_json::Value as Json;

use crate::{
    codes,
    edit::{Change, Edit, Refused, Site, append, cut, without},
    import::{ImportOptions, Known, Skipped},
    model::{Config, Inputs, Resource},
};
use live::{Live, Now};
use scopes::{Reader, Scopes, outermost};

/// What adopting starts from.
pub struct Adopting<'a> {
    /// The files of the configuration's folder.
    pub files: &'a [File],
    /// All texts.
    pub sources: &'a SourceMap,
    /// What the files were evaluated with.
    pub inputs: &'a Inputs,
    /// What they say.
    pub config: &'a Config,
    /// All kinds.
    pub catalog: &'a Catalog,
    /// What is there of what is declared: id and body.
    pub live: &'a BTreeMap<SymbolicId, (String, Json)>,
    /// Outputs that are known now.
    pub known: &'a BTreeMap<(SymbolicId, String), Value>,
}

/// A resource that changed outside.
#[derive(Debug, Clone)]
pub struct Drifted {
    /// Which.
    pub id: SymbolicId,
    /// It was deleted.
    pub gone: bool,
    /// Its mark of ownership is gone, which no text says.
    pub unmarked: bool,
    /// The attributes that differ, as a plan calls them.
    pub attributes: Vec<String>,
}

/// What adopting comes to.
#[derive(Debug, Default)]
pub struct Adoption {
    /// The edits of each text.
    pub edits: BTreeMap<SourceId, Vec<Edit>>,
    /// The addresses of what is taken over, with the attributes; none for what was deleted.
    pub adopted: Vec<(String, Option<String>)>,
    /// What is not, and why.
    pub refused: Vec<Diagnostic>,
}

/// Edits that make the configuration say what is there.
pub fn adopt(from: &Adopting<'_>, drifted: &[Drifted]) -> Adoption {
    let mut values = Vec::new();
    for id in &from.inputs.variable_files {
        values.extend(akson_parser::parse_values(from.sources, *id, &mut Diagnostics::new()));
    }
    let scopes = Scopes::new(from.files, &from.inputs.modules, &values, outside(from.inputs));
    let known = Known::new(from.config, from.live, from.catalog);
    let by_id: BTreeMap<&SymbolicId, &Resource> =
        from.config.resources.iter().map(|resource| (&resource.symbolic_id, resource)).collect();
    let mut adoption = Adoption::default();
    let mut work = Work { from, scopes: &scopes, live: Live::new(from), known: &known, wanted: Vec::new() };
    let mut removed = Vec::new();
    for one in drifted {
        let Some(resource) = by_id.get(&one.id).copied() else { continue };
        if one.gone {
            removed.push(resource);
            continue;
        }
        if one.unmarked {
            let why = "its mark of ownership is gone: `akson apply` writes it again".to_owned();
            adoption.refused.push(told(resource, "mark of ownership", &Refused { span: resource.header, why }));
        }
        for Found { path, span, edits } in work.resource(resource, &one.attributes) {
            match edits {
                Ok(edits) => work.wanted.push(Wanted { resource, path, span, edits }),
                Err(refused) => adoption.refused.push(told(resource, &path, &refused)),
            }
        }
    }
    let wanted = std::mem::take(&mut work.wanted);
    for one in agreed(from.config, wanted, &mut adoption.refused) {
        adoption.adopted.push((one.resource.address.to_string(), Some(one.path)));
        for edit in one.edits {
            adoption.edits.entry(edit.span.source).or_default().push(edit);
        }
    }
    work.removals(&removed, &mut adoption);
    for (source, edits) in &mut adoption.edits {
        edits.sort();
        edits.dedup();
        work.empty_blocks(*source, edits);
    }
    adoption
}

/// Edits that declare objects which nobody declared: blocks behind the others of the file with the `stack` block, and the addresses and
/// ids of what they declare; and what cannot be declared.
pub fn declare(
    from: &Adopting<'_>,
    objects: &[Json],
    options: &ImportOptions,
) -> (Option<Edit>, Vec<(String, String)>, Vec<Skipped>) {
    let mut known = Known::new(from.config, from.live, from.catalog);
    let (text, declared, skipped) = known.declare(objects, options);
    let place = from.config.stack.span.map(|span| span.source).filter(|_| !declared.is_empty());
    let edit = place.map(|source| append(source, &from.sources.get(source).text, &text));
    (edit, declared, skipped)
}

/// What a resource's attribute comes to.
struct Wanted<'a> {
    resource: &'a Resource,
    path: String,
    /// Where the attribute is written.
    span: Span,
    edits: Vec<Edit>,
}

/// The edits of an attribute, or of a part of it.
struct Found {
    path: String,
    span: Span,
    edits: Edits,
}

struct Work<'a, 's> {
    from: &'a Adopting<'a>,
    scopes: &'s Scopes<'a>,
    live: Live<'a>,
    known: &'s Known<'a>,
    wanted: Vec<Wanted<'a>>,
}

type Edits = Result<Vec<Edit>, Refused>;

impl<'a> Work<'a, '_> {
    /// The edits of each written attribute that differs.
    fn resource(&self, resource: &'a Resource, attributes: &[String]) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        for attribute in attributes {
            // The longest path that is written.
            let under = |path: &str| {
                attribute.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let written = resource.attributes.iter().filter(|(path, ..)| under(path));
            let Some((path, value, span)) = written.max_by_key(|(path, ..)| path.len()) else {
                let why = "no attribute of the block says it".to_owned();
                let span = resource.header;
                found.push(Found { path: attribute.clone(), span, edits: Err(Refused { span, why }) });
                continue;
            };
            // A labelled block that is gone goes as a whole.
            if let Some((whole, span)) = self.gone_item(resource, path) {
                if done.insert(whole) {
                    found.push(Found { path: whole.to_owned(), span, edits: self.cut(span) });
                }
                continue;
            }
            if !done.insert(path) {
                continue;
            }
            let written = (path.as_str(), value, *span);
            let is_own = |other: &&String| {
                other.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let own: Vec<String> = attributes.iter().filter(is_own).cloned().collect();
            let parts = own.len() > 1 && own.iter().all(|own| own != path);
            match self.attribute(resource, written, &own) {
                // What of a map cannot be edited does not keep the rest from it.
                Err(_) if parts => found.extend(own.into_iter().map(|own| {
                    let edits = self.attribute(resource, written, std::slice::from_ref(&own));
                    Found { path: own, span: *span, edits }
                })),
                edits => found.push(Found { path: path.clone(), span: *span, edits }),
            }
        }
        found
    }

    /// The labelled block around a path whose item is not there any more.
    fn gone_item<'r>(&self, resource: &'r Resource, path: &str) -> Option<(&'r str, Span)> {
        let (_, body) = self.from.live.get(&resource.symbolic_id)?;
        resource.attributes.iter().find_map(|(whole, _, span)| {
            let inside = path == whole || path.strip_prefix(whole.as_str()).is_some_and(|rest| rest.starts_with('.'));
            let (attribute, base) = resource.kind.attribute_at(whole)?;
            let keyed = attribute.keyed.is_some() && !base.is_empty();
            (inside && keyed && lookup(body, &base).is_none()).then_some((whole.as_str(), *span))
        })
    }

    fn cut(&self, span: Span) -> Edits {
        let Some((_, item)) = self.scopes.find(span) else {
            return Err(Refused { span, why: "it is written by another block".to_owned() });
        };
        let whole = match item {
            Item::Attribute(attribute) => attribute.span,
            Item::Block(block) => block.span,
        };
        Ok(vec![cut(self.text(whole), whole)])
    }

    fn text(&self, span: Span) -> &'a str {
        &self.from.sources.get(span.source).text
    }

    fn attribute(
        &self,
        resource: &'a Resource,
        (path, value, span): (&str, &Value, Span),
        drifted: &[String],
    ) -> Edits {
        let refused = |why: &str| Refused { span, why: why.to_owned() };
        let Some((around, item)) = self.scopes.find(span) else {
            return Err(refused("it is made by another block, such as a `workload`"));
        };
        let Some(block) = around.first().copied() else { return Err(refused("it is written by another block")) };
        let reader = Reader { block, address: &resource.address };
        let Item::Attribute(written) = item else {
            // Of a block in the block only what stands in it says something.
            return match self.live.is_on(resource, path) {
                Some(false) => self.cut(span),
                _ => Err(refused("what differs in this block is said by none of its attributes")),
            };
        };
        let (attribute, of) = match resource.kind.attribute(path) {
            Some(attribute) => (attribute, &attribute.of),
            None => return Err(refused("no attribute of the block says it")),
        };
        let (was, now) = self.live.now(resource, path, attribute, value, drifted).map_err(|why| refused(&why))?;
        let now = match now {
            Now::Value(now) => now,
            Now::Gone if attribute.required => return Err(refused("it is gone, and a block must say it")),
            Now::Gone => {
                // A local or variable that nothing reads any more would be left behind.
                let moved = self.scopes.follow(&written.value, reader)?.is_some();
                let why = "it is gone, and its value is written elsewhere";
                return if moved { Err(refused(why)) } else { self.cut(span) };
            }
        };
        let Some(new) = self.known.words().write(&resource.symbolic_id, attribute, of, &now) else {
            return Err(refused("it cannot be written"));
        };
        let follow = |expr: &'a akson_parser::ast::Expr| self.scopes.follow(expr, reader);
        let mut change = Change { sources: self.from.sources, follow: &follow, edits: Vec::new() };
        change.value(&written.value, &was, &now, &new, Site::of(attribute))?;
        if change.edits.is_empty() {
            return Err(refused("what is there is written already, and Azure has it in another form"));
        }
        Ok(change.edits)
    }

    /// Takes out the blocks of what was deleted, unless something that stays refers to them.
    fn removals(&self, removed: &[&'a Resource], adoption: &mut Adoption) {
        let mut going: Vec<(&'a Resource, Span, Edit)> = Vec::new();
        for resource in removed {
            match self.removal(resource) {
                Ok((span, edit)) => going.push((resource, span, edit)),
                Err(refused) => adoption.refused.push(told(resource, "", &refused)),
            }
        }
        loop {
            let gone: Vec<Span> = going.iter().map(|(_, span, _)| *span).collect();
            let held = going.iter().position(|(resource, span, _)| !self.holders(resource, *span, &gone).is_empty());
            let Some(held) = held else { break };
            let (resource, span, _) = going.remove(held);
            let names: Vec<String> =
                self.holders(resource, span, &gone).iter().map(|block| format!("`{}`", title(block))).collect();
            let verb = if names.len() == 1 { "refers" } else { "refer" };
            let why = format!("{} {verb} to it", names.join(", "));
            adoption.refused.push(told(resource, "", &Refused { span: resource.header, why }));
        }
        for (resource, _, edit) in going {
            adoption.adopted.push((resource.address.to_string(), None));
            adoption.edits.entry(edit.span.source).or_default().push(edit);
        }
    }

    /// The block of a deleted resource, or the entry of `for_each` that it is an instance of.
    fn removal(&self, resource: &'a Resource) -> Result<(Span, Edit), Refused> {
        let refused = |why: &str| Refused { span: resource.header, why: why.to_owned() };
        let Some((around, block)) = self.scopes.block(resource.header) else {
            return Err(refused("its block is made by another one, such as a `workload`"));
        };
        if !outermost(&resource.address).modules.is_empty() {
            return Err(refused("its block is in a module, which may have other instances"));
        }
        let top = around.first().copied().unwrap_or(block);
        if top.keyword.text == crate::names::WORKLOAD {
            return Err(refused("it is a part of a workload"));
        }
        if let Some(for_each) = top.attribute("for_each") {
            if !around.is_empty() {
                return Err(refused("its block is in one that has several instances"));
            }
            let key = resource.address.key.as_ref().map(|key| key.0.as_str()).unwrap_or_default();
            let reader = Reader { block, address: &resource.address };
            let edits = self.scopes.without_instance(&for_each.value, key, reader, self.from.sources)?;
            let Some(edit) = edits.into_iter().next() else { return Err(refused("its entry is not written out")) };
            return Ok((edit.span, edit));
        }
        Ok((block.span, without(self.text(block.span), block.span)))
    }

    /// The blocks that stay and refer to one that goes.
    fn holders(&self, resource: &Resource, span: Span, gone: &[Span]) -> Vec<&'a Block> {
        let address = &resource.address;
        // An instance that goes leaves its block, and a block in a block goes with nobody asking for it.
        if address.key.is_some() || address.within.is_some() {
            return Vec::new();
        }
        let stays =
            |block: &Block| !gone.iter().any(|gone| gone.source == block.span.source && gone.start == block.span.start);
        let mut found = self.scopes.referring(span.source, &address.kind, &address.name);
        found.retain(|block| stays(block) && block.span != span);
        found
    }

    /// Blocks in blocks of which every part is cut go with them.
    fn empty_blocks(&self, source: SourceId, edits: &mut Vec<Edit>) {
        let cuts: Vec<Span> = edits.iter().filter(|edit| edit.text.is_empty()).map(|edit| edit.span).collect();
        let is_cut = |span: Span| cuts.iter().any(|cut| cut.start <= span.start && span.end <= cut.end);
        let mut whole: Vec<Span> = Vec::new();
        let files = self.from.files.iter().chain(self.from.inputs.modules.values().flat_map(|files| files.iter()));
        for file in files.filter(|file| file.source == source) {
            for block in &file.blocks {
                emptied(block, &is_cut, &mut whole);
            }
        }
        for span in whole {
            edits.retain(|edit| !(span.start <= edit.span.start && edit.span.end <= span.end));
            edits.push(cut(&self.from.sources.get(source).text, span));
        }
        edits.sort();
    }
}

fn emptied(block: &Block, is_cut: &impl Fn(Span) -> bool, whole: &mut Vec<Span>) {
    for item in &block.body {
        let Item::Block(inner) = item else { continue };
        let all = inner.body.iter().all(|item| match item {
            Item::Attribute(attribute) => is_cut(attribute.span),
            Item::Block(inner) => is_cut(inner.span),
        });
        if all && !inner.body.is_empty() && !is_cut(inner.span) {
            whole.push(inner.span);
        } else {
            emptied(inner, is_cut, whole);
        }
    }
}

/// Variables that a file of the folder cannot decide about.
fn outside(inputs: &Inputs) -> BTreeMap<String, String> {
    let environment = inputs
        .environment_variables
        .keys()
        .map(|name| (name.clone(), format!("the environment variable `AKSON_VAR_{name}`")));
    let flags = inputs.variables.iter().map(|(name, _)| (name.clone(), format!("`--var {name}=…`")));
    environment.chain(flags).collect()
}

/// What all instances that read one text agree on. The others are refused.
fn agreed<'a>(config: &Config, wanted: Vec<Wanted<'a>>, refused: &mut Vec<Diagnostic>) -> Vec<Wanted<'a>> {
    let mut readers: BTreeMap<Span, Vec<&SymbolicId>> = BTreeMap::new();
    for resource in &config.resources {
        for (.., span) in &resource.attributes {
            readers.entry(*span).or_default().push(&resource.symbolic_id);
        }
    }
    let mut kept: Vec<bool> = Vec::with_capacity(wanted.len());
    for one in &wanted {
        let span = one.span;
        // Edits in the attribute itself are read by every instance of the block; an entry of `for_each` is one instance's.
        let shared =
            one.edits.iter().any(|edit| {
                edit.span.source == span.source && edit.span.start >= span.start && edit.span.end <= span.end
            }) || one.edits.iter().all(|edit| edit.text.is_empty());
        let others = readers.get(&span).into_iter().flatten().filter(|id| ***id != one.resource.symbolic_id);
        let agrees = |id: &&&SymbolicId| {
            wanted
                .iter()
                .any(|other| other.resource.symbolic_id == ***id && other.path == one.path && other.edits == one.edits)
        };
        kept.push(!shared || others.clone().all(|id| agrees(&id)));
    }
    let mut left = Vec::new();
    for (one, keep) in wanted.into_iter().zip(kept) {
        if keep {
            left.push(one);
        } else {
            let span = one.span;
            let why = "other instances read the same text and have another value".to_owned();
            refused.push(told(one.resource, &one.path, &Refused { span, why }));
        }
    }
    // Texts of one place that are not the same.
    let mut takes: BTreeMap<Span, BTreeSet<String>> = BTreeMap::new();
    for edit in left.iter().flat_map(|one| &one.edits) {
        takes.entry(edit.span).or_default().insert(edit.text.clone());
    }
    let (clear, torn): (Vec<Wanted<'_>>, Vec<Wanted<'_>>) = left
        .into_iter()
        .partition(|one| one.edits.iter().all(|edit| takes.get(&edit.span).is_none_or(|texts| texts.len() == 1)));
    for one in torn {
        let span = one.span;
        let why = "resources that read the same text have different values".to_owned();
        refused.push(told(one.resource, &one.path, &Refused { span, why }));
    }
    clear
}

fn told(resource: &Resource, path: &str, refused: &Refused) -> Diagnostic {
    let address = resource.address.to_string();
    let text = if path.is_empty() {
        format!("that `{address}` was deleted is not taken over")
    } else {
        format!("`{path}` of `{address}` is not taken over")
    };
    Diagnostic::error(codes::NOT_ADOPTED, text)
        .at(refused.span, refused.why.clone())
        .on(address)
        .help("edit it by hand, or undo what changed outside with `akson drift --revert`")
}

fn title(block: &Block) -> String {
    let labels = block.labels.iter().map(|label| label.text.as_str());
    std::iter::once(block.keyword.text.as_str()).chain(labels).collect::<Vec<_>>().join(".")
}
