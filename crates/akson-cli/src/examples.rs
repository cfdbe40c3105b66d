//! The examples that help and man pages show: of each command what users do most with it. Each is a command line that works as it stands;
//! what flags there are is said in `arguments`.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _, FromArgMatches as _};

use crate::arguments::Arguments;

/// A command line, and what it is for.
pub(crate) struct Example {
    pub(crate) what: &'static str,
    pub(crate) line: &'static str,
}

const fn of(what: &'static str, line: &'static str) -> Example {
    Example { what, line }
}

/// By command, without the program's name; the empty one is the program itself.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "",
        &[
            of("A small working configuration, and its plan without Azure", "akson init myapp"),
            of("", "akson -C myapp plan --cloud emulator"),
            of("What a kind has, and what a diagnostic means", "akson explain cluster"),
        ],
    ),
    ("init", &[of("Into a folder of its own", "akson init myapp"), of("Into this one", "akson init")]),
    (
        "fmt",
        &[
            of("All files of the folder and below", "akson fmt"),
            of("In a pipeline: exits 1 and shows what differs", "akson fmt --check"),
            of("For an editor", "akson fmt - < main.aks"),
        ],
    ),
    (
        "check",
        &[
            of("This folder", "akson check"),
            of("With a variable that has no default", "akson check --var region=westeurope"),
            of("For code scanning", "akson check --format sarif > akson.sarif"),
        ],
    ),
    (
        "plan",
        &[
            of("What would change, and who gets or loses access", "akson plan"),
            of("Saved, so that exactly this is applied", "akson plan --out app.plan"),
            of("In a pipeline: exits 2 if there are changes", "akson plan --detailed-exitcode --comment plan.md"),
            of("One resource and what it needs", "akson plan --target workload.myapp"),
        ],
    ),
    (
        "apply",
        &[
            of("Plans, shows it, and asks", "akson apply"),
            of("What was saved and looked at", "akson apply app.plan"),
            of(
                "Where nobody can be asked, but never more than two deletions",
                "akson apply --auto-approve --max-deletes 2",
            ),
        ],
    ),
    (
        "destroy",
        &[
            of("Shows what would go, and asks", "akson destroy"),
            of("One resource and what depends on it", "akson destroy --target workload.myapp"),
        ],
    ),
    (
        "drift",
        &[
            of("What changed outside, who did it; exits 2 if anything did", "akson drift"),
            of("Take it over into the files; first only shown", "akson drift --adopt --dry-run"),
            of("Undo it, and nothing else", "akson drift --revert --out undo.plan"),
            of("Keep looking, and tell Slack", "akson drift --every 30m --report slack=env:SLACK_WEBHOOK"),
        ],
    ),
    (
        "import",
        &[
            of("A resource group, as a new file", "akson import --resource-group legacy --out legacy.aks"),
            of("One object, to look at", "akson import /subscriptions/SUBSCRIPTION/resourceGroups/legacy"),
            of("What was saved with `az resource show`, without Azure", "akson import --from-file objects.json"),
        ],
    ),
    (
        "show",
        &[
            of("As it was planned", "akson show app.plan"),
            of("For a pull request", "akson show app.plan --format markdown > comment.md"),
        ],
    ),
    (
        "graph",
        &[
            of("A picture, with Graphviz", "akson graph | dot -Tsvg > graph.svg"),
            of("For a page of Markdown", "akson graph --format mermaid"),
        ],
    ),
    (
        "expand",
        &[
            of("What a workload stands for", "akson expand workload.myapp"),
            of("The whole configuration", "akson expand"),
        ],
    ),
    (
        "kubeconfig",
        &[
            of("Beside what kubectl knows already", "akson kubeconfig cluster.main --out ~/.kube/config"),
            of("For a job that signs in as a workload", "akson kubeconfig cluster.main --login workloadidentity"),
            of("Of a cluster that was not applied here", "akson kubeconfig cluster.main --live"),
        ],
    ),
    (
        "explain",
        &[
            of("What a diagnostic means, and what to do", "akson explain AKS0207"),
            of("What a kind has", "akson explain cluster"),
            of("A function; or all of them", "akson explain cidrsubnet"),
            of("", "akson explain functions"),
        ],
    ),
    (
        "ledger show",
        &[of("What the stack owns", "akson ledger show"), of("For programs", "akson ledger show --format json")],
    ),
    ("ledger forget", &[of("It stays in Azure, and is not this stack's any more", "akson ledger forget vault.app")]),
    (
        "ledger recover",
        &[
            of("Shows what bears the stack's mark, and asks", "akson ledger recover"),
            of("Where nobody can be asked", "akson ledger recover --yes"),
        ],
    ),
    ("ledger unlock", &[of("After a run that is known to be dead", "akson ledger unlock")]),
    (
        "emulator start",
        &[
            of("On a free port, which it prints", "akson emulator start"),
            of("With objects of Azure's in it", "akson emulator start --port 8080 --seed objects.json"),
            of("For tests: at once, and in a world of its own", "akson emulator start --latency none --data world"),
        ],
    ),
    (
        "completions",
        &[
            of("bash", "akson completions bash > ~/.local/share/bash-completion/completions/akson"),
            of("zsh, in a folder of $fpath", "akson completions zsh > ~/.zfunc/_akson"),
            of("fish", "akson completions fish > ~/.config/fish/completions/akson.fish"),
        ],
    ),
    (
        "man",
        &[
            of("All pages, where `man akson-plan` finds them", "akson man ~/.local/share/man/man1"),
            of("The main page, at once", "akson man | man -l -"),
        ],
    ),
];

/// The examples of a command, such as `ledger show`.
pub(crate) fn examples(path: &str) -> &'static [Example] {
    EXAMPLES.iter().find(|(of, _)| *of == path).map_or(&[], |(_, examples)| examples)
}

/// The whole command line, with its examples.
pub(crate) fn command() -> Command {
    with_examples(Arguments::command(), "")
}

/// The arguments of this process.
///
/// # Errors
/// clap's: what is wrong with them; or help and version, which are asked for.
pub(crate) fn parse(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Arguments, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

fn with_examples(mut command: Command, path: &str) -> Command {
    let inner: Vec<String> = command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    for name in inner {
        let path = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(name, |inner| with_examples(inner, &path));
    }
    match examples(path) {
        [] => command,
        examples => command.after_help(text(examples)),
    }
}

fn text(examples: &[Example]) -> String {
    let mut out = "Examples:".to_owned();
    for Example { what, line } in examples {
        if !what.is_empty() {
            let _ = write!(out, "\n  # {what}");
        }
        let _ = write!(out, "\n  {line}");
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails should say where")]
    use super::*;

    /// Every command, by its path, but for clap's own `help`.
    fn all(command: &Command, path: &str, found: &mut Vec<(String, bool)>) {
        let inner: Vec<&Command> =
            command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help").collect();
        found.push((path.to_owned(), inner.is_empty()));
        for inner in inner {
            all(inner, format!("{path} {}", inner.get_name()).trim_start(), found);
        }
    }

    fn commands() -> Vec<(String, bool)> {
        let (mut command, mut found) = (command(), Vec::new());
        command.build();
        all(&command, "", &mut found);
        found
    }

    /// The words of a line up to where the shell takes over.
    fn words(line: &str) -> Vec<std::ffi::OsString> {
        let ours = line.split(' ').take_while(|word| !matches!(*word, "<" | ">" | "|"));
        ours.map(std::ffi::OsString::from).collect()
    }

    #[test]
    fn every_command_has_examples_that_are_its_own() {
        let commands = commands();
        assert!(commands.len() > 20, "{commands:?}");
        for (path, leaf) in &commands {
            let examples = examples(path);
            assert!(!leaf || (1..=4).contains(&examples.len()), "`{path}` has {} examples", examples.len());
            for Example { what, line } in examples {
                let begins = format!("akson {path}");
                assert!(line.starts_with(begins.trim_end()), "`{line}` is no example of `{path}`");
                assert!(line.len() <= 78 && what.len() <= 76, "`{line}` is wider than a terminal");
                if let Err(error) = parse(words(line)) {
                    panic!("`{line}` is no command line:\n{error}");
                }
            }
        }
        for (path, _) in EXAMPLES {
            assert!(commands.iter().any(|(known, _)| known == path), "there is no command `{path}`");
        }
    }

    #[test]
    fn help_shows_them() {
        for arguments in [["plan", "--help"], ["plan", "-h"]] {
            let words = ["akson"].into_iter().chain(arguments).map(std::ffi::OsString::from);
            let help = parse(words).unwrap_err().to_string();
            let examples = help.split_once("\nExamples:\n").unwrap().1;
            assert!(examples.contains("\n  akson plan --out app.plan\n"), "{help}");
            // The flags that are the command's own stand by themselves.
            let (own, of_all) = help.split_once("\nOptions of every command:\n").unwrap();
            assert!(own.contains("--detailed-exitcode") && !own.contains("--var-file"), "{help}");
            assert!(of_all.contains("--var-file"), "{help}");
        }
    }

    #[test]
    fn a_wrong_flag_would_be_found() {
        assert!(parse(words("akson plan --destroy > x")).is_ok());
        assert!(parse(words("akson plan --destory > x")).is_err());
    }
}
