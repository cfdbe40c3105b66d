//! The codes that this crate raises: about files, sessions and approval, never about what a configuration says.

use akson_diagnostics::Code;

/// A bug of ours.
pub(crate) const BUG: Code = Code(901);
/// No emulator answers.
pub(crate) const NO_EMULATOR: Code = Code(571);
/// A real cloud and an emulator were asked for at once.
pub(crate) const CONTRADICTORY: Code = Code(572);
/// There is no credential for a real cloud.
pub(crate) const NOT_SIGNED_IN: Code = Code(573);
/// The tenant or subscription does not fit the sign-in.
pub(crate) const WRONG_PLACE: Code = Code(574);
/// A ledger's place is none.
pub(crate) const NO_LEDGER: Code = Code(609);
/// The ledger has no such entry.
pub(crate) const NOT_IN_LEDGER: Code = Code(610);
/// The stack exists and its ledger is elsewhere.
pub(crate) const LEDGER_LEFT: Code = Code(611);
/// A report was not delivered.
pub(crate) const NOT_DELIVERED: Code = Code(670);
/// The address for metrics cannot be listened on.
pub(crate) const NO_METRICS: Code = Code(671);
/// No folder with a stack fits.
pub(crate) const NO_STACKS: Code = Code(672);
/// A recording cannot be read, or is of something else.
pub(crate) const BAD_RECORDING: Code = Code(660);
/// From what was recorded another plan is made than from Azure.
pub(crate) const NOT_THE_SAME: Code = Code(661);
/// What would be written does not make the plan empty.
pub(crate) const NOT_PROVED: Code = Code(662);
/// A file changed while it was looked at.
pub(crate) const FILE_CHANGED: Code = Code(663);
/// There is nothing to import.
pub(crate) const NOTHING_TO_IMPORT: Code = Code(678);
/// A file to import from holds no objects.
pub(crate) const BAD_OBJECTS: Code = Code(679);
/// There is no configuration.
pub(crate) const NO_CONFIGURATION: Code = Code(680);
/// A file cannot be read.
pub(crate) const UNREADABLE: Code = Code(681);
/// A file cannot be written.
pub(crate) const NOT_WRITTEN: Code = Code(682);
/// There is no such page.
pub(crate) const NO_PAGE: Code = Code(683);
/// A plan file cannot be read.
pub(crate) const BAD_PLAN: Code = Code(684);
/// A plan file is stale.
pub(crate) const STALE: Code = Code(685);
/// The emulator's world cannot be opened.
pub(crate) const BAD_WORLD: Code = Code(686);
/// `emulator.json` cannot be loaded.
pub(crate) const BAD_SEED: Code = Code(687);
/// The address cannot be listened on.
pub(crate) const NO_LISTENER: Code = Code(688);
/// The emulator's settings are wrong.
pub(crate) const BAD_SETTING: Code = Code(689);
/// Nobody approved.
pub(crate) const NOT_APPROVED: Code = Code(690);
/// The access analysis is not complete yet.
pub(crate) const ACCESS_INCOMPLETE: Code = Code(691);
/// There is no block of this address.
pub(crate) const NO_BLOCK: Code = Code(695);
/// No declared cluster is called so.
pub(crate) const NO_CLUSTER: Code = Code(696);
/// How the cluster is reached is not known.
pub(crate) const NOT_REACHED: Code = Code(697);
/// The cluster has no sign-in by Entra ID.
pub(crate) const NO_ENTRA: Code = Code(698);
/// A file that a kubeconfig should go into is none.
pub(crate) const NO_KUBECONFIG: Code = Code(699);
/// A guard file cannot be read.
pub(crate) const GUARD_NOT_FOUND: Code = Code(442);
/// Which guard file holds is not known, or not the one of this folder.
pub(crate) const GUARD_UNKNOWN: Code = Code(443);
