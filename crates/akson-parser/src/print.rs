//! Trees as source text, for what no author wrote: expanded intents. The text is legal and not yet in canonical form; `format` makes it so.
//! Not for what an author wrote: comments and blank lines are not in the tree.

use std::fmt::Write as _;

use crate::ast::{Argument, BinaryOp, Block, Expr, ExprKind, For, Item, Name, ObjectKey, TemplatePart, UnaryOp};

/// Longest object or list that stays in one line.
const LINE: usize = 72;

/// A block as source text, with its line end.
pub fn print_block(block: &Block) -> String {
    let mut out = String::new();
    write_block(&mut out, block, 0);
    out
}

/// An expression as source text. Operators are not put into parentheses beyond those in the tree.
pub fn print_expression(expr: &Expr) -> String {
    let mut out = String::new();
    write_expr(&mut out, expr, 0);
    out
}

/// Text in quotes, with everything escaped that would not stand for itself.
pub fn quote(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn indent(out: &mut String, level: usize) {
    for _ in 0..level {
        out.push_str("  ");
    }
}

fn write_block(out: &mut String, block: &Block, level: usize) {
    indent(out, level);
    if block.existing.is_some() {
        out.push_str("existing ");
    }
    out.push_str(&block.keyword.text);
    for (at, label) in block.labels.iter().enumerate() {
        out.push(' ');
        match block.computed_labels.iter().find(|(place, _)| *place == at) {
            Some((_, expr)) => write_expr(out, expr, level),
            None => out.push_str(&quote(&label.text)),
        }
    }
    if block.body.is_empty() {
        out.push_str(" {}\n");
        return;
    }
    out.push_str(" {\n");
    for item in &block.body {
        match item {
            Item::Attribute(attribute) => {
                indent(out, level + 1);
                let _ = write!(out, "{} = ", attribute.name.text);
                write_expr(out, &attribute.value, level + 1);
                out.push('\n');
            }
            Item::Block(inner) => write_block(out, inner, level + 1),
        }
    }
    indent(out, level);
    out.push_str("}\n");
}

fn write_expr(out: &mut String, expr: &Expr, level: usize) {
    match &expr.kind {
        ExprKind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        ExprKind::Number(text) => out.push_str(text),
        ExprKind::Template(parts) => {
            out.push('"');
            write_parts(out, parts, level);
            out.push('"');
        }
        ExprKind::None => out.push_str("none"),
        ExprKind::Default => out.push_str("default"),
        ExprKind::List(items) => {
            let texts = items.iter().map(|item| text_of(item, level + 1)).collect::<Vec<_>>();
            write_group(out, &texts, ("[", "]"), ",", level);
        }
        ExprKind::Object(entries) => {
            let texts = entries
                .iter()
                .map(|(key, value)| format!("{} = {}", key_of(key, level + 1), text_of(value, level + 1)))
                .collect::<Vec<_>>();
            write_group(out, &texts, ("{ ", " }"), "", level);
        }
        ExprKind::Word(name) => out.push_str(&name.text),
        ExprKind::Field(base, name) => {
            write_expr(out, base, level);
            let _ = write!(out, ".{}", name.text);
        }
        ExprKind::Index(base, index) => {
            write_expr(out, base, level);
            out.push('[');
            write_expr(out, index, level);
            out.push(']');
        }
        ExprKind::Call(name, arguments) => write_call(out, name, arguments, level),
        ExprKind::Method(base, name, arguments) => {
            write_expr(out, base, level);
            out.push('.');
            write_call(out, name, arguments, level);
        }
        ExprKind::Unary(operator, operand) => {
            out.push(match operator {
                UnaryOp::Not => '!',
                UnaryOp::Negate => '-',
            });
            write_expr(out, operand, level);
        }
        ExprKind::Binary(operator, left, right) => {
            write_expr(out, left, level);
            let _ = write!(out, " {} ", sign(*operator));
            write_expr(out, right, level);
        }
        ExprKind::Conditional(condition, yes, no) => {
            write_expr(out, condition, level);
            out.push_str(" ? ");
            write_expr(out, yes, level);
            out.push_str(" : ");
            write_expr(out, no, level);
        }
        ExprKind::For(walk) => write_for(out, walk, level),
        ExprKind::Parens(inner) => {
            out.push('(');
            write_expr(out, inner, level);
            out.push(')');
        }
    }
}

fn text_of(expr: &Expr, level: usize) -> String {
    let mut text = String::new();
    write_expr(&mut text, expr, level);
    text
}

/// Elements in one line if they fit, else each on its own.
fn write_group(out: &mut String, texts: &[String], (open, close): (&str, &str), behind: &str, level: usize) {
    if texts.is_empty() {
        out.push_str(open.trim());
        out.push_str(close.trim());
        return;
    }
    let length: usize = texts.iter().map(|text| text.len() + 2).sum();
    if length <= LINE && !texts.iter().any(|text| text.contains('\n')) {
        let _ = write!(out, "{open}{}{close}", texts.join(", "));
        return;
    }
    out.push_str(open.trim());
    out.push('\n');
    for text in texts {
        indent(out, level + 1);
        let _ = writeln!(out, "{text}{behind}");
    }
    indent(out, level);
    out.push_str(close.trim());
}

fn key_of(key: &ObjectKey, level: usize) -> String {
    match key {
        ObjectKey::Name(name) => name.text.clone(),
        ObjectKey::Expr(expr)
            if matches!(expr.kind, ExprKind::Template(_) | ExprKind::Parens(_) | ExprKind::Number(_)) =>
        {
            text_of(expr, level)
        }
        ObjectKey::Expr(expr) => format!("({})", text_of(expr, level)),
    }
}

fn write_call(out: &mut String, name: &Name, arguments: &[Argument], level: usize) {
    let _ = write!(out, "{}(", name.text);
    for (at, argument) in arguments.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        if let Some(name) = &argument.name {
            let _ = write!(out, "{} = ", name.text);
        }
        write_expr(out, &argument.value, level);
    }
    out.push(')');
}

fn write_for(out: &mut String, walk: &For, level: usize) {
    let map = walk.result_key.is_some();
    out.push_str(if map { "{ for " } else { "[for " });
    if let Some(key) = &walk.key {
        let _ = write!(out, "{}, ", key.text);
    }
    let _ = write!(out, "{} in ", walk.value.text);
    write_expr(out, &walk.collection, level);
    out.push_str(" : ");
    if let Some(key) = &walk.result_key {
        write_expr(out, key, level);
        out.push_str(" => ");
    }
    write_expr(out, &walk.result, level);
    if walk.group {
        out.push_str("...");
    }
    if let Some(condition) = &walk.condition {
        out.push_str(" if ");
        write_expr(out, condition, level);
    }
    out.push_str(if map { " }" } else { "]" });
}

fn write_parts(out: &mut String, parts: &[TemplatePart], level: usize) {
    for part in parts {
        match part {
            TemplatePart::Literal(text) => out.push_str(&escaped(text)),
            TemplatePart::Interpolation(expr) => {
                out.push_str("${");
                write_expr(out, expr, level);
                out.push('}');
            }
            TemplatePart::If { condition, then, otherwise } => {
                out.push_str("%{ if ");
                write_expr(out, condition, level);
                out.push_str(" }");
                write_parts(out, then, level);
                if !otherwise.is_empty() {
                    out.push_str("%{ else }");
                    write_parts(out, otherwise, level);
                }
                out.push_str("%{ endif }");
            }
            TemplatePart::For { key, value, collection, body } => {
                out.push_str("%{ for ");
                if let Some(key) = key {
                    let _ = write!(out, "{}, ", key.text);
                }
                let _ = write!(out, "{} in ", value.text);
                write_expr(out, collection, level);
                out.push_str(" }");
                write_parts(out, body, level);
                out.push_str("%{ endfor }");
            }
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if characters.peek() == Some(&'{') => {
                out.push(character);
                out.push(character);
            }
            other if other.is_control() || crate::characters::is_hidden(other) => {
                let number = u32::from(other);
                let _ = if number > 0xffff { write!(out, "\\U{number:08x}") } else { write!(out, "\\u{number:04x}") };
            }
            other => out.push(other),
        }
    }
    out
}

fn sign(operator: BinaryOp) -> &'static str {
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
