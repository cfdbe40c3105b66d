//! The `[scopes.…]` tables of a kind file: places below a resource that access can be granted on. Not the resources in it.

use akson_diagnostics::{Diagnostic, Diagnostics};
use indexmap::IndexMap;

use super::{
    attribute,
    view::{BAD_TEMPLATE, View},
};
use crate::kind::{SubScope, ids};

/// Reads them.
pub(super) fn scopes(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> IndexMap<String, SubScope> {
    let mut scopes = IndexMap::new();
    for (name, mut view) in view.tables("scopes", diagnostics) {
        let docs = view.required_text("docs", diagnostics);
        let path = view.required_text("path", diagnostics);
        let rule = attribute::rule(&mut view, diagnostics);
        if !view.has("pattern") {
            view.missing("pattern", diagnostics);
        }
        view.finish(diagnostics);
        let (Some(docs), Some(path), Some(rule)) = (docs, path, rule) else { continue };
        if !path.value.starts_with('/') || ids::parts(&path.value) != ["name"] {
            diagnostics.push(
                Diagnostic::error(BAD_TEMPLATE, format!("the path of the scope `{}` is none", name.value))
                    .at(path.span, "begins with `/` and names `{name}`, once"),
            );
            continue;
        }
        scopes.insert(name.value, SubScope { docs: docs.value, path: path.value, rule });
    }
    scopes
}
