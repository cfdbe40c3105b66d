//! Type expressions: `list(cidr)`, `object({ name = string, size = optional(int, 1) })`, `enum("dev", "prod")`.

use std::sync::Arc;

use akson_catalog::{Type, named::NAMED};
use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Argument, Expr, ExprKind, ObjectKey};

use super::constant;
use crate::{
    codes,
    eval::{Evaluator, Want},
    val::{Entries, Val, quoted},
};

/// A type with the values of what may be left out in it.
pub(crate) struct Shape {
    pub of: Type,
    fill: Fill,
}

/// Where defaults lie inside a type.
enum Fill {
    Nothing,
    /// Every element.
    Each(Box<Fill>),
    /// Fields: name, the value if it is left out, and what lies in it.
    Fields(Vec<(Arc<str>, Option<Val>, Fill)>),
}

impl Shape {
    pub(crate) fn any() -> Self {
        Shape { of: Type::Any, fill: Fill::Nothing }
    }

    /// Of a variable without a type: that of its default, if it is a scalar.
    pub(crate) fn like(default: &Val) -> Self {
        let of = match default.plain() {
            Val::Bool(_) => Type::Bool,
            Val::Int(_) | Val::Decimal(_) => Type::Number,
            Val::Text(_) => Type::String,
            _ => Type::Any,
        };
        Shape { of, fill: Fill::Nothing }
    }

    /// The value with the defaults of what it leaves out.
    pub(crate) fn complete(&self, value: &Val) -> Val {
        complete(value, &self.fill)
    }
}

fn complete(value: &Val, fill: &Fill) -> Val {
    match (fill, value.plain()) {
        (Fill::Nothing, _) => value.clone(),
        (Fill::Each(inner), Val::List(list)) => {
            Val::list(list.items.iter().map(|item| complete(item, inner)).collect())
        }
        (Fill::Each(inner), Val::Map(map)) => {
            Val::map(map.entries.iter().map(|(key, item)| (Arc::clone(key), complete(item, inner))).collect())
        }
        (Fill::Fields(fields), Val::Map(map)) => {
            let mut entries: Entries = map.entries.clone();
            for (name, default, inner) in fields {
                if let Some(given) = entries.get_mut(name) {
                    *given = complete(given, inner);
                } else if let Some(default) = default {
                    entries.insert(Arc::clone(name), complete(default, inner));
                }
            }
            Val::map(entries)
        }
        _ => value.clone(),
    }
}

type Read<T> = Result<T, Box<Diagnostic>>;

/// Reads a type expression.
///
/// # Errors
///
/// The diagnostic of what is no type.
pub(super) fn read(evaluator: &mut Evaluator<'_>, expr: &Expr) -> Read<Shape> {
    match &expr.kind {
        ExprKind::Parens(inner) => read(evaluator, inner),
        ExprKind::Word(name) => simple(evaluator, &name.text, expr.span),
        ExprKind::Call(name, arguments) => match name.text.as_str() {
            "list" | "set" | "map" => {
                let inner = read(evaluator, only(&name.text, arguments, expr.span)?)?;
                let of = Box::new(inner.of);
                let of = match name.text.as_str() {
                    "list" => Type::List(of),
                    "set" => Type::Set(of),
                    _ => Type::Map(of),
                };
                let fill =
                    if matches!(inner.fill, Fill::Nothing) { Fill::Nothing } else { Fill::Each(Box::new(inner.fill)) };
                Ok(Shape { of, fill })
            }
            "object" => object(evaluator, only("object", arguments, expr.span)?),
            "enum" => words(arguments, expr.span),
            "optional" => Err(fault(
                "`optional` stands for a field of an object",
                expr.span,
                "write it inside of `object({ … })`",
            )),
            other => Err(unknown(other, name.span)),
        },
        ExprKind::Template(_) => {
            let text = evaluator.sources.text(expr.span).trim_matches('"').to_owned();
            Err(fault("a type stands without quotes", expr.span, &format!("write `{text}`")))
        }
        _ => Err(fault(
            "this is no type",
            expr.span,
            "write one such as `string`, `list(string)`, `object({ name = string })` or `enum(\"dev\", \"prod\")`",
        )),
    }
}

fn simple(evaluator: &Evaluator<'_>, word: &str, span: Span) -> Read<Shape> {
    let of = match word {
        "string" => Type::String,
        "bool" => Type::Bool,
        "number" => Type::Number,
        "int" => Type::Int,
        "any" => Type::Any,
        "switch" => Type::Switch,
        "list" | "set" | "map" => {
            return Err(fault(
                &format!("`{word}` needs the type of its elements"),
                span,
                &format!("write `{word}(string)`"),
            ));
        }
        "object" => return Err(fault("`object` needs its fields", span, "write `object({ name = string })`")),
        "enum" => return Err(fault("`enum` needs its words", span, "write `enum(\"dev\", \"prod\")`")),
        other if NAMED.iter().any(|named| named.name == other) => Type::Named(other.to_owned()),
        "resource" => Type::Resource(vec!["*".to_owned()]),
        other if evaluator.catalog.get(other).is_some() => Type::Resource(vec![other.to_owned()]),
        other => return Err(unknown(other, span)),
    };
    Ok(Shape { of, fill: Fill::Nothing })
}

fn object(evaluator: &mut Evaluator<'_>, expr: &Expr) -> Read<Shape> {
    let ExprKind::Object(entries) = &expr.kind else {
        return Err(fault("`object` takes its fields in braces", expr.span, "write `object({ name = string })`"));
    };
    let mut fields: Vec<(String, Type, bool)> = Vec::new();
    let mut fills = Vec::new();
    for (key, value) in entries {
        let ObjectKey::Name(name) = key else {
            let ObjectKey::Expr(key) = key else { continue };
            return Err(fault("the name of a field is a bare word", key.span, "write it without quotes"));
        };
        let (inner, optional, default) = match &value.kind {
            ExprKind::Call(call, arguments) if call.text == "optional" => {
                let (Some(first), true) = (arguments.first(), arguments.len() <= 2) else {
                    return Err(fault(
                        "`optional` takes a type, and a value if the field is left out",
                        value.span,
                        "write `optional(string)` or `optional(string, \"x\")`",
                    ));
                };
                let inner = read(evaluator, &first.value)?;
                let default = arguments
                    .get(1)
                    .map(|argument| evaluator.eval(&argument.value, Want::Of(&inner.of, None), &constant("a default")));
                (inner, true, default)
            }
            _ => (read(evaluator, value)?, false, None),
        };
        if fields.iter().any(|(known, ..)| *known == name.text) {
            return Err(fault(&format!("the field `{}` stands twice", name.text), name.span, "remove one of them"));
        }
        fields.push((name.text.clone(), inner.of, optional));
        fills.push((Arc::from(name.text.as_str()), default, inner.fill));
    }
    let empty = fills.iter().all(|(_, default, fill)| default.is_none() && matches!(fill, Fill::Nothing));
    Ok(Shape { of: Type::Object(fields), fill: if empty { Fill::Nothing } else { Fill::Fields(fills) } })
}

fn words(arguments: &[Argument], span: Span) -> Read<Shape> {
    let mut words = Vec::new();
    for argument in arguments {
        match crate::resources::symbol_of(&argument.value) {
            Some(word) if argument.name.is_none() && !words.iter().any(|known| known == word) => {
                words.push(word.to_owned());
            }
            _ => {
                return Err(fault(
                    "`enum` takes distinct words",
                    argument.value.span,
                    "write `enum(\"dev\", \"prod\")`",
                ));
            }
        }
    }
    if words.is_empty() {
        return Err(fault("`enum` needs its words", span, "write `enum(\"dev\", \"prod\")`"));
    }
    Ok(Shape { of: Type::Enum(words), fill: Fill::Nothing })
}

fn only<'e>(name: &str, arguments: &'e [Argument], span: Span) -> Read<&'e Expr> {
    match arguments {
        [argument] if argument.name.is_none() => Ok(&argument.value),
        _ => Err(fault(
            &format!("`{name}` takes one type"),
            span,
            &format!("write `{name}({})`", if name == "object" { "{ name = string }" } else { "string" }),
        )),
    }
}

fn unknown(word: &str, span: Span) -> Box<Diagnostic> {
    let known = ["string", "bool", "number", "int", "any", "switch", "list", "set", "map", "object", "enum"]
        .into_iter()
        .chain(NAMED.iter().map(|named| named.name));
    let diagnostic = Diagnostic::error(codes::VARIABLE_TYPE, format!("there is no type `{word}`")).at(span, "");
    Box::new(match did_you_mean(word, known.clone()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).suggest(span, near, format!("write `{near}`")),
        // So attributes that take a resource are described.
        None if word == "resource" => {
            diagnostic.help("a kind is a type of its own: write `resource_group`, `cluster`, …")
        }
        None => diagnostic.help(format!("types are {}, and kinds such as `vault`", quoted(known.take(11)))),
    })
}

fn fault(text: &str, span: Span, help: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(codes::VARIABLE_TYPE, text).at(span, "").help(help))
}
