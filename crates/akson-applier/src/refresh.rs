//! Reads what a plan needs, in waves: a few list calls at once. A read that fails is an error, never an absence.

use akson_azure::{AzureError, Lane, Operation, PageError, Pages, plane::graph};
use akson_catalog::Catalog;
use akson_config::Config;
use akson_planner::{
    Answer, At, Owned, OwnedState, Read, ReadTarget, Snapshot,
    options::PlanOptions,
    waves::{first_wave, next_wave},
};
use futures_util::future::join_all;

use crate::engine::{Engine, LOOK_AGAIN, Patience, SendError};

pub(crate) mod cluster;

pub(crate) use cluster::fetch as in_cluster;

/// More waves than a plan ever asks for.
const MOST_WAVES: usize = 8;

/// A read that failed. Without it there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read `{path}`: {cause}")]
pub struct ReadFailure {
    /// What was read.
    pub path: String,
    /// Why not.
    pub cause: ReadCause,
}

/// Why a read failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadCause {
    /// No answer came.
    #[error(transparent)]
    Send(#[from] SendError),
    /// Azure refused.
    #[error("{}", .0.code)]
    Azure(AzureError),
    /// The list has no end, or is none.
    #[error(transparent)]
    Page(#[from] PageError),
    /// An object's answer is not one.
    #[error("the answer is no object")]
    NoObject,
    /// What was asked for by its id does not exist.
    #[error("there is no such object")]
    Absent,
    /// No provider says how objects of its type are read.
    #[error("no provider says how objects of this type are read")]
    UnknownType,
}

/// Everything that a plan of `config` needs to know. `owned` says what else to look for, and how to look into clusters.
///
/// # Errors
/// [`ReadFailure`], of the first read in order that failed.
pub async fn refresh(
    engine: &Engine,
    config: &Config,
    owned: &Owned,
    catalog: &Catalog,
    options: &PlanOptions,
) -> Result<Snapshot, ReadFailure> {
    let mut snapshot = Snapshot::default();
    let mut wave = first_wave(config, owned, catalog, options);
    for number in 0..MOST_WAVES {
        // A cluster of somebody else's is not read before what is in it.
        if wave.is_empty() && number > 0 {
            break;
        }
        let answers = join_all(wave.iter().map(async |read| match &read.at {
            At::Cluster(of) => {
                let object = snapshot.live(of).map(|live| &live.body);
                cluster::fetch(engine, catalog, read, (of, object), owned.reachable.get(of)).await
            }
            At::Arm | At::Graph => fetch(engine, read, expects(owned, read)).await,
        }))
        .await;
        for (read, answers) in wave.iter().zip(answers) {
            for answer in answers? {
                snapshot.absorb(read, answer);
            }
        }
        wave = next_wave(config, owned, catalog, options, &mut snapshot);
    }
    Ok(snapshot)
}

/// Whether what is read should be there: readers lag behind, so that one silence about it is not enough.
fn expects(owned: &Owned, read: &Read) -> bool {
    match &read.target {
        // It was read a moment ago.
        ReadTarget::Edges { .. } => true,
        ReadTarget::Object { symbolic_id, .. } => {
            owned.entries.get(symbolic_id).is_some_and(|entry| entry.state != OwnedState::Tombstone)
        }
        _ => false,
    }
}

/// One read, page by page.
pub(crate) async fn fetch(engine: &Engine, read: &Read, expected: bool) -> Result<Vec<Answer>, ReadFailure> {
    let failed = |cause: ReadCause| ReadFailure { path: read.path.clone(), cause };
    let operation = match &read.at {
        At::Arm => Operation::read(&read.path),
        At::Cluster(_) => return Ok(vec![Answer::Unreachable("it was asked of nobody".to_owned())]),
        At::Graph => graph::read(&read.path),
    };
    let lane = Lane::of(&operation);
    let first = operation
        .request(engine.cloud(), &engine.ids(&read.path))
        .map_err(|error| failed(SendError::from(error).into()))?;
    let mut pages = Pages::new(first.clone());
    let mut request = first;
    let mut answers = Vec::new();
    let mut again = LOOK_AGAIN.iter().take(if expected { LOOK_AGAIN.len() } else { 0 });
    loop {
        let answer = engine
            .read_request(request.clone(), &lane, Patience::UntilStopped)
            .await
            .map_err(|error| failed(error.into()))?;
        // On a later page it means that what is listed vanished in between: then there is no whole list.
        if answer.is_gone() && answers.is_empty() {
            let Some(wait) = again.next() else {
                return match read.target {
                    // Nothing is known of its edges: taken for none, they would be forgotten.
                    ReadTarget::Edges { .. } => Err(failed(ReadCause::Azure(answer.error()))),
                    _ => Ok(vec![Answer::NotFound]),
                };
            };
            engine.pause(*wait, Patience::UntilStopped).await.map_err(|error| failed(error.into()))?;
            continue;
        }
        if !answer.is_success() {
            return Err(failed(ReadCause::Azure(answer.error())));
        }
        if matches!(read.target, ReadTarget::Object { .. } | ReadTarget::Keyed { .. }) {
            let body = answer.json().filter(|body| body.is_object()).ok_or_else(|| failed(ReadCause::NoObject))?;
            return Ok(vec![Answer::Object(body.clone())]);
        }
        let page = pages.page(&answer).map_err(|error| failed(error.into()))?;
        answers.push(Answer::Page { items: page.items, last: page.next.is_none() });
        match page.next {
            Some(next) => request = next,
            None => return Ok(answers),
        }
    }
}
