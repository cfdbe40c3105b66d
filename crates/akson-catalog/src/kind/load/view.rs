//! A TOML table as a kind file reads it: every key is asked for once, what is wrong and what nobody asked for is a diagnostic at its place.
//! Not which keys there are: see `attribute` and the parent module.

use akson_diagnostics::{Code, Diagnostic, Diagnostics, SourceId, Span, did_you_mean};
use indexmap::IndexMap;
use serde_json::Value as Json;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The file is no TOML.
pub(crate) const NOT_TOML: Code = Code(290);
/// A key that means nothing there.
pub(crate) const UNKNOWN_KEY: Code = Code(291);
/// A key that must be there.
pub(crate) const MISSING_KEY: Code = Code(292);
/// A value of the wrong shape, or a word that is none of the possible ones.
pub(crate) const WRONG_VALUE: Code = Code(293);
/// A type expression that cannot be read.
pub(crate) const BAD_TYPE: Code = Code(294);
/// A pattern that cannot be read, or one without words.
pub(crate) const BAD_RULE: Code = Code(295);
/// A template with a part that nothing fills.
pub(crate) const BAD_TEMPLATE: Code = Code(296);
/// An attribute whose parts do not fit together.
pub(crate) const INCONSISTENT: Code = Code(297);
/// A name that is not in the catalog, or twice in it.
pub(crate) const UNKNOWN_NAME: Code = Code(298);
/// An example that cannot be one.
pub(crate) const BAD_EXAMPLE: Code = Code(299);

/// A table with the keys that were asked for.
pub(crate) struct View<'t, 'i> {
    table: &'t DeTable<'i>,
    pub(crate) source: SourceId,
    /// Where the table itself is, for what is missing in it.
    pub(crate) span: Span,
    asked: Vec<&'static str>,
}

/// A value with its place.
#[derive(Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<'t, 'i> View<'t, 'i> {
    pub(crate) fn new(table: &'t DeTable<'i>, source: SourceId, span: Span) -> Self {
        Self { table, source, span, asked: Vec::new() }
    }

    pub(crate) fn span_of<T>(&self, spanned: &Spanned<T>) -> Span {
        span_of(self.source, spanned)
    }

    fn get(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'i>>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// Where a key's value is; the table itself if it is not there.
    pub(crate) fn place(&mut self, key: &'static str) -> Span {
        self.get(key).map_or(self.span, |value| span_of(self.source, value))
    }

    pub(crate) fn has(&mut self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn text(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<At<String>> {
        let value = self.get(key)?;
        let span = self.span_of(value);
        let Some(text) = value.get_ref().as_str() else {
            diagnostics.push(wrong(span, key, "text", value.get_ref()));
            return None;
        };
        Some(At { value: text.trim().to_owned(), span })
    }

    pub(crate) fn required_text(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<At<String>> {
        if !self.has(key) {
            self.missing(key, diagnostics);
            return None;
        }
        let text = self.text(key, diagnostics)?;
        if text.value.is_empty() {
            diagnostics.push(Diagnostic::error(WRONG_VALUE, format!("`{key}` is empty")).at(text.span, "write it"));
            return None;
        }
        Some(text)
    }

    pub(crate) fn missing(&self, key: &str, diagnostics: &mut Diagnostics) {
        diagnostics.push(
            Diagnostic::error(MISSING_KEY, format!("`{key}` is missing"))
                .at(self.span, "here")
                .help(format!("add `{key} = …`")),
        );
    }

    pub(crate) fn flag(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> bool {
        let Some(value) = self.get(key) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            diagnostics.push(wrong(self.span_of(value), key, "true or false", value.get_ref()));
            false
        })
    }

    pub(crate) fn number(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<f64> {
        let value = self.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
            DeValue::Float(float) => float.as_str().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        };
        if number.is_none() {
            diagnostics.push(wrong(self.span_of(value), key, "a number", value.get_ref()));
        }
        number
    }

    /// Two whole numbers, the first at most the second.
    pub(crate) fn bounds(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<(i64, i64)> {
        let value = self.get(key)?;
        let numbers: Vec<i64> = value
            .get_ref()
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| to_json(item.get_ref())?.as_i64())
            .collect();
        match (numbers.as_slice(), value.get_ref().as_array().map_or(0, |items| items.iter().count())) {
            ([least, most], 2) if least <= most => Some((*least, *most)),
            _ => {
                diagnostics.push(wrong(
                    self.span_of(value),
                    key,
                    "two whole numbers, the smaller one first",
                    value.get_ref(),
                ));
                None
            }
        }
    }

    pub(crate) fn texts(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Vec<At<String>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            diagnostics.push(wrong(self.span_of(value), key, "a list of texts", value.get_ref()));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push(At { value: text.to_owned(), span: self.span_of(item) }),
                None => diagnostics.push(wrong(self.span_of(item), key, "a list of texts", item.get_ref())),
            }
        }
        texts
    }

    /// One of these words, as the value that stands for it.
    pub(crate) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
        diagnostics: &mut Diagnostics,
    ) -> Option<T> {
        let text = self.text(key, diagnostics)?;
        pick(key, &text, words, diagnostics)
    }

    /// Any value, as JSON.
    pub(crate) fn json(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<At<Json>> {
        let value = self.get(key)?;
        let span = self.span_of(value);
        let Some(json) = to_json(value.get_ref()) else {
            diagnostics.push(wrong(span, key, "a value that JSON has", value.get_ref()));
            return None;
        };
        Some(At { value: json, span })
    }

    /// A table of any values, as JSON, in the file's order. The word `absent` stands for JSON's null, which TOML does not have.
    pub(crate) fn jsons(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> IndexMap<String, At<Json>> {
        let mut entries = IndexMap::new();
        for (name, value) in self.entries(key, diagnostics) {
            match to_json(value.get_ref()) {
                Some(json) => {
                    let json = if json.as_str() == Some("absent") { Json::Null } else { json };
                    entries.insert(name.value, At { value: json, span: name.span });
                }
                None => diagnostics.push(wrong(self.span_of(value), key, "a value that JSON has", value.get_ref())),
            }
        }
        entries
    }

    /// The tables of a table, in the file's order: attributes, variants, outputs.
    pub(crate) fn tables(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Vec<(At<String>, View<'t, 'i>)> {
        let mut tables = Vec::new();
        for (name, value) in self.entries(key, diagnostics) {
            match value.get_ref().as_table() {
                Some(table) => {
                    let view = View::new(table, self.source, name.span);
                    tables.push((name, view));
                }
                None => diagnostics.push(wrong(self.span_of(value), &name.value, "a table", value.get_ref())),
            }
        }
        tables
    }

    /// The tables of a list: `[[lists]]`.
    pub(crate) fn table_list(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Vec<View<'t, 'i>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            diagnostics.push(wrong(self.span_of(value), key, "a list of tables", value.get_ref()));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => tables.push(View::new(table, self.source, self.span_of(item))),
                None => diagnostics.push(wrong(self.span_of(item), key, "a list of tables", item.get_ref())),
            }
        }
        tables
    }

    /// A key that is one table.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<View<'t, 'i>> {
        let value = self.get(key)?;
        Some(View::new(value.get_ref().as_table()?, self.source, self.span_of(value)))
    }

    fn entries(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Vec<(At<String>, &'t Spanned<DeValue<'i>>)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(table) = value.get_ref().as_table() else {
            diagnostics.push(wrong(self.span_of(value), key, "a table", value.get_ref()));
            return Vec::new();
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        entries
            .into_iter()
            .map(|(name, value)| (At { value: name.get_ref().to_string(), span: self.span_of(name) }, value))
            .collect()
    }

    /// Every key that nobody asked for is a mistake.
    pub(crate) fn finish(self, diagnostics: &mut Diagnostics) {
        for name in self.table.keys() {
            let key = name.get_ref().as_ref();
            if self.asked.contains(&key) {
                continue;
            }
            let unknown = Diagnostic::error(UNKNOWN_KEY, format!("unknown key `{key}`"))
                .at(self.span_of(name), "means nothing here");
            diagnostics.push(match did_you_mean(key, self.asked.iter().copied()) {
                Some(near) => unknown.help(format!("did you mean `{near}`?")),
                None => unknown.help(format!("known here: {}", self.asked.join(", "))),
            });
        }
    }
}

/// The value that a word stands for.
pub(crate) fn pick<T: Copy>(
    key: &str,
    text: &At<String>,
    words: &[(&str, T)],
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text.value).map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let diagnostic = Diagnostic::error(WRONG_VALUE, format!("`{}` is no `{key}`", text.value))
            .at(text.span, format!("one of {}", known.join(", ")));
        diagnostics.push(match did_you_mean(&text.value, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        });
    }
    found
}

pub(crate) fn span_of<T>(source: SourceId, spanned: &Spanned<T>) -> Span {
    Span::new(source, spanned.span().start, spanned.span().end)
}

fn wrong(span: Span, key: &str, wanted: &str, found: &DeValue<'_>) -> Diagnostic {
    Diagnostic::error(WRONG_VALUE, format!("`{key}` must be {wanted}"))
        .at(span, format!("this is of type {}", found.type_str()))
}

fn to_json(value: &DeValue<'_>) -> Option<Json> {
    Some(match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Integer(integer) => Json::from(i64::from_str_radix(integer.as_str(), integer.radix()).ok()?),
        DeValue::Float(float) => Json::Number(serde_json::Number::from_f64(float.as_str().parse().ok()?)?),
        DeValue::Boolean(flag) => Json::from(*flag),
        DeValue::Datetime(_) => return None,
        DeValue::Array(items) => Json::Array(items.iter().map(|item| to_json(item.get_ref())).collect::<Option<_>>()?),
        DeValue::Table(table) => {
            let mut entries: Vec<_> = table.iter().collect();
            entries.sort_by_key(|(name, _)| name.span().start);
            let entries: Option<serde_json::Map<_, _>> = entries
                .into_iter()
                .map(|(name, value)| Some((name.get_ref().to_string(), to_json(value.get_ref())?)))
                .collect();
            Json::Object(entries?)
        }
    })
}
