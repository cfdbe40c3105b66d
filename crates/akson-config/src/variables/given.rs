//! Values of variables from outside: the command line, files of `name = value` lines, the environment.

use std::{collections::BTreeMap, sync::Arc};

use akson_catalog::Type;
use akson_diagnostics::{Diagnostic, Diagnostics, SourceId, SourceMap, Span};
use akson_parser::ast::{Expr, Item};

use super::{Shape, constant};
use crate::{
    codes,
    eval::{Evaluator, Want},
    functions::from_json,
    val::Val,
};

/// A value from outside, not yet read as its type.
pub(super) enum Given {
    /// `--var`
    Flag(String),
    /// A line of a file: the expression, where its name stands, and the map in which the expression's spans lie.
    File { value: Box<Expr>, span: Span, sources: Arc<SourceMap>, source: SourceId },
    /// `AKSON_VAR_name`
    Environment(String),
    /// Reported already.
    Bad(Option<Span>),
}

/// A file of values is read as the body of this block, so that one grammar holds for both.
const OPEN: &str = "locals {\n";

impl Evaluator<'_> {
    /// Every value from outside, by name: of one name the strongest.
    pub(super) fn given(&mut self) -> BTreeMap<String, Given> {
        let mut given: BTreeMap<String, Given> = self
            .inputs
            .environment_variables
            .iter()
            .map(|(name, text)| (name.clone(), Given::Environment(text.clone())))
            .collect();
        for file in &self.inputs.variable_files {
            self.file_of_values(*file, &mut given);
        }
        for (name, text) in &self.inputs.variables {
            given.insert(name.clone(), Given::Flag(text.clone()));
        }
        given
    }

    fn file_of_values(&mut self, file: SourceId, given: &mut BTreeMap<String, Given>) {
        let mut sources = self.sources.clone();
        let text = format!("{OPEN}{}\n}}\n", self.sources.get(file).text);
        let source = sources.add(self.sources.get(file).name.clone(), text);
        let mut found = Diagnostics::new();
        let parsed = akson_parser::parse(&sources, source, &mut found);
        self.hand_over(&found, source, file);
        if found.has_errors() {
            // What could not be read may have been any variable's value.
            for block in parsed.blocks.iter().chain(&parsed.broken) {
                for item in &block.body {
                    if let Item::Attribute(attribute) = item {
                        given.insert(attribute.name.text.clone(), Given::Bad(None));
                    }
                }
            }
            for name in self.names.variables.keys() {
                given.insert((*name).to_owned(), Given::Bad(None));
            }
            return;
        }
        let sources = Arc::new(sources);
        let mut blocks = parsed.blocks.into_iter();
        for item in blocks.next().into_iter().flat_map(|block| block.body) {
            match item {
                Item::Attribute(attribute) => {
                    let span = shift(attribute.name.span, file);
                    let value =
                        Given::File { value: Box::new(attribute.value), span, sources: Arc::clone(&sources), source };
                    given.insert(attribute.name.text, value);
                }
                Item::Block(block) => self.not_a_value(shift(block.header, file)),
            }
        }
        for block in blocks {
            self.not_a_value(shift(block.header, file));
        }
    }

    fn not_a_value(&mut self, span: Span) {
        self.sink.report(
            Diagnostic::error(codes::NESTED, "a file of values has lines `name = value`, no blocks")
                .at(span, "")
                .help("write `name = value`"),
        );
    }

    /// Passes on what was found in a text that stands in a file of values.
    fn hand_over(&mut self, found: &Diagnostics, from: SourceId, to: SourceId) {
        for diagnostic in found {
            let mut diagnostic = diagnostic.clone();
            for label in &mut diagnostic.labels {
                if label.span.source == from {
                    label.span = shift(label.span, to);
                }
            }
            for suggestion in &mut diagnostic.suggestions {
                if suggestion.span.source == from {
                    suggestion.span = shift(suggestion.span, to);
                }
            }
            self.sink.report(diagnostic);
        }
    }

    /// Reads a value as the type of its variable.
    pub(super) fn read_given(
        &mut self,
        name: &str,
        given: Given,
        shape: &Shape,
        declared: Span,
        sensitive: bool,
    ) -> Val {
        match given {
            Given::Bad(_) => Val::Poison,
            Given::Flag(text) => self.read_text(name, &text, "given by `--var`", shape, declared, sensitive),
            Given::Environment(text) => {
                self.read_text(name, &text, &format!("in `AKSON_VAR_{name}`"), shape, declared, sensitive)
            }
            Given::File { value, span, sources, source } => {
                let file = span.source;
                let mut found = Diagnostics::new();
                let read = self.elsewhere(&sources, &mut found, |evaluator| {
                    evaluator.eval(&value, Want::Of(&shape.of, None), &constant("a value of a variable"))
                });
                self.hand_over(&found, source, file);
                shape.complete(&read)
            }
        }
    }

    fn read_text(
        &mut self,
        name: &str,
        text: &str,
        origin: &str,
        shape: &Shape,
        declared: Span,
        sensitive: bool,
    ) -> Val {
        if matches!(shape.of, Type::String | Type::Named(_) | Type::Enum(_) | Type::Switch) {
            return self.fit_text(name, text, origin, shape, declared, sensitive);
        }
        // Without a type, what does not look like anything else is text.
        if shape.of == Type::Any && !text.trim_start().starts_with(['[', '{', '"']) {
            return Val::text(text);
        }
        if let Ok(json) = serde_json::from_str::<serde_json::Value>(text)
            && let Ok(value) = from_json(&json)
        {
            let mut sources = self.sources.clone();
            let source = sources.add(name, text);
            let span = Span::new(source, 0, text.len());
            return self.fit_given(name, origin, shape, declared, sensitive, &sources, |evaluator| {
                evaluator.fit(value, Want::Of(&shape.of, None), span)
            });
        }
        let mut sources = self.sources.clone();
        let source = sources.add(name, text);
        let mut found = Diagnostics::new();
        match akson_parser::parse_expression(&sources, source, &mut found) {
            Some(expr) => self.fit_given(name, origin, shape, declared, sensitive, &sources, |evaluator| {
                evaluator.eval(&expr, Want::Of(&shape.of, None), &constant("a value of a variable"))
            }),
            None => self.unreadable(name, origin, shape, declared, None),
        }
    }

    fn fit_text(
        &mut self,
        name: &str,
        text: &str,
        origin: &str,
        shape: &Shape,
        declared: Span,
        sensitive: bool,
    ) -> Val {
        let mut sources = self.sources.clone();
        let source = sources.add(name, text);
        let span = Span::new(source, 0, text.len());
        let value = Val::text(text);
        self.fit_given(name, origin, shape, declared, sensitive, &sources, |evaluator| {
            evaluator.fit(value, Want::Of(&shape.of, None), span)
        })
    }

    /// Computes a value apart; what is wrong with it is said at the variable's declaration, since its text has no place in a file.
    #[expect(clippy::too_many_arguments, reason = "what the one diagnostic is made of")]
    fn fit_given(
        &mut self,
        name: &str,
        origin: &str,
        shape: &Shape,
        declared: Span,
        sensitive: bool,
        sources: &SourceMap,
        compute: impl FnOnce(&mut Evaluator<'_>) -> Val,
    ) -> Val {
        let mut found = Diagnostics::new();
        let value = self.elsewhere(sources, &mut found, compute);
        if found.has_errors() {
            let first = found.iter().next();
            let limit = first.is_some_and(|first| first.code == codes::LIMIT);
            let reason = first.filter(|_| !sensitive).map(|first| match &first.help {
                Some(help) => format!("{}; {help}", first.message),
                None => first.message.clone(),
            });
            if limit {
                self.sink.limit(
                    declared,
                    "the value of this variable is too large",
                    "a text has at most 1 MiB, a collection at most 100,000 elements",
                );
                return Val::Poison;
            }
            return self.unreadable(name, origin, shape, declared, reason.as_deref());
        }
        shape.complete(&value)
    }

    /// Evaluates with other sources and other diagnostics.
    fn elsewhere<T>(
        &self,
        sources: &SourceMap,
        found: &mut Diagnostics,
        compute: impl FnOnce(&mut Evaluator<'_>) -> T,
    ) -> T {
        let mut evaluator = Evaluator::new(sources, self.catalog, self.inputs, self.names, found);
        compute(&mut evaluator)
    }
}

/// A span of the text that was wrapped, in the file as it is.
fn shift(span: Span, file: SourceId) -> Span {
    let back = |at: u32| (at as usize).saturating_sub(OPEN.len());
    Span::new(file, back(span.start), back(span.end))
}
