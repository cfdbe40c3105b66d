//! What the services say of a running operation: each has its own words, headers and shape.

use http::StatusCode;
use serde_json::{Value, json};

use super::operation::{find, token};
use super::types::ArmType;
use super::{Call, vault};
use crate::errors::{self, Outcome};
use crate::id::ResourceId;
use crate::reply::{self, Answer, WithHeader};
use crate::world::{Operation, Work};

/// `locations/{l}/operations|operationStatuses|operationResults/{token}` of any provider.
pub(super) struct Operations;

impl ArmType for Operations {
    fn has_parents(&self) -> bool {
        false
    }

    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        let kind = id.steps.last().map(|step| step.kind.to_ascii_lowercase()).unwrap_or_default();
        let operation = match kind.as_str() {
            "operations"
            | "nfvoperations"
            | "nfvoperationresults"
            | "operationstatuses"
            | "operationresults"
            | "privatednsoperationstatuses"
            | "privatednsoperationresults" => find(call, id.name())?,
            _ => return Err(errors::resource_not_found(id)),
        };
        let provider = id.namespace.to_ascii_lowercase();
        Ok(match (provider.as_str(), kind.as_str()) {
            ("microsoft.keyvault", _) => purge(call, &operation),
            (_, "privatednsoperationstatuses") => private_dns_status(call, id, &operation),
            (_, "privatednsoperationresults") => private_dns_result(call, &operation),
            (_, "nfvoperationresults") if operation.done => reply::empty(StatusCode::OK),
            (_, "operationresults" | "nfvoperationresults") => result(call, provider.as_str(), id, &operation),
            ("microsoft.containerservice", _) => cluster(call, id.name(), &operation),
            ("microsoft.containerregistry", _) => registry(call, &operation),
            ("microsoft.operationalinsights", _) => workspace(call, id, &operation),
            _ => network(call, &operation),
        })
    }
}

fn word<'a>(call: &Call<'_>, operation: &'a Operation, usual: &'a str) -> &'a str {
    match (operation.done, operation.canceled) {
        (_, true) => "Canceled",
        (true, false) => "Succeeded",
        (false, false) => operation.stage(usual, call.now),
    }
}

fn here(call: &Call<'_>) -> String {
    format!("{}{}", call.visit.base, call.visit.path_and_query())
}

/// Recorded: `name`, free-text `status`, `startTime`, at the end `endTime`; sometimes an `error` that
/// means nothing. No `Retry-After`.
fn cluster(call: &Call<'_>, name: &str, operation: &Operation) -> Answer {
    let mut body = json!({
        "name": name,
        "status": word(call, operation, "InProgress"),
        "startTime": operation.started.to_string(),
    });
    if operation.done {
        body["endTime"] = operation.ends.to_string().into();
    }
    if operation.canceled {
        body["error"] = json!({
            "code": "OperationPreempted",
            "message": "The operation was overriden and canceled by a later operation.",
        });
    } else if let Some(remark) = &operation.remark {
        body["error"] = json!({ "code": remark, "message": "Cannot proceed with the operation for now." });
    }
    reply::json(StatusCode::OK, &body)
}

/// Recorded: `Retry-After` doubles from 10 to 160 s; none at the end. Here it grows with the time that
/// has passed, so that asking changes nothing.
fn network(call: &Call<'_>, operation: &Operation) -> Answer {
    let answer = reply::json(StatusCode::OK, &json!({ "status": word(call, operation, "InProgress") }));
    if operation.done {
        return answer;
    }
    let wait = match call.now.since(operation.started).as_secs() {
        0..10 => "10",
        10..30 => "20",
        30..70 => "40",
        70..150 => "80",
        _ => "160",
    };
    answer.with("retry-after", wait)
}

/// Recorded: the answer names itself again, and says when to come back, even at the end.
fn registry(call: &Call<'_>, operation: &Operation) -> Answer {
    reply::json(StatusCode::OK, &json!({ "status": word(call, operation, "Creating") }))
        .with("azure-asyncoperation", &here(call))
        .with("retry-after", "10")
}

/// Recorded: an id of its own, no `Retry-After`.
fn workspace(call: &Call<'_>, id: &ResourceId, operation: &Operation) -> Answer {
    let mut body = json!({
        "id": id.as_written(),
        "name": id.name(),
        "status": word(call, operation, "InProgress"),
        "startTime": operation.started.to_string(),
    });
    if operation.done {
        body["endTime"] = operation.ends.to_string().into();
        body["properties"] = json!({});
    }
    reply::json(StatusCode::OK, &body)
}

/// Recorded: 202 with all headers again while it runs, then 200.
fn private_dns_status(call: &Call<'_>, id: &ResourceId, operation: &Operation) -> Answer {
    if operation.done {
        return reply::json(StatusCode::OK, &json!({ "status": "Succeeded" }));
    }
    let (statuses, results) = super::network::private_dns_urls(call, id, token(id.name()));
    reply::json(StatusCode::ACCEPTED, &json!({ "status": "InProgress" }))
        .with("azure-asyncoperation", &statuses)
        .with("location", &results)
        .with("retry-after", "30")
}

/// The resource in the end, if there is one.
fn private_dns_result(call: &Call<'_>, operation: &Operation) -> Answer {
    if !operation.done {
        return reply::empty(StatusCode::ACCEPTED).with("location", &here(call)).with("retry-after", "30");
    }
    let object = match &operation.work {
        Work::Write { key } => call.state.world.objects.get(key),
        _ => None,
    };
    match object {
        Some(object) => reply::json(StatusCode::OK, &object.view(call.now)),
        None => reply::empty(StatusCode::OK),
    }
}

/// What `Location` leads to: 202 until it is done, then nothing.
fn result(call: &Call<'_>, provider: &str, id: &ResourceId, operation: &Operation) -> Answer {
    if operation.done {
        // Recorded: what nothing more can be learned from still says where it is.
        let done = reply::empty(StatusCode::NO_CONTENT).with("location", &here(call));
        return match provider {
            "microsoft.containerregistry" => reply::empty(StatusCode::OK),
            "microsoft.network" => done.with("azure-asyncoperation", &super::network::status_url(call, id)),
            _ => done,
        };
    }
    reply::empty(StatusCode::ACCEPTED).with("location", &here(call)).with("retry-after", "10")
}

/// The purge of a vault says in words how far it is (recorded).
fn purge(call: &Call<'_>, operation: &Operation) -> Answer {
    let mut body: Value = json!({ "createdDateTime": operation.started.spaced(), "status": "NotStarted" });
    let answer = if operation.done {
        body["lastActionDateTime"] = operation.ends.spaced().into();
        body["status"] = "Succeeded".into();
        reply::json(StatusCode::OK, &body)
    } else {
        reply::json(StatusCode::ACCEPTED, &body).with("location", &here(call))
    };
    vault::stamped(answer)
}
