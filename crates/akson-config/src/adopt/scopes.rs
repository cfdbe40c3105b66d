//! Where a value is written: in its attribute, or in the local, variable, argument of a module or entry of `for_each` that it is read from.
//! Such a place is edited only if nothing else reads it.

use std::{collections::BTreeMap, sync::Arc};

use akson_catalog::Address;
use akson_diagnostics::{SourceId, SourceMap, Span};
use akson_parser::ast::{Block, Expr, ExprKind, File, Item, ObjectKey};

use crate::{
    edit::{Chain, Edit, Refused, Step, below, chain, expressions, find_expression, plain_text},
    modules::{self, MODULE},
};

/// The files of one folder.
struct Folder<'f> {
    name: String,
    blocks: Vec<&'f Block>,
}

/// All folders, and what was given from outside.
pub(super) struct Scopes<'f> {
    folders: Vec<Folder<'f>>,
    by_source: BTreeMap<SourceId, usize>,
    /// Values of files of variables: by name, the last that counts.
    values: BTreeMap<&'f str, &'f Expr>,
    /// Variables that the command line or the environment gives, and by what.
    outside: BTreeMap<String, String>,
}

/// Where an expression is read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'f, 'a> {
    /// The top-level block that it stands in.
    pub block: &'f Block,
    /// Whose instance it is.
    pub address: &'a Address,
}

impl<'f> Scopes<'f> {
    pub(super) fn new(
        files: &'f [File],
        modules: &'f BTreeMap<String, Arc<Vec<File>>>,
        values: &'f [Item],
        outside: BTreeMap<String, String>,
    ) -> Self {
        let mut scopes = Self { folders: Vec::new(), by_source: BTreeMap::new(), values: BTreeMap::new(), outside };
        let all =
            std::iter::once(("", files)).chain(modules.iter().map(|(name, files)| (name.as_str(), files.as_slice())));
        for (name, files) in all {
            for file in files {
                scopes.by_source.insert(file.source, scopes.folders.len());
            }
            let blocks = files.iter().flat_map(|file| &file.blocks).collect();
            scopes.folders.push(Folder { name: name.to_owned(), blocks });
        }
        for item in values {
            if let Item::Attribute(attribute) = item {
                scopes.values.insert(&attribute.name.text, &attribute.value);
            }
        }
        scopes
    }

    /// The attribute or block at a place, with the blocks around it, outermost first.
    pub(super) fn find(&self, span: Span) -> Option<(Vec<&'f Block>, &'f Item)> {
        let folder = self.folder(span.source)?;
        folder.blocks.iter().find_map(|block| find_expression(block, span))
    }

    /// The block with that header, with the blocks around it, outermost first.
    pub(super) fn block(&self, header: Span) -> Option<(Vec<&'f Block>, &'f Block)> {
        let folder = self.folder(header.source)?;
        if let Some(block) = folder.blocks.iter().find(|block| block.header == header) {
            return Some((Vec::new(), block));
        }
        let (around, item) = folder.blocks.iter().find_map(|block| find_expression(block, header))?;
        match item {
            Item::Block(block) => Some((around, block)),
            Item::Attribute(_) => None,
        }
    }

    fn folder(&self, source: SourceId) -> Option<&Folder<'f>> {
        self.folders.get(*self.by_source.get(&source)?)
    }

    /// Where else the value of an expression is written; none if it is written there.
    pub(super) fn follow(&self, expr: &'f Expr, reader: Reader<'f, '_>) -> Result<Option<&'f Expr>, Refused> {
        let Some(chain) = chain(expr) else { return Ok(None) };
        if !matches!(chain.root.as_str(), "local" | "var" | "each") {
            return Ok(None);
        }
        let Some(folder) = self.folder(expr.span.source) else {
            return Err(refused(expr, "it is read from outside of the configuration"));
        };
        let place = self.resolve(expr, &chain, folder, reader)?;
        Ok(Some(place))
    }

    fn resolve(
        &self,
        expr: &'f Expr,
        chain: &Chain,
        folder: &Folder<'f>,
        reader: Reader<'f, '_>,
    ) -> Result<&'f Expr, Refused> {
        let Some((Step::Key(name), rest)) = chain.steps.split_first() else {
            return Err(refused(expr, "it is computed"));
        };
        match chain.root.as_str() {
            "each" => {
                let within = outermost(reader.address);
                let key = within.key.as_ref().map(|key| key.0.as_str());
                let (Some(for_each), Some(key)) = (reader.block.attribute("for_each"), key) else {
                    return Err(refused(expr, "it is read from the instance of a module"));
                };
                if name != "value" {
                    return Err(refused(expr, "it is the key of an instance, which its name is made of"));
                }
                let mut uses = 0;
                expressions(reader.block, &mut |own| count(own, chain, &mut uses));
                Self::only(expr, uses, "`each.value`")?;
                let entry = self.entry(&for_each.value, key, reader)?;
                self.down(expr, entry, rest, reader)
            }
            "local" => {
                let mut found = folder.blocks.iter().filter(|block| block.keyword.text == "locals");
                let found = found.find_map(|block| block.attribute(name));
                let Some(local) = found else { return Err(refused(expr, "it is computed")) };
                Self::sole(expr, chain, folder)?;
                self.down(expr, &local.value, rest, reader)
            }
            _ => {
                Self::sole(expr, chain, folder)?;
                let value = self.variable(expr, name, folder)?;
                self.down(expr, value, rest, reader)
            }
        }
    }

    /// Where a variable gets its value.
    fn variable(&self, expr: &'f Expr, name: &str, folder: &Folder<'f>) -> Result<&'f Expr, Refused> {
        let default = || {
            let is = |block: &&&Block| {
                block.keyword.text == "variable" && block.labels.first().is_some_and(|label| label.text == name)
            };
            let block = folder.blocks.iter().find(is)?;
            Some(&block.attribute("default")?.value)
        };
        if folder.name.is_empty() {
            if let Some(by) = self.outside.get(name) {
                return Err(refused(expr, &format!("the variable `{name}` is given by {by}")));
            }
            let given = self.values.get(name).copied().or_else(default);
            return given.ok_or_else(|| refused(expr, "it is computed"));
        }
        let mut uses = Vec::new();
        for other in &self.folders {
            for block in other.blocks.iter().filter(|block| block.keyword.text == MODULE) {
                if modules::folder_of(block, &other.name).as_deref() == Some(folder.name.as_str()) {
                    uses.push(*block);
                }
            }
        }
        match uses.as_slice() {
            [block] if block.attribute("for_each").is_none() => {
                let argument = block.attribute(name).map(|attribute| &attribute.value);
                argument.or_else(default).ok_or_else(|| refused(expr, "it is computed"))
            }
            _ => Err(refused(expr, "several instances of a module read it")),
        }
    }

    /// The value of an entry of a map that is written out, here or elsewhere.
    fn entry(&self, map: &'f Expr, key: &str, reader: Reader<'f, '_>) -> Result<&'f Expr, Refused> {
        let map = match self.follow(map, reader)? {
            Some(place) => place,
            None => map,
        };
        match &map.kind {
            ExprKind::Parens(inner) => self.entry(inner, key, reader),
            ExprKind::Object(entries) => {
                let is = |own: &ObjectKey| match own {
                    ObjectKey::Name(name) => name.text == key,
                    ObjectKey::Expr(own) => plain_text(own).as_deref() == Some(key),
                };
                let found = entries.iter().find(|(own, _)| is(own)).map(|(_, value)| value);
                found.ok_or_else(|| refused(map, "its entry is computed"))
            }
            _ => Err(refused(map, "its entries are not written out")),
        }
    }

    /// Takes the element of a `for_each` out that one instance is of.
    pub(super) fn without_instance(
        &self,
        for_each: &'f Expr,
        key: &str,
        reader: Reader<'f, '_>,
        sources: &SourceMap,
    ) -> Result<Vec<Edit>, Refused> {
        let place = self.follow(for_each, reader)?.unwrap_or(for_each);
        let stays: Vec<bool> = match &place.kind {
            ExprKind::Parens(inner) => return self.without_instance(inner, key, reader, sources),
            ExprKind::List(items) => items.iter().map(|item| plain_text(item).as_deref() != Some(key)).collect(),
            ExprKind::Call(name, arguments) if name.text == "toset" => match arguments.as_slice() {
                [only] => return self.without_instance(&only.value, key, reader, sources),
                _ => return Err(refused(place, "its entries are not written out")),
            },
            ExprKind::Object(entries) => entries
                .iter()
                .map(|(own, _)| match own {
                    ObjectKey::Name(name) => name.text != key,
                    ObjectKey::Expr(own) => plain_text(own).as_deref() != Some(key),
                })
                .collect(),
            _ => return Err(refused(place, "its entries are not written out")),
        };
        if stays.iter().filter(|stays| !**stays).count() != 1 {
            return Err(refused(place, "its entries are not written out"));
        }
        Ok(crate::edit::take_out(sources, place, &stays))
    }

    fn down(
        &self,
        expr: &'f Expr,
        from: &'f Expr,
        steps: &[Step],
        reader: Reader<'f, '_>,
    ) -> Result<&'f Expr, Refused> {
        let mut at = from;
        for step in steps {
            let Step::Key(key) = step else { return Err(refused(expr, "it is computed")) };
            at = self.entry(at, key, reader)?;
        }
        Ok(at)
    }

    /// Refuses what something else reads, too.
    fn sole(expr: &'f Expr, chain: &Chain, folder: &Folder<'f>) -> Result<(), Refused> {
        let mut uses = 0;
        for block in &folder.blocks {
            expressions(block, &mut |own| count(own, chain, &mut uses));
        }
        let name = match chain.steps.first() {
            Some(Step::Key(name)) => format!("`{}.{name}`", chain.root),
            _ => format!("`{}`", chain.root),
        };
        Self::only(expr, uses, &name)
    }

    fn only(expr: &'f Expr, uses: usize, name: &str) -> Result<(), Refused> {
        if uses <= 1 { Ok(()) } else { Err(refused(expr, &format!("{name} is read in {uses} places"))) }
    }

    /// The blocks that refer to a declared resource, by their headers.
    pub(super) fn referring(&self, source: SourceId, kind: &str, name: &str) -> Vec<&'f Block> {
        let Some(folder) = self.folder(source) else { return Vec::new() };
        let refers = |block: &&&Block| {
            let mut found = false;
            expressions(block, &mut |own| {
                below(own, &mut |part| {
                    found |= chain(part).is_some_and(|chain| {
                        chain.root == kind && chain.steps.first() == Some(&Step::Key(name.to_owned()))
                    });
                });
            });
            found
        };
        folder.blocks.iter().filter(refers).copied().collect()
    }
}

/// The resource whose block stands at the top.
pub(super) fn outermost(address: &Address) -> &Address {
    address.within.as_deref().map_or(address, outermost)
}

/// Counts chains that read the same, or more or less of it.
fn count(expr: &Expr, wanted: &Chain, uses: &mut usize) {
    below(expr, &mut |part| {
        let Some(own) = chain(part).filter(|own| own.root == wanted.root) else { return };
        let mut steps = own.steps.iter().zip(&wanted.steps);
        if steps.all(|(own, wanted)| own == wanted || *own == Step::Computed || *wanted == Step::Computed) {
            *uses += 1;
        }
    });
}

fn refused(expr: &Expr, why: &str) -> Refused {
    Refused { span: expr.span, why: why.to_owned() }
}
