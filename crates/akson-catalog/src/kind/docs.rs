//! A kind as a page: `akson explain KIND` and the book's reference. Not how a terminal shows Markdown.

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::{Attribute, ChangeEffect, Kind, LateId, Marker, NameFrom, OnCreate, Role};
use crate::{Type, Value};

/// The page of a kind, in Markdown.
pub fn explain(kind: &Kind) -> String {
    let mut page = Page::default();
    page.line(&format!("# `{}`: {}", kind.keyword, kind.title));
    page.paragraph(&kind.docs);
    page.heading("Example");
    page.line(&format!("```aks\n{}\n```", kind.example));
    page.heading("Attributes");
    page.table(
        &["attribute", "type", "if left out", "a change"],
        kind.attributes.values().map(|attribute| row(kind, attribute)).collect(),
    );
    for attribute in kind.attributes.values() {
        page.attribute(attribute);
    }
    if !kind.outputs.is_empty() {
        page.heading("Outputs");
        let rows = kind
            .outputs
            .values()
            .map(|output| vec![code(&output.name), code(&output.of.to_string()), output.docs.clone()]);
        page.table(&["output", "type", ""], rows.collect());
    }
    if !kind.scopes.is_empty() {
        page.heading("Scopes");
        let rows = kind.scopes.iter().map(|(name, scope)| {
            vec![code(&format!("{name}(name)")), scope.docs.clone(), format!("`name` is {}", scope.rule.words)]
        });
        page.table(&["call", "", ""], rows.collect());
    }
    page.heading("In Azure");
    page.facts(kind);
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn paragraph(&mut self, text: &str) {
        self.line("");
        self.line(text.trim());
    }

    fn heading(&mut self, text: &str) {
        self.line("");
        self.line(&format!("## {text}"));
        self.line("");
    }

    fn table(&mut self, heads: &[&str], rows: Vec<Vec<String>>) {
        self.line(&format!("| {} |", heads.join(" | ")));
        self.line(&format!("|{}", "---|".repeat(heads.len())));
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
            self.line(&format!("| {} |", cells.join(" | ")));
        }
    }

    /// What the table has no room for.
    fn attribute(&mut self, attribute: &Attribute) {
        self.line("");
        self.line(&format!("### `{}`", attribute.name));
        self.paragraph(&describe(attribute));
        if let Some(reason) = &attribute.change_reason {
            self.paragraph(reason);
        }
        self.members(&attribute.fields);
        if attribute.variants.is_empty() {
            return;
        }
        self.line("");
        for (name, variant) in &attribute.variants {
            let arguments: Vec<String> = variant
                .arguments
                .values()
                .map(
                    |argument| {
                        if argument.required { argument.name.clone() } else { format!("{} = …", argument.name) }
                    },
                )
                .collect();
            let call = if arguments.is_empty() { name.clone() } else { format!("{name}({})", arguments.join(", ")) };
            self.line(&format!("- `{call}`: {}", variant.docs));
            for argument in variant.arguments.values() {
                self.line(&format!("  - `{}` ({}): {}", argument.name, shown(argument), describe(argument)));
                for field in argument.fields.values() {
                    self.line(&format!(
                        "    - `{}` ({}{}): {}",
                        field.name,
                        shown(field),
                        optional(field),
                        describe(field)
                    ));
                }
            }
        }
    }

    fn members(&mut self, fields: &IndexMap<String, Attribute>) {
        if !fields.is_empty() {
            self.line("");
        }
        for field in fields.values() {
            self.line(&format!("- `{}` ({}{}): {}", field.name, shown(field), optional(field), describe(field)));
        }
    }

    fn facts(&mut self, kind: &Kind) {
        if kind.resource_type.is_empty() {
            self.line("- Type and api-version: the block's first label.");
        } else {
            match kind.api_version.as_str() {
                "" => self.line(&format!("- Type `{}`.", kind.resource_type)),
                version => self.line(&format!("- Type `{}`, api-version `{version}`.", kind.resource_type)),
            }
            match &kind.late {
                None => self.line(&format!("- Id: `{}`.", kind.id)),
                Some(LateId::Path(path)) => self.line(&format!("- Path: `{path}`.")),
                Some(LateId::Made { path, of }) => {
                    self.line(&format!("- Id: `{path}`, made of {}.", of.join(", ")));
                }
                Some(LateId::Told { .. }) => self.line("- Id: told by the service."),
            }
        }
        self.line(match &kind.marker {
            Marker::Tag => "- Marked as ours by the tag `akson`.",
            Marker::Text(_) => "- Marked as ours by a suffix of its text, which comparison leaves out.",
            Marker::Label => "- Marked as ours by the label `akson`.",
            Marker::UniqueName(_) => "- Known by its unique name: one that is made shows whose it is, of one that is written the ledger knows.",
            Marker::Parent => "- Takes no marker: it is ours if the ledger says so and what it lies in is ours.",
        });
        if kind.stateful {
            self.line("- Holds data or an identity: a plan never replaces it unless `--replace` asks for it.");
        }
        if kind.existing {
            self.line(&format!("- May be declared with `existing {}`: read, never written.", kind.keyword));
        }
        for (word, nested) in &kind.blocks {
            let kind = &nested.kind;
            self.line(&format!(
                "- Blocks `{word} \"name\" {{ … }}` in it are resources of their own, of kind `{kind}`."
            ));
            if let Some(first) = &nested.first {
                let (attribute, is) = (&first.attribute, &first.is);
                self.line(&format!("- It needs a `{word}` with `{attribute} = {is}`; the first is created with it."));
            }
        }
        for rule in &kind.rules {
            self.line(&format!("- {}: {} ({})", akson_diagnostics::Code(rule.code), rule.says, rule.why));
        }
        if kind.reset.is_some() {
            self.line("- Never created or deleted: when its block goes, it is set back.");
        }
        if let NameFrom::Hash(from) = &kind.name_from {
            self.line(&format!("- Without a `name`, it is a hash of the stack's id, {}.", from.join(" and ")));
        }
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn row(kind: &Kind, attribute: &Attribute) -> Vec<String> {
    vec![code(&attribute.name), shown(attribute), left_out(kind, attribute), change(attribute).to_owned()]
}

/// The type for people: words of enums, names of constructors.
fn shown(attribute: &Attribute) -> String {
    match &attribute.of {
        Type::Choice => attribute.variants.keys().map(|name| code(name)).collect::<Vec<_>>().join(" or "),
        Type::Enum(words) => words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" or "),
        Type::Switch => "`enabled` or `disabled`".to_owned(),
        Type::Set(item) | Type::List(item) if matches!(**item, Type::Enum(_)) => {
            let words = item.to_string();
            let words = words.trim_start_matches("enum(").trim_end_matches(')').replace('"', "`");
            format!("{} of {words}", if matches!(attribute.of, Type::Set(_)) { "set" } else { "list" })
        }
        Type::List(item) if matches!(**item, Type::Object(_)) => "list of objects".to_owned(),
        Type::Set(item) if matches!(**item, Type::Object(_)) => "set of objects".to_owned(),
        Type::Object(_) if attribute.keyed.is_some() => "blocks with a label".to_owned(),
        Type::Object(_) => "block".to_owned(),
        of => code(&of.to_string()),
    }
}

fn optional(attribute: &Attribute) -> &'static str {
    if attribute.required { "" } else { ", optional" }
}

fn left_out(kind: &Kind, attribute: &Attribute) -> String {
    if attribute.required {
        return "required".to_owned();
    }
    match (&attribute.on_create, attribute.role) {
        (Some(OnCreate::Value(value)), _) if kind.reset.is_some() => format!("set to `{}`", plain(value)),
        (Some(OnCreate::Value(value)), _) => format!("created with `{}`", plain(value)),
        (Some(OnCreate::Tenant), _) => "created with the stack's tenant".to_owned(),
        (Some(OnCreate::TokenExchangeAudience), _) => "created with the cloud's audience".to_owned(),
        (Some(OnCreate::DnsLabel), _) => "created with its name as a DNS label".to_owned(),
        (None, Role::Location) => "inherited".to_owned(),
        (None, Role::Subscription) => "the stack's".to_owned(),
        (None, Role::Name) => match &kind.name_from {
            NameFrom::Label => "the block's label".to_owned(),
            NameFrom::Hash(from) => format!("made from {}", from.join(" and ")),
            NameFrom::Guid(from) => format!("a GUID made from {}", from.join(" or ")),
            NameFrom::Author => "required".to_owned(),
        },
        (None, _) => attribute
            .default
            .as_ref()
            .map_or_else(String::new, |default| format!("not ours; Azure's default is `{}`", plain(default))),
    }
}

fn change(attribute: &Attribute) -> &'static str {
    match attribute.change {
        ChangeEffect::InPlace => "in place",
        ChangeEffect::Replace => "replaces",
        ChangeEffect::Irreversible => "one way only",
    }
}

fn describe(attribute: &Attribute) -> String {
    let mut text = attribute.docs.clone();
    if let Some(rule) = &attribute.rule {
        // Writing to a String cannot fail.
        let _ = write!(text, " Must be {}.", rule.words);
    }
    if let Some((least, most)) = attribute.range {
        let _ = write!(text, " From {least} to {most}.");
    }
    if attribute.removable {
        text.push_str(" `none` removes it.");
    }
    if attribute.sensitive {
        text.push_str(" Sensitive: never shown, never kept.");
    }
    text
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Choice { name: text, .. } => text.clone(),
        Value::Int(whole) => whole.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => crate::json::to_plain_json(other).map_or_else(String::new, |json| json.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;
    use crate::Catalog;

    #[test]
    fn a_page_has_all_of_a_kind() {
        for kind in Catalog::builtin().unwrap().iter() {
            let page = explain(kind);
            for attribute in kind.attributes.values() {
                assert!(page.contains(&format!("### `{}`\n\n{}", attribute.name, attribute.docs)), "{page}");
            }
            for output in kind.outputs.values() {
                assert!(page.contains(&format!("| `{}` |", output.name)), "{page}");
            }
            assert!(page.contains(&kind.example) && page.contains(&kind.api_version));
        }
    }

    #[test]
    fn a_page_reads_well() {
        let page = explain(Catalog::builtin().unwrap().get("vault").unwrap());
        for line in [
            "# `vault`: Key Vault",
            "| `sku` | `standard` or `premium` | created with `standard` | in place |",
            "| `purge_protection` | `enabled` or `disabled` | not ours; Azure's default is `disabled` | one way only |",
            "- `selected(ips = …, subnets = …, subnets_without_endpoint = …, trusted_services = …)`: From these addresses and subnets, and through private endpoints.",
            "| `uri` | `url` | Its endpoint, with a slash at the end: `https://myapp-kv-x7.vault.azure.net/`. |",
        ] {
            assert!(page.contains(line), "{line}\nnot in\n{page}");
        }
    }
}
