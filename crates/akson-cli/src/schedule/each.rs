//! `--each` without `--every`: one round over many stacks, with a table for people. It ends as the worst of them.

use super::{look::Look, no_stacks, round::Rounds, table, warn};
use crate::{
    arguments::{Global, OutputFormat},
    drift::LookArguments,
    exit::Exit,
    output, session,
    views::{drift, literal},
};

/// Looks at each once.
pub(super) async fn run(mut rounds: Rounds, asked: LookArguments) -> Exit {
    rounds.lines = rounds.global.format == Some(OutputFormat::Json);
    let cancel = rounds.cancel.clone();
    tokio::spawn(async move {
        if session::stop_is_asked().await {
            cancel.stop();
        }
    });
    let round = match rounds.round(&async |global: &Global, folder: &str| Look::at(global, folder, asked).await).await {
        Ok(round) => round,
        Err(error) => {
            warn(no_stacks(&error), &rounds.global);
            return Exit::Error;
        }
    };
    if !rounds.lines {
        for look in &round.looks {
            if let Some(document) = look.document.as_ref().filter(|document| document.is_drift()) {
                output::result(&format!("{}:\n{}", literal::safe(&look.folder), drift::human(document)));
            }
        }
        output::result(&table::text(&round.looks));
    }
    let worst = round.looks.iter().map(|look| look.outcome.exit()).fold(Exit::Done, Exit::worse);
    if rounds.cancel.is_stopped() {
        Exit::Interrupted
    } else if round.untold {
        Exit::Error
    } else {
        worst
    }
}
