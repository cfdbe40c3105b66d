//! What is declared nowhere, with what can be done about it. Which objects those are is the planner's to say.

use akson_planner::{Owned, Snapshot, unmanaged::Unmanaged as Found};

use super::{DriftDocument, Severity, Unmanaged};
use crate::{arguments::Global, exit::Exit, session::Run};

/// Looks for it. A list that cannot be read is an error: it is never taken for empty.
///
/// # Errors
/// The exit code; what is wrong is printed.
pub(super) async fn find(
    run: &mut Run,
    drift: &mut DriftDocument,
    owned: &Owned,
    snapshot: &mut Snapshot,
    global: &Global,
) -> Result<(), Exit> {
    let found = akson_applier::unmanaged(&run.engine, &run.config, owned, run.loaded.catalog, snapshot).await;
    match found {
        Ok(found) => {
            let told = found.into_iter().map(told);
            (drift.of_other_stacks, drift.unmanaged) = told.partition(|one| one.stack.is_some());
            Ok(())
        }
        Err(_) if run.cancel.is_stopped() => Err(Exit::Interrupted),
        Err(failure) => {
            let diagnostic = akson_applier::report::read_for(&failure, &run.config)
                .help("`akson drift --no-unmanaged` looks at what is declared alone");
            Err(run.refuse_with(diagnostic, global))
        }
    }
}

fn told(found: Found) -> Unmanaged {
    let id = quoted(&found.id);
    let url = quoted(&format!("{}?api-version={}", found.id, found.api_version));
    Unmanaged {
        severity: Severity::from(found.severity),
        kind: found.kind,
        adopt: format!("akson drift --adopt {id}"),
        remove: format!("az rest --method delete --url {url}"),
        id: found.id,
        what: found.what,
        stack: found.stack,
        notes: Vec::new(),
        on: Some(found.on),
        by: Vec::new(),
    }
}

/// A word of a shell's command, whatever it holds.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/-_.:@=".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one() {
        let check = |text: &str, word: &str| assert_eq!(quoted(text), word);
        check("/subscriptions/s/resourceGroups/g", "/subscriptions/s/resourceGroups/g");
        check("a b", "'a b'");
        check("a'; rm -rf ~ #", "'a'\\''; rm -rf ~ #'");
        check("$(id)", "'$(id)'");
        check("", "''");
    }
}
