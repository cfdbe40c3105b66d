//! Drift as an issue's or a comment's text. It always fits one of 65,536 bytes, and nothing from outside can break out of it.

use std::fmt::Write as _;

use super::{
    drift::{by, summary, undo, worst},
    markdown::{BUDGET, code, comment},
    plan::{count, side},
};
use crate::{
    document::{ChangeDocument, ReasonDocument},
    drift::{Actor, DriftDocument, Severity},
};

/// The text.
pub(crate) fn markdown(drift: &DriftDocument) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "<!-- akson:drift stack={} -->", comment(&drift.plan.stack));
    let _ = writeln!(out, "### akson drift · {} · {}\n", code(&drift.plan.stack), code(&drift.plan.cloud));
    let headline = if drift.is_drift() { summary(drift) } else { format!("No drift. {}", summary(drift)) };
    let _ = writeln!(out, "**{headline}**");
    let mut rows = Rows { table: String::new(), left_out: 0 };
    for severity in [Severity::High, Severity::Medium, Severity::Low] {
        for change in drift.plan.changes.iter().filter(|change| worst(change) == severity) {
            changed(&mut rows, change, &format!("undo: {}", code(&undo(change))));
        }
        for found in drift.unmanaged.iter().filter(|found| found.severity == severity) {
            let what = format!("unmanaged {}: {}", code(&found.kind), code(&found.what));
            let act = format!("adopt: {}<br>remove: {}", code(&found.adopt), code(&found.remove));
            rows.push(found.severity, &what, &found.by, &found.notes, &act);
        }
    }
    for found in &drift.of_other_stacks {
        let what = format!("{}: {}", code(&found.kind), code(&found.what));
        let of = found.stack.as_ref().map(|stack| format!("of stack {}", code(stack))).unwrap_or_default();
        rows.push(found.severity, &what, &found.by, &found.notes, &of);
    }
    for change in &drift.tolerated {
        changed(&mut rows, change, "tolerated");
    }
    if !rows.table.is_empty() {
        let _ = write!(out, "\n| | what | who | |\n|---|---|---|---|\n{}", rows.table);
    }
    if rows.left_out > 0 {
        let _ = writeln!(out, "\n{} more: see the job's log.", count(rows.left_out, "row"));
    }
    for note in drift.notes.iter().take(20) {
        let _ = writeln!(out, "\n- {}", code(note));
    }
    let _ = writeln!(out, "\n{}", count(drift.plan.requests.reads, "request"));
    out
}

struct Rows {
    table: String,
    left_out: usize,
}

impl Rows {
    fn push(&mut self, severity: Severity, what: &str, by: &[Actor], notes: &[String], act: &str) {
        let who: Vec<String> = by.iter().map(self::by).chain(notes.iter().cloned()).map(|text| code(&text)).collect();
        let row = format!("| {} | {what} | {} | {act} |\n", severity.word(), who.join("<br>"));
        // The rest is for what stands around the table.
        if self.table.len() + row.len() > BUDGET - 4_000 {
            self.left_out += 1;
        } else {
            self.table.push_str(&row);
        }
    }
}

fn changed(rows: &mut Rows, change: &ChangeDocument, act: &str) {
    let mut what = code(&change.address);
    if change.action == "create" {
        what.push_str(" is gone");
    } else {
        let mut reasons: Vec<&ReasonDocument> = change.reasons.iter().collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.severity));
        for reason in reasons {
            let Some(attribute) = &reason.attribute else { continue };
            let (declared, live) = (side(reason, &reason.after, true), side(reason, &reason.before, false));
            let _ = write!(what, "<br>{}: declared {}, now {}", code(attribute), code(&declared), code(&live));
        }
    }
    rows.push(worst(change), &what, &change.by, &change.notes, act);
}

#[cfg(test)]
mod tests {
    use super::{super::drift::tests::document, *};

    #[test]
    fn nothing_breaks_out() {
        let text = markdown(&document());
        assert!(
            text.contains("| HIGH | `vault.a[\"x\"]`<br>`purge_protection`: declared `\"enabled\"`, now `\"disabled\"`<br>`tags.owner`: declared `\"a\\|b\"`, now `\"\\u{1b}[31mred\"`"),
            "{text}"
        );
        assert!(text.contains("unmanaged `grant`: ``gives `Owner` to </details>``"), "{text}");
        assert!(text.contains("**1 changed, 1 deleted, 1 unmanaged, 1 tolerated, 3 in sync**"), "{text}");
        assert!(text.lines().filter(|line| line.starts_with("| ")).all(|line| line.ends_with(" |")), "{text}");
    }

    #[test]
    fn it_always_fits() {
        let mut document = document();
        document.plan.changes = vec![document.plan.changes[0].clone(); 5_000];
        document.notes = vec!["n".repeat(100); 1_000];
        let text = markdown(&document);
        assert!(text.len() < 62_000, "{}", text.len());
        assert!(text.contains("more: see the job's log"));
    }
}
