//! How a cluster is reached, asked of Azure itself: its object, and the kubeconfig of its users. It is asked when a person asks, and by an
//! apply that does not know the way yet; a plan never sends a call that lists credentials.

use akson_azure::{Action, Answer, Operation};
use akson_catalog::{ArmId, Secret};
use akson_planner::Way;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    engine::{Engine, Patience},
    refresh::{ReadCause, ReadFailure},
};

/// The kubeconfig of a cluster's users, base64 of YAML. With local accounts it holds a credential.
#[derive(Debug)]
pub struct Kubeconfig(Secret);

impl Kubeconfig {
    /// As Azure told it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The API server and who vouches for it; nothing else of the kubeconfig is kept. None if it does not say so.
    pub fn way(&self) -> Option<Way> {
        let text = String::from_utf8(STANDARD.decode(self.expose()).ok()?).ok()?;
        let config: serde_json::Value = serde_saphyr::from_str(&text).ok()?;
        let cluster = |key: &str| config.pointer(&format!("/clusters/0/cluster/{key}"))?.as_str();
        let host = cluster("server")?.parse::<http::Uri>().ok()?.host()?.to_ascii_lowercase();
        let authority = cluster("certificate-authority-data").unwrap_or_default();
        let authority = String::from_utf8(STANDARD.decode(authority).ok()?).ok()?;
        Some(Way { host, authority })
    }
}

/// Whether a cluster's own object names another host than this as its API server's: it was made anew since.
pub(crate) fn is_outdated(way: &Way, cluster: &serde_json::Value) -> bool {
    let names: Vec<&str> = ["fqdn", "privateFQDN", "azurePortalFQDN"]
        .iter()
        .filter_map(|key| cluster.pointer(&format!("/properties/{key}"))?.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    !names.is_empty() && !names.iter().any(|name| name.eq_ignore_ascii_case(&way.host))
}

/// Asks for the kubeconfig of a cluster's users, at the api-version of its kind; with `public` for the one with the public name of a
/// private cluster.
///
/// # Errors
/// [`ReadFailure`]
pub async fn kubeconfig(
    engine: &Engine,
    cluster: &ArmId,
    version: &str,
    public: bool,
) -> Result<Kubeconfig, ReadFailure> {
    let mut ask = Operation::action(cluster.as_str(), Action::ListClusterUserCredential, version).asking("format=exec");
    if public {
        ask = ask.asking("server-fqdn=public");
    }
    let answer = answer(engine, &ask).await?;
    let text = answer.json().and_then(|body| body.pointer("/kubeconfigs/0/value")?.as_str());
    text.map(|text| Kubeconfig(Secret::new(text))).ok_or_else(|| no_object(&ask))
}

/// Reads a cluster's object, at the api-version of its kind.
///
/// # Errors
/// [`ReadFailure`]
pub async fn look(engine: &Engine, cluster: &ArmId, version: &str) -> Result<serde_json::Value, ReadFailure> {
    let read = Operation::get(cluster.as_str(), version);
    let object = answer(engine, &read).await?.json().cloned();
    object.filter(serde_json::Value::is_object).ok_or_else(|| no_object(&read))
}

async fn answer(engine: &Engine, operation: &Operation) -> Result<Answer, ReadFailure> {
    let failed = |cause: ReadCause| ReadFailure { path: operation.path().to_owned(), cause };
    let answer =
        engine.read(operation, operation.path(), Patience::UntilStopped).await.map_err(|error| failed(error.into()))?;
    if answer.is_success() { Ok(answer) } else { Err(failed(ReadCause::Azure(answer.error()))) }
}

fn no_object(operation: &Operation) -> ReadFailure {
    ReadFailure { path: operation.path().to_owned(), cause: ReadCause::NoObject }
}
