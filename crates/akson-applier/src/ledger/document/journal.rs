//! Records behind a document: what changed since it was written, a line each, so that a long ledger is not written anew for each intent.
//! Each has a checksum that goes on from the one before it, the first from the document's. Not where they are kept.
//!
//! What stands behind the last whole line was never said to be durable, and is passed over. A line that is damaged, and what follows it, is
//! passed over, too, but that is told: it may have been durable once.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::SymbolicId;
use serde::{Deserialize, Serialize};

use super::{
    Document, ReadError, hex,
    wire::{WireEntry, WireWay, entry_from_wire, entry_to_wire, unique, way_from_wire, way_to_wire},
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRecord {
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "BTreeMap::is_empty")]
    clusters: BTreeMap<String, Option<WireWay>>,
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "BTreeMap::is_empty")]
    entries: BTreeMap<String, Option<WireEntry>>,
    generation: u64,
}

/// What a record is about: what is not in the document any more goes.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Changed {
    pub(in crate::ledger) entries: BTreeSet<SymbolicId>,
    pub(in crate::ledger) clusters: BTreeSet<SymbolicId>,
}

/// Where the checksum stands: at the end of a line.
const SUM: &str = ",\"sum\":\"sha256:";
/// `SUM`, the digest, and what closes both.
const SUM_LENGTH: usize = SUM.len() + 64 + "\"}".len();

/// The line that makes what was written before into generation `generation` of `document`, and its checksum.
pub(in crate::ledger) fn record(
    document: &Document,
    changed: &Changed,
    generation: u64,
    before: &str,
) -> (Vec<u8>, String) {
    let entry = |id: &SymbolicId| (id.as_str().to_owned(), document.entries.get(id).map(entry_to_wire));
    let way = |id: &SymbolicId| (id.as_str().to_owned(), document.clusters.get(id).map(way_to_wire));
    let record = WireRecord {
        clusters: changed.clusters.iter().map(way).collect(),
        entries: changed.entries.iter().map(entry).collect(),
        generation,
    };
    let mut text = serde_json::to_string(&record).expect("text keys and plain values are always JSON");
    let sum = sum_of(before, &text);
    text.truncate(text.len() - 1);
    let line = format!("{text}{SUM}{sum}\"}}\n");
    (line.into_bytes(), sum)
}

/// The checksum of a record after another one, or after the document.
fn sum_of(before: &str, text: &str) -> String {
    hex(&format!("{before}\n{text}"))
}

/// Applies the records of `bytes` to a document with the checksum `sum`. Why the rest is passed over, if a line is whole and damaged.
pub(super) fn replay(document: &mut Document, mut sum: String, bytes: &[u8]) -> Option<ReadError> {
    for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        match apply(document, &sum, line) {
            Ok(next) => sum = next,
            Err(error) => return Some(error),
        }
    }
    None
}

/// Applies one line, or leaves the document as it is.
fn apply(document: &mut Document, before: &str, line: &[u8]) -> Result<String, ReadError> {
    let damaged = |what: &str| ReadError::Damaged(format!("{what} after generation {}", document.generation));
    let line = std::str::from_utf8(line).map_err(|_| damaged("a record is no text"))?.trim_end_matches('\n');
    let at = line.len().checked_sub(SUM_LENGTH).filter(|at| line.is_char_boundary(*at));
    let (text, rest) = at.map(|at| line.split_at(at)).ok_or_else(|| damaged("a record has no checksum"))?;
    let told = rest.strip_prefix(SUM).and_then(|rest| rest.strip_suffix("\"}"));
    let told = told.ok_or_else(|| damaged("a record has no checksum"))?;
    let text = format!("{text}}}");
    let sum = sum_of(before, &text);
    if sum != told {
        return Err(damaged("a record does not fit its checksum"));
    }
    let record: WireRecord = serde_json::from_str(&text).map_err(|error| damaged(&error.to_string()))?;
    if record.generation != document.generation + 1 {
        return Err(damaged("a generation is missing"));
    }
    let entries = record.entries.into_iter().map(|(id, entry)| {
        let entry = entry.map(entry_from_wire).transpose().map_err(|detail| damaged(&detail))?;
        Ok((SymbolicId::from_ledger(id), entry))
    });
    let entries = entries.collect::<Result<Vec<_>, ReadError>>()?;
    document.generation = record.generation;
    for (id, entry) in entries {
        put(&mut document.entries, id, entry);
    }
    for (id, way) in record.clusters {
        put(&mut document.clusters, SymbolicId::from_ledger(id), way.map(way_from_wire));
    }
    Ok(sum)
}

fn put<V>(map: &mut BTreeMap<SymbolicId, V>, id: SymbolicId, value: Option<V>) {
    match value {
        Some(value) => drop(map.insert(id, value)),
        None => drop(map.remove(&id)),
    }
}

#[cfg(test)]
mod tests;
