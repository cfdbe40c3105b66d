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
        "it has format 3, and this version of akson knows 1 and 2",
    );
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
    fn no_cut_goes_unnoticed(at in 0_usize..10_000) {
        let bytes = sample().write();
        prop_assert!(Document::read(&bytes[..at % bytes.len()]).is_err());
    }
}
