//! The document's JSON. Its fields stand in alphabetical order and its maps are sorted, so that its text is canonical as it is written.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use akson_catalog::SymbolicId;
use akson_planner::{OwnedEntry, OwnedState, Way};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor},
};

use super::{APPENDED, Binding, Document, Entry, FORMAT, Intent, ReadError, Writer, hex, journal::replay, state_word};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireDocument {
    binding: WireBinding,
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "BTreeMap::is_empty")]
    clusters: BTreeMap<String, WireWay>,
    #[serde(deserialize_with = "unique")]
    entries: BTreeMap<String, WireEntry>,
    format: u64,
    generation: u64,
    stack: String,
    stack_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<String>,
    writer: WireWriter,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireWay {
    authority: String,
    host: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireBinding {
    cloud: String,
    subscription: String,
    tenant: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireWriter {
    run: String,
    version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireEntry {
    address: String,
    api_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conflict_domain: Option<String>,
    dependencies: Vec<String>,
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intent: Option<WireIntent>,
    keep: bool,
    kind: String,
    marker: String,
    #[serde(deserialize_with = "unique")]
    observed: BTreeMap<String, String>,
    protected: bool,
    resource_type: String,
    #[serde(deserialize_with = "unique")]
    sent: BTreeMap<String, String>,
    state: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireIntent {
    digest: String,
    op: String,
    run: String,
    since: u64,
}

/// The one field that every format has.
#[derive(Deserialize)]
struct Format {
    format: u64,
}

/// A document's text, of which what did not change since the last time is not made again: a ledger of thousands of entries is written
/// each time that one of them changes.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Text {
    entries: BTreeMap<SymbolicId, String>,
}

/// Where the entries go. In JSON no text holds a quote that is not escaped, so that this stands once.
const NO_ENTRIES: &str = "\"entries\":{}";

impl Text {
    /// An entry is not as it was.
    pub(in crate::ledger) fn changed(&mut self, id: &SymbolicId) {
        self.entries.remove(id);
    }

    /// The whole text, with the checksum.
    pub(in crate::ledger) fn write(&mut self, document: &Document, generation: u64, writer: &Writer) -> Vec<u8> {
        self.with_sum(FORMAT, document, generation, writer).0.into_bytes()
    }

    /// The same as one that records follow, and its checksum, from which theirs goes on.
    pub(in crate::ledger) fn write_appendable(
        &mut self,
        document: &Document,
        generation: u64,
        writer: &Writer,
    ) -> (Vec<u8>, String) {
        let (mut text, sum) = self.with_sum(APPENDED, document, generation, writer);
        text.push('\n');
        (text.into_bytes(), sum)
    }

    /// About how long the whole text is, as far as it is made.
    pub(in crate::ledger) fn length(&self) -> usize {
        self.entries.values().map(String::len).sum()
    }

    fn with_sum(&mut self, format: u64, document: &Document, generation: u64, writer: &Writer) -> (String, String) {
        let mut text = self.without_sum(format, document, generation, writer);
        let sum = hex(&text);
        // The writer stands last, so that the sum's place in the order is right before it.
        let at = text.rfind("\"writer\":").expect("every document names its writer");
        text.insert_str(at, &format!("\"sum\":\"sha256:{sum}\","));
        (text, sum)
    }

    /// What the checksum is of.
    fn without_sum(&mut self, format: u64, document: &Document, generation: u64, writer: &Writer) -> String {
        const WRITTEN: &str = "text keys and plain values are always JSON";
        let frame = serde_json::to_string(&frame(format, document, generation, writer)).expect(WRITTEN);
        let (before, after) = frame.split_once(NO_ENTRIES).expect("the frame has no entries");
        let mut text = String::with_capacity(frame.len() + self.entries.values().map(String::len).sum::<usize>() + 64);
        text.push_str(before);
        text.push_str("\"entries\":{");
        for (at, (id, entry)) in document.entries.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            match self.entries.get(id) {
                Some(known) => text.push_str(known),
                None => {
                    let id_text = serde_json::to_string(id.as_str()).expect(WRITTEN);
                    let entry = serde_json::to_string(&entry_to_wire(entry)).expect(WRITTEN);
                    let made = format!("{id_text}:{entry}");
                    text.push_str(&made);
                    self.entries.insert(id.clone(), made);
                }
            }
        }
        text.push('}');
        text.push_str(after);
        text
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<(Document, Option<ReadError>), ReadError> {
    let damaged = |error: serde_json::Error| ReadError::Damaged(error.to_string());
    // A document is one line: whatever it holds, a line's end is spelt out in it.
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let first = end.and_then(|end| bytes.get(..end)).unwrap_or(bytes);
    let Format { format } = serde_json::from_slice(first).map_err(damaged)?;
    let (text, records) = match format {
        FORMAT => (bytes, None),
        APPENDED => {
            let end = end.ok_or_else(|| ReadError::Damaged("its first line has no end".to_owned()))?;
            (first, Some(bytes.get(end + 1..).unwrap_or_default()))
        }
        other => return Err(ReadError::Format(other)),
    };
    let wire: WireDocument = serde_json::from_slice(text).map_err(damaged)?;
    let told = wire.sum.clone();
    let mut document = from_wire(wire)?;
    let sum = hex(&Text::default().without_sum(format, &document, document.generation, &document.writer));
    if told != Some(format!("sha256:{sum}")) {
        return Err(ReadError::Sum);
    }
    let passed_over = records.and_then(|records| replay(&mut document, sum, records));
    Ok((document, passed_over))
}

/// The document without its entries.
fn frame(format: u64, document: &Document, generation: u64, writer: &Writer) -> WireDocument {
    let Document { binding, clusters, .. } = document;
    WireDocument {
        binding: WireBinding {
            cloud: binding.cloud.clone(),
            subscription: binding.subscription.clone(),
            tenant: binding.tenant.clone(),
        },
        clusters: clusters.iter().map(|(id, known)| (id.as_str().to_owned(), way_to_wire(known))).collect(),
        entries: BTreeMap::new(),
        format,
        generation,
        stack: binding.stack.clone(),
        stack_id: binding.stack_id.clone(),
        sum: None,
        writer: WireWriter { run: writer.run.clone(), version: writer.version.clone() },
    }
}

fn from_wire(wire: WireDocument) -> Result<Document, ReadError> {
    let WireBinding { cloud, subscription, tenant } = wire.binding;
    let mut entries = BTreeMap::new();
    for (id, entry) in wire.entries {
        let entry =
            entry_from_wire(entry).map_err(|detail| ReadError::Damaged(format!("{detail} in the entry of `{id}`")))?;
        entries.insert(SymbolicId::from_ledger(id), entry);
    }
    Ok(Document {
        binding: Binding { stack: wire.stack, stack_id: wire.stack_id, cloud, tenant, subscription },
        generation: wire.generation,
        writer: Writer { run: wire.writer.run, version: wire.writer.version },
        entries,
        clusters: wire
            .clusters
            .into_iter()
            .map(|(id, way)| (SymbolicId::from_ledger(id), way_from_wire(way)))
            .collect(),
    })
}

pub(super) fn way_to_wire(way: &Way) -> WireWay {
    WireWay { authority: way.authority.clone(), host: way.host.clone() }
}

pub(super) fn way_from_wire(WireWay { authority, host }: WireWay) -> Way {
    Way { host, authority }
}

pub(super) fn entry_to_wire(entry: &Entry) -> WireEntry {
    let owned = &entry.owned;
    let op = if owned.state == OwnedState::IntentDelete { "delete" } else { "write" };
    let announced = matches!(owned.state, OwnedState::IntentWrite | OwnedState::IntentDelete);
    let intent = entry.intent.clone().unwrap_or_default();
    WireEntry {
        address: owned.address.clone(),
        api_version: owned.api_version.clone(),
        conflict_domain: owned.conflict_domain.as_ref().map(|id| id.as_str().to_owned()),
        dependencies: owned.dependencies.iter().map(|id| id.as_str().to_owned()).collect(),
        id: owned.id.clone(),
        intent: announced.then(|| WireIntent {
            digest: intent.digest,
            op: op.to_owned(),
            run: intent.run,
            since: intent.since,
        }),
        keep: owned.keep,
        kind: owned.kind.clone(),
        marker: entry.marker.clone(),
        observed: owned.observed.clone(),
        protected: owned.protected,
        resource_type: owned.resource_type.clone(),
        sent: owned.sent.clone(),
        state: state_word(owned.state).to_owned(),
    }
}

pub(super) fn entry_from_wire(wire: WireEntry) -> Result<Entry, String> {
    let state = match (wire.state.as_str(), wire.intent.as_ref().map(|intent| intent.op.as_str())) {
        ("owned", None) => OwnedState::Owned,
        ("tombstone", None) => OwnedState::Tombstone,
        ("intent", Some("write")) => OwnedState::IntentWrite,
        ("intent", Some("delete")) => OwnedState::IntentDelete,
        (state, op) => {
            return Err(format!("unknown state `{state}`{}", op.map(|op| format!(" to `{op}`")).unwrap_or_default()));
        }
    };
    let intent = wire.intent.map(|intent| Intent { run: intent.run, digest: intent.digest, since: intent.since });
    Ok(Entry {
        owned: OwnedEntry {
            id: wire.id,
            kind: wire.kind,
            resource_type: wire.resource_type,
            api_version: wire.api_version,
            state,
            sent: wire.sent,
            observed: wire.observed,
            dependencies: wire.dependencies.into_iter().map(SymbolicId::from_ledger).collect(),
            conflict_domain: wire.conflict_domain.map(SymbolicId::from_ledger),
            protected: wire.protected,
            keep: wire.keep,
            address: wire.address,
        },
        marker: wire.marker,
        intent,
    })
}

/// A map in which each key stands once. Of two that are alike, one would silently be lost.
pub(super) fn unique<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, V>, D::Error> {
    struct Unique<V>(PhantomData<V>);

    impl<'de, V: Deserialize<'de>> Visitor<'de> for Unique<V> {
        type Value = BTreeMap<String, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = access.next_entry::<String, V>()? {
                if map.contains_key(&key) {
                    return Err(de::Error::custom(format!("`{key}` stands there twice")));
                }
                map.insert(key, value);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(Unique(PhantomData))
}
