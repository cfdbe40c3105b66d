//! `akson emulator start`: the local Azure over HTTP on loopback, the same code as in process.

mod seeds;

use std::path::{Path, PathBuf};

use akson_diagnostics::{Diagnostic, Diagnostics, SourceMap};
use akson_emulator::Latency;

use crate::{
    arguments::{EmulatorArguments, Global, LatencyOfEmulator},
    cloud,
    codes::{BAD_SETTING, BAD_WORLD, NO_LISTENER},
    exit::Exit,
    load, output,
};

/// The authority's certificate, in the folder of the world: for clients that are told by a file whom to trust.
const AUTHORITY: &str = "ca.pem";

/// Serves until interrupted.
pub(crate) async fn start(global: &Global, asked: &EmulatorArguments) -> Exit {
    match serve(global, asked).await {
        Ok(()) => Exit::Done,
        Err(diagnostic) => {
            load::report(&Diagnostics::from(*diagnostic), &SourceMap::new(), global);
            Exit::Error
        }
    }
}

async fn serve(global: &Global, asked: &EmulatorArguments) -> Result<(), Box<Diagnostic>> {
    let (port, time_scale) = (asked.port, asked.time_scale);
    if !(time_scale.is_finite() && (0.001..=1_000_000.0).contains(&time_scale)) {
        return Err(Box::new(
            Diagnostic::error(BAD_SETTING, format!("a time scale of {time_scale} is out of range"))
                .help("give a number from 0.001 to 1000000; 1 is real time"),
        ));
    }
    let world = asked.data.clone().unwrap_or_else(|| cloud::world(&global.directory));
    let latency = match asked.latency {
        LatencyOfEmulator::None => Latency::None,
        LatencyOfEmulator::Realistic => Latency::Realistic,
    };
    let emulator = cloud::open_world(&global.directory, &world, time_scale, latency)?;
    if let Some(seed) = &asked.seed {
        seeds::load(&emulator, seed)?;
    }
    if let Some(path) = &asked.faults {
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
    let authority = write_authority(&world, &emulator.ca_pem())?;
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
            "emulator of tenant {}, subscription {}\nuse it with: export AKSON_CLOUD=emulator AKSON_EMULATOR_URL=http://{address}\n\
             other clients: HTTPS_PROXY=http://{address}, and trust {}",
            identity.tenant,
            identity.subscription,
            authority.display()
        ));
    }
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    akson_emulator::serve(emulator, listener, interrupted).await.map_err(no_listener)
}

/// Writes down whom to trust, where clients can be pointed to.
fn write_authority(world: &Path, pem: &str) -> Result<PathBuf, Box<Diagnostic>> {
    let path = world.join(AUTHORITY);
    std::fs::write(&path, pem).map_err(|error| {
        Box::new(
            Diagnostic::error(BAD_WORLD, format!("cannot write `{}`: {error}", path.display()))
                .help("mend the folder's permissions or free some space"),
        )
    })?;
    Ok(std::path::absolute(&path).unwrap_or(path))
}
