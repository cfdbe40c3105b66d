//! How a cluster is reached, asked of Azure itself: its object, and the kubeconfig of its users. It is asked when a person asks; plans
//! and applies never send a call that lists credentials.

use akson_azure::{Action, Answer, Operation};
use akson_catalog::{ArmId, Secret};

use crate::{
    engine::{Engine, Patience},
    refresh::{ReadCause, ReadFailure},
};

/// What Azure tells of a cluster.
#[derive(Debug)]
pub struct Reached {
    /// The cluster's object.
    pub object: serde_json::Value,
    /// The kubeconfig of its users, base64 of YAML. With local accounts it holds a credential.
    pub kubeconfig: Secret,
}

/// Reads a cluster and the kubeconfig of its users, at the api-version of its kind; with `public` the one for the public name of a private
/// cluster.
///
/// # Errors
/// [`ReadFailure`]
pub async fn reach(engine: &Engine, cluster: &ArmId, version: &str, public: bool) -> Result<Reached, ReadFailure> {
    let read = Operation::get(cluster.as_str(), version);
    let object = answer(engine, &read).await?.json().cloned();
    let object = object.filter(serde_json::Value::is_object).ok_or_else(|| no_object(&read))?;
    let mut ask = Operation::action(cluster.as_str(), Action::ListClusterUserCredential, version).asking("format=exec");
    if public {
        ask = ask.asking("server-fqdn=public");
    }
    let kubeconfig = answer(engine, &ask)
        .await?
        .json()
        .and_then(|body| body.pointer("/kubeconfigs/0/value"))
        .and_then(serde_json::Value::as_str)
        .map(Secret::new)
        .ok_or_else(|| no_object(&ask))?;
    Ok(Reached { object, kubeconfig })
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
