//! Variables: their types, defaults, values from outside, conditions. How text from outside is read: `variables/given.rs`.

mod given;
mod type_expr;

use std::collections::HashMap;

use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Block, Expr, Item};

use crate::{
    codes,
    eval::{Evaluator, Scope, Want},
    resources::body::plain_block,
    val::{Val, quoted},
};

pub(crate) use type_expr::Shape;

/// A variable block, read.
pub(crate) struct Variable<'a> {
    block: &'a Block,
    shape: Option<Shape>,
    parts: HashMap<&'a str, &'a Expr>,
    pub sensitive: bool,
}

impl Variable<'_> {
    /// What its value must be.
    pub(crate) fn want(&self) -> Want<'_> {
        self.shape.as_ref().map_or(Want::Free, |shape| Want::Of(&shape.of, None))
    }
}

/// The scope of a value that may refer to nothing.
pub(crate) fn constant(what: &'static str) -> Scope<'static> {
    Scope { constant: Some(what), ..Scope::default() }
}

impl Evaluator<'_> {
    /// Gives every declared variable its value: command line, file, environment, default.
    pub(crate) fn variables(&mut self) {
        let names = self.names;
        let mut read = Vec::new();
        for (name, block) in &names.variables {
            read.push((*name, self.read_variable(block)));
        }
        let mut given = self.given();
        for (name, variable) in &read {
            let value = self.value(name, variable, given.remove(*name));
            self.variables.insert(name, value);
        }
        self.undeclared(&given);
        for (name, block) in &names.variables {
            self.validations(name, block, None);
        }
    }

    /// Reads the block of a variable.
    pub(crate) fn read_variable<'b>(&mut self, block: &'b Block) -> Variable<'b> {
        let parts =
            plain_block(&mut self.sink, block, &["type", "default", "description", "sensitive"], &["validation"], &[]);
        let shape = match parts.get("type") {
            Some(expr) => self.shape(expr),
            None => Some(Shape::any()),
        };
        let sensitive = parts.get("sensitive").is_some_and(|expr| self.flag(expr));
        if let Some(description) = parts.get("description") {
            self.eval(description, Want::Of(&akson_catalog::Type::String, None), &constant("a description"));
        }
        Variable { block, shape, parts, sensitive }
    }

    /// The value that was given to a variable, else its default, with what it leaves out. None if there is neither.
    pub(crate) fn variable_value(&mut self, variable: &Variable<'_>, given: Option<Val>) -> Option<Val> {
        let default = self.default_of(variable);
        let Some(shape) = &variable.shape else { return Some(Val::Poison) };
        given.or(default).map(|value| shape.complete(&value))
    }

    fn default_of(&mut self, variable: &Variable<'_>) -> Option<Val> {
        let expr = variable.parts.get("default")?;
        Some(self.eval(expr, variable.want(), &constant("a default")))
    }

    fn value(&mut self, name: &str, variable: &Variable<'_>, given: Option<given::Given>) -> Val {
        let default = self.default_of(variable);
        let Some(shape) = &variable.shape else { return Val::Poison };
        let inferred = match &default {
            Some(default) if !variable.parts.contains_key("type") => Some(Shape::like(default)),
            _ => None,
        };
        let shape = inferred.as_ref().unwrap_or(shape);
        let value = match given {
            Some(given) => self.read_given(name, given, shape, variable.block.header, variable.sensitive),
            None => match default {
                Some(value) => shape.complete(&value),
                None => {
                    self.sink.report(
                        Diagnostic::error(codes::NO_VALUE, format!("the variable `{name}` has no value"))
                            .at(variable.block.header, "")
                            .help(format!("give one by `--var {name}=…`, `--var-file FILE` or the environment variable `AKSON_VAR_{name}`, or add a `default`")),
                    );
                    return Val::Poison;
                }
            },
        };
        if variable.sensitive { value.sensitive() } else { value }
    }

    /// A flag that must be written as `true` or `false`.
    pub(crate) fn flag(&mut self, expr: &Expr) -> bool {
        matches!(self.eval(expr, Want::Of(&akson_catalog::Type::Bool, None), &constant("a flag")), Val::Bool(true))
    }

    /// Values for variables that nobody declared. The environment may hold other stacks' variables: those are no mistake.
    fn undeclared(&mut self, given: &std::collections::BTreeMap<String, given::Given>) {
        for (name, given) in given {
            if self.names.broken_variables.contains(name.as_str())
                || matches!(given, given::Given::Environment(_))
                || self.sink.incomplete
            {
                continue;
            }
            let mut diagnostic =
                Diagnostic::error(codes::UNDECLARED_VARIABLE, format!("there is no variable `{name}`"));
            if let given::Given::File { span, .. } | given::Given::Bad(Some(span)) = given {
                diagnostic = diagnostic.at(*span, "");
            } else {
                diagnostic = diagnostic.note(format!("it is given by `--var {name}=…`"));
            }
            let known = self.names.variables.keys().copied();
            diagnostic = match did_you_mean(name, known.clone()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None if self.names.variables.is_empty() => {
                    diagnostic.help("this configuration declares no variables: remove it")
                }
                None => diagnostic.help(format!("declared are {}", quoted(known))),
            };
            self.sink.report(diagnostic);
        }
    }

    /// Checks the conditions of a variable. `given` is where its value stands, if that is known.
    pub(crate) fn validations(&mut self, name: &str, variable: &Block, given: Option<Span>) {
        for item in &variable.body {
            let Item::Block(block) = item else { continue };
            if block.keyword.text != "validation" {
                continue;
            }
            let parts = plain_block(&mut self.sink, block, &["condition", "message"], &[], &["condition", "message"]);
            let scope = Scope::default();
            let message = parts
                .get("message")
                .map(|expr| (self.eval(expr, Want::Of(&akson_catalog::Type::String, None), &scope), expr.span));
            let Some(condition) = parts.get("condition") else { continue };
            let holds = self.eval(condition, Want::Of(&akson_catalog::Type::Bool, None), &scope);
            if let Val::Unknown(_) = holds.plain() {
                let mut diagnostic = Diagnostic::error(
                    codes::NOT_KNOWN,
                    format!("whether the value of `{name}` is right is known only after apply"),
                )
                .at(given.unwrap_or(condition.span), "");
                if given.is_some() {
                    diagnostic = diagnostic.also(condition.span, "the condition that it must meet");
                }
                self.sink.report(
                    diagnostic
                        .note("a condition is checked before anything is done")
                        .help("give a value that the configuration knows: a variable, a local, a name"),
                );
                continue;
            }
            if !matches!(holds.plain(), Val::Bool(false)) {
                continue;
            }
            let said = match message {
                Some((value, _)) if !value.traits().sensitive => match value.plain() {
                    Val::Text(text) => text.to_string(),
                    _ => "its condition does not hold".to_owned(),
                },
                _ => "its condition does not hold".to_owned(),
            };
            let refused = Diagnostic::error(codes::VALIDATION, format!("the value of `{name}` is refused: {said}"));
            let refused = match given {
                Some(given) => refused.at(given, "").also(condition.span, "this does not hold"),
                None => refused.at(condition.span, "this does not hold"),
            };
            self.sink.report(refused.help("give the variable another value"));
        }
    }

    fn shape(&mut self, expr: &Expr) -> Option<Shape> {
        match type_expr::read(self, expr) {
            Ok(shape) => Some(shape),
            Err(fault) => {
                self.sink.report(*fault);
                None
            }
        }
    }

    /// Reports that a value from outside cannot be read. Nothing of a sensitive one is shown.
    fn unreadable(&mut self, name: &str, origin: &str, shape: &Shape, declared: Span, reason: Option<&str>) -> Val {
        let mut diagnostic = Diagnostic::error(
            codes::VARIABLE_VALUE,
            format!("the value of `{name}` {origin} is not {}", crate::val::describe(&shape.of)),
        )
        .at(declared, "declared here");
        if let Some(reason) = reason {
            diagnostic = diagnostic.note(reason);
        }
        let help = match &shape.of {
            akson_catalog::Type::List(_) | akson_catalog::Type::Set(_) => {
                format!("write a list: `{name}=[\"a\", \"b\"]`")
            }
            akson_catalog::Type::Map(_) | akson_catalog::Type::Object(_) => {
                format!("write an object: `{name}={{ key = \"value\" }}`, or JSON")
            }
            akson_catalog::Type::Bool => format!("write `{name}=true` or `{name}=false`"),
            other => format!("give {}", crate::val::describe(other)),
        };
        self.sink.report(diagnostic.help(help));
        Val::Poison
    }
}
