//! Names of blocks from names of objects: words of the language, each once a kind, the same for the same objects in whatever order.

use std::collections::HashMap;

/// The longest that is made.
const LONGEST: usize = 60;

/// Labels that were given.
#[derive(Debug, Default)]
pub(super) struct Labels {
    taken: HashMap<String, Vec<String>>,
}

impl Labels {
    /// Takes a label that an author gave.
    pub(super) fn take(&mut self, kind: &str, label: &str) {
        self.taken.entry(kind.to_owned()).or_default().push(label.to_owned());
    }

    /// A label for an object of this name among others of a kind.
    pub(super) fn give(&mut self, kind: &str, name: &str) -> String {
        let taken = self.taken.entry(kind.to_owned()).or_default();
        let own = word(name);
        let others = (2..).map(|number| format!("{own}_{number}"));
        let label = std::iter::once(own.clone()).chain(others).find(|label| !taken.contains(label)).unwrap_or(own);
        taken.push(label.clone());
        label
    }
}

/// A name as a word: small letters, digits and underscores, beginning with a letter.
pub(super) fn word(name: &str) -> String {
    let mut word = String::new();
    let mut small = false;
    for character in name.chars().take(LONGEST) {
        if character.is_ascii_uppercase() && small {
            word.push('_');
        }
        small = character.is_ascii_lowercase();
        let character = if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '_' };
        if character != '_' || !word.ends_with('_') {
            word.push(character);
        }
    }
    let word = word.trim_matches('_');
    match word.chars().next() {
        None => "unnamed".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{word}"),
        Some(_) => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(word(name), expected);
    }

    #[test]
    fn names_become_words() {
        check("myapp-aks", "myapp_aks");
        check("Key Vault Secrets User", "key_vault_secrets_user");
        check("clusterAdmins", "cluster_admins");
        check("1st--one.", "n1st_one");
        check("---", "unnamed");
        check("übung", "bung");
    }

    #[test]
    fn each_is_given_once() {
        let mut labels = Labels::default();
        let given: Vec<String> = ["a-b", "a_b", "A.B"].iter().map(|name| labels.give("vault", name)).collect();
        assert_eq!(given, ["a_b", "a_b_2", "a_b_3"]);
        assert_eq!(labels.give("cluster", "a-b"), "a_b");
    }
}
