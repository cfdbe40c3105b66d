//! `try` and `can`: values that may have no result. What is wrong whatever the values are, such as an unknown name, is a mistake here
//! as everywhere; only what is wrong because of a value is forgiven.

use akson_diagnostics::{Diagnostic, Span};
use akson_parser::ast::{Argument, Expr};

use super::{Evaluator, Scope, Want};
use crate::{codes, val::Val};

impl Evaluator<'_> {
    /// `try(a, b)`: the first that has a value.
    pub(super) fn attempt(&mut self, arguments: &[Argument], span: Span, scope: &Scope<'_>) -> Val {
        for argument in arguments {
            match self.forgiven(&argument.value, scope) {
                (value, _) if !value.traits().poison => return value,
                (_, true) => {}
                (_, false) => return Val::Poison,
            }
        }
        self.sink.report_value(
            Diagnostic::error(codes::FUNCTION_FAILED, "none of these has a value")
                .at(span, "")
                .help("add a last one that always has a value"),
        );
        Val::Poison
    }

    /// `can(a)`: whether it has a value.
    pub(super) fn possible(&mut self, argument: &Expr, scope: &Scope<'_>) -> Val {
        let (value, failed) = self.forgiven(argument, scope);
        let marks = value.marks().cloned().unwrap_or_default();
        match value.traits() {
            traits if traits.poison && failed => Val::Bool(false),
            traits if traits.poison => Val::Poison,
            traits if traits.holes => {
                self.sink.report(
                    Diagnostic::error(codes::NOT_KNOWN, "whether this has a value is known only after apply")
                        .at(argument.span, "")
                        .help("ask it of a variable, a local or a name"),
                );
                Val::Poison
            }
            _ => Val::Bool(true).with(crate::val::Marks { nominal: None, ..marks }),
        }
    }

    /// The value, and whether something failed because of a value.
    fn forgiven(&mut self, expr: &Expr, scope: &Scope<'_>) -> (Val, bool) {
        let before = self.sink.enter_trial();
        let value = self.eval(expr, Want::Free, scope);
        (value, self.sink.leave_trial(before))
    }
}
