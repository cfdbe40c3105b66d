//! Resource blocks to instances. Which attributes a block may have: `resources/body.rs`; which instances exist:
//! `resources/meta.rs`; what they tolerate:
//! `resources/tolerate.rs`; what an instance is: `resources/identity.rs`; what may not be there twice: `resources/unique.rs`; what its
//! attributes need of each other: `resources/rules.rs`; blocks in it that are resources too: `resources/nested.rs`.

pub(crate) mod body;
mod identity;
mod meta;
pub(crate) mod nested;
mod rules;
pub(crate) mod tolerate;
pub(crate) mod unique;

use std::sync::Arc;

use akson_catalog::{
    Address, ArmId, InstanceKey, Kind, SymbolicId, Value,
    encode::Context,
    kind::{Role, late::Finder},
};
use akson_diagnostics::{Diagnostic, Span};
use akson_parser::ast::{Block, Expr, ExprKind, Name};

use crate::{
    codes,
    eval::{BlockState, Evaluator, Instances, Omitted, Scope, Slot, Want},
    habits,
    model::{Dependency, Stack, Tolerance},
    names::Declared,
    resources::body::Written,
    sink::limits,
    val::{Entries, Pointed, Val},
};

/// One instance of a resource block, evaluated.
pub(crate) struct Instance {
    pub kind: Arc<Kind>,
    /// Place of its block among the declared ones of its module: the order of the source.
    pub block: usize,
    /// The instance of a module that it is declared in.
    pub frame: usize,
    pub existing: bool,
    pub pointed: Arc<Pointed>,
    pub name: Option<String>,
    pub id: Option<ArmId>,
    pub parent: Option<SymbolicId>,
    pub subscription: String,
    /// Its own or inherited location, with its origin.
    pub location: Option<(Val, Span)>,
    /// By path; nested blocks dotted.
    pub values: Vec<(String, Val, Span)>,
    pub dependencies: Vec<Dependency>,
    pub conflict_domain: Option<SymbolicId>,
    pub protect: bool,
    pub keep: bool,
    pub tolerated: Vec<Tolerance>,
    pub header: Span,
}

/// The attributes of one block, checked against its kind once for all instances.
pub(crate) struct Plan<'p> {
    pub written: Vec<Written<'p>>,
    /// Whether everything that decides what a resource is was written.
    pub whole: bool,
    /// The blocks in it that are resources of their own.
    pub nested: Vec<Nested<'p>>,
    /// Differences that are left as they are for a while.
    pub tolerated: Vec<Tolerance>,
}

/// A block in a resource's block that is a resource of its own: `node_pool "system"` in a cluster.
pub(crate) struct Nested<'p> {
    /// What it is called there.
    pub word: &'p str,
    pub label: &'p Name,
    pub block: &'p Block,
    pub kind: &'p Arc<Kind>,
    pub written: Vec<Written<'p>>,
    pub whole: bool,
    pub tolerated: Vec<Tolerance>,
}

impl Instance {
    pub(crate) fn address(&self) -> &Address {
        &self.pointed.reference.address
    }

    pub(crate) fn symbolic_id(&self) -> &SymbolicId {
        &self.pointed.reference.symbolic_id
    }

    /// The subscription that ids of roles are written below: that of what is granted on.
    pub(crate) fn role_subscription(&self) -> String {
        let within = self.parent.as_ref().map(|parent| ArmId::new(parent.as_str()));
        match within {
            Some(parent) => parent.subscription().map(str::to_owned).unwrap_or_default(),
            None => self.subscription.clone(),
        }
    }

    /// The id it is created at where that is made, and what an object must have to be this one.
    pub(crate) fn sought(
        &self,
        attributes: &[(String, Value, Span)],
        context: &Context,
    ) -> (Option<Value>, Vec<Finder>) {
        let value = |name: &str| {
            let given = attributes.iter().find(|(path, ..)| path == name).map(|(_, value, _)| value.clone());
            let is_name = self.kind.attributes.get(name).is_some_and(|attribute| attribute.role == Role::Name);
            given.or_else(|| self.name.clone().filter(|_| is_name).map(Value::Text))
        };
        let written = |name: &str| attributes.iter().any(|(path, ..)| path == name);
        let finders = self
            .kind
            .found_by(written, self.existing)
            .and_then(|found| self.kind.finders(found, value, context))
            .unwrap_or_default();
        let id_of = |name: &str| match self.value(name)?.0.plain() {
            Val::Text(text) => Some(&**text),
            Val::Ref(pointed) => pointed.reference.id.as_deref(),
            _ => None,
        };
        (self.kind.made_id(id_of, value, context), finders)
    }

    /// The value of an attribute and where it is written.
    pub(crate) fn value(&self, path: &str) -> Option<(&Val, Span)> {
        self.values.iter().find(|(other, ..)| other == path).map(|(_, value, span)| (value, *span))
    }
}

impl<'a> Evaluator<'a> {
    /// Evaluates a declared block into its instances.
    pub(crate) fn declared(&mut self, at: usize, cyclic: bool, stack: &Stack) -> BlockState {
        let names = self.names;
        let Some(declared) = names.resources.get(at) else { return BlockState::Poisoned };
        let block = declared.block;
        if names.intents.contains(&at) {
            return self.workload(at, cyclic, stack);
        }
        let Some(kind) = self.kind_of(declared) else { return BlockState::Poisoned };
        self.sink.address = Some(self.title(declared.keyword, declared.name));
        let plan = self.plan(&kind, block);
        let state = if cyclic {
            self.phantom(&plan, block);
            BlockState::Poisoned
        } else {
            match block.attribute("for_each") {
                Some(attribute) => match self.keys(&attribute.value) {
                    Some(keys) => self.many(at, declared, &kind, &plan, keys, stack),
                    None => {
                        self.phantom(&plan, block);
                        BlockState::Poisoned
                    }
                },
                None => match self.one(at, declared, &kind, &plan, None, stack) {
                    Slot::Exists(instance) => BlockState::Single(instance),
                    Slot::Excluded => {
                        self.phantom(&plan, block);
                        BlockState::Excluded
                    }
                    Slot::Poisoned => BlockState::Poisoned,
                },
            }
        };
        self.sink.address = None;
        state
    }

    fn kind_of(&mut self, declared: &Declared<'a>) -> Option<Arc<Kind>> {
        let kind = declared.kind.as_ref()?;
        if declared.keyword != "resource" {
            return Some(Arc::clone(kind));
        }
        let label = declared.block.labels.first()?;
        match self.catalog.raw_kind(&label.text) {
            Ok(kind) => Some(Arc::new(kind)),
            Err(error) => {
                let help = match (habits::kind_of(&label.text), declared.block.labels.last()) {
                    (Some(kind), Some(name)) => format!("write `{kind} \"{}\" {{ … }}`", name.text),
                    _ => "write type and api-version: `resource \"Microsoft.X/y@2025-01-01\" \"name\"`".to_owned(),
                };
                self.sink.report(Diagnostic::error(codes::RAW_TYPE, error.to_string()).at(label.span, "").help(help));
                None
            }
        }
    }

    fn many(
        &mut self,
        at: usize,
        declared: &Declared<'a>,
        kind: &Arc<Kind>,
        plan: &Plan<'_>,
        keys: Vec<(Arc<str>, (Val, Val))>,
        stack: &Stack,
    ) -> BlockState {
        let mut by_key = indexmap::IndexMap::with_capacity(keys.len());
        let mut all = Entries::with_capacity(keys.len());
        let mut evaluated = false;
        for (key, each) in keys {
            let slot = self.one(at, declared, kind, plan, Some((&key, &each)), stack);
            evaluated |= !matches!(slot, Slot::Excluded);
            if let Slot::Exists(instance) = &slot
                && let Some(pointed) = self.pointed(*instance)
            {
                all.insert(Arc::clone(&key), Val::Ref(pointed));
            }
            if matches!(slot, Slot::Poisoned) {
                all.insert(Arc::clone(&key), Val::Poison);
            }
            by_key.insert(key, slot);
            if self.sink.is_exhausted() || self.instances.len() > limits::INSTANCES {
                break;
            }
        }
        if !evaluated {
            self.phantom(plan, declared.block);
        }
        BlockState::Many(Instances { by_key, all: Val::map(all) })
    }

    /// One instance: left out by `when`, wrong, or there.
    fn one(
        &mut self,
        at: usize,
        declared: &Declared<'_>,
        kind: &Arc<Kind>,
        plan: &Plan<'_>,
        each: Option<(&Arc<str>, &(Val, Val))>,
        stack: &Stack,
    ) -> Slot {
        let address = Address {
            within: None,
            modules: self.path().to_vec(),
            kind: declared.keyword.to_owned(),
            name: declared.name.to_owned(),
            key: each.map(|(key, _)| InstanceKey(key.to_string())),
        };
        let scope = Scope { each: each.map(|(_, each)| each), ..Scope::default() };
        self.instance(at, declared, kind, address, plan, &scope, stack)
    }

    /// One instance of a block, under an address and with the names of its own that `scope` has.
    #[expect(clippy::too_many_arguments, reason = "what a block is and where it stands, each given by another caller")]
    pub(crate) fn instance(
        &mut self,
        at: usize,
        declared: &Declared<'_>,
        kind: &Arc<Kind>,
        address: Address,
        plan: &Plan<'_>,
        scope: &Scope<'_>,
        stack: &Stack,
    ) -> Slot {
        let block = declared.block;
        if self.instances.len() >= limits::INSTANCES {
            self.sink.limit(block.header, "this configuration has too many resources", "the limit is 50,000 instances");
            return Slot::Poisoned;
        }
        self.sink.address = Some(address.to_string());
        match self.when(block, scope) {
            Some(true) => {}
            Some(false) => return Slot::Excluded,
            None => {
                self.phantom_in(plan, block, scope);
                return Slot::Poisoned;
            }
        }
        let mut dependencies = Vec::new();
        let mut values = Vec::with_capacity(plan.written.len());
        let mut sound = true;
        for written in &plan.written {
            let Some(value) = self.attribute_unless_omitted(written, scope, block, &mut dependencies) else { continue };
            let identifies =
                matches!(written.attribute.role, Role::Name | Role::Parent | Role::Subscription | Role::Key);
            sound &= !(identifies && value.traits().poison);
            values.push((written.path.clone(), value, written.span));
        }
        let meta = self.meta(block, scope, &mut dependencies);
        if let Some(frame) = self.frames.get(self.at) {
            dependencies.extend(frame.after.iter().cloned());
        }
        if !sound || !plan.whole {
            return Slot::Poisoned;
        }
        let Some(instance) = self.identify(at, declared, kind, address, values, stack) else { return Slot::Poisoned };
        let place = self.instances.len();
        let pointed = Pointed { reference: instance.pointed.reference.clone(), instance: Some(place) };
        let mut seen = std::collections::HashSet::new();
        dependencies.retain(|dependency: &Dependency| {
            dependency.on != pointed.reference.symbolic_id
                && seen.insert((dependency.on.clone(), dependency.attribute.clone()))
        });
        self.instances.push(Instance {
            pointed: Arc::new(pointed),
            dependencies,
            protect: meta.protect,
            keep: meta.keep,
            tolerated: plan.tolerated.clone(),
            ..instance
        });
        self.nested(at, &plan.nested, place, scope, stack);
        self.first_of(kind, place, &plan.nested);
        self.rules(place);
        Slot::Exists(place)
    }

    /// Evaluates one attribute; none if it is left out by `omit`.
    fn attribute_unless_omitted(
        &mut self,
        written: &Written<'_>,
        scope: &Scope<'_>,
        block: &Block,
        dependencies: &mut Vec<Dependency>,
    ) -> Option<Val> {
        match written.value.map_or(Omitted::No, |expr| self.omitted(expr, scope)) {
            Omitted::No => Some(self.attribute(written, scope, dependencies)),
            Omitted::Unclear => Some(Val::Poison),
            Omitted::Yes if written.attribute.required && block.existing.is_none() => {
                self.sink.report(
                    Diagnostic::error(
                        codes::MISSING_ATTRIBUTES,
                        format!("`{}` cannot be left out: it is required", written.path),
                    )
                    .at(written.span, "")
                    .help("give a value in every case"),
                );
                Some(Val::Poison)
            }
            Omitted::Yes => None,
        }
    }

    /// Evaluates one attribute, with what it refers to.
    fn attribute(&mut self, written: &Written<'_>, scope: &Scope<'_>, dependencies: &mut Vec<Dependency>) -> Val {
        self.needs.clear();
        let scope = Scope { secret: written.attribute.sensitive, ..*scope };
        let Some(expr) = written.value else { return Val::map(Entries::new()) };
        let value = self.eval(expr, Want::attribute(written.attribute), &scope);
        for (on, span) in self.needs.drain(..) {
            dependencies.push(Dependency { on, span, attribute: written.path.clone() });
        }
        let deciding = match written.attribute.role {
            Role::Name => "the name",
            Role::Parent => "what a resource lies in",
            Role::Subscription => "the subscription",
            Role::Location => {
                return if value.traits().sensitive { self.sensitive("the location", written.span) } else { value };
            }
            Role::Key => "what a name is made from",
            Role::Value | Role::Tags => return value,
        };
        if value.traits().sensitive {
            return self.sensitive(deciding, written.span);
        }
        if value.traits().holes {
            self.sink.report(
                Diagnostic::error(codes::NOT_KNOWN, format!("{deciding} is known only after apply"))
                    .at(written.span, "")
                    .note("what a resource is must follow from the configuration alone")
                    .help("use a value that the configuration knows: a variable, a local, a name"),
            );
            return Val::Poison;
        }
        if matches!(value.plain(), Val::Poison | Val::Text(_) | Val::Ref(_)) { value } else { Val::Poison }
    }

    fn sensitive(&mut self, what: &str, span: Span) -> Val {
        self.sink.report(
            Diagnostic::error(codes::SENSITIVE, format!("{what} cannot be sensitive: it is shown"))
                .at(span, "")
                .help("use a value that may be shown"),
        );
        Val::Poison
    }

    /// Evaluates a body that makes no resource, for what is wrong in it whatever the values are.
    fn phantom(&mut self, plan: &Plan<'_>, block: &Block) {
        let each = (Val::Poison, Val::Poison);
        let scope = Scope { each: block.attribute("for_each").map(|_| &each), ..Scope::default() };
        if scope.each.is_some() {
            self.sink.enter_phantom();
            if let Some(when) = block.attribute("when") {
                self.eval(&when.value, Want::Free, &scope);
            }
            self.sink.leave_phantom();
        }
        self.phantom_in(plan, block, &scope);
    }

    fn phantom_in(&mut self, plan: &Plan<'_>, block: &Block, scope: &Scope<'_>) {
        self.sink.enter_phantom();
        for written in &plan.written {
            self.attribute(written, scope, &mut Vec::new());
        }
        for nested in &plan.nested {
            for written in &nested.written {
                self.attribute(written, scope, &mut Vec::new());
            }
        }
        self.meta(block, scope, &mut Vec::new());
        self.sink.leave_phantom();
    }
}

/// A word or a string without interpolation, as the symbol of a meta argument.
pub(crate) fn symbol_of(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Word(name) => Some(&name.text),
        ExprKind::Template(parts) => match parts.as_slice() {
            [akson_parser::ast::TemplatePart::Literal(text)] => Some(text),
            _ => None,
        },
        ExprKind::Parens(inner) => symbol_of(inner),
        _ => None,
    }
}
