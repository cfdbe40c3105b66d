//! List and object literals, checked element by element against what is wanted of the whole.

use std::sync::Arc;

use akson_catalog::{Attribute, Type};
use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Expr, ObjectKey};
use indexmap::map::Entry;

use super::{Evaluator, Omitted, Scope, Want};
use crate::{
    codes,
    val::{Entries, Marks, Val, quoted},
};

impl Evaluator<'_> {
    #[inline(never)]
    pub(super) fn list(&mut self, items: &[Expr], span: Span, want: Want<'_>, scope: &Scope<'_>) -> Val {
        let (of, attribute) = want.parts();
        let item_want = match of {
            Some(of) if !matches!(of, Type::List(_) | Type::Set(_) | Type::Any) => {
                return self.wrong_type(&Val::list(Vec::new()), of, attribute, span);
            }
            Some(Type::List(item) | Type::Set(item)) => Want::Of(item, attribute),
            Some(Type::Any) => Want::Of(&Type::Any, None),
            _ => Want::Free,
        };
        let mut values = Vec::with_capacity(items.len());
        let mut written = Vec::with_capacity(items.len());
        for item in items {
            let value = match self.omitted(item, scope) {
                Omitted::No => self.eval(item, item_want, scope),
                Omitted::Yes => continue,
                Omitted::Unclear => Val::Poison,
            };
            values.push(value);
            written.push(item);
        }
        if let Some(Type::Set(_)) = of {
            self.repeated(&written, &values);
        }
        self.sink.made(Val::list(values), span)
    }

    /// A set has each element once: writing one twice is a slip of the pen.
    fn repeated(&mut self, items: &[&Expr], values: &[Val]) {
        let mut seen = std::collections::HashMap::new();
        for (item, value) in items.iter().zip(values) {
            if let Val::Text(text) = value
                && let Some(first) = seen.insert(Arc::clone(text), item.span)
            {
                self.sink.report_value(
                    Diagnostic::error(codes::DUPLICATE_KEY, format!("`{text}` stands in this set twice"))
                        .at(item.span, "again here")
                        .also(first, "first here")
                        .help("remove one of them"),
                );
            }
        }
    }

    #[inline(never)]
    pub(super) fn object(
        &mut self,
        entries: &[(ObjectKey, Expr)],
        span: Span,
        want: Want<'_>,
        scope: &Scope<'_>,
    ) -> Val {
        let (of, attribute) = want.parts();
        if let Some(of) = of
            && !matches!(of, Type::Map(_) | Type::Object(_) | Type::Any)
        {
            return self.wrong_type(&Val::map(Entries::new()), of, attribute, span);
        }
        let mut made = Entries::new();
        let mut marks = Marks::default();
        let mut spans: indexmap::IndexMap<Arc<str>, Span> = indexmap::IndexMap::new();
        let mut bad = false;
        for (key, expr) in entries {
            let (name, key_span) = match key {
                ObjectKey::Name(name) => (Some(Arc::from(name.text.as_str())), name.span),
                ObjectKey::Expr(key) => (self.key(key, &mut marks, scope), key.span),
            };
            let value_want = match (of, &name) {
                (Some(Type::Map(item)), _) => Want::Of(item, attribute),
                (Some(Type::Any), _) => Want::Of(&Type::Any, None),
                (Some(Type::Object(fields)), Some(name)) => match fields.iter().find(|(field, ..)| **field == **name) {
                    Some((_, of, _)) => field_want(of, attribute, name),
                    None => {
                        self.unknown_field(fields, name, key_span);
                        bad = true;
                        continue;
                    }
                },
                _ => Want::Free,
            };
            let value = match self.omitted(expr, scope) {
                Omitted::No => self.eval(expr, value_want, scope),
                Omitted::Yes => continue,
                Omitted::Unclear => Val::Poison,
            };
            let Some(name) = name else {
                bad = true;
                continue;
            };
            match spans.entry(Arc::clone(&name)) {
                Entry::Occupied(first) => {
                    self.sink.report_value(
                        Diagnostic::error(codes::DUPLICATE_KEY, format!("the key `{name}` is set twice"))
                            .at(key_span, "again here")
                            .also(*first.get(), "first here")
                            .help("remove one of them"),
                    );
                }
                Entry::Vacant(entry) => {
                    entry.insert(key_span);
                    made.insert(name, value);
                }
            }
        }
        if bad {
            return Val::Poison;
        }
        let value = self.sink.made(Val::map(made), span).with(marks);
        if let Some(Type::Object(fields)) = of {
            self.missing_fields(&value, fields, span);
        }
        value
    }

    fn key(&mut self, key: &Expr, marks: &mut Marks, scope: &Scope<'_>) -> Option<Arc<str>> {
        let value = self.eval(key, Want::Free, scope);
        if let Some(own) = value.marks() {
            if own.sensitive {
                self.sink.report(
                    Diagnostic::error(codes::SENSITIVE, "a key cannot be sensitive: keys are shown")
                        .at(key.span, "")
                        .help("use a key that may be shown"),
                );
                return None;
            }
            marks.absorb(own);
        }
        match value.plain() {
            Val::Text(text) => Some(Arc::clone(text)),
            Val::Bool(_) | Val::Int(_) | Val::Decimal(_) => {
                crate::operators::shown(value.plain()).map(|text| Arc::from(&*text))
            }
            Val::Poison => None,
            Val::Unknown(_) => {
                self.sink.report(
                    Diagnostic::error(codes::NOT_KNOWN, "this key is known only after apply")
                        .at(key.span, "")
                        .help("use a key that the configuration knows"),
                );
                None
            }
            other => {
                self.sink.report(
                    Diagnostic::error(codes::WRONG_TYPE, format!("a key is text, not {}", other.type_name()))
                        .at(key.span, ""),
                );
                None
            }
        }
    }

    fn unknown_field(&mut self, fields: &[(String, Type, bool)], name: &str, span: Span) {
        let known = fields.iter().map(|(field, ..)| field.as_str());
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_ATTRIBUTE, format!("there is no `{name}` in this object")).at(span, "");
        diagnostic = match did_you_mean(name, known.clone()) {
            Some(near) => {
                diagnostic.help(format!("did you mean `{near}`?")).suggest(span, near, format!("write `{near}`"))
            }
            None => diagnostic.help(format!("it has {}", quoted(known))),
        };
        self.sink.report(diagnostic);
    }

    /// Reports the fields of an object type that a value lacks.
    pub(super) fn missing_fields(&mut self, value: &Val, fields: &[(String, Type, bool)], span: Span) {
        let Val::Map(map) = value.plain() else { return };
        let missing: Vec<&str> = fields
            .iter()
            .filter(|(name, _, optional)| !optional && !map.entries.contains_key(name.as_str()))
            .map(|(name, ..)| name.as_str())
            .collect();
        if !missing.is_empty() {
            let missing = quoted(missing.into_iter());
            self.sink.report(
                Diagnostic::error(codes::MISSING_ATTRIBUTES, format!("this object lacks {missing}"))
                    .at(span, "")
                    .help(format!("add {missing}")),
            );
        }
    }
}

/// What is wanted of a field: where the catalog describes the objects of a list, its rules hold.
pub(super) fn field_want<'w>(of: &'w Type, attribute: Option<&'w Attribute>, name: &str) -> Want<'w> {
    Want::Of(of, attribute.and_then(|attribute| attribute.fields.get(name)))
}
