//! AKS0312: a secret that is ordinary text. Not what becomes of it: it is treated as a secret all the same.

use akson_diagnostics::{Diagnostic, Span};

use super::Seen;
use crate::{codes, val::Val};

pub(super) fn check(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (path, span) = seen.instance.values.iter().find_map(|(path, value, span)| plain(seen, path, value, *span))?;
    Some(
        Diagnostic::warning(codes::LINT_PLAIN_SECRET, format!("`{path}` is a secret, and this is ordinary text"))
            .at(span, "")
            .note("who reads the source, or anything else that is made from this value, has the secret")
            .help("let it come from the environment, `env(\"NAME\")`, or from a variable with `sensitive = true`"),
    )
}

/// The name of what is a secret and is known as text.
fn plain(seen: &Seen<'_>, path: &str, value: &Val, span: Span) -> Option<(String, Span)> {
    let attribute = seen.instance.kind.attribute(path)?;
    let is_plain = |value: &Val| !value.traits().sensitive && matches!(value.plain(), Val::Text(_));
    match value.plain() {
        Val::Choice(choice) => {
            let variant = attribute.variants.get(&choice.name)?;
            let mut secrets = variant.arguments.values().filter(|argument| argument.sensitive);
            let found = secrets.find(|secret| choice.arguments.get(secret.name.as_str()).is_some_and(is_plain))?;
            Some((format!("{path}.{}", found.name), span))
        }
        _ => (attribute.sensitive && is_plain(value)).then(|| (path.to_owned(), span)),
    }
}
