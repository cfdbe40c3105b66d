//! Between the shared values of evaluation and the plain values of the resolved configuration. Not the checking against types.

use std::sync::Arc;

use akson_catalog::{Residual, Secret, Type, Value};

use super::{Marks, Pointed, Val};

impl Val {
    /// The plain value; none if anything in it is poison.
    pub(crate) fn to_value(&self) -> Option<Value> {
        self.plainly(false)
    }

    fn plainly(&self, sensitive: bool) -> Option<Value> {
        Some(match self {
            Val::Poison => return None,
            Val::None => Value::None,
            Val::Default => Value::Default,
            Val::Bool(value) if sensitive => Value::Sensitive(Secret::new(value.to_string())),
            Val::Bool(value) => Value::Bool(*value),
            Val::Int(value) if sensitive => Value::Sensitive(Secret::new(value.to_string())),
            Val::Int(value) => Value::Int(*value),
            Val::Decimal(value) if sensitive => Value::Sensitive(Secret::new(value.to_string())),
            Val::Decimal(value) => Value::Decimal(*value),
            Val::Text(text) if sensitive => Value::Sensitive(Secret::new(&**text)),
            Val::Text(text) => Value::Text(text.to_string()),
            Val::List(list) => {
                Value::List(list.items.iter().map(|item| item.plainly(sensitive)).collect::<Option<_>>()?)
            }
            Val::Map(map) => Value::Map(
                map.entries
                    .iter()
                    .map(|(key, value)| Some((key.to_string(), value.plainly(sensitive)?)))
                    .collect::<Option<_>>()?,
            ),
            Val::Choice(choice) => Value::Choice {
                name: choice.name.clone(),
                arguments: choice
                    .arguments
                    .iter()
                    .map(|(key, value)| Some((key.to_string(), value.plainly(sensitive)?)))
                    .collect::<Option<_>>()?,
            },
            Val::Ref(pointed) => Value::Reference(pointed.reference.clone()),
            Val::Unknown(hole) => {
                Value::Unknown { residual: Box::new(hole.residual.clone()), of: hole.of.clone(), sensitive }
            }
            Val::Marked(marked) => return marked.value.plainly(sensitive || marked.marks.sensitive),
        })
    }

    /// What is left to compute; none if anything in it is poison.
    pub(crate) fn to_residual(&self) -> Option<Residual> {
        if !self.traits().holes {
            return self.to_value().map(Residual::Known);
        }
        Some(match self {
            Val::Unknown(hole) => hole.residual.clone(),
            // What comes out of a hole with marks is as sensitive as the whole expression, which says so at its root.
            Val::Marked(marked) => return marked.value.to_residual(),
            Val::List(list) => Residual::List(list.items.iter().map(Val::to_residual).collect::<Option<_>>()?),
            Val::Map(map) => Residual::Map(
                map.entries
                    .iter()
                    .map(|(key, value)| Some((key.to_string(), value.to_residual()?)))
                    .collect::<Option<_>>()?,
            ),
            other => return other.to_value().map(Residual::Known),
        })
    }

    /// A plain value, to compute with.
    pub(crate) fn from_value(value: &Value) -> Val {
        match value {
            Value::Bool(value) => Val::Bool(*value),
            Value::Int(value) => Val::Int(*value),
            Value::Decimal(value) => Val::Decimal(*value),
            Value::Text(text) => Val::text(text.as_str()),
            Value::List(items) => Val::list(items.iter().map(Val::from_value).collect()),
            Value::Map(entries) => {
                Val::map(entries.iter().map(|(key, value)| (Arc::from(key.as_str()), Val::from_value(value))).collect())
            }
            Value::None => Val::None,
            Value::Default => Val::Default,
            Value::Choice { name, arguments } => Val::choice(
                name.clone(),
                arguments.iter().map(|(key, value)| (Arc::from(key.as_str()), Val::from_value(value))).collect(),
            ),
            Value::Reference(reference) => Val::Ref(Arc::new(Pointed { reference: reference.clone(), instance: None })),
            Value::Sensitive(secret) => Val::text(secret.expose()).sensitive(),
            Value::Unknown { residual, of, sensitive } => {
                Val::unknown((**residual).clone(), of.clone()).with(Marks { sensitive: *sensitive, ..Marks::default() })
            }
        }
    }

    /// The type that a value has by itself: what a hole over it would be.
    pub(crate) fn own_type(&self) -> Type {
        match self.plain() {
            Val::Bool(_) => Type::Bool,
            Val::Int(_) => Type::Int,
            Val::Decimal(_) => Type::Number,
            Val::Text(_) => self
                .marks()
                .and_then(|marks| marks.nominal.as_ref())
                .map_or(Type::String, |id| Type::Named(id.name.clone())),
            Val::List(_) => Type::List(Box::new(Type::Any)),
            Val::Map(_) => Type::Map(Box::new(Type::Any)),
            Val::Choice(_) => Type::Choice,
            Val::Ref(pointed) => Type::Resource(vec![pointed.reference.kind.clone()]),
            Val::Unknown(hole) => hole.of.clone(),
            Val::Poison | Val::None | Val::Default | Val::Marked(_) => Type::Any,
        }
    }
}

/// Bytes of a plain value, about.
pub(super) fn size(value: &Value) -> u64 {
    match value {
        Value::Text(text) => 24 + text.len() as u64,
        Value::Sensitive(secret) => 24 + secret.expose().len() as u64,
        Value::List(items) => 24 + items.iter().map(size).sum::<u64>(),
        Value::Map(entries) | Value::Choice { arguments: entries, .. } => {
            24 + entries.iter().map(|(key, value)| 24 + key.len() as u64 + size(value)).sum::<u64>()
        }
        _ => 64,
    }
}
