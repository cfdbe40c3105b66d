//! `akson man`: the manual's pages, from the same definitions as the help.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use akson_diagnostics::{Diagnostic, Diagnostics, SourceMap};
use clap::{Arg, Command};
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use crate::{
    arguments::Global,
    codes::NOT_WRITTEN,
    examples::{self, Example},
    exit::Exit,
    load, output,
    views::plan::count,
};

/// Prints the main page, or writes all pages into a folder.
pub(crate) fn run(global: &Global, folder: Option<&Path>) -> Exit {
    let pages = pages();
    let Some(folder) = folder else {
        let main = pages.first().map(|(_, text)| String::from_utf8_lossy(text)).unwrap_or_default();
        output::result(&main);
        return Exit::Done;
    };
    match write(folder, &pages) {
        Ok(()) => {
            if !global.quiet {
                output::aside(&format!("{} written to {}", count(pages.len(), "page"), folder.display()));
            }
            Exit::Done
        }
        Err(error) => {
            let diagnostic =
                Diagnostic::error(NOT_WRITTEN, format!("cannot write the pages to `{}`: {error}", folder.display()))
                    .help("mend the folder's permissions, free some space, or name another folder");
            load::report(&Diagnostics::from(diagnostic), &SourceMap::new(), global);
            Exit::Error
        }
    }
}

fn write(folder: &Path, pages: &[(String, Vec<u8>)]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    pages.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
}

/// The pages with their files' names: the program's first, then its commands in the order of the help.
fn pages() -> Vec<(String, Vec<u8>)> {
    // The `help` command is in no need of a page.
    let mut command = examples::command().disable_help_subcommand(true);
    command.build();
    let version = command.get_version().unwrap_or_default().to_owned();
    let mut pages = Vec::new();
    collect(&command, "", &version, &mut pages);
    pages
}

fn collect(command: &Command, path: &str, version: &str, pages: &mut Vec<(String, Vec<u8>)>) {
    // A date that is none, for pages that are the same whenever they are made; left empty, roff would take the next word for it.
    let man = Man::new(command.clone()).date(" ").source(format!("akson {version}")).manual("Akson");
    let mut page = Vec::new();
    render(&man, command, path, &mut page).expect("writing to memory does not fail");
    pages.push((man.get_filename(), page));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        collect(inner, format!("{path} {}", inner.get_name()).trim_start(), version, pages);
    }
}

fn render(man: &Man, command: &Command, path: &str, out: &mut dyn Write) -> io::Result<()> {
    man.render_title(out)?;
    man.render_name_section(out)?;
    brief(command, path).render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    let mut roff = Roff::new();
    if path.is_empty() {
        exit_status(&mut roff);
    }
    examples_section(&mut roff, examples::examples(path));
    if !path.is_empty() {
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold("akson"), roman("(1)")]);
    }
    roff.to_writer(out)
}

/// The command without what every command has, which would hide what is its own.
fn brief(command: &Command, path: &str) -> Man {
    let hides = |argument: &Arg| !path.is_empty() && argument.is_global_set();
    Man::new(command.clone().mut_args(|argument| {
        let hide = hides(&argument) || argument.is_hide_set();
        argument.hide(hide)
    }))
}

fn exit_status(roff: &mut Roff) {
    let mut codes: Vec<(u8, &str)> = Exit::ALL.map(|exit| (exit as u8, exit.meaning())).to_vec();
    codes.push((101, "a bug in akson"));
    codes.sort_unstable();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in codes {
        roff.control("TP", []);
        roff.text([bold(code.to_string())]);
        roff.text([roman(meaning)]);
    }
}

fn examples_section(roff: &mut Roff, examples: &[Example]) {
    if examples.is_empty() {
        return;
    }
    roff.control("SH", ["EXAMPLES"]);
    for Example { what, line } in examples {
        if !what.is_empty() {
            roff.control("PP", []);
            roff.text([roman(*what)]);
        }
        roff.control("RS", ["4"]);
        roff.control("nf", []);
        roff.text([bold(*line)]);
        roff.control("fi", []);
        roff.control("RE", []);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(name: &str) -> String {
        let found = pages().into_iter().find(|(known, _)| known == name);
        found.map(|(_, text)| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
    }

    #[test]
    fn every_command_has_a_page() {
        let names: Vec<String> = pages().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.first().map(String::as_str), Some("akson.1"));
        for name in ["akson-plan.1", "akson-ledger.1", "akson-ledger-show.1", "akson-emulator-start.1", "akson-man.1"] {
            assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
        }
        assert!(!names.iter().any(|name| name.contains("help")), "{names:?}");
    }

    #[test]
    fn a_page_has_the_flags_and_the_examples() {
        let plan = page("akson-plan.1");
        for text in [
            ".SH NAME\nakson\\-plan \\- Show what would change",
            ".TH akson-plan 1 \" \" \"akson ",
            "\\fBakson plan\\fR [\\fB\\-\\-target\\fR]",
            "\\fB\\-\\-detailed\\-exitcode\\fR",
            ".SH \"OPTIONS OF EVERY COMMAND\"",
            ".SH EXAMPLES",
            "\\fBakson plan \\-\\-out app.plan\\fR",
            ".SH \"SEE ALSO\"\n\\fBakson\\fR(1)",
        ] {
            assert!(plan.contains(text), "`{text}` is not in\n{plan}");
        }
        let main = page("akson.1");
        for text in [".SH \"EXIT STATUS\"", "\\fB64\\fR", "akson\\-ledger(1)", "AKSON_CLOUD"] {
            assert!(main.contains(text), "`{text}` is not in\n{main}");
        }
    }

    /// A page is the same on every machine: nothing of the environment is in it.
    #[test]
    fn a_page_names_variables_and_not_what_is_in_them() {
        let home = std::env::var("PATH").unwrap_or_default();
        assert!(pages().iter().all(|(_, text)| home.is_empty() || !String::from_utf8_lossy(text).contains(&home)));
    }
}
