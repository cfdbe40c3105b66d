//! The environment as a value, so that a choice can be told as a table. Variables that are empty count as absent.

use std::{collections::BTreeMap, ffi::OsString, fmt};

use super::choose::{SUBSCRIPTION, TENANT};

/// Environment variables.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// This process's.
    pub fn of_process() -> Self {
        Self(std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect())
    }

    /// The same with one variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// The same with a tenant for credentials that need one, unless it names one itself.
    #[must_use]
    pub fn with_default_tenant(self, tenant: &str) -> Self {
        if self.get(&TENANT).is_some() { self } else { self.with(TENANT[0], tenant) }
    }

    /// The same with this subscription, whatever it names itself.
    #[must_use]
    pub fn with_subscription(self, subscription: &str) -> Self {
        self.with(SUBSCRIPTION[0], subscription)
    }

    /// The text of the first of these variables that has one.
    pub(crate) fn get(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.0.get(*name)?.to_str().filter(|text| !text.is_empty()))
    }

    /// A variable as the system has it.
    pub(crate) fn raw(&self, name: &str) -> Option<&OsString> {
        self.0.get(name).filter(|value| !value.is_empty())
    }
}

impl<N: Into<String>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// The names alone: values may be secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
