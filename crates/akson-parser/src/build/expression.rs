//! Operands: words, literals, lists, objects, `for`, arguments. Operators and what follows an operand: see `operators`.

use akson_diagnostics::Span;

use super::{Builder, Built};
use crate::ast::{Argument, Expr, ExprKind, For, ObjectKey, TemplatePart};
use crate::grammar::{Pair, Rule, parts};

/// Several expressions with the height of the highest.
type BuiltMany<T> = Option<(Vec<T>, usize)>;

impl Builder<'_, '_> {
    /// An operand, without what follows it.
    pub(super) fn operand(&mut self, pair: Pair<'_>) -> Built {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::name => Some((self.word(&pair), 1)),
            Rule::number => Some((Expr { span, kind: ExprKind::Number(pair.as_str().to_owned()) }, 1)),
            Rule::plain => Some((plain(&pair, span), 1)),
            Rule::string => self.string(pair),
            Rule::heredoc => self.heredoc(pair),
            Rule::parens => {
                let (inner, height) = self.only_inner(pair)?;
                Some((Expr { span, kind: ExprKind::Parens(Box::new(inner)) }, height + 1))
            }
            Rule::list => {
                let (values, height) = self.list(pair)?;
                Some((Expr { span, kind: ExprKind::List(values) }, height + 1))
            }
            Rule::object => {
                let (pairs, height) = self.object(pair)?;
                Some((Expr { span, kind: ExprKind::Object(pairs) }, height + 1))
            }
            Rule::for_list | Rule::for_object => {
                let (walk, height) = self.for_expression(pair)?;
                Some((Expr { span, kind: ExprKind::For(Box::new(walk)) }, height + 1))
            }
            _ => None,
        }
    }

    fn word(&self, pair: &Pair<'_>) -> Expr {
        let kind = match pair.as_str() {
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "none" => ExprKind::None,
            "default" => ExprKind::Default,
            _ => ExprKind::Word(self.name(pair)),
        };
        Expr { span: self.span(pair), kind }
    }

    /// The expression inside `( … )`, `[ … ]` after a value, `${ … }`.
    pub(super) fn only_inner(&mut self, pair: Pair<'_>) -> Built {
        let inner = parts(pair).next()?;
        self.expression(inner)
    }

    fn list(&mut self, pair: Pair<'_>) -> BuiltMany<Expr> {
        let mut values = Vec::new();
        let mut highest = 0;
        let mut whole = true;
        for part in parts(pair) {
            match self.expression(part) {
                Some((value, height)) => {
                    values.push(value);
                    highest = highest.max(height);
                }
                None => whole = false,
            }
        }
        whole.then_some((values, highest))
    }

    fn object(&mut self, pair: Pair<'_>) -> BuiltMany<(ObjectKey, Expr)> {
        let mut pairs = Vec::new();
        let mut highest = 0;
        let mut whole = true;
        let mut key = None;
        for part in parts(pair) {
            if part.as_rule() == Rule::tight {
                let value = self.expression(part);
                match (key.take().flatten(), value) {
                    (Some((key, key_height)), Some((value, height))) => {
                        pairs.push((key, value));
                        highest = highest.max(height).max(key_height);
                    }
                    _ => whole = false,
                }
            } else if part.as_rule() == Rule::name {
                key = Some(Some((ObjectKey::Name(self.name(&part)), 1)));
            } else {
                key = Some(self.operand(part).map(|(key, height)| (ObjectKey::Expr(key), height)));
            }
        }
        whole.then_some((pairs, highest))
    }

    /// Arguments of a call; the second is the height of the highest.
    pub(super) fn arguments(&mut self, pair: Pair<'_>) -> BuiltMany<Argument> {
        let mut arguments = Vec::new();
        let mut highest = 0;
        let mut whole = true;
        let mut name = None;
        for part in parts(pair) {
            if part.as_rule() == Rule::argument_name {
                name = Some(self.name(&part));
                continue;
            }
            let name = name.take();
            match self.expression(part) {
                Some((value, height)) => {
                    arguments.push(Argument { name, value });
                    highest = highest.max(height);
                }
                None => whole = false,
            }
        }
        whole.then_some((arguments, highest))
    }

    fn for_expression(&mut self, pair: Pair<'_>) -> Option<(For, usize)> {
        let keyed = pair.as_rule() == Rule::for_object;
        let mut names = Vec::new();
        let mut collection = None;
        let mut results = Vec::new();
        let mut condition = None;
        let mut group = false;
        for part in parts(pair) {
            match part.as_rule() {
                Rule::for_head => {
                    for part in parts(part) {
                        if part.as_rule() == Rule::name {
                            names.push(self.name(&part));
                        } else {
                            collection = Some(self.expression(part));
                        }
                    }
                }
                Rule::for_if => condition = Some(self.only_inner(part)),
                Rule::group => group = true,
                _ => results.push(self.expression(part)),
            }
        }
        let value = names.pop()?;
        let (collection, mut highest) = collection??;
        let mut expect = |built: Built| {
            let (expr, height) = built?;
            highest = highest.max(height);
            Some(expr)
        };
        let result = expect(results.pop()?)?;
        let result_key = if keyed { Some(expect(results.pop()?)?) } else { None };
        let condition = match condition {
            Some(condition) => Some(expect(condition)?),
            None => None,
        };
        Some((For { key: names.pop(), value, collection, result_key, result, condition, group }, highest))
    }
}

/// A string without escapes or templates.
fn plain(pair: &Pair<'_>, span: Span) -> Expr {
    let quoted = pair.as_str();
    let text = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let parts = if text.is_empty() { Vec::new() } else { vec![TemplatePart::Literal(text.to_owned())] };
    Expr { span, kind: ExprKind::Template(parts) }
}
