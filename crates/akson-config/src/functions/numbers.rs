//! Functions over numbers.

use super::{
    Function, Shape,
    arguments::{bounded, int, list, number, text},
    parameter,
};
use crate::{fault::Fault, operators::as_f64, val::Val};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure(
        "min",
        &[parameter("number", Shape::Number), parameter("more", Shape::Number)],
        Shape::Number,
        "The least of the numbers.",
        ("min(3, 1, 2)", "1"),
        |a| extreme(a, true),
    )
    .variadic(),
    Function::pure(
        "max",
        &[parameter("number", Shape::Number), parameter("more", Shape::Number)],
        Shape::Number,
        "The greatest of the numbers.",
        ("max(3, 1, 2)", "3"),
        |a| extreme(a, false),
    )
    .variadic(),
    Function::pure(
        "abs",
        &[parameter("number", Shape::Number)],
        Shape::Number,
        "The number without its sign.",
        ("abs(-3)", "3"),
        |a| match a.first() {
            Some(Val::Int(value)) => value
                .checked_abs()
                .map(Val::Int)
                .ok_or_else(|| Fault::Arithmetic("the result is beyond the range of whole numbers".to_owned())),
            _ => rounded(number(a, 0)?.abs()),
        },
    ),
    Function::pure(
        "pow",
        &[parameter("base", Shape::Number), parameter("exponent", Shape::Number)],
        Shape::Number,
        "A number raised to a power.",
        ("pow(2, 10)", "1024"),
        |a| match (a.first(), a.get(1)) {
            (Some(Val::Int(base)), Some(Val::Int(exponent))) if *exponent >= 0 => u32::try_from(*exponent)
                .ok()
                .and_then(|exponent| base.checked_pow(exponent))
                .map(Val::Int)
                .ok_or_else(|| Fault::Arithmetic("the result is beyond the range of whole numbers".to_owned())),
            _ => rounded(number(a, 0)?.powf(number(a, 1)?)),
        },
    ),
    Function::pure(
        "log",
        &[parameter("number", Shape::Number), parameter("base", Shape::Number)],
        Shape::Number,
        "The logarithm of a number to a base.",
        ("log(1024, 2)", "10"),
        |a| rounded(number(a, 0)?.log(number(a, 1)?)),
    ),
    Function::pure(
        "ceil",
        &[parameter("number", Shape::Number)],
        Shape::Int,
        "The next whole number that is not less.",
        ("ceil(1.2)", "2"),
        |a| whole(a, f64::ceil),
    ),
    Function::pure(
        "floor",
        &[parameter("number", Shape::Number)],
        Shape::Int,
        "The next whole number that is not greater.",
        ("floor(1.8)", "1"),
        |a| whole(a, f64::floor),
    ),
    Function::pure(
        "signum",
        &[parameter("number", Shape::Number)],
        Shape::Int,
        "-1, 0 or 1: the sign of the number.",
        ("signum(-7)", "-1"),
        |a| {
            let value = number(a, 0)?;
            Ok(Val::Int(if value > 0.0 {
                1
            } else if value < 0.0 {
                -1
            } else {
                0
            }))
        },
    ),
    Function::pure(
        "parseint",
        &[parameter("text", Shape::Text), parameter("base", Shape::Int)],
        Shape::Int,
        "A whole number from text in a base from 2 to 36.",
        ("parseint(\"ff\", 16)", "255"),
        |a| {
            let base = u32::try_from(int(a, 1)?)
                .ok()
                .filter(|base| (2..=36).contains(base))
                .ok_or_else(|| Fault::Argument(1, "a base is a number from 2 to 36".to_owned()))?;
            i64::from_str_radix(text(a, 0)?, base)
                .map(Val::Int)
                .map_err(|_| Fault::Argument(0, format!("this is no whole number in base {base}")))
        },
    ),
    Function::pure(
        "tonumber",
        &[parameter("value", Shape::Any)],
        Shape::Number,
        "A number from text; a number stays as it is.",
        ("tonumber(\"12\")", "12"),
        |a| match a.first().map(Val::plain) {
            Some(value @ (Val::Int(_) | Val::Decimal(_))) => Ok(value.clone()),
            Some(Val::Text(text)) => parse(text).ok_or_else(|| Fault::Argument(0, "this text is no number".to_owned())),
            other => {
                Err(Fault::Argument(0, format!("{} is no number", other.map_or("nothing".to_owned(), Val::type_name))))
            }
        },
    ),
    Function::pure(
        "tobool",
        &[parameter("value", Shape::Any)],
        Shape::Bool,
        "A bool from the text `true` or `false`; a bool stays as it is.",
        ("tobool(\"true\")", "true"),
        |a| match a.first().map(Val::plain) {
            Some(Val::Bool(value)) => Ok(Val::Bool(*value)),
            Some(Val::Text(text)) => {
                text.parse().map(Val::Bool).map_err(|_| Fault::Argument(0, "this text is no bool".to_owned()))
            }
            other => {
                Err(Fault::Argument(0, format!("{} is no bool", other.map_or("nothing".to_owned(), Val::type_name))))
            }
        },
    ),
    Function::pure(
        "sum",
        &[parameter("list", Shape::List)],
        Shape::Number,
        "The sum of the numbers of a list.",
        ("sum([1, 2, 3])", "6"),
        |a| {
            list(a, 0)?
                .iter()
                .try_fold(Val::Int(0), |sum, item| {
                    crate::operators::apply(akson_catalog::Operator::Add, &[sum, item.plain().clone()])
                })
                .map_err(|fault| match fault {
                    Fault::Operand(..) => Fault::Argument(0, "every element must be a number".to_owned()),
                    other => other,
                })
        },
    ),
    Function::pure(
        "range",
        &[parameter("start_or_end", Shape::Int), parameter("end", Shape::Int), parameter("step", Shape::Int)],
        Shape::List,
        "Whole numbers from a start (0 if left out) up to, not including, an end.",
        ("range(1, 4)", "[1, 2, 3]"),
        range,
    )
    .optional(2),
];

/// A number as it is written in text.
pub(super) fn parse(text: &str) -> Option<Val> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Val::Int(whole));
    }
    // `inf`, `nan` and hexadecimal are no numbers here.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse::<f64>().ok().filter(|_| plain).and_then(Val::number)
}

fn extreme(a: &[Val], least: bool) -> Result<Val, Fault> {
    let mut best = a.first().ok_or_else(|| Fault::Argument(0, "a number is wanted here".to_owned()))?;
    for candidate in a {
        let (Some(value), Some(so_far)) = (as_f64(candidate.plain()), as_f64(best.plain())) else { continue };
        if (least && value < so_far) || (!least && value > so_far) {
            best = candidate;
        }
    }
    Ok(best.clone())
}

fn whole(a: &[Val], round: fn(f64) -> f64) -> Result<Val, Fault> {
    match a.first() {
        Some(value @ Val::Int(_)) => Ok(value.clone()),
        _ => rounded(round(number(a, 0)?)),
    }
}

fn rounded(value: f64) -> Result<Val, Fault> {
    Val::number(value).ok_or_else(|| Fault::Arithmetic("the result is beyond the range of numbers".to_owned()))
}

fn range(a: &[Val]) -> Result<Val, Fault> {
    let (start, end) = if a.len() > 1 { (int(a, 0)?, int(a, 1)?) } else { (0, int(a, 0)?) };
    let step = if a.len() > 2 {
        int(a, 2)?
    } else if end < start {
        -1
    } else {
        1
    };
    if step == 0 {
        return Err(Fault::Argument(2, "a step of 0 never ends".to_owned()));
    }
    let mut at = Some(start);
    bounded(std::iter::from_fn(move || {
        let value = at?;
        let inside = if step > 0 { value < end } else { value > end };
        at = value.checked_add(step);
        inside.then_some(Val::Int(value))
    }))
}
