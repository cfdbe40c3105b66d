//! An Azure of its own: Entra's token endpoint, Azure Resource Manager, Microsoft Graph, the endpoints of
//! vaults and the API servers of AKS clusters, in process or over HTTP.
//!
//! The emulator answers as the services do, down to status codes, header casing and the quirks of
//! each type, keeps its world in one file that survives a kill at any moment, spoils calls on
//! request, and lets tests look at everything from outside. It knows nothing of Akson's languages,
//! catalog or ledger, and never will: it would agree with their mistakes.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! use akson_emulator::{Emulator, Options};
//! let emulator = Emulator::open(Options::default()).unwrap();
//! let request = http::Request::get("https://management.azure.com/metadata/endpoints?api-version=2022-09-01")
//!     .body(bytes::Bytes::new())
//!     .unwrap();
//! assert_eq!(emulator.handle(request).await.unwrap().status(), 200);
//! # });
//! ```

mod access;
mod clock;
mod dice;
mod emulator;
mod errors;
mod faults;
mod god;
mod id;
mod log;
mod options;
mod planes;
mod reply;
mod seed;
mod server;
mod throttle;
mod tls;
mod visit;
mod world;

pub use clock::WorldTime;
pub use emulator::{ConnectionReset, Emulator, SignedIn};
pub use faults::{Effect, FaultMatch, FaultRule, Phase, RetryAfter};
pub use god::{God, RunningOperation, Snapshot};
pub use log::RequestRecord;
pub use options::{Latency, Options, Store};
pub use seed::SeedError;
pub use server::serve;
pub use world::Denial;
pub use world::store::{OpenError, WORLD_FORMAT};
