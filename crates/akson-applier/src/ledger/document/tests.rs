//! What is written is read back; what was altered is not.
#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use akson_catalog::canonical::canonical;
use proptest::prelude::*;

use super::*;

pub(in crate::ledger) fn sample() -> Document {
    let entry = |state, intent: Option<&str>| Entry {
        owned: OwnedEntry {
            id: "/subscriptions/S/resourceGroups/g".to_owned(),
            kind: "resource_group".to_owned(),
            resource_type: "Microsoft.Resources/resourceGroups".to_owned(),
            api_version: "2021-04-01".to_owned(),
            state,
            sent: BTreeMap::from([("/location".to_owned(), "9f3c".to_owned()), ("/secret".to_owned(), "-".to_owned())]),
            observed: BTreeMap::from([("/location".to_owned(), "1a77".to_owned())]),
            dependencies: vec![SymbolicId::from_ledger("/a"), SymbolicId::from_ledger("/b")],
            conflict_domain: Some(SymbolicId::from_ledger("/a")),
            protected: true,
            keep: false,
            address: "resource_group.app[\"ä\"]".to_owned(),
        },
        marker: "tag".to_owned(),
        intent: intent.map(|run| Intent { run: run.to_owned(), digest: "d".to_owned(), since: 7 }),
    };
    let mut document = Document::new(Binding {
        stack: "myapp".to_owned(),
        stack_id: "6ba7b810-9dad-11d1-80b4-00c04fd430c8".to_owned(),
        cloud: "emulator".to_owned(),
        tenant: "t".to_owned(),
        subscription: "s".to_owned(),
    });
    let way = Way { host: "app.hcp.westeurope.azmk8s.io".to_owned(), authority: "PEM".to_owned() };
    document.clusters.insert(SymbolicId::from_ledger("/cluster"), way);
    document.generation = 412;
    document.writer = Writer { run: "r1".to_owned(), version: "0.1.0".to_owned() };
    for (id, entry) in [
        ("/owned", entry(OwnedState::Owned, None)),
        ("/write", entry(OwnedState::IntentWrite, Some("r1"))),
        ("/delete", entry(OwnedState::IntentDelete, Some("r0"))),
        ("/gone", entry(OwnedState::Tombstone, None)),
    ] {
        document.entries.insert(SymbolicId::from_ledger(id), entry);
    }
    document
}

#[test]
fn what_is_written_is_read_back() {
    let document = sample();
    assert_eq!(Document::read(&document.write()), Ok(document.clone()));
    assert_eq!(Document::read(&Document::new(Binding::default()).write()), Ok(Document::new(Binding::default())));
    assert!(document.has_intents_of_others("r1"));
    assert_eq!(document.owned().entries.len(), 4);
}

#[test]
fn the_text_is_canonical() {
    let text = String::from_utf8(sample().write()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(canonical(&json), text);
}

#[track_caller]
fn check(edit: impl Fn(&str) -> String, expected: &str) {
    let text = String::from_utf8(sample().write()).unwrap();
    let edited = edit(&text);
    assert_ne!(edited, text, "the edit does nothing");
    assert_eq!(Document::read(edited.as_bytes()).unwrap_err().to_string(), expected);
}

#[test]
fn what_is_not_understood_is_refused() {
    check(
        |text| text.replace("\"format\":1", "\"format\":3"),
        "it has format 3, and this version of akson knows up to 2",
    );
    // Also if something follows it that this version would not understand.
    check(
        |text| text.replace("\"format\":1", "\"format\":3") + "\n{}\n",
        "it has format 3, and this version of akson knows up to 2",
    );
    check(|text| text.replace("\"format\":1", "\"format\":2"), "its checksum does not fit its content");
    check(|text| format!("{text}\n{{}}\n"), "it is damaged: trailing characters at line 2 column 1");
    check(|text| text.replace("\"generation\":412", "\"generation\":413"), "its checksum does not fit its content");
    check(|text| text.replace("9f3c", "9f3d"), "its checksum does not fit its content");
    check(
        |text| text.replacen("\"state\":\"tombstone\"", "\"state\":\"asleep\"", 1),
        "it is damaged: unknown state `asleep` in the entry of `/gone`",
    );
    check(
        |text| text.replacen("\"op\":\"delete\"", "\"op\":\"patch\"", 1),
        "it is damaged: unknown state `intent` to `patch` in the entry of `/delete`",
    );
    let twice = |text: &str| {
        text.replacen("\"sent\":{\"/location\":\"9f3c\"", "\"sent\":{\"/location\":\"9f3c\",\"/location\":\"9f3c\"", 1)
    };
    assert!(
        Document::read(twice(&String::from_utf8(sample().write()).unwrap()).as_bytes())
            .unwrap_err()
            .to_string()
            .contains("`/location` stands there twice")
    );
    for text in ["", "{}", "[]", "null", "{\"format\":1}", "{\"format\":\"1\"}", "{\"format\":1,\"format\":1}"] {
        assert!(matches!(Document::read(text.as_bytes()), Err(ReadError::Damaged(_))), "{text}");
    }
}

#[test]
fn a_binding_that_differs_is_named() {
    let have = sample().binding;
    assert!(have.differences(&Binding { tenant: "T".to_owned(), ..have.clone() }).is_empty());
    let other = Binding { subscription: "other".to_owned(), ..have.clone() };
    assert_eq!(have.differences(&other), [("subscription", "s".to_owned(), "other".to_owned())]);
}

/// A document that takes records.
fn with_records(document: &Document) -> Written {
    Text::default().write(document, document.generation, &document.writer, Some(0))
}

/// A life of a ledger: a document, then records, each of which adds, changes or removes one thing. What the generations are, where each ends, and the bytes.
fn life() -> (Vec<Document>, Vec<usize>, Vec<u8>) {
    let id = |name: &str| SymbolicId::from_ledger(name);
    let mut document = sample();
    let written = with_records(&document);
    let (mut bytes, mut sum) = (written.bytes, written.sum);
    // Its end is no part of what must be there.
    let (mut generations, mut ends) = (vec![document.clone()], vec![bytes.len() - 1]);
    let mut text = Text::default();
    let mut step = |document: &mut Document, entries: &[&str], clusters: &[&str]| {
        let ids = |names: &[&str]| names.iter().map(|name| id(name)).collect();
        let changed = Changed { entries: ids(entries), clusters: ids(clusters) };
        changed.entries.iter().for_each(|id| text.changed(id));
        document.generation += 1;
        let record = Record::of(&mut text, document, &changed, document.generation, &sum);
        sum = record.sum;
        bytes.extend(record.bytes);
        generations.push(document.clone());
        ends.push(bytes.len());
    };
    document.entries.insert(id("/new"), Entry::default());
    step(&mut document, &["/new"], &[]);
    document.entries.insert(id("/new"), Entry { marker: "text".to_owned(), ..Entry::default() });
    document.entries.remove(&id("/owned"));
    step(&mut document, &["/new", "/owned"], &[]);
    document.clusters.remove(&id("/cluster"));
    document.clusters.insert(id("/another"), Way { host: "h".to_owned(), authority: "\"sum\":\"".to_owned() });
    step(&mut document, &[], &["/another", "/cluster"]);
    document.entries.clear();
    step(&mut document, &["/delete", "/gone", "/new", "/write"], &[]);
    step(&mut document, &[], &[]);
    (generations, ends, bytes)
}

#[test]
fn cut_anywhere_the_last_whole_generation_is_read() {
    let (generations, ends, bytes) = life();
    assert_eq!(generations.len(), 6);
    for cut in 0..=bytes.len() {
        let read = Document::read(&bytes[..cut]);
        match ends.iter().rposition(|end| *end <= cut) {
            Some(at) => assert_eq!(read, Ok(generations[at].clone()), "cut at {cut}"),
            None => assert!(matches!(read, Err(ReadError::Damaged(_))), "cut at {cut}"),
        }
    }
}

/// Changes lines of a life: the document is the first.
fn edited(edit: impl Fn(&mut Vec<String>)) -> (Result<u64, String>, Option<u64>) {
    let (_, _, bytes) = life();
    let mut lines: Vec<String> = String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect();
    edit(&mut lines);
    let text = lines.join("\n") + "\n";
    let read = Document::read(text.as_bytes()).map(|document| document.generation).map_err(|error| error.to_string());
    (read, Document::salvage(text.as_bytes()).map(|document| document.generation))
}

#[test]
fn a_record_is_whole_at_its_place_and_understood_or_refused() {
    const SUM: &str = "its checksum does not fit its content";
    let refused = |why: &str, before| (Err(why.to_owned()), Some(before));
    assert_eq!(edited(|_| {}), (Ok(417), Some(417)));
    // In the middle it is damage; at the end it was not written.
    assert_eq!(edited(|lines| lines[2] = lines[2].replace("text", "texT")), refused(SUM, 413));
    assert_eq!(edited(|lines| lines[5] = lines[5].replace("417", "418")), (Ok(416), Some(416)));
    assert_eq!(edited(|lines| lines[5] = "\0".repeat(80)), (Ok(416), Some(416)));
    assert_eq!(edited(|lines| lines[5] = String::new()), (Ok(416), Some(416)));
    assert_eq!(edited(|lines| lines[1] = String::new()), refused(SUM, 412));
    // None can be left out, stand twice, or change places.
    assert_eq!(edited(|lines| drop(lines.remove(3))), refused(SUM, 414));
    assert_eq!(edited(|lines| lines.insert(3, lines[3].clone())), refused(SUM, 415));
    assert_eq!(edited(|lines| lines.swap(1, 2)), refused(SUM, 412));
    // What follows a document that takes none.
    let alone = |lines: &mut Vec<String>| lines[0] = String::from_utf8(sample().write()).unwrap();
    let (read, before) = edited(alone);
    assert!(read.unwrap_err().contains("trailing characters") && before.is_none());
    assert_eq!(
        edited(|lines| lines[0].push('x')),
        refused("it is damaged: something else than records follows it", 412)
    );
    assert_eq!(edited(|lines| lines[0].insert(1, 'x')).1, None);
}

/// A record with a right checksum at the end of a document.
fn last(content: &str) -> Result<u64, String> {
    let mut written = with_records(&sample());
    let sum = sum_of(&[written.sum.as_bytes(), b"\n", content.as_bytes()]);
    written.bytes.extend(format!("{content},\"sum\":\"{sum}\"}}\n").bytes());
    let read = Document::read(&written.bytes);
    if read.is_err() {
        assert_eq!(Document::salvage(&written.bytes), Some(sample()), "half of it was taken");
    }
    read.map(|document| document.generation).map_err(|error| error.to_string())
}

#[test]
fn what_is_whole_and_not_understood_is_never_taken_for_unwritten() {
    assert_eq!(last("{\"entries\":{},\"generation\":413"), Ok(413));
    let refused = |content: &str, why: &str| assert!(last(content).unwrap_err().contains(why), "{content}");
    refused("{\"entries\":{},\"generation\":414", "generation 414 follows generation 412");
    refused("{\"entries\":{},\"generation\":412", "generation 412 follows generation 412");
    refused("{\"entries\":{},\"generation\":413,\"more\":1", "unknown field `more`");
    refused("{\"generation\":413", "missing field `entries`");
    refused("{\"entries\":{\"/a\":null,\"/a\":null},\"generation\":413", "`/a` stands there twice");
    refused("{\"clusters\":{\"/a\":null,\"/a\":null},\"entries\":{},\"generation\":413", "`/a` stands there twice");
    let entry = serde_json::to_string(&Entry::default().marker).unwrap();
    refused(&format!("{{\"entries\":{{\"/a\":{entry}}},\"generation\":413"), "invalid type");
    let (_, _, bytes) = life();
    let line = String::from_utf8(bytes).unwrap().lines().nth(1).unwrap().replace("\"owned\"", "\"asleep\"");
    let content = line.split(",\"sum\"").next().unwrap().replace("{\"entries\":{", "{\"entries\":{\"/owned\":null,");
    refused(&content, "unknown state `asleep` in the entry of `/new`");
}

#[test]
fn a_document_takes_records_from_a_length_on() {
    let document = sample();
    let text = String::from_utf8(document.write()).unwrap();
    let length = text.find(",\"format\":").unwrap();
    let takes = |from| Text::default().write(&document, 412, &document.writer, from);
    assert!(takes(Some(length)).takes_records && !takes(Some(length + 1)).takes_records && !takes(None).takes_records);
    assert_eq!(takes(Some(length + 1)).bytes, text.as_bytes());
    let long = String::from_utf8(takes(Some(length)).bytes).unwrap();
    assert!(long.contains("\"format\":2") && long.ends_with("}\n"));
    assert_eq!(Document::read(long.as_bytes()), Ok(document));
    let json: serde_json::Value = serde_json::from_str(&long).unwrap();
    assert_eq!(canonical(&json) + "\n", long);
}

#[test]
fn what_changed_is_written_anew() {
    let mut text = Text::default();
    let mut document = sample();
    let id = SymbolicId::from_ledger("/owned");
    let writer = document.writer.clone();
    assert_eq!(text.write(&document, 412, &writer, None).bytes, document.write());
    document.entries.insert(id.clone(), Entry::default());
    assert_ne!(text.write(&document, 412, &writer, None).bytes, document.write(), "it is known by heart");
    text.changed(&id);
    assert_eq!(text.write(&document, 412, &writer, None).bytes, document.write());
}

#[test]
fn intents_of_others_are_those_of_other_runs() {
    let mut document = sample();
    assert!(document.has_intents_of_others("r1") && document.has_intents_of_others("r0"));
    document.entries.remove(&SymbolicId::from_ledger("/delete"));
    assert!(!document.has_intents_of_others("r1") && document.has_intents_of_others("r0"));
    document.entries.remove(&SymbolicId::from_ledger("/write"));
    assert!(!document.has_intents_of_others("r0"));
}

proptest! {
    #[test]
    fn no_flipped_byte_goes_unnoticed(at in 0_usize..10_000, bit in 0_u8..8) {
        let document = sample();
        let mut bytes = document.write();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(read) = Document::read(&bytes) {
            prop_assert_eq!(read, document);
        }
    }

    #[test]
    fn no_flipped_byte_in_a_record_goes_unnoticed(at in 0_usize..10_000, bit in 0_u8..8) {
        let (generations, ends, mut bytes) = life();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        match Document::read(&bytes) {
            Ok(read) => {
                // Only the last can be lost; a flipped space at the end of the document is none of its content.
                let lost = at > ends[generations.len() - 2];
                prop_assert_eq!(&read, &generations[generations.len() - 1 - usize::from(lost)]);
            }
            Err(_) => {
                let salvaged = Document::salvage(&bytes);
                let before = ends.iter().rposition(|end| *end <= at);
                prop_assert_eq!(salvaged.as_ref(), before.map(|at| &generations[at]));
            }
        }
    }

    #[test]
    fn no_cut_goes_unnoticed(at in 0_usize..10_000) {
        let bytes = sample().write();
        prop_assert!(Document::read(&bytes[..at % bytes.len()]).is_err());
    }
}
