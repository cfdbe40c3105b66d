//! Functions that say where something is kept.

use super::{Function, Shape, arguments::text, parameter};
use crate::{fault::Fault, val::Val};

pub(super) const FUNCTIONS: &[Function] = &[Function::pure(
    "azure_blob",
    &[parameter("url", Shape::Text)],
    Shape::Text,
    "A blob of a storage account, by its URL: where the ledger of a stack is that several machines work on.",
    (
        "azure_blob(\"https://account.blob.core.windows.net/ledgers/app.json\")",
        "\"https://account.blob.core.windows.net/ledgers/app.json\"",
    ),
    |a| match text(a, 0)? {
        url if url.starts_with("https://") && !url.contains('?') => Ok(Val::text(url.to_owned())),
        _ => Err(Fault::Argument(
            0,
            "a blob has a URL such as `https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME`".to_owned(),
        )),
    },
)];
