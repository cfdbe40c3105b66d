//! Functions over text. Searching in it: `text_search`.

use super::{
    Function, Shape,
    arguments::{Growing, bounded, count, int, list, text, texts},
    parameter,
};
use crate::{fault::Fault, operators::shown, val::Val};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure("upper", &[parameter("text", Shape::Text)], Shape::Text, "The text in upper case.", ("upper(\"dev\")", "\"DEV\""), |a| {
        Ok(Val::text(text(a, 0)?.to_uppercase()))
    }),
    Function::pure("lower", &[parameter("text", Shape::Text)], Shape::Text, "The text in lower case.", ("lower(\"West Europe\")", "\"west europe\""), |a| {
        Ok(Val::text(text(a, 0)?.to_lowercase()))
    }),
    Function::pure("title", &[parameter("text", Shape::Text)], Shape::Text, "The text with the first letter of each word in upper case.", ("title(\"hello world\")", "\"Hello World\""), title),
    Function::pure("trimspace", &[parameter("text", Shape::Text)], Shape::Text, "The text without white space at its ends.", ("trimspace(\"  a b \")", "\"a b\""), |a| {
        Ok(Val::text(text(a, 0)?.trim()))
    }),
    Function::pure(
        "trim",
        &[parameter("text", Shape::Text), parameter("characters", Shape::Text)],
        Shape::Text,
        "The text without any of the characters at its ends; without white space if none are given.",
        ("trim(\"--a-b--\", \"-\")", "\"a-b\""),
        |a| match a.get(1) {
            None => Ok(Val::text(text(a, 0)?.trim())),
            Some(_) => {
                let characters: Vec<char> = text(a, 1)?.chars().collect();
                Ok(Val::text(text(a, 0)?.trim_matches(characters.as_slice())))
            }
        },
    )
    .optional(1),
    Function::pure(
        "trimprefix",
        &[parameter("text", Shape::Text), parameter("prefix", Shape::Text)],
        Shape::Text,
        "The text without the prefix, if it has it.",
        ("trimprefix(\"https://x\", \"https://\")", "\"x\""),
        |a| {
            let whole = text(a, 0)?;
            Ok(Val::text(whole.strip_prefix(text(a, 1)?).unwrap_or(whole)))
        },
    ),
    Function::pure(
        "trimsuffix",
        &[parameter("text", Shape::Text), parameter("suffix", Shape::Text)],
        Shape::Text,
        "The text without the suffix, if it has it.",
        ("trimsuffix(\"https://x/\", \"/\")", "\"https://x\""),
        |a| {
            let whole = text(a, 0)?;
            Ok(Val::text(whole.strip_suffix(text(a, 1)?).unwrap_or(whole)))
        },
    ),
    Function::pure(
        "split",
        &[parameter("separator", Shape::Text), parameter("text", Shape::Text)],
        Shape::Texts,
        "The parts of a text between separators.",
        ("split(\",\", \"a,b\")", "[\"a\", \"b\"]"),
        |a| {
            let (separator, whole) = (text(a, 0)?, text(a, 1)?);
            if separator.is_empty() {
                return bounded(whole.chars().map(|character| Val::text(character.to_string())));
            }
            bounded(whole.split(separator).map(Val::text))
        },
    ),
    Function::pure(
        "join",
        &[parameter("separator", Shape::Text), parameter("list", Shape::Texts)],
        Shape::Text,
        "The texts of a list in one, with a separator between them.",
        ("join(\"-\", [\"myapp\", \"dev\"])", "\"myapp-dev\""),
        |a| {
            let separator = text(a, 0)?;
            let mut joined = Growing::default();
            for (at, part) in texts(a, 1)?.into_iter().enumerate() {
                if at > 0 {
                    joined.push(separator)?;
                }
                joined.push(part)?;
            }
            Ok(joined.finish())
        },
    ),
    Function::pure(
        "format",
        &[parameter("format", Shape::Text), parameter("value", Shape::Any)],
        Shape::Text,
        "Text with values in it: `%s` any scalar, `%d` a whole number, `%05d` padded with zeros, `%5s` and `%-5s` with spaces, `%q` in quotes, `%%` a percent sign.",
        ("format(\"%s-%02d\", \"node\", 7)", "\"node-07\""),
        format_text,
    )
    .variadic(),
    Function::pure("chomp", &[parameter("text", Shape::Text)], Shape::Text, "The text without line breaks at its end.", ("chomp(\"a\\n\")", "\"a\""), |a| {
        Ok(Val::text(text(a, 0)?.trim_end_matches(['\n', '\r'])))
    }),
    Function::pure(
        "indent",
        &[parameter("spaces", Shape::Int), parameter("text", Shape::Text)],
        Shape::Text,
        "The text with every line but the first indented.",
        ("indent(2, \"a\\nb\")", "\"a\\n  b\""),
        |a| {
            let spaces = count(a, 0)?;
            if spaces > 1000 {
                return Err(Fault::Argument(0, "more than 1000 spaces".to_owned()));
            }
            let mut grown = Growing::default();
            for (at, line) in text(a, 1)?.split('\n').enumerate() {
                if at > 0 {
                    grown.push("\n")?;
                    grown.push(&" ".repeat(spaces))?;
                }
                grown.push(line)?;
            }
            Ok(grown.finish())
        },
    ),
    Function::pure(
        "substr",
        &[parameter("text", Shape::Text), parameter("offset", Shape::Int), parameter("length", Shape::Int)],
        Shape::Text,
        "A part of a text, counted in characters; a negative offset counts from the end, length -1 means up to the end.",
        ("substr(\"myapp-dev\", 0, 5)", "\"myapp\""),
        |a| {
            let whole = text(a, 0)?;
            let total = i64::try_from(whole.chars().count()).unwrap_or(i64::MAX);
            let offset = int(a, 1)?;
            let from = if offset < 0 { total.saturating_add(offset).max(0) } else { offset.min(total) };
            let length = match int(a, 2)? {
                -1 => total - from,
                length if length < 0 => return Err(Fault::Argument(2, "a length is 0 or more, or -1 for the rest".to_owned())),
                length => length,
            };
            let (from, length) = (usize::try_from(from).unwrap_or(0), usize::try_from(length).unwrap_or(usize::MAX));
            Ok(Val::text(whole.chars().skip(from).take(length).collect::<String>()))
        },
    ),
    Function::pure(
        "tostring",
        &[parameter("value", Shape::Any)],
        Shape::Text,
        "A bool or number as text; text stays as it is.",
        ("tostring(12)", "\"12\""),
        |a| match a.first().map(Val::plain) {
            Some(value) => shown(value).map(|text| Val::text(&*text)).ok_or_else(|| {
                Fault::Argument(0, format!("{} is no text: `jsonencode` makes one of any value", value.type_name()))
            }),
            None => Err(Fault::Argument(0, "a value is wanted here".to_owned())),
        },
    ),
    Function::pure(
        "strlist",
        &[parameter("list", Shape::List)],
        Shape::Texts,
        "A list with every bool and number as text.",
        ("strlist([1, true, \"a\"])", "[\"1\", \"true\", \"a\"]"),
        |a| {
            let items: Result<Vec<Val>, Fault> = list(a, 0)?
                .iter()
                .map(|item| shown(item.plain()).map(|text| Val::text(&*text)).ok_or_else(|| Fault::Argument(0, format!("{} is no text", item.type_name()))))
                .collect();
            items.map(Val::list)
        },
    ),
];

fn title(a: &[Val]) -> Result<Val, Fault> {
    let mut word = false;
    let titled: String = text(a, 0)?
        .chars()
        .flat_map(|character| {
            let first = !word && character.is_alphanumeric();
            word = character.is_alphanumeric() || (word && character == '\'');
            if first { character.to_uppercase().collect::<Vec<_>>() } else { vec![character] }
        })
        .collect();
    Ok(Val::text(titled))
}

pub(super) fn format_text(a: &[Val]) -> Result<Val, Fault> {
    let pattern = text(a, 0)?;
    let mut made = Growing::default();
    let mut next = 1;
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('%') {
        made.push(before)?;
        let bad = || {
            Fault::Argument(
                0,
                "a `%` is followed by `s`, `d`, `q`, `v` or `%`, with a width between if wanted: `%05d`".to_owned(),
            )
        };
        let digits = after.find(|character: char| !(character.is_ascii_digit() || character == '-')).ok_or_else(bad)?;
        let (flags, verb) = after.split_at(digits);
        let kind = verb.chars().next().ok_or_else(bad)?;
        rest = verb.get(kind.len_utf8()..).unwrap_or("");
        if kind == '%' {
            made.push("%")?;
            continue;
        }
        let left = flags.starts_with('-');
        let flags = flags.trim_start_matches('-');
        let zeros = flags.starts_with('0');
        let width: usize = if flags.is_empty() { 0 } else { flags.parse().map_err(|_| bad())? };
        if width > 1000 {
            return Err(Fault::Argument(0, "a width is at most 1000".to_owned()));
        }
        let at = next;
        next += 1;
        let Some(value) = a.get(at).map(Val::plain) else {
            return Err(Fault::Argument(
                0,
                format!("the format has more places than the {} values given", a.len() - 1),
            ));
        };
        let shown = match kind {
            's' | 'v' => shown(value).map(std::borrow::Cow::into_owned),
            'd' => match value {
                Val::Int(number) => Some(number.to_string()),
                _ => None,
            },
            'q' => shown(value).map(|text| serde_json::Value::from(&*text).to_string()),
            _ => return Err(bad()),
        };
        let Some(shown) = shown else {
            return Err(Fault::Argument(
                at,
                format!(
                    "`%{kind}` takes {}, not {}",
                    if kind == 'd' { "a whole number" } else { "text, a number or a bool" },
                    value.type_name()
                ),
            ));
        };
        let padding = width.saturating_sub(shown.chars().count());
        if left {
            made.push(&shown)?;
            made.push(&" ".repeat(padding))?;
        } else if zeros && kind == 'd' {
            let (sign, digits) = shown.strip_prefix('-').map_or(("", shown.as_str()), |digits| ("-", digits));
            made.push(sign)?;
            made.push(&"0".repeat(padding))?;
            made.push(digits)?;
        } else {
            made.push(&" ".repeat(padding))?;
            made.push(&shown)?;
        }
    }
    made.push(rest)?;
    if next < a.len() {
        return Err(Fault::Argument(next, "the format has no place for this value".to_owned()));
    }
    Ok(made.finish())
}
