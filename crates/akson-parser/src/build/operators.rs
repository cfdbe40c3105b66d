//! The precedence pass: a flat run of operands and operators to a tree. It is iterative, so that a chain of a hundred
//! thousand operators costs no stack, and it refuses trees higher than [`MAX_HEIGHT`], so that nobody who walks a tree
//! (or drops it) does either.

use akson_diagnostics::{Diagnostic, Span};

use super::{Builder, Built};
use crate::ast::{BinaryOp, Expr, ExprKind, Name, UnaryOp};
use crate::codes::TOO_COMPLEX;
use crate::grammar::{Pair, Rule, parts};
use crate::limits::MAX_HEIGHT;

/// An operator that waits for its right operand.
pub(super) enum Waiting {
    Unary(UnaryOp, Span),
    Binary(BinaryOp),
    /// `? value :` with the value and its height.
    Choice(Expr, usize),
}

/// How strongly an operator binds; more binds first.
impl Waiting {
    fn binding(&self) -> u8 {
        match self {
            Waiting::Choice(..) => 0,
            Waiting::Binary(operator) => binding(*operator),
            Waiting::Unary(..) => 7,
        }
    }
}

pub(super) fn binding(operator: BinaryOp) -> u8 {
    match operator {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Equal | BinaryOp::NotEqual => 3,
        BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual => 4,
        BinaryOp::Add | BinaryOp::Subtract => 5,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => 6,
    }
}

pub(super) fn binary(text: &str) -> Option<BinaryOp> {
    Some(match text {
        "||" => BinaryOp::Or,
        "&&" => BinaryOp::And,
        "==" => BinaryOp::Equal,
        "!=" => BinaryOp::NotEqual,
        "<" => BinaryOp::Less,
        "<=" => BinaryOp::LessOrEqual,
        ">" => BinaryOp::Greater,
        ">=" => BinaryOp::GreaterOrEqual,
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Subtract,
        "*" => BinaryOp::Multiply,
        "/" => BinaryOp::Divide,
        "%" => BinaryOp::Remainder,
        _ => return None,
    })
}

/// Operands and waiting operators of one expression.
#[derive(Default)]
pub(super) struct Run {
    pub(super) operands: Vec<(Expr, usize)>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) highest: usize,
}

impl Run {
    pub(super) fn push(&mut self, expr: Expr, height: usize) {
        self.highest = self.highest.max(height);
        self.operands.push((expr, height));
    }

    /// Applies the waiting operators that bind at least as strongly as `least`.
    pub(super) fn reduce(&mut self, least: u8) -> Option<()> {
        while self.highest <= MAX_HEIGHT && self.waiting.last().is_some_and(|top| top.binding() >= least) {
            let (right, right_height) = self.operands.pop()?;
            match self.waiting.pop()? {
                Waiting::Unary(operator, span) => {
                    let span = span.to(right.span);
                    self.push(Expr { span, kind: ExprKind::Unary(operator, Box::new(right)) }, right_height + 1);
                }
                Waiting::Binary(operator) => {
                    let (left, left_height) = self.operands.pop()?;
                    let span = left.span.to(right.span);
                    let kind = ExprKind::Binary(operator, Box::new(left), Box::new(right));
                    self.push(Expr { span, kind }, left_height.max(right_height) + 1);
                }
                Waiting::Choice(yes, yes_height) => {
                    let (condition, height) = self.operands.pop()?;
                    let span = condition.span.to(right.span);
                    let kind = ExprKind::Conditional(Box::new(condition), Box::new(yes), Box::new(right));
                    self.push(Expr { span, kind }, height.max(yes_height).max(right_height) + 1);
                }
            }
        }
        Some(())
    }
}

impl Builder<'_, '_> {
    /// A source that is one expression.
    pub(crate) fn lone_expression(&mut self, pair: Pair<'_>) -> Option<Expr> {
        self.expression(pair).map(|(expr, _)| expr)
    }

    /// An expression: `tight`, `loose`, or a lone operand such as an object's key.
    pub(super) fn expression(&mut self, pair: Pair<'_>) -> Built {
        let whole = self.span(&pair);
        if !matches!(pair.as_rule(), Rule::tight | Rule::loose) {
            return self.operand(pair);
        }
        let mut run = Run::default();
        let mut sound = true;
        for part in parts(pair) {
            if run.highest > MAX_HEIGHT {
                break;
            }
            sound &= self.step(&mut run, part).is_some();
        }
        if sound {
            run.reduce(0)?;
        }
        if run.highest > MAX_HEIGHT {
            self.give(
                Diagnostic::error(TOO_COMPLEX, format!("this expression is more than {MAX_HEIGHT} steps deep"))
                    .at(whole, "")
                    .help("give parts of it a name in `locals`, or build it with a function or a `for` expression"),
            );
            return None;
        }
        if sound { run.operands.pop() } else { None }
    }

    /// Takes one part of the flat run.
    fn step(&mut self, run: &mut Run, part: Pair<'_>) -> Option<()> {
        let span = self.span(&part);
        match part.as_rule() {
            Rule::prefix => {
                let operator = if part.as_str() == "!" { UnaryOp::Not } else { UnaryOp::Negate };
                run.waiting.push(Waiting::Unary(operator, span));
            }
            Rule::infix => {
                let operator = binary(part.as_str())?;
                run.reduce(binding(operator))?;
                run.waiting.push(Waiting::Binary(operator));
            }
            Rule::tight_choice | Rule::loose_choice => {
                run.reduce(1)?;
                let (yes, height) = self.only_inner(part)?;
                run.waiting.push(Waiting::Choice(yes, height));
            }
            Rule::field => {
                let name = Name {
                    text: part.as_str().trim_start_matches('.').to_owned(),
                    span: Span { start: span.start + 1, ..span },
                };
                let (base, height) = run.operands.pop()?;
                let span = base.span.to(span);
                run.push(Expr { span, kind: ExprKind::Field(Box::new(base), name) }, height + 1);
            }
            Rule::index => {
                let (index, index_height) = self.only_inner(part)?;
                let (base, height) = run.operands.pop()?;
                let span = base.span.to(span);
                let kind = ExprKind::Index(Box::new(base), Box::new(index));
                run.push(Expr { span, kind }, height.max(index_height) + 1);
            }
            Rule::arguments => {
                let arguments = self.arguments(part);
                let (callee, height) = run.operands.pop()?;
                let (arguments, arguments_height) = arguments?;
                let span = callee.span.to(span);
                let kind = match callee.kind {
                    ExprKind::Field(base, name) => ExprKind::Method(base, Box::new(name), arguments),
                    ExprKind::Word(name) => ExprKind::Call(Box::new(name), arguments),
                    ExprKind::Bool(true) => {
                        ExprKind::Call(Box::new(Name { text: "true".into(), span: callee.span }), arguments)
                    }
                    ExprKind::Bool(false) => {
                        ExprKind::Call(Box::new(Name { text: "false".into(), span: callee.span }), arguments)
                    }
                    ExprKind::None => {
                        ExprKind::Call(Box::new(Name { text: "none".into(), span: callee.span }), arguments)
                    }
                    ExprKind::Default => {
                        ExprKind::Call(Box::new(Name { text: "default".into(), span: callee.span }), arguments)
                    }
                    _ => return None,
                };
                // what was a word or field became the call itself
                run.push(Expr { span, kind }, height.max(arguments_height + 1));
            }
            _ => {
                let (operand, height) = self.operand(part)?;
                run.push(operand, height);
            }
        }
        Some(())
    }
}
