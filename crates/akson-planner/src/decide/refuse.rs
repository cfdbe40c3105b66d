//! What planning refuses, in words: one function a diagnostic. Not when it is refused.

use akson_catalog::{Attribute, SymbolicId, decode::decode_leaf, encode::Leaf};
use akson_diagnostics::{Diagnostic, SafeText, Span};
use serde_json::Value as Json;

use super::{Case, deleted_name::name_of, title};
use crate::{
    codes,
    plan::Shown,
    shown::{shown, words_of},
};

/// An `existing` resource is not there.
pub(super) fn not_there(case: &Case<'_>) -> Diagnostic {
    let title = title(&case.resource.kind);
    let symbolic_id = case.resource.symbolic_id.as_str();
    let keyed = symbolic_id.strip_prefix(case.resource.kind.keyword.as_str()).and_then(|rest| rest.strip_prefix(':'));
    let which = match (&case.resource.id, keyed.and_then(|key| key.split_once('='))) {
        (Some(id), _) => format!("with the id {}", SafeText(id.as_str())),
        (None, Some((attribute, value))) => format!("whose {attribute} is `{}`", SafeText(value)),
        (None, None) => format!("with the id {}", SafeText(symbolic_id)),
    };
    Diagnostic::error(codes::NOT_THERE, format!("`{}` does not exist", case.address))
        .at(case.resource.header, "declared as existing")
        .on(case.address)
        .note(format!("Azure has no {title} {which}, or does not show it to this account"))
        .help("correct its name, or remove `existing` to have it created")
}

/// More than one object is what is declared.
pub(super) fn ambiguous(case: &Case<'_>, ids: &[String]) -> Diagnostic {
    let title = title(&case.resource.kind);
    let listed: Vec<&str> = ids.iter().map(String::as_str).take(5).collect();
    let more = ids.len().saturating_sub(listed.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let text = format!("`{}` is not one {title}: {} fit", case.address, ids.len());
    Diagnostic::error(codes::AMBIGUOUS, text)
        .at(case.resource.header, "found by what is written here")
        .on(case.address)
        .note(format!("they are {}{more}", listed.join(", ")))
        .help("say which one is meant by what is unique: `object_id`")
}

/// Something was not read.
pub(crate) fn not_read(address: &str, header: Option<Span>) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error(codes::NOT_READ, format!("`{address}` was not read: nothing can be decided about it"))
            .on(address)
            .help("run the plan again; if it comes back, report it");
    if let Some(header) = header {
        diagnostic = diagnostic.at(header, "");
    }
    diagnostic
}

/// An entry of a kind that this version does not know.
pub(crate) fn unknown_kind(address: &str, kind: &str) -> Diagnostic {
    Diagnostic::error(
        codes::NOT_READ,
        format!("the ledger has `{address}` of the kind `{kind}`, which this version of akson does not know"),
    )
    .on(address)
    .help("use the version of akson that wrote it, or a later one")
}

/// It belongs to another stack.
pub(super) fn other_stack(case: &Case<'_>, stack: &str) -> Diagnostic {
    Diagnostic::error(codes::OTHER_STACK, format!("`{}` belongs to another stack", case.address))
        .at(case.resource.header, "declared here")
        .on(case.address)
        .note(format!("it bears the mark of the stack with the id {stack}"))
        .help("declare it as `existing` here, or remove it from the other stack with `on_remove = keep` first")
}

/// An immutable attribute of a stateful kind differs.
pub(super) fn immutable(case: &Case<'_>, leaf: &Leaf, body: &Json) -> Diagnostic {
    let title = title(&case.resource.kind);
    let diagnostic = differs(case, leaf, body, codes::IMMUTABLE, "cannot be changed");
    diagnostic
        .note(format!("a {title} is never replaced by inference: what it holds would be lost"))
        .help(format!(
            "write {} again, or declare another {title} beside it; `akson apply --replace '{}'` deletes it and creates it again",
            words_of(&before(case, leaf, body)),
            case.address,
        ))
}

/// An immutable attribute of a foreign object differs.
pub(super) fn foreign_differs(case: &Case<'_>, leaf: &Leaf, body: &Json) -> Diagnostic {
    differs(case, leaf, body, codes::IMMUTABLE, "differs from the object that exists and cannot be changed")
        .note("the object existed before this stack and is never replaced by it")
        .help(format!("write {}, or choose another name", words_of(&before(case, leaf, body))))
}

/// An irreversible attribute would go back.
pub(super) fn goes_back(case: &Case<'_>, leaf: &Leaf, body: &Json) -> Diagnostic {
    differs(case, leaf, body, codes::IRREVERSIBLE, "cannot be taken back")
        .help(format!("write {}, or leave the attribute out", words_of(&before(case, leaf, body))))
}

/// `protect` forbids the replacement.
pub(super) fn protected_replace(case: &Case<'_>, leaf: Option<&Leaf>) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error(codes::PROTECTED, format!("`{}` is protected and would be replaced", case.address))
            .at(case.resource.header, "has `protect = true`")
            .on(case.address);
    if let Some(leaf) = leaf {
        diagnostic = match leaf.span {
            Some(span) => diagnostic.also(span, "this change needs a new object"),
            None => diagnostic.note(format!("a change of `{}` needs a new object", leaf.attribute)),
        };
    }
    diagnostic.help("take back the change, or remove `protect` first")
}

/// `protect` forbids the deletion.
pub(super) fn protected_delete(address: &str, header: Option<Span>) -> Diagnostic {
    let diagnostic =
        Diagnostic::error(codes::PROTECTED, format!("`{address}` is protected and would be deleted")).on(address);
    match header {
        Some(header) => diagnostic
            .at(header, "has `protect = true`")
            .help("remove `protect` and apply that first, if it really is to go"),
        None => diagnostic
            .note("its block is gone; it had `protect = true` when it was last applied")
            .help("write the block again; to have it deleted, apply it once without `protect`, then remove it"),
    }
}

/// The same of what nobody sees: only the answer to a deletion would say that it is gone.
pub(super) fn protected_unseen(address: &str, header: Option<Span>) -> Diagnostic {
    protected_delete(address, header)
        .note("Azure does not show it, which may pass: a deletion would make sure that it is gone")
        .help(format!(
            "if it is gone, take it out of the ledger with `akson ledger forget {address}`; else apply once without `protect` first"
        ))
}

/// `--replace` of a foreign object.
pub(super) fn replace_foreign(case: &Case<'_>) -> Diagnostic {
    Diagnostic::error(
        codes::CANNOT_REPLACE,
        format!("`{}` is not this stack's yet and cannot be replaced", case.address),
    )
    .at(case.resource.header, "exists and would be adopted")
    .on(case.address)
    .help("apply without `--replace` first")
}

/// `--replace` of what keeps its name after deletion.
pub(super) fn cannot_replace(case: &Case<'_>) -> Diagnostic {
    let title = title(&case.resource.kind);
    Diagnostic::error(codes::CANNOT_REPLACE, format!("`{}` cannot be replaced under its name", case.address))
        .at(case.resource.header, "")
        .on(case.address)
        .note(format!(
            "a deleted {title} stays soft-deleted and keeps its name: only the same one can come back under it"
        ))
        .help("give it another `name`: the new one is created and the old one deleted")
}

/// A value is released.
pub(super) fn released(case: &Case<'_>, attribute: &str) -> Diagnostic {
    Diagnostic::note_only(codes::RELEASED, format!("`{attribute}` of `{}` is not written any more", case.address))
        .at(case.resource.header, "")
        .on(case.address)
        .note("it stays as it is in Azure and is not compared from now on")
        .help("write it with the value it should have, if it is to change")
}

/// A soft-deleted object that is not ours, or lay elsewhere, holds the name.
pub(super) fn name_taken(case: &Case<'_>, had: &SymbolicId, deleted: &Json, ours: bool) -> Diagnostic {
    let title = title(&case.resource.kind);
    let name = name_of(had);
    let whose = if ours { "it was this stack's, with another id" } else { "it does not bear this stack's mark" };
    Diagnostic::error(codes::NAME_TAKEN, format!("the name `{name}` is taken by a soft-deleted {title}"))
        .at(case.resource.header, "would be created under it")
        .on(case.address)
        .note(format!("it was {}: {whose}", SafeText(&id_in(deleted, had))))
        .note(until(deleted))
        .help("choose another name; or recover the deleted one where it was, or purge it if nobody needs what is in it")
}

/// A soft-deleted object of ours lies in another location.
pub(super) fn deleted_elsewhere(case: &Case<'_>, leaf: &Leaf, there: &str, deleted: &Json) -> Diagnostic {
    let title = title(&case.resource.kind);
    let diagnostic = Diagnostic::error(
        codes::NAME_TAKEN,
        format!("`{}` was deleted in another location and keeps its name there", case.address),
    );
    let (place, text) = (leaf.span.unwrap_or(case.resource.header), format!("it was in `{}`", SafeText(there)));
    diagnostic
        .at(place, text)
        .on(case.address)
        .note(format!("a soft-deleted {title} can only be recovered where it was"))
        .note(until(deleted))
        .help("write the location it had, choose another name, or purge the deleted one")
}

/// A name that would be freed and taken in one plan.
pub(crate) fn name_moves(address: &str, header: Option<Span>, from: &str) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error(codes::NAME_TAKEN, format!("`{address}` would take the name that `{from}` leaves"))
            .on(address)
            .note("a deleted one stays soft-deleted and keeps its name until it is purged")
            .help("choose another name, or keep the one that exists where it is");
    if let Some(header) = header {
        diagnostic = diagnostic.at(header, "created under the same name");
    }
    diagnostic
}

/// A name that was made of what is edited: the block would leave what it stands for and make another.
pub(crate) fn name_made_anew(address: &str, header: Option<Span>, title: &str, name: &str, had: &str) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error(codes::NAME_MADE_ANEW, format!("`{address}` would delete its {title} and create another"))
            .on(address)
            .note(format!(
                "its `{name}` is not written: it was made of what is edited here, and a new one is another {title}"
            ))
            .help(format!(
                "write `{name} = \"{had}\"` to change it in place; for another one, apply without the block first"
            ));
    if let Some(header) = header {
        diagnostic = diagnostic.at(header, "");
    }
    diagnostic
}

/// Whether blocks were renamed or what they are called was edited cannot be told, and means other objects.
pub(crate) fn name_undecided(address: &str, header: Option<Span>, title: &str, now: &str, had: &str) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error(codes::NAME_MADE_ANEW, format!("which {title} `{address}` means cannot be told"))
            .on(address)
            .note(format!("by its display name it is `{now}`, and by its address it was `{had}`"))
            .note("either the blocks were renamed, or their display names were edited, and both look the same")
            .help(format!("write `unique_name = \"{now}\"` or `unique_name = \"{had}\"` to say which"));
    if let Some(header) = header {
        diagnostic = diagnostic.at(header, "");
    }
    diagnostic
}

/// The mark is gone, or another stack's: it is not deleted.
pub(super) fn mark_lost(address: &str, header: Option<Span>, id: &str, stack: Option<&str>) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(codes::MARK_LOST, format!("`{address}` does not bear this stack's mark and is not deleted"))
        .on(address)
        .note(match stack {
            Some(stack) => format!("it bears the mark of the stack with the id {stack}"),
            None => "somebody removed the mark, or deleted it and created it anew".to_owned(),
        })
        .note(format!("it is {}", SafeText(id)))
        .help(format!(
            "declare it and apply, which writes the mark again; or `akson ledger forget '{address}'` if it is not this stack's any more"
        ));
    if let Some(header) = header {
        diagnostic = diagnostic.at(header, "");
    }
    diagnostic
}

/// The mark is gone: it is not replaced, since that deletes it.
pub(super) fn mark_lost_replace(case: &Case<'_>, id: &str) -> Diagnostic {
    let text = format!("`{}` does not bear this stack's mark and is not replaced", case.address);
    Diagnostic::error(codes::MARK_LOST, text)
        .at(case.resource.header, "would be deleted and created again")
        .on(case.address)
        .note("somebody removed the mark, or deleted it and created it anew")
        .note(format!("it is {}", SafeText(id)))
        .help("apply without what needs a new object first, which writes the mark again; or delete it yourself")
}

/// An entry of the ledger whose id is not that of what it stands for.
pub(super) fn entry_contradicts(address: &str, header: Option<Span>, id: &str, kind: &str) -> Diagnostic {
    let text = format!("the ledger's entry of `{address}` contradicts itself: nothing is deleted by it");
    let mut diagnostic = Diagnostic::error(codes::ENTRY_CONTRADICTS, text)
        .on(address)
        .note(format!("as a {} it cannot have the id {}", SafeText(kind), SafeText(id)))
        .note("akson writes no such entry: somebody or something else wrote into the ledger")
        .help(format!("find out who did; then take it out with `akson ledger forget '{address}'`"));
    if let Some(header) = header {
        diagnostic = diagnostic.at(header, "");
    }
    diagnostic
}

/// It takes no mark, its parent is not ours, and it has changed.
pub(super) fn not_sure(address: &str, header: Option<Span>, id: &str, why: &str) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error(codes::NOT_SURE, format!("`{address}` cannot be told from somebody else's and is not deleted"))
            .on(address)
            .note(format!("its kind takes no mark of ownership, and {why}"))
            .note(format!("it is {}", SafeText(id)))
            .help(format!(
                "declare it and apply, which takes it over; or `akson ledger forget '{address}'` if it is not this stack's any more"
            ));
    if let Some(header) = header {
        diagnostic = diagnostic.at(header, "");
    }
    diagnostic
}

/// A container stays, since it holds what is not ours.
pub(super) fn holds_foreign(address: &str, header: Option<Span>, content: &[String]) -> Diagnostic {
    /// More of them say nothing new.
    const SHOWN: usize = 10;
    let mut diagnostic =
        Diagnostic::warning(codes::HOLDS_FOREIGN, format!("`{address}` stays: it holds what is not to be deleted"))
            .on(address)
            .note(format!(
                "in it: {}",
                content.iter().take(SHOWN).map(|id| SafeText(id).to_string()).collect::<Vec<_>>().join(", ")
            ));
    if content.len() > SHOWN {
        diagnostic = diagnostic.note(format!("and {} more", content.len() - SHOWN));
    }
    if let Some(header) = header {
        diagnostic = diagnostic.at(header, "");
    }
    diagnostic
        .note("deleting it would delete all of that; it leaves the ledger and is nobody's from now on")
        .help("move or delete what is in it and delete it yourself; or write the block again with `on_remove = keep`")
}

/// A replacement would take along what is not ours.
pub(crate) fn replace_holds_foreign(address: &str, header: Option<Span>, content: &[String]) -> Diagnostic {
    let mut diagnostic = holds_foreign(address, header, content);
    diagnostic.severity = akson_diagnostics::Severity::Error;
    diagnostic.message = format!("`{address}` cannot be replaced: it holds what is not to be deleted");
    diagnostic.notes.pop();
    diagnostic.help("move or delete what is in it first")
}

/// A lock that stays forbids a deletion, or a change.
pub(super) fn locked(
    address: &str,
    header: Option<Span>,
    lock: &str,
    place: Option<Span>,
    deletes: bool,
) -> Diagnostic {
    let (done, refused) = if deletes { ("deleted", "deletions") } else { ("changed", "changes") };
    let text = format!("`{address}` cannot be {done}: `{lock}` forbids it");
    let mut diagnostic = Diagnostic::error(codes::LOCKED, text).on(address);
    if let Some(header) = header {
        diagnostic = diagnostic.at(header, format!("would be {done}"));
    }
    if let Some(place) = place {
        diagnostic = if header.is_some() {
            diagnostic.also(place, "this lock stays")
        } else {
            diagnostic.at(place, "this lock stays")
        };
    }
    let way_out = if deletes {
        "remove the lock's block too, or narrow what it is on".to_owned()
    } else {
        format!("set `level = cannot_delete`, apply that alone with `--target '{lock}'`, and then the rest")
    };
    diagnostic.note(format!("Azure refuses {refused} at and below such a lock with 409 ScopeLocked")).help(way_out)
}

/// A lock that is not ours stands over a deletion, or a change.
pub(super) fn foreign_lock(address: &str, header: Option<Span>, lock: &str, deletes: bool) -> Diagnostic {
    let done = if deletes { "deleted" } else { "changed" };
    let text = format!("a lock that is not this stack's will keep `{address}` from being {done}");
    let diagnostic = Diagnostic::warning(codes::FOREIGN_LOCK, text)
        .on(address)
        .note(format!("it is {}", SafeText(lock)))
        .help("have the lock removed first; until then this fails, and whatever does not wait for it is done");
    match header {
        Some(header) => diagnostic.at(header, format!("would be {done}")),
        None => diagnostic,
    }
}

/// Another credential of the identity has the issuer and subject.
pub(super) fn credential_clash(address: &str, header: Option<Span>, other: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        codes::CREDENTIAL_CLASH,
        format!("`{address}` would be the second credential with its issuer and subject"),
    )
    .on(address)
    .note(format!("the first is {}", SafeText(other)))
    .note("within one identity, issuer and subject are unique")
    .help(format!(
        "write `name = \"{}\"` to adopt that one, or have it deleted",
        SafeText(&name_of(&SymbolicId::from_ledger(other)))
    ));
    match header {
        Some(header) => diagnostic.at(header, "would be created"),
        None => diagnostic,
    }
}

/// An identity has no room for another credential.
pub(super) fn too_many_credentials(
    address: &str,
    header: Option<Span>,
    identity: &str,
    count: usize,
    limit: usize,
) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        codes::CREDENTIAL_CLASH,
        format!("`{identity}` would have {count} federated credentials: {limit} fit"),
    )
    .on(address)
    .help("use another identity for some of them, or have credentials deleted that nobody needs");
    match header {
        Some(header) => diagnostic.at(header, "one of those that would be created"),
        None => diagnostic,
    }
}

fn differs(case: &Case<'_>, leaf: &Leaf, body: &Json, code: akson_diagnostics::Code, what: &str) -> Diagnostic {
    let diagnostic =
        Diagnostic::error(code, format!("`{}` of `{}` {what}", leaf.attribute, case.address)).on(case.address);
    let wanted = if leaf.sensitive { Shown::Sensitive } else { shown(&leaf.shown) };
    let text = format!("wanted: {}; there is: {}", words_of(&wanted), words_of(&before(case, leaf, body)));
    let diagnostic = diagnostic.at(leaf.span.unwrap_or(case.resource.header), text);
    match attribute(case, leaf).and_then(|attribute| attribute.change_reason.as_deref()) {
        Some(reason) => diagnostic.note(reason),
        None => diagnostic,
    }
}

fn before(case: &Case<'_>, leaf: &Leaf, body: &Json) -> Shown {
    if leaf.sensitive {
        return Shown::Sensitive;
    }
    decode_leaf(&case.resource.kind, leaf, body).map_or(Shown::Absent, |value| shown(&value))
}

fn attribute<'a>(case: &Case<'a>, leaf: &Leaf) -> Option<&'a Attribute> {
    let kind = &case.resource.kind;
    let name = leaf.attribute.split(['.', '[']).next().unwrap_or_default();
    kind.attribute(&leaf.attribute).or_else(|| kind.attributes.get(name))
}

fn id_in(deleted: &Json, had: &SymbolicId) -> String {
    deleted.pointer("/properties/vaultId").and_then(Json::as_str).unwrap_or(had.as_str()).to_owned()
}

fn until(deleted: &Json) -> String {
    let property = |name: &str| deleted.get("properties").and_then(|properties| properties.get(name));
    let when = property("scheduledPurgeDate").and_then(Json::as_str).unwrap_or("the end of its retention");
    if property("purgeProtectionEnabled").and_then(Json::as_bool) == Some(true) {
        format!("it has purge protection: nobody can purge it before {}", SafeText(when))
    } else {
        format!("its name is free again at {}, or once it is purged", SafeText(when))
    }
}
