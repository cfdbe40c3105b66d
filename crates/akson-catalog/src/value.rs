//! Values of a configuration, with holes: what is known after apply is a residual expression over outputs of other steps.

use indexmap::IndexMap;

use crate::{Address, Secret, SymbolicId, Type};

/// A value. Evaluation is total: whatever is not known yet is [`Value::Unknown`], typed and foldable.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `true`, `false`; a switch's `enabled` and `disabled` are symbols, not these.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction. Finite.
    Decimal(f64),
    /// Text, a symbol of an enum, a location, a duration: whatever is written as text.
    Text(String),
    /// `[…]`, in order.
    List(Vec<Value>),
    /// `{…}`, keys in the author's order.
    Map(IndexMap<String, Value>),
    /// `none`: must be absent.
    None,
    /// `default`: must be the documented default of the API.
    Default,
    /// A constructor with its arguments by name, in the catalog's order: `authorized(["…"])`. A bare symbol of a choice has no arguments.
    Choice {
        /// The constructor.
        name: String,
        /// Its arguments.
        arguments: IndexMap<String, Value>,
    },
    /// Another resource where one is wanted.
    Reference(Reference),
    /// Known, and must not be shown. Spreads through expressions.
    Sensitive(Secret),
    /// Known after apply.
    Unknown {
        /// What it will be.
        residual: Box<Residual>,
        /// Of what type.
        of: Type,
        /// Whether what comes out must not be shown.
        sensitive: bool,
    },
}

/// A resource that a value points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The kind's keyword.
    pub kind: String,
    /// The resource as the configuration calls it; display and dependency only.
    pub address: Address,
    /// What it is.
    pub symbolic_id: SymbolicId,
    /// Azure's id where it follows from the configuration, in the author's casing (ARM objects with a chosen name).
    pub id: Option<String>,
}

/// A pure expression over outputs of other steps: kept in the plan, folded at apply. The configuration is never evaluated again.
#[derive(Debug, Clone, PartialEq)]
pub enum Residual {
    /// A part that is known.
    Known(Value),
    /// An output of another resource.
    Output {
        /// Whose.
        of: SymbolicId,
        /// How the configuration calls it; display only.
        address: Address,
        /// Which: an output's name in the catalog; for a raw `resource` a JSON pointer into its body.
        output: String,
    },
    /// `[…]`.
    List(Vec<Residual>),
    /// `{…}`.
    Map(IndexMap<String, Residual>),
    /// An operator on operands.
    Operation(Operator, Vec<Residual>),
    /// A function of the table.
    Call {
        /// Its name.
        function: String,
        /// Its arguments in order.
        arguments: Vec<Residual>,
    },
}

/// Operators of residual expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `!a`
    Not,
    /// `-a`
    Negate,
    /// `a || b`
    Or,
    /// `a && b`
    And,
    /// `a == b`
    Equal,
    /// `a != b`
    NotEqual,
    /// `a < b`
    Less,
    /// `a <= b`
    LessOrEqual,
    /// `a > b`
    Greater,
    /// `a >= b`
    GreaterOrEqual,
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`
    Divide,
    /// `a % b`
    Remainder,
    /// `a ? b : c`
    Conditional,
    /// `a[b]`, `a.b`
    Index,
    /// A template: its parts joined as text.
    Template,
}

impl Value {
    /// The text, if it is one that may be shown.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether any part of it is known only after apply.
    pub fn has_holes(&self) -> bool {
        match self {
            Value::Unknown { .. } => true,
            Value::List(items) => items.iter().any(Value::has_holes),
            Value::Map(entries) | Value::Choice { arguments: entries, .. } => entries.values().any(Value::has_holes),
            _ => false,
        }
    }

    /// Whether any part of it must not be shown.
    pub fn is_sensitive(&self) -> bool {
        match self {
            Value::Sensitive(_) => true,
            Value::Unknown { sensitive, .. } => *sensitive,
            Value::List(items) => items.iter().any(Value::is_sensitive),
            Value::Map(entries) | Value::Choice { arguments: entries, .. } => entries.values().any(Value::is_sensitive),
            _ => false,
        }
    }
}
