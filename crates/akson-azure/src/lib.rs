//! Azure as values: operation to request, response to object; polling, retrying and throttling as decisions.
//!
//! Nothing here waits but for an answer, and one file has the network: `network.rs`. Time and randomness come in from outside, so that every
//! decision can be told as a table. What is done in which order, and what is remembered of it, is the applier's.

pub mod answer;
mod classify;
mod cloud;
pub mod credential;
pub mod network;
mod operation;
mod origin;
pub mod page;
pub mod plane;
pub mod poll;
mod reach;
pub mod recording;
pub mod redact;
mod retry_after;
mod throttle;
mod token;
pub mod transport;

pub use answer::{Answer, AzureError};
pub use classify::{Class, classify, may_have_happened};
pub use cloud::{Audience, Cloud};
pub use operation::{Action, BadOperation, Operation, RequestIds, Verb};
pub use origin::{Origin, Unfit};
pub use page::{Page, PageError, Pages};
pub use poll::{Follow, FollowError, Next};
pub use reach::{NotACluster, Reach};
pub use throttle::{Lane, LaneKind, Refusal, Throttle};
pub use token::{ClientCredentials, TokenError, TokenSource, object_id_of};
pub use transport::{Transport, TransportError, TrustCa};
