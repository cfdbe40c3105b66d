//! Functions: one table, from which calls are checked, documentation is made and examples are run. What each does stands in
//! `functions/`, one file a family.

mod arguments;
mod cidr;
mod collections;
mod documents;
mod encoding;
mod hash;
mod maps;
mod numbers;
mod outside;
mod paths;
mod sets;
mod strings;
mod text_search;

pub(crate) use encoding::from_json;
pub(crate) use hash::hex;

use std::sync::OnceLock;

use akson_catalog::Type;

use crate::{fault::Fault, val::Val};

/// A function of the language.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
    /// How many of them, from the end, may be left out.
    pub optional: usize,
    /// Whether the last parameter may be given any number of times, none included.
    pub variadic: bool,
    /// What it gives.
    pub returns: Shape,
    /// What it does, in one line.
    pub docs: &'static str,
    /// A call and what it gives, both as expressions.
    pub example: (&'static str, &'static str),
    pub(crate) work: Work,
    /// Takes collections whose elements are known after apply: it looks at their structure only.
    pub(crate) takes_holes: bool,
    /// Takes as long for a large argument as for a small one.
    pub(crate) constant_time: bool,
}

/// A parameter of a function.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name, for documentation and diagnostics: arguments are given by position.
    pub name: &'static str,
    /// What it takes.
    pub of: Shape,
}

impl Function {
    /// Its page, in Markdown: the call with the types of its arguments, what it does, and a call with its result.
    pub fn page(&self) -> String {
        let Self { name, parameters, optional, variadic, returns, docs, example: (call, result), .. } = self;
        let required = parameters.len() - optional;
        let mut arguments: Vec<String> = Vec::new();
        for (at, parameter) in parameters.iter().enumerate() {
            let text = format!("{}: {}", parameter.name, parameter.of.type_text());
            arguments.push(if at < required { text } else { format!("[{text}]") });
        }
        if *variadic {
            arguments.push("...".to_owned());
        }
        format!(
            "# {name}\n\n`{name}({})` gives {}.\n\n{docs}\n\n```text\n{call}\n=> {result}\n```\n",
            arguments.join(", "),
            returns.words(),
        )
    }
}

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Anything.
    Any,
    /// A bool.
    Bool,
    /// A number.
    Number,
    /// A whole number.
    Int,
    /// Text.
    Text,
    /// A list of anything.
    List,
    /// A list of texts.
    Texts,
    /// A map.
    Map,
    /// A list or a map.
    Collection,
    /// A text, a list or a map.
    Sized,
}

/// How a function is carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    /// From its arguments alone.
    Pure(fn(&[Val]) -> Result<Val, Fault>),
    /// `file` and its like, with what they make of a file's text.
    File(fn(&std::sync::Arc<str>) -> Val),
    /// `fileexists`
    FileExists,
    /// `try`
    Try,
    /// `can`
    Can,
    /// `env`
    Environment,
    /// `subscription`
    Subscription,
}

impl Shape {
    /// The shape in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Shape::Any => "any value",
            Shape::Bool => "a bool",
            Shape::Number => "a number",
            Shape::Int => "a whole number",
            Shape::Text => "text",
            Shape::List => "a list",
            Shape::Texts => "a list of texts",
            Shape::Map => "a map",
            Shape::Collection => "a list or a map",
            Shape::Sized => "text, a list or a map",
        }
    }

    /// The shape as a type expression.
    pub fn type_text(self) -> &'static str {
        match self {
            Shape::Any => "any",
            Shape::Bool => "bool",
            Shape::Number => "number",
            Shape::Int => "int",
            Shape::Text => "string",
            Shape::List => "list(any)",
            Shape::Texts => "list(string)",
            Shape::Map => "map(any)",
            Shape::Collection => "list(any) or map(any)",
            Shape::Sized => "string, list(any) or map(any)",
        }
    }

    pub(crate) fn as_type(self) -> Type {
        match self {
            Shape::Any | Shape::Collection | Shape::Sized => Type::Any,
            Shape::Bool => Type::Bool,
            Shape::Number => Type::Number,
            Shape::Int => Type::Int,
            Shape::Text => Type::String,
            Shape::List => Type::List(Box::new(Type::Any)),
            Shape::Texts => Type::List(Box::new(Type::String)),
            Shape::Map => Type::Map(Box::new(Type::Any)),
        }
    }

    /// Whether a value, or what a hole will be, can be an argument. Elements are looked at by the function.
    pub(crate) fn admits(self, value: &Val) -> bool {
        let (list, map, text, int, number, bool) = match value.plain() {
            Val::Unknown(hole) => match &hole.of {
                Type::Any => return true,
                Type::List(_) | Type::Set(_) => (true, false, false, false, false, false),
                Type::Map(_) | Type::Object(_) => (false, true, false, false, false, false),
                Type::String | Type::Named(_) | Type::Enum(_) | Type::Switch => {
                    (false, false, true, false, false, false)
                }
                Type::Int | Type::Number => (false, false, false, true, true, false),
                Type::Bool => (false, false, false, false, false, true),
                Type::Resource(_) | Type::Choice => return self == Shape::Any,
            },
            Val::List(_) => (true, false, false, false, false, false),
            Val::Map(_) => (false, true, false, false, false, false),
            Val::Text(_) => (false, false, true, false, false, false),
            Val::Int(_) => (false, false, false, true, true, false),
            Val::Decimal(_) => (false, false, false, false, true, false),
            Val::Bool(_) => (false, false, false, false, false, true),
            _ => return self == Shape::Any,
        };
        match self {
            Shape::Any => true,
            Shape::Bool => bool,
            Shape::Number => number,
            Shape::Int => int,
            Shape::Text => text,
            Shape::List | Shape::Texts => list,
            Shape::Map => map,
            Shape::Collection => list || map,
            Shape::Sized => list || map || text,
        }
    }
}

impl Function {
    const fn pure(
        name: &'static str,
        parameters: &'static [Parameter],
        returns: Shape,
        docs: &'static str,
        example: (&'static str, &'static str),
        run: fn(&[Val]) -> Result<Val, Fault>,
    ) -> Self {
        Self {
            name,
            parameters,
            optional: 0,
            variadic: false,
            returns,
            docs,
            example,
            work: Work::Pure(run),
            takes_holes: false,
            constant_time: false,
        }
    }

    const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }

    const fn optional(mut self, count: usize) -> Self {
        self.optional = count;
        self
    }

    const fn structural(mut self) -> Self {
        self.takes_holes = true;
        self
    }

    const fn constant_time(mut self) -> Self {
        self.constant_time = true;
        self
    }

    /// The call as it is written: `join(separator: string, list: list(string)) -> string`.
    pub fn signature(&self) -> String {
        let first_optional = self.parameters.len() - self.optional;
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .enumerate()
            .map(|(at, parameter)| {
                let last = at + 1 == self.parameters.len();
                let text = format!("{}: {}", parameter.name, parameter.of.type_text());
                if at >= first_optional {
                    format!("[{text}]")
                } else if last && self.variadic {
                    format!("{text}…")
                } else {
                    text
                }
            })
            .collect();
        format!("{}({}) -> {}", self.name, parameters.join(", "), self.returns.type_text())
    }

    pub(crate) fn takes(&self, count: usize) -> bool {
        let most = self.parameters.len();
        if self.variadic { count + 1 >= most } else { count <= most && count + self.optional >= most }
    }

    /// How many arguments it takes, in words.
    pub(crate) fn arity(&self) -> String {
        let most = self.parameters.len();
        let arguments = |count: usize| if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") };
        if self.variadic {
            format!("{} or more", arguments(most - 1))
        } else if self.optional > 0 {
            format!("{} to {}", most - self.optional, arguments(most))
        } else {
            arguments(most)
        }
    }

    pub(crate) fn parameter(&self, at: usize) -> Option<&Parameter> {
        self.parameters.get(at).or_else(|| self.parameters.last().filter(|_| self.variadic))
    }

    /// Carries it out on known values without marks.
    pub(crate) fn call(&self, arguments: &[Val]) -> Result<Val, Fault> {
        match self.work {
            Work::Pure(run) => run(arguments),
            _ => Err(Fault::Failed(format!("`{}` is evaluated with the configuration only", self.name))),
        }
    }
}

/// Every function, by name.
pub fn functions() -> &'static [Function] {
    static TABLE: OnceLock<Vec<Function>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let families = [
            strings::FUNCTIONS,
            text_search::FUNCTIONS,
            collections::FUNCTIONS,
            maps::FUNCTIONS,
            sets::FUNCTIONS,
            numbers::FUNCTIONS,
            encoding::FUNCTIONS,
            documents::FUNCTIONS,
            paths::FUNCTIONS,
            hash::FUNCTIONS,
            cidr::FUNCTIONS,
            outside::FUNCTIONS,
        ];
        let mut table = families.concat();
        table.sort_by_key(|function| function.name);
        table
    })
}

/// The function of a name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    let table = functions();
    table.binary_search_by_key(&name, |function| function.name).ok().and_then(|at| table.get(at))
}

const fn parameter(name: &'static str, of: Shape) -> Parameter {
    Parameter { name, of }
}
