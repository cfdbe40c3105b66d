//! Kubernetes versions: `1.33` stands for its newest patch, and only the way up is open.

use crate::errors::{self, Refusal};

/// The version of a new cluster that asks for none.
const DEFAULT: &str = "1.33";

/// The newest patch of a minor version.
const NEWEST: [(u32, u32); 6] = [(29, 15), (30, 14), (31, 13), (32, 9), (33, 5), (34, 1)];

/// The last patch of minor versions that nobody can choose for a new cluster any more, but that old ones have.
const LAST: [(u32, u32); 5] = [(24, 15), (25, 15), (26, 12), (27, 16), (28, 15)];

/// A version as it was asked for, and the one that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) asked: String,
    pub(super) current: String,
    minor: u32,
    patch: u32,
}

impl Version {
    pub(super) fn parse(text: &str, target: &str) -> Result<Self, Refusal> {
        let text = if text.is_empty() { DEFAULT } else { text };
        let unsupported = || {
            let message = format!(
                "Version {text} is not supported in this region. Please use [az aks get-versions] command to get the supported version list in this region. For more information, please check https://aka.ms/supported-version-list"
            );
            errors::container::invalid("K8sVersionNotSupported", message, target)
        };
        let mut parts = text.split('.').map(str::parse::<u32>);
        let (Some(Ok(1)), Some(Ok(minor))) = (parts.next(), parts.next()) else { return Err(unsupported()) };
        let patch = match parts.next() {
            Some(Ok(patch)) => patch,
            Some(Err(_)) => return Err(unsupported()),
            None => NEWEST.iter().chain(&LAST).find(|(known, _)| *known == minor).map_or(0, |(_, patch)| *patch),
        };
        if parts.next().is_some() {
            return Err(unsupported());
        }
        Ok(Self { asked: text.to_owned(), current: format!("1.{minor}.{patch}"), minor, patch })
    }

    /// A version that was asked for before, of which this patch runs.
    pub(super) fn running(asked: &str, current: &str, target: &str) -> Result<Self, Refusal> {
        let running = Self::parse(current, target)?;
        Ok(Self { asked: if asked.is_empty() { running.asked } else { asked.to_owned() }, ..running })
    }

    /// Whether the OIDC issuer is on unless it is told otherwise (documented since this version).
    pub(super) fn issues_by_default(&self) -> bool {
        self.minor >= 34
    }

    /// Whether a running version may become this one: up, and one minor version at most.
    pub(super) fn follows(&self, running: &Self) -> bool {
        (self.minor, self.patch) >= (running.minor, running.patch) && self.minor <= running.minor + 1
    }

    /// Whether a pool of this version fits a control plane: not newer, two minor versions older at most.
    pub(super) fn fits(&self, control_plane: &Self) -> bool {
        (self.minor, self.patch) <= (control_plane.minor, control_plane.patch) && self.minor + 2 >= control_plane.minor
    }
}

/// A minor version that a new cluster can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Minor {
    pub(super) number: u32,
    /// Its patches, the newest last.
    pub(super) patches: Vec<u32>,
    /// Whether a cluster that asks for none gets this one.
    pub(super) usual: bool,
}

/// The versions that are offered, oldest first: of each minor version the two newest patches.
pub(super) fn supported() -> Vec<Minor> {
    let minor = |(number, newest): &(u32, u32)| Minor {
        number: *number,
        patches: (newest.saturating_sub(1)..=*newest).collect(),
        usual: DEFAULT == format!("1.{number}"),
    };
    NEWEST.iter().map(minor).collect()
}

/// What a running version can become, oldest first.
pub(super) fn above(running: &str) -> Vec<String> {
    let Ok(running) = Version::parse(running, "") else { return Vec::new() };
    let all =
        supported().into_iter().flat_map(|minor| minor.patches.into_iter().map(move |patch| (minor.number, patch)));
    let later = all.filter(|later| *later > (running.minor, running.patch) && later.0 <= running.minor + 1);
    later.map(|(minor, patch)| format!("1.{minor}.{patch}")).collect()
}

/// Whether a version is newer than another; what is no version is not.
pub(super) fn is_newer(version: &str, than: &str) -> bool {
    match (Version::parse(version, ""), Version::parse(than, "")) {
        (Ok(version), Ok(than)) => (version.minor, version.patch) > (than.minor, than.patch),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn versions() {
        let v = |text| Version::parse(text, "").unwrap();
        assert_eq!((v("").asked.as_str(), v("").current.as_str()), ("1.33", "1.33.5"));
        assert_eq!((v("1.32").asked.as_str(), v("1.32").current.as_str()), ("1.32", "1.32.9"));
        assert_eq!((v("1.25.6").current.as_str(), v("1.27").current.as_str()), ("1.25.6", "1.27.16"));
        assert!(v("1.34").follows(&v("1.33")) && v("1.33.5").follows(&v("1.33")));
        assert!(!v("1.32").follows(&v("1.33")) && !v("1.34").follows(&v("1.32")));
        assert!(v("1.31").fits(&v("1.33")) && !v("1.30").fits(&v("1.33")) && !v("1.34").fits(&v("1.33")));
        assert_eq!(above("1.33.4"), ["1.33.5", "1.34.0", "1.34.1"]);
        assert!(above("1.34.1").is_empty() && above("x").is_empty());
        assert!(is_newer("1.34.0", "1.33.5") && !is_newer("1.33.5", "1.33.5"));
        for nonsense in ["latest", "2.0", "1.x", "1.33.5.1", "1"] {
            assert!(Version::parse(nonsense, "").is_err(), "{nonsense}");
        }
    }
}
