//! `akson kubeconfig`: a kubeconfig for kubelogin, to stdout or into a file. It holds no secret, and what Azure may send along is dropped.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use akson_applier::{look, report};
use akson_catalog::{ArmId, SymbolicId};
use akson_diagnostics::{Diagnostic, did_you_mean};

use crate::{
    arguments::{Cloud, Global, KubeconfigArguments},
    codes::{NO_CLUSTER, NO_ENTRA, NO_KUBECONFIG, NOT_REACHED, NOT_WRITTEN, UNREADABLE},
    exit::Exit,
    kubeconfig::{NoAccess, SignIn, access, kubeconfig, merge::merge, proxy, remembered, yaml},
    output,
    session::Run,
};

/// Makes it.
pub(crate) async fn run(global: &Global, asked: &KubeconfigArguments) -> Exit {
    let mut run = match Run::open(global, 1).await {
        Ok(run) => run,
        Err(exit) => return exit,
    };
    let Declared { id, address, version } = match find(&run, &asked.cluster) {
        Ok(found) => found,
        Err(diagnostic) => return run.refuse_with(*diagnostic, global),
    };
    // What the last apply was told, or Azure itself.
    let way = if asked.live {
        None
    } else {
        let document = match run.peek(global).await {
            Ok(document) => document,
            Err(exit) => return exit,
        };
        let way = document.and_then(|document| document.clusters.get(&SymbolicId::of_arm(&id)).cloned());
        if way.is_none() {
            return run.refuse_with(not_reached(&address), global);
        }
        way
    };
    let object = match look(&run.engine, &id, &version).await {
        Ok(object) => object,
        Err(failure) => return run.refuse_with(report::read_for(&failure, &run.config), global),
    };
    let found = match way {
        Some(way) => remembered(&id, &object, &way, &run.config.stack.tenant),
        None => match akson_applier::kubeconfig(&run.engine, &id, &version, asked.public_fqdn).await {
            Ok(kubeconfig) => access(&id, &object, kubeconfig.expose(), &run.config.stack.tenant),
            Err(failure) => return run.refuse_with(report::read_for(&failure, &run.config), global),
        },
    };
    let mut found = match found {
        Ok(found) => found,
        Err(NoAccess::NoEntra) => {
            let diagnostic =
                Diagnostic::error(NO_ENTRA, format!("`{address}` has no sign-in by Entra ID, so kubelogin has none"))
                    .help("add an `entra { … }` block to the cluster");
            return run.refuse_with(diagnostic, global);
        }
        Err(NoAccess::Unreadable) => {
            let diagnostic = Diagnostic::error(NOT_REACHED, format!("the credential of `{address}` cannot be read"))
                .help("try again; if it stays so, this version does not know the form that Azure answers in");
            return run.refuse_with(diagnostic, global);
        }
    };
    if global.cloud == Cloud::Emulator {
        let running = std::env::var("AKSON_EMULATOR_URL").ok().filter(|url| !url.is_empty());
        found.proxy = running.as_deref().map(proxy);
    }
    let sign_in = SignIn { client_id: asked.client_id.clone(), identity: asked.identity.clone() };
    let config = kubeconfig(&found, global.cloud, asked.login, &sign_in, asked.context.as_deref());
    run.report(global);
    let Some(path) = &asked.out else {
        output::result(&yaml(&config));
        return Exit::Done;
    };
    match write(path, &config) {
        Ok(()) => Exit::Done,
        Err(diagnostic) => run.refuse_with(*diagnostic, global),
    }
}

/// The ledger does not know the way.
fn not_reached(address: &str) -> Diagnostic {
    Diagnostic::error(NOT_REACHED, format!("how `{address}` is reached is not known here"))
        .note("its address and certificate come from a call that lists credentials; `akson apply` sends it and remembers both, and else it is sent only when it is asked for")
        .help("apply first, or add `--live`; it needs the role `Azure Kubernetes Service Cluster User Role`")
}

/// A cluster of the configuration.
#[derive(Clone)]
struct Declared {
    id: ArmId,
    address: String,
    /// The api-version of its kind.
    version: String,
}

/// The declared cluster that is meant.
fn find(run: &Run, asked: &str) -> Result<Declared, Box<Diagnostic>> {
    let clusters: Vec<Declared> = run
        .config
        .resources
        .iter()
        .filter(|resource| resource.kind.keyword == "cluster")
        .filter_map(|resource| {
            let (address, version) = (resource.address.to_string(), resource.kind.api_version.clone());
            Some(Declared { id: resource.id.clone()?, address, version })
        })
        .collect();
    let named = |cluster: &&Declared| {
        cluster.address == asked
            || cluster.id.name().eq_ignore_ascii_case(asked)
            || cluster.id.as_str().eq_ignore_ascii_case(asked)
    };
    let mut found = clusters.iter().filter(named);
    let diagnostic = match (found.next(), found.next()) {
        (Some(only), None) => return Ok(only.clone()),
        (Some(Declared { address: first, .. }), Some(Declared { address: second, .. })) => {
            Diagnostic::error(NO_CLUSTER, format!("`{asked}` is the name of two clusters: `{first}` and `{second}`"))
                .help("name one by its address")
        }
        (None, _) => {
            let diagnostic = Diagnostic::error(NO_CLUSTER, format!("this configuration has no cluster `{asked}`"));
            let words = clusters.iter().flat_map(|cluster| [cluster.address.as_str(), cluster.id.name()]);
            match did_you_mean(asked, words) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help("declare it, as `existing cluster` if it is not yours"),
            }
        }
    };
    Err(Box::new(diagnostic))
}

/// Puts it into the file, which only its owner may read: a new file beside it, then renamed over it.
fn write(path: &Path, config: &serde_json::Value) -> Result<(), Box<Diagnostic>> {
    let shown = path.display();
    let existing = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(Box::new(
                Diagnostic::error(UNREADABLE, format!("cannot read `{shown}`: {error}"))
                    .help("mend its permissions, or name another file"),
            ));
        }
    };
    let merged = merge(&existing, config).map_err(|wrong| {
        Box::new(
            Diagnostic::error(NO_KUBECONFIG, format!("`{shown}` is no kubeconfig: {}", wrong.0))
                .note("it was not touched")
                .help("name another file, or move this one away"),
        )
    })?;
    replace(path, &yaml(&merged)).map_err(|error| {
        Box::new(
            Diagnostic::error(NOT_WRITTEN, format!("cannot write `{shown}`: {error}"))
                .help("mend the folder's permissions or free some space; the file is as it was"),
        )
    })
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // A link stays one: what it points at is replaced.
    let target: PathBuf = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Made for its owner alone, and stays so.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}
