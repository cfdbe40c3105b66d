//! Calls: a constructor of the expected type, else a function.

use akson_catalog::Attribute;
use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Argument, Expr, Name};

use super::{Evaluator, Scope, Want};
use crate::{
    codes,
    fault::Fault,
    functions::{self, Function, Work},
    habits,
    val::{Entries, Marks, Val, quoted},
};

impl Evaluator<'_> {
    #[inline(never)]
    pub(super) fn call(
        &mut self,
        name: &Name,
        arguments: &[Argument],
        span: Span,
        want: Want<'_>,
        scope: &Scope<'_>,
    ) -> Val {
        let (of, attribute) = want.parts();
        if let Some(attribute) = attribute.filter(|attribute| of == Some(&attribute.of))
            && attribute.variants.contains_key(&name.text)
        {
            return self.construct(name, arguments, attribute, span, scope);
        }
        let Some(function) = functions::find(&name.text) else {
            // What the arguments should be is not known: their words would be reported without reason.
            self.unknown_function(name, attribute.filter(|attribute| of == Some(&attribute.of)));
            return Val::Poison;
        };
        let value = self.function(function, name, arguments, span, scope);
        self.fit(value, want, span)
    }

    fn unknown_function(&mut self, name: &Name, attribute: Option<&Attribute>) {
        let constructors: Vec<&str> =
            attribute.map(|attribute| attribute.variants.keys().map(String::as_str).collect()).unwrap_or_default();
        let known = functions::functions().iter().map(|function| function.name).chain(constructors.iter().copied());
        let what = if constructors.is_empty() { "function" } else { "function or constructor" };
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_FUNCTION, format!("there is no {what} `{}`", name.text)).at(name.span, "");
        let near = did_you_mean(&name.text, known).filter(|_| habits::function(&name.text).is_none());
        diagnostic = match near {
            Some(near) => {
                diagnostic.help(format!("did you mean `{near}`?")).suggest(name.span, near, format!("write `{near}`"))
            }
            None if constructors.is_empty() => match (self.constructor(&name.text), habits::function(&name.text)) {
                (Some(place), _) => diagnostic.help(format!("`{}` is a value of {place} only", name.text)),
                (None, Some(help)) => diagnostic.help(help),
                (None, None) => diagnostic.help("`akson explain functions` lists the functions"),
            },
            None => diagnostic.help(format!("it is one of {}", quoted(constructors.into_iter()))),
        };
        self.sink.report(diagnostic);
    }

    /// The attribute that has a constructor of this name.
    fn constructor(&self, name: &str) -> Option<String> {
        let mut attributes =
            self.catalog.iter().flat_map(|kind| kind.attributes.values().map(move |attribute| (kind, attribute)));
        let (kind, attribute) = attributes.find(|(_, attribute)| attribute.variants.contains_key(name))?;
        Some(format!("`{}.{}`", kind.keyword, attribute.name))
    }

    /// A choice by its bare word or text.
    #[inline(never)]
    pub(super) fn symbol_of_choice(
        &mut self,
        word: &str,
        attribute: Option<&Attribute>,
        span: Span,
        bare: bool,
    ) -> Val {
        let Some(attribute) = attribute else { return Val::Poison };
        if let Some(variant) = attribute.variants.get(word) {
            if let Some(first) = variant.arguments.values().find(|argument| argument.required) {
                self.sink.report(
                    Diagnostic::error(codes::CONSTRUCTOR, format!("`{word}` needs `{}`", first.name))
                        .at(span, "")
                        .help(format!("write `{}`", signature(word, attribute))),
                );
                return Val::Poison;
            }
            return Val::choice(word, Entries::new());
        }
        let shown = if bare { format!("`{word}`") } else { format!("`\"{word}\"`") };
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_SYMBOL, format!("{shown} is no choice of `{}`", attribute.name))
                .at(span, "");
        diagnostic = match did_you_mean(word, attribute.variants.keys().map(String::as_str)) {
            Some(near) => {
                let written = signature(near, attribute);
                diagnostic.help(format!("did you mean `{written}`?")).suggest(span, near, format!("write `{near}`"))
            }
            None => {
                let all: Vec<String> = attribute.variants.keys().map(|name| signature(name, attribute)).collect();
                diagnostic.help(format!("it is one of {}", quoted(all.iter().map(String::as_str))))
            }
        };
        self.sink.report_value(diagnostic);
        Val::Poison
    }

    fn construct(
        &mut self,
        name: &Name,
        arguments: &[Argument],
        attribute: &Attribute,
        span: Span,
        scope: &Scope<'_>,
    ) -> Val {
        let Some(variant) = attribute.variants.get(&name.text) else { return Val::Poison };
        let written = signature(&name.text, attribute);
        let mut given = Entries::new();
        let mut bad = false;
        let mut position = 0;
        for argument in arguments {
            let parameter = match &argument.name {
                Some(key) => variant.arguments.get(&key.text),
                None => variant.arguments.get_index(position).map(|(_, parameter)| parameter),
            };
            let Some(parameter) = parameter else {
                bad = true;
                let names = variant.arguments.keys().map(String::as_str);
                let (text, place, near) = match &argument.name {
                    Some(key) => (
                        format!("`{}` has no argument `{}`", name.text, key.text),
                        key.span,
                        did_you_mean(&key.text, names),
                    ),
                    None => (
                        format!("`{}` takes {}", name.text, count(variant.arguments.len(), "argument")),
                        argument.value.span,
                        None,
                    ),
                };
                let diagnostic =
                    Diagnostic::error(codes::CONSTRUCTOR, text).at(place, "").help(format!("write `{written}`"));
                self.sink.report(match near {
                    Some(near) => diagnostic.suggest(place, near, format!("write `{near}`")),
                    None => diagnostic,
                });
                continue;
            };
            if argument.name.is_none() {
                position += 1;
            }
            let value = self.eval(&argument.value, Want::attribute(parameter), scope);
            if given.insert(parameter.name.as_str().into(), value).is_some() {
                bad = true;
                let place = argument.name.as_ref().map_or(argument.value.span, |name| name.span);
                self.sink.report(
                    Diagnostic::error(codes::CONSTRUCTOR, format!("`{}` is given twice", parameter.name))
                        .at(place, "")
                        .help(format!("write `{written}`")),
                );
            }
        }
        let missing: Vec<&str> = variant
            .arguments
            .values()
            .filter(|parameter| parameter.required && !given.contains_key(parameter.name.as_str()))
            .map(|parameter| parameter.name.as_str())
            .collect();
        if !missing.is_empty() && !bad {
            bad = true;
            self.sink.report(
                Diagnostic::error(codes::CONSTRUCTOR, format!("`{}` lacks {}", name.text, quoted(missing.into_iter())))
                    .at(span, "")
                    .help(format!("write `{written}`")),
            );
        }
        if bad {
            return Val::Poison;
        }
        // In the catalog's order, whatever order they were written in.
        given.sort_by(|left, _, right, _| {
            variant.arguments.get_index_of(&**left).cmp(&variant.arguments.get_index_of(&**right))
        });
        Val::choice(name.text.clone(), given)
    }

    fn function(
        &mut self,
        function: &Function,
        name: &Name,
        arguments: &[Argument],
        span: Span,
        scope: &Scope<'_>,
    ) -> Val {
        if let Some(key) = arguments.iter().find_map(|argument| argument.name.as_ref()) {
            self.sink.report(
                Diagnostic::error(
                    codes::FUNCTION_ARGUMENTS,
                    format!("`{}` takes its arguments by position", name.text),
                )
                .at(key.span, "")
                .help(format!("write `{}`", function.signature())),
            );
            return Val::Poison;
        }
        if !function.takes(arguments.len()) {
            let text = format!("`{}` takes {}, not {}", name.text, function.arity(), arguments.len());
            let place = arguments
                .last()
                .filter(|_| arguments.len() > function.parameters.len())
                .map_or(span, |last| last.value.span);
            self.sink.report(
                Diagnostic::error(codes::FUNCTION_ARGUMENTS, text)
                    .at(place, "")
                    .help(format!("write `{}`", function.signature())),
            );
            return Val::Poison;
        }
        match (function.work, arguments) {
            (Work::Try, _) => return self.attempt(arguments, span, scope),
            (Work::Can, [argument]) => return self.possible(&argument.value, scope),
            _ => {}
        }
        let values: Vec<Val> = arguments.iter().map(|argument| self.eval(&argument.value, Want::Free, scope)).collect();
        if values.iter().any(|value| value.traits().poison) {
            return Val::Poison;
        }
        let mut good = true;
        for (at, (value, argument)) in values.iter().zip(arguments).enumerate() {
            good &= self.argument(function, at, value, &argument.value);
        }
        if !good {
            return Val::Poison;
        }
        match function.work {
            Work::Pure(_) => self.pure(function, &values, arguments, span),
            Work::File(give) => self.file(&values, arguments, span, give),
            Work::FileExists => self.file_exists(&values, arguments, span),
            // Evaluated above, before their arguments are.
            Work::Try | Work::Can => Val::Poison,
            Work::Environment => self.environment(&values, arguments, span, scope),
            Work::Subscription => self.subscription(span, scope),
        }
    }

    fn argument(&mut self, function: &Function, at: usize, value: &Val, expr: &Expr) -> bool {
        let Some(parameter) = function.parameter(at) else { return true };
        if parameter.of.admits(value) {
            return true;
        }
        let text = format!(
            "`{}` of `{}` is {}, not {}",
            parameter.name,
            function.name,
            parameter.of.words(),
            value.type_name()
        );
        self.sink.report_value(
            Diagnostic::error(codes::FUNCTION_ARGUMENTS, text)
                .at(expr.span, "")
                .help(format!("write `{}`", function.signature())),
        );
        false
    }

    fn pure(&mut self, function: &Function, values: &[Val], arguments: &[Argument], span: Span) -> Val {
        let size: u64 = values.iter().map(|value| value.traits().size).sum();
        let units = if function.constant_time { 1 } else { 1 + size / 64 };
        if !self.sink.pay(units, span) {
            return Val::Poison;
        }
        let mut marks = Marks::default();
        if values.iter().any(|value| value.traits().holes) && !function.takes_holes {
            let residuals: Option<Vec<_>> = values.iter().map(Val::to_residual).collect();
            for value in values {
                let _ = value.strip(&mut marks);
            }
            let Some(arguments) = residuals else { return Val::Poison };
            let residual = akson_catalog::Residual::Call { function: function.name.to_owned(), arguments };
            return self.sink.made(Val::unknown(residual, function.returns.as_type()), span).with(marks);
        }
        let result = if function.takes_holes {
            // Looks at the structure alone: elements keep their marks and holes.
            for value in values {
                if let Some(own) = value.marks() {
                    marks.absorb(own);
                }
            }
            let plain: Vec<Val> = values.iter().map(|value| value.plain().clone()).collect();
            function.call(&plain)
        } else {
            let plain: Vec<Val> = values.iter().map(|value| value.strip(&mut marks)).collect();
            function.call(&plain)
        };
        match result {
            Ok(value) => self.sink.made(value, span).with(marks),
            Err(fault) => {
                let place = match &fault {
                    Fault::Argument(at, _) => arguments.get(*at).map_or(span, |argument| argument.value.span),
                    _ => span,
                };
                let help = format!(
                    "`{}`: {}",
                    function.signature(),
                    function.docs.split_inclusive(". ").next().unwrap_or_default().trim_end()
                );
                self.fault(&fault, place, marks.sensitive, Some(help))
            }
        }
    }

    /// The path of a file as it is written, and relative to the configuration's folder; none of the second if it leads out.
    fn path_of_file(&mut self, values: &[Val], place: Span) -> Option<(String, Option<String>)> {
        let Some(Val::Text(path)) = values.first().map(Val::plain) else {
            self.sink.report_value(
                Diagnostic::error(codes::NOT_KNOWN, "which file is meant is known only after apply")
                    .at(place, "")
                    .help("name a file of the configuration's folder"),
            );
            return None;
        };
        if values.first().is_some_and(|value| value.traits().sensitive) {
            self.sink.report(
                Diagnostic::error(codes::SENSITIVE, "the name of a file cannot be sensitive")
                    .at(place, "")
                    .help("use a path that may be shown"),
            );
            return None;
        }
        // Relative to the folder that the file of the call is in.
        Some((path.to_string(), crate::modules::below(self.folder(), path)))
    }

    fn file_exists(&mut self, values: &[Val], arguments: &[Argument], span: Span) -> Val {
        let place = arguments.first().map_or(span, |argument| argument.value.span);
        let Some((_, below)) = self.path_of_file(values, place) else { return Val::Poison };
        Val::Bool(below.is_some_and(|below| self.inputs.files.contains_key(&below)))
    }

    fn file(
        &mut self,
        values: &[Val],
        arguments: &[Argument],
        span: Span,
        give: fn(&std::sync::Arc<str>) -> Val,
    ) -> Val {
        let place = arguments.first().map_or(span, |argument| argument.value.span);
        let Some((path, below)) = self.path_of_file(values, place) else { return Val::Poison };
        let path = path.as_str();
        let wanted = below.as_deref().unwrap_or(path);
        if let Some(content) = self.inputs.files.get(wanted) {
            let value = give(content);
            return self.sink.made(value, span);
        }
        let mut diagnostic =
            Diagnostic::error(codes::FILE, format!("there is no file `{path}` in this configuration")).at(place, "");
        diagnostic = if below.is_none() || wanted.starts_with('~') {
            diagnostic
                .note("files are read below the configuration's folder only")
                .help("move the file into the folder, and name it relative to the folder")
        } else {
            match did_you_mean(wanted, self.inputs.files.keys().map(String::as_str)) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => {
                    diagnostic.help("name an UTF-8 text file below the configuration's folder, relative to that folder")
                }
            }
        };
        self.sink.report_value(diagnostic);
        Val::Poison
    }

    fn environment(&mut self, values: &[Val], arguments: &[Argument], span: Span, scope: &Scope<'_>) -> Val {
        if !scope.secret {
            self.sink.report(
                Diagnostic::error(codes::ENVIRONMENT, "`env` gives a secret, and this is no place for one")
                    .at(span, "")
                    .note("a plan must not depend on the environment that it is made in; secrets are the exception")
                    .help("use a variable: `AKSON_VAR_name` sets it from the environment"),
            );
            return Val::Poison;
        }
        let place = arguments.first().map_or(span, |argument| argument.value.span);
        let Some(Val::Text(name)) = values.first() else {
            self.sink.report_value(
                Diagnostic::error(codes::ENVIRONMENT, "the name of an environment variable is plain text")
                    .at(place, "")
                    .help("write it in quotes"),
            );
            return Val::Poison;
        };
        if let Some(value) = self.inputs.environment.get(&**name) {
            let value = Val::text(value.as_str()).sensitive();
            self.sink.made(value, span)
        } else {
            self.sink.report_value(
                Diagnostic::error(codes::ENVIRONMENT, format!("the environment has no `{name}`"))
                    .at(place, "")
                    .help(format!("set it before the run: `export {name}=…`")),
            );
            Val::Poison
        }
    }
}

/// A constructor as it is written: `selected(ips, subnets)`.
pub(super) fn signature(name: &str, attribute: &Attribute) -> String {
    match attribute.variants.get(name) {
        Some(variant) if !variant.arguments.is_empty() => {
            let arguments: Vec<String> = variant
                .arguments
                .values()
                .map(|argument| {
                    if argument.required {
                        format!("{} = …", argument.name)
                    } else {
                        format!("[{} = …]", argument.name)
                    }
                })
                .collect();
            format!("{name}({})", arguments.join(", "))
        }
        _ => name.to_owned(),
    }
}

fn count(number: usize, word: &str) -> String {
    match number {
        0 => format!("no {word}s"),
        1 => format!("one {word}"),
        number => format!("{number} {word}s"),
    }
}
