//! From the text of kind files to kinds. Everything wrong in a file is a diagnostic that points into it; one broken kind does not
//! hide another.

mod attribute;
mod cross;
mod rules;
mod scopes;
mod type_expression;
pub(crate) mod view;

use std::{fmt, sync::OnceLock};

use akson_diagnostics::{Diagnostic, Diagnostics, SourceId, SourceMap, Span};
use indexmap::IndexMap;
use toml::de::DeTable;

use super::{
    Catalog, Delete, FoundBy, Kind, KindSource, LateId, ListCall, ListScope, Marker, NameFrom, Output, Plane,
    Principal, Quirk, Write, embedded::KINDS,
};
use crate::Severity;
use view::{At, BAD_EXAMPLE, NOT_TOML, UNKNOWN_NAME, View, WRONG_VALUE, pick};

/// The kind files of the program are broken: a bug of ours, with everything needed to show it.
#[derive(Debug)]
pub struct BrokenCatalog {
    /// The kind files.
    pub sources: SourceMap,
    /// What is wrong in them.
    pub diagnostics: Diagnostics,
}

impl fmt::Display for BrokenCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the kind files of this build are broken")?;
        if let Some(first) = self.diagnostics.iter().next() {
            write!(f, ": {}", first.message)?;
            if let Some(span) = first.primary() {
                write!(f, " ({}:{})", self.sources.get(span.source).name, self.sources.start(span).line)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for BrokenCatalog {}

impl Catalog {
    /// The kinds of the program, read once.
    ///
    /// # Errors
    ///
    /// If a kind file of this build is broken, with its diagnostics. A test keeps that from being released.
    pub fn builtin() -> Result<&'static Catalog, &'static BrokenCatalog> {
        static CATALOG: OnceLock<Result<Catalog, BrokenCatalog>> = OnceLock::new();
        let loaded = CATALOG.get_or_init(|| {
            let mut sources = SourceMap::new();
            let mut diagnostics = Diagnostics::new();
            let catalog = Catalog::load(KINDS, &mut sources, &mut diagnostics);
            if diagnostics.has_errors() { Err(BrokenCatalog { sources, diagnostics }) } else { Ok(catalog) }
        });
        loaded.as_ref()
    }

    /// Reads kind files: each is added to `sources` as `kinds/NAME`. A file with an error yields no kind.
    pub fn load(files: &[KindSource], sources: &mut SourceMap, diagnostics: &mut Diagnostics) -> Catalog {
        let mut read: Vec<(Kind, Places)> = Vec::new();
        for file in files {
            let source = sources.add(format!("kinds/{}", file.name), file.text);
            let mut found = Diagnostics::new();
            if let Some((kind, places)) = kind(file, source, &mut found) {
                if let Some((other, first)) = read.iter().find(|(other, _)| other.keyword == kind.keyword) {
                    found.push(
                        Diagnostic::error(UNKNOWN_NAME, format!("two kinds have the keyword `{}`", other.keyword))
                            .at(places.keyword, "again here")
                            .also(first.keyword, "first here"),
                    );
                } else if !found.has_errors() {
                    read.push((kind, places));
                }
            }
            diagnostics.append(found);
        }

        // By file name, so that a broken kind is not also missed where others refer to it.
        let keywords: Vec<String> =
            files.iter().filter_map(|file| file.name.strip_suffix(".toml")).map(str::to_owned).collect();
        let mut catalog = Catalog::new();
        for (kind, places) in read {
            let before = diagnostics.clone();
            cross::resources(&kind, &places, &keywords, diagnostics);
            if *diagnostics == before {
                catalog.insert(kind);
            }
        }
        catalog
    }
}

/// Where parts of a kind are written, for checks across parts and files.
pub(crate) struct Places {
    pub(crate) keyword: Span,
    pub(crate) id: Span,
    pub(crate) parent: Span,
    pub(crate) conflict_domain: Span,
    pub(crate) name_from: Span,
    pub(crate) unmanaged: Span,
    pub(crate) attributes: IndexMap<String, Span>,
}

fn kind(file: &KindSource, source: SourceId, diagnostics: &mut Diagnostics) -> Option<(Kind, Places)> {
    let (table, errors) = DeTable::parse_recoverable(file.text);
    if !errors.is_empty() {
        for error in errors {
            let span = error.span().unwrap_or(0..file.text.len().min(1));
            diagnostics.push(
                Diagnostic::error(NOT_TOML, "the kind file is no TOML")
                    .at(Span::new(source, span.start, span.end), error.message()),
            );
        }
        return None;
    }
    let whole = Span::new(source, 0, file.text.find('\n').unwrap_or(file.text.len()));
    let mut view = View::new(table.get_ref(), source, whole);

    let keyword = view.required_text("keyword", diagnostics);
    if let Some(keyword) = &keyword
        && Some(keyword.value.as_str()) != file.name.strip_suffix(".toml")
    {
        diagnostics.push(
            Diagnostic::error(
                WRONG_VALUE,
                format!("the file of `{}` is not called `{}.toml`", keyword.value, keyword.value),
            )
            .at(keyword.span, format!("the file is `{}`", file.name))
            .help("name the file after its keyword"),
        );
    }
    let title = view.required_text("title", diagnostics);
    let docs = view.required_text("docs", diagnostics);
    let example = view.required_text("example", diagnostics);
    if let (Some(keyword), Some(example)) = (file.name.strip_suffix(".toml"), &example) {
        check_example(keyword, example, diagnostics);
    }
    let planes = [
        ("arm", Plane::Arm),
        ("graph", Plane::Graph),
        ("key_vault", Plane::KeyVault),
        ("kubernetes", Plane::Kubernetes),
    ];
    let plane = view.word("plane", &planes, diagnostics).unwrap_or(Plane::Arm);
    let raw = view.flag("raw", diagnostics);
    let mut unless_raw = |key| if raw { view.text(key, diagnostics) } else { view.required_text(key, diagnostics) };
    let (resource_type, api_version, id) = (unless_raw("type"), unless_raw("api_version"), unless_raw("id"));

    let late = late(&mut view, diagnostics);
    let found_by = found_by(&mut view, diagnostics);
    let principal = view.table("principal").and_then(|mut table| {
        let (output, of) = (table.required_text("output", diagnostics), table.required_text("type", diagnostics));
        table.finish(diagnostics);
        Some(Principal { output: output?.value, of: of?.value })
    });
    let parent = view.text("parent", diagnostics);
    let name_from = name_from(&mut view, diagnostics);
    let marker = marker(&mut view, diagnostics);
    let stateful = view.flag("stateful", diagnostics);
    let existing = !view.has("existing") || view.flag("existing", diagnostics);
    let managed = !view.has("managed") || view.flag("managed", diagnostics);
    let write = view
        .word("write", &[("replace", Write::Replace), ("merge", Write::Merge)], diagnostics)
        .unwrap_or(Write::Replace);
    let delete =
        view.word("delete", &[("plain", Delete::Plain), ("soft", Delete::Soft)], diagnostics).unwrap_or(Delete::Plain);
    let read_only = view.texts("read_only", diagnostics);
    let conflict_domain = view.text("conflict_domain", diagnostics);
    let seconds = view.number("seconds", diagnostics);
    if !view.has("seconds") {
        view.missing("seconds", diagnostics);
    } else if seconds.is_some_and(|seconds| seconds <= 0.0) {
        diagnostics.push(
            Diagnostic::error(WRONG_VALUE, "`seconds` must be more than 0")
                .at(view.place("seconds"), "how long creating one takes"),
        );
    }
    let quirks = [
        ("soft_deleted_name", Quirk::SoftDeletedName),
        ("federated_credential_uniqueness", Quirk::FederatedCredentialUniqueness),
        ("cascades", Quirk::Cascades),
        ("blocks", Quirk::Blocks),
        ("comes_with_parent", Quirk::ComesWithParent),
        ("written_twice", Quirk::WrittenTwice),
        ("cluster_access", Quirk::ClusterAccess),
        ("vault_access", Quirk::VaultAccess),
        ("gives_rights", Quirk::GivesRights),
    ];
    let quirks: Vec<Quirk> = view
        .texts("quirks", diagnostics)
        .iter()
        .filter_map(|quirk| pick("quirk", quirk, &quirks, diagnostics))
        .collect();
    let unmanaged = view.text("unmanaged", diagnostics).map(|text| text.value);
    let severity = view.word("severity", Severity::WORDS, diagnostics).unwrap_or_default();
    let lists = lists(&mut view, diagnostics);
    let reset = view.json("reset", diagnostics).map(|body| body.value);
    let blocks = rules::blocks(&mut view, diagnostics);
    let rules = rules::rules(&mut view, diagnostics);
    let gives = rules::gives(&mut view, diagnostics);

    let mut written = Places {
        keyword: view.place("keyword"),
        id: view.place("id"),
        parent: view.place("parent"),
        conflict_domain: view.place("conflict_domain"),
        name_from: view.place("name_from"),
        unmanaged: view.place("unmanaged"),
        attributes: IndexMap::new(),
    };
    let mut attributes = IndexMap::new();
    for (name, view) in view.tables("attributes", diagnostics) {
        if let Some(attribute) = attribute::attribute(&name, view, attribute::Place::Body, diagnostics) {
            written.attributes.insert(name.value.clone(), name.span);
            attributes.insert(name.value, attribute);
        }
    }
    let mut outputs = IndexMap::new();
    for (name, view) in view.tables("outputs", diagnostics) {
        if let Some(output) = output(&name, view, diagnostics) {
            outputs.insert(name.value, output);
        }
    }
    let scopes = scopes::scopes(&mut view, diagnostics);
    view.finish(diagnostics);

    let text = |part: Option<At<String>>| part.map(|part| part.value).unwrap_or_default();
    let kind = Kind {
        keyword: keyword?.value,
        title: text(title),
        docs: text(docs),
        example: text(example),
        plane,
        resource_type: text(resource_type),
        api_version: text(api_version),
        id: text(id),
        late,
        found_by,
        principal,
        parent: parent.map(|parent| parent.value),
        name_from,
        marker: marker?,
        stateful,
        existing,
        managed,
        attributes,
        outputs,
        scopes,
        write,
        read_only: read_only.into_iter().map(|pointer| pointer.value).collect(),
        delete,
        conflict_domain: conflict_domain.map(|domain| domain.value),
        lists: lists.into_iter().map(|(list, _)| list).collect(),
        reset,
        blocks,
        rules,
        gives: gives.iter().map(|(gives, _)| gives.clone()).collect(),
        seconds: seconds?,
        quirks,
        unmanaged,
        severity,
    };
    cross::parts(&kind, &written, diagnostics);
    cross::gives(&kind, &gives, diagnostics);
    Some((kind, written))
}

fn name_from(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> NameFrom {
    if view.place("name_from") == view.span {
        return NameFrom::Author;
    }
    if let Some(mut table) = view.table("name_from") {
        let parts = table.texts("guid", diagnostics).into_iter().map(|name| name.value).collect();
        if !table.has("guid") {
            table.missing("guid", diagnostics);
        }
        table.finish(diagnostics);
        return NameFrom::Guid(parts);
    }
    if let Some(json) = view.json("name_from", diagnostics)
        && json.value.is_string()
    {
        let text = At { value: json.value.as_str().unwrap_or_default().to_owned(), span: json.span };
        let words = [("author", false), ("label", true)];
        return if pick("name_from", &text, &words, diagnostics) == Some(true) {
            NameFrom::Label
        } else {
            NameFrom::Author
        };
    }
    NameFrom::Hash(view.texts("name_from", diagnostics).into_iter().map(|name| name.value).collect())
}

/// How Azure's id comes about: `{ path, of }`, `{ told }` or `{ path }`.
fn late(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Option<LateId> {
    let mut table = view.table("late")?;
    let told = table.text("told", diagnostics);
    let create = table.text("create", diagnostics).map(|path| path.value);
    let of = table.texts("of", diagnostics);
    let path = if told.is_some() { None } else { table.required_text("path", diagnostics) };
    table.finish(diagnostics);
    Some(match (told, path) {
        (Some(told), _) => LateId::Told { path: told.value, create },
        (None, Some(path)) if of.is_empty() => LateId::Path(path.value),
        (None, path) => LateId::Made { path: path?.value, of: of.into_iter().map(|name| name.value).collect() },
    })
}

fn found_by(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Vec<FoundBy> {
    let mut all = Vec::new();
    for mut table in view.table_list("found_by", diagnostics) {
        let at = table.jsons("at", diagnostics);
        let id = table.text("id", diagnostics).map(|id| id.value);
        let existing = table.flag("existing", diagnostics);
        if at.is_empty() {
            table.missing("at", diagnostics);
        }
        table.finish(diagnostics);
        let pointers = at.into_iter().map(|(name, pointer)| {
            let pointer = pointer.value.as_str().map(str::to_owned).unwrap_or_default();
            (name, pointer)
        });
        all.push(FoundBy { at: pointers.collect(), id, existing });
    }
    all
}

fn marker(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Option<Marker> {
    if let Some(mut table) = view.table("marker") {
        if table.has("unique_name") {
            let pointer = table.text("unique_name", diagnostics);
            table.finish(diagnostics);
            return Some(Marker::UniqueName(pointer?.value));
        }
        // A place of its own needs no attribute there.
        let key = if table.has("metadata") { "metadata" } else { "text" };
        let pointer = table.required_text(key, diagnostics);
        table.finish(diagnostics);
        return Some(Marker::Text(pointer?.value));
    }
    if !view.has("marker") {
        view.missing("marker", diagnostics);
        return None;
    }
    match view.text("marker", diagnostics)? {
        At { value, .. } if value == "tag" => Some(Marker::Tag),
        At { value, .. } if value == "label" => Some(Marker::Label),
        text => pick("marker", &text, &[("tag", 0), ("label", 0), ("parent", 0)], diagnostics).map(|_| Marker::Parent),
    }
}

fn lists(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Vec<(ListCall, Span)> {
    let mut lists = Vec::new();
    for mut list in view.table_list("lists", diagnostics) {
        let path = list.required_text("path", diagnostics);
        let scope = list.word(
            "scope",
            &[
                ("subscription", ListScope::Subscription),
                ("parent", ListScope::Parent),
                ("lookup", ListScope::Lookup),
                ("cluster", ListScope::Cluster),
            ],
            diagnostics,
        );
        if scope.is_none() && !list.has("scope") {
            list.missing("scope", diagnostics);
        }
        let inline = attribute::pointer_at("inline", &mut list, diagnostics);
        list.finish(diagnostics);
        if let (Some(path), Some(scope)) = (path, scope) {
            cross::list(&path, scope, diagnostics);
            lists.push((ListCall { path: path.value, scope, inline }, path.span));
        }
    }
    lists
}

fn output(name: &At<String>, mut view: View<'_, '_>, diagnostics: &mut Diagnostics) -> Option<Output> {
    let docs = view.required_text("docs", diagnostics);
    let of = attribute::simple_type(&mut view, diagnostics);
    let pointer = attribute::pointer(&mut view, diagnostics);
    if pointer.is_none() {
        view.missing("pointer", diagnostics);
    }
    let equality = view.word("equality", attribute::EQUALITIES, diagnostics).unwrap_or_default();
    let early = view.flag("early", diagnostics);
    view.finish(diagnostics);
    Some(Output { name: name.value.clone(), docs: docs?.value, of: of?, pointer: pointer?, equality, early })
}

/// What can be seen without the language: that the example has a block of its kind, and that its braces close.
fn check_example(keyword: &str, example: &At<String>, diagnostics: &mut Diagnostics) {
    let has_block = example.value.lines().any(|line| {
        line.trim_start_matches("existing ")
            .strip_prefix(keyword)
            .is_some_and(|rest| rest.trim_start().starts_with('"'))
    });
    if !has_block {
        diagnostics.push(
            Diagnostic::error(BAD_EXAMPLE, format!("the example has no `{keyword}` block"))
                .at(example.span, "here")
                .help(format!("show a complete block: `{keyword} \"app\" {{ … }}`")),
        );
    }
    if example.value.matches('{').count() != example.value.matches('}').count() {
        diagnostics.push(Diagnostic::error(BAD_EXAMPLE, "braces of the example do not close").at(example.span, "here"));
    }
}

#[cfg(test)]
mod tests;
