//! Residual expressions with outputs filled in: the only evaluation that happens at apply.

use akson_catalog::{Address, Operator, Residual, SymbolicId, Type, Value, named::named};

use crate::{
    fault::Fault,
    functions, operators,
    val::{Marks, Val, describe},
};

/// Why a residual has no value. The text is for a diagnostic and shows nothing sensitive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FoldError {
    /// What is wrong.
    pub text: String,
    /// The resources whose outputs took part.
    pub outputs: Vec<Address>,
}

/// Computes a residual. `outputs` gives the outputs that are known by now; one that is not keeps the result
/// [`Value::Unknown`], with everything else computed.
///
/// # Errors
///
/// If the outputs are not what the expression takes.
pub fn fold(residual: &Residual, outputs: &dyn Fn(&SymbolicId, &str) -> Option<Value>) -> Result<Value, FoldError> {
    let mut used = Vec::new();
    addresses(residual, &mut used);
    let error = |text: String| FoldError { text, outputs: used.clone() };
    let value = folded(residual, outputs)
        .map_err(|(fault, sensitive)| error(if sensitive { fault.discreet().to_owned() } else { fault.to_string() }))?;
    value.to_value().ok_or_else(|| error("a part of this value is missing".to_owned()))
}

/// Checks a folded value against the type of its place once more: what Azure answered may be something else than its
/// documentation says. A value that is still unknown passes.
///
/// # Errors
///
/// If the value is of another type.
pub fn check_folded(value: &Value, of: &Type) -> Result<(), FoldError> {
    let fits = match (of, value) {
        (Type::Any, _) | (_, Value::Unknown { .. } | Value::None | Value::Default) => true,
        (Type::Bool, Value::Bool(_))
        | (Type::Int | Type::Number, Value::Int(_))
        | (Type::Number, Value::Decimal(_)) => true,
        (Type::String | Type::Named(_) | Type::Enum(_) | Type::Switch, Value::Sensitive(_)) => true,
        (Type::String, Value::Text(_)) => true,
        (Type::Named(name), Value::Text(text)) => named(name).is_none_or(|rule| (rule.allows)(text)),
        (Type::Enum(words), Value::Text(text)) => words.contains(text),
        (Type::Switch, Value::Text(text)) => text == "enabled" || text == "disabled",
        (Type::List(item) | Type::Set(item), Value::List(items)) => {
            for value in items {
                check_folded(value, item)?;
            }
            true
        }
        (Type::Map(item), Value::Map(entries)) => {
            for value in entries.values() {
                check_folded(value, item)?;
            }
            true
        }
        (Type::Object(fields), Value::Map(entries)) => {
            for (name, of, optional) in fields {
                match entries.get(name) {
                    Some(value) => check_folded(value, of)?,
                    None if *optional => {}
                    None => return Err(FoldError { text: format!("the object lacks `{name}`"), outputs: Vec::new() }),
                }
            }
            true
        }
        (Type::Resource(_), Value::Reference(_)) | (Type::Choice, Value::Choice { .. }) => true,
        (Type::Resource(_), Value::Text(text)) => named("arm_id").is_none_or(|rule| (rule.allows)(text)),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let found = if value.is_sensitive() { "a sensitive value".to_owned() } else { Val::from_value(value).type_name() };
    Err(FoldError {
        text: format!("{} is wanted here, and this turned out to be {found}", describe(of)),
        outputs: Vec::new(),
    })
}

fn addresses(residual: &Residual, used: &mut Vec<Address>) {
    match residual {
        Residual::Known(_) => {}
        Residual::Output { address, .. } => {
            if !used.contains(address) {
                used.push(address.clone());
            }
        }
        Residual::List(parts) | Residual::Operation(_, parts) | Residual::Call { arguments: parts, .. } => {
            for part in parts {
                addresses(part, used);
            }
        }
        Residual::Map(parts) => parts.values().for_each(|part| addresses(part, used)),
    }
}

type Folded = Result<Val, (Fault, bool)>;

fn folded(residual: &Residual, outputs: &dyn Fn(&SymbolicId, &str) -> Option<Value>) -> Folded {
    match residual {
        Residual::Known(value) => Ok(Val::from_value(value)),
        Residual::Output { of, output, .. } => Ok(match outputs(of, output) {
            Some(value) => Val::from_value(&value),
            None => Val::unknown(residual.clone(), Type::Any),
        }),
        Residual::List(parts) => Ok(Val::list(all(parts, outputs)?)),
        Residual::Map(parts) => {
            let entries = parts
                .iter()
                .map(|(key, part)| Ok((key.as_str().into(), folded(part, outputs)?)))
                .collect::<Result<_, (Fault, bool)>>()?;
            Ok(Val::map(entries))
        }
        Residual::Operation(operator, parts) => {
            if let Some(value) = short_cut(*operator, parts, outputs)? {
                return Ok(value);
            }
            let operands = all(parts, outputs)?;
            combine(
                &operands,
                operators::result_type(*operator),
                |parts| Residual::Operation(*operator, parts),
                |plain| operators::apply(*operator, plain),
            )
        }
        Residual::Call { function, arguments } => {
            let known = functions::find(function)
                .ok_or_else(|| (Fault::Failed(format!("there is no function `{function}`")), false))?;
            let operands = all(arguments, outputs)?;
            let of = known.returns.as_type();
            combine(
                &operands,
                of,
                |arguments| Residual::Call { function: function.clone(), arguments },
                |plain| known.call(plain),
            )
        }
    }
}

/// Where one operand decides: the other side of a condition need not have a value.
fn short_cut(
    operator: Operator,
    parts: &[Residual],
    outputs: &dyn Fn(&SymbolicId, &str) -> Option<Value>,
) -> Result<Option<Val>, (Fault, bool)> {
    let Some(first) =
        parts.first().filter(|_| matches!(operator, Operator::Conditional | Operator::And | Operator::Or))
    else {
        return Ok(None);
    };
    let first = folded(first, outputs)?;
    let marks = Marks { sensitive: first.traits().sensitive, ..Marks::default() };
    Ok(match (operator, first.plain()) {
        (Operator::Conditional, Val::Bool(holds)) => match parts.get(if *holds { 1 } else { 2 }) {
            Some(branch) => Some(folded(branch, outputs)?.with(marks)),
            None => None,
        },
        (Operator::And, Val::Bool(false)) | (Operator::Or, Val::Bool(true)) => Some(first),
        _ => None,
    })
}

fn all(parts: &[Residual], outputs: &dyn Fn(&SymbolicId, &str) -> Option<Value>) -> Result<Vec<Val>, (Fault, bool)> {
    parts.iter().map(|part| folded(part, outputs)).collect()
}

fn combine(
    operands: &[Val],
    of: Type,
    keep: impl FnOnce(Vec<Residual>) -> Residual,
    compute: impl FnOnce(&[Val]) -> Result<Val, Fault>,
) -> Folded {
    let mut marks = Marks::default();
    let plain: Vec<Val> = operands.iter().map(|operand| operand.strip(&mut marks)).collect();
    if plain.iter().any(|operand| operand.traits().holes) {
        let residuals: Option<Vec<Residual>> = operands.iter().map(Val::to_residual).collect();
        let residuals =
            residuals.ok_or_else(|| (Fault::Failed("a part of this value is missing".to_owned()), marks.sensitive))?;
        return Ok(Val::unknown(keep(residuals), of).with(marks));
    }
    compute(&plain).map(|value| value.with(marks.clone())).map_err(|fault| (fault, marks.sensitive))
}
