//! Evaluating a text in a test: with inputs that its comments give, and diagnostics in one line each.

use std::{collections::BTreeMap, sync::Arc};

use akson_catalog::Catalog;
use akson_config::{Config, evaluate, model::Inputs};
use akson_diagnostics::{Diagnostics, SourceMap};

pub(crate) const TENANT: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const SUBSCRIPTION: &str = "22222222-2222-2222-2222-222222222222";

pub(crate) struct Run {
    pub sources: SourceMap,
    pub diagnostics: Diagnostics,
    pub config: Option<Config>,
}

pub(crate) fn inputs() -> Inputs {
    Inputs {
        tenant: Some(TENANT.to_owned()),
        subscription: Some(SUBSCRIPTION.to_owned()),
        token_exchange_audience: "api://AzureADTokenExchange".to_owned(),
        ..Inputs::default()
    }
}

/// Inputs that comments of a text give: `# --var name=value`, `# AKSON_VAR_name=value`, `# env NAME=value`, `# file NAME=text`.
pub(crate) fn inputs_of(text: &str) -> Inputs {
    let mut inputs = inputs();
    for line in text.lines() {
        let pair = |rest: &str| {
            rest.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap_or_default()
        };
        if let Some(rest) = line.strip_prefix("# --var ") {
            inputs.variables.push(pair(rest));
        } else if let Some(rest) = line.strip_prefix("# AKSON_VAR_") {
            inputs.environment_variables.extend([pair(rest)]);
        } else if let Some(rest) = line.strip_prefix("# env ") {
            inputs.environment.extend([pair(rest)]);
        } else if let Some(rest) = line.strip_prefix("# file ") {
            let (name, content) = pair(rest);
            inputs.files.insert(name, Arc::from(content));
        }
    }
    inputs
}

pub(crate) fn run_with(files: &[(&str, &str)], inputs: &Inputs) -> Run {
    let mut sources = SourceMap::new();
    let ids: Vec<_> = files.iter().map(|(name, text)| sources.add(*name, *text)).collect();
    run_sources(sources, &ids, inputs)
}

pub(crate) fn run_sources(sources: SourceMap, ids: &[akson_diagnostics::SourceId], inputs: &Inputs) -> Run {
    let mut diagnostics = Diagnostics::new();
    let mut parsed = Vec::new();
    let mut modules: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for id in ids {
        let file = akson_parser::parse(&sources, *id, &mut diagnostics);
        match sources.get(*id).name.rsplit_once('/') {
            Some((folder, _)) => modules.entry(folder.to_owned()).or_default().push(file),
            None => parsed.push(file),
        }
    }
    let modules = modules.into_iter().map(|(folder, files)| (folder, Arc::new(files))).collect();
    let inputs = &Inputs { modules, ..inputs.clone() };
    let catalog = Catalog::builtin().unwrap();
    let config = evaluate(&parsed, &sources, catalog, inputs, &mut diagnostics);
    Run { sources, diagnostics, config }
}

/// One text, or several files: each after the first begins with a line `//- NAME`. Those in folders are those of modules.
pub(crate) fn run(text: &str) -> Run {
    let mut files: Vec<(&str, &str)> = Vec::new();
    let mut rest = text;
    let mut name = "main.aks";
    while let Some(at) = rest.find("//- ").filter(|at| *at == 0 || rest[..*at].ends_with('\n')) {
        files.push((name, &rest[..at]));
        let (line, after) = rest[at..].split_once('\n').unwrap_or((&rest[at..], ""));
        name = line.trim_start_matches("//- ").trim();
        rest = after;
    }
    files.push((name, rest));
    run_with(&files, &inputs_of(text))
}

impl Run {
    /// Diagnostics as `AKS0214 message` with their line, in order.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.diagnostics
            .sorted()
            .into_iter()
            .map(|diagnostic| {
                let line = diagnostic.primary().map_or(0, |span| self.sources.start(span).line);
                format!("{line}: {} {}", diagnostic.code, diagnostic.message)
            })
            .collect()
    }

    #[track_caller]
    pub(crate) fn good(self) -> Config {
        assert!(!self.diagnostics.has_errors(), "{:#?}", self.lines());
        self.config.unwrap()
    }
}
