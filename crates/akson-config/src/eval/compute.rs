//! Operators, conditions and templates over evaluated operands: poison silences, holes become residuals, marks spread.

use akson_catalog::{Operator, Residual, Type};
use akson_diagnostics::{Diagnostic, Span};
use akson_parser::ast::{BinaryOp, Expr, TemplatePart, UnaryOp};

use super::{Binding, Evaluator, Scope, Want};
use crate::{
    codes,
    fault::Fault,
    operators,
    sink::limits,
    val::{Marks, Val},
};

impl Evaluator<'_> {
    /// A number as written.
    pub(super) fn number(&mut self, text: &str, span: Span) -> Val {
        if let Ok(whole) = text.parse::<i64>() {
            return Val::Int(whole);
        }
        let too_large = !text.contains(['.', 'e', 'E']);
        match text.parse::<f64>().ok().filter(|_| !too_large).and_then(Val::number) {
            Some(value) => value,
            None => {
                self.sink.report(
                    Diagnostic::error(codes::ARITHMETIC, "this number is beyond the range of numbers")
                        .at(span, "")
                        .note("whole numbers reach from -9223372036854775808 to 9223372036854775807")
                        .help("write it as text in quotes if it is no number to compute with"),
                );
                Val::Poison
            }
        }
    }

    /// Reports why there is no result; nothing of sensitive operands is shown.
    pub(super) fn fault(&mut self, fault: &Fault, span: Span, sensitive: bool, otherwise: Option<String>) -> Val {
        let text = if sensitive { fault.discreet().to_owned() } else { fault.to_string() };
        let mut diagnostic = Diagnostic::error(fault.code(), text).at(span, "");
        if let Some(help) = fault.help().filter(|_| !sensitive).map(str::to_owned).or(otherwise) {
            diagnostic = diagnostic.help(help);
        }
        self.sink.report_value(diagnostic);
        Val::Poison
    }

    /// Applies an operator to operands that may be poison, holes, or marked.
    pub(super) fn operate(&mut self, operator: Operator, operands: &[Val], of: Type, span: Span) -> Val {
        if operands.iter().any(|operand| operand.traits().poison) {
            return Val::Poison;
        }
        let mut marks = Marks::default();
        let size: u64 = operands.iter().map(|operand| operand.traits().size).sum();
        if !self.sink.pay(size / 64, span) {
            return Val::Poison;
        }
        if operands.iter().any(|operand| operand.traits().holes) {
            let residuals: Option<Vec<Residual>> = operands.iter().map(Val::to_residual).collect();
            for operand in operands {
                // The sum of the marks is what counts; the residual holds the parts.
                let _ = operand.strip(&mut marks);
            }
            let Some(residuals) = residuals else { return Val::Poison };
            let value = Val::unknown(Residual::Operation(operator, residuals), of);
            return self.sink.made(value, span).with(marks);
        }
        let plain: Vec<Val> = operands.iter().map(|operand| operand.strip(&mut marks)).collect();
        match operators::apply(operator, &plain) {
            Ok(value) => self.sink.made(value, span).with(marks),
            Err(fault) => self.fault(&fault, span, marks.sensitive, None),
        }
    }

    #[inline(never)]
    pub(super) fn unary(&mut self, operator: UnaryOp, operand: &Expr, span: Span, scope: &Scope<'_>) -> Val {
        let operator = operators::of_unary(operator);
        let value = self.eval(operand, Want::Free, scope);
        let wanted = if operator == Operator::Not { "a bool" } else { "a number" };
        if !self.operand_type(&value, wanted, operand.span) {
            return Val::Poison;
        }
        self.operate(operator, &[value], operators::result_type(operator), span)
    }

    /// Whether a hole can be what an operator takes: its type is known though its value is not.
    fn operand_type(&mut self, value: &Val, wanted: &str, span: Span) -> bool {
        let Val::Unknown(hole) = value.plain() else { return true };
        let fits = match wanted {
            "a bool" => matches!(hole.of, Type::Bool | Type::Any),
            _ => matches!(hole.of, Type::Int | Type::Number | Type::Any),
        };
        if !fits {
            let text = format!("{wanted} is wanted here, not {}", value.type_name());
            self.sink.report(Diagnostic::error(codes::OPERAND, text).at(span, ""));
        }
        fits
    }

    #[inline(never)]
    pub(super) fn binary(
        &mut self,
        operator: BinaryOp,
        left: &Expr,
        right: &Expr,
        span: Span,
        scope: &Scope<'_>,
    ) -> Val {
        let operator = operators::of_binary(operator);
        let first = self.eval(left, Want::Free, scope);
        let decided =
            matches!((operator, first.plain()), (Operator::Or, Val::Bool(true)) | (Operator::And, Val::Bool(false)));
        if decided {
            // The other side does not count, but what is wrong in it whatever the values are is still said.
            self.sink.enter_phantom();
            self.eval(right, Want::Free, scope);
            self.sink.leave_phantom();
            return first;
        }
        let second = self.eval(right, Want::Free, scope);
        let wanted = match operator {
            Operator::Or | Operator::And => Some("a bool"),
            Operator::Equal | Operator::NotEqual => None,
            _ => Some("a number"),
        };
        if let Some(wanted) = wanted {
            let good = self.operand_type(&first, wanted, left.span);
            if !(self.operand_type(&second, wanted, right.span) && good) {
                return Val::Poison;
            }
        }
        self.operate(operator, &[first, second], operators::result_type(operator), span)
    }

    #[inline(never)]
    pub(super) fn conditional(
        &mut self,
        condition: &Expr,
        branches: [&Expr; 2],
        want: Want<'_>,
        scope: &Scope<'_>,
    ) -> Val {
        let test = self.eval(condition, Want::Of(&Type::Bool, None), scope);
        let marks = test.marks().cloned().unwrap_or_default();
        if let Val::Bool(holds) = test.plain() {
            let (taken, other) = if *holds { (branches[0], branches[1]) } else { (branches[1], branches[0]) };
            self.sink.enter_phantom();
            self.eval(other, want, scope);
            self.sink.leave_phantom();
            return self.eval(taken, want, scope).with(marks);
        }
        let yes = self.eval(branches[0], want, scope);
        let no = self.eval(branches[1], want, scope);
        if test.is_poison() {
            return Val::Poison;
        }
        if let Some(bad) =
            [&yes, &no].into_iter().find(|value| matches!(value.plain(), Val::None | Val::Default | Val::Choice(_)))
        {
            let text = format!("{} cannot depend on a condition that is known after apply", bad.type_name());
            let span = condition.span.to(branches[1].span);
            self.sink.report(
                Diagnostic::error(codes::NOT_KNOWN, text).at(span, "").help("decide it by a variable or a local"),
            );
            return Val::Poison;
        }
        let of = match want {
            Want::Of(of, _) => of.clone(),
            Want::Free if yes.own_type() == no.own_type() => yes.own_type(),
            Want::Free => Type::Any,
        };
        let span = condition.span.to(branches[1].span);
        self.operate(Operator::Conditional, &[test, yes, no], of, span)
    }

    /// A template. One interpolation alone, `"${x}"`, gives text as well.
    #[inline(never)]
    pub(super) fn template(&mut self, parts: &[TemplatePart], span: Span, scope: &Scope<'_>) -> Val {
        match parts {
            [] => Val::text(""),
            [TemplatePart::Literal(text)] => {
                let value = Val::text(text.as_str());
                if text.len() > 256 { self.sink.made(value, span) } else { value }
            }
            parts => {
                let mut flat = Vec::with_capacity(parts.len());
                let mut length = 0;
                if !self.parts(parts, scope, &mut flat, &mut length, span) {
                    return Val::Poison;
                }
                self.operate(Operator::Template, &flat, Type::String, span)
            }
        }
    }

    /// The parts of a template as values, conditions and loops carried out. False if any is wrong.
    fn parts(
        &mut self,
        parts: &[TemplatePart],
        scope: &Scope<'_>,
        flat: &mut Vec<Val>,
        length: &mut usize,
        span: Span,
    ) -> bool {
        let mut good = true;
        for part in parts {
            match part {
                TemplatePart::Literal(text) => {
                    *length += text.len();
                    flat.push(Val::text(text.as_str()));
                }
                TemplatePart::Interpolation(expr) => good &= self.interpolation(expr, scope, flat, length),
                TemplatePart::If { condition, then, otherwise } => {
                    good &= self.template_if(condition, [then, otherwise], scope, flat, length, span);
                }
                TemplatePart::For { key, value, collection, body } => {
                    let Some(elements) = self.elements(collection, scope) else {
                        self.check_body(&[key.as_deref(), Some(value)], scope, |this, scope| {
                            this.parts(body, scope, &mut Vec::new(), &mut 0, span);
                        });
                        good = false;
                        continue;
                    };
                    for (at, element) in elements {
                        let outer =
                            key.as_deref().map(|key| Binding { name: &key.text, value: at, outer: scope.binding });
                        let inner =
                            Binding { name: &value.text, value: element, outer: outer.as_ref().or(scope.binding) };
                        good &= self.parts(body, &Scope { binding: Some(&inner), ..*scope }, flat, length, span);
                        if *length > limits::TEXT || self.sink.is_exhausted() {
                            break;
                        }
                    }
                }
            }
            if *length > limits::TEXT {
                self.sink.limit(span, "this text is too long", "the limit of one text is 1 MiB");
                return false;
            }
        }
        good
    }

    #[inline(never)]
    fn interpolation(&mut self, expr: &Expr, scope: &Scope<'_>, flat: &mut Vec<Val>, length: &mut usize) -> bool {
        let value = self.eval(expr, Want::Free, scope);
        if value.traits().poison {
            return false;
        }
        match value.plain() {
            Val::Text(text) => *length += text.len(),
            Val::Bool(_) | Val::Int(_) | Val::Decimal(_) => *length += 8,
            Val::Unknown(hole)
                if !matches!(
                    hole.of,
                    Type::List(_) | Type::Set(_) | Type::Map(_) | Type::Object(_) | Type::Resource(_) | Type::Choice
                ) => {}
            other => {
                let fault = match operators::apply(Operator::Template, std::slice::from_ref(other)) {
                    Err(fault) => fault,
                    Ok(_) => Fault::Operand(format!("{} cannot stand in text", other.type_name()), None),
                };
                self.fault(&fault, expr.span, value.traits().sensitive, None);
                return false;
            }
        }
        flat.push(value);
        true
    }

    #[inline(never)]
    fn template_if(
        &mut self,
        condition: &Expr,
        branches: [&[TemplatePart]; 2],
        scope: &Scope<'_>,
        flat: &mut Vec<Val>,
        length: &mut usize,
        span: Span,
    ) -> bool {
        let test = self.eval(condition, Want::Of(&Type::Bool, None), scope);
        let [then, otherwise] = branches;
        match test.plain() {
            Val::Bool(holds) => {
                let (taken, other) = if *holds { (then, otherwise) } else { (otherwise, then) };
                self.sink.enter_phantom();
                self.parts(other, scope, &mut Vec::new(), &mut 0, span);
                self.sink.leave_phantom();
                if let Some(marks) = test.marks() {
                    flat.push(Val::text("").with(marks.clone()));
                }
                self.parts(taken, scope, flat, length, span)
            }
            _ => {
                let mut sides = [Vec::new(), Vec::new()];
                let mut good = !test.is_poison();
                good &= self.parts(then, scope, &mut sides[0], length, span);
                good &= self.parts(otherwise, scope, &mut sides[1], length, span);
                if !good {
                    return false;
                }
                let [yes, no] = sides;
                let yes = self.operate(Operator::Template, &yes, Type::String, span);
                let no = self.operate(Operator::Template, &no, Type::String, span);
                let value = self.operate(Operator::Conditional, &[test, yes, no], Type::String, condition.span);
                let poison = value.is_poison();
                flat.push(value);
                !poison
            }
        }
    }
}
