//! However a file with records is cut, it reads as its last whole generation; whatever is altered is told.
#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use akson_planner::{OwnedState, Way};
use proptest::prelude::*;

use super::{
    super::{Entry, Text, tests::sample},
    *,
};

fn id(name: &str) -> SymbolicId {
    SymbolicId::from_ledger(name)
}

/// A document, and the same after each of some edits; the text of all of it, and where each generation ends.
fn history() -> (Vec<Document>, Vec<u8>, Vec<usize>) {
    let mut document = sample();
    let writer = document.writer.clone();
    let (mut bytes, mut sum) = Text::default().write_appendable(&document, document.generation, &writer);
    let (mut generations, mut ends) = (vec![document.clone()], vec![bytes.len()]);
    let edits: [fn(&mut Document) -> Changed; 4] = [
        |document| {
            document.entries.get_mut(&id("/owned")).unwrap().owned.state = OwnedState::Tombstone;
            Changed { entries: [id("/owned")].into(), ..Changed::default() }
        },
        |document| {
            document.entries.remove(&id("/gone"));
            document.entries.insert(id("/new"), Entry { marker: "tag \n \"".to_owned(), ..Entry::default() });
            Changed { entries: [id("/gone"), id("/new")].into(), ..Changed::default() }
        },
        |document| {
            document.clusters.remove(&id("/cluster"));
            document.clusters.insert(id("/other"), Way { host: "h".to_owned(), authority: "a".to_owned() });
            Changed { clusters: [id("/cluster"), id("/other")].into(), ..Changed::default() }
        },
        |_| Changed::default(),
    ];
    for edit in edits {
        let changed = edit(&mut document);
        document.generation += 1;
        let (line, next) = record(&document, &changed, document.generation, &sum);
        sum = next;
        bytes.extend(line);
        generations.push(document.clone());
        ends.push(bytes.len());
    }
    (generations, bytes, ends)
}

#[test]
fn what_is_appended_is_read_back() {
    let (generations, bytes, ends) = history();
    for (document, end) in generations.iter().zip(ends) {
        assert_eq!(Document::read_all(&bytes[..end]), Ok((document.clone(), None)));
    }
}

#[test]
fn every_cut_reads_as_the_last_whole_generation() {
    let (generations, bytes, ends) = history();
    for cut in 0..=bytes.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        match whole.checked_sub(1) {
            Some(at) => assert_eq!(Document::read_all(&bytes[..cut]), Ok((generations[at].clone(), None)), "{cut}"),
            None => assert!(Document::read_all(&bytes[..cut]).is_err(), "{cut}"),
        }
    }
}

#[test]
fn a_record_that_is_left_out_moved_or_of_elsewhere_is_passed_over_and_told() {
    let (generations, bytes, ends) = history();
    let line = |number: usize| &bytes[ends[number]..ends[number + 1]];
    let with = |lines: &[&[u8]]| [&[&bytes[..ends[0]]], lines].concat().concat();
    for (wrong, good) in
        [(with(&[line(1), line(2)]), 0), (with(&[line(1), line(0)]), 0), (with(&[line(0), line(0), line(1)]), 1)]
    {
        let (read, told) = Document::read_all(&wrong).unwrap();
        assert!(read == generations[good] && told.is_some(), "{told:?}");
    }
    let (read, told) = Document::read_all(&with(&[line(0), line(2)])).unwrap();
    assert_eq!(read, generations[1]);
    assert!(told.unwrap().to_string().contains("after generation 413"));
    let (read, told) = Document::read_all(&with(&[line(0), b"{}\n"])).unwrap();
    assert!(read == generations[1] && told.is_some());
    // A record with a right sum and a wrong generation.
    let mut ahead = generations[0].clone();
    let sum = Text::default().write_appendable(&ahead, ahead.generation, &ahead.writer.clone()).1;
    ahead.generation += 2;
    let (line, _) = record(&ahead, &Changed::default(), ahead.generation, &sum);
    let (read, told) = Document::read_all(&with(&[&line])).unwrap();
    assert_eq!((read, told.unwrap().to_string().contains("missing")), (generations[0].clone(), true));
}

#[test]
fn a_document_of_the_first_format_has_no_records() {
    let (_, bytes, ends) = history();
    let mut text = sample().write();
    text.push(b'\n');
    text.extend(&bytes[ends[0]..ends[1]]);
    assert!(matches!(Document::read_all(&text), Err(ReadError::Damaged(_))));
}

proptest! {
    #[test]
    fn no_flipped_byte_goes_unnoticed(at in 0_usize..100_000, bit in 0_u8..8) {
        let (generations, mut bytes, ends) = history();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        // How many generations end before it.
        let whole = ends.iter().filter(|end| **end <= at).count();
        match Document::read_all(&bytes) {
            Err(_) => prop_assert_eq!(whole, 0, "{}", at),
            Ok((read, Some(_))) => prop_assert!(whole > 0 && read == generations[whole - 1], "{}", at),
            // Without the end of the last line, it is a line that was never whole.
            Ok((read, None)) => prop_assert!(read == generations[3] && at + 1 == bytes.len(), "{}", at),
        }
    }
}
