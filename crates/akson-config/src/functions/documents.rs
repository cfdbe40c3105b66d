//! Functions that read documents into values: YAML, CSV, URL encoding. JSON is in `encoding`.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{
    Function, Shape,
    arguments::{bounded, text},
    encoding::from_json,
    parameter,
};
use crate::{
    fault::Fault,
    sink::limits,
    val::{Entries, Val},
};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure(
        "yamldecode",
        &[parameter("text", Shape::Text)],
        Shape::Any,
        "The value that a YAML document is of.",
        ("yamldecode(\"a: [1, true]\")", "{ a = [1, true] }"),
        |a| {
            let json: Json = serde_saphyr::from_str(text(a, 0)?).map_err(|error| {
                let reason = error.to_string();
                let first = reason.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                Fault::Argument(0, format!("this is no YAML: {first}"))
            })?;
            from_json(&json)
        },
    ),
    Function::pure(
        "csvdecode",
        &[parameter("text", Shape::Text)],
        Shape::List,
        "The lines of comma-separated values as a list of maps, with the first line as keys.",
        ("csvdecode(\"name,size\\na,1\\n\")", "[{ name = \"a\", size = \"1\" }]"),
        csv,
    ),
    Function::pure(
        "urldecode",
        &[parameter("text", Shape::Text)],
        Shape::Text,
        "The text that stands in a URL as the given one.",
        ("urldecode(\"a%20b%2Fc\")", "\"a b/c\""),
        |a| {
            let mut bytes = Vec::new();
            let mut rest = text(a, 0)?.bytes();
            while let Some(byte) = rest.next() {
                let decoded = match byte {
                    b'+' => b' ',
                    b'%' => {
                        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                        let (Some(high), Some(low)) = (digit(), digit()) else {
                            return Err(Fault::Argument(0, "a `%` is followed by two hex digits".to_owned()));
                        };
                        u8::try_from(high * 16 + low).unwrap_or_default()
                    }
                    byte => byte,
                };
                bytes.push(decoded);
            }
            String::from_utf8(bytes)
                .map(Val::text)
                .map_err(|_| Fault::Argument(0, "these bytes are no UTF-8 text".to_owned()))
        },
    ),
];

fn csv(a: &[Val]) -> Result<Val, Fault> {
    let mut lines = records(text(a, 0)?)?.into_iter();
    let Some(header) = lines.next() else {
        return Err(Fault::Argument(0, "there is no first line with names".to_owned()));
    };
    let keys: Vec<Arc<str>> = header.into_iter().map(Arc::from).collect();
    let mut rows = Vec::new();
    for (at, line) in lines.enumerate() {
        if line.len() != keys.len() {
            return Err(Fault::Argument(
                0,
                format!("record {} has {} values, and there are {} names", at + 2, line.len(), keys.len()),
            ));
        }
        let entries: Entries = keys.iter().cloned().zip(line.into_iter().map(Val::text)).collect();
        if entries.len() != keys.len() {
            return Err(Fault::Argument(0, "two names in the first line are the same".to_owned()));
        }
        rows.push(Val::map(entries));
    }
    bounded(rows.into_iter())
}

/// Records as RFC 4180 has them: a value in quotes may hold commas, line ends and doubled quotes.
fn records(text: &str) -> Result<Vec<Vec<String>>, Fault> {
    let unclosed = || Fault::Argument(0, "a quote is not closed".to_owned());
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut characters = text.chars().peekable();
    while characters.peek().is_some() {
        let mut value = String::new();
        if characters.next_if_eq(&'"').is_some() {
            loop {
                match characters.next().ok_or_else(unclosed)? {
                    '"' if characters.next_if_eq(&'"').is_some() => value.push('"'),
                    '"' => break,
                    other => value.push(other),
                }
            }
            if characters.peek().is_some_and(|next| !matches!(next, ',' | '\n' | '\r')) {
                return Err(Fault::Argument(0, "text follows the end of a quote".to_owned()));
            }
        } else {
            while let Some(next) = characters.next_if(|next| !matches!(next, ',' | '\n' | '\r')) {
                value.push(next);
            }
        }
        record.push(value);
        match characters.next() {
            Some(',') if characters.peek().is_none() => record.push(String::new()),
            Some(',') => continue,
            Some('\r') => {
                characters.next_if_eq(&'\n');
            }
            _ => {}
        }
        records.push(std::mem::take(&mut record));
        if records.len() > limits::ELEMENTS {
            return Err(Fault::TooLarge("the result has too many elements: the limit is 100,000"));
        }
    }
    // A line of nothing is no record.
    records.retain(|record| record.len() > 1 || record.first().is_some_and(|value| !value.is_empty()));
    Ok(records)
}
