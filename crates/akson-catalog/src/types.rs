//! Types of attributes, variables, functions and outputs. Not the checking of a value against one: that is the configuration's.

use std::fmt;

/// A type. Ids are nominal: one given for another is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Anything (raw bodies, `any` variables).
    Any,
    /// `bool`
    Bool,
    /// A whole number.
    Int,
    /// Any number.
    Number,
    /// `string`
    String,
    /// Text with a name of its own and a rule: `location`, `cidr`, `duration`, `uuid`, `arm_id`, `principal_id`, `client_id`, `object_id`, `tenant_id`, `url`.
    /// A string literal is accepted where it satisfies the rule; another nominal type is not.
    Named(String),
    /// One of these words; a bare word or a string.
    Enum(Vec<String>),
    /// `enabled` or `disabled`.
    Switch,
    /// In order.
    List(Box<Type>),
    /// Without order, each once.
    Set(Box<Type>),
    /// Text keys.
    Map(Box<Type>),
    /// Fixed keys; the flag says whether one may be left out.
    Object(Vec<(String, Type, bool)>),
    /// Another resource of one of these kinds; `*` stands for every kind. An ARM id as text stands for one that is not declared:
    /// `Catalog::check_reference` says whether it is of the right type.
    Resource(Vec<String>),
    /// A constructor of the attribute that has it: see `Attribute::variants`.
    Choice,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("any"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::Named(name) => f.write_str(name),
            Type::Enum(words) => {
                f.write_str("enum(")?;
                for (at, word) in words.iter().enumerate() {
                    write!(f, "{}\"{word}\"", if at == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Type::Switch => f.write_str("switch"),
            Type::List(item) => write!(f, "list({item})"),
            Type::Set(item) => write!(f, "set({item})"),
            Type::Map(item) => write!(f, "map({item})"),
            Type::Object(fields) => {
                f.write_str("object({ ")?;
                for (at, (name, of, optional)) in fields.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    if *optional {
                        write!(f, "{comma}{name} = optional({of})")?;
                    } else {
                        write!(f, "{comma}{name} = {of}")?;
                    }
                }
                f.write_str(" })")
            }
            Type::Resource(kinds) if kinds.iter().any(|kind| kind == "*") => f.write_str("resource"),
            Type::Resource(kinds) => f.write_str(&kinds.join(" or ")),
            Type::Choice => f.write_str("choice"),
        }
    }
}
