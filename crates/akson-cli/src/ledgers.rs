//! Where a stack's ledger is kept: beside the configuration, or in a blob that runs on several machines share. Not what stands in it.

use std::{path::Path, sync::Arc};

use akson_applier::{
    Pace,
    ledger::{Binding, BlobStore, LedgerStore, LocalStore},
};
use akson_azure::{Cloud, TokenSource, Transport};
use akson_config::model::Stack;
use akson_diagnostics::Diagnostic;

use crate::{codes::NO_LEDGER, views::literal};

/// What the way to a ledger needs of a session.
pub(crate) struct Way {
    pub(crate) cloud: Cloud,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) tokens: Arc<dyn TokenSource>,
    pub(crate) pace: Pace,
}

/// The ledger's store. What the flag says counts before what the stack says.
///
/// # Errors
/// A diagnostic, if a place is named that is none.
pub(crate) fn store(
    directory: &Path,
    flag: Option<&str>,
    stack: &Stack,
    binding: &Binding,
    way: Way,
) -> Result<Arc<dyn LedgerStore>, Box<Diagnostic>> {
    let Some(url) = flag.or(stack.ledger.as_deref()) else {
        return Ok(Arc::new(LocalStore::new(directory, &binding.cloud, &binding.stack)));
    };
    match BlobStore::new(url, way.cloud, way.transport, way.tokens, way.pace) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => {
            let mut diagnostic = Diagnostic::error(NO_LEDGER, literal::safe(&error.to_string()));
            if let (None, Some(span)) = (flag, stack.span) {
                diagnostic = diagnostic.at(span, "this stack names it");
            }
            Err(Box::new(
                diagnostic
                    .note("a ledger is a blob that is read and written by who is signed in; a URL with a signature in it is a secret")
                    .help(format!("write `{}`, or leave it out for a file beside the configuration", error.like)),
            ))
        }
    }
}
