//! Lists of a cluster's API server, page by page. A cluster that cannot be looked into is no error: what lies in it is planned from the ledger,
//! and said to be so.

use std::time::Duration;

use akson_azure::{
    Lane, TransportError,
    plane::kubernetes::{id_of, page},
};
use akson_catalog::{Catalog, SymbolicId, json::put};
use akson_planner::{Answer, Read, ReadTarget, Way};
use serde_json::Value as Json;

use super::{ReadCause, ReadFailure};
use crate::{
    engine::{Engine, Patience, SendError},
    reach::is_outdated,
};

/// How long a cluster is tried before it is said not to be reachable.
const REACHED_WITHIN: Duration = Duration::from_secs(15);
/// How often a list is begun again whose pages have expired.
const BEGIN_AGAIN: usize = 2;
/// More pages than a list has.
const MOST_PAGES: usize = 1_000;

/// One list.
///
/// # Errors
/// [`ReadFailure`], where something else is wrong than that the cluster does not let us look.
pub(crate) async fn fetch(
    engine: &Engine,
    catalog: &Catalog,
    read: &Read,
    (cluster, object): (&SymbolicId, Option<&Json>),
    way: Option<&Way>,
) -> Result<Vec<Answer>, ReadFailure> {
    let failed = |cause: ReadCause| ReadFailure { path: read.path.clone(), cause };
    let unreachable = |why: &str| Ok(vec![Answer::Unreachable(why.to_owned())]);
    let ReadTarget::List { kind, .. } = &read.target else { return unreachable("only lists are read there") };
    let Some(way) = way else { return unreachable("the way to its API server is not known") };
    if object.is_some_and(|object| is_outdated(way, object)) {
        return unreachable("it has another API server than when it was last applied");
    }
    let server = match engine.cluster(way) {
        Ok(server) => server,
        Err(error) => return unreachable(&error.to_string()),
    };
    let of = catalog.get(kind).map(|kind| kind.resource_type.as_str()).unwrap_or_default();
    let mut answers = Vec::new();
    let mut next: Option<String> = None;
    let mut begun = 0;
    loop {
        let operation = server.list(&read.path, next.as_deref());
        let request = operation
            .request(engine.cloud(), &engine.ids(&read.path))
            .map_err(|error| failed(SendError::from(error).into()))?;
        let answer = engine.read_within(request, &Lane::of(&operation), Patience::UntilStopped, REACHED_WITHIN).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(SendError::Transport(error)) => return unreachable(&described(&error)),
            Err(error) => return Err(failed(error.into())),
        };
        match answer.status.as_u16() {
            // There is no such API, so that there are no objects of it.
            404 if answers.is_empty() => return Ok(vec![Answer::NotFound]),
            401 | 403 => {
                let error = answer.error();
                return unreachable(&format!("the signed-in principal may not list there: {}", error.message));
            }
            // The list is older than what the server remembers.
            410 if begun < BEGIN_AGAIN => {
                begun += 1;
                answers.clear();
                next = None;
                continue;
            }
            status if status >= 500 => return unreachable(&format!("its API server answers {status}")),
            _ if !answer.is_success() => return Err(failed(ReadCause::Azure(answer.error()))),
            _ => {}
        }
        let body = answer.json().cloned().unwrap_or_default();
        let (items, token) = page(&body).ok_or_else(|| failed(ReadCause::NoObject))?;
        let items = items.iter().filter_map(|item| known(cluster, of, item)).collect();
        next = token.map(str::to_owned);
        let last = next.is_none();
        answers.push(Answer::Page { items, last });
        if last {
            return Ok(answers);
        }
        if answers.len() >= MOST_PAGES {
            return Err(failed(akson_azure::PageError::TooMany.into()));
        }
    }
}

/// An object with the id that it has in a stack.
fn known(cluster: &SymbolicId, of: &str, item: &Json) -> Option<Json> {
    let id = id_of(cluster.as_str(), of, item)?;
    let mut item = item.clone();
    put(&mut item, "/id", Json::from(id));
    Some(item)
}

fn described(error: &TransportError) -> String {
    match error {
        TransportError::Untrusted { .. } => format!("its API server is not who it was: {error}"),
        TransportError::NotRecorded { .. } => "the recording does not tell what is in it".to_owned(),
        error => format!("its API server cannot be reached from here: {error}"),
    }
}
