//! The numbers of what planning can find (04xx), once. Not their pages: those lie beside the diagnostics crate, one a code.

use akson_diagnostics::Code;

/// What resources need goes round in a circle.
pub const CYCLE: Code = Code(401);
/// An `existing` resource is not there.
pub const NOT_THERE: Code = Code(402);
/// An object belongs to another stack.
pub const OTHER_STACK: Code = Code(403);
/// A change that Azure allows only by replacing the object.
pub const IMMUTABLE: Code = Code(404);
/// A change that Azure allows in the other direction only.
pub const IRREVERSIBLE: Code = Code(405);
/// `protect` refuses to delete or replace.
pub const PROTECTED: Code = Code(406);
/// An object that would be deleted does not bear our mark.
pub const MARK_LOST: Code = Code(407);
/// An object that takes no mark and would be deleted cannot be told from a foreign one.
pub const NOT_SURE: Code = Code(408);
/// A soft-deleted object holds the name.
pub const NAME_TAKEN: Code = Code(409);
/// A group stays since it holds what is not ours.
pub const HOLDS_FOREIGN: Code = Code(410);
/// A lock that stays forbids a deletion.
pub const LOCKED: Code = Code(411);
/// `--target` or `--replace` names nothing.
pub const UNKNOWN_ADDRESS: Code = Code(412);
/// More deletions than allowed.
pub const TOO_MANY_DELETES: Code = Code(413);
/// Another federated credential has the issuer and subject, or there is no room for one more.
pub const CREDENTIAL_CLASH: Code = Code(414);
/// A value that was written before is not written any more.
pub const RELEASED: Code = Code(415);
/// The plan of an import would do more than adopt.
pub const MORE_THAN_ADOPTS: Code = Code(416);
/// A lock that is not ours stands over what would be deleted.
pub const FOREIGN_LOCK: Code = Code(417);
/// `--replace` of what cannot be replaced under its name.
pub const CANNOT_REPLACE: Code = Code(418);
/// Something owned was not read, so that nothing is decided about it.
pub const NOT_READ: Code = Code(419);
/// More than one object fits what a resource is found by.
pub const AMBIGUOUS: Code = Code(420);
/// What a name was made of was edited, so that something with an identity would be deleted and another created.
pub const NAME_MADE_ANEW: Code = Code(421);
/// A cluster could not be looked into.
pub const CLUSTER_UNSEEN: Code = Code(422);
/// At some moment of the plan nobody could administer a cluster, or reach what is in a vault.
pub const LOCKOUT: Code = Code(423);
/// Whether anybody is left who could is not known.
pub const LOCKOUT_UNSURE: Code = Code(424);
/// Authorized ranges would shut out the caller.
pub const CALLER_SHUT_OUT: Code = Code(425);
/// Whether authorized ranges admit the caller is not known.
pub const CALLER_UNKNOWN: Code = Code(426);
/// An entry of the ledger has an id that its kind cannot have.
pub const ENTRY_CONTRADICTS: Code = Code(427);
/// A difference is tolerated for now.
pub const TOLERATED: Code = Code(434);
/// The time in which a difference was tolerated is over.
pub const TOLERANCE_ENDED: Code = Code(435);
/// What was deleted outside cannot come back without what the author has added since.
pub const NOT_REVERTED: Code = Code(436);
/// A plan does what the guard file does not allow.
pub const GUARD: Code = Code(441);
