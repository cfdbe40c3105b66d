//! One workload written as blocks: under which labels its parts stand, and what others write for a reference to it.

use akson_parser::ast::{Block, Expr, ExprKind, Item};

use super::rewrite;
use crate::workload::{Expansion, IDENTITY, Part, TARGET, make::Make};

/// A workload with the labels of its parts.
pub(super) struct Written<'w> {
    pub expansion: &'w Expansion,
    pub block: &'w Block,
    /// The label of its parts.
    pub label: String,
    /// The local that stands for the workload as a whole.
    pub local: String,
}

impl Written<'_> {
    fn make(&self) -> Make {
        Make { span: self.block.header }
    }

    fn for_each(&self) -> Option<&Expr> {
        self.block.attribute("for_each").map(|attribute| &attribute.value)
    }

    /// The label of a part; mounts have one each.
    pub(super) fn label_of(&self, part: &Part) -> String {
        match &part.key {
            Some(key) => format!("{}_{key}", self.label),
            None => self.label.clone(),
        }
    }

    /// A part as others refer to it; with `for_each` one of its instances.
    fn part(&self, kind: &str, label: &str, key: Option<&Expr>) -> Expr {
        let make = self.make();
        let base = make.member(&make.word(kind), label);
        match key {
            Some(key) => make.index(&base, key.clone()),
            None => base,
        }
    }

    /// The identity, for the instance of that key.
    fn identity(&self, key: Option<&Expr>) -> Expr {
        match (&self.expansion.identity, key) {
            (Some(own), Some(key)) => self.for_key(own, key),
            (Some(own), None) => own.clone(),
            (None, key) => self.part("identity", &self.label, key),
        }
    }

    /// An expression of the workload where `each` is something else: with its own key in its place.
    fn for_key(&self, from: &Expr, key: &Expr) -> Expr {
        let make = self.make();
        let value = match self.for_each() {
            Some(all) if !self.expansion.keys_are_values => make.index(all, key.clone()),
            _ => key.clone(),
        };
        rewrite::expr(from, &mut |part| match each_of(part)? {
            "key" => Some(key.clone()),
            "value" => Some(value.clone()),
            _ => None,
        })
    }

    /// What stands for a reference into this workload. None if it is none that has a name of its own: the local stands for it.
    pub(super) fn member(&self, key: Option<&Expr>, member: &str) -> Option<Expr> {
        if key.is_some() != self.expansion.keyed {
            return None;
        }
        match member {
            "identity" => Some(self.identity(key)),
            "client_id" | "principal_id" => Some(self.make().member(&self.identity(key), member)),
            "federated_credential" | "service_account" | "secret_provider_class" => {
                let part = self.expansion.parts.iter().find(|part| part.name == member && part.key.is_none())?;
                Some(self.part(member, &self.label_of(part), key))
            }
            _ => None,
        }
    }

    /// The blocks of the parts.
    pub(super) fn blocks(&self) -> Vec<Block> {
        if !self.expansion.there {
            return Vec::new();
        }
        let make = self.make();
        let each_key = make.member(&make.word("each"), "key");
        let key = self.expansion.keyed.then_some(&each_key);
        let identity = self.identity(key);
        let mut blocks: Vec<Block> = self
            .expansion
            .parts
            .iter()
            .map(|part| {
                let mut block = filled(&part.block, &identity, None);
                block.labels = vec![make.name(&self.label_of(part))];
                let meta = ["for_each", "when"].into_iter().filter_map(|word| self.block.attribute(word));
                block.body.splice(0..0, meta.cloned().map(Item::Attribute));
                block
            })
            .collect();
        blocks.extend(self.grants());
        blocks.extend(self.expansion.namespaces.iter().map(|(name, block)| {
            let mut block = block.clone();
            block.labels = vec![make.name(&super::label_of_namespace(self.expansion, &self.label, name))];
            block
        }));
        blocks
    }

    fn grants(&self) -> Option<Block> {
        let make = self.make();
        let each = |member: &str| make.member(&make.word("each"), member);
        let when = self.block.attribute("when").cloned().map(Item::Attribute);
        let template = &self.expansion.grant.block;
        let mut block = match self.expansion.targets.as_slice() {
            [] => return None,
            [(None, _, target)] => {
                let mut block = filled(template, &self.identity(None), Some(target));
                block.body.splice(0..0, when);
                block
            }
            targets if !self.expansion.keyed => {
                let all = make.object(targets.iter().map(|(_, key, target)| (key.as_str(), target.clone())).collect());
                let mut block = filled(template, &self.identity(None), Some(&each("value")));
                block.body.splice(0..0, [make.attribute("for_each", all)].into_iter().chain(when));
                block
            }
            targets => {
                let entries: Vec<(String, Expr)> = targets
                    .iter()
                    .map(|(of, key, target)| {
                        let of = of.as_deref().unwrap_or_default();
                        let entry = make.object(vec![("workload", make.text(of)), ("on", target.clone())]);
                        (format!("{of}/{key}"), entry)
                    })
                    .collect();
                let all = make.object(entries.iter().map(|(key, entry)| (key.as_str(), entry.clone())).collect());
                let own = make.member(&each("value"), "workload");
                let template = rewritten(template, |part| {
                    matches!(each_of(part), Some("key" | "value")).then(|| self.for_key(part, &own))
                });
                let identity = self.identity(Some(&own));
                let mut block = filled(&template, &identity, Some(&make.member(&each("value"), "on")));
                block.body.insert(0, make.attribute("for_each", all));
                block
            }
        };
        block.labels = vec![make.name(&self.label)];
        Some(block)
    }

    /// `locals { … }` with the workload as a whole: its parts and outputs by name.
    pub(super) fn whole(&self) -> Block {
        let make = self.make();
        let value = if self.expansion.keyed {
            let key = make.word("key");
            let credentials = self.part("federated_credential", &self.label, None);
            let members = self.members(Some(&key));
            make.walk(Some("key"), "credential", credentials, (Some(key.clone()), members), None)
        } else {
            self.members(None)
        };
        make.block("locals", None, vec![make.attribute(&self.local, value)])
    }

    fn members(&self, key: Option<&Expr>) -> Expr {
        let make = self.make();
        let mut members: Vec<(&str, Expr)> = vec![("identity", self.identity(key))];
        let mut mounts: Vec<(&str, Expr)> = Vec::new();
        for part in self.expansion.parts.iter().filter(|part| part.name != "identity") {
            let made = self.part(part.name, &self.label_of(part), key);
            match &part.key {
                Some(mount) => mounts.push((mount, made)),
                None => members.push((part.name, made)),
            }
        }
        if !mounts.is_empty() {
            members.push(("secret_provider_class", make.object(mounts)));
        }
        members.push(("grant", self.grant_members(key)));
        for output in ["client_id", "principal_id"] {
            members.push((output, make.member(&self.identity(key), output)));
        }
        make.object(members)
    }

    fn grant_members(&self, key: Option<&Expr>) -> Expr {
        let make = self.make();
        let grants = self.part("grant", &self.label, None);
        match (self.expansion.targets.as_slice(), key) {
            ([], _) => make.object(Vec::new()),
            ([(None, name, _)], None) => make.object(vec![(name, grants)]),
            (_, None) => grants,
            (_, Some(key)) => {
                let prefix = make.joined(&[key.clone(), make.text("/")]);
                let name = make.word("name");
                let own = make.call("trimprefix", vec![name.clone(), prefix.clone()]);
                let of_key = make.call("startswith", vec![name, prefix]);
                make.walk(Some("name"), "made", grants, (Some(own), make.word("made")), Some(of_key))
            }
        }
    }
}

/// The block with what no author can write replaced.
fn filled(block: &Block, identity: &Expr, target: Option<&Expr>) -> Block {
    rewritten(block, |part| match &part.kind {
        ExprKind::Word(name) if name.text == IDENTITY => Some(identity.clone()),
        ExprKind::Word(name) if name.text == TARGET => target.cloned(),
        _ => None,
    })
}

fn rewritten(block: &Block, mut with: impl FnMut(&Expr) -> Option<Expr>) -> Block {
    rewrite::block(block, &mut with)
}

/// `key` of `each.key`, `value` of `each.value`.
fn each_of(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Field(base, name) if matches!(&base.kind, ExprKind::Word(root) if root.text == "each") => {
            Some(&name.text)
        }
        _ => None,
    }
}
