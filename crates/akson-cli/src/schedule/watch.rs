//! `--every`: round after round until somebody stops it. Whatever fails, the process stays.

use akson_diagnostics::Diagnostic;
use tokio::{net::TcpListener, time::Instant};

use super::{
    listen,
    look::Look,
    period::{Before, Period, Rhythm},
    round::Rounds,
    warn,
};
use crate::{arguments::Global, codes::NO_METRICS, drift::DriftArguments, exit::Exit, output, session};

/// Looks until it is stopped, which is no failure.
pub(super) async fn run(mut rounds: Rounds, every: Period, asked: &DriftArguments) -> Exit {
    rounds.lines = true;
    if let Some(address) = asked.schedule.metrics_addr {
        let listener = match TcpListener::bind(address).await {
            Ok(listener) => listener,
            Err(error) => {
                let message = format!("cannot listen on {address}: {error}");
                let help = "choose another address with `--metrics-addr`, or port 0 for a free one";
                warn(Diagnostic::error(NO_METRICS, message).help(help), &rounds.global);
                return Exit::Error;
            }
        };
        if let (Ok(address), false) = (listener.local_addr(), rounds.global.quiet) {
            output::aside(&format!("metrics at http://{address}/metrics"));
        }
        tokio::spawn(listen::serve(listener, std::sync::Arc::clone(&rounds.board), rounds.cancel.clone()));
    }
    let cancel = rounds.cancel.clone();
    tokio::spawn(async move {
        if !session::stop_is_asked().await {
            return;
        }
        cancel.stop();
        // Nothing is under way but reads and, perhaps, a report.
        if session::stop_is_asked().await {
            std::process::exit(Exit::Interrupted as i32);
        }
    });
    if !rounds.global.quiet {
        output::aside(&format!("looking every {every}; Ctrl-C ends it"));
    }
    let at = async |global: &Global, folder: &str| Look::at(global, folder, asked.look).await;
    go_on(&mut rounds, Rhythm::new(every, asked.schedule.jitter), &at).await;
    Exit::Done
}

/// Rounds until it is stopped.
async fn go_on(rounds: &mut Rounds, rhythm: Rhythm, look: &impl AsyncFn(&Global, &str) -> Look) {
    let mut failures = 0_u32;
    loop {
        let begun = Instant::now();
        let round = match rounds.round(look).await {
            Ok(round) => round,
            Err(error) => rounds.nothing(&error).await,
        };
        if rounds.cancel.is_stopped() {
            return;
        }
        failures = if round.is_failed() { failures.saturating_add(1) } else { 0 };
        let wait = rhythm.wait(Before { elapsed: begun.elapsed(), failures, wish: round.wish }, chance());
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = rounds.cancel.stopped() => return,
        }
        // Who is signed in, and where the ledger is, was said once.
        rounds.global.quiet = true;
    }
}

/// From 0 to 1.
fn chance() -> f64 {
    let random = u32::try_from(uuid::Uuid::new_v4().as_u64_pair().0 >> 32).unwrap_or_default();
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::{
        cell::{Cell, RefCell},
        time::Duration,
    };

    use super::{
        super::{
            ScheduleArguments,
            tests::{document, look},
        },
        *,
    };
    use crate::reports::Reports;

    fn rounds(asked: &ScheduleArguments) -> Rounds {
        let global = super::super::tests::global();
        Rounds::new(&global, asked, Reports::new(&asked.reports, false).expect("no reports"))
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_grows_over_many_rounds_and_none_overlap() {
        let every = Period::parse("5m").expect("a period");
        let asked = ScheduleArguments { every: Some(every), ..ScheduleArguments::default() };
        let mut rounds = rounds(&asked);
        let (cycles, inside) = (Cell::new(0_u32), Cell::new(false));
        let sizes = RefCell::new(Vec::new());
        let cancel = rounds.cancel.clone();
        let board = std::sync::Arc::clone(&rounds.board);
        let begun = Instant::now();
        let looking = async |_: &Global, _: &str| {
            assert!(!inside.replace(true), "one look at a time");
            // Now and then one takes longer than the time between two.
            let long = cycles.get() % 7 == 3;
            tokio::time::sleep(Duration::from_secs(if long { 1_000 } else { 3 })).await;
            inside.set(false);
            cycles.set(cycles.get() + 1);
            if cycles.get() % 600 == 0 {
                sizes.borrow_mut().push(board.with(|metrics| metrics.len()));
            }
            if cycles.get() == 6_000 {
                cancel.stop();
            }
            match cycles.get() % 3 {
                0 => look(Some(document(&[("vault.app", "vault", "update")]))),
                1 => look(Some(document(&[]))),
                _ => look(None),
            }
        };
        go_on(&mut rounds, Rhythm::new(every, None), &looking).await;
        assert_eq!(cycles.get(), 6_000);
        let sizes = sizes.into_inner();
        assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
        // Three weeks of five minutes each, with the long ones and the jitter.
        let took = begun.elapsed().as_secs() / 86_400;
        assert!((21..35).contains(&took), "{took} days");
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_make_patient_and_a_success_ends_that() {
        let every = Period::parse("1m").expect("a period");
        let none = Period::parse_jitter("0").expect("a jitter");
        let asked = ScheduleArguments { every: Some(every), ..ScheduleArguments::default() };
        let mut rounds = rounds(&asked);
        let (begun, times) = (Instant::now(), RefCell::new(Vec::new()));
        let (cancel, board) = (rounds.cancel.clone(), std::sync::Arc::clone(&rounds.board));
        let health = RefCell::new(Vec::new());
        let looking = async |_: &Global, _: &str| {
            times.borrow_mut().push(begun.elapsed().as_secs());
            health.borrow_mut().push((board.is_ready(), board.health().is_ok()));
            let number = times.borrow().len();
            if number == 8 {
                cancel.stop();
            }
            look((number == 1 || number == 6).then(|| document(&[])))
        };
        go_on(&mut rounds, Rhythm::new(every, Some(none)), &looking).await;
        assert_eq!(times.into_inner(), [0, 60, 120, 240, 480, 960, 1020, 1080]);
        // Not ready before the first success, not well once the last is older than three periods.
        let expected = [
            (false, true),
            (true, true),
            (true, true),
            (true, false),
            (true, false),
            (true, false),
            (true, true),
            (true, true),
        ];
        assert_eq!(health.into_inner(), expected);
    }
}
