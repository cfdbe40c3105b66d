//! The session with a cloud: which tenant and subscription, by which transport, with which tokens.

use std::{net::IpAddr, path::Path, sync::Arc};

use akson_azure::{ClientCredentials, TokenSource, Transport, TransportError};
use akson_diagnostics::Diagnostic;
use akson_emulator::{Emulator, Latency, OpenError, Options, Store};
use bytes::Bytes;

use crate::{
    arguments::{Cloud, Global},
    codes::{BAD_SEED, BAD_WORLD, CONTRADICTORY, NO_EMULATOR},
    requests,
    sign_in::{self, Written},
};

/// How much faster time passes in the embedded emulator: a cluster of five minutes takes two and a half seconds.
pub(crate) const TIME_SCALE: f64 = 120.0;

/// An open session.
pub(crate) struct Session {
    /// Which cloud.
    pub(crate) cloud: Cloud,
    /// How requests go out.
    pub(crate) transport: Arc<dyn Transport>,
    /// Where tokens come from.
    pub(crate) tokens: Arc<dyn TokenSource>,
    /// Where a configuration belongs that does not say it.
    pub(crate) identity: Identity,
    /// Who is signed in to a real cloud, in a line.
    pub(crate) signed_in: Option<String>,
    /// How many seconds pass there for each second here.
    pub(crate) time_scale: f64,
    /// Whether a request can outlive this process: after a kill, its outcome must be waited for.
    pub(crate) outlives: bool,
    /// From where the cloud sees requests come, if it says so.
    pub(crate) caller_address: Option<IpAddr>,
}

/// The tenant and subscription of a session. A real cloud's tenant may be known only once it was asked for: then it is empty.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) tenant: String,
    pub(crate) subscription: String,
}

/// Opens a session with the chosen cloud, for a configuration that says so much of where it belongs.
///
/// # Errors
/// A diagnostic that says what to do.
pub(crate) async fn open(global: &Global, written: &Written) -> Result<Session, Box<Diagnostic>> {
    let session = opened(global, written).await?;
    Ok(Session { transport: requests::told(session.transport, global), ..session })
}

async fn opened(global: &Global, written: &Written) -> Result<Session, Box<Diagnostic>> {
    if global.cloud != Cloud::Emulator {
        return sign_in::open(global.cloud, global.credential, written).await;
    }
    if let Some(kind) = global.credential {
        return Err(Box::new(
            Diagnostic::error(CONTRADICTORY, format!("`--credential {}` is for real clouds", kind.as_str()))
                .note("the emulator signs its own user in")
                .help("leave it out, or choose a real cloud with `--cloud`"),
        ));
    }
    let mut session = match std::env::var("AKSON_EMULATOR_URL") {
        Ok(url) if !url.is_empty() => over_http(&url).await?,
        _ => in_process(&global.directory)?,
    };
    sign_in_another(&mut session)?;
    let tenant = &session.identity.tenant;
    if written.tenant.as_ref().is_some_and(|written| sign_in::is_other(written, tenant)) {
        return Err(Box::new(sign_in::wrong_tenant(written, tenant, "signed in as the emulator's user")));
    }
    Ok(session)
}

/// Where the embedded emulator keeps its world.
pub(crate) fn world(directory: &Path) -> std::path::PathBuf {
    directory.join(".akson").join("emulator").join("world")
}

/// Opens the emulator's world below the configuration's folder, and fills a new one from `emulator.json`.
///
/// # Errors
/// A diagnostic that says what to do.
pub(crate) fn open_world(
    directory: &Path,
    data: &Path,
    time_scale: f64,
    latency: Latency,
) -> Result<Arc<Emulator>, Box<Diagnostic>> {
    let fresh = !data.join("world.json").exists();
    let seed = directory.join("emulator.json");
    let objects = if fresh && seed.exists() { Some(read_seed(&seed)?) } else { None };
    let options = Options {
        store: Store::Directory(data.to_path_buf()),
        time_scale,
        latency,
        // A world of its own: its ids are no other's, and a ledger of another world does not fit it.
        seed: uuid::Uuid::new_v4().as_u64_pair().0,
        ..Options::default()
    };
    let emulator = Emulator::open(options).map_err(|error| Box::new(not_opened(&error)))?;
    if let Some(objects) = objects {
        emulator.seed(objects).map_err(|error| {
            Box::new(
                Diagnostic::error(BAD_SEED, format!("`emulator.json` cannot be loaded: {error}"))
                    .help("it is an array of raw objects as Azure returns them, each with its `id`"),
            )
        })?;
    }
    Ok(emulator)
}

fn read_seed(path: &Path) -> Result<Vec<serde_json::Value>, Box<Diagnostic>> {
    let broken = |detail: String| {
        Box::new(
            Diagnostic::error(BAD_SEED, format!("`emulator.json` cannot be read: {detail}"))
                .help("it is an array of raw objects as Azure returns them, each with its `id`"),
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| broken(error.to_string()))?;
    match serde_json::from_str(&text) {
        Ok(serde_json::Value::Array(objects)) => Ok(objects),
        Ok(_) => Err(broken("it is not an array".to_owned())),
        Err(error) => Err(broken(error.to_string())),
    }
}

fn not_opened(error: &OpenError) -> Diagnostic {
    let help = match error {
        OpenError::NewerVersion { .. } => {
            "use the version of akson that wrote it, or move the folder away for a new world"
        }
        OpenError::Broken { .. } => "move the folder away; a new world begins empty, and so must its ledger",
        OpenError::Locked { .. } => {
            "wait for the other akson to end, or point both at one `akson emulator start` with AKSON_EMULATOR_URL"
        }
        OpenError::Io { .. } => "mend the folder's permissions or free some space",
    };
    Diagnostic::error(BAD_WORLD, format!("cannot open the emulator's world: {error}")).help(help)
}

fn in_process(directory: &Path) -> Result<Session, Box<Diagnostic>> {
    let emulator = open_world(directory, &world(directory), TIME_SCALE, Latency::Realistic)?;
    let signed_in = emulator.identity();
    let transport: Arc<dyn Transport> = Arc::new(InProcess(emulator));
    Ok(Session {
        cloud: Cloud::Emulator,
        tokens: client_credentials(&transport, &signed_in.tenant, &signed_in.client_id, &signed_in.client_secret),
        identity: Identity { tenant: signed_in.tenant, subscription: signed_in.subscription },
        signed_in: None,
        time_scale: signed_in.time_scale,
        transport,
        outlives: false,
        caller_address: Some(Options::default().caller_address),
    })
}

/// Signs another application of the emulator's directory in than its user, if that is asked for: to see what somebody with fewer rights
/// can do. The variables of real clouds count for nothing here, so that they cannot lead a run astray.
fn sign_in_another(session: &mut Session) -> Result<(), Box<Diagnostic>> {
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (said("AKSON_EMULATOR_CLIENT_ID"), said("AKSON_EMULATOR_CLIENT_SECRET")) {
        (None, None) => Ok(()),
        (Some(client), Some(secret)) => {
            session.tokens = client_credentials(&session.transport, &session.identity.tenant, &client, &secret);
            Ok(())
        }
        _ => Err(Box::new(
            Diagnostic::error(
                CONTRADICTORY,
                "only one of AKSON_EMULATOR_CLIENT_ID and AKSON_EMULATOR_CLIENT_SECRET is set",
            )
            .note("together they sign an application of the emulator's directory in; without both, its own user works")
            .help("set both or none"),
        )),
    }
}

/// The emulator's user, by its secret.
fn client_credentials(
    transport: &Arc<dyn Transport>,
    tenant: &str,
    client: &str,
    secret: &str,
) -> Arc<dyn TokenSource> {
    let secret = akson_catalog::Secret::new(secret);
    Arc::new(ClientCredentials::new(Arc::clone(transport), akson_azure::Cloud::PUBLIC, tenant, client, secret))
}

/// The emulator in this process behind the one seam.
struct InProcess(Arc<Emulator>);

#[async_trait::async_trait]
impl Transport for InProcess {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        self.0
            .handle(request)
            .await
            .map_err(|_| TransportError::Broken { host, detail: "connection reset by peer".to_owned() })
    }
}

async fn over_http(url: &str) -> Result<Session, Box<Diagnostic>> {
    let failed = |detail: String| {
        Box::new(
            Diagnostic::error(NO_EMULATOR, format!("no emulator at `{url}`: {detail}"))
                .help("start one with `akson emulator start` and set AKSON_EMULATOR_URL to the URL that it prints"),
        )
    };
    let network = akson_azure::network::Network::emulator(url).await.map_err(|error| failed(error.to_string()))?;
    // Its own calls are answered for its own address only, never for one of Azure's names.
    let request = http::Request::get(format!("{}/_emulator/info", url.trim_end_matches('/')))
        .body(Bytes::new())
        .map_err(|error| failed(error.to_string()))?;
    let answer = network.send(request).await.map_err(|error| failed(error.to_string()))?;
    let info: serde_json::Value = serde_json::from_slice(answer.body())
        .map_err(|_| failed(format!("it answered {} and not as an emulator", answer.status())))?;
    let transport: Arc<dyn Transport> = Arc::new(network);
    let text = |name: &str| {
        info.get(name)
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| failed(format!("its description has no `{name}`")))
    };
    Ok(Session {
        cloud: Cloud::Emulator,
        tokens: client_credentials(&transport, &text("tenant")?, &text("client_id")?, &text("client_secret")?),
        identity: Identity { tenant: text("tenant")?, subscription: text("subscription")? },
        signed_in: None,
        time_scale: info.get("time_scale").and_then(serde_json::Value::as_f64).unwrap_or(1.0),
        transport,
        outlives: true,
        caller_address: info.get("caller_address").and_then(|address| address.as_str()?.parse().ok()),
    })
}
