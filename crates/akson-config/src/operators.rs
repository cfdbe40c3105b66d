//! Operators, indexing and templates over known values, and the types of their results. Not where operands come from.

use akson_catalog::{Operator, Type};
use akson_diagnostics::did_you_mean;
use akson_parser::ast::{BinaryOp, UnaryOp};

use crate::{
    fault::Fault,
    sink::limits,
    val::{Val, quoted},
};

pub(crate) fn of_binary(operator: BinaryOp) -> Operator {
    match operator {
        BinaryOp::Or => Operator::Or,
        BinaryOp::And => Operator::And,
        BinaryOp::Equal => Operator::Equal,
        BinaryOp::NotEqual => Operator::NotEqual,
        BinaryOp::Less => Operator::Less,
        BinaryOp::LessOrEqual => Operator::LessOrEqual,
        BinaryOp::Greater => Operator::Greater,
        BinaryOp::GreaterOrEqual => Operator::GreaterOrEqual,
        BinaryOp::Add => Operator::Add,
        BinaryOp::Subtract => Operator::Subtract,
        BinaryOp::Multiply => Operator::Multiply,
        BinaryOp::Divide => Operator::Divide,
        BinaryOp::Remainder => Operator::Remainder,
    }
}

pub(crate) fn of_unary(operator: UnaryOp) -> Operator {
    match operator {
        UnaryOp::Not => Operator::Not,
        UnaryOp::Negate => Operator::Negate,
    }
}

fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Not => "!",
        Operator::Negate | Operator::Subtract => "-",
        Operator::Or => "||",
        Operator::And => "&&",
        Operator::Equal => "==",
        Operator::NotEqual => "!=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Add => "+",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Remainder => "%",
        Operator::Conditional => "?:",
        Operator::Index => "[]",
        Operator::Template => "${}",
    }
}

/// What an operator gives, whatever its operands are.
pub(crate) fn result_type(operator: Operator) -> Type {
    match operator {
        Operator::Not | Operator::Or | Operator::And | Operator::Equal | Operator::NotEqual => Type::Bool,
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => Type::Bool,
        Operator::Negate
        | Operator::Add
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::Remainder => Type::Number,
        Operator::Template => Type::String,
        Operator::Conditional | Operator::Index => Type::Any,
    }
}

/// Applies an operator to known values without marks.
pub(crate) fn apply(operator: Operator, operands: &[Val]) -> Result<Val, Fault> {
    match (operator, operands) {
        (Operator::Not, [Val::Bool(value)]) => Ok(Val::Bool(!value)),
        (Operator::Negate, [Val::Int(value)]) => value.checked_neg().map(Val::Int).ok_or_else(overflow),
        (Operator::Negate, [Val::Decimal(value)]) => Ok(Val::Decimal(-value)),
        (Operator::Not | Operator::Negate, [other]) => {
            let (wanted, help) = match operator {
                Operator::Not => ("a bool", "write a comparison, such as `!(x == 0)` or `x != 0`"),
                _ => ("a number", "give a number; `tonumber(text)` makes one of text"),
            };
            Err(Fault::Operand(
                format!("`{}` takes {wanted}, not {}", symbol(operator), other.type_name()),
                Some(help.to_owned()),
            ))
        }
        (Operator::Or, [Val::Bool(left), Val::Bool(right)]) => Ok(Val::Bool(*left || *right)),
        (Operator::And, [Val::Bool(left), Val::Bool(right)]) => Ok(Val::Bool(*left && *right)),
        (Operator::Equal, [left, right]) => equal(left, right).map(Val::Bool),
        (Operator::NotEqual, [left, right]) => equal(left, right).map(|equal| Val::Bool(!equal)),
        (Operator::Conditional, [Val::Bool(condition), yes, no]) => {
            Ok(if *condition { yes.clone() } else { no.clone() })
        }
        (Operator::Index, [base, index]) => element(base, index),
        (Operator::Template, parts) => template(parts),
        (_, [left @ (Val::Int(_) | Val::Decimal(_)), right @ (Val::Int(_) | Val::Decimal(_))]) => {
            arithmetic(operator, left, right)
        }
        (_, [left, right]) => Err(operands_fault(operator, left, right)),
        _ => Err(Fault::Operand(format!("`{}` has the wrong number of operands", symbol(operator)), None)),
    }
}

fn operands_fault(operator: Operator, left: &Val, right: &Val) -> Fault {
    let wanted = if matches!(operator, Operator::Or | Operator::And) { "bools" } else { "numbers" };
    let help = match (operator, left, right) {
        (Operator::Add, Val::Text(_), _) | (Operator::Add, _, Val::Text(_)) => {
            Some("join texts by a template: `\"${a}${b}\"`".to_owned())
        }
        (Operator::Add, Val::List(_), _) => Some("join lists by `concat(a, b)`".to_owned()),
        (Operator::Add, Val::Map(_), _) => Some("join maps by `merge(a, b)`".to_owned()),
        (
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual,
            Val::Bool(_),
            Val::Int(_) | Val::Decimal(_),
        ) => Some("compare two at a time: `a < b && b < c`".to_owned()),
        (Operator::Or | Operator::And, ..) => Some("write comparisons, such as `x != 0 && y != \"\"`".to_owned()),
        _ => None,
    };
    Fault::Operand(
        format!("`{}` takes two {wanted}, not {} and {}", symbol(operator), left.type_name(), right.type_name()),
        help,
    )
}

fn overflow() -> Fault {
    Fault::Arithmetic("the result is beyond the range of whole numbers".to_owned())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers beyond 2^53 lose digits once a fraction joins in, as everywhere"
)]
pub(crate) fn as_f64(value: &Val) -> Option<f64> {
    match value {
        Val::Int(value) => Some(*value as f64),
        Val::Decimal(value) => Some(*value),
        _ => None,
    }
}

fn arithmetic(operator: Operator, left: &Val, right: &Val) -> Result<Val, Fault> {
    use std::cmp::Ordering;
    let by_zero = || Fault::Arithmetic("division by zero".to_owned());
    if let (Val::Int(left), Val::Int(right)) = (left, right) {
        let whole = match operator {
            Operator::Add => left.checked_add(*right),
            Operator::Subtract => left.checked_sub(*right),
            Operator::Multiply => left.checked_mul(*right),
            Operator::Divide if *right == 0 => return Err(by_zero()),
            Operator::Divide if left.checked_rem(*right) == Some(0) => left.checked_div(*right),
            Operator::Divide => {
                #[expect(clippy::cast_precision_loss, reason = "the quotient has a fraction: a double is what it is")]
                let quotient = *left as f64 / *right as f64;
                return Val::number(quotient).ok_or_else(overflow);
            }
            Operator::Remainder if *right == 0 => return Err(by_zero()),
            Operator::Remainder => left.checked_rem(*right),
            Operator::Less => return Ok(Val::Bool(left < right)),
            Operator::LessOrEqual => return Ok(Val::Bool(left <= right)),
            Operator::Greater => return Ok(Val::Bool(left > right)),
            Operator::GreaterOrEqual => return Ok(Val::Bool(left >= right)),
            _ => return Err(operands_fault(operator, &Val::Int(*left), &Val::Int(*right))),
        };
        return whole.map(Val::Int).ok_or_else(overflow);
    }
    let (Some(a), Some(b)) = (as_f64(left), as_f64(right)) else { return Err(operands_fault(operator, left, right)) };
    let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
    let result = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide | Operator::Remainder if b == 0.0 => return Err(by_zero()),
        Operator::Divide => a / b,
        Operator::Remainder => a % b,
        Operator::Less => return Ok(Val::Bool(order == Ordering::Less)),
        Operator::LessOrEqual => return Ok(Val::Bool(order != Ordering::Greater)),
        Operator::Greater => return Ok(Val::Bool(order == Ordering::Greater)),
        Operator::GreaterOrEqual => return Ok(Val::Bool(order != Ordering::Less)),
        _ => return Err(operands_fault(operator, left, right)),
    };
    Val::number(result).ok_or_else(|| Fault::Arithmetic("the result is beyond the range of numbers".to_owned()))
}

/// Whether two values are equal. Values of different types are not compared: it would always be false.
fn equal(left: &Val, right: &Val) -> Result<bool, Fault> {
    let comparable = matches!(
        (left, right),
        (Val::Bool(_), Val::Bool(_))
            | (Val::Int(_) | Val::Decimal(_), Val::Int(_) | Val::Decimal(_))
            | (Val::Text(_), Val::Text(_))
            | (Val::List(_), Val::List(_))
            | (Val::Map(_), Val::Map(_))
            | (Val::Ref(_), Val::Ref(_))
    );
    if !comparable {
        return Err(Fault::Operand(
            format!("{} is never equal to {}", left.type_name(), right.type_name()),
            Some("compare values of one type; `tostring` and `tonumber` convert".to_owned()),
        ));
    }
    Ok(same(left, right))
}

/// Deep equality of values without marks; different types differ.
pub(crate) fn same(left: &Val, right: &Val) -> bool {
    match (left, right) {
        (Val::None, Val::None) | (Val::Default, Val::Default) => true,
        (Val::Bool(left), Val::Bool(right)) => left == right,
        (Val::Int(left), Val::Int(right)) => left == right,
        (Val::Text(left), Val::Text(right)) => left == right,
        (Val::Int(_) | Val::Decimal(_), Val::Int(_) | Val::Decimal(_)) => as_f64(left)
            .zip(as_f64(right))
            .is_some_and(|(left, right)| left.partial_cmp(&right) == Some(std::cmp::Ordering::Equal)),
        (Val::List(left), Val::List(right)) => {
            left.items.len() == right.items.len()
                && left.items.iter().zip(&right.items).all(|(left, right)| same(left.plain(), right.plain()))
        }
        (Val::Map(left), Val::Map(right)) => {
            left.entries.len() == right.entries.len()
                && left
                    .entries
                    .iter()
                    .all(|(key, value)| right.entries.get(key).is_some_and(|other| same(value.plain(), other.plain())))
        }
        (Val::Ref(left), Val::Ref(right)) => left.reference.symbolic_id == right.reference.symbolic_id,
        _ => false,
    }
}

/// `base[index]` of a known collection. The element keeps its marks.
pub(crate) fn element(base: &Val, index: &Val) -> Result<Val, Fault> {
    match (base, index) {
        (Val::List(list), Val::Int(at)) => {
            usize::try_from(*at).ok().and_then(|at| list.items.get(at)).cloned().ok_or_else(|| {
                let count = list.items.len();
                let help = if count == 0 {
                    "the list is empty".to_owned()
                } else {
                    format!("it has {count} elements: from 0 to {}", count - 1)
                };
                Fault::Index(format!("the list has no element {at}"), Some(help))
            })
        }
        (Val::Map(map), Val::Text(key)) => {
            map.entries.get(&**key).cloned().ok_or_else(|| missing_key(key, map.entries.keys().map(AsRef::as_ref)))
        }
        (Val::List(_), other) => {
            Err(Fault::Index(format!("a list is indexed by a whole number, not by {}", other.type_name()), None))
        }
        (Val::Map(_), other) => {
            Err(Fault::Index(format!("a map is indexed by text, not by {}", other.type_name()), None))
        }
        (other, _) => Err(Fault::Index(format!("{} has no elements", other.type_name()), None)),
    }
}

/// The fault of a key that is not there, with the nearest one that is.
pub(crate) fn missing_key<'k>(key: &str, keys: impl Iterator<Item = &'k str> + Clone) -> Fault {
    let help = match did_you_mean(key, keys.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let known = quoted(keys);
            if known.is_empty() {
                "it has no keys".to_owned()
            } else {
                format!("it has {known}; `lookup(map, key, otherwise)` gives a value for a missing key")
            }
        }
    };
    Fault::Index(format!("there is no key `{key}`"), Some(help))
}

fn template(parts: &[Val]) -> Result<Val, Fault> {
    let mut text = String::new();
    for part in parts {
        text.push_str(&shown(part).ok_or_else(|| {
            Fault::Operand(
                format!("{} cannot stand in text", part.type_name()),
                Some(match part {
                    Val::Ref(_) => "name one of its outputs, such as `.id` or `.name`".to_owned(),
                    _ => "convert it: `join(\", \", list)` or `jsonencode(value)`".to_owned(),
                }),
            )
        })?);
        if text.len() > limits::TEXT {
            return Err(Fault::TooLarge("this text is too long: the limit is 1 MiB"));
        }
    }
    Ok(Val::text(text))
}

/// A scalar as text.
pub(crate) fn shown(value: &Val) -> Option<std::borrow::Cow<'_, str>> {
    Some(match value {
        Val::Text(text) => std::borrow::Cow::Borrowed(text),
        Val::Bool(value) => value.to_string().into(),
        Val::Int(value) => value.to_string().into(),
        Val::Decimal(value) => value.to_string().into(),
        _ => return None,
    })
}
