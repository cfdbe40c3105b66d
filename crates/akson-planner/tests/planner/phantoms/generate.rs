//! A configuration of one resource, made from a number: of the number's kind, with values for some of what that kind may say.

use std::sync::Arc;

use akson_catalog::{
    Address, Attribute, Kind, Type, Value,
    body::body,
    encode::{Context, Leaf, encode},
    json::{lookup, put},
    kind::{Form, Marker, Names, Role},
    marker::{LABEL, Mark, TAG, unique_name},
};
use akson_config::{Config, Resource, Stack};
use akson_diagnostics::{SourceMap, Span};
use akson_planner::{OwnedEntry, OwnedState, hashes::recorded};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::symbolic;
use crate::declare::{SUBSCRIPTION, TENANT, catalog};

/// A type that is no kind.
const RAW: &str = "Microsoft.Example/things@2025-01-01";

/// Numbers from a seed.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// Every kind that can be managed, and a raw one.
pub fn kinds() -> Vec<Arc<Kind>> {
    let managed = catalog().iter().filter(|kind| kind.managed && !kind.resource_type.is_empty()).cloned();
    managed.chain([Arc::new(catalog().raw_kind(RAW).unwrap())]).collect()
}

/// A configuration, what was made of it, and that it is ours.
pub struct Case {
    pub config: Config,
    pub body: Json,
    pub entry: OwnedEntry,
}

impl Case {
    pub fn new(number: u64) -> Self {
        let kinds = kinds();
        let kind = &kinds[usize::try_from(number % u64::try_from(kinds.len()).unwrap()).unwrap()];
        let mut rng = Rng::new(number);
        let mut values = Values { rng: &mut rng, depth: 0 };
        let mut attributes: Vec<(String, Value)> = Vec::new();
        for attribute in kind.attributes.values() {
            if matches!(attribute.role, Role::Name | Role::Parent | Role::Subscription | Role::Key) {
                continue;
            }
            if attribute.keyed.is_some() {
                for label in ["one", "two"].iter().take(values.rng.below(3)) {
                    values.fields(&attribute.fields, &format!("{}.{label}", attribute.name), &mut attributes);
                }
            } else if attribute.required || values.rng.one_in(2) {
                values.attribute(attribute, "", &mut attributes);
            }
        }
        Self::of(kind, attributes, &format!("n{number}"))
    }

    /// A case with these values.
    pub fn of(kind: &Arc<Kind>, attributes: Vec<(String, Value)>, name: &str) -> Self {
        let mut sources = SourceMap::new();
        let source = sources.add("main.aks", "stack \"myapp\" {}\n\nkind \"it\" {}\n");
        let (top, header) = (Span::new(source, 0, 13), Span::new(source, 17, 26));
        let stack = Stack {
            label: "myapp".to_owned(),
            tenant: TENANT.to_owned(),
            subscription: SUBSCRIPTION.to_owned(),
            location: Some("westeurope".to_owned()),
            location_span: None,
            ledger: None,
            span: Some(top),
        };
        let id = id_of(kind, name, 0);
        let attributes: Vec<(String, Value, Span)> =
            attributes.into_iter().map(|(name, value)| (name, value, header)).collect();
        let leaves = encode(kind, &attributes, &context());
        let symbolic_id = symbolic(&id);
        let address =
            Address { within: None, modules: Vec::new(), kind: kind.keyword.clone(), name: "it".to_owned(), key: None };
        let mut body = body(&leaves).unwrap();
        body["id"] = json!(id);
        let mark = Mark::new(&stack.id(), &symbolic_id);
        match &kind.marker {
            Marker::Tag => put(&mut body, &format!("/tags/{TAG}"), json!(mark.to_string())),
            Marker::Label => put(&mut body, LABEL, json!(mark.label())),
            Marker::Text(pointer) => {
                let text = lookup(&body, pointer).and_then(Json::as_str).unwrap_or_default();
                let marked = mark.append_to(text);
                put(&mut body, pointer, json!(marked));
            }
            Marker::UniqueName(pointer) => put(&mut body, pointer, json!(unique_name(&mark.stack, &mark.hash))),
            Marker::Parent => {}
        }
        let (sent, observed) = recorded(&leaves, &body);
        let entry = OwnedEntry {
            id: id.clone(),
            kind: kind.keyword.clone(),
            resource_type: kind.resource_type.clone(),
            api_version: kind.api_version.clone(),
            state: OwnedState::Owned,
            sent,
            observed,
            dependencies: Vec::new(),
            conflict_domain: None,
            protected: false,
            keep: false,
            address: address.to_string(),
        };
        let resource = Resource {
            tolerated: Vec::new(),
            address,
            kind: Arc::clone(kind),
            existing: false,
            symbolic_id,
            id: Some(akson_catalog::ArmId::new(id)),
            late: None,
            finders: Vec::new(),
            parent: None,
            subscription: SUBSCRIPTION.to_owned(),
            attributes,
            leaves,
            dependencies: Vec::new(),
            conflict_domain: None,
            protect: false,
            keep: false,
            header,
        };
        Self { config: Config { stack, resources: vec![resource], outputs: Vec::new() }, body, entry }
    }

    pub fn resource(&self) -> &Resource {
        &self.config.resources[0]
    }

    /// What of the object is its author's, and can be compared.
    pub fn owned(&self) -> impl Iterator<Item = &Leaf> {
        let own = self.resource().leaves.iter();
        own.filter(|leaf| !leaf.on_create_only && !leaf.sensitive && !leaf.want.has_holes())
    }

    /// What it says, for people.
    pub fn words(&self) -> String {
        let said = self.resource().attributes.iter().map(|(name, value, _)| format!("  {name} = {value:?}\n"));
        format!("{}{:#}", said.collect::<String>(), self.body)
    }
}

pub fn context() -> Context {
    Context {
        tenant: TENANT.to_owned(),
        token_exchange_audience: "api://AzureADTokenExchange".to_owned(),
        subscription: SUBSCRIPTION.to_owned(),
        ..Context::default()
    }
    .with_principals(catalog())
}

/// An id of a kind, with what it lies in.
fn id_of(kind: &Kind, name: &str, depth: usize) -> String {
    let parts: Vec<(String, String)> = kind
        .id_parts()
        .into_iter()
        .map(|part| {
            let text = match kind.attributes.get(part) {
                None => SUBSCRIPTION.to_owned(),
                Some(attribute) if attribute.by_name => "space".to_owned(),
                Some(Attribute { role: Role::Parent, of: Type::Resource(kinds), .. }) if depth < 4 => {
                    let above = kinds.iter().find_map(|kind| catalog().get(kind));
                    above.map_or_else(
                        || format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/app-rg"),
                        |above| id_of(above, "above", depth + 1),
                    )
                }
                Some(_) => name.to_owned(),
            };
            (part.to_owned(), text)
        })
        .collect();
    let find = |name: &str| parts.iter().find(|(part, _)| part == name).map(|(_, text)| text.as_str());
    kind.id_for(find).unwrap().as_str().to_owned()
}

/// Makes values.
pub struct Values<'r> {
    pub rng: &'r mut Rng,
    depth: usize,
}

impl<'r> Values<'r> {
    pub fn new(rng: &'r mut Rng) -> Self {
        Self { rng, depth: 0 }
    }

    /// An attribute as the evaluation hands it on: blocks by their paths.
    pub fn attribute(&mut self, attribute: &Attribute, prefix: &str, found: &mut Vec<(String, Value)>) {
        let path = format!("{prefix}{}", attribute.name);
        let block = matches!(attribute.of, Type::Object(_)) && !attribute.fields.is_empty();
        if block {
            self.fields(&attribute.fields, &path, found);
        } else if attribute.removable && self.rng.one_in(12) {
            found.push((path, Value::None));
        } else {
            let value = self.value(attribute, &attribute.of);
            found.push((path, value));
        }
    }

    pub fn fields(&mut self, fields: &IndexMap<String, Attribute>, path: &str, found: &mut Vec<(String, Value)>) {
        found.push((path.to_owned(), Value::Map(IndexMap::new())));
        for field in fields.values() {
            if field.required || self.rng.one_in(2) {
                self.attribute(field, &format!("{path}."), found);
            }
        }
    }

    fn value(&mut self, attribute: &Attribute, of: &Type) -> Value {
        match of {
            Type::Enum(words) => Value::Text(self.rng.pick(words).clone()),
            Type::Switch => Value::Text((*self.rng.pick(&["enabled", "disabled"])).to_owned()),
            Type::Bool => Value::Bool(self.rng.one_in(2)),
            Type::Int => {
                let (least, most) = attribute.range.unwrap_or((1, 1_000));
                let spread = u64::try_from(most.saturating_sub(least)).unwrap_or(1).saturating_add(1);
                Value::Int(least + i64::try_from(self.rng.next() % spread).unwrap())
            }
            Type::Number => Value::Decimal(f64::from(u16::try_from(self.rng.below(1_000)).unwrap()) / 10.0),
            Type::Named(name) => Value::Text(self.named(name)),
            Type::Resource(kinds) => Value::Text(self.resource(attribute, kinds)),
            Type::List(item) | Type::Set(item) => {
                let count = self.rng.below(4);
                let mut items: Vec<Value> = Vec::new();
                for _ in 0..count {
                    let item = self.value(attribute, item);
                    if !matches!(of, Type::Set(_)) || !items.contains(&item) {
                        items.push(item);
                    }
                }
                Value::List(items)
            }
            Type::Map(_) if attribute.is_raw() => self.raw(3),
            Type::Map(item) => {
                let keys = ["app", "tier", "cost centre", "k8s.io/part-of", "Owner"];
                let count = self.rng.below(keys.len());
                let entries = keys.iter().take(count).map(|key| ((*key).to_owned(), self.value(attribute, item)));
                Value::Map(entries.collect())
            }
            Type::Object(_) => self.record(&attribute.fields),
            Type::Choice => {
                let names: Vec<&String> = attribute.variants.keys().collect();
                let name = (*self.rng.pick(&names)).clone();
                let Value::Map(arguments) = self.record(&attribute.variants[&name].arguments) else { unreachable!() };
                Value::Choice { name, arguments }
            }
            Type::String | Type::Any => Value::Text(self.text()),
        }
    }

    fn record(&mut self, fields: &IndexMap<String, Attribute>) -> Value {
        let mut entries = IndexMap::new();
        self.depth += 1;
        for field in fields.values() {
            if field.required || (self.depth < 5 && self.rng.one_in(2)) {
                entries.insert(field.name.clone(), self.value(field, &field.of));
            }
        }
        self.depth -= 1;
        Value::Map(entries)
    }

    fn text(&mut self) -> String {
        let words = ["app", "web", "Prod", "eu-1", "x.y", "Standard_D4s_v5", "10m", "a b"];
        format!("{}{}", self.rng.pick(&words), self.rng.below(100))
    }

    fn named(&mut self, name: &str) -> String {
        match name {
            "location" => (*self.rng.pick(&["westeurope", "West Europe", "eastus2"])).to_owned(),
            "cidr" => format!("10.{}.{}.0/24", self.rng.below(256), self.rng.below(256)),
            "url" => format!("https://h{}.example.com/{}", self.rng.below(50), self.rng.pick(&["", "a", "a/", "a/b"])),
            "arm_id" => self.id("Microsoft.Example/things"),
            "time" | "date_time" | "timestamp" => format!("2027-01-{:02}T00:00:00Z", 1 + self.rng.below(28)),
            _ => self.guid(),
        }
    }

    fn guid(&mut self) -> String {
        format!("0{:07x}-0000-4000-8000-{:012x}", self.rng.below(1 << 28), self.rng.below(1 << 30))
    }

    fn id(&mut self, of: &str) -> String {
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/App-RG/providers/{of}/T{}", self.rng.below(1_000))
    }

    fn resource(&mut self, attribute: &Attribute, kinds: &[String]) -> String {
        if attribute.form == Form::Subjects {
            return match self.rng.below(3) {
                0 => format!("group:{}", self.guid()),
                1 => "user:a@example.com".to_owned(),
                _ => format!("service_account:space/web-{}", self.rng.below(9)),
            };
        }
        if attribute.by_name {
            return format!("name-{}", self.rng.below(100));
        }
        if attribute.principal.is_some() || attribute.takes.is_some() || attribute.stands_for.is_some() {
            return self.guid();
        }
        match attribute.names {
            Some(Names::Roles) => "Reader".to_owned(),
            _ => match kinds.iter().find_map(|kind| catalog().get(kind)) {
                Some(kind) => id_of(kind, &format!("T{}", self.rng.below(1_000)), 0),
                None => self.id("Microsoft.Example/things"),
            },
        }
    }

    fn raw(&mut self, depth: usize) -> Value {
        let mut entries = IndexMap::new();
        for key in ["properties", "sku", "kind", "zones", "identity"] {
            if self.rng.one_in(2) {
                continue;
            }
            let value = match self.rng.below(6) {
                0 if depth > 0 => self.raw(depth - 1),
                1 => Value::List(vec![Value::Text(self.text()), Value::Text(self.text())]),
                2 => Value::Int(i64::try_from(self.rng.below(100)).unwrap()),
                3 => Value::Bool(true),
                _ => Value::Text(self.text()),
            };
            entries.insert(key.to_owned(), value);
        }
        Value::Map(entries)
    }
}
