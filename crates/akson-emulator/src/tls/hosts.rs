//! Which names the emulator has certificates for: Azure's hosts that it plays, and its own address. A name outside of
//! them gets none, so that trusting the emulator's authority is as little as possible.

/// Azure's hosts with one name each.
const HOSTS: [&str; 7] = [
    "management.azure.com",
    "management.core.windows.net",
    "login.microsoftonline.com",
    "login.windows.net",
    "sts.windows.net",
    "graph.microsoft.com",
    "graph.windows.net",
];
/// Azure's hosts with one name each vault or account, one label deep: they share a certificate.
const FAMILIES: [&str; 2] = ["vault.azure.net", "blob.core.windows.net"];
/// The API servers of clusters lie several labels deep, so that each has its own.
const CLUSTERS: &str = ".azmk8s.io";

/// The names on the certificate for a caller that asks for `name`; without one it asked for an address.
pub(super) fn names_for(name: Option<&str>) -> Option<Vec<String>> {
    let Some(name) = name.map(str::to_ascii_lowercase).filter(|name| name != "localhost") else {
        return Some(["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec());
    };
    if HOSTS.contains(&name.as_str()) {
        return Some(vec![name]);
    }
    if let Some(family) = FAMILIES.iter().find(|family| is_one_label_below(&name, family)) {
        return Some(vec![format!("*.{family}")]);
    }
    let cluster = name.strip_suffix(CLUSTERS).is_some_and(|rest| !rest.is_empty());
    cluster.then(|| vec![name])
}

fn is_one_label_below(name: &str, family: &str) -> bool {
    let label = name.strip_suffix(family).and_then(|rest| rest.strip_suffix('.'));
    label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: Option<&str>, names: &[&str]) {
        assert_eq!(names_for(name).unwrap_or_default(), names, "{name:?}");
    }

    #[test]
    fn azures_hosts_and_our_own_address() {
        check(Some("management.azure.com"), &["management.azure.com"]);
        check(Some("Login.MicrosoftOnline.com"), &["login.microsoftonline.com"]);
        check(Some("kv-app.vault.azure.net"), &["*.vault.azure.net"]);
        check(Some("app-1a2b.hcp.westeurope.azmk8s.io"), &["app-1a2b.hcp.westeurope.azmk8s.io"]);
        check(Some("localhost"), &["localhost", "127.0.0.1", "::1"]);
        check(None, &["localhost", "127.0.0.1", "::1"]);
        for other in ["example.com", "a.b.vault.azure.net", "vault.azure.net", "azmk8s.io", "evilmanagement.azure.com"]
        {
            check(Some(other), &[]);
        }
    }
}
