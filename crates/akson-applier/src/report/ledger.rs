//! What the ledger brings up, to diagnostics.

use akson_diagnostics::{Diagnostic, SafeText};

use crate::{
    codes,
    ledger::{Fallback, LedgerError, ReadError, StoreError},
};

/// Why there is no ledger to work with.
pub fn ledger(error: &LedgerError) -> Diagnostic {
    match error {
        LedgerError::Store { place, error } => store(error, place),
        LedgerError::Foreign { place, differences } => {
            let mut diagnostic = Diagnostic::error(
                codes::LEDGER_FOREIGN,
                format!("the ledger `{}` belongs to something else", SafeText(place)),
            );
            for (part, have, want) in differences {
                diagnostic = diagnostic.note(format!(
                    "its {part} is `{}`, and the {part} here is `{}`",
                    SafeText(have),
                    SafeText(want)
                ));
            }
            diagnostic.help("choose the tenant and subscription that the stack was first applied with, or give the stack another label")
        }
    }
}

/// The ledger could not be written in the middle of an apply.
pub(super) fn unwritable(error: &StoreError, place: &str) -> Diagnostic {
    store(error, place)
        .note("nothing more was sent; what was in flight was followed to its end")
        .note("nothing is lost: what was announced stands in the ledger, and the next run looks what came of it")
}

fn store(error: &StoreError, place: &str) -> Diagnostic {
    let place = SafeText(place);
    match error {
        StoreError::Locked { holder } => {
            let mut diagnostic = Diagnostic::error(codes::LEDGER_HELD, "another run of this stack is under way");
            if let Some(holder) = holder {
                diagnostic = diagnostic.note(format!("the ledger is held by {}", SafeText(holder)));
            }
            diagnostic.help("wait until it has ended; the lock of a run that was killed is free at once on this machine, and within a minute elsewhere, or after `akson ledger unlock`")
        }
        StoreError::Conflict => Diagnostic::error(
            codes::LEDGER_CONFLICT,
            format!("the ledger `{place}` was changed by something else meanwhile"),
        )
        .help("see that nothing but akson writes it, then run again"),
        StoreError::Lost => Diagnostic::error(
            codes::LEDGER_CONFLICT,
            format!("the lock on the ledger `{place}` was lost, and another run may be in"),
        )
        .note("it is lost when the storage account cannot be reached for a minute, when this machine sleeps, and by `akson ledger unlock`")
        .help("see that no other run of this stack is under way, then run again"),
        StoreError::NotLocked => {
            Diagnostic::error(codes::LEDGER_CONFLICT, format!("the ledger `{place}` is not held by this run"))
                .help("run again; if it happens again, report it as a bug of akson")
        }
        StoreError::Irregular { path, what } => {
            Diagnostic::error(codes::LEDGER_IRREGULAR, format!("`{}` is {what}", SafeText(path)))
                .note("a ledger is never read or written through a link")
                .help("put the file itself in its place")
        }
        StoreError::Unreadable { reason: ReadError::Format(format), .. } => {
            Diagnostic::error(codes::LEDGER_NEWER, format!("a newer version of akson wrote the ledger `{place}`"))
                .note(format!("it has format {format}"))
                .help("use that version")
        }
        StoreError::Unreadable { tried, .. } => {
            let mut diagnostic =
                Diagnostic::error(codes::LEDGER_DAMAGED, format!("the ledger `{place}` cannot be read"));
            for (path, why) in tried {
                diagnostic = diagnostic.note(format!("`{}`: {}", SafeText(path), SafeText(why)));
            }
            diagnostic.help("bring it back from a backup, or run `akson ledger recover`, which makes it again of what bears this stack's mark")
        }
        StoreError::Io { .. } => Diagnostic::error(codes::LEDGER_UNWRITABLE, SafeText(&error.to_string()).to_string())
            .help("free some space or mend the permissions, then run again"),
        StoreError::Service { way_out, .. } => {
            Diagnostic::error(codes::LEDGER_UNREACHABLE, SafeText(&error.to_string()).to_string()).help(*way_out)
        }
    }
}

/// An older generation is used: told loudly, since what happened after it is not in it.
pub fn fallback(fallback: &Fallback) -> Diagnostic {
    let mut diagnostic = Diagnostic::warning(
        codes::LEDGER_FALLBACK,
        format!("the ledger is damaged: going on with its generation {}", fallback.generation),
    );
    for (path, why) in &fallback.unreadable {
        diagnostic = diagnostic.note(format!("`{}`: {}", SafeText(path), SafeText(why)));
    }
    diagnostic
        .note(format!("used: `{}`", SafeText(&fallback.used)))
        .help("read the plan with care: what was done after that generation shows as taken back or to be created")
}
