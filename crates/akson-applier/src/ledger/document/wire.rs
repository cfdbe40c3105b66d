//! The document's JSON. Its fields stand in alphabetical order and its maps are sorted, so that its text is canonical as it is written.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use akson_catalog::SymbolicId;
use akson_planner::{OwnedEntry, OwnedState, Way};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor},
};

use super::{Binding, Document, Entry, FORMAT, Intent, ReadError, Writer, hex, state_word};

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
struct WireWay {
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
struct WireEntry {
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

pub(super) fn write(document: &Document) -> Vec<u8> {
    let mut text = text(document);
    let sum = format!("\"sum\":\"sha256:{}\",", hex(&text));
    // The writer stands last, so that the sum's place in the order is right before it.
    let at = text.rfind("\"writer\":").expect("every document names its writer");
    text.insert_str(at, &sum);
    text.into_bytes()
}

/// The text without the checksum: what the checksum is of.
fn text(document: &Document) -> String {
    serde_json::to_string(&to_wire(document)).expect("text keys and plain values are always JSON")
}

pub(super) fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    let damaged = |error: serde_json::Error| ReadError::Damaged(error.to_string());
    let Format { format } = serde_json::from_slice(bytes).map_err(damaged)?;
    if format != FORMAT {
        return Err(ReadError::Format(format));
    }
    let wire: WireDocument = serde_json::from_slice(bytes).map_err(damaged)?;
    let sum = wire.sum.clone();
    let document = from_wire(wire)?;
    if sum != Some(format!("sha256:{}", hex(&text(&document)))) {
        return Err(ReadError::Sum);
    }
    Ok(document)
}

fn to_wire(document: &Document) -> WireDocument {
    let Document { binding, generation, writer, entries, clusters } = document;
    let way = |way: &Way| WireWay { authority: way.authority.clone(), host: way.host.clone() };
    WireDocument {
        binding: WireBinding {
            cloud: binding.cloud.clone(),
            subscription: binding.subscription.clone(),
            tenant: binding.tenant.clone(),
        },
        clusters: clusters.iter().map(|(id, known)| (id.as_str().to_owned(), way(known))).collect(),
        entries: entries.iter().map(|(id, entry)| (id.as_str().to_owned(), entry_to_wire(entry))).collect(),
        format: FORMAT,
        generation: *generation,
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
            .map(|(id, WireWay { authority, host })| (SymbolicId::from_ledger(id), Way { host, authority }))
            .collect(),
    })
}

fn entry_to_wire(entry: &Entry) -> WireEntry {
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

fn entry_from_wire(wire: WireEntry) -> Result<Entry, String> {
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
fn unique<'de, D: Deserializer<'de>, V: Deserialize<'de>>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error> {
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
