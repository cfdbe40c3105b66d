//! Two keys to delete, for every kind there is: each row of what the ledger and the live object say together, with the mark where the kind
//! has it; and ledgers that somebody wrote into. Rows of what is declared are in `differential`.

use std::sync::Arc;

use akson_catalog::{
    ArmId, Kind, SymbolicId, Type,
    json::put,
    kind::{Marker, Role, ids::fill, late::LateId},
    marker::{LABEL, Mark, TAG, unique_name},
};
use akson_diagnostics::Diagnostics;
use akson_planner::{
    LiveObject, Mode, Owned, OwnedEntry, OwnedState, PlanOptions, Snapshot, Work, place::symbolic, plan,
};
use serde_json::{Value as Json, json};

use crate::declare::{Blocks, SUBSCRIPTION, catalog};

const OTHER: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const GUID: &str = "0a0a0a0a-0000-4000-8000-00000000000f";

/// One object of a kind.
struct Subject {
    kind: Arc<Kind>,
    is: SymbolicId,
    id: String,
}

/// Whose mark is on it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Marked {
    Ours,
    OtherStack,
    Copied,
    No,
}

fn stack_id() -> String {
    Blocks::new().config.stack.id()
}

/// The id that a resource of a kind could have.
fn id_of(kind: &Kind) -> String {
    let part = |name: &str| -> String {
        let attribute = kind.attributes.get(name);
        let of = attribute.filter(|attribute| attribute.role == Role::Parent).map(|attribute| &attribute.of);
        match (name, of) {
            ("subscription", _) => SUBSCRIPTION.to_owned(),
            ("unique_name", _) => unique_name(&stack_id(), "0123456789abcdef"),
            (_, Some(Type::Resource(kinds))) => {
                let parent = kinds.iter().find_map(|kind| catalog().get(kind));
                parent.map_or_else(|| format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g"), |parent| id_of(parent))
            }
            (_, Some(_)) => format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g"),
            _ => "it".to_owned(),
        }
    };
    let parts: Vec<(String, String)> = kind.id_parts().iter().map(|name| ((*name).to_owned(), part(name))).collect();
    fill(&kind.id, |name| parts.iter().find(|(part, _)| part == name).map(|(_, text)| text.as_str())).unwrap()
}

impl Subject {
    fn of(kind: &Arc<Kind>) -> Self {
        let text = id_of(kind);
        let id = match &kind.late {
            Some(LateId::Made { .. }) => format!("{}/{GUID}", text.rsplit_once('/').unwrap().0),
            Some(LateId::Told { .. }) => GUID.to_owned(),
            Some(LateId::Path(_)) | None => text.clone(),
        };
        Self { kind: Arc::clone(kind), is: symbolic(&text), id }
    }

    fn body(&self, marked: Marked) -> Json {
        let mut body = json!({"id": self.id});
        let mark = match marked {
            Marked::Ours => Some(Mark::new(&stack_id(), &self.is)),
            Marked::OtherStack => Some(Mark::new(OTHER, &self.is)),
            Marked::Copied => Some(Mark::new(&stack_id(), &SymbolicId::from_ledger("/of/another"))),
            Marked::No => None,
        };
        match (&self.kind.marker, mark) {
            (Marker::UniqueName(pointer), _) => {
                let name = match marked {
                    Marked::Ours => unique_name(&stack_id(), "0123456789abcdef"),
                    Marked::OtherStack => unique_name(OTHER, "0123456789abcdef"),
                    Marked::Copied => unique_name(&stack_id(), "fedcba9876543210"),
                    Marked::No => "somebody-elses".to_owned(),
                };
                put(&mut body, pointer, json!(name));
            }
            (Marker::Tag, Some(mark)) => put(&mut body, &format!("/tags/{TAG}"), json!(mark.to_string())),
            (Marker::Text(pointer), Some(mark)) => put(&mut body, pointer, json!(mark.append_to("why"))),
            (Marker::Label, Some(mark)) => put(&mut body, LABEL, json!(mark.label())),
            (Marker::Parent, _) | (_, None) => {}
        }
        body
    }

    fn entry(&self, state: OwnedState) -> OwnedEntry {
        OwnedEntry {
            id: self.id.clone(),
            kind: self.kind.keyword.clone(),
            resource_type: self.kind.resource_type.clone(),
            api_version: self.kind.api_version.clone(),
            state,
            observed: [("/location".to_owned(), "hash".to_owned())].into_iter().collect(),
            address: format!("{}.it", self.kind.keyword),
            ..OwnedEntry::default()
        }
    }

    /// What is done about it where no block declares it: the work's word, or the code of a refusal.
    fn decided(&self, entry: Option<OwnedEntry>, live: Option<Json>, mode: Mode) -> String {
        let mut owned = Owned { known: true, ..Owned::default() };
        owned.entries.extend(entry.map(|entry| (self.is.clone(), entry)));
        let mut snapshot = Snapshot::default();
        snapshot.inventories.insert(self.is.clone(), Vec::new());
        match live {
            Some(body) => drop(snapshot.objects.insert(self.is.clone(), LiveObject { id: self.id.clone(), body })),
            None => drop(snapshot.absent.insert(self.is.clone())),
        }
        let mut diagnostics = Diagnostics::new();
        let options = PlanOptions { mode, ..PlanOptions::default() };
        let blocks = Blocks::new();
        let Some(plan) = plan(&blocks.config, &snapshot, &owned, catalog(), &options, &mut diagnostics) else {
            let codes: Vec<String> = diagnostics.iter().map(|report| report.code.0.to_string()).collect();
            return codes.join(" ");
        };
        let Some(change) = plan.change(&self.is) else { return "nothing".to_owned() };
        match &change.work {
            Work::Delete { id, .. } => {
                assert_eq!(*id, self.id, "what was looked at and nothing else");
                "delete"
            }
            Work::Forget => "forget",
            Work::Nothing => "nothing",
            Work::Record { .. } | Work::Write { .. } => "written",
        }
        .to_owned()
    }
}

/// Every kind that a stack can own and that takes a mark.
fn marked_kinds() -> Vec<Subject> {
    let own = |kind: &&Arc<Kind>| kind.marker != Marker::Parent && kind.keyword != "resource";
    let kinds: Vec<Subject> = catalog().iter().filter(own).map(Subject::of).collect();
    assert!(kinds.len() > 25, "{}", kinds.len());
    kinds
}

#[test]
fn it_takes_the_entry_and_the_mark_whatever_the_kind() {
    for subject in marked_kinds() {
        let keyword = subject.kind.keyword.clone();
        for mode in [Mode::Apply, Mode::Destroy] {
            let check = |entry: Option<OwnedState>, live: Option<Marked>, expected: &str| {
                let entry = entry.map(|state| subject.entry(state));
                let live_body = live.map(|marked| subject.body(marked));
                let found = subject.decided(entry.clone(), live_body, mode);
                assert_eq!(found, expected, "{keyword}, {mode:?}: {entry:?} and {live:?}");
            };
            check(Some(OwnedState::Owned), Some(Marked::Ours), "delete");
            for one_key in [Marked::OtherStack, Marked::Copied, Marked::No] {
                check(Some(OwnedState::Owned), Some(one_key), "407");
                check(Some(OwnedState::IntentDelete), Some(one_key), "407");
            }
            for marked in [Marked::Ours, Marked::OtherStack, Marked::Copied, Marked::No] {
                check(None, Some(marked), "nothing");
            }
            // A 404 is no confirmation: only the answer to a deletion is.
            check(Some(OwnedState::Owned), None, "delete");
            check(Some(OwnedState::IntentWrite), None, "delete");
            check(Some(OwnedState::IntentWrite), Some(Marked::Ours), "delete");
            check(Some(OwnedState::IntentDelete), Some(Marked::Ours), "delete");
            // A tombstone goes once it is seen absent, and brings down what a late write brought back.
            check(Some(OwnedState::Tombstone), None, "forget");
            check(Some(OwnedState::Tombstone), Some(Marked::Ours), "delete");
            check(Some(OwnedState::Tombstone), Some(Marked::No), "forget");
            check(Some(OwnedState::Tombstone), Some(Marked::OtherStack), "forget");
        }
    }
}

#[test]
fn what_an_interrupted_adoption_never_marked_stays() {
    for subject in marked_kinds().iter().filter(|subject| !matches!(subject.kind.marker, Marker::UniqueName(_))) {
        let mut entry = subject.entry(OwnedState::IntentWrite);
        entry.observed.clear();
        for marked in [Marked::No, Marked::OtherStack, Marked::Copied] {
            let found = subject.decided(Some(entry.clone()), Some(subject.body(marked)), Mode::Apply);
            assert_eq!(found, "forget", "{}, {marked:?}", subject.kind.keyword);
        }
    }
}

#[test]
fn a_ledger_that_somebody_wrote_into_deletes_nothing_foreign() {
    let foreign =
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/prod/providers/Microsoft.KeyVault/vaults/prod-kv");
    for kind in catalog().iter().filter(|kind| kind.keyword != "resource") {
        let subject = Subject::of(kind);
        // The entry's id leads elsewhere: seen absent or present, by whatever mark, nothing is sent there.
        let entry = OwnedEntry { id: foreign.clone(), ..subject.entry(OwnedState::Owned) };
        for live in [None, Some(subject.body(Marked::Ours)), Some(subject.body(Marked::No))] {
            let found = subject.decided(Some(entry.clone()), live, Mode::Apply);
            assert_eq!(found, "427", "{}", kind.keyword);
        }
        // A foreign object under its own id, as what takes no mark: its type says what it is.
        let poisoned = Subject { kind: Arc::clone(kind), is: symbolic(&foreign), id: foreign.clone() };
        let found =
            poisoned.decided(Some(poisoned.entry(OwnedState::Owned)), Some(json!({"id": foreign})), Mode::Apply);
        let expected = if kind.keyword == "vault" { "407" } else { "427" };
        assert_eq!(found, expected, "{}", kind.keyword);
    }
}

#[test]
fn a_group_is_known_by_its_name_and_not_by_what_the_ledger_calls_it() {
    let group = Subject::of(catalog().get("group").unwrap());
    for id in ["/v1.0/users/x", "x/../../users/y", "x?$select=id", "/v1.0/groups"] {
        let entry = OwnedEntry { id: id.to_owned(), ..group.entry(OwnedState::Owned) };
        assert_eq!(group.decided(Some(entry), None, Mode::Apply), "427", "{id}");
    }
    // While its creation is announced, the path that it is made at stands for it.
    let path = "/v1.0/groups(uniqueName='x')";
    let made = Subject { id: path.to_owned(), ..Subject::of(catalog().get("group").unwrap()) };
    assert_eq!(made.decided(Some(made.entry(OwnedState::IntentWrite)), None, Mode::Apply), "delete");
    let meant = Subject { is: SymbolicId::from_ledger(format!("group:object_id={OTHER}")), ..group };
    assert_eq!(meant.decided(Some(meant.entry(OwnedState::Owned)), None, Mode::Apply), "427");
}

/// What takes no mark: in what is ours and shows it, or unchanged since; never anything else.
#[test]
fn what_takes_no_mark_goes_with_its_parents_or_as_it_was_left() {
    let own = |kind: &&Arc<Kind>| kind.marker == Marker::Parent && kind.reset.is_none() && kind.managed;
    for kind in catalog().iter().filter(own) {
        let subject = Subject::of(kind);
        let parent_id = akson_planner::place::parent_of(&subject.is).unwrap();
        let decided = |parent: Option<(&Arc<Kind>, Marked)>, entry: OwnedEntry, body: Json| {
            let mut owned = Owned { known: true, ..Owned::default() };
            owned.entries.insert(subject.is.clone(), entry);
            let mut snapshot = Snapshot::default();
            snapshot.objects.insert(subject.is.clone(), LiveObject { id: subject.id.clone(), body });
            if let Some((parent, marked)) = parent {
                let parent = Subject { kind: Arc::clone(parent), is: parent_id.clone(), id: parent_id.to_string() };
                let entry = OwnedEntry { keep: true, ..parent.entry(OwnedState::Owned) };
                owned.entries.insert(parent_id.clone(), entry);
                let live = LiveObject { id: parent.id.clone(), body: parent.body(marked) };
                snapshot.objects.insert(parent_id.clone(), live);
            }
            let mut diagnostics = Diagnostics::new();
            let config = Blocks::new().config;
            let plan = plan(&config, &snapshot, &owned, catalog(), &PlanOptions::default(), &mut diagnostics);
            plan.and_then(|plan| plan.change(&subject.is).map(|change| change.work.clone())).map_or_else(
                || diagnostics.iter().next().map_or(0, |report| report.code.0),
                |work| u16::from(matches!(work, Work::Delete { .. } | Work::Forget)),
            )
        };
        let body = json!({"id": subject.id, "location": "westeurope"});
        let hash = akson_catalog::canonical::leaf_hash(&json!("westeurope"));
        let with = |hash: Option<&str>| {
            let observed = hash.map(|hash| ("/location".to_owned(), hash.to_owned())).into_iter().collect();
            OwnedEntry { observed, ..subject.entry(OwnedState::Owned) }
        };
        let keyword = &kind.keyword;
        assert_eq!(decided(None, with(Some(&hash)), body.clone()), 1, "{keyword}: as it was left");
        assert_eq!(decided(None, with(Some("other")), body.clone()), 408, "{keyword}: changed");
        assert_eq!(decided(None, with(None), body.clone()), 408, "{keyword}: never seen");
        let parents = kind.parent.as_deref().and_then(|name| kind.attributes.get(name)).map(|attribute| &attribute.of);
        let Some(Type::Resource(parents)) = parents else { continue };
        let Some(parent) = parents.iter().find_map(|parent| catalog().get(parent)) else { continue };
        if parent.marker == Marker::Tag {
            assert_eq!(decided(Some((parent, Marked::Ours)), with(None), body.clone()), 1, "{keyword}: in ours");
            for marked in [Marked::No, Marked::OtherStack, Marked::Copied] {
                let found = decided(Some((parent, marked)), with(Some(&hash)), body.clone());
                assert_eq!(found, 408, "{keyword}: in what lost its mark ({marked:?})");
            }
        }
    }
    // The ids are ids.
    assert_eq!(ArmId::new(id_of(catalog().get("subnet").unwrap())).name(), "it");
}
