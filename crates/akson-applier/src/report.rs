//! Errors to diagnostics: the one place where they get a code, the declaring block's place and a way out. Azure's own words are always told as such.

use akson_azure::{AzureError, Class, Cloud, FollowError, TokenError, TransportError, classify};
use akson_catalog::kind::Plane;
use akson_config::Config;
use akson_diagnostics::{Code, Diagnostic, SafeText};
use akson_planner::{Action, Change};
use serde_json::Value as Json;

use crate::{
    codes,
    engine::SendError,
    refresh::{ReadCause, ReadFailure},
    step::{NotKept, Stale, StepError, is_no_definition},
};

mod blocks;
mod cluster;
mod denied;
mod ledger;

use denied::Asked;
pub use ledger::{fallback, ledger};

/// What every failed step ends with.
const CONTINUES: &str = "what succeeded is recorded; run `akson apply` again to continue";

/// A failed step.
pub(crate) fn of_step(change: &Change, error: &StepError, ledger_place: &str) -> Diagnostic {
    let what = verb(change);
    let address = &change.address;
    let diagnostic = match error {
        StepError::Refused(error) if change.kind.plane == Plane::Kubernetes => cluster::refused(change, error),
        StepError::Closed(error) => cluster::closed(change, error),
        StepError::Refused(error) => refused(change, error),
        StepError::Ended(error) => ended(change, error),
        StepError::Undecided(detail) => {
            Diagnostic::error(codes::UNDECIDED, format!("whether it could {what} `{address}` is not known"))
                .note(format!("no answer told: {}", SafeText(detail)))
                .note("the ledger says that it was under way; the next run looks what came of it")
                .help(CONTINUES)
        }
        StepError::Unreachable(error) => unreachable(error, &format!("cannot {what} `{address}`"), CONTINUES),
        StepError::Send(error) => of_send(error, &format!("cannot {what} `{address}`")),
        StepError::Stale(stale) => self::stale(change, stale),
        StepError::NotKept(lost) => not_kept(change, lost),
        StepError::HeldByDeleted => {
            Diagnostic::error(codes::HELD_BY_DELETED, format!("cannot {what} `{address}`: a deleted one has its name"))
                .note("it is soft-deleted, and does not bear this stack's mark: what is in it is somebody else's")
                .help("recover or purge it by hand, or give this one another name")
        }
        StepError::NotOurs { stack } => {
            let headline = format!("cannot {what} `{address}`: it does not bear this stack's mark any more");
            let why = match stack {
                Some(stack) => format!("it bears the mark of the stack {}", SafeText(stack)),
                None => "its mark was there when the plan was made".to_owned(),
            };
            Diagnostic::error(codes::NOT_OURS, headline)
                .note(why)
                .note("nothing was sent: an object is only deleted when both the ledger and its own mark say that it is ours")
                .help("plan again, and see who took the mark away")
        }
        StepError::Hole(hole) => {
            let mut diagnostic = Diagnostic::error(codes::BAD_HOLE, format!("cannot {what} `{address}`: {hole}"));
            if let Some(span) = hole.span {
                diagnostic = diagnostic.at(span, "this value came from another resource");
            }
            diagnostic.help("mend the value, then run `akson apply` again")
        }
        StepError::Ledger(error) => ledger::unwritable(error, ledger_place),
        StepError::Interrupted => {
            Diagnostic::error(codes::UNDECIDED, format!("`{address}` was interrupted")).help(CONTINUES)
        }
    };
    let diagnostic = match change.source {
        Some(span) => diagnostic.at(span, ""),
        None => diagnostic,
    };
    diagnostic.on(address.clone())
}

/// A read that failed, on the block that it was for.
pub fn read_for(failure: &ReadFailure, config: &Config) -> Diagnostic {
    let diagnostic = read(failure);
    let named = match &failure.cause {
        ReadCause::Send(SendError::Transport(TransportError::NotRecorded { names, .. })) => {
            names.iter().find_map(|name| blocks::named(name, config))
        }
        _ => None,
    };
    match named.or_else(|| blocks::asking(&failure.path, config)) {
        Some(resource) => diagnostic.at(resource.header, "").on(resource.address.to_string()),
        None => diagnostic,
    }
}

/// A read that failed.
pub fn read(failure: &ReadFailure) -> Diagnostic {
    let path = failure.path.split('?').next().unwrap_or_default();
    let headline = format!("cannot read `{}`", SafeText(path));
    match &failure.cause {
        ReadCause::Send(error) => of_send(error, &headline),
        ReadCause::Azure(error) if classify(error) == Class::Denied => {
            let plane = if path.starts_with("/v1.0/") { Plane::Graph } else { Plane::Arm };
            let asked = Asked { plane, path, writes: false };
            let diagnostic = Diagnostic::error(codes::DENIED, format!("{headline}: the signed-in principal may not"));
            denied::explain(said(diagnostic, error), error, &asked, "nothing was changed")
        }
        ReadCause::Azure(error) => said(Diagnostic::error(codes::NOT_READ, headline), error)
            .help("what cannot be read is never taken for absent, so there is no plan; try again"),
        ReadCause::Absent | ReadCause::UnknownType => Diagnostic::error(codes::NOT_READ, headline)
            .note(failure.cause.to_string())
            .help("check its spelling, the subscription, and which tenant is signed in to"),
        other => Diagnostic::error(codes::NOT_READ, headline)
            .note(SafeText(&other.to_string()).to_string())
            .help("what cannot be read is never taken for absent, so there is no plan; try again"),
    }
}

/// A request without an answer.
pub fn of_send(error: &SendError, headline: &str) -> Diagnostic {
    match error {
        SendError::SignIn(TokenError::Refused { code, message }) => {
            Diagnostic::error(codes::SIGN_IN, format!("{headline}: sign-in was refused"))
                .note(azure_said(code, message))
                .help("check the tenant, the client id and its secret")
        }
        SendError::SignIn(error @ TokenError::Unavailable { .. }) => {
            Diagnostic::error(codes::SIGN_IN, format!("{headline}: there is no token"))
                .note(SafeText(&error.to_string()).to_string())
                .help("try again in a while")
        }
        SendError::Transport(error) => unreachable(error, headline, "then try again"),
        SendError::Operation(error) => {
            Diagnostic::error(codes::REFUSED, format!("{headline}: there is no such request"))
                .note(SafeText(&error.to_string()).to_string())
                .help("check the names in the configuration")
        }
        SendError::Ledger(error) => {
            Diagnostic::error(codes::LEDGER_CONFLICT, format!("{headline}: nothing more is sent"))
                .note(SafeText(&error.to_string()).to_string())
                .help("see that no other run of this stack is under way, then run again")
        }
        SendError::Interrupted => {
            Diagnostic::error(codes::UNDECIDED, format!("{headline}: interrupted")).help(CONTINUES)
        }
    }
}

/// A host that does not answer, or that is not trusted: which one it is says what may be wrong.
fn unreachable(error: &TransportError, headline: &str, then: &str) -> Diagnostic {
    if matches!(error, TransportError::NotRecorded { .. }) {
        return Diagnostic::error(codes::NOT_RECORDED, format!("{headline}: the recording does not tell it"))
            .note("it was not asked when the recording was made, and no whole list that was tells whether it is there")
            .help("record again from this configuration (`akson plan --record FILE`), or take what is not told for absent (`--assume-absent`)");
    }
    let host = error.host();
    let of = |suffix: fn(&Cloud) -> &'static str| {
        Cloud::ALL.iter().any(|cloud| host.strip_suffix(suffix(cloud)).is_some_and(|name| name.ends_with('.')))
    };
    let (who, help) = if of(|cloud| cloud.cluster) {
        (
            "the cluster's API server",
            "a private cluster is reached from its own network, and one with authorized ranges from those: run there, or admit this machine",
        )
    } else if of(|cloud| cloud.vault) {
        ("the vault", "see that its name resolves here: one with a private endpoint is reached from its network")
    } else {
        ("Azure", "check the network and the proxy")
    };
    Diagnostic::error(codes::UNREACHABLE, format!("{headline}: {who} cannot be reached"))
        .note(SafeText(&error.to_string()).to_string())
        .help(format!("{help}; {then}"))
}

fn refused(change: &Change, error: &AzureError) -> Diagnostic {
    if classify(error) == Class::Denied {
        let headline = format!("the signed-in principal may not {} `{}`", verb(change), change.address);
        let kind = &change.kind;
        let path = if kind.plane == Plane::Graph { &kind.resource_type } else { change.symbolic_id.as_str() };
        let asked = Asked { plane: kind.plane, path, writes: true };
        let diagnostic = said(Diagnostic::error(codes::DENIED, headline), error);
        return denied::explain(diagnostic, error, &asked, CONTINUES);
    }
    let (code, help) = way_out(error);
    let headline = match classify(error) {
        Class::WaitForOther | Class::Throttled | Class::RetryFast | Class::RetrySlow => {
            format!("Azure was too busy for too long to {} `{}`", verb(change), change.address)
        }
        _ => format!("Azure refused to {} `{}`", verb(change), change.address),
    };
    said(Diagnostic::error(code, headline), error).help(format!("{help}; {CONTINUES}"))
}

/// The code and what to do, by what Azure said.
fn way_out(error: &AzureError) -> (Code, &'static str) {
    let says = |codes: &[&str]| codes.iter().any(|code| error.says(code));
    if says(&["ScopeLocked"]) {
        (codes::LOCKED, "remove the lock, or declare it here so that it is lifted in order")
    } else if says(&["RequestDisallowedByPolicy"]) {
        (codes::POLICY, "change what the policy objects to, or ask its owner for an exemption")
    } else if says(&[
        "ResourceQuotaExceeded",
        "QuotaExceeded",
        "SkuNotAvailable",
        "LocationNotAvailableForResourceGroup",
    ]) {
        (codes::QUOTA, "ask for a higher quota, or choose another size or location")
    } else if says(&["VaultAlreadyExists"]) || error.message.contains("deleted state") {
        (
            codes::NAME_TAKEN,
            "choose another name: names of vaults are unique in the world and stay taken after deletion; a deleted one of yours comes back with `az keyvault recover --name NAME`, and goes for good with `az keyvault purge --name NAME`",
        )
    } else if is_no_definition(error) {
        (codes::REFUSED, "there is no such role or policy: check its GUID, or call a built-in one by its name")
    } else if says(&["MissingSubscriptionRegistration", "SubscriptionNotRegistered"]) {
        (codes::REFUSED, "register the resource provider in the subscription (`az provider register`)")
    } else {
        match classify(error) {
            Class::WaitForOther | Class::Throttled | Class::RetryFast | Class::RetrySlow => {
                (codes::TOO_BUSY, "wait until the other operation has ended")
            }
            _ => (codes::REFUSED, "mend what Azure names"),
        }
    }
}

fn ended(change: &Change, error: &FollowError) -> Diagnostic {
    let (what, address) = (verb(change), &change.address);
    let still_ours = "the ledger keeps it as under way, so that the next run mends it";
    match error {
        FollowError::Azure(error) => {
            said(Diagnostic::error(codes::ENDED, format!("Azure began to {what} `{address}` and failed")), error)
                .note(still_ours)
                .help(format!("mend what Azure names; {CONTINUES}"))
        }
        FollowError::Vanished => {
            Diagnostic::error(codes::ENDED, format!("Azure accepted to {what} `{address}`, and then it was not there"))
                .note(still_ours)
                .help(format!("see whether something else deletes it; {CONTINUES}"))
        }
        FollowError::RolledBack => {
            Diagnostic::error(codes::ENDED, format!("Azure began to {what} `{address}` and took it back"))
                .note("something in it may be locked, or could not be deleted")
                .help(format!("see its activity log in the portal; {CONTINUES}"))
        }
        FollowError::Deadline { status } => {
            let mut late = Diagnostic::error(codes::UNDECIDED, format!("it takes too long to {what} `{address}`"));
            if let Some(status) = status {
                late = late.note(format!("Azure said: {}", SafeText(status)));
            }
            late.note("it still goes on, and the next run waits for it").help(CONTINUES)
        }
    }
}

fn stale(change: &Change, stale: &Stale) -> Diagnostic {
    let how = match stale {
        Stale::Appeared => "it exists, and did not when the plan was made".to_owned(),
        Stale::Gone => "it is gone, and was there when the plan was made".to_owned(),
        Stale::Differs(attributes) => {
            let list: Vec<String> = attributes.iter().map(|attribute| format!("`{attribute}`")).collect();
            format!("something else changed {}", list.join(", "))
        }
        Stale::Told(error) => azure_said(&error.code, &error.message),
    };
    Diagnostic::error(codes::STALE, format!("`{}` changed since the plan", change.address))
        .note(how)
        .note("nothing was sent for it")
        .help("plan again and see what is different now")
}

fn not_kept(change: &Change, lost: &[NotKept]) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error(codes::NOT_KEPT, format!("Azure did not keep what was written to `{}`", change.address));
    for lost in lost {
        if let Some(span) = lost.span {
            diagnostic = diagnostic.at(span, "this is not what is there afterwards");
        }
        let note = match &lost.values {
            (None, None) => format!("`{}` differs", lost.attribute),
            (wanted, there) => {
                format!("`{}` is {}, and {} was sent", lost.attribute, told(there.as_ref()), told(wanted.as_ref()))
            }
        };
        diagnostic = diagnostic.note(note);
    }
    diagnostic
        .help("a policy or another client may set it: agree on one value; the next plan shows the difference again")
}

fn told(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => "absent".to_owned(),
        Some(value) => {
            let text: String = value.to_string().chars().take(200).collect();
            format!("`{}`", SafeText(&text))
        }
    }
}

/// Azure's code and message, told as Azure's.
fn said(diagnostic: Diagnostic, error: &AzureError) -> Diagnostic {
    let mut diagnostic = diagnostic.note(azure_said(&error.code, &error.message));
    for (code, message) in error.details.iter().filter(|(_, message)| !message.is_empty()).take(3) {
        diagnostic = diagnostic.note(azure_said(code, message));
    }
    diagnostic
}

/// Azure's words in one line, told as Azure's.
pub fn azure_said(code: &str, message: &str) -> String {
    // On one line: a line of its own could be taken for a command by whatever reads the log.
    let message: Vec<&str> = message.split_whitespace().collect();
    let message = message.join(" ");
    match (code, message.as_str()) {
        ("", message) => format!("Azure said: {}", SafeText(message)),
        (code, "") => format!("Azure said: {}", SafeText(code)),
        (code, message) => format!("Azure said: {}: {}", SafeText(code), SafeText(message)),
    }
}

fn verb(change: &Change) -> &'static str {
    match change.action {
        Action::Create => "create",
        Action::Update | Action::NoOp => "update",
        Action::Replace => "replace",
        Action::Delete => "delete",
        Action::Adopt => "adopt",
        Action::Forget => "forget",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, who: &str) {
        let error = TransportError::Refused { host: host.to_owned(), detail: "connection refused".to_owned() };
        let told = unreachable(&error, "cannot create `x`", CONTINUES);
        assert_eq!(told.message, format!("cannot create `x`: {who} cannot be reached"));
        assert!(told.notes.iter().any(|note| note.contains(host)));
    }

    #[test]
    fn who_cannot_be_reached() {
        check("app.hcp.westeurope.azmk8s.io", "the cluster's API server");
        check("app.hcp.usgovvirginia.cx.aks.containerservice.azure.us", "the cluster's API server");
        check("kv.vault.azure.net", "the vault");
        check("management.azure.com", "Azure");
        check("login.chinacloudapi.cn", "Azure");
        check("evilazmk8s.io", "Azure");
    }
}
