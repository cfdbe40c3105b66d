//! What an attribute says and what is there, in terms that can be compared: both as the kind reads them from a body.

use akson_catalog::{
    Attribute, Type, Value,
    body::body,
    decode::{decode_attribute, decode_leaf},
    encode::{Context, Leaf, encode},
    equality::{Equality, equal},
    json::{escape, from_json, lookup, put, remove, to_plain_json},
};
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::Adopting;
use crate::{fold, import::Reading, model::Resource};

/// What is there of an attribute.
pub(super) enum Now {
    Value(Value),
    Gone,
}

pub(super) struct Live<'a> {
    from: &'a Adopting<'a>,
    context: Context,
}

impl<'a> Live<'a> {
    pub(super) fn new(from: &'a Adopting<'a>) -> Self {
        let context = Context {
            tenant: from.config.stack.tenant.clone(),
            token_exchange_audience: from.inputs.token_exchange_audience.clone(),
            subscription: from.config.stack.subscription.clone(),
            ..Context::default()
        };
        Self { from, context: context.with_principals(from.catalog) }
    }

    /// Whether a block in a block is there as it is written; none if it says nothing of its own.
    pub(super) fn is_on(&self, resource: &Resource, path: &str) -> Option<bool> {
        let (attribute, base) = resource.kind.attribute_at(path)?;
        let (_, body) = self.from.live.get(&resource.symbolic_id)?;
        let body = if base.is_empty() { body } else { lookup(body, &base)? };
        let live = |pointer: &str| {
            lookup(body, pointer).filter(|value| !value.is_null()).or_else(|| attribute.absent.get(pointer))
        };
        let mut writes = attribute.writes.iter();
        (!attribute.writes.is_empty())
            .then(|| writes.all(|(pointer, want)| equal(Equality::CaseInsensitive, Some(want), live(pointer))))
    }

    /// What is written and what is there.
    pub(super) fn now(
        &self,
        resource: &Resource,
        path: &str,
        attribute: &Attribute,
        value: &Value,
        drifted: &[String],
    ) -> Result<(Value, Now), String> {
        let unknown = || "what is there is not known".to_owned();
        let (id, root) = self.from.live.get(&resource.symbolic_id).ok_or_else(unknown)?;
        let (_, base) = resource.kind.attribute_at(path).ok_or_else(unknown)?;
        let live = if base.is_empty() { root } else { lookup(root, &base).ok_or_else(unknown)? };
        let context = Context { subscription: resource.subscription.clone(), ..self.context.clone() };
        let value = self.filled(value).ok_or("what it says is known after apply")?;
        let own = |leaf: &&Leaf| {
            leaf.attribute.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let leaves: Vec<Leaf> = encode(&resource.kind, &[(path.to_owned(), value.clone(), resource.header)], &context);
        let known = |leaf: &Leaf| Some(Leaf { want: self.filled(&leaf.want)?, ..leaf.clone() }.settled());
        let leaves: Option<Vec<Leaf>> = leaves.iter().filter(own).map(known).collect();
        let leaves = leaves.ok_or("what it says is known after apply")?;
        if attribute.equality == Equality::Edges
            && let Value::List(items) = &value
        {
            let stays = |leaf: &Leaf| !drifted.contains(&leaf.attribute) || lookup(root, &leaf.pointer).is_some();
            let there: Vec<bool> = leaves.iter().map(stays).collect();
            let plain: Vec<Value> = items.iter().map(plain).collect();
            let left = plain.iter().zip(&there).filter(|(_, there)| **there).map(|(item, _)| item.clone()).collect();
            return Ok((Value::List(plain), Now::Value(Value::List(left))));
        }
        if attribute.is_raw() {
            let pointer = attribute.pointer.as_deref().unwrap_or_default();
            let was = plain(&value);
            let mut now = to_plain_json(&was).ok_or_else(unknown)?;
            for leaf in leaves.iter().filter(|leaf| drifted.contains(&leaf.attribute)) {
                let Some(place) = leaf.pointer.strip_prefix(&format!("{base}{pointer}")) else { continue };
                match lookup(root, &leaf.pointer).filter(|live| !live.is_null()) {
                    Some(there) => put(&mut now, place, there.clone()),
                    None => remove(&mut now, place),
                }
            }
            return Ok((was, Now::Value(from_json(&now))));
        }
        if let (Type::Map(_), Value::Map(entries)) = (&attribute.of, &value) {
            let was = plain(&value);
            let mut left = IndexMap::new();
            for (key, written) in entries {
                let end = format!("/{}", escape(key));
                let Some(leaf) = leaves.iter().find(|leaf| leaf.pointer.ends_with(&end)) else { continue };
                if !drifted.contains(&leaf.attribute) {
                    left.insert(key.clone(), plain(written));
                } else if let Some(there) = decode_leaf(&resource.kind, leaf, root) {
                    left.insert(key.clone(), there);
                }
            }
            return Ok((was, Now::Value(Value::Map(left))));
        }
        let reading = Reading { catalog: self.from.catalog, context: &context, everything: false };
        let sent: Vec<Leaf> = leaves.iter().filter(|leaf| !leaf.sensitive).cloned().collect();
        let whole = body(&sent).map_err(|_| "what it says is known after apply".to_owned())?;
        let own = if base.is_empty() { Some(&whole) } else { lookup(&whole, &base) };
        let read = own.and_then(|own| decode_attribute(attribute, own));
        // What must be absent says nothing that could be read.
        let was = match (&value, read) {
            (Value::None | Value::Default, _) | (_, None) => plain(&value),
            (_, Some(read)) => aligned(&value, read),
        };
        let name = resource.id.as_ref().map(|id| id.name().to_owned()).unwrap_or_default();
        let mut with_id = root.clone();
        if let Json::Object(members) = &mut with_id {
            members.entry("id").or_insert_with(|| Json::from(id.clone()));
        }
        let read = reading.again(&resource.kind, (&name, &with_id), (attribute, path, live), &was)?;
        let Some(read) = read else { return Ok((was, Now::Gone)) };
        let read = if attribute.equality == Equality::Items { picked(&was, read) } else { read };
        Ok((was, Now::Value(read)))
    }

    /// A value with what is known by now.
    fn filled(&self, value: &Value) -> Option<Value> {
        Some(match value {
            Value::Unknown { residual, .. } => {
                let known = |of: &akson_catalog::SymbolicId, output: &str| {
                    self.from.known.get(&(of.clone(), output.to_owned())).cloned()
                };
                let folded = fold(residual, &known).ok()?;
                if folded.has_holes() {
                    return None;
                }
                folded
            }
            Value::List(items) => Value::List(items.iter().map(|item| self.filled(item)).collect::<Option<_>>()?),
            Value::Map(entries) => Value::Map(self.entries(entries)?),
            Value::Choice { name, arguments } => {
                Value::Choice { name: name.clone(), arguments: self.entries(arguments)? }
            }
            value => value.clone(),
        })
    }

    fn entries(&self, entries: &IndexMap<String, Value>) -> Option<IndexMap<String, Value>> {
        entries.iter().map(|(key, value)| Some((key.clone(), self.filled(value)?))).collect()
    }
}

/// What was read of what is written: a word says nothing of what a create sends beside it.
fn aligned(written: &Value, read: Value) -> Value {
    let is_word = match written {
        Value::Text(_) => true,
        Value::Choice { arguments, .. } => arguments.is_empty(),
        _ => false,
    };
    match read {
        Value::Choice { name, .. } if is_word => Value::Choice { name, arguments: IndexMap::new() },
        read => read,
    }
}

/// References as the ids that they are.
fn plain(value: &Value) -> Value {
    match value {
        Value::Reference(reference) => {
            Value::Text(reference.id.clone().unwrap_or_else(|| reference.symbolic_id.to_string()))
        }
        Value::List(items) => Value::List(items.iter().map(plain).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect()),
        value => value.clone(),
    }
}

/// Of the objects in a list the fields that some written one has.
fn picked(was: &Value, now: Value) -> Value {
    let (Value::List(was), Value::List(now)) = (was, &now) else { return now };
    let has = |key: &String| was.iter().any(|item| matches!(item, Value::Map(entries) if entries.contains_key(key)));
    if was.is_empty() {
        return Value::List(now.clone());
    }
    let item = |item: &Value| match item {
        Value::Map(entries) => Value::Map(
            entries.iter().filter(|(key, _)| has(key)).map(|(key, value)| (key.clone(), value.clone())).collect(),
        ),
        other => other.clone(),
    };
    Value::List(now.iter().map(item).collect())
}
