//! Text of a query to tokens, each with its place.

/// A token and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) what: What,
    pub(super) line: usize,
    pub(super) column: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// A name, or a word of the language; `!in` and its like are one word.
    Word(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
    End,
}

impl What {
    /// The token as it was written, for messages.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::Text(text) => format!("'{text}'"),
            Self::Number(number) => number.to_string(),
            Self::Sign(sign) => (*sign).to_owned(),
            Self::End => "<EOF>".to_owned(),
        }
    }
}

/// Signs, the longer before those that they begin with.
const SIGNS: [&str; 19] =
    ["==", "!=", "=~", "!~", "<=", ">=", "..", "|", ",", "(", ")", "[", "]", ".", "<", ">", "=", "+", "-"];
const MORE_SIGNS: [&str; 4] = ["*", "/", "%", ";"];

/// Where a character is that nothing begins with.
pub(super) type Nothing = (usize, usize, char);

pub(super) fn tokens(query: &str) -> Result<Vec<Token>, Nothing> {
    let characters: Vec<char> = query.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line, mut begin) = (0, 1, 0);
    while let Some(&first) = characters.get(at) {
        let column = at - begin;
        let mut push = |what| tokens.push(Token { what, line, column });
        if first == '\n' {
            line += 1;
            at += 1;
            begin = at;
        } else if first.is_whitespace() {
            at += 1;
        } else if first == '/' && characters.get(at + 1) == Some(&'/') {
            while characters.get(at).is_some_and(|character| *character != '\n') {
                at += 1;
            }
        } else if first == '\'' || first == '"' {
            let (text, next) = text(&characters, at).ok_or((line, column, first))?;
            push(What::Text(text));
            at = next;
        } else if first.is_ascii_digit() {
            let end = end_of(&characters, at, |character| character.is_ascii_digit() || character == '.');
            let number: String = characters[at..end].iter().collect();
            push(What::Number(number.parse().map_err(|_| (line, column, first))?));
            at = end;
        } else if is_name(first) || (first == '!' && characters.get(at + 1).copied().is_some_and(char::is_alphabetic)) {
            let mut end = end_of(&characters, at + 1, |character| is_name(character) || character.is_ascii_digit());
            let word: String = characters[at..end].iter().collect();
            // `project-away`, and the words that do not regard case.
            let joined = [("project", "-away"), ("project", "-rename"), ("mv", "-expand")].iter().find(|(of, rest)| {
                word.eq_ignore_ascii_case(of) && characters[end..].iter().take(rest.len()).collect::<String>() == **rest
            });
            let folded = matches!(word.as_str(), "in" | "!in") && characters.get(end) == Some(&'~');
            end += joined.map_or(usize::from(folded), |(_, rest)| rest.len());
            push(What::Word(characters[at..end].iter().collect()));
            at = end;
        } else {
            let rest: String = characters[at..].iter().take(2).collect();
            let sign = SIGNS.iter().chain(&MORE_SIGNS).find(|sign| rest.starts_with(**sign));
            let sign = *sign.ok_or((line, column, first))?;
            push(What::Sign(sign));
            at += sign.len();
        }
    }
    let column = at - begin;
    tokens.push(Token { what: What::End, line, column });
    Ok(tokens)
}

fn is_name(character: char) -> bool {
    character.is_alphabetic() || character == '_' || character == '$'
}

fn end_of(characters: &[char], from: usize, goes_on: impl Fn(char) -> bool) -> usize {
    from + characters[from..].iter().take_while(|character| goes_on(**character)).count()
}

/// A quoted text and where it ends; a backslash takes what follows as it is.
fn text(characters: &[char], from: usize) -> Option<(String, usize)> {
    let quote = *characters.get(from)?;
    let (mut text, mut at) = (String::new(), from + 1);
    loop {
        match *characters.get(at)? {
            '\\' => {
                text.push(*characters.get(at + 1)?);
                at += 2;
            }
            character if character == quote => return Some((text, at + 1)),
            character => {
                text.push(character);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_places() {
        let found = tokens("Resources\n| where name !in~ ('a\\'b', 2) // so\n| project-away tags").unwrap_or_default();
        let shown: Vec<String> = found.iter().map(|token| token.what.shown()).collect();
        assert_eq!(
            shown,
            [
                "Resources",
                "|",
                "where",
                "name",
                "!in~",
                "(",
                "'a'b'",
                ",",
                "2",
                ")",
                "|",
                "project-away",
                "tags",
                "<EOF>"
            ]
        );
        assert_eq!((found[1].line, found[1].column), (2, 0));
        assert_eq!(tokens("a ? b"), Err((1, 2, '?')));
        assert!(tokens("'open").is_err());
    }
}
