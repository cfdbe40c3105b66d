//! What can go wrong in a pure computation over values, at check and at apply alike. Not where: the caller has the spans.

use std::fmt;

use akson_diagnostics::Code;

use crate::codes;

/// Why an operator, an index or a function has no result. Its text may show values: whoever computes with sensitive ones
/// must not print it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Operands of these types do not go together; the second text says what to do.
    Operand(String, Option<String>),
    /// Overflow, division by zero.
    Arithmetic(String),
    /// No such element or key; the second text says what to do.
    Index(String, Option<String>),
    /// This argument (from 0) is not what the function takes.
    Argument(usize, String),
    /// The function has no result for these values.
    Failed(String),
    /// The result would be too large.
    TooLarge(&'static str),
}

impl Fault {
    pub(crate) fn code(&self) -> Code {
        match self {
            Fault::Operand(..) => codes::OPERAND,
            Fault::Arithmetic(_) => codes::ARITHMETIC,
            Fault::Index(..) => codes::INDEX,
            Fault::Argument(..) => codes::FUNCTION_ARGUMENTS,
            Fault::Failed(_) => codes::FUNCTION_FAILED,
            Fault::TooLarge(_) => codes::LIMIT,
        }
    }

    /// What to do about it, where more can be said than the text says.
    pub(crate) fn help(&self) -> Option<&str> {
        match self {
            Fault::Operand(_, Some(help)) | Fault::Index(_, Some(help)) => Some(help),
            Fault::Operand(_, None) => {
                Some("give values of the types that are wanted; `tonumber`, `tostring` and `tobool` convert")
            }
            Fault::Index(_, None) => Some("a list is read by `list[0]`, a map by `map[\"key\"]` or `map.key`"),
            Fault::Arithmetic(text) if text == "division by zero" => {
                Some("guard it with a condition: `x == 0 ? 0 : y / x`")
            }
            Fault::TooLarge(_) => Some("make the value smaller"),
            Fault::Arithmetic(_) => Some(
                "whole numbers have 64 bits, others are doubles; write it as text in quotes if it is no number to compute with",
            ),
            Fault::Argument(..) | Fault::Failed(_) => None,
        }
    }

    /// The text if operands or arguments are sensitive: it shows nothing of them.
    pub(crate) fn discreet(&self) -> &'static str {
        match self {
            Fault::Operand(..) => "the operands do not go together",
            Fault::Arithmetic(_) => "this calculation has no result",
            Fault::Index(..) => "there is no such element",
            Fault::Argument(..) => "an argument is not what the function takes",
            Fault::Failed(_) => "the function has no result for a sensitive value",
            Fault::TooLarge(text) => text,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Operand(text, _)
            | Fault::Arithmetic(text)
            | Fault::Index(text, _)
            | Fault::Argument(_, text)
            | Fault::Failed(text) => f.write_str(text),
            Fault::TooLarge(text) => f.write_str(text),
        }
    }
}
