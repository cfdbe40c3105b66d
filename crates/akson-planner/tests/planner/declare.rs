//! Configurations by hand: what evaluation would make of blocks, without any text of them. Kinds are the real ones.

use std::sync::Arc;

use akson_catalog::{
    Address, Catalog, InstanceKey, Kind, Reference, Residual, SymbolicId, Type, Value,
    encode::{Context, encode},
    kind::Role,
};
use akson_config::{Config, Dependency, OutputValue, Resource, Stack};
use akson_diagnostics::{SourceMap, Span};
use indexmap::IndexMap;

pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";
pub const TENANT: &str = "00000000-0000-0000-0000-0000000000aa";

pub fn catalog() -> &'static Catalog {
    Catalog::builtin().expect("the kind files of this build are sound")
}

/// A configuration under construction.
pub struct Blocks {
    pub sources: SourceMap,
    pub config: Config,
    context: Context,
}

/// A block as it is added; dropped, it is in.
pub struct Block<'a> {
    blocks: &'a mut Blocks,
    kind: Arc<Kind>,
    label: String,
    key: Option<String>,
    attributes: Vec<(String, Value)>,
    after: Vec<String>,
    pub existing: bool,
    pub protect: bool,
    pub keep: bool,
}

impl Blocks {
    pub fn new() -> Self {
        let mut sources = SourceMap::new();
        let header = sources.add("main.aks", "stack \"myapp\" {}\n");
        let span = Some(Span::new(header, 0, 13));
        let stack = Stack {
            label: "myapp".to_owned(),
            tenant: TENANT.to_owned(),
            subscription: SUBSCRIPTION.to_owned(),
            location: Some("westeurope".to_owned()),
            location_span: None,
            ledger: None,
            span,
        };
        let config = Config { stack, resources: Vec::new(), outputs: Vec::new() };
        let context = Context {
            tenant: TENANT.to_owned(),
            token_exchange_audience: "api://AzureADTokenExchange".to_owned(),
            subscription: SUBSCRIPTION.to_owned(),
            ..Context::default()
        }
        .with_principals(catalog());
        Self { sources, config, context }
    }

    pub fn block(&mut self, kind: &str, label: &str) -> Block<'_> {
        let kind = if kind.contains('@') {
            Arc::new(catalog().raw_kind(kind).expect("a raw type"))
        } else {
            Arc::clone(catalog().get(kind).expect("a kind of the catalog"))
        };
        Block {
            blocks: self,
            kind,
            label: label.to_owned(),
            key: None,
            attributes: Vec::new(),
            after: Vec::new(),
            existing: false,
            protect: false,
            keep: false,
        }
    }

    /// `resource_group`: with a location, since Azure needs one.
    pub fn group(&mut self, name: &str) -> Block<'_> {
        self.block("resource_group", name).set("name", text(name)).set("location", text("westeurope"))
    }

    /// `identity` in a group.
    pub fn identity(&mut self, name: &str, group: &str) -> Block<'_> {
        let group = self.reference(&format!("resource_group.{group}"));
        let block = self.block("identity", name).set("name", text(name));
        block.set("resource_group", group).set("location", text("westeurope"))
    }

    /// `vault` in a group.
    pub fn vault(&mut self, name: &str, group: &str) -> Block<'_> {
        let group = self.reference(&format!("resource_group.{group}"));
        let block = self.block("vault", name).set("name", text(name));
        block.set("resource_group", group).set("location", text("westeurope"))
    }

    /// `federated_credential` of an identity, for a subject.
    pub fn credential(&mut self, name: &str, identity: &str, subject: &str) -> Block<'_> {
        let identity = self.reference(&format!("identity.{identity}"));
        self.block("federated_credential", name)
            .set("name", text(name))
            .set("identity", identity)
            .set("issuer", text("https://issuer.example.com"))
            .set("subject", text(subject))
    }

    /// `lock` on something.
    pub fn lock(&mut self, name: &str, on: &str) -> Block<'_> {
        let on = self.reference(on);
        self.block("lock", name).set("name", text(name)).set("on", on).set("level", text("cannot_delete"))
    }

    pub fn output(&mut self, name: &str, value: Value) {
        let source = self.sources.add(format!("{name}.aks"), format!("output \"{name}\" {{}}\n"));
        let span = Span::new(source, 0, 6);
        let (name, sensitive) = (name.to_owned(), value.is_sensitive());
        self.config.outputs.push(OutputValue { name, value, description: None, sensitive, span });
    }

    pub fn resource(&self, address: &str) -> &Resource {
        let found = self.config.resources.iter().find(|resource| resource.address.to_string() == address);
        found.unwrap_or_else(|| panic!("`{address}` is not declared"))
    }

    pub fn id(&self, address: &str) -> SymbolicId {
        self.resource(address).symbolic_id.clone()
    }

    pub fn remove(&mut self, address: &str) {
        self.config.resources.retain(|resource| resource.address.to_string() != address);
    }

    /// A reference to what is declared already.
    pub fn reference(&self, address: &str) -> Value {
        let resource = self.resource(address);
        Value::Reference(Reference {
            kind: resource.kind.keyword.clone(),
            address: resource.address.clone(),
            symbolic_id: resource.symbolic_id.clone(),
            id: resource.id.as_ref().map(ToString::to_string),
        })
    }

    /// `address.output`, known after apply.
    pub fn output_of(&self, address: &str, output: &str) -> Value {
        let resource = self.resource(address);
        let residual = Residual::Output {
            of: resource.symbolic_id.clone(),
            address: resource.address.clone(),
            output: output.to_owned(),
        };
        Value::Unknown { residual: Box::new(residual), of: Type::String, sensitive: false }
    }
}

impl Block<'_> {
    pub fn set(mut self, name: &str, value: Value) -> Self {
        self.attributes.retain(|(other, _)| other != name);
        self.attributes.push((name.to_owned(), value));
        self
    }

    pub fn tag(mut self, key: &str, value: &str) -> Self {
        if !self.attributes.iter().any(|(name, _)| name == "tags") {
            self.attributes.push(("tags".to_owned(), Value::Map(IndexMap::new())));
        }
        for (name, tags) in &mut self.attributes {
            if let (true, Value::Map(entries)) = (name == "tags", tags) {
                entries.insert(key.to_owned(), text(value));
            }
        }
        self
    }

    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    pub fn after(mut self, address: &str) -> Self {
        self.after.push(address.to_owned());
        self
    }

    pub fn existing(mut self) -> Self {
        self.existing = true;
        self
    }

    pub fn protect(mut self) -> Self {
        self.protect = true;
        self
    }

    pub fn keep(mut self) -> Self {
        self.keep = true;
        self
    }

    /// Puts it into the configuration.
    pub fn add(self) {
        let address = Address {
            within: None,
            modules: Vec::new(),
            kind: self.kind.keyword.clone(),
            name: self.label.clone(),
            key: self.key.clone().map(InstanceKey),
        };
        let source = self.blocks.sources.add("main.aks", format!("\n\n{} \"{}\" {{}}\n", address.kind, address.name));
        let header = Span::new(source, 2, 12);
        let find = |name: &str| self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        let part = |name: &str| match find(name) {
            Some(Value::Text(text)) => Some(text.as_str()),
            Some(Value::Reference(reference)) => reference.id.as_deref(),
            _ if name == "subscription" => Some(SUBSCRIPTION),
            _ => None,
        };
        let id = self.kind.id_for(part).expect("every part of the id is set");
        let parent = self.kind.parent.as_deref().and_then(find).and_then(|value| match value {
            Value::Reference(reference) => Some(reference.symbolic_id.clone()),
            _ => None,
        });
        let symbolic_id = SymbolicId::of_arm(&id);
        let mut dependencies = Vec::new();
        for (name, value) in &self.attributes {
            uses(value, &mut |on| dependencies.push(Dependency { on, span: header, attribute: name.clone() }));
        }
        for address in &self.after {
            // What is declared later is found by the id it will have.
            let declared = self.blocks.config.resources.iter().find(|other| other.address.to_string() == *address);
            let on = declared.map_or_else(|| SymbolicId::from_ledger(address), |other| other.symbolic_id.clone());
            dependencies.push(Dependency { on, span: header, attribute: "after".to_owned() });
        }
        let conflict_domain = self.kind.conflict_domain.as_deref().and_then(|domain| match find(domain) {
            Some(Value::Reference(reference)) => Some(reference.symbolic_id.clone()),
            _ => (domain == "self").then(|| symbolic_id.clone()),
        });
        let in_words = |name: &str| self.kind.attribute(name).is_some_and(|attribute| attribute.role != Role::Parent);
        let attributes: Vec<(String, Value, Span)> =
            self.attributes.iter().map(|(name, value)| (name.clone(), value.clone(), header)).collect();
        let encoded: Vec<(String, Value, Span)> =
            attributes.iter().filter(|(name, ..)| in_words(name)).cloned().collect();
        let leaves = encode(&self.kind, &encoded, &self.blocks.context);
        self.blocks.config.resources.push(Resource {
            tolerated: Vec::new(),
            address,
            kind: self.kind,
            existing: self.existing,
            symbolic_id,
            id: Some(id),
            late: None,
            finders: Vec::new(),
            parent,
            subscription: SUBSCRIPTION.to_owned(),
            attributes,
            leaves,
            dependencies,
            conflict_domain,
            protect: self.protect,
            keep: self.keep,
            header,
        });
    }
}

fn uses(value: &Value, found: &mut impl FnMut(SymbolicId)) {
    match value {
        Value::Reference(reference) => found(reference.symbolic_id.clone()),
        Value::Unknown { residual, .. } => {
            if let Residual::Output { of, .. } = residual.as_ref() {
                found(of.clone());
            }
        }
        Value::List(items) => items.iter().for_each(|item| uses(item, found)),
        Value::Map(entries) => entries.values().for_each(|item| uses(item, found)),
        _ => {}
    }
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
