//! `akson emulator start`: the local Azure over HTTP on loopback, the same code as in process.

use std::path::Path;

use akson_diagnostics::{Diagnostic, Diagnostics, SourceMap};

use crate::{
    arguments::Global,
    cloud,
    codes::{BAD_SETTING, NO_LISTENER},
    exit::Exit,
    load, output,
};

/// Serves until interrupted.
pub(crate) async fn start(
    global: &Global,
    port: u16,
    data: Option<&Path>,
    time_scale: f64,
    faults: Option<&Path>,
) -> Exit {
    match serve(global, port, data, time_scale, faults).await {
        Ok(()) => Exit::Done,
        Err(diagnostic) => {
            load::report(&Diagnostics::from(*diagnostic), &SourceMap::new(), global);
            Exit::Error
        }
    }
}

async fn serve(
    global: &Global,
    port: u16,
    data: Option<&Path>,
    time_scale: f64,
    faults: Option<&Path>,
) -> Result<(), Box<Diagnostic>> {
    if !(time_scale.is_finite() && (0.001..=1_000_000.0).contains(&time_scale)) {
        return Err(Box::new(
            Diagnostic::error(BAD_SETTING, format!("a time scale of {time_scale} is out of range"))
                .help("give a number from 0.001 to 1000000; 1 is real time"),
        ));
    }
    let world = data.map_or_else(|| cloud::world(&global.directory), Path::to_path_buf);
    let emulator = cloud::open_world(&global.directory, &world, time_scale)?;
    if let Some(path) = faults {
        let broken = |detail: String| {
            Box::new(
                Diagnostic::error(
                    BAD_SETTING,
                    format!("cannot read the fault rules of `{}`: {detail}", path.display()),
                )
                .help("it is a JSON array of rules; the book's page on the emulator shows one"),
            )
        };
        let text = std::fs::read_to_string(path).map_err(|error| broken(error.to_string()))?;
        let rules = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
        emulator.god().set_faults(rules);
    }
    let no_listener = |error: std::io::Error| {
        Box::new(
            Diagnostic::error(NO_LISTENER, format!("cannot listen on 127.0.0.1:{port}: {error}"))
                .help("choose another port with `--port`, or 0 for a free one"),
        )
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.map_err(no_listener)?;
    let address = listener.local_addr().map_err(no_listener)?;
    output::result(&format!("http://{address}"));
    if !global.quiet {
        let identity = emulator.identity();
        output::aside(&format!(
            "emulator of tenant {}, subscription {}\nuse it with: export AKSON_CLOUD=emulator AKSON_EMULATOR_URL=http://{address}",
            identity.tenant, identity.subscription
        ));
    }
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    akson_emulator::serve(emulator, listener, interrupted).await.map_err(no_listener)
}
