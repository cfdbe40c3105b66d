//! Scopes that are no resources: `cluster.main.namespace("n")`, `subscription()`. A scope stands only where one is wanted; whether it
//! does is decided in `eval/fit.rs`.

use std::sync::Arc;

use akson_catalog::{
    Type,
    kind::{Role, SCOPE, SubScope, ids},
};
use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Argument, Expr, Name};

use super::{Evaluator, Scope, Want, outputs::instance_map};
use crate::{
    codes,
    val::{Marks, Nominal, Pointed, Val, quoted},
};

impl Evaluator<'_> {
    /// `base.name(arguments)`: a scope below a resource whose kind has such.
    #[inline(never)]
    pub(super) fn method(
        &mut self,
        base: &Expr,
        name: &Name,
        arguments: &[Argument],
        span: Span,
        scope: &Scope<'_>,
    ) -> Val {
        let value = self.eval(base, Want::Free, scope);
        let kind = match value.plain() {
            Val::Ref(pointed) => self.instance_of(pointed).map(|instance| Arc::clone(&instance.kind)),
            _ => None,
        };
        let below = kind.as_ref().and_then(|kind| kind.scopes.get(&name.text));
        let (Some(below), Val::Ref(pointed)) = (below, value.plain()) else {
            for argument in arguments {
                self.eval(&argument.value, Want::Free, scope);
            }
            if !value.traits().poison {
                let calls = kind.iter().flat_map(|kind| kind.scopes.keys()).map(String::as_str).collect();
                self.no_such_call(&value, name, calls);
            }
            return Val::Poison;
        };
        let pointed = Arc::clone(pointed);
        self.note(&value, base.span);
        let [argument] = arguments else {
            self.sink.report(
                Diagnostic::error(
                    codes::FUNCTION_ARGUMENTS,
                    format!("`{}` takes one argument, not {}", name.text, arguments.len()),
                )
                .at(span, "")
                .help(format!(
                    "write `{}.{}(\"…\")`: its name is {}",
                    pointed.reference.address, name.text, below.rule.words
                )),
            );
            return Val::Poison;
        };
        if let Some(key) = argument.name.as_ref().filter(|key| key.text != "name") {
            self.sink.report(
                Diagnostic::error(codes::FUNCTION_ARGUMENTS, format!("`{}` has no argument `{}`", name.text, key.text))
                    .at(key.span, "")
                    .help("leave the word out: it takes one argument, the name"),
            );
            return Val::Poison;
        }
        let argued = self.eval(&argument.value, Want::Of(&Type::String, None), scope);
        let Some(part) = self.scope_name(&argued, below, name, argument.value.span) else { return Val::Poison };
        let Some(id) = &pointed.reference.id else {
            self.sink.report(
                Diagnostic::error(
                    codes::NOT_KNOWN,
                    format!("the id of `{}` is known only after apply", pointed.reference.address),
                )
                .at(base.span, "")
                .note("what a resource is must follow from the configuration alone")
                .help("use a resource whose name is chosen"),
            );
            return Val::Poison;
        };
        let tail = ids::fill(&below.path, |_| Some(&part)).unwrap_or_default();
        let mut marks = value.marks().cloned().unwrap_or_default();
        marks.absorb(&scope_of(Some(&pointed)));
        if let Some(own) = argued.marks() {
            marks.absorb(own);
        }
        marks.nominal = scope_of(Some(&pointed)).nominal;
        self.sink.made(Val::text(format!("{id}{tail}")), span).with(marks)
    }

    /// The argument, if it is known and a name as the service takes it.
    fn scope_name(&mut self, value: &Val, below: &SubScope, name: &Name, span: Span) -> Option<String> {
        match value.plain() {
            Val::Text(text) if below.rule.allows(text) => Some(text.to_string()),
            Val::Text(text) => {
                let shown = if value.traits().sensitive { "this value".to_owned() } else { format!("`{text}`") };
                self.sink.report_value(
                    Diagnostic::error(codes::BROKEN_RULE, format!("{shown} cannot be the name of a `{}`", name.text))
                        .at(span, "")
                        .help(format!("write {}", below.rule.words)),
                );
                None
            }
            Val::Unknown(_) => {
                self.sink.report(
                    Diagnostic::error(
                        codes::NOT_KNOWN,
                        format!("which `{}` is meant is known only after apply", name.text),
                    )
                    .at(span, "")
                    .note("what access is granted on must follow from the configuration alone")
                    .help("use a name that the configuration knows: a variable, a local, a name"),
                );
                None
            }
            _ => None,
        }
    }

    fn no_such_call(&mut self, value: &Val, name: &Name, calls: Vec<&str>) {
        if let Some(first) = instance_map(value) {
            let Val::Map(map) = value.plain() else { return };
            self.pick_instance(&first, map.entries.keys().map(AsRef::as_ref), name.span);
            return;
        }
        let text = format!("{} has no call `{}`", value.type_name(), name.text);
        let diagnostic = Diagnostic::error(codes::UNKNOWN_FUNCTION, text).at(name.span, "");
        self.sink.report(match did_you_mean(&name.text, calls.iter().copied()) {
            Some(near) => {
                diagnostic.help(format!("did you mean `{near}`?")).suggest(name.span, near, format!("write `{near}`"))
            }
            None if crate::functions::find(&name.text).is_some() => {
                diagnostic.help(format!("`{0}` is a function: write `{0}(…)`", name.text))
            }
            None if calls.is_empty() => diagnostic.help("name an output of it after the dot, without parentheses"),
            None => diagnostic.help(format!("its calls are {}", quoted(calls.into_iter()))),
        });
    }

    /// `subscription()`: the stack's, as a scope.
    pub(super) fn subscription(&mut self, span: Span, scope: &Scope<'_>) -> Val {
        match (&self.subscription, scope.constant) {
            (Some(id), None) => {
                let value = Val::text(format!("/subscriptions/{id}")).with(scope_of(None));
                self.sink.made(value, span)
            }
            (_, what) => {
                let what = what.unwrap_or("what is evaluated before the stack");
                self.sink.report(
                    Diagnostic::error(codes::NOT_KNOWN, format!("{what} cannot use the stack's subscription"))
                        .at(span, "")
                        .help("use `subscription()` in resources, locals and outputs"),
                );
                Val::Poison
            }
        }
    }

    /// A scope where another kind of value is wanted.
    pub(super) fn stray_scope(&mut self, value: &Val, of: &Type, span: Span) -> Val {
        let diagnostic =
            Diagnostic::error(codes::WRONG_KIND, format!("{} is wanted here, not a scope", crate::val::describe(of)))
                .at(span, "")
                .note("a scope says on what access is granted; it is no resource and no text");
        let takers: Vec<String> = self
            .catalog
            .iter()
            .flat_map(|kind| kind.attributes.values().map(move |attribute| (kind, attribute)))
            .filter(|(_, attribute)| takes_scopes(&attribute.of) && attribute.role != Role::Value)
            .map(|(kind, attribute)| format!("{}.{}", kind.keyword, attribute.name))
            .collect();
        let from = value.marks().and_then(|marks| marks.nominal.as_ref()).and_then(|nominal| nominal.from.as_ref());
        let help = match (from, takers.is_empty()) {
            (Some(pointed), true) => format!("refer to the resource itself: `{}`", pointed.reference.address),
            (None, true) => "write the value that is meant".to_owned(),
            (_, false) => format!("a scope stands in {}", quoted(takers.iter().map(String::as_str))),
        };
        self.sink.report(diagnostic.help(help));
        Val::Poison
    }
}

/// What makes a text a scope.
fn scope_of(from: Option<&Arc<Pointed>>) -> Marks {
    Marks {
        sensitive: false,
        refs: from.into_iter().map(Arc::clone).collect(),
        nominal: Some(Nominal { name: SCOPE.to_owned(), from: from.map(Arc::clone) }),
    }
}

/// Whether a scope may stand where this type is wanted.
pub(super) fn takes_scopes(of: &Type) -> bool {
    match of {
        Type::Resource(kinds) => kinds.iter().any(|kind| kind == SCOPE),
        Type::Any => true,
        _ => false,
    }
}
