//! Which block a read was for: a failure of it is shown there. Not what failed.

use akson_catalog::{Value, kind::Plane};
use akson_config::{Config, Resource};

/// The first resource that is found by this name, whatever its case.
pub(super) fn named<'a>(name: &str, config: &'a Config) -> Option<&'a Resource> {
    let is_it = |value: &Value| matches!(value, Value::Text(text) if text.to_lowercase() == name);
    config.resources.iter().find(|resource| resource.finders.iter().any(|finder| is_it(&finder.want)))
}

/// The first resource that a path was read for.
pub(super) fn asking<'a>(path: &str, config: &'a Config) -> Option<&'a Resource> {
    let path = path.split('?').next().unwrap_or_default().trim_end_matches('/').to_ascii_lowercase();
    if let Some(rest) = path.strip_prefix("/v1.0/") {
        let collection = rest.split(['/', '(']).next().unwrap_or_default();
        return config.resources.iter().find(|resource| {
            let of = resource.kind.resource_type.rsplit('/').next().unwrap_or_default();
            resource.kind.plane == Plane::Graph && of.eq_ignore_ascii_case(collection)
        });
    }
    let id = |resource: &Resource| resource.symbolic_id.as_str().to_ascii_lowercase();
    let is_below = |id: &str, above: &str| id.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
    let resources = || config.resources.iter();
    // The object itself, or one of a list; else what the list lies in, the nearest first.
    resources()
        .find(|resource| id(resource) == path)
        .or_else(|| resources().find(|resource| is_below(&id(resource), &path)))
        .or_else(|| {
            // A list of a type over a whole subscription.
            let (scope, of) = path.rsplit_once("/providers/")?;
            resources()
                .find(|resource| resource.kind.resource_type.eq_ignore_ascii_case(of) && is_below(&id(resource), scope))
        })
        .or_else(|| {
            resources().filter(|resource| is_below(&path, &id(resource))).max_by_key(|resource| id(resource).len())
        })
}
