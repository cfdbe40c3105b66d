//! Addresses: how the configuration names a resource. Cosmetic: nothing that lasts is keyed by one.

use std::fmt;

/// The instance of a block with `for_each`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceKey(pub String);

/// `vault.app`, `identity.team["mail"]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The resource whose block this one is nested in: `cluster.main` of `cluster.main.node_pool.system`.
    pub within: Option<Box<Address>>,
    /// Modules on the way, outermost first; empty at the top.
    pub modules: Vec<(String, Option<InstanceKey>)>,
    /// The block's keyword: the kind's, or what a nested block is called there.
    pub kind: String,
    /// The block's label.
    pub name: String,
    /// The instance, if the block has `for_each`.
    pub key: Option<InstanceKey>,
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[\"{}\"]", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(within) = &self.within {
            write!(f, "{within}.")?;
        }
        for (module, key) in &self.modules {
            write!(f, "module.{module}")?;
            if let Some(key) = key {
                write!(f, "{key}")?;
            }
            f.write_str(".")?;
        }
        write!(f, "{}.{}", self.kind, self.name)?;
        if let Some(key) = &self.key {
            write!(f, "{key}")?;
        }
        Ok(())
    }
}
