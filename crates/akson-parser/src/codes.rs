//! The codes of syntax errors. Their pages stand with the other pages of codes; the wording is where each is given.

use akson_diagnostics::Code;

/// The file is not UTF-8 text.
pub const NOT_TEXT: Code = Code(101);
/// The file is larger than the limit.
pub const TOO_LARGE: Code = Code(102);
/// A control, invisible or direction-changing character stands in the text.
pub const HIDDEN_CHARACTER: Code = Code(103);
/// Brackets, blocks or templates are nested too deeply.
pub const TOO_DEEP: Code = Code(104);
/// An expression has too many operators or steps in one.
pub const TOO_COMPLEX: Code = Code(105);
/// A bracket is never closed.
pub const UNCLOSED_BRACKET: Code = Code(106);
/// A bracket closes nothing.
pub const UNOPENED_BRACKET: Code = Code(107);
/// A string is not closed on its line.
pub const UNCLOSED_STRING: Code = Code(108);
/// A comment is never closed.
pub const UNCLOSED_COMMENT: Code = Code(109);
/// A heredoc has no last line, or its first line is wrong.
pub const BAD_HEREDOC: Code = Code(110);
/// `${` or `%{` is not closed.
pub const UNCLOSED_TEMPLATE: Code = Code(111);
/// A value was expected.
pub const VALUE_EXPECTED: Code = Code(112);
/// Something stands where the value should have ended or gone on with an operator.
pub const UNEXPECTED: Code = Code(113);
/// A line that is neither an attribute nor a block.
pub const NOT_AN_ITEM: Code = Code(114);
/// Two attributes or blocks on one line.
pub const LINE_BREAK_EXPECTED: Code = Code(115);
/// A block on one line that holds more than one attribute, or whose braces stand wrong.
pub const BLOCK_LAYOUT: Code = Code(116);
/// `:` or `==` where `=` sets a value.
pub const EQUALS_EXPECTED: Code = Code(117);
/// A label without quotes, or an attribute name with quotes.
pub const QUOTES: Code = Code(118);
/// A name that is not made of ASCII letters, digits, `_` and `-`.
pub const BAD_NAME: Code = Code(119);
/// An escape in a string that does not exist.
pub const BAD_ESCAPE: Code = Code(120);
/// A template directive that is malformed or has no partner.
pub const BAD_DIRECTIVE: Code = Code(121);
/// A string in single quotes or backticks.
pub const SINGLE_QUOTES: Code = Code(122);
/// A separator is missing, or there is one too many.
pub const SEPARATOR: Code = Code(123);
/// An attribute outside any block.
pub const OUTSIDE_BLOCK: Code = Code(124);
/// A malformed number.
pub const BAD_NUMBER: Code = Code(125);
/// A label that is computed, on a block whose label must be fixed.
pub const COMPUTED_LABEL: Code = Code(126);
/// A splat or a number after a dot.
pub const SPLAT: Code = Code(127);
/// A malformed `for` expression.
pub const BAD_FOR: Code = Code(128);
/// More errors than are listed.
pub const TOO_MANY_ERRORS: Code = Code(129);
