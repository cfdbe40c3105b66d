//! `$filter`: the part of `OData` that the directory understands, read and evaluated.

use serde_json::Value;

use super::errors::{self, GraphError};

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare {
        property: String,
        equal: bool,
        value: Value,
    },
    In {
        property: String,
        values: Vec<Value>,
    },
    Starts {
        property: String,
        start: String,
    },
    Ends {
        property: String,
        end: String,
    },
    /// One of a list fulfils the condition on `property` [`ITEM`].
    Any {
        property: String,
        inner: Box<Filter>,
    },
    /// The list has any element.
    NotEmpty {
        property: String,
    },
}

/// The property that stands for the element of a list itself.
const ITEM: &str = "$it";

/// No more values than that in an `in`, nor conditions joined by `or`.
const MOST: usize = 15;

/// Deeper conditions are refused, so that reading them needs little stack.
const DEEPEST: usize = 20;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
    Colon,
}

impl Filter {
    /// Reads a condition. `advanced` is whether the request asks for eventual consistency, which some
    /// operators need.
    pub(super) fn parse(text: &str, advanced: bool) -> Result<Self, GraphError> {
        let mut reader = Reader { tokens: tokens(text)?, at: 0, text, variable: None, depth: 0 };
        let filter = reader.or()?;
        if reader.at < reader.tokens.len() {
            return Err(reader.invalid());
        }
        if filter.alternatives() > MOST {
            return Err(errors::unsupported(format!(
                "Too many child clauses specified in search filter expression containing 'OR' operators: {}. Max allowed: {MOST}.",
                filter.alternatives()
            )));
        }
        match filter.needs_advanced() {
            Some(operator) if !advanced => Err(errors::unsupported(format!(
                "Operator '{operator}' is not supported because the 'ConsistencyLevel:eventual' header is missing. Refer to https://aka.ms/graph-docs/advanced-queries for more information"
            ))),
            _ => Ok(filter),
        }
    }

    /// Whether something with these properties fulfils the condition. Text is compared as the
    /// directory does, without regard to case.
    pub(super) fn holds<'v>(&self, property: &dyn Fn(&str) -> Option<&'v Value>) -> bool {
        match self {
            Self::And(left, right) => left.holds(property) && right.holds(property),
            Self::Or(left, right) => left.holds(property) || right.holds(property),
            Self::Not(inner) => !inner.holds(property),
            Self::Compare { property: name, equal, value } => same(property(name), value) == *equal,
            Self::In { property: name, values } => values.iter().any(|value| same(property(name), value)),
            Self::Starts { property: name, start } => {
                text_of(property(name)).is_some_and(|text| text.to_lowercase().starts_with(&start.to_lowercase()))
            }
            Self::Ends { property: name, end } => {
                text_of(property(name)).is_some_and(|text| text.to_lowercase().ends_with(&end.to_lowercase()))
            }
            Self::Any { property: name, inner } => property(name).and_then(Value::as_array).is_some_and(|items| {
                items
                    .iter()
                    .any(|item| inner.holds(&|name: &str| if name == ITEM { Some(item) } else { item.get(name) }))
            }),
            Self::NotEmpty { property: name } => {
                property(name).and_then(Value::as_array).is_some_and(|items| !items.is_empty())
            }
        }
    }

    /// The names of all properties that are asked for.
    pub(super) fn properties(&self) -> Vec<&str> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => [left.properties(), right.properties()].concat(),
            Self::Not(inner) => inner.properties(),
            Self::Compare { property, .. }
            | Self::In { property, .. }
            | Self::Starts { property, .. }
            | Self::Ends { property, .. }
            | Self::Any { property, .. }
            | Self::NotEmpty { property } => vec![property],
        }
    }

    fn alternatives(&self) -> usize {
        match self {
            Self::Or(left, right) => left.alternatives() + right.alternatives(),
            Self::In { values, .. } => values.len(),
            _ => 1,
        }
    }

    fn needs_advanced(&self) -> Option<&'static str> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => left.needs_advanced().or(right.needs_advanced()),
            Self::Not(_) => Some("not"),
            Self::Compare { equal: false, .. } => Some("ne"),
            Self::Ends { .. } => Some("endsWith"),
            Self::Any { inner, .. } => inner.needs_advanced(),
            _ => None,
        }
    }
}

fn text_of(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str)
}

fn same(found: Option<&Value>, wanted: &Value) -> bool {
    match (found.unwrap_or(&Value::Null), wanted) {
        (Value::String(found), Value::String(wanted)) => found.to_lowercase() == wanted.to_lowercase(),
        (found, wanted) => found == wanted,
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, GraphError> {
    let mut found = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((at, next)) = rest.next() {
        match next {
            ' ' | '\t' => {}
            '(' => found.push(Token::Open),
            ')' => found.push(Token::Close),
            ',' => found.push(Token::Comma),
            ':' => found.push(Token::Colon),
            '\'' => {
                let mut value = String::new();
                loop {
                    match rest.next() {
                        Some((_, '\'')) if rest.next_if(|(_, next)| *next == '\'').is_some() => value.push('\''),
                        Some((_, '\'')) => break,
                        Some((_, other)) => value.push(other),
                        None => {
                            return Err(errors::malformed(format!(
                                "There is an unterminated string literal at position {} in '{text}'.",
                                text.chars().count()
                            )));
                        }
                    }
                }
                found.push(Token::Text(value));
            }
            other if other.is_alphanumeric() || "$_@-./".contains(other) => {
                let mut word = String::from(other);
                while let Some((_, next)) = rest.next_if(|(_, next)| next.is_alphanumeric() || "$_@-./".contains(*next))
                {
                    word.push(next);
                }
                found.push(Token::Word(word));
            }
            _ => {
                return Err(errors::malformed(format!(
                    "Syntax error: character '{next}' is not valid at position {at} in '{text}'."
                )));
            }
        }
    }
    Ok(found)
}

struct Reader<'a> {
    tokens: Vec<Token>,
    at: usize,
    text: &'a str,
    /// The name of the element inside of `any`.
    variable: Option<String>,
    depth: usize,
}

impl Reader<'_> {
    fn invalid(&self) -> GraphError {
        GraphError::new(
            http::StatusCode::BAD_REQUEST,
            "BadRequest",
            format!(
                "Invalid filter clause: Syntax error at position {} in '{}'.",
                self.text.chars().count(),
                self.text
            ),
        )
    }

    fn next(&mut self) -> Result<Token, GraphError> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(|| self.invalid())?;
        self.at += 1;
        Ok(token)
    }

    fn is_next_word(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word))
    }

    fn expect(&mut self, token: &Token) -> Result<(), GraphError> {
        if self.next()? == *token { Ok(()) } else { Err(self.invalid()) }
    }

    fn or(&mut self) -> Result<Filter, GraphError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(errors::unsupported("The filter is nested too deeply."));
        }
        let mut left = self.and()?;
        while self.is_next_word("or") {
            self.at += 1;
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, GraphError> {
        let mut left = self.term()?;
        while self.is_next_word("and") {
            self.at += 1;
            left = Filter::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Filter, GraphError> {
        match self.next()? {
            Token::Open => {
                let inner = self.or()?;
                self.expect(&Token::Close)?;
                Ok(inner)
            }
            Token::Word(word) if word.eq_ignore_ascii_case("not") => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(errors::unsupported("The filter is nested too deeply."));
                }
                let inner = self.term()?;
                self.depth -= 1;
                Ok(Filter::Not(Box::new(inner)))
            }
            Token::Word(word) if word.eq_ignore_ascii_case("startswith") => {
                let (property, start) = self.arguments()?;
                Ok(Filter::Starts { property, start })
            }
            Token::Word(word) if word.eq_ignore_ascii_case("endswith") => {
                let (property, end) = self.arguments()?;
                Ok(Filter::Ends { property, end })
            }
            Token::Word(word) => match word.strip_suffix("/any") {
                Some(property) => self.any(property.to_owned()),
                None => self.comparison(&word),
            },
            _ => Err(self.invalid()),
        }
    }

    /// The element's own name stands for itself.
    fn property(&self, word: &str) -> String {
        match &self.variable {
            Some(variable) if variable == word => ITEM.to_owned(),
            Some(variable) => word.strip_prefix(&format!("{variable}/")).unwrap_or(word).to_owned(),
            None => word.to_owned(),
        }
    }

    fn arguments(&mut self) -> Result<(String, String), GraphError> {
        self.expect(&Token::Open)?;
        let Token::Word(word) = self.next()? else { return Err(self.invalid()) };
        self.expect(&Token::Comma)?;
        let Token::Text(text) = self.next()? else { return Err(self.invalid()) };
        self.expect(&Token::Close)?;
        Ok((self.property(&word), text))
    }

    fn any(&mut self, property: String) -> Result<Filter, GraphError> {
        self.expect(&Token::Open)?;
        if self.tokens.get(self.at) == Some(&Token::Close) {
            self.at += 1;
            return Ok(Filter::NotEmpty { property });
        }
        let Token::Word(variable) = self.next()? else { return Err(self.invalid()) };
        self.expect(&Token::Colon)?;
        let outer = self.variable.replace(variable);
        let inner = self.or()?;
        self.variable = outer;
        self.expect(&Token::Close)?;
        Ok(Filter::Any { property, inner: Box::new(inner) })
    }

    fn comparison(&mut self, word: &str) -> Result<Filter, GraphError> {
        let property = self.property(word);
        let Token::Word(operator) = self.next()? else { return Err(self.invalid()) };
        match operator.to_ascii_lowercase().as_str() {
            "eq" => Ok(Filter::Compare { property, equal: true, value: self.literal()? }),
            "ne" => Ok(Filter::Compare { property, equal: false, value: self.literal()? }),
            "in" => {
                self.expect(&Token::Open)?;
                let mut values = vec![self.literal()?];
                loop {
                    match self.next()? {
                        Token::Comma => values.push(self.literal()?),
                        Token::Close => return Ok(Filter::In { property, values }),
                        _ => return Err(self.invalid()),
                    }
                }
            }
            "ge" | "gt" | "le" | "lt" => Err(errors::unsupported(format!(
                "Unsupported or invalid query filter clause specified for property '{property}' of resource."
            ))),
            _ => Err(self.invalid()),
        }
    }

    fn literal(&mut self) -> Result<Value, GraphError> {
        match self.next()? {
            Token::Text(text) => Ok(text.into()),
            Token::Word(word) => match word.as_str() {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                "null" => Ok(Value::Null),
                // GUIDs and numbers come without quotes.
                other if other.len() == 36 => Ok(other.into()),
                other => other.parse::<i64>().map(Into::into).map_err(|_| self.invalid()),
            },
            _ => Err(self.invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use serde_json::json;

    use super::*;

    #[test]
    fn conditions() {
        let object = json!({
            "displayName": "It's me", "mail": null, "enabled": true, "id": "0f7f1d8e-0000-4000-8000-000000000001",
            "names": ["a", "B"], "list": [{ "key": "x" }], "empty": [],
        });
        let check = |text: &str, expected: bool| {
            let filter = Filter::parse(text, true).unwrap();
            assert_eq!(filter.holds(&|name: &str| object.get(name)), expected, "{text}");
        };
        check("displayName eq 'it''s ME'", true);
        check("displayName eq 'x' or mail eq null", true);
        check("displayName eq 'x' or mail eq null and enabled eq false", false);
        check("(displayName eq 'x' or mail eq null) and enabled eq true", true);
        check("not(displayName eq 'x')", true);
        check("displayName ne 'x'", true);
        check("startswith(displayName,'it')", true);
        check("endsWith(displayName, 'it')", false);
        check("id in ('1', '0F7F1D8E-0000-4000-8000-000000000001')", true);
        check("id eq 0f7f1d8e-0000-4000-8000-000000000001", true);
        check("names/any(x:x eq 'b')", true);
        check("names/any(c:startswith(c,'c'))", false);
        check("list/any(o:o/key eq 'x')", true);
        check("empty/any()", false);
        check("names/any()", true);
        check("absent eq null", true);
    }

    #[test]
    fn refusals() {
        let check = |text: &str| assert!(Filter::parse(text, false).is_err(), "{text}");
        for text in [
            "",
            "displayName",
            "displayName eq",
            "displayName eq 'x",
            "displayName eq 'x' and",
            "(displayName eq 'x'",
            "displayName eq 'x' 'y'",
            "id in ()",
            "createdDateTime ge 2020-01-01T00:00:00Z",
            "displayName ne 'x'",
            "a = 'b'",
            "names/any(x:",
            "names/any(x eq 'a')",
        ] {
            check(text);
        }
        check(&format!("{}a eq 'b'{}", "(".repeat(5000), ")".repeat(5000)));
        check(&format!("{}a eq 'b'", "not ".repeat(5000)));
        let many: Vec<String> = (0..16).map(|at| format!("'{at}'")).collect();
        check(&format!("id in ({})", many.join(",")));
        assert!(Filter::parse(&format!("id in ({})", many[1..].join(",")), false).is_ok());
    }
}
