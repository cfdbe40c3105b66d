//! What one resource needs of another that the other tells with the first answer to its write, minutes before it is done: the issuer of
//! a cluster's tokens, say. Not when a step starts: see `schedule`.

use std::collections::BTreeSet;

use akson_catalog::Value;
use akson_config::Resource;

use crate::{known::referenced, place::ancestors};

/// The outputs that are all that `resource` needs of `on`; empty if it needs more than such outputs.
pub(crate) fn needed(resource: &Resource, on: &Resource) -> BTreeSet<String> {
    let id = &on.symbolic_id;
    let lies_in = resource.parent.as_ref() == Some(id) || ancestors(&resource.symbolic_id).any(|above| above == *id);
    if lies_in || !on.kind.outputs.values().any(|output| output.early) {
        return BTreeSet::new();
    }
    let outputs = |value: &Value| {
        let mut found = BTreeSet::new();
        referenced(value, &mut found);
        found.into_iter().filter(|(of, _)| of == id).map(|(_, output)| output).collect::<BTreeSet<String>>()
    };
    // Each place where it stands must be one that takes such an output: to point at it is to need it whole.
    for place in resource.dependencies.iter().filter(|dependency| dependency.on == *id) {
        let own = |attribute: &str| {
            attribute
                .strip_prefix(place.attribute.as_str())
                .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        if !resource.leaves.iter().any(|leaf| own(&leaf.attribute) && !outputs(&leaf.want).is_empty()) {
            return BTreeSet::new();
        }
    }
    let needed: BTreeSet<String> =
        resource.leaves.iter().map(|leaf| &leaf.want).chain(&resource.late).flat_map(outputs).collect();
    let is_early = |name: &String| on.kind.outputs.get(name).is_some_and(|output| output.early);
    if needed.iter().all(is_early) { needed } else { BTreeSet::new() }
}
