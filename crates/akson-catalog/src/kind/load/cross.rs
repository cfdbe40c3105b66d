//! Checks across the parts of a kind and across kinds: what templates, parents and references name must be there.

use akson_diagnostics::{Diagnostic, Diagnostics, Span, did_you_mean};

use super::{
    Places,
    view::{At, BAD_TEMPLATE, INCONSISTENT, UNKNOWN_NAME},
};
use crate::{
    Attribute, Kind, Type,
    kind::{Gives, LateId, ListScope, Marker, NameFrom, Role, SCOPE, ids},
};

/// Free keys of policy objects: a mark there needs no attribute.
const METADATA: &str = "/properties/metadata/";

/// Kinds of the language that a kind file may name before their own file is there.
const EXPECTED: [&str; 4] = ["group", "user", "service_principal", "application"];

/// What gives access names attributes that there are.
pub(super) fn gives(kind: &Kind, gives: &[(Gives, Span)], diagnostics: &mut Diagnostics) {
    for (gives, span) in gives {
        for path in gives.paths().filter(|path| kind.attribute(path).is_none()) {
            diagnostics.push(
                Diagnostic::error(UNKNOWN_NAME, format!("there is no attribute `{path}`"))
                    .at(*span, "access is given by it"),
            );
        }
    }
}

/// Within one kind.
pub(super) fn parts(kind: &Kind, places: &Places, diagnostics: &mut Diagnostics) {
    let known: Vec<&str> = kind.attributes.keys().map(String::as_str).collect();
    let mut must_be = |name: &str, span: Span, what: &str| {
        if kind.attributes.contains_key(name) {
            return;
        }
        let diagnostic =
            Diagnostic::error(UNKNOWN_NAME, format!("there is no attribute `{name}`")).at(span, what.to_owned());
        diagnostics.push(match did_you_mean(name, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        });
    };
    if let Some(parent) = &kind.parent {
        must_be(parent, places.parent, "what it lies in");
    }
    if let Some(domain) = kind.conflict_domain.as_deref().filter(|domain| *domain != "self") {
        must_be(domain, places.conflict_domain, "an attribute, or `self`");
    }
    if let NameFrom::Hash(names) | NameFrom::Guid(names) = &kind.name_from {
        for name in names {
            must_be(name, places.name_from, "the name is made from it");
        }
    }

    for name in kind.unmanaged.iter().flat_map(|sentence| sentence.split('{').skip(1)) {
        must_be(name.split('}').next().unwrap_or_default(), places.unmanaged, "named in the sentence");
    }

    let finds = |part: &str| kind.found_by.iter().any(|found| found.at.contains_key(part));
    for name in kind.found_by.iter().flat_map(|found| found.at.keys()) {
        must_be(name, places.keyword, "an object is found by it");
    }
    if let Some(LateId::Made { of, .. }) = &kind.late {
        for name in of {
            must_be(name, places.keyword, "the id is made from it");
        }
    }
    if let Some(principal) = &kind.principal
        && !kind.outputs.contains_key(&principal.output)
    {
        diagnostics.push(
            Diagnostic::error(UNKNOWN_NAME, format!("there is no output `{}`", principal.output))
                .at(places.keyword, "its principal id"),
        );
    }

    let mut unknown_part = false;
    for part in kind.id_parts() {
        let in_id = finds(part)
            || kind.attributes.get(part).is_some_and(|attribute| matches!(attribute.role, Role::Name | Role::Parent));
        if part != "subscription" && !in_id {
            unknown_part = true;
            diagnostics.push(
                Diagnostic::error(BAD_TEMPLATE, format!("the id names `{part}`, which is no part of an id"))
                    .at(places.id, format!("`{{{part}}}`"))
                    .help("name `subscription`, or an attribute with `role = \"name\"` or `role = \"parent\"`"),
            );
        }
    }
    for attribute in kind.attributes.values() {
        let unnamed = !unknown_part
            && !kind.id.is_empty()
            && matches!(attribute.role, Role::Name | Role::Parent)
            && !finds(&attribute.name)
            && !kind.id_parts().contains(&attribute.name.as_str());
        if let Some(span) = places.attributes.get(&attribute.name).filter(|_| unnamed) {
            diagnostics.push(
                Diagnostic::error(
                    BAD_TEMPLATE,
                    format!("`{}` is a part of the id, which does not name it", attribute.name),
                )
                .at(*span, "here")
                .also(places.id, "the id"),
            );
        }
    }
    if kind.name_from == NameFrom::Author
        && let Some(name) =
            kind.attributes.values().find(|attribute| attribute.role == Role::Name && !attribute.required)
        && let Some(span) = places.attributes.get(&name.name)
    {
        diagnostics.push(
            Diagnostic::error(
                INCONSISTENT,
                format!("`{}` may be left out and nothing says what it is then", name.name),
            )
            .at(*span, "needs `required = true`")
            .help("or say `name_from` of the kind"),
        );
    }
    if kind.marker == Marker::Tag && !kind.attributes.values().any(|attribute| attribute.role == Role::Tags) {
        diagnostics.push(
            Diagnostic::error(INCONSISTENT, format!("`{}` is marked by a tag and has no tags", kind.keyword))
                .at(places.keyword, "here"),
        );
    }
    if let Marker::Text(pointer) = &kind.marker
        && !pointer.starts_with(METADATA)
        && !kind.attributes.values().any(|attribute| attribute.pointer.as_ref() == Some(pointer))
    {
        diagnostics.push(
            Diagnostic::error(INCONSISTENT, format!("no attribute stands at the marker's place `{pointer}`"))
                .at(places.keyword, "here"),
        );
    }
    same_place(kind, places, diagnostics);
}

/// Two attributes at one place would overwrite each other.
fn same_place(kind: &Kind, places: &Places, diagnostics: &mut Diagnostics) {
    let mut seen: Vec<(String, &str)> = Vec::new();
    for attribute in kind.attributes.values() {
        for pointer in places_of(attribute) {
            if let Some((_, other)) = seen.iter().find(|(earlier, _)| *earlier == pointer)
                && *other != attribute.name
                && !share(kind, other, attribute)
                && let (Some(span), Some(first)) =
                    (places.attributes.get(&attribute.name), places.attributes.get(*other))
            {
                diagnostics.push(
                    Diagnostic::error(
                        INCONSISTENT,
                        format!("`{other}` and `{}` stand at one place of the body", attribute.name),
                    )
                    .at(*span, format!("`{pointer}`"))
                    .also(*first, "and here"),
                );
            }
            seen.push((pointer, &attribute.name));
        }
    }
}

/// Whether two attributes may stand at one place: of which one at most is written, or whose items are told apart by what wraps them.
fn share(kind: &Kind, other: &str, attribute: &Attribute) -> bool {
    let alternatives = kind
        .rules
        .iter()
        .any(|rule| [other, &attribute.name].iter().all(|name| rule.one_of.iter().any(|of| of == name)));
    let wrapped = kind.attributes.get(other).is_some_and(|other| other.wrap_items != attribute.wrap_items);
    alternatives || wrapped
}

fn places_of(attribute: &Attribute) -> Vec<String> {
    let mut found: Vec<String> = attribute.pointer.iter().cloned().collect();
    found.extend(crate::encode::pointers(attribute));
    if matches!(attribute.of, Type::Object(_)) && attribute.keyed.is_none() {
        found.extend(attribute.fields.values().flat_map(places_of));
    }
    found
}

/// A list call's path.
pub(super) fn list(path: &At<String>, scope: ListScope, diagnostics: &mut Diagnostics) {
    let wanted = match scope {
        ListScope::Subscription => "subscription",
        ListScope::Parent => "parent",
        // That of a cluster is a path of its API server.
        ListScope::Lookup | ListScope::Cluster => return,
    };
    let parts = ids::parts(&path.value);
    if !parts.contains(&wanted) {
        diagnostics.push(
            Diagnostic::error(BAD_TEMPLATE, format!("the list call does not name `{wanted}`"))
                .at(path.span, format!("needs `{{{wanted}}}`")),
        );
    }
    for part in parts.iter().filter(|part| !matches!(**part, "subscription" | "resource_group" | "parent")) {
        diagnostics.push(
            Diagnostic::error(BAD_TEMPLATE, format!("a list call knows no `{part}`"))
                .at(path.span, "`{subscription}`, `{resource_group}` and `{parent}` are known"),
        );
    }
}

/// Across kinds: what attributes refer to exists, and what blocks stand for.
pub(super) fn resources(kind: &Kind, places: &Places, keywords: &[String], diagnostics: &mut Diagnostics) {
    for nested in kind.blocks.values().filter(|nested| !keywords.contains(&nested.kind)) {
        diagnostics.push(
            Diagnostic::error(UNKNOWN_NAME, format!("there is no kind `{}`", nested.kind))
                .at(places.keyword, "a block of this stands for it"),
        );
    }
    for attribute in kind.attributes.values() {
        let Some(span) = places.attributes.get(&attribute.name) else { continue };
        let mut referred = Vec::new();
        referred_by(attribute, &mut referred);
        let there = |keyword: &&String| {
            matches!(keyword.as_str(), "*" | SCOPE)
                || keywords.contains(keyword)
                || EXPECTED.contains(&keyword.as_str())
        };
        for keyword in referred.iter().filter(|keyword| !there(keyword)) {
            let diagnostic = Diagnostic::error(UNKNOWN_NAME, format!("there is no kind `{keyword}`"))
                .at(*span, format!("`{}` refers to it", attribute.name));
            diagnostics.push(match did_you_mean(keyword, keywords.iter().map(String::as_str)) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic,
            });
        }
    }
}

fn referred_by(attribute: &Attribute, found: &mut Vec<String>) {
    referred_type(&attribute.of, found);
    let arguments = attribute.variants.values().flat_map(|variant| variant.arguments.values());
    for inner in attribute.fields.values().chain(arguments) {
        referred_by(inner, found);
    }
}

fn referred_type(of: &Type, found: &mut Vec<String>) {
    match of {
        Type::Resource(kinds) => found.extend(kinds.iter().cloned()),
        Type::List(item) | Type::Set(item) | Type::Map(item) => referred_type(item, found),
        _ => {}
    }
}
