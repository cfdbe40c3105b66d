//! Expressions with parts of them replaced. Not which parts: the caller says.

use akson_parser::ast::{Argument, Attribute, Block, Expr, ExprKind, For, Item, ObjectKey, TemplatePart};

/// What stands for an expression; none if it stays.
pub(super) type Replace<'r> = dyn FnMut(&Expr) -> Option<Expr> + 'r;

/// A name that for-variables may hide.
const HIDDEN: &str = "workload";

/// The block with its expressions rewritten.
pub(super) fn block(block: &Block, with: &mut Replace<'_>) -> Block {
    let body = block
        .body
        .iter()
        .map(|item| match item {
            Item::Attribute(attribute) => {
                Item::Attribute(Attribute { value: expr(&attribute.value, with), ..attribute.clone() })
            }
            Item::Block(inner) => Item::Block(Box::new(self::block(inner, with))),
        })
        .collect();
    let computed_labels = block.computed_labels.iter().map(|(at, label)| (*at, expr(label, with))).collect();
    Block { body, computed_labels, ..block.clone() }
}

/// The expression rewritten: what is replaced is not looked into.
pub(super) fn expr(from: &Expr, with: &mut Replace<'_>) -> Expr {
    if let Some(new) = with(from) {
        return new;
    }
    let mut inner = |part: &Expr| Box::new(expr(part, with));
    let kind = match &from.kind {
        ExprKind::Template(parts) => ExprKind::Template(template(parts, with)),
        ExprKind::List(items) => ExprKind::List(items.iter().map(|item| expr(item, with)).collect()),
        ExprKind::Object(entries) => ExprKind::Object(
            entries
                .iter()
                .map(|(key, value)| {
                    let key = match key {
                        ObjectKey::Name(name) => ObjectKey::Name(name.clone()),
                        ObjectKey::Expr(key) => ObjectKey::Expr(expr(key, with)),
                    };
                    (key, expr(value, with))
                })
                .collect(),
        ),
        ExprKind::Field(base, name) => ExprKind::Field(inner(base), name.clone()),
        ExprKind::Index(base, index) => ExprKind::Index(inner(base), inner(index)),
        ExprKind::Call(name, arguments) => ExprKind::Call(name.clone(), called(arguments, with)),
        ExprKind::Method(base, name, arguments) => {
            let base = inner(base);
            ExprKind::Method(base, name.clone(), called(arguments, with))
        }
        ExprKind::Unary(operator, operand) => ExprKind::Unary(*operator, inner(operand)),
        ExprKind::Binary(operator, left, right) => ExprKind::Binary(*operator, inner(left), inner(right)),
        ExprKind::Conditional(condition, yes, no) => ExprKind::Conditional(inner(condition), inner(yes), inner(no)),
        ExprKind::For(walk) => ExprKind::For(Box::new(walked(walk, with))),
        ExprKind::Parens(operand) => ExprKind::Parens(inner(operand)),
        ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::None | ExprKind::Default | ExprKind::Word(_) => {
            from.kind.clone()
        }
    };
    Expr { span: from.span, kind }
}

fn called(arguments: &[Argument], with: &mut Replace<'_>) -> Vec<Argument> {
    arguments
        .iter()
        .map(|argument| Argument { name: argument.name.clone(), value: expr(&argument.value, with) })
        .collect()
}

fn walked(walk: &For, with: &mut Replace<'_>) -> For {
    let collection = expr(&walk.collection, with);
    let hides = walk.value.text == HIDDEN || walk.key.as_ref().is_some_and(|key| key.text == HIDDEN);
    if hides {
        return For { collection, ..walk.clone() };
    }
    For {
        collection,
        result_key: walk.result_key.as_ref().map(|key| expr(key, with)),
        result: expr(&walk.result, with),
        condition: walk.condition.as_ref().map(|condition| expr(condition, with)),
        ..walk.clone()
    }
}

fn template(parts: &[TemplatePart], with: &mut Replace<'_>) -> Vec<TemplatePart> {
    parts
        .iter()
        .map(|part| match part {
            TemplatePart::Literal(text) => TemplatePart::Literal(text.clone()),
            TemplatePart::Interpolation(value) => TemplatePart::Interpolation(expr(value, with)),
            TemplatePart::If { condition, then, otherwise } => TemplatePart::If {
                condition: Box::new(expr(condition, with)),
                then: template(then, with),
                otherwise: template(otherwise, with),
            },
            TemplatePart::For { key, value, collection, body } => {
                let collection = expr(collection, with);
                let hides = value.text == HIDDEN || key.as_ref().is_some_and(|key| key.text == HIDDEN);
                TemplatePart::For {
                    key: key.clone(),
                    value: value.clone(),
                    collection: Box::new(collection),
                    body: if hides { body.clone() } else { template(body, with) },
                }
            }
        })
        .collect()
}
