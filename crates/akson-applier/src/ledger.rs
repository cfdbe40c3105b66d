//! The ledger: what is ours. One small checksummed document a stack, with an intent in it before any request that changes something.
//!
//! [`Document`] is what stands in it, a [`LedgerStore`] keeps it, and [`Ledger`] is the one that a run works with. It holds no value
//! of any attribute, no secret and no URL of an operation; of clusters it holds how they are reached, which is public.

mod blob;
mod commit;
mod document;
mod local;
mod memory;
mod show;
mod store;

pub use blob::{BlobStore, NoBlob};
pub use commit::{Ledger, LedgerError, peek};
pub use document::{APPENDED, Binding, Document, Entry, FORMAT, Intent, ReadError, Writer};
pub use local::{DiskStep, LocalStore};
pub use memory::{MemoryStore, WriteFault};
pub use show::show;
pub use store::{Fallback, LedgerStore, Loaded, StoreError};
