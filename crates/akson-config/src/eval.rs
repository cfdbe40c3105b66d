//! Expressions to values. The expected type goes down into literals, so that every mistake is reported at the smallest
//! expression that is wrong. Names: `eval/traverse.rs`; fitting a value to a type: `eval/fit.rs`; calls: `eval/call.rs`.

mod attempt;
mod call;
mod compute;
mod fit;
mod fit_named;
mod literal;
mod loops;
mod omit;
mod outputs;
mod scopes;
mod traverse;

pub(crate) use omit::Omitted;

use std::{collections::HashMap, sync::Arc};

use akson_catalog::{Attribute, Catalog, SymbolicId, Type};
use akson_diagnostics::{Diagnostic, SourceMap, Span, did_you_mean};
use akson_parser::ast::{Expr, ExprKind, Name};
use indexmap::IndexMap;

use crate::{
    codes,
    model::Inputs,
    modules::{run::Frame, tree::Tree},
    names::Names,
    resources::Instance,
    sink::Sink,
    val::{Val, quoted},
};

/// What the place of an expression asks of it.
#[derive(Clone, Copy)]
pub(crate) enum Want<'w> {
    /// Nothing.
    Free,
    /// A type; and the attribute it stands in, whose rules and constructors hold.
    Of(&'w Type, Option<&'w Attribute>),
}

impl<'w> Want<'w> {
    pub(crate) fn attribute(attribute: &'w Attribute) -> Self {
        Want::Of(&attribute.of, Some(attribute))
    }

    fn parts(self) -> (Option<&'w Type>, Option<&'w Attribute>) {
        match self {
            Want::Free => (None, None),
            Want::Of(of, attribute) => (Some(of), attribute),
        }
    }
}

/// The names that an expression sees besides the declared ones.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scope<'s> {
    /// Key and value of the instance, in a block with `for_each`.
    pub each: Option<&'s (Val, Val)>,
    /// For-variables, innermost first.
    pub binding: Option<&'s Binding<'s>>,
    /// `env` may be used: the value goes where nothing shows it.
    pub secret: bool,
    /// Where nothing may be referred to: what it is, for the diagnostic.
    pub constant: Option<&'static str>,
}

/// A for-variable.
pub(crate) struct Binding<'s> {
    pub name: &'s str,
    pub value: Val,
    pub outer: Option<&'s Binding<'s>>,
}

impl Scope<'_> {
    fn find(&self, name: &str) -> Option<&Val> {
        let mut at = self.binding;
        while let Some(binding) = at {
            if binding.name == name {
                return Some(&binding.value);
            }
            at = binding.outer;
        }
        None
    }
}

/// What a resource block has become.
pub(crate) enum BlockState {
    /// Not evaluated, wrong, or of a later version: silent.
    Poisoned,
    Single(usize),
    /// Left out by `when`.
    Excluded,
    /// The instances that exist, by key.
    Many(Instances),
    /// An intent: its parts and outputs by name, or with `for_each` such a map for each key; and the keys that `when` left out.
    Intent {
        value: Val,
        excluded: Vec<Arc<str>>,
    },
}

pub(crate) struct Instances {
    pub by_key: IndexMap<Arc<str>, Slot>,
    /// All that exist as a map of references.
    pub all: Val,
}

/// What a key of `for_each` has become.
pub(crate) enum Slot {
    Poisoned,
    Excluded,
    Exists(usize),
}

/// Evaluates one configuration.
pub(crate) struct Evaluator<'a> {
    pub sources: &'a SourceMap,
    pub catalog: &'a Catalog,
    pub inputs: &'a Inputs,
    pub names: &'a Names<'a>,
    pub sink: Sink<'a>,
    pub variables: HashMap<&'a str, Val>,
    pub locals: HashMap<&'a str, Val>,
    /// By place among the declared resource blocks.
    pub blocks: Vec<BlockState>,
    pub instances: Vec<Instance>,
    /// What the attribute that is being evaluated refers to, where first.
    pub needs: IndexMap<SymbolicId, Span>,
    /// The stack's subscription, once the stack is evaluated.
    pub subscription: Option<String>,
    /// What is wrong with the stack was reported: what it would have given is not missed.
    pub stack_is_wrong: bool,
    /// Blocks without a location, which are reported together.
    pub without_location: Vec<(String, Span)>,
    /// Which kinds are principals.
    pub principals: akson_catalog::encode::Context,
    /// What the intents have become, for those who want to read it.
    pub expansions: Vec<crate::workload::Expansion>,
    /// Namespaces that workloads name by a text.
    pub named: Vec<crate::workload::namespace::Named>,
    /// The files, in order.
    pub files: Vec<akson_diagnostics::SourceId>,
    /// All modules; none where values are read apart.
    pub tree: Option<&'a Tree<'a>>,
    /// The instances of modules, the root first.
    pub frames: Vec<Frame<'a>>,
    /// Of each module of the tree, its instances.
    pub frames_of: Vec<Vec<usize>>,
    /// Which instance is evaluated: what it declares is in `names`, `variables`, `locals` and `blocks`.
    pub at: usize,
}

impl Evaluator<'_> {
    /// Evaluates an expression and fits it to what its place wants.
    pub(crate) fn eval(&mut self, expr: &Expr, want: Want<'_>, scope: &Scope<'_>) -> Val {
        if !self.sink.pay(1, expr.span) {
            return Val::Poison;
        }
        match &expr.kind {
            ExprKind::Parens(inner) => self.eval(inner, want, scope),
            ExprKind::List(items) => self.list(items, expr.span, want, scope),
            ExprKind::Object(entries) => self.object(entries, expr.span, want, scope),
            ExprKind::Conditional(condition, yes, no) => self.conditional(condition, [yes, no], want, scope),
            ExprKind::For(walk) => self.walk(walk, expr.span, want, scope),
            ExprKind::Word(name) => self.word(name, want, scope),
            ExprKind::Call(name, arguments) => self.call(name, arguments, expr.span, want, scope),
            ExprKind::None | ExprKind::Default => self.absent(expr, want),
            _ => {
                let value = self.free(expr, scope);
                self.fit(value, want, expr.span)
            }
        }
    }

    /// Evaluates what means the same wherever it stands.
    #[inline(never)]
    fn free(&mut self, expr: &Expr, scope: &Scope<'_>) -> Val {
        match &expr.kind {
            ExprKind::Bool(value) => Val::Bool(*value),
            ExprKind::Number(text) => self.number(text, expr.span),
            ExprKind::Template(parts) => self.template(parts, expr.span, scope),
            ExprKind::Field(..) | ExprKind::Index(..) => {
                let value = self.traverse(expr, scope);
                self.note(&value, expr.span);
                value
            }
            ExprKind::Unary(operator, operand) => self.unary(*operator, operand, expr.span, scope),
            ExprKind::Binary(operator, left, right) => self.binary(*operator, left, right, expr.span, scope),
            ExprKind::Method(base, name, arguments) => self.method(base, name, arguments, expr.span, scope),
            _ => self.eval(expr, Want::Free, scope),
        }
    }

    /// Remembers the resources that a value was read from.
    pub(crate) fn note(&mut self, value: &Val, span: Span) {
        if self.sink.is_phantom() || !value.traits().refs {
            return;
        }
        match value {
            Val::Ref(pointed) => {
                self.needs.entry(pointed.reference.symbolic_id.clone()).or_insert(span);
            }
            Val::Marked(marked) => {
                for pointed in &marked.marks.refs {
                    self.needs.entry(pointed.reference.symbolic_id.clone()).or_insert(span);
                }
                self.note(&marked.value, span);
            }
            Val::List(list) => {
                self.sink.pay(list.items.len() as u64 / 8, span);
                list.items.iter().for_each(|item| self.note(item, span));
            }
            Val::Map(map) => {
                self.sink.pay(map.entries.len() as u64 / 8, span);
                map.entries.values().for_each(|item| self.note(item, span));
            }
            _ => {}
        }
    }

    /// A bare word: a for-variable, else a symbol of the expected type, else an error.
    fn word(&mut self, name: &Name, want: Want<'_>, scope: &Scope<'_>) -> Val {
        if let Some(value) = scope.find(&name.text) {
            let value = value.clone();
            self.note(&value, name.span);
            return self.fit(value, want, name.span);
        }
        if let (Some(of), attribute) = want.parts() {
            match of {
                Type::Enum(_) | Type::Switch => return self.fit(Val::text(name.text.as_str()), want, name.span),
                Type::Choice => return self.symbol_of_choice(&name.text, attribute, name.span, true),
                _ => {}
            }
        }
        // In a branch that is not taken it leaves out nothing.
        if name.text != omit::OMIT || !self.sink.is_phantom() {
            self.stray_word(name, want, scope);
        }
        Val::Poison
    }

    #[inline(never)]
    fn stray_word(&mut self, name: &Name, want: Want<'_>, scope: &Scope<'_>) {
        let word = &name.text;
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_SYMBOL, format!("`{word}` is not known here")).at(name.span, "");
        let mut bound = Vec::new();
        let mut at = scope.binding;
        while let Some(binding) = at {
            bound.push(binding.name);
            at = binding.outer;
        }
        diagnostic = if let Some(near) = did_you_mean(word, bound) {
            diagnostic.help(format!("did you mean `{near}`?")).suggest(name.span, near, format!("write `{near}`"))
        } else if word == omit::OMIT {
            diagnostic.help("`omit` leaves out an attribute, an element of a list or object, or an argument of a module: here there is nothing to leave out")
        } else if let Some((help, instead)) = crate::habits::word(word) {
            let diagnostic = diagnostic.help(help);
            match instead {
                Some(instead) => diagnostic.suggest(name.span, instead, format!("write `{instead}`")),
                None => diagnostic,
            }
        } else if self.names.variables.contains_key(word.as_str()) {
            let fixed = format!("var.{word}");
            diagnostic.help(format!("a variable is written `{fixed}`")).suggest(
                name.span,
                fixed,
                "refer to the variable",
            )
        } else if self.names.locals.contains_key(word.as_str()) {
            let fixed = format!("local.{word}");
            diagnostic.help(format!("a local is written `{fixed}`")).suggest(name.span, fixed, "refer to the local")
        } else if self.names.is_keyword(word) {
            let known = quoted(self.names.of_kind(word).collect::<Vec<_>>().into_iter());
            let help = format!("name one of its blocks: `{word}.name`");
            if known.is_empty() {
                diagnostic.help(help)
            } else {
                diagnostic.help(help).note(format!("declared: {known}"))
            }
        } else {
            match want.parts().0 {
                Some(Type::Bool) if word == "enabled" || word == "disabled" => {
                    diagnostic.help("write `true` or `false`")
                }
                Some(Type::Resource(kinds)) => {
                    let kind = kinds.first().map_or("kind", |kind| if kind == "*" { "kind" } else { kind });
                    diagnostic.help(format!("refer to a resource by kind and name: `{kind}.{word}`"))
                }
                _ => diagnostic.help(format!("text stands in quotes: `\"{word}\"`")).suggest(
                    name.span,
                    format!("\"{word}\""),
                    "put it in quotes",
                ),
            }
        };
        self.sink.report(diagnostic);
    }

    /// `none` and `default`: only as the value of an attribute that can be absent, or has a documented default.
    #[inline(never)]
    fn absent(&mut self, expr: &Expr, want: Want<'_>) -> Val {
        let none = matches!(expr.kind, ExprKind::None);
        let word = if none { "none" } else { "default" };
        let (of, attribute) = want.parts();
        // An element of a collection is no attribute.
        let attribute = attribute.filter(|attribute| of == Some(&attribute.of));
        let strings = match of {
            Some(Type::Enum(words)) => words.iter().any(|known| known == word),
            Some(Type::Choice) => attribute.is_some_and(|attribute| attribute.variants.contains_key(word)),
            _ => false,
        };
        let (code, text, mut help) = match attribute {
            Some(attribute) if none && attribute.removable => return Val::None,
            Some(attribute) if !none && attribute.default.is_some() => return Val::Default,
            Some(attribute) if none => (
                codes::NOT_REMOVABLE,
                format!("`{}` cannot be `none`: the service has no way to remove it", attribute.name),
                "leave the attribute out, in a condition by `omit`: what is not written is not changed".to_owned(),
            ),
            Some(attribute) => (
                codes::NO_DEFAULT,
                format!("`{}` has no documented default", attribute.name),
                "write the value, or leave the attribute out".to_owned(),
            ),
            None => {
                let code = if none { codes::NOT_REMOVABLE } else { codes::NO_DEFAULT };
                (
                    code,
                    format!("`{word}` is no value: it stands alone, as the value of an attribute"),
                    "leave it out, or write a value".to_owned(),
                )
            }
        };
        if strings {
            help = format!("if the word itself is meant, write `\"{word}\"`");
        }
        self.sink.report(Diagnostic::error(code, text).at(expr.span, "").help(help));
        Val::Poison
    }
}
