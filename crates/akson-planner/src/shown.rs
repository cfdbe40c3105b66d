//! Values as a plan shows them: in the configuration's words, and never what is sensitive.

use std::fmt::Write as _;

use akson_catalog::{Operator, Residual, Value};
use serde_json::Value as Json;

use crate::plan::Shown;

/// A value as it is shown.
pub(crate) fn shown(value: &Value) -> Shown {
    if value.is_sensitive() {
        Shown::Sensitive
    } else if value.has_holes() {
        Shown::KnownAfterApply(words(value))
    } else if *value == Value::None {
        Shown::Absent
    } else if is_written(value) {
        Shown::Written(json(value))
    } else {
        Shown::Value(json(value))
    }
}

/// Whether its texts are expressions: it is a constructor or a reference, or a list of such.
fn is_written(value: &Value) -> bool {
    match value {
        Value::Choice { .. } | Value::Reference(_) | Value::Default => true,
        Value::List(items) => items.iter().any(is_written),
        _ => false,
    }
}

/// A value in a sentence.
pub(crate) fn words_of(shown: &Shown) -> String {
    match shown {
        Shown::Absent => "nothing".to_owned(),
        Shown::Value(Json::String(text)) | Shown::Written(Json::String(text)) => format!("`{text}`"),
        Shown::Value(value) | Shown::Written(value) => format!("`{value}`"),
        Shown::Sensitive => "(sensitive)".to_owned(),
        Shown::KnownAfterApply(expression) => format!("`{expression}`, known after apply"),
    }
}

/// A value without holes as JSON: constructors and references as the configuration writes them.
fn json(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => Json::from(*flag),
        Value::Int(whole) => Json::from(*whole),
        Value::Decimal(float) => Json::from(*float),
        Value::Text(text) => Json::from(text.as_str()),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            entries.iter().map(|(key, value)| (key.clone(), json(value))).collect::<serde_json::Map<_, _>>().into()
        }
        Value::None
        | Value::Default
        | Value::Choice { .. }
        | Value::Reference(_)
        | Value::Sensitive(_)
        | Value::Unknown { .. } => Json::from(words(value)),
    }
}

/// A value as the configuration would write it.
fn words(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Decimal(_) | Value::Text(_) => json(value).to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(words).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Map(entries) => {
            let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key} = {}", words(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::None => "none".to_owned(),
        Value::Default => "default".to_owned(),
        Value::Choice { name, arguments } if arguments.is_empty() => name.clone(),
        Value::Choice { name, arguments } => {
            let arguments: Vec<String> =
                arguments.iter().map(|(name, value)| format!("{name} = {}", words(value))).collect();
            format!("{name}({})", arguments.join(", "))
        }
        Value::Reference(reference) => reference.address.to_string(),
        Value::Sensitive(_) | Value::Unknown { sensitive: true, .. } => "(sensitive)".to_owned(),
        Value::Unknown { residual, .. } => expression(residual),
    }
}

/// A residual as the configuration would write it.
fn expression(residual: &Residual) -> String {
    let list = |items: &[Residual]| items.iter().map(expression).collect::<Vec<_>>().join(", ");
    match residual {
        Residual::Known(value) => words(value),
        Residual::Output { address, output, .. } => {
            format!("{address}.{}", output.trim_start_matches('/').replace('/', "."))
        }
        Residual::List(items) => format!("[{}]", list(items)),
        Residual::Map(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key} = {}", expression(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Residual::Call { function, arguments } => format!("{function}({})", list(arguments)),
        Residual::Operation(Operator::Template, parts) => {
            let mut text = String::from("\"");
            for part in parts {
                match part {
                    Residual::Known(Value::Text(known)) => text.push_str(known),
                    // Writing to a String cannot fail.
                    part => drop(write!(text, "${{{}}}", expression(part))),
                }
            }
            text.push('"');
            text
        }
        Residual::Operation(operator, operands) => operation(*operator, operands),
    }
}

fn operation(operator: Operator, operands: &[Residual]) -> String {
    let inner = |operand: &Residual| match operand {
        Residual::Operation(inner, _) if !matches!(inner, Operator::Template | Operator::Index) => {
            format!("({})", expression(operand))
        }
        operand => expression(operand),
    };
    match (operator, operands) {
        (Operator::Not, [operand]) => format!("!{}", inner(operand)),
        (Operator::Negate, [operand]) => format!("-{}", inner(operand)),
        (Operator::Index, [base, index]) => format!("{}[{}]", inner(base), expression(index)),
        (Operator::Conditional, [test, yes, no]) => format!("{} ? {} : {}", inner(test), inner(yes), inner(no)),
        (operator, operands) => operands.iter().map(inner).collect::<Vec<_>>().join(sign(operator)),
    }
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Or => " || ",
        Operator::And => " && ",
        Operator::Equal => " == ",
        Operator::NotEqual => " != ",
        Operator::Less => " < ",
        Operator::LessOrEqual => " <= ",
        Operator::Greater => " > ",
        Operator::GreaterOrEqual => " >= ",
        Operator::Add => " + ",
        Operator::Subtract => " - ",
        Operator::Multiply => " * ",
        Operator::Divide => " / ",
        Operator::Remainder => " % ",
        Operator::Not | Operator::Negate | Operator::Index | Operator::Conditional | Operator::Template => ", ",
    }
}
