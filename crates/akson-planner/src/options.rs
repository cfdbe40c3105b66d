//! What a plan is asked for, and how the addresses in it are matched. Not the command line.

use std::{collections::BTreeSet, net::IpAddr};

use akson_config::{Config, Day};
use akson_diagnostics::{Diagnostic, Diagnostics, did_you_mean};

use crate::{Owned, codes};

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// What is declared is to exist, what is ours and no longer declared is to go.
    #[default]
    Apply,
    /// Everything that is ours is to go.
    Destroy,
}

/// What a plan is asked for.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// What it is for.
    pub mode: Mode,
    /// Only these and what they need; everything if empty. An address, or a block's address without the instance's key.
    pub targets: Vec<String>,
    /// To be deleted and created again, also where that is never done by inference.
    pub replace: Vec<String>,
    /// How many deletions (replacements count) the plan may have.
    pub max_deletes: Option<usize>,
    /// Which cloud: `emulator`, `public`, …
    pub cloud: String,
    /// Whether anything but adopting is an error: the plan of an import.
    pub adopt_only: bool,
    /// Who will apply it, as far as that is known.
    pub caller: Caller,
    /// Only what changed outside is undone, of these addresses or of everything if there is none; what the author changed since waits.
    pub revert: Option<Vec<String>>,
    /// Which day it is. Without one nothing is tolerated.
    pub today: Option<Day>,
}

/// Who carries a plan out. What is not known is not guessed.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The object id of the signed-in principal.
    pub object_id: Option<String>,
    /// The addresses that its requests come from, as Azure sees them.
    pub addresses: Vec<IpAddr>,
}

impl PlanOptions {
    /// Whether a resource of that address is to be replaced.
    pub(crate) fn replaces(&self, address: &str) -> bool {
        self.mode == Mode::Apply && self.replace.iter().any(|pattern| matches(pattern, address))
    }

    /// Whether what changed outside of a resource of that address is undone, where nothing else is done.
    pub(crate) fn reverts(&self, address: &str) -> bool {
        let asked =
            |patterns: &Vec<String>| patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, address));
        self.revert.as_ref().is_some_and(asked)
    }

    /// Whether a resource of that address is asked for by name.
    pub(crate) fn targets(&self, address: &str) -> bool {
        self.targets.iter().any(|pattern| matches(pattern, address))
    }

    /// Reports targets and replacements that name nothing.
    pub(crate) fn check(&self, config: &Config, owned: &Owned, diagnostics: &mut Diagnostics) {
        let reverted = self.revert.clone().unwrap_or_default();
        if self.targets.is_empty() && self.replace.is_empty() && reverted.is_empty() {
            return;
        }
        let declared = config.resources.iter().filter(|resource| !resource.existing);
        let known: BTreeSet<String> = declared.map(|resource| resource.address.to_string()).collect();
        let addressed = owned.entries.values().filter(|entry| !entry.address.is_empty());
        let mut gone: BTreeSet<String> = addressed.map(|entry| entry.address.clone()).collect();
        gone.retain(|address| !known.contains(address));
        for (flag, list) in [("--target", &self.targets), ("--replace", &self.replace), ("--revert", &reverted)] {
            for pattern in list {
                let hit = |address: &String| matches(pattern, address);
                if known.iter().any(hit) || (flag == "--target" && gone.iter().any(hit)) {
                    continue;
                }
                let mut unknown = Diagnostic::error(
                    codes::UNKNOWN_ADDRESS,
                    format!("`{flag} {pattern}` names no resource of this stack"),
                );
                if gone.iter().any(hit) {
                    unknown =
                        unknown.note("its block is gone: it would be deleted, and there is nothing to create again");
                }
                unknown = match did_you_mean(pattern, known.iter().map(String::as_str)) {
                    Some(near) => unknown.help(format!("did you mean `{near}`?")),
                    None => unknown
                        .help("give an address as a plan shows it, such as `vault.app` or `identity.team[\"mail\"]`"),
                };
                diagnostics.push(unknown);
            }
        }
    }
}

/// Whether a pattern means an address: itself, or its block, of which it is an instance.
fn matches(pattern: &str, address: &str) -> bool {
    let pattern = pattern.trim();
    !pattern.is_empty() && address.strip_prefix(pattern).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_means_its_instances() {
        assert!(matches("identity.team", "identity.team[\"mail\"]"));
        assert!(matches("identity.team[\"mail\"]", "identity.team[\"mail\"]"));
        assert!(!matches("identity.team[\"mail\"]", "identity.team[\"web\"]"));
        assert!(!matches("identity.te", "identity.team"));
        assert!(!matches("", "identity.team"));
    }
}
