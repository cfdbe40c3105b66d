//! The intent `workload`: one block that stands for an identity, a federated credential, a service account, grants and secret provider
//! classes. The parts are made as syntax (`workload/parts.rs`) and then evaluated as if an author had written them, so that nothing holds
//! for them that does not hold for every block; their places are the workload's. Not their text: `expand.rs`.

mod form;
pub(crate) mod make;
pub(crate) mod namespace;
mod parts;

use std::sync::Arc;

use akson_catalog::{Address, InstanceKey, SymbolicId, Type};
use akson_diagnostics::{Diagnostic, Span};
use akson_parser::ast::{Block, Expr};
use indexmap::IndexMap;

use crate::{
    codes,
    eval::{Binding, BlockState, Evaluator, Scope, Slot, Want},
    model::Stack,
    names::{Declared, WORKLOAD},
    val::{Entries, Pointed, Val},
};
use form::{Form, Given};
use make::Make;
use namespace::Named;
pub(crate) use parts::{IDENTITY, Part, TARGET};
use parts::{Parts, Shape, VaultName};

/// The kinds that a catalog must have, so that a workload can be expanded.
pub(crate) const KINDS: &[&str] = &[
    "cluster",
    "vault",
    "secret",
    "identity",
    "federated_credential",
    "service_account",
    "grant",
    "secret_provider_class",
];

/// What a workload has become: enough to write it as blocks.
pub(crate) struct Expansion {
    /// Its place among the declared blocks.
    pub at: usize,
    /// The parts that each instance has once.
    pub parts: Vec<Part>,
    /// The block of a grant.
    pub grant: Part,
    /// Each grant: the workload's key, its own, and what it is on.
    pub targets: Vec<(Option<Arc<str>>, String, Expr)>,
    /// The identity, if it is one that is declared elsewhere.
    pub identity: Option<Expr>,
    /// Whether the block has `for_each`.
    pub keyed: bool,
    /// Namespaces that it brings along, by name.
    pub namespaces: Vec<(String, Block)>,
    /// Each key stands for itself: `for_each` is a list or a set.
    pub keys_are_values: bool,
    /// Whether any instance exists.
    pub there: bool,
}

type Each = Option<(Arc<str>, (Val, Val))>;

/// What an instance refers to.
struct Facts {
    cluster: Arc<Pointed>,
    /// Of each mount, the secrets.
    mounts: Vec<Vec<Arc<Pointed>>>,
    namespace_is_resource: bool,
    /// The namespace's name, if it is given as text.
    namespace: Option<Arc<str>>,
    account_is_resource: bool,
}

enum Found {
    Excluded,
    Poisoned,
    There(Facts),
}

impl Evaluator<'_> {
    /// Evaluates a workload into the instances of its parts.
    pub(crate) fn workload(&mut self, at: usize, cyclic: bool, stack: &Stack) -> BlockState {
        let names = self.names;
        let Some(declared) = names.resources.get(at) else { return BlockState::Poisoned };
        self.sink.address = Some(self.title(WORKLOAD, declared.name));
        let state = match form::read(&mut self.sink, declared.block) {
            Some(form) if !cyclic => self.expanded(at, declared.name, &form, stack),
            _ => BlockState::Poisoned,
        };
        self.sink.address = None;
        state
    }

    fn expanded(&mut self, at: usize, name: &str, form: &Form<'_>, stack: &Stack) -> BlockState {
        let for_each = form.block.attribute("for_each");
        let keys: Vec<Each> = match for_each {
            Some(attribute) => match self.keys(&attribute.value) {
                Some(keys) => keys.into_iter().map(Some).collect(),
                None => return BlockState::Poisoned,
            },
            None => vec![None],
        };
        let found: Vec<Found> = keys.iter().map(|each| self.found(form, each.as_ref())).collect();
        let shape = self.parts_shape(form, &found);
        let catalog = self.catalog;
        let maker = Parts { form, shape: &shape, catalog, label: name };
        let (parts, grant) = (maker.all(), maker.grant());
        let mut expansion = Expansion {
            at,
            parts,
            grant,
            targets: Vec::new(),
            identity: match form.identity {
                Some(Given::Value(value)) => Some(value.clone()),
                _ => None,
            },
            keyed: for_each.is_some(),
            namespaces: Vec::new(),
            keys_are_values: keys.iter().flatten().all(|(key, (_, value))| match value.plain() {
                Val::Text(value) => value == key,
                _ => false,
            }),
            there: found.iter().any(|found| matches!(found, Found::There(_))),
        };
        let mut all = Entries::new();
        let mut excluded = Vec::new();
        let mut single = BlockState::Poisoned;
        for (each, found) in keys.iter().zip(found) {
            let value = match found {
                Found::There(facts) => self.made(at, name, form, &mut expansion, each.as_ref(), &facts, stack),
                Found::Poisoned => Val::Poison,
                Found::Excluded => {
                    match each {
                        Some((key, _)) => excluded.push(Arc::clone(key)),
                        None => single = BlockState::Excluded,
                    }
                    continue;
                }
            };
            match each {
                Some((key, _)) => {
                    all.insert(Arc::clone(key), value);
                }
                None if value.is_poison() => {}
                None => single = BlockState::Intent { value, excluded: Vec::new() },
            }
        }
        // Those of modules stand in the modules' files.
        if self.at == 0 {
            self.expansions.push(expansion);
        }
        if for_each.is_some() { BlockState::Intent { value: Val::map(all), excluded } } else { single }
    }

    /// What one instance refers to, as far as it decides which parts there are.
    fn found(&mut self, form: &Form<'_>, each: Option<&(Arc<str>, (Val, Val))>) -> Found {
        let scope = Scope { each: each.map(|(_, each)| each), ..Scope::default() };
        match self.when(form.block, &scope) {
            Some(true) => {}
            Some(false) => return Found::Excluded,
            None => return Found::Poisoned,
        }
        let cluster = self.eval(form.cluster, Want::Of(&resource("cluster"), None), &scope);
        let namespace = self.eval(form.namespace, Want::Free, &scope);
        let (account, declared) = match form.account {
            Given::Value(value) => (self.eval(value, Want::Free, &scope), true),
            Given::Block(_) => (Val::text(""), false),
        };
        let mut mounts = Vec::with_capacity(form.mounts.len());
        let mut sound = true;
        for mount in &form.mounts {
            match self.mounted(mount, &scope) {
                Some(secrets) => mounts.push(secrets),
                None => sound = false,
            }
        }
        let cluster = match cluster.plain() {
            Val::Ref(pointed) => Some(Arc::clone(pointed)),
            Val::Poison => None,
            _ => {
                self.sink.report(
                    Diagnostic::error(codes::WRONG_KIND, "a declared cluster is wanted here, not an id")
                        .at(form.cluster.span, "")
                        .note("the credential trusts the issuer that the cluster tells")
                        .help("declare it, as `existing cluster` if it is not yours, and refer to it"),
                );
                None
            }
        };
        let of_kind = |value: &Val, kind: &str| match value.plain() {
            Val::Ref(pointed) => pointed.reference.kind == kind,
            _ => false,
        };
        match cluster {
            Some(cluster) if sound && !namespace.is_poison() && !account.is_poison() => Found::There(Facts {
                cluster,
                mounts,
                namespace_is_resource: of_kind(&namespace, "namespace"),
                namespace: match namespace.plain() {
                    Val::Text(name) => Some(Arc::clone(name)),
                    _ => None,
                },
                account_is_resource: declared && of_kind(&account, "service_account"),
            }),
            _ => Found::Poisoned,
        }
    }

    /// The secrets of a mount. None if they are wrong, which was reported.
    fn mounted(&mut self, mount: &form::Mount<'_>, scope: &Scope<'_>) -> Option<Vec<Arc<Pointed>>> {
        let secrets = Type::List(Box::new(resource("secret")));
        let value = self.eval(mount.secrets, Want::Of(&secrets, None), scope);
        let secrets = self.declared_secrets(&value, mount.secrets.span)?;
        if secrets.is_empty() {
            self.sink.report(
                Diagnostic::error(codes::MISSING_ATTRIBUTES, "a mount needs a secret at least")
                    .at(mount.secrets.span, "")
                    .help("name one, or remove the `mount` block"),
            );
            return None;
        }
        let mut vaults: Vec<SymbolicId> =
            secrets.iter().filter_map(|secret| self.vault_of(secret)).map(|(id, _)| id).collect();
        vaults.sort();
        vaults.dedup();
        if vaults.len() > 1 {
            self.sink.report(
                Diagnostic::error(codes::WRONG_KIND, "the secrets of one mount lie in one vault, and these do not")
                    .at(mount.secrets.span, "")
                    .note("a secret provider class names one vault")
                    .help("write a mount for each vault: `mount \"name\" { … }`"),
            );
            return None;
        }
        let Some(sync) = mount.sync else { return Some(secrets) };
        let of = Type::Map(Box::new(Type::Map(Box::new(resource("secret")))));
        let value = self.eval(sync, Want::Of(&of, None), scope);
        let mut copied = Vec::new();
        let Val::Map(objects) = value.plain() else { return None };
        for keys in objects.entries.values() {
            let Val::Map(keys) = keys.plain() else { return None };
            copied.extend(keys.entries.values().cloned());
        }
        let copied = self.declared_secrets(&Val::list(copied), sync.span)?;
        for copy in copied {
            let same = |secret: &Arc<Pointed>| secret.reference.symbolic_id == copy.reference.symbolic_id;
            if !secrets.iter().any(same) {
                self.sink.report(
                    Diagnostic::error(
                        codes::UNKNOWN_NAME,
                        format!("`{}` is copied and not mounted", copy.reference.address),
                    )
                    .at(sync.span, "")
                    .also(mount.secrets.span, "what is mounted")
                    .note("the driver copies what a pod mounts and nothing else")
                    .help("add it to `secrets`"),
                );
                return None;
            }
        }
        Some(secrets)
    }

    fn declared_secrets(&mut self, value: &Val, span: Span) -> Option<Vec<Arc<Pointed>>> {
        let Val::List(list) = value.plain() else { return None };
        let mut secrets = Vec::with_capacity(list.items.len());
        for item in &list.items {
            match item.plain() {
                Val::Ref(pointed) => secrets.push(Arc::clone(pointed)),
                Val::Poison => return None,
                _ => {
                    self.sink.report(
                        Diagnostic::error(codes::WRONG_KIND, "a declared secret is wanted here, not an id")
                            .at(span, "")
                            .help("declare it, as `existing secret` if it is not yours, and refer to it"),
                    );
                    return None;
                }
            }
        }
        Some(secrets)
    }

    /// The vault that a secret lies in: what it is, and its value.
    fn vault_of(&self, secret: &Pointed) -> Option<(SymbolicId, Val)> {
        let (value, _) = self.instance_of(secret)?.value("vault")?;
        match value.plain() {
            Val::Ref(pointed) => Some((pointed.reference.symbolic_id.clone(), value.clone())),
            Val::Text(id) => Some((SymbolicId::of_arm(&akson_catalog::ArmId::new(&**id)), value.clone())),
            _ => None,
        }
    }

    fn parts_shape(&self, form: &Form<'_>, found: &[Found]) -> Shape {
        let facts: Vec<&Facts> = found
            .iter()
            .filter_map(|found| match found {
                Found::There(facts) => Some(facts),
                _ => None,
            })
            .collect();
        let vaults = (0..form.mounts.len())
            .map(|at| {
                let mut of_mount: Vec<(SymbolicId, Val)> =
                    facts.iter().filter_map(|facts| self.vault_of(facts.mounts.get(at)?.first()?)).collect();
                of_mount.dedup_by(|left, right| left.0 == right.0);
                match of_mount.as_slice() {
                    [(_, value)] => match value.plain() {
                        // One of another module has no name here.
                        Val::Ref(pointed) if pointed.reference.address.modules == self.path() => {
                            VaultName::Same(pointed.reference.address.clone())
                        }
                        Val::Text(id) => VaultName::Id(id.to_string()),
                        _ => VaultName::OfSecret,
                    },
                    _ => VaultName::OfSecret,
                }
            })
            .collect();
        Shape {
            located: !facts.is_empty()
                && facts.iter().all(|facts| {
                    self.instance_of(&facts.cluster).is_some_and(|cluster| cluster.value("location").is_some())
                }),
            namespace_is_resource: facts.iter().any(|facts| facts.namespace_is_resource),
            account_is_resource: facts.iter().any(|facts| facts.account_is_resource),
            vaults,
        }
    }

    /// Evaluates the parts of one instance. Its parts and outputs by name.
    #[expect(clippy::too_many_arguments, reason = "the block, what it expands to, and the instance")]
    fn made(
        &mut self,
        at: usize,
        name: &str,
        form: &Form<'_>,
        expansion: &mut Expansion,
        each: Option<&(Arc<str>, (Val, Val))>,
        facts: &Facts,
        stack: &Stack,
    ) -> Val {
        let place = Place { at, name, key: each.map(|(key, _)| key) };
        if let Some(namespace) = &facts.namespace {
            let (cluster, namespace) = (Arc::clone(&facts.cluster), Arc::clone(namespace));
            self.named.push(Named { at, key: each.map(|(key, _)| Arc::clone(key)), cluster, namespace });
        }
        let scope = Scope { each: each.map(|(_, each)| each), ..Scope::default() };
        let mut value: IndexMap<Arc<str>, Val> = IndexMap::new();
        let mut identity = match &expansion.identity {
            Some(expr) => self.eval(expr, Want::Of(&resource("identity"), None), &scope),
            None => Val::Poison,
        };
        let parts = expansion.parts.clone();
        for part in &parts {
            let binding = Binding { name: IDENTITY, value: identity.clone(), outer: None };
            let scope = Scope { binding: Some(&binding), ..scope };
            let made = self.part(&place, part, part.key.as_deref(), &scope, stack);
            if part.name == "identity" {
                identity = made.clone();
            }
            put(&mut value, part.name, part.key.as_deref(), made);
        }
        let mut grants = Entries::new();
        for (key, target) in self.targets(form, facts) {
            let make = Make { span: form.header() };
            let written = match target.plain() {
                // One of another module has no name here, but an id.
                Val::Ref(pointed) => match &pointed.reference.id {
                    Some(id) if pointed.reference.address.modules != self.path() => make.text(id),
                    _ => make.address(&pointed.reference.address),
                },
                Val::Text(id) => make.text(id),
                _ => continue,
            };
            let outer = Binding { name: IDENTITY, value: identity.clone(), outer: None };
            let binding = Binding { name: TARGET, value: target, outer: Some(&outer) };
            let scope = Scope { binding: Some(&binding), ..scope };
            let made = self.part(&place, &expansion.grant, Some(&key), &scope, stack);
            grants.insert(Arc::from(key.as_str()), made);
            expansion.targets.push((each.map(|(key, _)| Arc::clone(key)), key, written));
        }
        value.insert(Arc::from("identity"), identity.clone());
        value.insert(Arc::from("grant"), Val::map(grants));
        let make = Make { span: form.header() };
        for output in ["client_id", "principal_id"] {
            let told = match identity.plain() {
                Val::Ref(pointed) => self.told(pointed, &make.name(output)),
                _ => Val::Poison,
            };
            value.insert(Arc::from(output), told);
        }
        Val::map(value)
    }

    /// Evaluates one part as a block of its own.
    fn part(&mut self, place: &Place<'_>, part: &Part, key: Option<&str>, scope: &Scope<'_>, stack: &Stack) -> Val {
        let Some(kind) = self.catalog.get(part.name).cloned() else { return Val::Poison };
        let plan = self.plan(&kind, &part.block);
        let above = match place.key {
            Some(key) => format!("{WORKLOAD}.{}{}", place.name, InstanceKey(key.to_string())),
            None => format!("{WORKLOAD}.{}", place.name),
        };
        let address = Address {
            within: None,
            modules: self.path().to_vec(),
            kind: above,
            name: part.name.to_owned(),
            key: key.map(|key| InstanceKey(key.to_owned())),
        };
        let declared =
            Declared { block: &part.block, kind: Some(Arc::clone(&kind)), keyword: part.name, name: place.name };
        match self.instance(place.at, &declared, &kind, address, &plan, scope, stack) {
            Slot::Exists(instance) => self.pointed(instance).map_or(Val::Poison, Val::Ref),
            Slot::Excluded | Slot::Poisoned => Val::Poison,
        }
    }

    /// What is granted on: each vault or each secret once, under a name.
    fn targets(&self, form: &Form<'_>, facts: &Facts) -> Vec<(String, Val)> {
        if form.without_grant {
            return Vec::new();
        }
        let mut targets: IndexMap<SymbolicId, (String, Val)> = IndexMap::new();
        for secret in facts.mounts.iter().flatten() {
            let Some((vault, value)) = self.vault_of(secret) else { continue };
            let vault_name = vault.as_str().rsplit('/').next().unwrap_or_default().to_owned();
            if form.on_secrets {
                let name = self.instance_of(secret).and_then(|secret| secret.name.clone()).unwrap_or_default();
                let target = Val::Ref(Arc::clone(secret));
                targets.entry(secret.reference.symbolic_id.clone()).or_insert((format!("{vault_name}/{name}"), target));
            } else {
                targets.entry(vault).or_insert((vault_name, value));
            }
        }
        targets.into_values().collect()
    }
}

/// Which instance of which workload.
struct Place<'p> {
    at: usize,
    name: &'p str,
    key: Option<&'p Arc<str>>,
}

fn resource(kind: &str) -> Type {
    Type::Resource(vec![kind.to_owned()])
}

/// Puts a part in its place: one of several below its key.
fn put(value: &mut IndexMap<Arc<str>, Val>, name: &str, key: Option<&str>, made: Val) {
    let Some(key) = key else {
        value.insert(Arc::from(name), made);
        return;
    };
    let mut entries = match value.get(name).map(Val::plain) {
        Some(Val::Map(map)) => map.entries.clone(),
        _ => Entries::new(),
    };
    entries.insert(Arc::from(key), made);
    value.insert(Arc::from(name), Val::map(entries));
}
