//! The description of a type of Microsoft.Network: all in which it differs from the others.

use super::super::body::Body;
use super::super::takes::Takes;
use crate::errors::Refusal;
use crate::id::ResourceId;
use crate::world::{Object, World};

/// A type.
pub(super) struct Profile {
    /// The type as ids spell it.
    pub(super) kind: &'static str,
    /// The type as the body spells it.
    pub(super) shown: &'static str,
    /// The thing's name in the names of operations, e.g. `PutSubnetOperation`.
    pub(super) singular: &'static str,
    /// How long a write with these properties takes.
    pub(super) takes: fn(&Body) -> Takes,
    /// `Retry-After` of a write.
    pub(super) wait: &'static str,
    pub(super) delete: Delete,
    /// The word in the URLs of its operations.
    pub(super) operations: &'static str,
    pub(super) busy: Busy,
    /// Children that are also part of the body.
    pub(super) inline: &'static [Inline],
    /// Whether it has a location of its own; children show none, or their parent's.
    pub(super) location: Location,
    /// The `sku` if none was given: name and tier.
    pub(super) sku: Option<(&'static str, &'static str)>,
    pub(super) has_guid: bool,
    /// Makes the properties that the service keeps out of those that were sent.
    pub(super) settle: fn(&Writing<'_>, Body) -> Result<Body, Refusal>,
    /// Adds to the properties what only the end of the write brings.
    pub(super) finish: fn(&mut World, &str),
    /// What others must not hold any more when it is to be deleted.
    pub(super) guard: &'static [Guard],
    /// Properties that old versions do not show, each with the first that does.
    pub(super) since: &'static [(&'static str, &'static str)],
}

impl Profile {
    /// What most have in common that stand for themselves.
    pub(super) const fn whole(kind: &'static str, singular: &'static str) -> Self {
        Self {
            kind,
            shown: kind,
            singular,
            takes: |_| Takes(2, 3, 5),
            wait: "10",
            delete: Delete::Slow { takes: Takes(5, 10, 14), wait: "10" },
            operations: "operations",
            busy: Busy::Alone,
            inline: &[],
            location: Location::Own,
            sku: None,
            has_guid: true,
            settle: |_, asked| Ok(asked),
            finish: nothing_more,
            guard: &[],
            since: &[],
        }
    }

    /// What most have in common that are a part of another.
    pub(super) const fn part(kind: &'static str, singular: &'static str) -> Self {
        Self { location: Location::None, has_guid: false, ..Self::whole(kind, singular) }
    }
}

/// How a deletion goes.
pub(super) enum Delete {
    /// 202 with both headers.
    Slow {
        /// How long it takes.
        takes: Takes,
        /// `Retry-After`.
        wait: &'static str,
    },
    /// 200 at once.
    Sync,
}

/// What happens to a write while another is under way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    /// Only a deletion of the object itself is in the way.
    Alone,
    /// One write at a time in the whole tree: 409.
    Tree,
    /// One write at a time in the whole tree: 429 with `Retry-After`.
    TreeRetry,
    /// One write at a time on a firewall policy, its groups and its firewalls: 409.
    Policy,
}

pub(super) enum Location {
    Own,
    None,
    /// Shows the one of the resource that it is below.
    OfRoot,
}

/// A kind of children that stand in the body of their parent, too.
pub(super) struct Inline {
    /// The property and the kind in lower case.
    pub(super) property: &'static str,
    pub(super) kind: &'static str,
    /// Whether a write that does not speak of them keeps them.
    pub(super) kept: bool,
}

/// A reference of others to an object that forbids to delete it.
pub(super) struct Guard {
    /// The property in which the others are shown.
    pub(super) property: &'static str,
    pub(super) code: &'static str,
    /// The message for an object and the first of the others.
    pub(super) message: fn(&Object, &str) -> String,
}

/// What a write may look at.
pub(super) struct Writing<'a> {
    pub(super) world: &'a World,
    pub(super) id: &'a ResourceId,
    /// The object before the write.
    pub(super) existing: Option<&'a Object>,
    /// The id as it will be shown.
    pub(super) shown: &'a str,
    /// The version of the call; empty for what is put into the world from outside.
    pub(super) version: &'a str,
}

impl Writing<'_> {
    /// A property as it was before.
    pub(super) fn before(&self, name: &str) -> Option<&serde_json::Value> {
        self.existing.and_then(Object::properties).and_then(|properties| properties.get(name))
    }
}

/// Most types add nothing.
fn nothing_more(_world: &mut World, _key: &str) {}
