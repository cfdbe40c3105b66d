//! Ids that Azure makes, or that are made from what Azure tells: what a kind says of them, and what follows for one resource. Not
//! where they are looked for: the planner's waves say that.

use indexmap::IndexMap;
use uuid::Uuid;

use super::{Kind, Names, Role};
use crate::{
    Address, ArmId, Attribute, Operator, Reference, Residual, Type, Value,
    encode::{Context, wire_value},
    equality::Equality,
    roles,
};

/// How Azure's id comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LateId {
    /// We make it: a path whose `{uuid}` is the `UUIDv5` of these attributes, which may be known after apply.
    Made {
        /// The path: `{on}/providers/Microsoft.Authorization/roleAssignments/{uuid}`.
        path: String,
        /// What it is made of, in order.
        of: Vec<String>,
    },
    /// The service makes it, and tells it as `id`.
    Told {
        /// The path below its host, with `{id}`: `/v1.0/groups/{id}`.
        path: String,
        /// The path that it is created at, by a key of ours: `/v1.0/groups(uniqueName='{unique_name}')`. None for what is never created.
        create: Option<String>,
    },
    /// It is another path than the symbolic id, and follows from the configuration all the same.
    Path(String),
}

/// By what an object is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBy {
    /// Attribute to its place in the object, as a JSON pointer. All of them must fit.
    pub at: IndexMap<String, String>,
    /// The symbolic id of what is found so; none if it is the kind's `id`.
    pub id: Option<String>,
    /// Only for `existing` blocks.
    pub existing: bool,
}

/// What a resource is where a principal is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The output that is its principal id.
    pub output: String,
    /// What Azure calls such a principal: `ServicePrincipal`, `Group`, `User`.
    pub of: String,
}

/// An attribute that takes a principal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrincipalAt {
    /// Where a write says what kind of principal it is, as a JSON pointer.
    pub type_at: Option<String>,
}

/// One thing that an object must have to be the one.
#[derive(Debug, Clone, PartialEq)]
pub struct Finder {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What, in the wire's terms; it may have holes.
    pub want: Value,
    /// How it is compared.
    pub equality: Equality,
}

/// The namespace of ids that we make.
const IDS: &str = "3f1c7f0e-5f0b-5d5c-9a53-2a8e6b0c4d71";

impl Kind {
    /// The path that an object is asked for by, below its host: of one that Azure names with its id in it.
    pub fn path_of(&self, id: &str) -> String {
        match &self.late {
            Some(LateId::Told { path, .. }) if !id.starts_with('/') => path.replace("{id}", id),
            _ => id.to_owned(),
        }
    }

    /// The members of its objects that it speaks of, for services that tell no more than they are asked for.
    pub fn members(&self) -> Vec<&str> {
        let attributes = self.attributes.values().filter(|attribute| attribute.equality != Equality::Edges);
        let pointers = attributes.filter_map(|attribute| attribute.pointer.as_deref());
        let outputs = self.outputs.values().map(|output| output.pointer.as_str());
        let found = self.found_by.iter().flat_map(|found| found.at.values()).map(String::as_str);
        let mut members: Vec<&str> = std::iter::once("/id")
            .chain(pointers)
            .chain(outputs)
            .chain(found)
            .filter_map(|pointer| pointer.split('/').nth(1))
            .collect();
        members.sort_unstable();
        members.dedup();
        members
    }

    /// The attributes that are sets of edges.
    pub fn edges(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.values().filter(|attribute| attribute.equality == Equality::Edges)
    }

    /// The set of edges that a place is an item of: its pointer.
    pub fn edge_set<'a>(&'a self, pointer: &str) -> Option<&'a str> {
        let (set, _) = pointer.rsplit_once('/')?;
        self.edges().filter_map(|attribute| attribute.pointer.as_deref()).find(|edges| *edges == set)
    }

    /// By what a block with these attributes is found; none if its id says where it is.
    pub fn found_by(&self, is_written: impl Fn(&str) -> bool, existing: bool) -> Option<&FoundBy> {
        let fits = |found: &&FoundBy| {
            let is_there = |name: &String| is_written(name) || (!existing && self.is_known(name));
            (existing || !found.existing) && found.at.keys().all(is_there)
        };
        self.found_by.iter().find(fits)
    }

    /// Whether a name is made where the author writes none.
    fn is_known(&self, attribute: &str) -> bool {
        let is_name = self.attributes.get(attribute).is_some_and(|attribute| attribute.role == Role::Name);
        is_name && self.name_from != super::NameFrom::Author
    }

    /// What is looked for, for a block with these values.
    pub fn finders(
        &self,
        found: &FoundBy,
        value: impl Fn(&str) -> Option<Value>,
        context: &Context,
    ) -> Option<Vec<Finder>> {
        let finder = |(name, pointer): (&String, &String)| {
            let attribute = self.attributes.get(name)?;
            Some(Finder {
                pointer: pointer.clone(),
                want: wire_value(attribute, &value(name)?, context),
                equality: if attribute.of == Type::String { Equality::CaseInsensitive } else { attribute.equality },
            })
        };
        found.at.iter().map(finder).collect()
    }

    /// The path that is created at, with a hole while its key is not known.
    fn created_at(&self, template: &str, value: impl Fn(&str) -> Option<Value>, context: &Context) -> Option<Value> {
        let (before, rest) = template.split_once('{')?;
        let (name, after) = rest.split_once('}')?;
        let text = |text: &str| Residual::Known(Value::Text(text.to_owned()));
        match wire_value(self.attributes.get(name)?, &value(name)?, context) {
            Value::Text(key) => Some(Value::Text(format!("{before}{}{after}", key.replace('\'', "''")))),
            Value::Unknown { residual, .. } => {
                let residual = Residual::Operation(Operator::Template, vec![text(before), *residual, text(after)]);
                Some(Value::Unknown { residual: Box::new(residual), of: Type::String, sensitive: false })
            }
            _ => None,
        }
    }

    /// The id that we make, or the path that the service makes it at, with a hole while what it is made of is not known. `part` fills the path.
    pub fn made_id<'a>(
        &self,
        part: impl Fn(&str) -> Option<&'a str>,
        value: impl Fn(&str) -> Option<Value>,
        context: &Context,
    ) -> Option<Value> {
        let (path, of) = match self.late.as_ref()? {
            LateId::Made { path, of } => (path, of),
            LateId::Told { create, .. } => return self.created_at(create.as_ref()?, value, context),
            LateId::Path(_) => return None,
        };
        let (before, after) = path.split_once("{uuid}")?;
        let mut parts = Vec::with_capacity(of.len() * 2);
        for name in of {
            let attribute = self.attributes.get(name)?;
            let residual = match wire_value(attribute, &value(name)?, context) {
                Value::Unknown { residual, .. } => *residual,
                Value::Text(text) => Residual::Known(Value::Text(normal(attribute, &text))),
                _ => return None,
            };
            parts.push(Residual::Known(Value::Text("\u{1}".to_owned())));
            parts.push(residual);
        }
        let before = super::ids::fill(before, &part).ok()?;
        if parts.iter().all(|part| matches!(part, Residual::Known(_))) {
            let text: String = parts.iter().filter_map(known_text).collect();
            let namespace = Uuid::try_parse(IDS).ok()?;
            return Some(Value::Text(format!("{before}{}{after}", Uuid::new_v5(&namespace, text.as_bytes()))));
        }
        let namespace = Residual::Known(Value::Text(IDS.to_owned()));
        let name = Residual::Operation(Operator::Template, parts);
        let uuid = Residual::Call { function: "uuidv5".to_owned(), arguments: vec![namespace, name] };
        let text = |text: &str| Residual::Known(Value::Text(text.to_owned()));
        let residual = Residual::Operation(Operator::Template, vec![text(&before), uuid, text(after)]);
        Some(Value::Unknown { residual: Box::new(residual), of: Type::String, sensitive: false })
    }
}

fn known_text(residual: &Residual) -> Option<&str> {
    match residual {
        Residual::Known(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// What an attribute's value is in a symbolic id: one segment, the same however the author wrote it.
pub fn symbol(attribute: &Attribute, value: &Value, context: &Context) -> Option<String> {
    let text = match value {
        Value::Text(text) => normal(attribute, text),
        Value::Reference(reference) if attribute.names.is_some() => {
            normal(attribute, reference.id.as_deref().unwrap_or(reference.symbolic_id.as_str()))
        }
        Value::Reference(reference) => reference.symbolic_id.as_str().to_owned(),
        Value::Unknown { residual, .. } => match residual.as_ref() {
            Residual::Output { of, address, output } if context.is_principal(address, output) => of.as_str().to_owned(),
            Residual::Output { of, output, .. } => format!("{of}#{output}"),
            _ => return None,
        },
        _ => return None,
    };
    Some(text.replace('/', "|"))
}

/// A text as it is hashed and compared: roles by their GUID alone, ids folded.
fn normal(attribute: &Attribute, text: &str) -> String {
    let text = match attribute.names {
        Some(Names::Roles) => {
            let last = ArmId::new(text).name().to_owned();
            roles::find(&last).map_or(last, |guid| guid.to_string())
        }
        Some(Names::Policies(_)) | None => text.to_owned(),
    };
    ArmId::new(text).folded().to_owned()
}

/// The wire's id of a role: below the subscription, where Azure keeps it too.
pub(crate) fn role_definition(text: &str, context: &Context) -> String {
    match roles::find(text) {
        Some(guid) if context.subscription.is_empty() => {
            format!("/providers/Microsoft.Authorization/roleDefinitions/{guid}")
        }
        Some(guid) => {
            format!("/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{guid}", context.subscription)
        }
        None => text.to_owned(),
    }
}

/// A resource as the id of its principal.
pub(crate) fn principal_id(reference: &Reference, context: &Context) -> Option<Value> {
    let principal = context.principals.get(&reference.kind)?;
    let residual = Residual::Output {
        of: reference.symbolic_id.clone(),
        address: reference.address.clone(),
        output: principal.output.clone(),
    };
    let of = Type::Named("principal_id".to_owned());
    Some(Value::Unknown { residual: Box::new(residual), of, sensitive: false })
}

/// What Azure calls the principal that a value is, if the configuration tells.
pub(crate) fn principal_type(value: &Value, context: &Context) -> Option<String> {
    let kind = match value {
        Value::Reference(reference) => &reference.kind,
        Value::Unknown { residual, .. } => match residual.as_ref() {
            Residual::Output { address, .. } => &address.kind,
            _ => return None,
        },
        _ => return None,
    };
    Some(context.principals.get(kind)?.of.clone())
}

impl Context {
    fn is_principal(&self, address: &Address, output: &str) -> bool {
        self.principals.get(&address.kind).is_some_and(|principal| principal.output == output)
    }
}
