//! Blocks as trees with values at their leaves: what stands where, and something else put there; references that have moved. Not which
//! blocks are alike.

use akson_parser::{
    ast::{Argument, Block, Expr, ExprKind, Item, ObjectKey, TemplatePart},
    print_block,
};

use super::{super::nowhere, Moved};
use crate::workload::make::Make;

/// A longer text is no value of a map.
const LONGEST: usize = 100;

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub path: String,
    /// As it is written.
    pub text: String,
    pub value: Expr,
    /// What sort of value it is: only those of one sort stand in one map.
    pub sort: &'static str,
    /// Whether a map of such values reads well.
    pub is_short: bool,
    /// It is the block's name.
    pub is_name: bool,
}

impl Leaf {
    /// What tells it from others, in a word: of a reference its label.
    pub(super) fn short_name(&self) -> Option<String> {
        match &self.value.kind {
            ExprKind::Field(_, name) => Some(name.text.clone()),
            ExprKind::Index(_, key) => value_of(key),
            _ => value_of(&self.value),
        }
    }
}

/// A text that is written as such.
pub(super) fn value_of(expr: &Expr) -> Option<String> {
    let ExprKind::Template(parts) = &expr.kind else { return None };
    match parts.as_slice() {
        [] => Some(String::new()),
        [TemplatePart::Literal(text)] => Some(text.clone()),
        _ => None,
    }
}

/// All leaves in order, but for the name itself.
pub(super) fn leaves(block: &Block, named: Option<&str>, name: Option<&str>) -> Vec<Leaf> {
    let mut found = Vec::new();
    let mut block = block.clone();
    visit(&mut block.body, "", &mut |path, value| {
        if Some(path) == named {
            return;
        }
        let is_name = name.is_some_and(|name| name.len() >= 3 && value_of(value).as_deref() == Some(name));
        let text = if is_name { "each.key".to_owned() } else { written(value) };
        found.push(Leaf {
            path: path.to_owned(),
            text,
            sort: sort(value),
            is_short: !is_name && is_short(value),
            value: value.clone(),
            is_name,
        });
    });
    found
}

/// Puts a value in a place.
pub(super) fn replace(block: &mut Block, place: &str, with: &Expr) {
    visit(&mut block.body, "", &mut |path, value| {
        if path == place {
            *value = with.clone();
        }
    });
}

fn visit(body: &mut [Item], prefix: &str, see: &mut dyn FnMut(&str, &mut Expr)) {
    for item in body {
        match item {
            Item::Attribute(attribute) => {
                let path = format!("{prefix}{}", attribute.name.text);
                inside(&mut attribute.value, &path, see);
            }
            Item::Block(inner) => {
                let label: String = inner.labels.iter().map(|label| format!("\"{}\"", label.text)).collect();
                let path = format!("{prefix}{}{label}", inner.keyword.text);
                // That it is there says something, too.
                let mut marker = Expr { span: inner.header, kind: ExprKind::None };
                see(&path, &mut marker);
                visit(&mut inner.body, &format!("{path}."), see);
            }
        }
    }
}

fn inside(value: &mut Expr, path: &str, see: &mut dyn FnMut(&str, &mut Expr)) {
    match &mut value.kind {
        ExprKind::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let key = match key {
                    ObjectKey::Name(name) => name.text.clone(),
                    ObjectKey::Expr(key) => value_of(key).unwrap_or_default(),
                };
                inside(value, &format!("{path}.{key}"), see);
            }
        }
        _ => see(path, value),
    }
}

/// An expression as text.
fn written(value: &Expr) -> String {
    let make = Make { span: nowhere() };
    print_block(&make.block("x", None, vec![make.attribute("x", value.clone())]))
}

fn sort(value: &Expr) -> &'static str {
    match &value.kind {
        ExprKind::Bool(_) => "<bool>",
        ExprKind::Number(_) => "<number>",
        ExprKind::Template(_) => "<text>",
        ExprKind::Field(..) | ExprKind::Index(..) => "<reference>",
        ExprKind::List(items) => match items.first().map(sort) {
            Some("<text>") => "<texts>",
            _ => "<list>",
        },
        _ => "<other>",
    }
}

fn is_short(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::Field(..) | ExprKind::Index(..) => true,
        ExprKind::Template(_) => {
            value_of(value).is_some_and(|text| text.len() <= LONGEST && !text.contains('\n') && !text.contains("${"))
        }
        ExprKind::List(items) => items.len() <= 3 && items.iter().all(|item| sort(item) == "<text>" && is_short(item)),
        _ => false,
    }
}

/// The words that labels begin with, all of them; else those that they end with.
pub(super) fn common(labels: &[&str]) -> Option<String> {
    let split: Vec<Vec<&str>> = labels.iter().map(|label| label.split('_').collect()).collect();
    let first = split.first()?;
    let is_word = |word: &&&str| word.starts_with(|first: char| first.is_ascii_alphabetic());
    let head = first.iter().enumerate().take_while(|(at, word)| split.iter().all(|other| other.get(*at) == Some(word)));
    let head: Vec<&str> = head.map(|(_, word)| *word).collect();
    if head.first().as_ref().is_some_and(is_word) {
        return Some(head.join("_"));
    }
    let tail: Vec<&str> = (0..first.len())
        .map_while(|at| back(first, at).filter(|word| split.iter().all(|other| back(other, at) == Some(word))))
        .collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    tail.first().as_ref().filter(|word| is_word(word))?;
    Some(tail.join("_"))
}

/// A word, counted from the end.
fn back<'w>(words: &[&'w str], at: usize) -> Option<&'w str> {
    words.get(words.len().checked_sub(at + 1)?).copied()
}

/// Lets references follow what they refer to.
pub(super) fn redirect(block: &mut Block, moved: &Moved) {
    for item in &mut block.body {
        match item {
            Item::Attribute(attribute) => follow(&mut attribute.value, moved),
            Item::Block(inner) => redirect(inner, moved),
        }
    }
}

fn follow(expr: &mut Expr, moved: &Moved) {
    if let ExprKind::Field(base, name) = &expr.kind
        && let ExprKind::Word(keyword) = &base.kind
    {
        if let Some((label, key)) = moved.get(&(keyword.text.clone(), name.text.clone())) {
            let make = Make { span: nowhere() };
            *expr = make.index(&make.member(&make.word(&keyword.text), label), make.text(key));
        }
        return;
    }
    let arguments = |arguments: &mut Vec<Argument>| {
        for argument in arguments {
            follow(&mut argument.value, moved);
        }
    };
    match &mut expr.kind {
        ExprKind::List(items) => items.iter_mut().for_each(|item| follow(item, moved)),
        ExprKind::Object(entries) => entries.iter_mut().for_each(|(_, value)| follow(value, moved)),
        ExprKind::Field(base, _) | ExprKind::Parens(base) | ExprKind::Unary(_, base) => follow(base, moved),
        ExprKind::Index(base, key) => {
            follow(base, moved);
            follow(key, moved);
        }
        ExprKind::Call(_, given) => arguments(given),
        ExprKind::Method(base, _, given) => {
            follow(base, moved);
            arguments(given);
        }
        ExprKind::Template(parts) => {
            for part in parts {
                if let TemplatePart::Interpolation(inner) = part {
                    follow(inner, moved);
                }
            }
        }
        // An import writes nothing else.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(labels: &[&str], expected: Option<&str>) {
        assert_eq!(common(labels).as_deref(), expected);
    }

    #[test]
    fn what_labels_have_in_common() {
        check(&["ci_a", "ci_b", "ci_c"], Some("ci"));
        check(&["team_one_app", "team_one_web"], Some("team_one"));
        check(&["a_reader", "b_reader"], Some("reader"));
        check(&["alpha", "beta"], None);
        check(&["a_1", "b_1"], None);
    }
}
