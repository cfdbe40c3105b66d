//! A sorted map that remembers, for what was touched, what stood there before. A failed commit can so
//! be taken back without a copy of the whole.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Rows by key, with an undo list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Table<T> {
    rows: BTreeMap<String, T>,
    #[serde(skip, default = "Vec::new")]
    before: Vec<(String, Option<T>)>,
    /// Counts changes, so that what is derived from the rows knows when it is out of date.
    #[serde(skip)]
    revision: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), before: Vec::new(), revision: 0 }
    }
}

impl<T: Clone> Table<T> {
    pub(crate) fn get(&self, key: &str) -> Option<&T> {
        self.rows.get(key)
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.rows.iter().map(|(key, row)| (key.as_str(), row))
    }

    /// Rows whose key starts with `prefix` and comes after `after` (if that is not empty), in order.
    pub(crate) fn starting_with<'a>(
        &'a self,
        prefix: &str,
        after: &str,
    ) -> impl Iterator<Item = (&'a str, &'a T)> + use<'a, T> {
        let start = if after > prefix { Bound::Excluded(after) } else { Bound::Included(prefix) };
        let prefix = prefix.to_owned();
        self.rows
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(&prefix))
            .map(|(key, row)| (key.as_str(), row))
    }

    /// The keys below `key`, that is, with more segments.
    pub(crate) fn keys_below(&self, key: &str) -> Vec<String> {
        let prefix = format!("{key}/");
        self.starting_with(&prefix, "").map(|(key, _)| key.to_owned()).collect()
    }

    pub(crate) fn insert(&mut self, key: String, row: T) {
        self.revision += 1;
        let old = self.rows.insert(key.clone(), row);
        self.before.push((key, old));
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        let old = self.rows.remove(key)?;
        self.revision += 1;
        self.before.push((key.to_owned(), Some(old.clone())));
        Some(old)
    }

    /// Changes a row in place; `None` if there is none.
    pub(crate) fn edit<R>(&mut self, key: &str, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let row = self.rows.get_mut(key)?;
        self.revision += 1;
        self.before.push((key.to_owned(), Some(row.clone())));
        Some(change(row))
    }

    /// Another number after every change, also after one that was taken back.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Each row that was touched since the last `accept` or `undo`, with what stood there before and what stands there
    /// now, in the order of the first touches.
    pub(crate) fn changes(&self) -> Vec<(&str, Option<&T>, Option<&T>)> {
        let mut seen = BTreeSet::new();
        let first = self.before.iter().filter(|(key, _)| seen.insert(key.as_str()));
        first.map(|(key, old)| (key.as_str(), old.as_ref(), self.rows.get(key))).collect()
    }
}

/// What all tables have, whatever their rows are.
pub(crate) trait Rows {
    /// Whether anything was touched since the last `accept` or `undo`.
    fn changed(&self) -> bool;

    /// Keeps the changes.
    fn accept(&mut self);

    /// Takes the changes back.
    fn undo(&mut self);

    /// The rows that were touched, as they are now; null for what is gone.
    fn rows_touched(&self) -> serde_json::Result<Value>;

    /// Puts rows as `rows_touched` told them.
    fn replay(&mut self, rows: Value) -> serde_json::Result<()>;
}

impl<T: Clone + Serialize + DeserializeOwned> Rows for Table<T> {
    fn changed(&self) -> bool {
        !self.before.is_empty()
    }

    fn accept(&mut self) {
        self.before.clear();
    }

    fn undo(&mut self) {
        self.revision += 1;
        while let Some((key, old)) = self.before.pop() {
            match old {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    fn rows_touched(&self) -> serde_json::Result<Value> {
        let rows: BTreeMap<&str, Option<&T>> = self.changes().into_iter().map(|(key, _, now)| (key, now)).collect();
        serde_json::to_value(rows)
    }

    fn replay(&mut self, rows: Value) -> serde_json::Result<()> {
        self.revision += 1;
        let rows: BTreeMap<String, Option<T>> = serde_json::from_value(rows)?;
        for (key, row) in rows {
            match row {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn undo_restores_what_was_there() {
        let mut table = Table::default();
        table.insert("a".to_owned(), 1);
        table.insert("a/b".to_owned(), 2);
        table.accept();
        table.insert("c".to_owned(), 3);
        table.edit("a", |row| *row = 9);
        table.remove("a/b");
        table.edit("c", |row| *row = 4);
        assert!(table.changed());
        let changes = [("c", None, Some(&4)), ("a", Some(&1), Some(&9)), ("a/b", Some(&2), None)];
        assert_eq!(table.changes(), changes);
        table.undo();
        assert_eq!(table.iter().collect::<Vec<_>>(), [("a", &1), ("a/b", &2)]);
        assert!(!table.changed());
    }

    #[test]
    fn what_was_touched_can_be_done_again() {
        let mut table = Table::default();
        table.insert("a".to_owned(), 1);
        table.insert("b".to_owned(), 2);
        table.accept();
        let mut other = Table::default();
        other.insert("a".to_owned(), 1);
        other.insert("b".to_owned(), 2);
        other.accept();
        table.insert("c".to_owned(), 3);
        table.remove("a");
        table.edit("b", |row| *row = 4);
        let touched = table.rows_touched().unwrap();
        assert_eq!(touched, serde_json::json!({"a": null, "b": 4, "c": 3}));
        other.replay(touched).unwrap();
        assert!(other.iter().eq(table.iter()) && !other.changed());
    }

    #[test]
    fn ranges() {
        let mut table = Table::default();
        for key in ["/g", "/g/a", "/g/b", "/g2", "/h"] {
            table.insert(key.to_owned(), ());
        }
        assert_eq!(table.keys_below("/g"), ["/g/a", "/g/b"]);
        assert_eq!(table.starting_with("/g", "/g/a").map(|(key, ())| key).collect::<Vec<_>>(), ["/g/b", "/g2"]);
    }
}
