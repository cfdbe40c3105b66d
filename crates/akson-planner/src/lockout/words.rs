//! What is said of a plan that would lock somebody out, in words: one function a diagnostic. Not when it is said.

use std::{collections::BTreeSet, net::IpAddr};

use akson_diagnostics::{Diagnostic, Span};

use crate::{codes, decide::Pending, plan::Action};

/// After some steps nobody is left who gets in.
pub(super) fn nobody_left(
    pending: &[Pending<'_>],
    at: usize,
    closers: &BTreeSet<usize>,
    vault: bool,
    unsure: bool,
    warn: bool,
) -> Diagnostic {
    let guarded = pending.get(at).map_or("", |change| change.address.as_str());
    let what = if vault { "reach what is in it" } else { "administer it" };
    let text = match (unsure, vault) {
        (false, _) => format!("the plan leaves `{guarded}` without anybody who could {what}"),
        (true, _) => format!("whether anybody is left who could {what} is not known of `{guarded}`"),
    };
    let code = if unsure { codes::LOCKOUT_UNSURE } else { codes::LOCKOUT };
    let mut diagnostic = if warn { Diagnostic::warning(code, text) } else { Diagnostic::error(code, text) };
    diagnostic = diagnostic.on(guarded);
    let steps: Vec<String> = closers.iter().filter_map(|closer| pending.get(*closer)).map(done).collect();
    diagnostic = diagnostic.note(format!("it is so as soon as {}", joined(&steps)));
    diagnostic = match (unsure, vault) {
        (false, false) => diagnostic.note(
            "then local accounts are disabled, no group of administrators has anybody in it, and no role assignment or binding makes anybody its administrator",
        ),
        (false, true) => diagnostic.note("then role assignments decide, and none of them gives anybody anything in it"),
        (true, _) => diagnostic.note(
            "roles that are not Azure's own, and role assignments under conditions or that nobody could list, may still let somebody in",
        ),
    };
    diagnostic = places(diagnostic, pending, closers);
    diagnostic.help(way_out(vault))
}

/// No order keeps a way open.
pub(super) fn no_order(pending: &[Pending<'_>], at: usize, closer: usize, opener: usize, vault: bool) -> Diagnostic {
    let guarded = pending.get(at).map_or("", |change| change.address.as_str());
    let what = if vault { "reach what is in it" } else { "administer it" };
    let text = format!("in no order of this plan is there always somebody who could {what}: `{guarded}`");
    let (closes, opens) = (pending.get(closer).map(done), pending.get(opener).map(done));
    let mut diagnostic = Diagnostic::error(codes::LOCKOUT, text).on(guarded);
    if let (Some(closes), Some(opens)) = (closes, opens) {
        diagnostic = diagnostic
            .note(format!("nobody gets in after {closes} and before {opens}"))
            .note("the one cannot wait for the other, since that waits for it");
    }
    diagnostic = places(diagnostic, pending, &[closer, opener].into_iter().collect());
    diagnostic.help("apply what lets somebody in first, by itself; then the rest")
}

/// The caller's own role assignment would go before what it is needed for.
pub(super) fn own_grant_first(grant: &Pending<'_>, before: &Pending<'_>) -> Diagnostic {
    let text = format!("`{}` is the caller's own and would go before what it may be needed for", grant.address);
    let diagnostic = Diagnostic::error(codes::LOCKOUT, text)
        .on(&grant.address)
        .note(format!("{} waits for it to go, and lies where it gives the caller rights", done(before)))
        .help("keep it for this apply and remove it in another one");
    at(diagnostic, grant.header, "deleted")
}

/// Ranges do not have the caller in them.
pub(super) fn caller_shut_out(change: &Pending<'_>, span: Option<Span>, address: &IpAddr) -> Diagnostic {
    let text = format!("the authorized ranges of `{}` shut out {address}, from where this runs", change.address);
    let diagnostic = Diagnostic::error(codes::CALLER_SHUT_OUT, text)
        .on(&change.address)
        .note("after the step the cluster's API server answers these ranges alone, neither this apply nor the next one")
        .help(format!(
            "add `\"{address}/32\"` to the ranges; if you come from elsewhere, say from where with `--caller-address`"
        ));
    at(diagnostic, span.or(change.header), "this address is in none of them")
}

/// Nobody said from where the caller comes.
pub(super) fn caller_unknown(change: &Pending<'_>, span: Option<Span>) -> Diagnostic {
    let text = format!("whether the authorized ranges of `{}` admit the caller is not known", change.address);
    let diagnostic = Diagnostic::warning(codes::CALLER_UNKNOWN, text)
        .on(&change.address)
        .note("Azure does not tell from which address a request comes, and nothing is guessed")
        .help("say it with `--caller-address 203.0.113.7` or AKSON_CALLER_ADDRESS, and ranges without it are refused");
    at(diagnostic, span.or(change.header), "these ranges are new")
}

fn way_out(vault: bool) -> &'static str {
    if vault {
        "grant somebody a role on its content in the same stack, such as `grant \"…\" { role = \"Key Vault Secrets Officer\" … }`: that is then done first"
    } else {
        "let somebody in by the same stack: a grant of `Azure Kubernetes Service RBAC Cluster Admin` on it, a group in `entra { admin_groups = […] }`, or `local_accounts = enabled`; that is then done first"
    }
}

/// `` `cluster.main` is updated``.
fn done(change: &Pending<'_>) -> String {
    let what = match change.decision.action {
        Action::Delete => "is deleted",
        Action::Replace => "is replaced",
        Action::Create => "is created",
        Action::Adopt => "is adopted",
        Action::Forget => "is forgotten",
        Action::Update | Action::NoOp => "is updated",
    };
    format!("`{}` {what}", change.address)
}

fn joined(steps: &[String]) -> String {
    match steps {
        [] => "it is applied".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The blocks of the steps, the first as the primary place.
fn places(mut diagnostic: Diagnostic, pending: &[Pending<'_>], steps: &BTreeSet<usize>) -> Diagnostic {
    let mut placed = false;
    for change in steps.iter().filter_map(|step| pending.get(*step)) {
        if let Some(header) = change.header {
            let text = done(change).split_once("` ").map_or(String::new(), |(_, what)| what.to_owned());
            diagnostic = if placed { diagnostic.also(header, text) } else { diagnostic.at(header, text) };
            placed = true;
        }
    }
    diagnostic
}

fn at(diagnostic: Diagnostic, span: Option<Span>, text: &str) -> Diagnostic {
    match span {
        Some(span) => diagnostic.at(span, text),
        None => diagnostic,
    }
}
