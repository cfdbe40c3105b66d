//! `omit`: the value of an attribute, an element, a field or a module's argument that is left out, by itself or as a branch of a
//! condition. It is no value: what could have it is asked here before it is evaluated.

use akson_catalog::Type;
use akson_diagnostics::{Diagnostic, Span};
use akson_parser::ast::{Expr, ExprKind};

use super::{Evaluator, Scope, Want};
use crate::{codes, val::Val};

/// The word.
pub(super) const OMIT: &str = "omit";

/// Whether something is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Omitted {
    No,
    Yes,
    /// It cannot be told, which was reported.
    Unclear,
}

impl Evaluator<'_> {
    /// Whether an expression leaves out what it would be the value of.
    pub(crate) fn omitted(&mut self, expr: &Expr, scope: &Scope<'_>) -> Omitted {
        let mut expr = expr;
        loop {
            match &expr.kind {
                ExprKind::Parens(inner) => expr = inner,
                ExprKind::Word(_) => return if says_omit(expr, scope) { Omitted::Yes } else { Omitted::No },
                ExprKind::Conditional(condition, yes, no) if may_omit(yes, scope) || may_omit(no, scope) => {
                    let test = self.eval(condition, Want::Of(&Type::Bool, None), scope);
                    match test.plain() {
                        Val::Bool(holds) => expr = if *holds { yes } else { no },
                        Val::Unknown(_) => {
                            self.not_known_whether_omitted(condition.span);
                            return Omitted::Unclear;
                        }
                        _ => return Omitted::Unclear,
                    }
                }
                _ => return Omitted::No,
            }
        }
    }

    fn not_known_whether_omitted(&mut self, span: Span) {
        self.sink.report(
            Diagnostic::error(codes::NOT_KNOWN, "whether this is left out is known only after apply")
                .at(span, "")
                .note("what is written follows from the configuration alone, never from what Azure answers")
                .help("decide it by a variable or a local"),
        );
    }
}

fn says_omit(expr: &Expr, scope: &Scope<'_>) -> bool {
    matches!(&expr.kind, ExprKind::Word(name) if name.text == OMIT && scope.find(OMIT).is_none())
}

/// Whether a branch of a condition leaves out, or a branch of its branches does.
fn may_omit(expr: &Expr, scope: &Scope<'_>) -> bool {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match &expr.kind {
            ExprKind::Parens(inner) => open.push(inner),
            ExprKind::Conditional(_, yes, no) => open.extend([&**yes, &**no]),
            _ if says_omit(expr, scope) => return true,
            _ => {}
        }
    }
    false
}
