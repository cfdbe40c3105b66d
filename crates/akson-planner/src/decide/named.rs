//! What users call what stands at a place in a body.

use std::collections::BTreeMap;

use akson_catalog::{Attribute, Kind, equality::Equality};

/// What the user calls the attribute that writes at a pointer; the pointer in dots if none is known.
pub(super) fn attribute_of(kind: &Kind, pointer: &str) -> String {
    if let Some(item) = kind.item_at(pointer) {
        return item.path;
    }
    let edges = |attribute: &&Attribute| attribute.equality == Equality::Edges;
    for attribute in kind.attributes.values().filter(edges) {
        let within = attribute.pointer.as_deref().and_then(|at| pointer.strip_prefix(at));
        if let Some(who) = within.and_then(|rest| rest.strip_prefix('/')) {
            return format!("{}[{who:?}]", attribute.name);
        }
    }
    let mut places: BTreeMap<&str, &str> = BTreeMap::new();
    for attribute in kind.attributes.values() {
        let variants = attribute.variants.values();
        let arguments = variants.clone().flat_map(|variant| variant.arguments.values());
        let nested = arguments.chain(attribute.fields.values()).filter_map(|inner| inner.pointer.as_deref());
        let constants = variants.flat_map(|variant| variant.writes.keys()).map(String::as_str);
        for place in attribute.pointer.as_deref().into_iter().chain(nested).chain(constants) {
            places.entry(place).or_insert(&attribute.name);
        }
    }
    let found = places.get(pointer).map(|name| (*name).to_owned());
    found.unwrap_or_else(|| pointer.trim_start_matches('/').replace('/', "."))
}
