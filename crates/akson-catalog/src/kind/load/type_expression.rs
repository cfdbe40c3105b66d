//! Type expressions of kind files: `list(cidr)`, `set(enum)`, `resource(identity, vault)`. Words of an enum and fields of an object
//! come from the attribute's own tables.

use crate::{Type, named::named};

/// What an `enum` and an `object` in the expression stand for.
pub(super) struct Parts<'a> {
    pub(super) words: &'a [String],
    pub(super) fields: &'a [(String, Type, bool)],
}

/// Reads one.
///
/// # Errors
///
/// What is wrong with it, in words.
pub(super) fn parse(text: &str, parts: &Parts<'_>) -> Result<Type, String> {
    let text = text.trim();
    let Some((head, rest)) = text.split_once('(') else { return plain(text, parts) };
    let Some(inner) = rest.strip_suffix(')') else { return Err(format!("`{text}` has no closing parenthesis")) };
    match head.trim() {
        "list" => Ok(Type::List(Box::new(parse(inner, parts)?))),
        "set" => Ok(Type::Set(Box::new(parse(inner, parts)?))),
        "map" => Ok(Type::Map(Box::new(parse(inner, parts)?))),
        "resource" => {
            let kinds: Vec<String> = inner.split(',').map(|kind| kind.trim().to_owned()).collect();
            if kinds.iter().any(|kind| kind.is_empty() || kind.contains(['(', ')'])) {
                return Err(format!("`{text}` must list keywords of kinds, or `*` for all"));
            }
            Ok(Type::Resource(kinds))
        }
        head => Err(format!("`{head}` takes nothing in parentheses")),
    }
}

fn plain(text: &str, parts: &Parts<'_>) -> Result<Type, String> {
    Ok(match text {
        "any" => Type::Any,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "number" => Type::Number,
        "string" => Type::String,
        "switch" => Type::Switch,
        "choice" => Type::Choice,
        "enum" if parts.words.is_empty() => return Err("an enum needs `values`".to_owned()),
        "enum" => Type::Enum(parts.words.to_vec()),
        "object" if parts.fields.is_empty() => return Err("an object needs `fields`".to_owned()),
        "object" => Type::Object(parts.fields.to_vec()),
        "list" | "set" | "map" | "resource" => {
            return Err(format!("`{text}` needs what it holds in parentheses: `{text}(…)`"));
        }
        name => match named(name) {
            Some(named) => Type::Named(named.name.to_owned()),
            None => return Err(format!("there is no type `{name}`")),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: Result<&str, &str>) {
        let parts = Parts { words: &["a".to_owned(), "b".to_owned()], fields: &[("x".to_owned(), Type::Int, true)] };
        let found = parse(text, &parts).map(|of| of.to_string());
        assert_eq!(found, shown.map(str::to_owned).map_err(str::to_owned), "{text}");
    }

    #[test]
    fn expressions() {
        check("string", Ok("string"));
        check("list(cidr)", Ok("list(cidr)"));
        check(" set( enum )", Ok("set(enum(\"a\", \"b\"))"));
        check("map(list(string))", Ok("map(list(string))"));
        check("list(object)", Ok("list(object({ x = optional(int) }))"));
        check("resource(identity, vault)", Ok("identity or vault"));
        check("resource(*)", Ok("resource"));
        check("list", Err("`list` needs what it holds in parentheses: `list(…)`"));
        check("list(cidr", Err("`list(cidr` has no closing parenthesis"));
        check("string(3)", Err("`string` takes nothing in parentheses"));
        check("text", Err("there is no type `text`"));
        check("resource()", Err("`resource()` must list keywords of kinds, or `*` for all"));
    }
}
