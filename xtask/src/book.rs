//! The generated part of the book: the reference pages, from the catalog, the functions, the pages of codes and the
//! command line. They are made before each build of the book and never committed. Not the building itself: mdBook.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{fs, io};

use akson_catalog::Catalog;
use akson_diagnostics::codes;

const FOLDER: &str = "book/src/reference";

/// `cargo xtask book`.
pub(crate) fn run(_: &[String]) -> ExitCode {
    match write(&crate::root()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: the reference cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(root: &Path) -> io::Result<()> {
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder)?;
    let pages = [
        ("codes.md", diagnostics()),
        ("kinds.md", kinds()?),
        ("functions.md", functions()),
        ("cli.md", command_line()?),
    ];
    for (name, page) in pages {
        fs::write(folder.join(name), page)?;
        println!("{FOLDER}/{name}");
    }
    Ok(())
}

fn diagnostics() -> String {
    let pages = codes::all().filter_map(codes::page);
    chapter("Diagnostics", "Every code has a page; `akson explain CODE` prints the same text.", pages)
}

fn kinds() -> io::Result<String> {
    let catalog =
        Catalog::builtin().map_err(|_| io::Error::other("a kind file is broken; `akson check` says which"))?;
    let pages: Vec<String> = catalog.iter().map(|kind| akson_catalog::kind::docs::explain(kind)).collect();
    let intro = "`akson explain KIND` prints the same text.";
    Ok(chapter("Kinds", intro, pages.iter().map(String::as_str)))
}

fn functions() -> String {
    let pages: Vec<String> = akson_config::functions().iter().map(akson_config::Function::page).collect();
    chapter("Functions", "Optional arguments stand in brackets.", pages.iter().map(String::as_str))
}

/// The help of the binary and of each of its commands, as it prints it.
fn command_line() -> io::Result<String> {
    let help = help(&[])?;
    let mut out = format!("# Commands\n\n```text\n{help}```\n");
    let mut open: Vec<Vec<String>> = commands_in(&help).into_iter().rev().map(|name| vec![name]).collect();
    while let Some(path) = open.pop() {
        let help = self::help(&path)?;
        writeln!(out, "\n## akson {}\n\n```text\n{help}```", path.join(" ")).expect("writing to a string never fails");
        let inner = commands_in(&help).into_iter().rev().map(|name| [path.as_slice(), &[name]].concat());
        open.extend(inner);
    }
    Ok(out)
}

/// What the binary says to `akson PATH --help`.
fn help(path: &[String]) -> io::Result<String> {
    let mut command = Command::new(akson_tests::binary());
    let output = command.args(path).arg("--help").env("COLUMNS", "100").env("NO_COLOR", "1").output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().map(|line| line.trim_end().to_owned() + "\n").collect())
}

/// The names under `Commands:`, but for `help`.
fn commands_in(help: &str) -> Vec<String> {
    let after = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names =
        after.take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// A chapter of pages, with their headings one level further down. Their examples count as parts here: they are run
/// where they come from.
fn chapter<'a>(title: &str, intro: &str, pages: impl Iterator<Item = &'a str>) -> String {
    let mut out = format!("# {title}\n\n{intro}\n");
    for page in pages {
        let mut fenced = false;
        out.push('\n');
        for line in page.trim_end().lines() {
            fenced ^= line.starts_with("```");
            if line.starts_with('#') && !fenced {
                out.push('#');
            }
            out.push_str(if line == "```aks" { "```aks,fragment" } else { line });
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_go_down_but_comments_stay() {
        let page = "# A\n\n```aks\n# a comment\n```\n## B\n";
        assert_eq!(
            chapter("T", "i", [page].into_iter()),
            "# T\n\ni\n\n## A\n\n```aks,fragment\n# a comment\n```\n### B\n"
        );
    }

    #[test]
    fn pages_are_made_from_the_tables() {
        assert!(diagnostics().contains("\n## AKS0901: "));
        assert!(kinds().is_ok_and(|page| page.contains("\n## `resource_group`")));
        assert!(functions().contains("\n## merge\n\n`merge("));
    }

    #[test]
    fn commands_are_read_from_help() {
        let help = "About\n\nUsage: akson\n\nCommands:\n  init  Write\n        more\n  fmt   Bring\n  help  Print\n\nOptions:\n  -C\n";
        assert_eq!(commands_in(help), ["init", "fmt"]);
        assert_eq!(commands_in("Usage: x\n\nOptions:\n  -C\n"), [""; 0]);
    }
}
