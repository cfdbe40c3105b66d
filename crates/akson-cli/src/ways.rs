//! How the clusters are reached that an import looked into, kept beside the configuration: addresses and public certificates, so that the
//! first plan of what it printed can look there too. A plan asks Azure for no way into a cluster; what the ledger remembers counts
//! first, and a way that leads elsewhere than the cluster's own object says is never taken. Without the file nothing is wrong.

use std::{borrow::Cow, collections::BTreeMap, fs, io, path::Path};

use akson_catalog::SymbolicId;
use akson_planner::{Owned, Way};
use serde_json::{Value as Json, json};

/// Where they are kept, below the configuration's folder.
const FILE: &str = ".akson/clusters.json";

/// Keeps ways, beside those that are there.
///
/// # Errors
/// Why the file cannot be written.
pub(crate) fn keep(directory: &Path, ways: BTreeMap<SymbolicId, Way>) -> io::Result<()> {
    if ways.is_empty() {
        return Ok(());
    }
    let mut all = known(directory);
    all.extend(ways);
    let clusters: serde_json::Map<String, Json> = all
        .into_iter()
        .map(|(id, way)| (id.as_str().to_owned(), json!({"host": way.host, "authority": way.authority})))
        .collect();
    let path = directory.join(FILE);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let text = akson_diagnostics::render::json::text(&json!({ "clusters": clusters }));
    let beside = path.with_extension("json.new");
    fs::write(&beside, text)?;
    fs::rename(beside, path)
}

/// The ways that are kept. A file that cannot be read holds none.
pub(crate) fn known(directory: &Path) -> BTreeMap<SymbolicId, Way> {
    let read = fs::read_to_string(directory.join(FILE)).ok();
    let file = read.and_then(|text| serde_json::from_str::<Json>(&text).ok()).unwrap_or_default();
    let clusters = file.get("clusters").and_then(Json::as_object).into_iter().flatten();
    let ways = clusters.filter_map(|(id, way)| {
        let text = |key: &str| way.get(key).and_then(Json::as_str).map(str::to_owned);
        let way = Way { host: text("host")?, authority: text("authority")? };
        Some((SymbolicId::from_ledger(id.as_str()), way))
    });
    ways.collect()
}

/// What is ours, with ways into clusters that the ledger does not know.
pub(crate) fn with<'o>(owned: &'o Owned, ways: &BTreeMap<SymbolicId, Way>) -> Cow<'o, Owned> {
    let new = |(id, _): &(&SymbolicId, &Way)| !owned.reachable.contains_key(id);
    let new: Vec<(&SymbolicId, &Way)> = ways.iter().filter(new).collect();
    if new.is_empty() {
        return Cow::Borrowed(owned);
    }
    let mut owned = owned.clone();
    owned.reachable.extend(new.into_iter().map(|(id, way)| (id.clone(), way.clone())));
    Cow::Owned(owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    #[test]
    fn ways_are_kept_and_the_ledger_counts_first() {
        let folder = tempfile::tempdir().unwrap();
        assert!(known(folder.path()).is_empty());
        let id = |name: &str| SymbolicId::from_ledger(name);
        let way = |host: &str| Way { host: host.to_owned(), authority: "x".to_owned() };
        keep(folder.path(), [(id("/a"), way("a")), (id("/b"), way("b"))].into()).unwrap();
        keep(folder.path(), [(id("/b"), way("c"))].into()).unwrap();
        keep(folder.path(), BTreeMap::new()).unwrap();
        let ways = known(folder.path());
        assert_eq!(ways, [(id("/a"), way("a")), (id("/b"), way("c"))].into());

        let owned = Owned { reachable: [(id("/a"), way("ours"))].into(), ..Owned::default() };
        let all = with(&owned, &ways);
        assert_eq!(all.reachable, [(id("/a"), way("ours")), (id("/b"), way("c"))].into());
        assert!(matches!(with(&all, &ways), Cow::Borrowed(_)));
        fs::write(folder.path().join(FILE), "{").unwrap();
        assert!(known(folder.path()).is_empty());
    }
}
