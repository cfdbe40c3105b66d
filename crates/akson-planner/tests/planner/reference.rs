//! The planner once more, naive and independent: from a situation in plain words to what is to be done. It knows no hashes, no
//! leaves, no JSON. Where the two differ, one of them is wrong.

use akson_planner::OwnedState;

use crate::situation::{Class, Declared, Entry, Live, Marked, Situation};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Nothing but the code of an error.
    Refused(u16),
    /// An action, with the cause of each difference.
    Done { action: &'static str, causes: Vec<&'static str>, work: &'static str },
}

fn done(action: &'static str, causes: &[&'static str], work: &'static str) -> Expected {
    Expected::Done { action, causes: causes.to_vec(), work }
}

pub fn decide(situation: &Situation) -> Expected {
    match situation.declared {
        Some(declared) if declared.existing => existing(situation),
        Some(declared) if !situation.destroy => managed(situation, declared),
        _ => leaving(situation),
    }
}

/// The mark as far as it counts: of a kind that takes none, none; a copied one is none.
fn mark(class: Class, live: Live) -> Option<Marked> {
    match (class, live.marked) {
        (Class::Child | Class::ForeignChild, _) => None,
        (_, Marked::Copied) => Some(Marked::No),
        (_, marked) => Some(marked),
    }
}

fn existing(situation: &Situation) -> Expected {
    if situation.live.is_none() && !situation.destroy {
        return Expected::Refused(402);
    }
    match situation.entry {
        None => done("", &[], "nothing"),
        Some(entry) if entry.state == OwnedState::Tombstone => tombstone(situation, entry),
        Some(_) => done("forget", &["removed"], "forget"),
    }
}

fn managed(situation: &Situation, declared: Declared) -> Expected {
    let Some(live) = situation.live else {
        let cause = match situation.entry {
            Some(Entry { state: OwnedState::Owned, .. }) => "drift",
            _ => "config",
        };
        return done("create", &[cause], "create");
    };
    let mark = mark(situation.class, live);
    if mark == Some(Marked::OtherStack) {
        return Expected::Refused(403);
    }
    let unmarked = mark == Some(Marked::No);
    // Is it ours already, and do we know what we sent and saw?
    let ours = match situation.entry {
        Some(Entry { state: OwnedState::Owned, .. }) => true,
        Some(Entry { state: OwnedState::IntentWrite, values, .. }) => !unmarked || values.is_some(),
        Some(Entry { state: OwnedState::IntentDelete, .. }) => !unmarked,
        Some(Entry { state: OwnedState::Tombstone, .. }) | None => mark == Some(Marked::Ours),
    };
    let same = declared.value == live.value;
    let moved = live.moved && situation.class == Class::Tagged;
    if !ours {
        return if moved {
            Expected::Refused(404)
        } else if situation.replace {
            Expected::Refused(418)
        } else if same && mark.is_none() {
            done("adopt", &["adopt"], "record")
        } else {
            done("adopt", &["adopt"], "update")
        };
    }
    let known = match situation.entry {
        Some(Entry { state: OwnedState::Owned, values, .. }) => values,
        _ => None,
    };
    let mut causes = Vec::new();
    match known {
        _ if same => {}
        None => causes.push("config"),
        Some((sent, observed)) => match (declared.value == sent, live.value == observed) {
            (true, true) => {}
            (false, true) => causes.push("config"),
            (true, false) => causes.push("drift"),
            (false, false) => causes.push("both"),
        },
    }
    if moved {
        // The location was sent and observed as it is declared, if anything was recorded.
        causes.push(if known.is_some() { "drift" } else { "config" });
    }
    if matches!(situation.entry, Some(Entry { state: OwnedState::IntentDelete, .. })) {
        causes.push("config");
    }
    if unmarked {
        causes.push("drift");
    }
    causes.sort_unstable();
    causes.dedup();
    if moved && !situation.replace {
        return Expected::Refused(404);
    }
    if situation.replace {
        if unmarked {
            return Expected::Refused(407);
        }
        if declared.protect {
            return Expected::Refused(406);
        }
        if !moved {
            causes.push("config");
            causes.sort_unstable();
            causes.dedup();
        }
        return done("replace", &causes, "replace");
    }
    if !causes.is_empty() {
        return done("update", &causes, "update");
    }
    let up_to_date = match situation.entry {
        Some(Entry { state: OwnedState::Owned, values: Some((sent, observed)), protected, keep }) => {
            let hashes = (sent == declared.value && observed == live.value) || !same;
            hashes && protected == declared.protect && keep == declared.keep
        }
        _ => false,
    };
    done("no_op", &[], if up_to_date { "nothing" } else { "record" })
}

fn leaving(situation: &Situation) -> Expected {
    let Some(entry) = situation.entry else { return done("", &[], "nothing") };
    if entry.state == OwnedState::Tombstone {
        return tombstone(situation, entry);
    }
    let (protect, keep) = match situation.declared {
        Some(declared) => (declared.protect, declared.keep),
        None => (entry.protected, entry.keep),
    };
    if keep {
        return done("forget", &["removed"], "forget");
    }
    let Some(live) = situation.live else {
        return if protect { Expected::Refused(406) } else { done("delete", &["removed"], "delete") };
    };
    match mark(situation.class, live) {
        Some(Marked::Ours) => {}
        None => {
            // Either what it lies in is ours and shows it, or it is as we left it.
            if situation.class == Class::Child && situation.parent_unmarked {
                return Expected::Refused(408);
            }
            let untouched = entry.values.is_some_and(|(_, observed)| observed == live.value);
            if situation.class == Class::ForeignChild && !untouched {
                return Expected::Refused(408);
            }
        }
        Some(_) if entry.state == OwnedState::IntentWrite && entry.values.is_none() => {
            return done("forget", &["removed"], "forget");
        }
        Some(_) => return Expected::Refused(407),
    }
    if protect { Expected::Refused(406) } else { done("delete", &["removed"], "delete") }
}

fn tombstone(situation: &Situation, entry: Entry) -> Expected {
    let Some(live) = situation.live else { return done("no_op", &[], "forget") };
    let ours = match mark(situation.class, live) {
        Some(marked) => marked == Marked::Ours,
        None => entry.values.is_some_and(|(_, observed)| observed == live.value),
    };
    if ours { done("delete", &["removed"], "delete") } else { done("no_op", &[], "forget") }
}
