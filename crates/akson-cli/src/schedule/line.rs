//! A look as a line of JSON: for logs, and for programs that follow a watch.

use akson_diagnostics::render::json;
use serde_json::json;

use super::{look::Look, round::Told};

/// The line.
pub(super) fn line(look: &Look, told: &Told) -> String {
    let document = look.document.as_ref();
    json::line(&json!({
        "at": look.at.to_string(),
        "stack": look.stack,
        "folder": look.folder,
        "outcome": look.outcome.as_str(),
        "found": document.map(|document| document.found),
        "digest": document.map(|document| &document.plan.digest),
        // To the millisecond: more is noise.
        "seconds": (look.took.as_secs_f64() * 1000.0).round() / 1000.0,
        "error": look.error,
        "reports": { "delivered": told.delivered, "failed": told.failed },
    }))
}
