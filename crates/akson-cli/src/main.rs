//! `akson`: arguments, files, views, progress, exit codes. The only crate that prints.

mod approval;
mod arguments;
mod clock;
mod cloud;
mod codes;
mod commands;
mod document;
mod drift;
mod examples;
mod exit;
mod folder;
mod guard;
mod kubeconfig;
mod ledgers;
mod load;
mod observer;
mod output;
mod pipeline;
mod planfile;
mod progress;
mod recording;
mod reports;
mod requests;
mod schedule;
mod session;
mod sign_in;
mod views;
mod ways;

use std::process::ExitCode;

use arguments::{Arguments, Command, EmulatorAction, LedgerAction};
use exit::Exit;
use planfile::Asked;

fn main() -> ExitCode {
    akson_azure::network::install_tls();
    std::panic::set_hook(Box::new(bug));
    let mut arguments = match examples::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            let usage = error.use_stderr();
            let _ = error.print();
            return if usage { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    arguments.global.event_lines = matches!(arguments.command, Command::Apply { .. } | Command::Destroy { .. });
    output::choose_color(arguments.global.color);
    arguments.global.progress = progress::Progress::of(&arguments.global);
    if let Some(malformed) = arguments.global.variables.iter().find(|pair| !pair.contains('=')) {
        output::aside(&format!("error: `--var {malformed}` is not of the form NAME=VALUE"));
        return Exit::Usage.into();
    }
    match on_a_large_stack(move || run(&arguments)) {
        Some(exit) => exit.into(),
        None => ExitCode::from(101),
    }
}

/// Parsing and evaluation recurse up to the language's nesting limit: they get a stack of a known size.
fn on_a_large_stack(work: impl FnOnce() -> Exit + Send + 'static) -> Option<Exit> {
    const STACK: usize = 64 * 1024 * 1024;
    std::thread::Builder::new().name("akson".to_owned()).stack_size(STACK).spawn(work).ok()?.join().ok()
}

fn run(arguments: &Arguments) -> Exit {
    let global = &arguments.global;
    match &arguments.command {
        Command::Init { folder } => commands::init::run(global, folder.as_deref()),
        Command::Fmt { check, paths } => commands::fmt::run(global, *check, paths),
        Command::Check { each } => commands::check::run(global, each),
        Command::Plan {
            planning,
            out,
            destroy,
            detailed_exitcode,
            deny_new_access,
            record,
            recorded,
            files,
            each,
            jobs,
        } => {
            let flags = commands::plan::Flags {
                out: out.clone(),
                all: planning.all,
                detailed: *detailed_exitcode,
                deny_new_access: *deny_new_access,
                record: record.clone(),
                recorded: recorded.clone(),
                files: files.clone(),
            };
            let asked = Asked::new(planning, *destroy);
            if each.is_many() {
                session::block_on(commands::plan::each::run(global, &asked, &flags, (each, *jobs)))
            } else {
                session::block_on(commands::plan::run(global, &asked, &flags))
            }
        }
        Command::Apply { plan, planning, applying, partial } => {
            session::block_on(commands::apply::run(global, plan.as_deref(), planning, applying, *partial))
        }
        Command::Destroy { applying, targets, max_deletes } => {
            session::block_on(commands::destroy::run(global, applying, targets, *max_deletes))
        }
        Command::Drift { asked } => session::block_on(commands::drift::run(global, asked)),
        Command::Import { asked } => session::block_on(commands::import::run(global, asked)),
        Command::Show { plan, files } => commands::show::run(global, plan, files),
        Command::Graph => commands::graph::run(global),
        Command::Expand { address } => commands::expand::run(global, address.as_deref()),
        Command::Kubeconfig { asked } => session::block_on(commands::kubeconfig::run(global, asked)),
        Command::Explain { topic } => commands::explain::run(global, topic),
        Command::Ledger { action } => match action {
            LedgerAction::Show => session::block_on(commands::ledger::show(global)),
            LedgerAction::Forget { resources } => session::block_on(commands::ledger::forget(global, resources)),
            LedgerAction::Recover { yes } => session::block_on(commands::recover::run(global, *yes)),
            LedgerAction::Unlock => session::block_on(commands::ledger::unlock(global)),
        },
        Command::Emulator { action: EmulatorAction::Start(asked) } => {
            session::block_on(commands::emulator::start(global, asked))
        }
        Command::Completions { shell } => commands::completions::run(*shell),
        Command::Man { folder } => commands::man::run(global, folder.as_deref()),
    }
}

/// A panic is our mistake: say so, and where.
fn bug(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
    let what = info
        .payload()
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| info.payload().downcast_ref::<String>().cloned())
        .unwrap_or_default();
    output::aside(&format!(
        "error[{}]: a bug in akson {}{place}: {what}\n  = note: what was applied is recorded; running it again continues\n  = help: please report it with the command that you ran",
        codes::BUG,
        env!("CARGO_PKG_VERSION")
    ));
}
