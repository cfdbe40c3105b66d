//! `akson graph`: what needs what, from the configuration alone.

use crate::{
    arguments::{Global, OutputFormat},
    exit::Exit,
    load::Loaded,
    output,
    views::graph,
};

/// Prints the graph.
pub(crate) fn run(global: &Global) -> Exit {
    let mut loaded = Loaded::read(global);
    let Some(config) = loaded.evaluate(global, None) else {
        return loaded.refuse(global);
    };
    loaded.report(global);
    output::result(&match global.format {
        Some(OutputFormat::Mermaid | OutputFormat::Markdown) => graph::mermaid(&config),
        Some(OutputFormat::Json) => {
            let nodes: Vec<String> = config.resources.iter().map(|resource| resource.address.to_string()).collect();
            let edges: Vec<_> = graph::edges(&config)
                .into_iter()
                .map(|(from, to)| serde_json::json!({ "from": from, "to": to }))
                .collect();
            akson_diagnostics::render::json::line(&serde_json::json!({ "nodes": nodes, "edges": edges }))
        }
        _ => graph::dot(&config),
    });
    Exit::Done
}
