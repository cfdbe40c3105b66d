//! A configuration on its way in: files read, parsed, evaluated, and what was found on the way, printed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use akson_catalog::Catalog;
use akson_config::{Config, ExpandError, Expanded, model::Inputs};
use akson_diagnostics::{
    Diagnostic, Diagnostics, Severity, SourceId, SourceMap,
    render::{self, Format},
};
use akson_parser::ast;

use crate::{
    arguments::{Global, OutputFormat},
    cloud::Identity,
    exit::Exit,
    folder, output,
};

/// What was read.
pub(crate) struct Loaded {
    pub(crate) sources: SourceMap,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) catalog: &'static Catalog,
    files: Vec<ast::File>,
    /// The files of modules by folder, relative to the configuration's.
    modules: BTreeMap<String, Arc<Vec<ast::File>>>,
    variable_files: Vec<SourceId>,
}

impl Loaded {
    /// Reads and parses the folder, and reads the catalog.
    pub(crate) fn read(global: &Global) -> Self {
        let mut loaded = Self::empty();
        let below = global.stack_folder.as_deref();
        let ids = folder::read_sources(&global.directory, below, &mut loaded.sources, &mut loaded.diagnostics);
        loaded.files =
            ids.into_iter().map(|id| akson_parser::parse(&loaded.sources, id, &mut loaded.diagnostics)).collect();
        loaded.read_modules(&global.directory, below);
        for path in &global.variable_files {
            let name = path.display().to_string();
            if let Some(id) = folder::read_source(path, &name, &mut loaded.sources, &mut loaded.diagnostics) {
                loaded.variable_files.push(id);
            }
        }
        loaded
    }

    /// The same with other texts in place of some; nothing is read.
    pub(crate) fn with_texts(&self, texts: &BTreeMap<SourceId, String>) -> Self {
        let mut loaded = Self::empty();
        for (id, source) in self.sources.iter() {
            let text = texts.get(&id).map_or_else(|| Arc::clone(&source.text), |text| Arc::from(text.as_str()));
            // In the same order each gets the number that it had.
            loaded.sources.add(source.name.clone(), text);
        }
        let again = |files: &[ast::File], diagnostics: &mut Diagnostics| -> Vec<ast::File> {
            files.iter().map(|file| akson_parser::parse(&loaded.sources, file.source, diagnostics)).collect()
        };
        let mut found = Diagnostics::new();
        let files = again(&self.files, &mut found);
        let modules =
            self.modules.iter().map(|(name, files)| (name.clone(), Arc::new(again(files, &mut found)))).collect();
        loaded.diagnostics.append(found);
        Self { files, modules, variable_files: self.variable_files.clone(), ..loaded }
    }

    /// The files of the configuration's own folder.
    pub(crate) fn files(&self) -> &[ast::File] {
        &self.files
    }

    /// Where a text was read from.
    pub(crate) fn path_of(&self, id: SourceId, global: &Global) -> PathBuf {
        let given = self.variable_files.iter().position(|file| *file == id);
        match given.and_then(|at| global.variable_files.get(at)) {
            Some(path) => path.clone(),
            None => {
                let name = &self.sources.get(id).name;
                let below =
                    global.stack_folder.as_deref().and_then(|folder| name.strip_prefix(folder)?.strip_prefix('/'));
                global.directory.join(below.unwrap_or(name))
            }
        }
    }

    /// Reads and parses the folders that `module` blocks name, those in their files included.
    fn read_modules(&mut self, directory: &Path, below: Option<&str>) {
        let mut open = akson_config::module_folders(&self.files, "");
        while let Some((folder, span)) = open.pop() {
            // The configuration's own folder as a module is a circle, which the evaluation reports.
            if folder.is_empty() || self.modules.contains_key(&folder) {
                continue;
            }
            let found = (&mut self.sources, &mut self.diagnostics);
            let Some(ids) = folder::read_module(directory, below, (&folder, span), found) else { continue };
            let files: Vec<ast::File> =
                ids.into_iter().map(|id| akson_parser::parse(&self.sources, id, &mut self.diagnostics)).collect();
            open.extend(akson_config::module_folders(&files, &folder));
            self.modules.insert(folder, Arc::new(files));
        }
    }

    /// The catalog alone, for commands without a configuration.
    pub(crate) fn empty() -> Self {
        static NONE: std::sync::OnceLock<Catalog> = std::sync::OnceLock::new();
        let mut loaded = Self {
            sources: SourceMap::new(),
            diagnostics: Diagnostics::new(),
            catalog: NONE.get_or_init(Catalog::default),
            files: Vec::new(),
            modules: BTreeMap::new(),
            variable_files: Vec::new(),
        };
        match Catalog::builtin() {
            Ok(catalog) => loaded.catalog = catalog,
            Err(broken) => {
                loaded.sources = broken.sources.clone();
                loaded.diagnostics = broken.diagnostics.clone();
            }
        }
        loaded
    }

    /// Evaluates without knowing tenant and subscription, and says what is only worth a thought too. None if there were errors.
    pub(crate) fn evaluate_offline(&mut self, global: &Global) -> Option<Config> {
        self.evaluated(global, None)
    }

    /// Evaluates for work: for a signed-in session, or without one. What is worth a thought is said by `akson check` and not here
    /// at each run. None if there were errors.
    pub(crate) fn evaluate(&mut self, global: &Global, identity: Option<&Identity>) -> Option<Config> {
        let config = self.evaluated(global, identity);
        self.diagnostics.retain(|found| found.severity != Severity::Note || !found.code.is_lint());
        config
    }

    fn evaluated(&mut self, global: &Global, identity: Option<&Identity>) -> Option<Config> {
        if self.files.is_empty() {
            return None;
        }
        let inputs = self.inputs(global, identity);
        let config = akson_config::evaluate(&self.files, &self.sources, self.catalog, &inputs, &mut self.diagnostics);
        config.filter(|_| !self.diagnostics.has_errors())
    }

    /// Evaluates once more, with names that the ledger holds. What was found the first time is not told again.
    pub(crate) fn evaluate_with(
        &mut self,
        global: &Global,
        identity: &Identity,
        held_names: BTreeMap<String, String>,
    ) -> Option<Config> {
        let inputs = Inputs { held_names, ..self.inputs(global, Some(identity)) };
        let mut again = Diagnostics::new();
        let config = akson_config::evaluate(&self.files, &self.sources, self.catalog, &inputs, &mut again);
        if again.has_errors() {
            self.diagnostics = again;
            return None;
        }
        config
    }

    /// Expands intents, without knowing tenant and subscription.
    ///
    /// # Errors
    /// If the configuration has errors, which are among the diagnostics, or has no such block.
    pub(crate) fn expand(&mut self, global: &Global, only: Option<&str>) -> Result<Vec<Expanded>, ExpandError> {
        if self.files.is_empty() {
            return Err(ExpandError::Wrong);
        }
        let inputs = self.inputs(global, None);
        akson_config::expand(&self.files, &self.sources, self.catalog, &inputs, only, &mut self.diagnostics)
    }

    pub(crate) fn inputs(&self, global: &Global, identity: Option<&Identity>) -> Inputs {
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let reads_files = self.sources.iter().any(|(_, source)| source.text.contains("file"));
        Inputs {
            variables: global
                .variables
                .iter()
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair.as_str(), ""));
                    (name.trim().to_owned(), value.to_owned())
                })
                .collect(),
            variable_files: self.variable_files.clone(),
            modules: self.modules.clone(),
            environment_variables: environment
                .iter()
                .filter_map(|(name, value)| Some((name.strip_prefix("AKSON_VAR_")?.to_owned(), value.clone())))
                .collect(),
            files: if reads_files { folder::read_files(&global.directory) } else { BTreeMap::new() },
            tenant: identity.map(|identity| identity.tenant.clone()),
            subscription: identity
                .map(|identity| identity.subscription.clone())
                .or_else(|| environment.get("AZURE_SUBSCRIPTION_ID").filter(|id| !id.is_empty()).cloned()),
            environment,
            held_names: BTreeMap::new(),
            token_exchange_audience: akson_azure::Cloud::by_name(global.cloud.as_str())
                .unwrap_or(akson_azure::Cloud::PUBLIC)
                .token_exchange_audience
                .to_owned(),
        }
    }

    /// Prints what was found, errors or not, in a format that fits the flags; a machine's goes to stdout.
    pub(crate) fn report(&mut self, global: &Global) {
        report(&self.diagnostics, &self.sources, global);
        self.diagnostics = Diagnostics::new();
    }

    /// As `report`, but a machine format prints its document also when there is nothing to say.
    pub(crate) fn report_all(&mut self, global: &Global) {
        report_all(&self.diagnostics, &self.sources, global);
        self.diagnostics = Diagnostics::new();
    }

    /// Prints what was found and ends: nothing was done.
    pub(crate) fn refuse(&mut self, global: &Global) -> Exit {
        self.report(global);
        Exit::Error
    }

    /// Adds one finding, prints all and ends.
    pub(crate) fn refuse_with(&mut self, diagnostic: Diagnostic, global: &Global) -> Exit {
        self.diagnostics.push(diagnostic);
        self.refuse(global)
    }
}

/// Prints one of several that come one by one: without a count below each.
pub(crate) fn report_one(diagnostic: &Diagnostic, sources: &SourceMap, global: &Global) {
    let one = Diagnostics::from(diagnostic.clone());
    if machine_format(global).is_some_and(Format::is_machine) {
        report(&one, sources, global);
    } else {
        output::aside(&render::render(
            &one,
            sources,
            Format::Human,
            &render::Options { footer: false, ..options(global) },
        ));
    }
}

/// As `report`, but a machine format prints its document also when there is nothing to say.
pub(crate) fn report_all(diagnostics: &Diagnostics, sources: &SourceMap, global: &Global) {
    let format = machine_format(global).unwrap_or(Format::Human);
    if diagnostics.is_empty() && format.is_machine() {
        output::result(&render::render(diagnostics, sources, format, &options(global)));
    } else {
        report(diagnostics, sources, global);
    }
}

/// Prints diagnostics: a machine's format to stdout, people's to stderr.
pub(crate) fn report(diagnostics: &Diagnostics, sources: &SourceMap, global: &Global) {
    if diagnostics.is_empty() {
        return;
    }
    if let Some(observer) = &global.observer {
        observer.hear(diagnostics);
    }
    let format = machine_format(global).unwrap_or(Format::Human);
    if global.event_lines && format == Format::Json {
        for diagnostic in render::json::value(diagnostics, sources).as_array().into_iter().flatten() {
            let event = serde_json::json!({ "event": "diagnostic", "diagnostic": diagnostic, "at": jiff::Timestamp::now().to_string() });
            output::result(&render::json::line(&event));
        }
        return;
    }
    let text = render::render(diagnostics, sources, format, &options(global));
    if format.is_machine() {
        output::result(&text);
    } else {
        output::aside(&text);
    }
}

fn options(global: &Global) -> render::Options {
    render::Options {
        color: output::stderr_has_color(),
        width: terminal_width(),
        folder: if global.directory.as_os_str() == "." {
            String::new()
        } else {
            global.directory.to_string_lossy().trim_end_matches('/').to_owned()
        },
        ..render::Options::default()
    }
}

fn terminal_width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|width| *width >= 40).unwrap_or(120)
}

fn machine_format(global: &Global) -> Option<Format> {
    match global.format {
        Some(OutputFormat::Concise) => Some(Format::Concise),
        Some(OutputFormat::Json) => Some(Format::Json),
        Some(OutputFormat::Github) => Some(Format::Github),
        Some(OutputFormat::Sarif) => Some(Format::Sarif),
        Some(OutputFormat::Junit) => Some(Format::Junit),
        _ => None,
    }
}
