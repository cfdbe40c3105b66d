//! The resource graph as text for Graphviz and Mermaid. Names are escaped; nothing in them can leave its label.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use akson_config::Config;

/// The edges as pairs of addresses: from what needs to what is needed, each once.
pub(crate) fn edges(config: &Config) -> Vec<(String, String)> {
    let addresses: BTreeMap<_, _> =
        config.resources.iter().map(|resource| (&resource.symbolic_id, resource.address.to_string())).collect();
    let mut seen = BTreeSet::new();
    let mut edges = Vec::new();
    for resource in &config.resources {
        let from = resource.address.to_string();
        for dependency in &resource.dependencies {
            if let Some(to) = addresses.get(&dependency.on) {
                let edge = (from.clone(), to.clone());
                if seen.insert(edge.clone()) {
                    edges.push(edge);
                }
            }
        }
    }
    edges
}

/// Graphviz.
pub(crate) fn dot(config: &Config) -> String {
    let mut out =
        String::from("digraph akson {\n  rankdir = \"LR\";\n  node [shape = box, fontname = \"sans-serif\"];\n");
    for resource in &config.resources {
        let style = if resource.existing { " [style = dashed]" } else { "" };
        let _ = writeln!(out, "  {}{style};", quoted(&resource.address.to_string()));
    }
    for (from, to) in edges(config) {
        let _ = writeln!(out, "  {} -> {};", quoted(&from), quoted(&to));
    }
    out.push_str("}\n");
    out
}

/// Mermaid, which code hosts draw in comments.
pub(crate) fn mermaid(config: &Config) -> String {
    let mut out = String::from("graph LR\n");
    let mut names = BTreeMap::new();
    for (at, resource) in config.resources.iter().enumerate() {
        let address = resource.address.to_string();
        let _ = writeln!(out, "  n{at}[\"{}\"]", address.replace('"', "#quot;"));
        names.insert(address, at);
    }
    for (from, to) in edges(config) {
        if let (Some(from), Some(to)) = (names.get(&from), names.get(&to)) {
            let _ = writeln!(out, "  n{from} --> n{to}");
        }
    }
    out
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
