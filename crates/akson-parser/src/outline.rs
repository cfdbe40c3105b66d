//! A tree as compact text without spans: two trees are the same exactly if their outlines are. For tests, and for the
//! promise of the formatter. Not `.aks` text: see `format`.

use std::fmt::Write as _;

use crate::ast::{Argument, BinaryOp, Block, Expr, ExprKind, File, Item, Name, ObjectKey, TemplatePart, UnaryOp};

/// The outline of a file: one line an attribute or block.
pub fn outline(file: &File) -> String {
    let mut out = String::new();
    for block in &file.blocks {
        write_block(&mut out, block, 0);
    }
    for block in &file.broken {
        out.push_str("broken ");
        write_block(&mut out, block, 0);
    }
    out
}

/// The outline of one expression.
pub fn outline_expression(expr: &Expr) -> String {
    let mut out = String::new();
    write_expr(&mut out, expr);
    out
}

fn write_block(out: &mut String, block: &Block, depth: usize) {
    if block.existing.is_some() {
        out.push_str("existing ");
    }
    out.push_str(&block.keyword.text);
    for (at, label) in block.labels.iter().enumerate() {
        let _ = write!(out, " {:?}", label.text);
        for (_, computed) in block.computed_labels.iter().filter(|(of, _)| *of == at) {
            out.push('=');
            write_expr(out, computed);
        }
    }
    out.push_str(":\n");
    for item in &block.body {
        for _ in 0..=depth {
            out.push_str("  ");
        }
        match item {
            Item::Attribute(attribute) => {
                let _ = write!(out, "{} = ", attribute.name.text);
                write_expr(out, &attribute.value);
                out.push('\n');
            }
            Item::Block(block) => write_block(out, block, depth + 1),
        }
    }
}

fn write_expr(out: &mut String, expr: &Expr) {
    match &expr.kind {
        ExprKind::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        ExprKind::Number(text) => out.push_str(text),
        ExprKind::Template(parts) => write_template(out, parts),
        ExprKind::None => out.push_str("none"),
        ExprKind::Default => out.push_str("default"),
        ExprKind::List(values) => {
            out.push('[');
            separated(out, values, write_expr);
            out.push(']');
        }
        ExprKind::Object(pairs) => {
            out.push('{');
            separated(out, pairs, |out, (key, value)| {
                match key {
                    ObjectKey::Name(name) => out.push_str(&name.text),
                    ObjectKey::Expr(key) => write_expr(out, key),
                }
                out.push_str(" = ");
                write_expr(out, value);
            });
            out.push('}');
        }
        ExprKind::Word(name) => {
            let _ = write!(out, "`{}", name.text);
        }
        ExprKind::Field(base, name) => {
            write_expr(out, base);
            let _ = write!(out, ".{}", name.text);
        }
        ExprKind::Index(base, index) => {
            write_expr(out, base);
            out.push('[');
            write_expr(out, index);
            out.push(']');
        }
        ExprKind::Call(name, arguments) => {
            out.push_str(&name.text);
            write_arguments(out, arguments);
        }
        ExprKind::Method(base, name, arguments) => {
            write_expr(out, base);
            let _ = write!(out, ".{}", name.text);
            write_arguments(out, arguments);
        }
        ExprKind::Unary(operator, value) => {
            out.push_str(match operator {
                UnaryOp::Not => "<! ",
                UnaryOp::Negate => "<- ",
            });
            write_expr(out, value);
            out.push('>');
        }
        ExprKind::Binary(operator, left, right) => {
            out.push('<');
            write_expr(out, left);
            let _ = write!(out, " {} ", symbol(*operator));
            write_expr(out, right);
            out.push('>');
        }
        ExprKind::Conditional(condition, yes, no) => {
            out.push('<');
            write_expr(out, condition);
            out.push_str(" ? ");
            write_expr(out, yes);
            out.push_str(" : ");
            write_expr(out, no);
            out.push('>');
        }
        ExprKind::For(walk) => {
            out.push_str(if walk.result_key.is_some() { "{for " } else { "[for " });
            write_names(out, walk.key.as_ref(), &walk.value);
            write_expr(out, &walk.collection);
            out.push_str(" : ");
            if let Some(key) = &walk.result_key {
                write_expr(out, key);
                out.push_str(" => ");
            }
            write_expr(out, &walk.result);
            if walk.group {
                out.push_str("...");
            }
            if let Some(condition) = &walk.condition {
                out.push_str(" if ");
                write_expr(out, condition);
            }
            out.push(if walk.result_key.is_some() { '}' } else { ']' });
        }
        ExprKind::Parens(inner) => {
            out.push('(');
            write_expr(out, inner);
            out.push(')');
        }
    }
}

fn separated<T>(out: &mut String, values: &[T], mut write: impl FnMut(&mut String, &T)) {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write(out, value);
    }
}

fn write_arguments(out: &mut String, arguments: &[Argument]) {
    out.push('(');
    separated(out, arguments, |out, argument| {
        if let Some(name) = &argument.name {
            let _ = write!(out, "{} = ", name.text);
        }
        write_expr(out, &argument.value);
    });
    out.push(')');
}

fn write_names(out: &mut String, key: Option<&Name>, value: &Name) {
    if let Some(key) = key {
        let _ = write!(out, "{}, ", key.text);
    }
    let _ = write!(out, "{} in ", value.text);
}

fn write_template(out: &mut String, parts: &[TemplatePart]) {
    if parts.is_empty() {
        out.push_str("\"\"");
    }
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push('+');
        }
        match part {
            TemplatePart::Literal(text) => {
                let _ = write!(out, "{text:?}");
            }
            TemplatePart::Interpolation(value) => {
                out.push_str("${");
                write_expr(out, value);
                out.push('}');
            }
            TemplatePart::If { condition, then, otherwise } => {
                out.push_str("%{if ");
                write_expr(out, condition);
                out.push_str(": ");
                write_template(out, then);
                out.push_str(" else: ");
                write_template(out, otherwise);
                out.push('}');
            }
            TemplatePart::For { key, value, collection, body } => {
                out.push_str("%{for ");
                write_names(out, key.as_deref(), value);
                write_expr(out, collection);
                out.push_str(": ");
                write_template(out, body);
                out.push('}');
            }
        }
    }
}

fn symbol(operator: BinaryOp) -> &'static str {
    match operator {
        BinaryOp::Or => "||",
        BinaryOp::And => "&&",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Remainder => "%",
    }
}
