//! The numbers of what Azure's answers (05xx) and the ledger (06xx) can bring up, once. Not their pages: those lie beside the diagnostics crate, one a code.

use akson_diagnostics::Code;

/// Azure refused, for a reason without a code of its own.
pub const REFUSED: Code = Code(510);
/// The signed-in principal has no right to do it.
pub const DENIED: Code = Code(511);
/// A policy refuses it.
pub const POLICY: Code = Code(512);
/// A quota is used up, or a size is not offered.
pub const QUOTA: Code = Code(513);
/// A lock forbids it.
pub const LOCKED: Code = Code(514);
/// It changed since the plan.
pub const STALE: Code = Code(515);
/// Azure did not keep what was written.
pub const NOT_KEPT: Code = Code(516);
/// It was accepted and failed afterwards.
pub const ENDED: Code = Code(517);
/// Whether it happened could not be found out in time.
pub const UNDECIDED: Code = Code(518);
/// It does not bear this stack's mark any more.
pub const NOT_OURS: Code = Code(519);
/// No token.
pub const SIGN_IN: Code = Code(520);
/// A name is taken.
pub const NAME_TAKEN: Code = Code(521);
/// Live state could not be read.
pub const NOT_READ: Code = Code(522);
/// A value from another resource does not fit.
pub const BAD_HOLE: Code = Code(523);
/// Azure cannot be reached.
pub const UNREACHABLE: Code = Code(524);
/// Busy or throttled for too long.
pub const TOO_BUSY: Code = Code(525);
/// A soft-deleted object of somebody else's has the name.
pub const HELD_BY_DELETED: Code = Code(526);
/// Somebody else owns a field of an object in a cluster.
pub const FIELD_OWNED: Code = Code(527);
/// The namespace does not exist.
pub const NO_NAMESPACE: Code = Code(528);
/// The cluster does not have the API of the kind.
pub const NO_API: Code = Code(529);
/// The API server of a cluster cannot be reached.
pub const CLUSTER_CLOSED: Code = Code(530);
/// A recording does not tell it.
pub const NOT_RECORDED: Code = Code(540);

/// Another run holds the ledger.
pub const LEDGER_HELD: Code = Code(601);
/// The ledger cannot be written.
pub const LEDGER_UNWRITABLE: Code = Code(602);
/// The newest generation is damaged; an older one is used.
pub const LEDGER_FALLBACK: Code = Code(603);
/// No generation of the ledger can be read.
pub const LEDGER_DAMAGED: Code = Code(604);
/// The ledger belongs to something else.
pub const LEDGER_FOREIGN: Code = Code(605);
/// A newer version wrote the ledger.
pub const LEDGER_NEWER: Code = Code(606);
/// Something else lies where the ledger should be.
pub const LEDGER_IRREGULAR: Code = Code(607);
/// The ledger changed under the lock.
pub const LEDGER_CONFLICT: Code = Code(608);
/// The blob that keeps the ledger cannot be used.
pub const LEDGER_UNREACHABLE: Code = Code(612);
