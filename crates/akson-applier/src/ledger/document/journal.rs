//! Records of changes after a document, a line of JSON each: what is another since the generation before, as a whole. A line's checksum
//! goes over the one before it, so that none can be left out, moved, or follow another document. Not when there is one: that is the ledger's.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::SymbolicId;
use serde::Deserialize;

use super::{
    Document, ReadError, sum_of,
    wire::{Text, WireEntry, WireWay, named_from_wire, unique, way_from_wire, way_to_wire},
};

/// What is not as it was.
#[derive(Debug, Clone, Default)]
pub(in crate::ledger) struct Changed {
    pub entries: BTreeSet<SymbolicId>,
    pub clusters: BTreeSet<SymbolicId>,
}

/// A record of a change.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ledger) struct Record {
    /// The line with its end.
    pub bytes: Vec<u8>,
    pub sum: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRecord {
    #[serde(default, deserialize_with = "unique")]
    clusters: BTreeMap<String, Option<WireWay>>,
    #[serde(deserialize_with = "unique")]
    entries: BTreeMap<String, Option<WireEntry>>,
    generation: u64,
}

/// What stands between a record and the hex of its checksum, and after that.
const SUM: &str = ",\"sum\":\"";
const END: &str = "\"}";

impl Record {
    /// What changed in `document`, as its `generation`; `before` is the checksum that it follows.
    pub(in crate::ledger) fn of(
        text: &mut Text,
        document: &Document,
        changed: &Changed,
        generation: u64,
        before: &str,
    ) -> Self {
        const JSON: &str = "a text is always JSON";
        let name = |id: &SymbolicId| serde_json::to_string(id.as_str()).expect(JSON);
        let ways = changed.clusters.iter().map(|id| {
            let way = document.clusters.get(id).map(way_to_wire);
            format!("{}:{}", name(id), serde_json::to_string(&way).expect(JSON))
        });
        let ways: Vec<String> = ways.collect();
        let mut line = String::from("{");
        if !ways.is_empty() {
            line.push_str(&format!("\"clusters\":{{{}}},", ways.join(",")));
        }
        line.push_str("\"entries\":{");
        for (at, id) in changed.entries.iter().enumerate() {
            if at > 0 {
                line.push(',');
            }
            match document.entries.get(id) {
                Some(entry) => line.push_str(text.entry(id, entry)),
                None => line.push_str(&format!("{}:null", name(id))),
            }
        }
        line.push_str(&format!("}},\"generation\":{generation}"));
        let sum = chained(before, line.as_bytes());
        line.push_str(&format!("{SUM}{sum}{END}\n"));
        Self { bytes: line.into_bytes(), sum }
    }
}

fn chained(before: &str, line: &[u8]) -> String {
    sum_of(&[before.as_bytes(), b"\n", line])
}

/// Brings a document up to date with its records. `sum` is the document's.
///
/// # Errors
/// [`ReadError`]; the document is then as the last record before the mistake left it.
pub(super) fn replay(document: &mut Document, mut sum: String, records: &[u8]) -> Result<(), ReadError> {
    let mut rest = records;
    // Without its end the last line was not written to its end.
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = rest.split_at(end);
        let after = after.get(1..).unwrap_or_default();
        let Some((content, told)) = whole(line, &sum) else {
            // Nor was it if its parts came to the disk out of order.
            return if after.is_empty() { Ok(()) } else { Err(ReadError::Sum) };
        };
        apply(document, content)?;
        sum = told;
        rest = after;
    }
    Ok(())
}

/// A record without its checksum, and that, if it is as it was written and follows what has the checksum `before`.
fn whole<'a>(line: &'a [u8], before: &str) -> Option<(&'a [u8], String)> {
    let text = std::str::from_utf8(line).ok()?;
    let (content, told) = text.strip_suffix(END)?.rsplit_once(SUM)?;
    (chained(before, content.as_bytes()) == told).then(|| (content.as_bytes(), told.to_owned()))
}

/// What is whole and not understood is never passed over.
fn apply(document: &mut Document, content: &[u8]) -> Result<(), ReadError> {
    let json = [content, b"}"].concat();
    let wire: WireRecord = serde_json::from_slice(&json).map_err(|error| ReadError::Damaged(error.to_string()))?;
    let WireRecord { clusters, entries, generation } = wire;
    if generation != document.generation + 1 {
        let last = document.generation;
        return Err(ReadError::Damaged(format!("generation {generation} follows generation {last}")));
    }
    let mut read = Vec::with_capacity(entries.len());
    for (id, entry) in entries {
        let entry = entry.map(|entry| named_from_wire(&id, entry)).transpose()?;
        read.push((SymbolicId::from_ledger(id), entry));
    }
    // All of it can be read: from here on nothing fails.
    for (id, entry) in read {
        match entry {
            Some(entry) => drop(document.entries.insert(id, entry)),
            None => drop(document.entries.remove(&id)),
        }
    }
    for (id, way) in clusters {
        let id = SymbolicId::from_ledger(id);
        match way {
            Some(way) => drop(document.clusters.insert(id, way_from_wire(way))),
            None => drop(document.clusters.remove(&id)),
        }
    }
    document.generation = generation;
    Ok(())
}
