//! Generated syntax: expressions and blocks that stand for an author's block and point at it. Not what they say: `workload/parts.rs`.

use akson_catalog::Address;
use akson_diagnostics::Span;
use akson_parser::ast::{Argument, Attribute, Block, Expr, ExprKind, For, Item, Name, ObjectKey, TemplatePart};

/// Makes syntax at one place.
#[derive(Clone, Copy)]
pub(crate) struct Make {
    pub span: Span,
}

impl Make {
    fn expr(self, kind: ExprKind) -> Expr {
        Expr { span: self.span, kind }
    }

    pub(crate) fn name(self, text: &str) -> Name {
        Name { text: text.to_owned(), span: self.span }
    }

    pub(crate) fn word(self, text: &str) -> Expr {
        self.expr(ExprKind::Word(self.name(text)))
    }

    pub(crate) fn text(self, text: &str) -> Expr {
        let parts = if text.is_empty() { Vec::new() } else { vec![TemplatePart::Literal(text.to_owned())] };
        self.expr(ExprKind::Template(parts))
    }

    pub(crate) fn number(self, text: &str) -> Expr {
        self.expr(ExprKind::Number(text.to_owned()))
    }

    /// Literal texts and expressions as one text; what is literal anyway is joined.
    pub(crate) fn joined(self, parts: &[Expr]) -> Expr {
        let mut joined: Vec<TemplatePart> = Vec::new();
        let mut add = |part: TemplatePart| match (joined.last_mut(), part) {
            (Some(TemplatePart::Literal(last)), TemplatePart::Literal(text)) => last.push_str(&text),
            (_, part) => joined.push(part),
        };
        for part in parts {
            match &part.kind {
                ExprKind::Template(inner) => inner.iter().cloned().for_each(&mut add),
                _ => add(TemplatePart::Interpolation(part.clone())),
            }
        }
        self.expr(ExprKind::Template(joined))
    }

    /// `base.name`, with parentheses where the base needs them.
    pub(crate) fn member(self, base: &Expr, name: &str) -> Expr {
        self.expr(ExprKind::Field(Box::new(self.operand(base)), self.name(name)))
    }

    /// `base[index]`.
    pub(crate) fn index(self, base: &Expr, index: Expr) -> Expr {
        self.expr(ExprKind::Index(Box::new(self.operand(base)), Box::new(index)))
    }

    fn operand(self, base: &Expr) -> Expr {
        match &base.kind {
            ExprKind::Word(_)
            | ExprKind::Field(..)
            | ExprKind::Index(..)
            | ExprKind::Call(..)
            | ExprKind::Method(..)
            | ExprKind::List(_)
            | ExprKind::Parens(_) => base.clone(),
            _ => self.expr(ExprKind::Parens(Box::new(base.clone()))),
        }
    }

    pub(crate) fn list(self, items: Vec<Expr>) -> Expr {
        self.expr(ExprKind::List(items))
    }

    pub(crate) fn object(self, entries: Vec<(&str, Expr)>) -> Expr {
        let entries = entries.into_iter().map(|(key, value)| (self.key(key), value)).collect();
        self.expr(ExprKind::Object(entries))
    }

    pub(crate) fn key(self, key: &str) -> ObjectKey {
        let word = key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && key.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        if word { ObjectKey::Name(self.name(key)) } else { ObjectKey::Expr(self.text(key)) }
    }

    pub(crate) fn call(self, name: &str, arguments: Vec<Expr>) -> Expr {
        let arguments = arguments.into_iter().map(|value| Argument { name: None, value }).collect();
        self.expr(ExprKind::Call(Box::new(self.name(name)), arguments))
    }

    /// `[for key, value in collection : result if condition]`, or an object if there is a key of the result.
    pub(crate) fn walk(
        self,
        key: Option<&str>,
        value: &str,
        collection: Expr,
        (result_key, result): (Option<Expr>, Expr),
        condition: Option<Expr>,
    ) -> Expr {
        self.expr(ExprKind::For(Box::new(For {
            key: key.map(|key| self.name(key)),
            value: self.name(value),
            collection,
            result_key,
            result,
            condition,
            group: false,
        })))
    }

    /// A reference to a resource.
    pub(crate) fn address(self, address: &Address) -> Expr {
        let base = self.member(&self.word(&address.kind), &address.name);
        match &address.key {
            Some(key) => self.index(&base, self.text(&key.0)),
            None => base,
        }
    }

    pub(crate) fn attribute(self, name: &str, value: Expr) -> Item {
        Item::Attribute(Attribute { name: self.name(name), value, span: self.span })
    }

    pub(crate) fn block(self, keyword: &str, label: Option<&str>, body: Vec<Item>) -> Block {
        Block {
            existing: None,
            keyword: self.name(keyword),
            labels: label.map(|label| self.name(label)).into_iter().collect(),
            computed_labels: Vec::new(),
            body,
            header: self.span,
            span: self.span,
        }
    }
}
