//! Blocks that differ in one value as one block with `for_each`: three or more of one keyword, whose name alone differs, or the name and one
//! more value, or of what has no name one value. References to them follow. What it comes to is evaluated both ways, and kept only if
//! it declares the same; where it would read worse than the blocks it is not tried: blocks in blocks, values that are long, `existing`.

mod shape;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use akson_catalog::{
    Catalog, Kind,
    kind::{NameFrom, Role},
};
use akson_diagnostics::{Diagnostics, SourceMap};
use akson_parser::{ast::Block, print_block};

use super::nowhere;
use crate::{Config, Inputs, names::WORKLOAD, workload::make::Make};
use shape::{Leaf, leaves, replace, value_of};

/// Fewer are not worth it.
const LEAST: usize = 3;
/// The words that such a block is about, when it has no better name.
const META: [&str; 2] = ["stack", "resource"];

/// Where blocks have gone: keyword and label to the new label and the key.
pub(super) type Moved = BTreeMap<(String, String), (String, String)>;

/// A block that is a part of another now: its place, its label and its key there.
type Gone = (usize, String, String);

/// A block that could be one of several.
struct Candidate {
    at: usize,
    label: String,
    /// Its name, if its kind has one.
    name: Option<String>,
    leaves: Vec<Leaf>,
    /// Of each leaf, what tells it by its value, and what by its place and sort alone.
    hashes: Vec<(u64, u64)>,
    /// Of all of them by their values, in whatever order they are taken.
    whole: u64,
}

/// What some blocks have in common.
struct Fold {
    members: Vec<usize>,
    /// Which leaf differs beside the name.
    differs: Option<usize>,
}

/// The blocks with what repeats folded, and where the folded ones have gone.
pub(super) fn fold(blocks: &[Block], catalog: &Catalog) -> (Vec<Block>, Moved) {
    let plain = (blocks.to_vec(), Moved::new());
    let (folded, moved) = folded(blocks, catalog);
    if moved.is_empty() {
        return plain;
    }
    let same = match (evaluated(blocks, catalog), evaluated(&folded, catalog)) {
        (Some(one), Some(other)) => declares(&one) == declares(&other),
        _ => false,
    };
    if same { (folded, moved) } else { plain }
}

fn folded(blocks: &[Block], catalog: &Catalog) -> (Vec<Block>, Moved) {
    let mut by_keyword: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, block) in blocks.iter().enumerate() {
        if block.existing.is_none() && !META.contains(&block.keyword.text.as_str()) {
            by_keyword.entry(&block.keyword.text).or_default().push(at);
        }
    }
    let (mut moved, mut made) = (Moved::new(), HashMap::new());
    let mut gone = BTreeSet::new();
    for (keyword, all) in by_keyword {
        let kind = catalog.get(keyword).map(AsRef::as_ref);
        let mut taken: BTreeSet<String> = all.iter().filter_map(|at| label(blocks.get(*at)?)).collect();
        let mut open: Vec<Candidate> =
            all.iter().filter_map(|at| candidate(*at, blocks.get(*at)?, keyword, kind)).collect();
        while let Some(fold) = best(&open) {
            let members: Vec<&Candidate> = fold.members.iter().filter_map(|at| open.get(*at)).collect();
            let Some((block, keys)) = block_of(&members, fold.differs, blocks, keyword, kind, &mut taken) else {
                // What cannot be said so stays as it is.
                let first = fold.members.first().copied().unwrap_or_default();
                open.remove(first);
                continue;
            };
            let new = label(&block).unwrap_or_default();
            for (at, label, key) in keys {
                moved.insert((keyword.to_owned(), label), (new.clone(), key));
                gone.insert(at);
            }
            if let Some(first) = members.first() {
                made.insert(first.at, block);
            }
            let places: BTreeSet<usize> = fold.members.iter().copied().collect();
            let mut place = 0;
            open.retain(|_| {
                place += 1;
                !places.contains(&(place - 1))
            });
        }
    }
    let mut folded = Vec::with_capacity(blocks.len());
    for (at, block) in blocks.iter().enumerate() {
        match made.remove(&at) {
            Some(block) => folded.push(block),
            None if gone.contains(&at) => {}
            None => folded.push(block.clone()),
        }
    }
    for block in &mut folded {
        shape::redirect(block, &moved);
    }
    (folded, moved)
}

fn label(block: &Block) -> Option<String> {
    block.labels.last().map(|label| label.text.clone())
}

/// The attribute that says a name.
fn name_of<'k>(keyword: &str, kind: Option<&'k Kind>) -> Option<&'k str> {
    if keyword == WORKLOAD {
        return Some("service_account");
    }
    kind?.attributes.values().find(|attribute| attribute.role == Role::Name).map(|attribute| attribute.name.as_str())
}

fn candidate(at: usize, block: &Block, keyword: &str, kind: Option<&Kind>) -> Option<Candidate> {
    let label = label(block)?;
    let named = name_of(keyword, kind);
    let written = named.and_then(|name| block.attribute(name));
    let by_label = kind.is_some_and(|kind| kind.name_from == NameFrom::Label);
    let name = match written {
        Some(attribute) => Some(value_of(&attribute.value)?),
        None if by_label => Some(label.clone()),
        None => None,
    };
    // Blocks of kinds of their own have references of their own.
    let nested = kind.is_some_and(|kind| {
        block.body.iter().any(|item| match item {
            akson_parser::ast::Item::Block(inner) => kind.blocks.contains_key(&inner.keyword.text),
            akson_parser::ast::Item::Attribute(_) => false,
        })
    });
    let leaves = leaves(block, named, name.as_deref());
    let own = leaves.iter().any(|leaf| leaf.text.contains(&format!("{keyword}.")));
    let hashes: Vec<(u64, u64)> = leaves
        .iter()
        .enumerate()
        .map(|(at, leaf)| (hash(&(at, &leaf.path, &leaf.text)), hash(&(at, &leaf.path, leaf.sort, "sort"))))
        .collect();
    let whole = hashes.iter().fold(hash(&(leaves.len(), name.is_some())), |whole, (own, _)| whole.wrapping_add(*own));
    (!nested && !own).then_some(Candidate { at, label, name, leaves, hashes, whole })
}

/// The same in every run: no output follows it, but what is tried first does.
fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The largest group that differs in one value; of several the one that differs least.
fn best(open: &[Candidate]) -> Option<Fold> {
    let mut best: Option<Fold> = None;
    let most = open.iter().map(|candidate| candidate.leaves.len()).max().unwrap_or(0);
    for differs in std::iter::once(None).chain((0..most).map(Some)) {
        let mut groups: HashMap<u64, Vec<usize>> = HashMap::new();
        for (place, candidate) in open.iter().enumerate() {
            // Without a name something must tell them apart.
            let key = match differs {
                None => candidate.name.is_some().then_some(candidate.whole),
                Some(at) => candidate
                    .hashes
                    .get(at)
                    .filter(|_| candidate.leaves.get(at).is_some_and(|leaf| leaf.is_short))
                    .map(|(own, sort)| candidate.whole.wrapping_sub(*own).wrapping_add(*sort)),
            };
            if let Some(key) = key {
                groups.entry(key).or_default().push(place);
            }
        }
        let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|members| members.len() >= LEAST).collect();
        groups.sort();
        for members in groups {
            if best.as_ref().is_none_or(|best| members.len() > best.members.len()) {
                best = Some(Fold { members, differs });
            }
        }
    }
    best
}

/// One block for all of them, and the place, label and key of each; none if the keys would not tell them apart.
fn block_of(
    members: &[&Candidate],
    differs: Option<usize>,
    blocks: &[Block],
    keyword: &str,
    kind: Option<&Kind>,
    taken: &mut BTreeSet<String>,
) -> Option<(Block, Vec<Gone>)> {
    let make = Make { span: nowhere() };
    let leaf_of = |member: &Candidate| differs.and_then(|at| member.leaves.get(at)).cloned();
    let keys: Option<Vec<String>> = members
        .iter()
        .map(|member| member.name.clone().or_else(|| leaf_of(member).and_then(|leaf| leaf.short_name())))
        .collect();
    let mut pairs: Vec<(&Candidate, String)> = members.iter().copied().zip(keys?).collect();
    pairs.sort_by(|one, other| one.1.cmp(&other.1));
    let (members, keys): (Vec<&Candidate>, Vec<String>) = pairs.into_iter().unzip();
    let distinct: BTreeSet<&String> = keys.iter().collect();
    if distinct.len() != keys.len() || keys.iter().any(|key| key.is_empty() || key.contains("${")) {
        return None;
    }
    let first = members.first()?;
    let mut block = blocks.get(first.at)?.clone();
    // A list will do where the value is the key.
    let listed = members.iter().zip(&keys).all(|(member, key)| match leaf_of(member) {
        None => true,
        Some(leaf) => value_of(&leaf.value).as_ref() == Some(key),
    });
    let each = |what: &str| make.member(&make.word("each"), what);
    if let Some(leaf) = leaf_of(first) {
        replace(&mut block, &leaf.path, &each(if listed { "key" } else { "value" }));
    }
    if first.name.is_some() {
        for leaf in first.leaves.iter().filter(|leaf| leaf.is_name) {
            replace(&mut block, &leaf.path, &each("key"));
        }
        let named = name_of(keyword, kind)?;
        if block.attribute(named).is_some() {
            replace(&mut block, named, &each("key"));
        } else {
            block.body.insert(0, make.attribute(named, each("key")));
        }
    }
    let over = if listed {
        make.list(keys.iter().map(|key| make.text(key)).collect())
    } else {
        let entries = members.iter().zip(&keys).map(|(member, key)| Some((key.as_str(), leaf_of(member)?.value)));
        make.object(entries.collect::<Option<_>>()?)
    };
    block.body.insert(0, make.attribute("for_each", over));
    for member in &members {
        taken.remove(&member.label);
    }
    let labels: Vec<&str> = members.iter().map(|member| member.label.as_str()).collect();
    let own = shape::common(&labels).unwrap_or_else(|| plural(keyword));
    let mut label = own.clone();
    let mut number = 2;
    while !taken.insert(label.clone()) {
        label = format!("{own}_{number}");
        number += 1;
    }
    if let Some(last) = block.labels.last_mut() {
        last.text = label;
    }
    let gone = members.iter().zip(keys).map(|(member, key)| (member.at, member.label.clone(), key));
    Some((block, gone.collect()))
}

fn plural(keyword: &str) -> String {
    match keyword.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{keyword}s"),
    }
}

fn evaluated(blocks: &[Block], catalog: &Catalog) -> Option<Config> {
    let text: Vec<String> = blocks.iter().map(print_block).collect();
    let (mut sources, mut diagnostics) = (SourceMap::new(), Diagnostics::new());
    let id = sources.add("import.aks", text.join("\n"));
    let file = akson_parser::parse(&sources, id, &mut diagnostics);
    let config = crate::evaluate(&[file], &sources, catalog, &Inputs::default(), &mut diagnostics);
    config.filter(|_| !diagnostics.has_errors())
}

/// What a configuration declares, whatever it is called there.
fn declares(config: &Config) -> BTreeSet<String> {
    let resources = config.resources.iter().map(|resource| {
        let leaves = resource.leaves.iter().map(|leaf| {
            let want = if leaf.want.has_holes() { "a hole".to_owned() } else { format!("{:?}", leaf.want) };
            format!("{} = {want}", leaf.pointer)
        });
        let leaves: Vec<String> = leaves.collect();
        let finders: Vec<String> = resource.finders.iter().map(|finder| finder.pointer.clone()).collect();
        format!("{} {} {leaves:?} {finders:?}", resource.symbolic_id, resource.kind.keyword)
    });
    resources.collect()
}

/// An address as it is after the folding: `identity.a` may be `identity.apps["a"]` now, with what stands behind it.
pub(super) fn address(address: &str, moved: &Moved) -> String {
    let mut steps = address.splitn(3, '.');
    let (Some(keyword), Some(label)) = (steps.next(), steps.next()) else { return address.to_owned() };
    match moved.get(&(keyword.to_owned(), label.to_owned())) {
        Some((new, key)) => {
            let rest = steps.next().map(|rest| format!(".{rest}")).unwrap_or_default();
            format!("{keyword}.{new}{}{rest}", akson_catalog::InstanceKey(key.clone()))
        }
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_the_plural() {
        assert_eq!(plural("identity"), "identities");
        assert_eq!(plural("grant"), "grants");
        assert_eq!(plural("federated_credential"), "federated_credentials");
    }

    #[test]
    fn addresses_follow() {
        let moved = Moved::from([(("identity".to_owned(), "a".to_owned()), ("apps".to_owned(), "a-1".to_owned()))]);
        assert_eq!(address("identity.a", &moved), "identity.apps[\"a-1\"]");
        assert_eq!(address("identity.a.x.y", &moved), "identity.apps[\"a-1\"].x.y");
        assert_eq!(address("identity.b", &moved), "identity.b");
    }
}
