//! The planner against its naive reference: by hand for the table, at random for the rest.

use akson_planner::{Action, Cause, OwnedState, Work};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::{
    reference::{Expected, decide},
    situation::{Class, Declared, Entry, Live, Marked, Situation},
};

/// What the planner does about it.
fn planned(situation: &Situation) -> Expected {
    let inputs = situation.inputs();
    let planned = inputs.world.plan_with(&inputs.blocks.config, &inputs.options);
    let Some(plan) = &planned.plan else {
        let codes = planned.codes();
        let [code] = codes.as_slice() else { panic!("{situation:#?}\n{:#?}", planned.diagnostics) };
        return Expected::Refused(*code);
    };
    let Some(change) = plan.change(&inputs.subject) else {
        return Expected::Done { action: "", causes: Vec::new(), work: "nothing" };
    };
    let mut causes: Vec<&str> = change.reasons.iter().map(|reason| cause(reason.cause)).collect();
    causes.sort_unstable();
    causes.dedup();
    let work = match &change.work {
        Work::Nothing => "nothing",
        Work::Record { .. } => "record",
        Work::Write { replace: true, .. } => "replace",
        Work::Write { exists: true, .. } => "update",
        Work::Write { exists: false, .. } => "create",
        Work::Delete { .. } => "delete",
        Work::Forget => "forget",
    };
    Expected::Done { action: change.action.as_str(), causes, work }
}

fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Config => "config",
        Cause::Drift => "drift",
        Cause::Both => "both",
        Cause::Adopt => "adopt",
        Cause::Removed => "removed",
        Cause::Dependency => "dependency",
    }
}

const PLAIN: Situation = Situation {
    class: Class::Tagged,
    declared: None,
    entry: None,
    live: None,
    parent_unmarked: false,
    destroy: false,
    replace: false,
};

fn wanted(value: u8) -> Declared {
    Declared { value, protect: false, keep: false, existing: false }
}

fn entry(state: OwnedState, values: Option<(u8, u8)>) -> Entry {
    Entry { state, values, protected: false, keep: false }
}

fn live(value: u8, marked: Marked) -> Live {
    Live { value, marked, moved: false }
}

/// Both the planner and the reference decide as the table says.
#[track_caller]
fn check(
    what: &str,
    declared: impl Into<Option<Declared>>,
    entry: impl Into<Option<Entry>>,
    live: impl Into<Option<Live>>,
    action: &'static str,
    causes: &[&'static str],
) {
    let situation = Situation { declared: declared.into(), entry: entry.into(), live: live.into(), ..PLAIN };
    let found = planned(&situation);
    assert_eq!(found, decide(&situation), "{what}: planner and reference differ");
    match found {
        Expected::Done { action: found, causes: why, .. } => {
            assert_eq!((found, why.as_slice()), (action, causes), "{what}");
        }
        Expected::Refused(code) => {
            assert_eq!(format!("AKS{code:04}"), action, "{what}");
        }
    }
}

#[test]
fn the_three_way_table() {
    use Marked::{Copied, No, OtherStack, Ours};
    use OwnedState::{IntentDelete, IntentWrite, Owned, Tombstone};
    let owned = |sent, observed| entry(Owned, Some((sent, observed)));
    let intent = |state| entry(state, Some((1, 1)));
    let fresh = |state| entry(state, None);

    check("in sync", wanted(1), owned(1, 1), live(1, Ours), "no_op", &[]);
    check("in sync in Azure's own spelling", wanted(1), owned(1, 2), live(2, Ours), "no_op", &[]);
    check("config change", wanted(2), owned(1, 1), live(1, Ours), "update", &["config"]);
    check("drift", wanted(1), owned(1, 1), live(2, Ours), "update", &["drift"]);
    check("both", wanted(2), owned(1, 1), live(3, Ours), "update", &["both"]);
    check("already there", wanted(2), owned(1, 1), live(2, Ours), "no_op", &[]);
    check("new", wanted(1), None, None, "create", &["config"]);
    check("recovered", wanted(1), None, live(1, Ours), "no_op", &[]);
    check("recovered and different", wanted(1), None, live(2, Ours), "update", &["config"]);
    check("foreign", wanted(1), None, live(1, No), "adopt", &["adopt"]);
    check("foreign and different", wanted(1), None, live(2, No), "adopt", &["adopt"]);
    check("foreign with a copied mark", wanted(1), None, live(1, Copied), "adopt", &["adopt"]);
    check("another stack's", wanted(1), None, live(1, OtherStack), "AKS0403", &[]);
    check("deleted outside", wanted(1), owned(1, 1), None, "create", &["drift"]);
    check("mark lost", wanted(1), owned(1, 1), live(1, No), "update", &["drift"]);

    check("interrupted write that did nothing", wanted(1), fresh(IntentWrite), None, "create", &["config"]);
    check("interrupted write that was done", wanted(1), fresh(IntentWrite), live(1, Ours), "no_op", &[]);
    check("interrupted write of another value", wanted(2), intent(IntentWrite), live(1, Ours), "update", &["config"]);
    check("interrupted adoption", wanted(1), fresh(IntentWrite), live(1, No), "adopt", &["adopt"]);
    check(
        "interrupted deletion, declared again",
        wanted(1),
        intent(IntentDelete),
        live(1, Ours),
        "update",
        &["config"],
    );
    check("deleted, declared again", wanted(1), intent(Tombstone), None, "create", &["config"]);
    check("deleted, brought back by a late write, declared", wanted(1), intent(Tombstone), live(1, Ours), "no_op", &[]);

    check("removed", None, owned(1, 1), live(1, Ours), "delete", &["removed"]);
    check("removed after drift", None, owned(1, 1), live(2, Ours), "delete", &["removed"]);
    check("removed and gone", None, owned(1, 1), None, "delete", &["removed"]);
    check("removed, mark lost", None, owned(1, 1), live(1, No), "AKS0407", &[]);
    check("removed, mark copied from elsewhere", None, owned(1, 1), live(1, Copied), "AKS0407", &[]);
    check("removed, another stack's", None, owned(1, 1), live(1, OtherStack), "AKS0407", &[]);
    check("interrupted deletion", None, intent(IntentDelete), live(1, Ours), "delete", &["removed"]);
    check("interrupted deletion that was done", None, intent(IntentDelete), None, "delete", &["removed"]);
    check("interrupted write, removed", None, fresh(IntentWrite), live(1, Ours), "delete", &["removed"]);
    check("interrupted write that did nothing, removed", None, fresh(IntentWrite), None, "delete", &["removed"]);
    check("interrupted adoption, removed", None, fresh(IntentWrite), live(1, No), "forget", &["removed"]);
    check("seen absent", None, intent(Tombstone), None, "no_op", &[]);
    check("brought back by a late write", None, intent(Tombstone), live(1, Ours), "delete", &["removed"]);
    check("created anew by somebody", None, intent(Tombstone), live(1, No), "no_op", &[]);
    check("only the mark", None, None, live(1, Ours), "", &[]);

    let protected = Some(Entry { state: Owned, values: Some((1, 1)), protected: true, keep: false });
    let kept = Some(Entry { state: Owned, values: Some((1, 1)), protected: false, keep: true });
    let existing = Some(Declared { value: 1, protect: false, keep: false, existing: true });
    check("removed and protected", None, protected, live(1, Ours), "AKS0406", &[]);
    check("removed, protected and not seen", None, protected, None, "AKS0406", &[]);
    check("removed and kept", None, kept, live(1, Ours), "forget", &["removed"]);
    check("now declared as existing", existing, owned(1, 1), live(1, Ours), "forget", &["removed"]);
    check("existing and not there", existing, None, None, "AKS0402", &[]);
}

fn situations() -> impl Strategy<Value = Situation> {
    let class = prop_oneof![Just(Class::Tagged), Just(Class::Text), Just(Class::Child), Just(Class::ForeignChild)];
    let state = prop_oneof![
        3 => Just(OwnedState::Owned),
        1 => Just(OwnedState::IntentWrite),
        1 => Just(OwnedState::IntentDelete),
        1 => Just(OwnedState::Tombstone)
    ];
    let marked = prop_oneof![4 => Just(Marked::Ours), 2 => Just(Marked::No), 1 => Just(Marked::OtherStack), 1 => Just(Marked::Copied)];
    let rarely = || prop::bool::weighted(0.15);
    let declared = (0..3_u8, rarely(), rarely(), rarely()).prop_map(|(value, protect, keep, existing)| Declared {
        value,
        protect,
        keep,
        existing,
    });
    let entry = (state, prop::option::weighted(0.8, (0..3_u8, 0..3_u8)), rarely(), rarely())
        .prop_map(|(state, values, protected, keep)| Entry { state, values, protected, keep });
    let live = (0..3_u8, marked, rarely()).prop_map(|(value, marked, moved)| Live { value, marked, moved });
    let parts = (
        class,
        prop::option::weighted(0.7, declared),
        prop::option::weighted(0.7, entry),
        prop::option::weighted(0.8, live),
        (rarely(), prop::bool::weighted(0.2), rarely()),
    );
    parts.prop_map(|(class, declared, entry, live, (parent_unmarked, destroy, replace))| Situation {
        class,
        declared,
        entry,
        live,
        parent_unmarked: parent_unmarked && !destroy,
        destroy,
        replace: replace && !destroy,
    })
}

#[test]
fn twenty_thousand_situations_as_the_reference_decides() {
    // More if `PROPTEST_CASES` asks for more, as the release check does.
    let cases = Config::default().cases.max(20_000);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&situations(), |situation| {
        prop_assert_eq!(planned(&situation), decide(&situation));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn an_action_has_the_work_that_belongs_to_it() {
    let inputs = Situation { declared: Some(wanted(1)), ..PLAIN }.inputs();
    let plan = inputs.world.plan_with(&inputs.blocks.config, &inputs.options).sound();
    let change = plan.change(&inputs.subject).unwrap();
    assert_eq!(change.action, Action::Create);
    let Work::Write { id, exists, marker, leaves, .. } = &change.work else { panic!("{:#?}", change.work) };
    assert_eq!(
        *id,
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/app/providers/Microsoft.ManagedIdentity/userAssignedIdentities/it"
    );
    assert!(!exists);
    assert!(marker.ends_with(&marker[37..]) && marker.len() == 36 + 1 + 16);
    assert_eq!(leaves.len(), 2);
}
