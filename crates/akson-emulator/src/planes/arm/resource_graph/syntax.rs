//! Tokens of a query to its stages. The language is Kusto's, as far as clients of the Resource Graph use it.

use serde_json::{Number, Value};

use super::lexer::{self, Token, What};

/// A query: a table and what is done to its rows, one after the other.
#[derive(Debug, PartialEq)]
pub(super) struct Query {
    pub(super) table: String,
    pub(super) stages: Vec<Stage>,
}

/// A column by its name.
pub(super) type Column = (String, Expression);

#[derive(Debug, PartialEq)]
pub(super) enum Stage {
    Where(Expression),
    Project(Vec<Column>),
    ProjectAway(Vec<String>),
    Extend(Vec<Column>),
    /// Whether each goes upwards.
    Sort(Vec<(Expression, bool)>),
    Take(usize),
    Count,
    Distinct(Vec<Column>),
    Summarize {
        of: Vec<Column>,
        by: Vec<Column>,
    },
    Expand(Column),
}

#[derive(Debug, PartialEq)]
pub(super) enum Expression {
    Literal(Value),
    Name(String),
    Member(Box<Expression>, String),
    Element(Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
    Compare(String, Box<Expression>, Box<Expression>),
    Among { what: Box<Expression>, list: Vec<Expression>, fold: bool, not: bool },
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Sum(Box<Expression>, char, Box<Expression>),
}

/// Where a query cannot be understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mistake {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) token: String,
}

pub(super) fn parse(query: &str) -> Result<Query, Mistake> {
    let tokens = lexer::tokens(query).map_err(|(line, column, character)| Mistake {
        line,
        column,
        token: character.to_string(),
    })?;
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    // Without a table the first stage is of `resources`.
    let table = match parser.peek() {
        What::Word(word) if !STAGES.contains(&word.to_ascii_lowercase().as_str()) => {
            let word = word.clone();
            parser.at += 1;
            word
        }
        _ => "resources".to_owned(),
    };
    let mut stages = Vec::new();
    if !matches!(parser.peek(), What::Sign("|" | ";") | What::End) {
        if table != "resources" || parser.at > 0 {
            return Err(parser.mistake());
        }
        stages.extend(parser.stage()?);
    }
    while parser.sign("|") {
        stages.extend(parser.stage()?);
    }
    parser.sign(";");
    if *parser.peek() == What::End { Ok(Query { table, stages }) } else { Err(parser.mistake()) }
}

const STAGES: [&str; 14] = [
    "where",
    "project",
    "project-away",
    "extend",
    "sort",
    "order",
    "take",
    "limit",
    "top",
    "count",
    "distinct",
    "summarize",
    "mv-expand",
    "mvexpand",
];

/// What compares, a word or a sign.
const COMPARISONS: [&str; 22] = [
    "==",
    "!=",
    "=~",
    "!~",
    "<",
    "<=",
    ">",
    ">=",
    "contains",
    "!contains",
    "contains_cs",
    "!contains_cs",
    "has",
    "!has",
    "startswith",
    "!startswith",
    "startswith_cs",
    "endswith",
    "!endswith",
    "endswith_cs",
    "matches",
    "hasprefix",
];

/// How deep expressions may be nested.
const DEPTH: usize = 64;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &What {
        self.tokens.get(self.at).map_or(&What::End, |token| &token.what)
    }

    fn mistake(&self) -> Mistake {
        let token = self.tokens.get(self.at).or(self.tokens.last());
        token.map_or(Mistake { line: 1, column: 0, token: String::new() }, |token| Mistake {
            line: token.line,
            column: token.column,
            token: token.what.shown(),
        })
    }

    /// Goes past a sign, if it is the next token.
    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), What::Sign(found) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, sign: &str) -> Result<(), Mistake> {
        if self.sign(sign) { Ok(()) } else { Err(self.mistake()) }
    }

    /// The next token, if it is this word of the language.
    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), What::Word(found) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn name(&mut self) -> Result<String, Mistake> {
        let What::Word(word) = self.peek() else { return Err(self.mistake()) };
        let word = word.clone();
        self.at += 1;
        Ok(word)
    }

    fn number(&mut self) -> Result<usize, Mistake> {
        let What::Number(number) = *self.peek() else { return Err(self.mistake()) };
        self.at += 1;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: whole and not negative")]
        if number.fract() == 0.0 && number >= 0.0 { Ok(number as usize) } else { Err(self.mistake()) }
    }

    /// One stage; `top` is two.
    fn stage(&mut self) -> Result<Vec<Stage>, Mistake> {
        let before = self.at;
        let word = self.name()?.to_ascii_lowercase();
        Ok(vec![match word.as_str() {
            "where" => Stage::Where(self.expression()?),
            "project" => Stage::Project(self.columns()?),
            "extend" => Stage::Extend(self.columns()?),
            "distinct" => Stage::Distinct(self.columns()?),
            "project-away" => {
                let mut names = vec![self.name()?];
                while self.sign(",") {
                    names.push(self.name()?);
                }
                Stage::ProjectAway(names)
            }
            "sort" | "order" => {
                if !self.word("by") {
                    return Err(self.mistake());
                }
                Stage::Sort(self.directions()?)
            }
            "take" | "limit" => Stage::Take(self.number()?),
            "top" => {
                let many = self.number()?;
                if !self.word("by") {
                    return Err(self.mistake());
                }
                return Ok(vec![Stage::Sort(self.directions()?), Stage::Take(many)]);
            }
            "count" => Stage::Count,
            "summarize" => {
                let of = if matches!(self.peek(), What::Word(word) if word.eq_ignore_ascii_case("by")) {
                    Vec::new()
                } else {
                    self.columns()?
                };
                let by = if self.word("by") { self.columns()? } else { Vec::new() };
                Stage::Summarize { of, by }
            }
            "mv-expand" | "mvexpand" => Stage::Expand(self.column()?),
            _ => {
                self.at = before;
                return Err(self.mistake());
            }
        }])
    }

    fn directions(&mut self) -> Result<Vec<(Expression, bool)>, Mistake> {
        let mut all = Vec::new();
        loop {
            let by = self.expression()?;
            let up = self.word("asc");
            if !up {
                self.word("desc");
            }
            if self.word("nulls") && !(self.word("first") || self.word("last")) {
                return Err(self.mistake());
            }
            all.push((by, up));
            if !self.sign(",") {
                return Ok(all);
            }
        }
    }

    fn columns(&mut self) -> Result<Vec<Column>, Mistake> {
        let mut all = vec![self.column()?];
        while self.sign(",") {
            all.push(self.column()?);
        }
        Ok(all)
    }

    /// `name = expression`, or an expression that gives the name.
    fn column(&mut self) -> Result<Column, Mistake> {
        let named = matches!(self.peek(), What::Word(_))
            && matches!(self.tokens.get(self.at + 1), Some(Token { what: What::Sign("="), .. }));
        if named {
            let name = self.name()?;
            self.need("=")?;
            return Ok((name, self.expression()?));
        }
        let expression = self.expression()?;
        Ok((usual_name(&expression), expression))
    }

    fn expression(&mut self) -> Result<Expression, Mistake> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.mistake());
        }
        let mut left = self.conjunction()?;
        while self.word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Expression, Mistake> {
        let mut left = self.comparison()?;
        while self.word("and") {
            left = Expression::And(Box::new(left), Box::new(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expression, Mistake> {
        let left = self.sum()?;
        let sign = match self.peek() {
            What::Word(word) => word.to_ascii_lowercase(),
            What::Sign(sign) => (*sign).to_owned(),
            _ => return Ok(left),
        };
        if let Some(plain) = sign.strip_prefix('!').or(Some(sign.as_str())).filter(|word| matches!(*word, "in" | "in~"))
        {
            let (fold, not) = (plain.ends_with('~'), sign.starts_with('!'));
            self.at += 1;
            self.need("(")?;
            let list = self.arguments()?;
            return Ok(Expression::Among { what: Box::new(left), list, fold, not });
        }
        if !COMPARISONS.contains(&sign.as_str()) {
            return Ok(left);
        }
        self.at += 1;
        if sign == "matches" && !self.word("regex") {
            return Err(self.mistake());
        }
        Ok(Expression::Compare(sign, Box::new(left), Box::new(self.sum()?)))
    }

    fn sum(&mut self) -> Result<Expression, Mistake> {
        let mut left = self.postfix()?;
        loop {
            let sign = match self.peek() {
                What::Sign("+") => '+',
                What::Sign("-") => '-',
                What::Sign("*") => '*',
                What::Sign("/") => '/',
                _ => return Ok(left),
            };
            self.at += 1;
            left = Expression::Sum(Box::new(left), sign, Box::new(self.postfix()?));
        }
    }

    fn postfix(&mut self) -> Result<Expression, Mistake> {
        let mut of = self.primary()?;
        loop {
            if self.sign(".") {
                of = Expression::Member(Box::new(of), self.name()?);
            } else if self.sign("[") {
                let element = self.expression()?;
                self.need("]")?;
                of = Expression::Element(Box::new(of), Box::new(element));
            } else {
                return Ok(of);
            }
        }
    }

    fn primary(&mut self) -> Result<Expression, Mistake> {
        let token = self.peek().clone();
        match token {
            What::Text(text) => {
                self.at += 1;
                Ok(Expression::Literal(text.into()))
            }
            What::Number(number) => {
                self.at += 1;
                Ok(Expression::Literal(number_of(number)))
            }
            What::Sign("-") => {
                self.at += 1;
                let What::Number(number) = *self.peek() else { return Err(self.mistake()) };
                self.at += 1;
                Ok(Expression::Literal(number_of(-number)))
            }
            What::Sign("(") => {
                self.at += 1;
                let inner = self.expression()?;
                self.need(")")?;
                Ok(inner)
            }
            What::Word(word) => {
                self.at += 1;
                if self.sign("(") {
                    return Ok(Expression::Call(word.to_ascii_lowercase(), self.arguments()?));
                }
                Ok(match word.to_ascii_lowercase().as_str() {
                    "true" => Expression::Literal(true.into()),
                    "false" => Expression::Literal(false.into()),
                    "null" => Expression::Literal(Value::Null),
                    _ => Expression::Name(word),
                })
            }
            What::Sign(_) | What::End => Err(self.mistake()),
        }
    }

    /// Up to and with the bracket that closes.
    fn arguments(&mut self) -> Result<Vec<Expression>, Mistake> {
        let mut all = Vec::new();
        if self.sign(")") {
            return Ok(all);
        }
        loop {
            all.push(self.expression()?);
            if self.sign(")") {
                return Ok(all);
            }
            self.need(",")?;
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "checked: whole and small")]
fn number_of(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Value::Number(Number::from(number as i64))
    } else {
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}

/// The name that a column has if it is given none.
fn usual_name(expression: &Expression) -> String {
    match expression {
        Expression::Name(name) => name.clone(),
        Expression::Member(of, name) => format!("{}_{name}", usual_name(of)),
        Expression::Element(of, at) => match at.as_ref() {
            Expression::Literal(Value::String(name)) => format!("{}_{name}", usual_name(of)),
            Expression::Literal(at) => format!("{}_{at}", usual_name(of)),
            _ => usual_name(of),
        },
        Expression::Call(name, arguments) => match arguments.first() {
            Some(argument) if AGGREGATES.contains(&name.as_str()) => format!("{name}_{}", usual_name(argument)),
            None => format!("{name}_"),
            Some(argument) => usual_name(argument),
        },
        _ => "Column1".to_owned(),
    }
}

/// What makes one value of many.
pub(super) const AGGREGATES: [&str; 12] =
    ["count", "countif", "dcount", "sum", "min", "max", "avg", "make_list", "make_set", "any", "take_any", "arg_max"];

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "a test stops at the first surprise")]

    use super::*;

    fn mistake(query: &str) -> Option<(usize, usize, String)> {
        parse(query).err().map(|mistake| (mistake.line, mistake.column, mistake.token))
    }

    #[test]
    fn queries() {
        for good in [
            "Resources",
            "resources | where type =~ 'a/b' and (name has 'x' or tags['env'] != \"y\") | project id, p = properties.a.b[0]",
            "where type == 'a' | count",
            "Resources | summarize n = count(), sum(properties.count) by type, location | top 5 by n desc",
            "Resources | order by name asc, id | take 3;",
            "Resources | mv-expand pool = properties.agentPoolProfiles | project-away tags, sku",
            "ResourceContainers | where isnotempty(tags) and name !in~ ('a', 'b')",
        ] {
            assert_eq!(mistake(good), None, "{good}");
        }
        assert_eq!(mistake("Resources where name"), Some((1, 10, "where".to_owned())));
        assert_eq!(mistake("Resources | wher name"), Some((1, 12, "wher".to_owned())));
        assert_eq!(mistake("Resources\n| take x"), Some((2, 7, "x".to_owned())));
        assert_eq!(mistake("Resources | where name == ?"), Some((1, 26, "?".to_owned())));
        assert!(mistake(&format!("Resources | where {}1", "(".repeat(500))).is_some());
    }

    #[test]
    fn names_of_columns() {
        let query = parse("Resources | project properties.a.b, tags['x'], tolower(name), count()");
        let Ok(Query { stages, .. }) = query else { panic!("{query:?}") };
        let Some(Stage::Project(columns)) = stages.first() else { panic!("{stages:?}") };
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["properties_a_b", "tags_x", "name", "count_"]);
    }
}
