//! The syntax tree: what was written, with the span of every part. Not what it means.
//!
//! Comments and blank lines are not in the tree; the formatter takes them from the text beside it.

use akson_diagnostics::{SourceId, Span};

/// A name as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// One file: its blocks, in order.
#[derive(Debug, Clone)]
pub struct File {
    /// The source.
    pub source: SourceId,
    /// Top-level blocks that could be read; a broken one is left out and has its diagnostic.
    pub blocks: Vec<Block>,
    /// Top-level blocks with a syntax error, as far as they could be read: not to be checked, but references to them
    /// are not unknown names.
    pub broken: Vec<Block>,
}

/// `existing? kind "label"* { … }`.
#[derive(Debug, Clone)]
pub struct Block {
    /// The word `existing` before the keyword, if it is there.
    pub existing: Option<Span>,
    /// The keyword: `stack`, `variable`, `vault`, or of a nested block its name.
    pub keyword: Name,
    /// The labels in quotes, their spans without the quotes.
    pub labels: Vec<Name>,
    /// Labels with variables in them, which only `stack` may have: which label, and its template. The label's own
    /// text is then what stands between the quotes.
    pub computed_labels: Vec<(usize, Expr)>,
    /// Attributes and nested blocks in order.
    pub body: Vec<Item>,
    /// From the first word up to, not including, the opening brace.
    pub header: Span,
    /// The whole block.
    pub span: Span,
}

impl Block {
    /// The attribute of that name, if it is written.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.body.iter().find_map(|item| match item {
            Item::Attribute(attribute) if attribute.name.text == name => Some(attribute),
            _ => None,
        })
    }
}

/// A part of a block's body.
#[derive(Debug, Clone)]
pub enum Item {
    /// `name = value`.
    Attribute(Attribute),
    /// `name "label"* { … }`.
    Block(Box<Block>),
}

/// `name = value`.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// The name.
    pub name: Name,
    /// The value.
    pub value: Expr,
    /// The whole of it.
    pub span: Span,
}

/// An expression with its span.
#[derive(Debug, Clone)]
pub struct Expr {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: ExprKind,
}

/// What an expression is.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// `true`, `false`.
    Bool(bool),
    /// A number as written, decimal: `12`, `0.5`, `1e3`.
    Number(String),
    /// A string or template in quotes, or a heredoc (its indentation already stripped). Without interpolation
    /// it is one `Literal` part, or no part at all if empty.
    Template(Vec<TemplatePart>),
    /// `none`: must be absent.
    None,
    /// `default`: must be what the API's default is.
    Default,
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `{ key = value, "key" = value, (expression) = value }`.
    Object(Vec<(ObjectKey, Expr)>),
    /// A bare word: a for-variable, else a symbol of the expected type, else the root of a reference.
    Word(Name),
    /// `base.name`, e.g. `cluster.main`, `var.environment`, `each.key`.
    Field(Box<Expr>, Name),
    /// `base[index]`.
    Index(Box<Expr>, Box<Expr>),
    /// `name(arguments)`: a constructor of the expected type, else a function.
    Call(Box<Name>, Vec<Argument>),
    /// `base.name(arguments)`: a typed postfix call, e.g. `cluster.main.namespace("n")`.
    Method(Box<Expr>, Box<Name>, Vec<Argument>),
    /// `!x`, `-x`.
    Unary(UnaryOp, Box<Expr>),
    /// `a + b` …
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `condition ? yes : no`.
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `[for x in xs : f(x) if c]`, `{for k, v in m : k => v… if c}`.
    For(Box<For>),
    /// `(x)`.
    Parens(Box<Expr>),
}

/// An argument of a call, by position or by name.
#[derive(Debug, Clone)]
pub struct Argument {
    /// `name =` before it, if written.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// A key of an object expression.
#[derive(Debug, Clone)]
pub enum ObjectKey {
    /// A bare word: stands for itself.
    Name(Name),
    /// A template or `(expression)`.
    Expr(Expr),
}

/// A part of a template. Strip markers (`~`) are already applied to the literals.
#[derive(Debug, Clone)]
pub enum TemplatePart {
    /// Text, escapes resolved.
    Literal(String),
    /// `${expression}`.
    Interpolation(Expr),
    /// `%{ if condition }…%{ else }…%{ endif }`.
    If {
        /// The condition.
        condition: Box<Expr>,
        /// If it holds.
        then: Vec<TemplatePart>,
        /// If not.
        otherwise: Vec<TemplatePart>,
    },
    /// `%{ for value in collection }…%{ endfor }`.
    For {
        /// Index or key variable, if written.
        key: Option<Box<Name>>,
        /// Value variable.
        value: Box<Name>,
        /// The collection.
        collection: Box<Expr>,
        /// The repeated part.
        body: Vec<TemplatePart>,
    },
}

/// A `for` expression.
#[derive(Debug, Clone)]
pub struct For {
    /// Index or key variable, if written.
    pub key: Option<Name>,
    /// Value variable.
    pub value: Name,
    /// What is walked.
    pub collection: Expr,
    /// For an object: the key of each.
    pub result_key: Option<Expr>,
    /// The value of each.
    pub result: Expr,
    /// `if condition`.
    pub condition: Option<Expr>,
    /// `...` after the value: values of one key are grouped in a list.
    pub group: bool,
}

/// Operators of one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// Operators of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}
