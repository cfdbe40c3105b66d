//! What came of many stacks, as a table for people: a line each, and the sum.

use std::fmt::Write as _;

use super::{literal, plan::count};

/// What came of one.
pub(crate) struct Row {
    /// The stack's folder.
    pub(crate) folder: String,
    /// In a word or two, the same for all of which the same came.
    pub(crate) outcome: &'static str,
    /// In a few more.
    pub(crate) what: String,
}

/// The table. `outcomes` are all there are, in the order in which the sum has them.
pub(crate) fn table(rows: &[Row], outcomes: &[&'static str]) -> String {
    let columns = |text: &str| text.chars().count();
    let width = rows.iter().map(|row| columns(&row.folder)).max().unwrap_or(0).clamp(5, 60);
    let words = outcomes.iter().map(|word| columns(word)).max().unwrap_or(0);
    let mut out = String::new();
    for Row { folder, outcome, what } in rows {
        let folder = literal::safe(folder);
        let pad = width.saturating_sub(columns(&folder));
        let line = format!("{folder}{:pad$}  {outcome:<words$}  {what}", "");
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let of = |outcome: &str| rows.iter().filter(|row| row.outcome == outcome).count();
    let parts: Vec<String> = outcomes
        .iter()
        .map(|word| (of(word), word))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    let _ = writeln!(out, "{}{parts}", count(rows.len(), "stack"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_below_each_other_and_are_counted() {
        let row = |folder: &str, outcome, what: &str| Row { folder: folder.to_owned(), outcome, what: what.to_owned() };
        let rows =
            [row("stacks/mail", "ok", "3 resources"), row("shop", "failed", "1 error"), row("web\u{1b}[2J", "ok", "")];
        assert_eq!(
            table(&rows, &["ok", "failed"]),
            "stacks/mail  ok      3 resources\nshop         failed  1 error\nweb\\u{1b}[2J  ok\n3 stacks: 2 ok, 1 failed\n"
        );
        assert_eq!(table(&[], &["ok"]), "0 stacks\n");
    }
}
