//! Ways through expressions: all of them below one, one by its place, and what a chain of names begins at.

use akson_diagnostics::Span;
use akson_parser::ast::{Argument, Block, Expr, ExprKind, Item, ObjectKey, TemplatePart};

/// A step of a chain: a name, a key in brackets that is written out, or one that is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// `.name` or `["name"]`.
    Key(String),
    /// `[0]`, `[x]`, or a call.
    Computed,
}

/// `root.a["b"].c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    /// The word it begins with.
    pub root: String,
    /// What follows.
    pub steps: Vec<Step>,
}

/// A text without interpolation.
pub(crate) fn plain_text(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Template(parts) => match parts.as_slice() {
            [] => Some(String::new()),
            [TemplatePart::Literal(text)] => Some(text.clone()),
            _ => None,
        },
        ExprKind::Parens(inner) => plain_text(inner),
        _ => None,
    }
}

/// The chain that an expression is; none if it is something else.
pub(crate) fn chain(expr: &Expr) -> Option<Chain> {
    match &expr.kind {
        ExprKind::Word(name) => Some(Chain { root: name.text.clone(), steps: Vec::new() }),
        ExprKind::Field(base, name) => {
            let mut chain = chain(base)?;
            chain.steps.push(Step::Key(name.text.clone()));
            Some(chain)
        }
        ExprKind::Index(base, index) => {
            let mut chain = chain(base)?;
            chain.steps.push(plain_text(index).map_or(Step::Computed, Step::Key));
            Some(chain)
        }
        ExprKind::Method(base, ..) => {
            let mut chain = chain(base)?;
            chain.steps.push(Step::Computed);
            Some(chain)
        }
        ExprKind::Parens(inner) => chain(inner),
        _ => None,
    }
}

/// Every expression that stands in a block by itself: values of attributes.
pub(crate) fn expressions<'f>(block: &'f Block, found: &mut impl FnMut(&'f Expr)) {
    for item in &block.body {
        match item {
            Item::Attribute(attribute) => found(&attribute.value),
            Item::Block(inner) => expressions(inner, found),
        }
    }
    for (_, label) in &block.computed_labels {
        found(label);
    }
}

/// An expression, and what it is made of; of chains the longest alone, and what is computed in their brackets.
pub(crate) fn below<'f>(expr: &'f Expr, found: &mut impl FnMut(&'f Expr)) {
    found(expr);
    if chain(expr).is_some() {
        in_brackets(expr, found);
        return;
    }
    match &expr.kind {
        ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::None | ExprKind::Default | ExprKind::Word(_) => {}
        ExprKind::Template(parts) => in_template(parts, found),
        ExprKind::List(items) => items.iter().for_each(|item| below(item, found)),
        ExprKind::Object(entries) => {
            for (key, value) in entries {
                if let ObjectKey::Expr(key) = key {
                    below(key, found);
                }
                below(value, found);
            }
        }
        ExprKind::Field(base, _) | ExprKind::Unary(_, base) | ExprKind::Parens(base) => below(base, found),
        ExprKind::Index(base, index) | ExprKind::Binary(_, base, index) => {
            below(base, found);
            below(index, found);
        }
        ExprKind::Call(_, arguments) => in_arguments(arguments, found),
        ExprKind::Method(base, _, arguments) => {
            below(base, found);
            in_arguments(arguments, found);
        }
        ExprKind::Conditional(condition, yes, no) => {
            for part in [condition, yes, no] {
                below(part, found);
            }
        }
        ExprKind::For(walk) => {
            below(&walk.collection, found);
            walk.result_key.iter().for_each(|part| below(part, found));
            below(&walk.result, found);
            walk.condition.iter().for_each(|part| below(part, found));
        }
    }
}

fn in_arguments<'f>(arguments: &'f [Argument], found: &mut impl FnMut(&'f Expr)) {
    for argument in arguments {
        below(&argument.value, found);
    }
}

fn in_brackets<'f>(expr: &'f Expr, found: &mut impl FnMut(&'f Expr)) {
    match &expr.kind {
        ExprKind::Field(base, _) | ExprKind::Parens(base) => in_brackets(base, found),
        ExprKind::Index(base, index) => {
            in_brackets(base, found);
            below(index, found);
        }
        ExprKind::Method(base, _, arguments) => {
            in_brackets(base, found);
            in_arguments(arguments, found);
        }
        _ => {}
    }
}

fn in_template<'f>(parts: &'f [TemplatePart], found: &mut impl FnMut(&'f Expr)) {
    for part in parts {
        match part {
            TemplatePart::Literal(_) => {}
            TemplatePart::Interpolation(expr) => below(expr, found),
            TemplatePart::If { condition, then, otherwise } => {
                below(condition, found);
                in_template(then, found);
                in_template(otherwise, found);
            }
            TemplatePart::For { collection, body, .. } => {
                below(collection, found);
                in_template(body, found);
            }
        }
    }
}

/// The attribute whose value stands at a place, with the blocks around it, outermost first.
pub(crate) fn find_expression(block: &Block, span: Span) -> Option<(Vec<&Block>, &Item)> {
    for item in &block.body {
        match item {
            Item::Attribute(attribute) if attribute.value.span == span => return Some((vec![block], item)),
            Item::Attribute(_) => {}
            Item::Block(inner) if inner.header == span => return Some((vec![block], item)),
            Item::Block(inner) => {
                if let Some((mut around, found)) = find_expression(inner, span) {
                    around.insert(0, block);
                    return Some((around, found));
                }
            }
        }
    }
    None
}
