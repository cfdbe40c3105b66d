//! Where evaluation reports to: one place, one error; silence about values that do not count; and the budget.

use std::collections::HashSet;

use akson_diagnostics::{Code, Diagnostic, Diagnostics, Span};

use crate::{codes, val::Val};

/// Limits that no honest configuration reaches, so that no configuration hangs or exhausts memory.
pub mod limits {
    /// Units of work of one evaluation: one a node of an expression, more for functions over large values.
    pub const WORK: u64 = 20_000_000;
    /// Bytes of one text.
    pub const TEXT: usize = 1 << 20;
    /// Elements of one list or map.
    pub const ELEMENTS: usize = 100_000;
    /// Instances of all resource blocks.
    pub const INSTANCES: usize = 50_000;
    /// Bytes of all values made, and of one value if nothing in it were shared.
    pub const BYTES: u64 = 64 << 20;
    /// Levels of nesting of one value.
    pub const DEPTH: u32 = 100;
}

/// Collects diagnostics and counts work.
pub(crate) struct Sink<'a> {
    out: &'a mut Diagnostics,
    seen: HashSet<(Code, Span)>,
    /// More than 0 while something is evaluated that will not exist: only what is wrong whatever the values are is reported.
    phantom: u32,
    /// In `try` or `can`: how often something was wrong because of a value.
    trial: Option<u64>,
    /// The resource that is being evaluated.
    pub address: Option<String>,
    /// A file could not be read at all: a name that is not found may stand in it.
    pub incomplete: bool,
    work: u64,
    bytes: u64,
    exhausted: bool,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(out: &'a mut Diagnostics) -> Self {
        Self {
            out,
            seen: HashSet::new(),
            phantom: 0,
            trial: None,
            address: None,
            incomplete: false,
            work: 0,
            bytes: 0,
            exhausted: false,
        }
    }

    /// Reports what is wrong whatever the values are. Several instances of one block make one report.
    pub(crate) fn report(&mut self, mut diagnostic: Diagnostic) {
        if let Some(span) = diagnostic.primary()
            && !self.seen.insert((diagnostic.code, span))
        {
            return;
        }
        if diagnostic.address.is_none() {
            diagnostic.address.clone_from(&self.address);
        }
        self.out.push(diagnostic);
    }

    /// Reports what is wrong because of a value: silent where the value does not count.
    pub(crate) fn report_value(&mut self, diagnostic: Diagnostic) {
        if let Some(failures) = &mut self.trial {
            *failures += 1;
        } else if self.phantom == 0 {
            self.report(diagnostic);
        }
    }

    /// From here on what is wrong because of a value is counted, not reported. What was counted before, for `leave_trial`.
    pub(crate) fn enter_trial(&mut self) -> Option<u64> {
        self.trial.replace(0)
    }

    /// Whether anything was counted.
    pub(crate) fn leave_trial(&mut self, before: Option<u64>) -> bool {
        let failures = std::mem::replace(&mut self.trial, before);
        failures.is_some_and(|failures| failures > 0)
    }

    pub(crate) fn is_phantom(&self) -> bool {
        self.phantom > 0
    }

    pub(crate) fn enter_phantom(&mut self) {
        self.phantom += 1;
    }

    pub(crate) fn leave_phantom(&mut self) {
        self.phantom = self.phantom.saturating_sub(1);
    }

    /// Pays for work. False when the budget is used up; that is reported once.
    pub(crate) fn pay(&mut self, units: u64, span: Span) -> bool {
        self.work = self.work.saturating_add(units);
        if self.work > limits::WORK {
            self.exhaust(span, "evaluation takes too many steps", "the limit is 20 million");
        }
        !self.exhausted
    }

    /// Pays for a text or collection that was made and checks its size.
    pub(crate) fn made(&mut self, value: Val, span: Span) -> Val {
        let (own, count) = match value.plain() {
            Val::Text(text) => (text.len() as u64, 0),
            Val::List(list) => (list.items.len() as u64 * 40, list.items.len()),
            Val::Map(map) => (map.entries.len() as u64 * 80, map.entries.len()),
            Val::Unknown(hole) => (hole.size, 0),
            _ => return value,
        };
        let traits = value.traits();
        self.bytes = self.bytes.saturating_add(own + 40);
        let too_long = matches!(value.plain(), Val::Text(text) if text.len() > limits::TEXT);
        let limit = if too_long {
            Some(("this text is too long", "the limit of one text is 1 MiB"))
        } else if count > limits::ELEMENTS {
            Some(("this collection has too many elements", "the limit is 100,000"))
        } else if traits.depth > limits::DEPTH {
            Some(("this value is nested too deeply", "the limit is 100 levels"))
        } else if traits.size > limits::BYTES {
            Some(("this value is too large", "the limit of one value is 64 MiB"))
        } else {
            None
        };
        if let Some((text, note)) = limit {
            // What is wrong in it was said, and may be the reason.
            if traits.poison {
                return Val::Poison;
            }
            self.limit(span, text, note);
            return Val::Poison;
        }
        if self.bytes > limits::BYTES {
            self.exhaust(span, "the values of this configuration take too much memory", "the limit is 64 MiB");
        }
        if self.exhausted { Val::Poison } else { value }
    }

    /// Reports a limit that is reached.
    pub(crate) fn limit(&mut self, span: Span, text: &str, note: &str) {
        self.report(
            Diagnostic::error(codes::LIMIT, text)
                .at(span, "")
                .note(note)
                .help("make the configuration smaller, or split it into several stacks"),
        );
    }

    fn exhaust(&mut self, span: Span, text: &str, note: &str) {
        if !self.exhausted {
            self.exhausted = true;
            self.limit(span, text, note);
        }
    }

    /// Whether the budget is used up: everything is poison from here on.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted
    }
}
