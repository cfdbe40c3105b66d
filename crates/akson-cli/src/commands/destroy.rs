//! `akson destroy`: deletes what the stack owns and nothing else. An apply of a plan that ends with nothing of ours.

use crate::{
    arguments::{Applying, Global},
    exit::Exit,
    planfile::Asked,
};

/// Plans the deletion, asks, deletes.
pub(crate) async fn run(global: &Global, applying: &Applying, targets: &[String], max_deletes: Option<usize>) -> Exit {
    let asked = Asked { destroy: true, targets: targets.to_vec(), max_deletes, ..Asked::default() };
    super::apply::carry_out(global, asked, applying, None).await
}
