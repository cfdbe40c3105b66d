//! Drift as an issue's or a comment's text, and the part of it that reports show as well. It always fits one of 65,536 bytes, and nothing from
//! outside can break out of it.

use std::fmt::Write as _;

use super::{
    drift::{by, summary, undo, worst},
    markdown::{BUDGET, code, comment, cut},
    plan::{count, side},
};
use crate::{
    document::{ChangeDocument, ReasonDocument},
    drift::{Actor, DriftDocument, Severity, Unmanaged},
};

/// What of the room is for what stands around the table.
const AROUND: usize = 4_000;
/// So many attributes of one resource are told, and so much of a text.
const ATTRIBUTES: usize = 12;
const LONGEST: usize = 300;

/// The text.
pub(crate) fn markdown(drift: &DriftDocument) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "<!-- akson:drift stack={} -->", comment(&drift.plan.stack));
    let _ = writeln!(out, "### akson drift · {} · {}\n", code(&drift.plan.stack), code(&drift.plan.cloud));
    let headline = if drift.is_drift() { summary(drift) } else { format!("No drift. {}", summary(drift)) };
    let _ = writeln!(out, "**{headline}**");
    findings(&mut out, drift);
    let _ = writeln!(out, "\n{}", count(drift.plan.requests.reads, "request"));
    out
}

/// What was found, the worst first, with who did it and what to do about it; as far as there is room.
pub(crate) fn findings(out: &mut String, drift: &DriftDocument) {
    let mut rows = Rows { table: String::new(), left_out: 0 };
    for severity in [Severity::High, Severity::Medium, Severity::Low] {
        for change in drift.plan.changes.iter().filter(|change| worst(change) == severity) {
            changed(&mut rows, change, &format!("undo: {}", code(&undo(change))));
        }
        for found in drift.unmanaged.iter().filter(|found| found.severity == severity) {
            let act = [("adopt", &found.adopt), ("remove", &found.remove)];
            let act = act.iter().filter(|(_, command)| !command.is_empty());
            let act: Vec<String> = act.map(|(word, command)| format!("{word}: {}", code(command))).collect();
            rows.push(
                found.severity,
                &format!("unmanaged {}", what(found)),
                &found.by,
                &found.notes,
                &act.join("<br>"),
            );
        }
    }
    for found in &drift.of_other_stacks {
        let of = found.stack.as_ref().map(|stack| format!("of stack {}", code(stack))).unwrap_or_default();
        rows.push(found.severity, &what(found), &found.by, &found.notes, &of);
    }
    for change in &drift.tolerated {
        changed(&mut rows, change, "tolerated");
    }
    if !rows.table.is_empty() {
        let _ = write!(out, "\n| | what | who | |\n|---|---|---|---|\n{}", rows.table);
    }
    if rows.left_out > 0 {
        let _ = writeln!(out, "\n{} more: see the run's log.", count(rows.left_out, "finding"));
    }
    for note in drift.notes.iter().take(20) {
        let line = format!("\n- {}\n", code(&cut(note, LONGEST)));
        if out.len() + line.len() < BUDGET {
            out.push_str(&line);
        }
    }
}

/// What an object is that is declared nowhere; where no command names it, by its id.
fn what(found: &Unmanaged) -> String {
    let mut text = format!("{}: {}", code(&found.kind), code(&cut(&found.what, LONGEST)));
    if let Some(on) = &found.on {
        let _ = write!(text, " on {}", code(&cut(on, LONGEST)));
    }
    if !found.adopt.contains(&found.id) {
        let _ = write!(text, "<br>{}", code(&cut(&found.id, 2 * LONGEST)));
    }
    text
}

struct Rows {
    table: String,
    left_out: usize,
}

impl Rows {
    fn push(&mut self, severity: Severity, what: &str, by: &[Actor], notes: &[String], act: &str) {
        let who = by.iter().map(self::by).chain(notes.iter().cloned()).map(|text| code(&cut(&text, LONGEST)));
        let who: Vec<String> = who.collect();
        let row = format!("| {} | {what} | {} | {act} |\n", severity.word(), who.join("<br>"));
        if self.table.len() + row.len() > BUDGET - AROUND {
            self.left_out += 1;
        } else {
            self.table.push_str(&row);
        }
    }
}

fn changed(rows: &mut Rows, change: &ChangeDocument, act: &str) {
    let mut what = code(&cut(&change.address, LONGEST));
    if change.action == "create" {
        what.push_str(" is gone");
    } else {
        let mut reasons: Vec<&ReasonDocument> =
            change.reasons.iter().filter(|reason| reason.attribute.is_some()).collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.severity));
        for reason in reasons.iter().take(ATTRIBUTES) {
            let Some(attribute) = &reason.attribute else { continue };
            let value = |value, wanted| code(&cut(&side(reason, value, wanted), LONGEST));
            let (declared, live) = (value(&reason.after, true), value(&reason.before, false));
            let _ = write!(what, "<br>{}: declared {declared}, now {live}", code(attribute));
        }
        if reasons.len() > ATTRIBUTES {
            let _ = write!(what, "<br>and {} more", count(reasons.len() - ATTRIBUTES, "attribute"));
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
        assert!(text.contains("more: see the run's log"));
    }
}
