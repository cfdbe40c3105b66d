//! `akson man` and the help: pages that are there, that a formatter understands, and that say how a command is used.

#![allow(clippy::print_stderr, reason = "a test says why it skips")]

use std::{fs, process::Command};

use akson_tests::Folder;

#[test]
fn pages_are_written_for_every_command() {
    let folder = Folder::new();
    let pages = folder.path().join("share/man/man1");
    let ran = folder.akson(&["man", pages.to_str().unwrap()]).exits(0);
    let mut names: Vec<String> =
        fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(ran.stderr, format!("{} pages written to {}\n", names.len(), pages.display()));
    // What the help lists has a page.
    let help = folder.akson(&["--help"]).exits(0).stdout;
    let listed = help.split_once("\nCommands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let commands: Vec<&str> = listed
        .lines()
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.contains(&"plan") && commands.contains(&"man"), "{commands:?}");
    for command in commands {
        let name = format!("akson-{command}.1");
        assert!(names.contains(&name), "{name} is not in {names:?}");
        let help = folder.akson(&[command, "--help"]).exits(0).stdout;
        assert!(help.contains("\nExamples:\n") || matches!(command, "ledger" | "emulator"), "{command}\n{help}");
    }
    assert_eq!(folder.akson(&["man"]).exits(0).stdout, fs::read_to_string(pages.join("akson.1")).unwrap());
    let again = folder.akson(&["man", pages.to_str().unwrap(), "--quiet"]).exits(0);
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("", ""));
}

#[test]
fn a_folder_that_cannot_be_is_an_error() {
    let folder = Folder::new();
    folder.write("file", "");
    let below = folder.path().join("file/man1");
    let _ = folder.akson(&["man", below.to_str().unwrap()]).exits(1).says("AKS0682").says("cannot write the pages to");
}

/// The formatter of this machine has nothing to complain about.
#[test]
fn pages_are_formatted_without_a_warning() {
    let folder = Folder::new();
    let pages = folder.path().join("man1");
    let _ = folder.akson(&["man", pages.to_str().unwrap()]).exits(0);
    for entry in fs::read_dir(&pages).unwrap() {
        let page = entry.unwrap().path();
        let Ok(output) = Command::new("groff").args(["-man", "-ww", "-Tutf8", "-P-cbou"]).arg(&page).output() else {
            eprintln!("skipped: there is no groff here");
            return;
        };
        let (text, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && complaints.is_empty(), "{}\n{complaints}", page.display());
        assert!(text.contains("SYNOPSIS"), "{}\n{text}", page.display());
    }
}
