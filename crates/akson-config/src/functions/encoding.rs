//! Functions that write and read JSON, YAML, base64 and URLs.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value as Json};

use super::{Function, Shape, arguments::text, parameter};
use crate::{
    fault::Fault,
    sink::limits,
    val::{Entries, Val},
};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure(
        "jsonencode",
        &[parameter("value", Shape::Any)],
        Shape::Text,
        "A value as JSON, without spaces, keys in the order of the map.",
        ("jsonencode({ a = [1, true] })", "\"{\\\"a\\\":[1,true]}\""),
        |a| Ok(Val::text(to_json(a.first(), 0)?.to_string())),
    ),
    Function::pure(
        "jsondecode",
        &[parameter("text", Shape::Text)],
        Shape::Any,
        "The value that JSON text is of.",
        ("jsondecode(\"[1, 2]\")", "[1, 2]"),
        |a| {
            let json: Json = serde_json::from_str(text(a, 0)?)
                .map_err(|error| Fault::Argument(0, format!("this is no JSON: {error}")))?;
            from_json(&json)
        },
    ),
    Function::pure(
        "yamlencode",
        &[parameter("value", Shape::Any)],
        Shape::Text,
        "A value as YAML.",
        ("yamlencode({ a = [1] })", "\"a:\\n- 1\\n\""),
        |a| {
            let json = to_json(a.first(), 0)?;
            let yaml = serde_saphyr::to_string(&json)
                .map_err(|_| Fault::Failed("this value has no form in YAML".to_owned()))?;
            Ok(Val::text(yaml))
        },
    ),
    Function::pure(
        "base64encode",
        &[parameter("text", Shape::Text)],
        Shape::Text,
        "The bytes of a text as base64.",
        ("base64encode(\"hello\")", "\"aGVsbG8=\""),
        |a| Ok(Val::text(STANDARD.encode(text(a, 0)?))),
    ),
    Function::pure(
        "base64decode",
        &[parameter("text", Shape::Text)],
        Shape::Text,
        "The text whose bytes are given as base64.",
        ("base64decode(\"aGVsbG8=\")", "\"hello\""),
        |a| {
            let bytes = STANDARD.decode(text(a, 0)?).map_err(|_| Fault::Argument(0, "this is no base64".to_owned()))?;
            String::from_utf8(bytes)
                .map(Val::text)
                .map_err(|_| Fault::Argument(0, "these bytes are no UTF-8 text".to_owned()))
        },
    ),
    Function::pure(
        "urlencode",
        &[parameter("text", Shape::Text)],
        Shape::Text,
        "A text as it stands in a URL.",
        ("urlencode(\"a b/c\")", "\"a%20b%2Fc\""),
        |a| {
            use std::fmt::Write as _;
            let mut encoded = String::new();
            for byte in text(a, 0)?.bytes() {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
                    encoded.push(char::from(byte));
                } else {
                    // Writing to a String cannot fail.
                    let _ = write!(encoded, "%{byte:02X}");
                }
            }
            Ok(Val::text(encoded))
        },
    ),
];

fn to_json(value: Option<&Val>, depth: u32) -> Result<Json, Fault> {
    let value = value.map_or(&Val::Poison, Val::plain);
    if depth == 0 && value.traits().size > 8 * limits::TEXT as u64 {
        return Err(Fault::TooLarge("this value is too large to be written as text: the limit is 1 MiB"));
    }
    Ok(match value {
        Val::Bool(value) => Json::from(*value),
        Val::Int(value) => Json::from(*value),
        Val::Decimal(value) => Json::from(*value),
        Val::Text(text) => Json::from(&**text),
        Val::List(list) => {
            Json::Array(list.items.iter().map(|item| to_json(Some(item), depth + 1)).collect::<Result<_, _>>()?)
        }
        Val::Map(map) => {
            let mut object = Map::new();
            for (key, item) in &map.entries {
                object.insert(key.to_string(), to_json(Some(item), depth + 1)?);
            }
            Json::Object(object)
        }
        Val::Ref(_) => {
            return Err(Fault::Argument(0, "a resource has no form as text: name one of its outputs".to_owned()));
        }
        other => return Err(Fault::Argument(0, format!("{} has no form as text", other.type_name()))),
    })
}

/// JSON as a value. There is no `null`: entries that are null are left out, elsewhere it is an error.
pub(crate) fn from_json(json: &Json) -> Result<Val, Fault> {
    Ok(match json {
        Json::Null => return Err(Fault::Argument(0, "there is no `null` in this language".to_owned())),
        Json::Bool(value) => Val::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Val::Int(whole),
            None => number
                .as_f64()
                .and_then(Val::number)
                .ok_or_else(|| Fault::Argument(0, "a number is beyond the range of numbers".to_owned()))?,
        },
        Json::String(text) => Val::text(text.as_str()),
        Json::Array(items) => Val::list(items.iter().map(from_json).collect::<Result<_, _>>()?),
        Json::Object(entries) => {
            let mut map = Entries::new();
            for (key, item) in entries.iter().filter(|(_, item)| !item.is_null()) {
                map.insert(Arc::from(key.as_str()), from_json(item)?);
            }
            Val::map(map)
        }
    })
}
