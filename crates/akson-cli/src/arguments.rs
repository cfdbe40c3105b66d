//! The command line: names, flags, help. What a command does is in `commands`.

use std::path::PathBuf;

use akson_azure::credential::CredentialKind;
use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};

use crate::{drift::DriftArguments, pipeline::PipelineFiles, schedule::EachArguments};

/// Declarative infrastructure for the identity and security of Azure Kubernetes Service.
#[derive(Debug, Parser)]
#[command(name = "akson", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The configuration's folder.
    #[arg(short = 'C', long = "chdir", value_name = "DIR", global = true, default_value = ".")]
    pub(crate) directory: PathBuf,
    /// Which Azure to talk to.
    #[arg(long, value_enum, env = "AKSON_CLOUD", global = true, default_value_t = Cloud::Public)]
    pub(crate) cloud: Cloud,
    /// How to sign in, instead of the first way that is there.
    #[arg(long, value_name = "KIND", global = true, value_parser = credential_kinds())]
    pub(crate) credential: Option<CredentialKind>,
    /// The blob that holds the ledger, before what the stack says.
    #[arg(long, value_name = "URL", env = "AKSON_LEDGER", global = true)]
    pub(crate) ledger: Option<String>,
    /// What plans may do at most; without it, the `akson.guard` beside the configuration or above, in a pull request that of its base branch.
    #[arg(long, value_name = "FILE", env = "AKSON_GUARD", global = true)]
    pub(crate) guard: Option<PathBuf>,
    /// From where Azure sees you come, so that a plan that would shut you out of a cluster is refused; may be repeated.
    #[arg(
        long = "caller-address",
        value_name = "IP",
        env = "AKSON_CALLER_ADDRESS",
        value_delimiter = ',',
        global = true
    )]
    pub(crate) caller_addresses: Vec<std::net::IpAddr>,
    /// Sets a variable; may be repeated, the last wins.
    #[arg(long = "var", value_name = "NAME=VALUE", global = true)]
    pub(crate) variables: Vec<String>,
    /// Sets variables from a file of `name = value` lines; may be repeated.
    #[arg(long = "var-file", value_name = "FILE", global = true)]
    pub(crate) variable_files: Vec<PathBuf>,
    /// How results are printed.
    #[arg(long, value_enum, value_name = "FORMAT", global = true)]
    pub(crate) format: Option<OutputFormat>,
    /// When to colour.
    #[arg(long, value_enum, global = true, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Print results and errors only.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Print more: a line on stderr for each request, without what is in it.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// How progress on stderr is written: what `--verbose` tells, and the steps of an apply.
    #[arg(long = "log-format", value_enum, global = true, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Whether the command's JSON is a stream of events, so that a finding is a line of it and no document.
    #[arg(skip)]
    pub(crate) event_lines: bool,
    /// Who watches the run, for what is told of it afterwards.
    #[arg(skip)]
    pub(crate) observer: Option<std::sync::Arc<crate::observer::Observer>>,
    /// Of one of many stacks: its folder, below which its files are named.
    #[arg(skip)]
    pub(crate) stack_folder: Option<String>,
    /// Where it is shown how far a long read is, if somebody sees it.
    #[arg(skip)]
    pub(crate) progress: Option<std::sync::Arc<crate::progress::Progress>>,
}

/// The words of `--credential`.
fn credential_kinds() -> impl TypedValueParser<Value = CredentialKind> {
    let short = [("az", CredentialKind::AzureCli), ("azd", CredentialKind::AzureDeveloperCli)];
    let words = CredentialKind::ALL.map(|kind| {
        let aliases = short.iter().filter(|(_, of)| *of == kind).map(|(word, _)| *word);
        PossibleValue::new(kind.as_str()).help(kind.title()).aliases(aliases.collect::<Vec<_>>())
    });
    PossibleValuesParser::new(words).try_map(|word| word.parse::<CredentialKind>())
}

/// Which Azure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cloud {
    /// The public cloud.
    Public,
    /// Azure for the US government.
    Usgov,
    /// Azure operated by 21Vianet.
    China,
    /// The embedded emulator, or the one at `AKSON_EMULATOR_URL`.
    Emulator,
}

impl Cloud {
    /// The word for it on the command line, in ledgers and in plans.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Cloud::Public => "public",
            Cloud::Usgov => "usgov",
            Cloud::China => "china",
            Cloud::Emulator => "emulator",
        }
    }
}

/// How results are printed; not every command knows every format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    Human,
    /// One line a finding.
    Concise,
    /// For programs.
    Json,
    /// For a pull request's comment.
    Markdown,
    /// Workflow annotations.
    Github,
    /// SARIF 2.1.0.
    Sarif,
    /// `JUnit` XML.
    Junit,
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set; always with `CLICOLOR_FORCE`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How progress is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a small working configuration.
    Init {
        /// Where; created if it is not there.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Bring files into canonical form.
    Fmt {
        /// Change nothing: print the difference and exit 1 if there is one.
        #[arg(long)]
        check: bool,
        /// Files and folders; `-` formats stdin. Without one, the configuration's folder.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Check syntax, names, types and security; without network or credentials.
    Check {
        #[command(flatten)]
        each: EachArguments,
    },
    /// Show what would change, from live state.
    Plan {
        #[command(flatten)]
        planning: Planning,
        /// Write the plan to a file that `apply` takes.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Plan the deletion of all that the stack owns.
        #[arg(long)]
        destroy: bool,
        /// Exit 2 if there are changes.
        #[arg(long)]
        detailed_exitcode: bool,
        /// Exit 4 if the plan grants access that nobody had.
        #[arg(long)]
        deny_new_access: bool,
        /// Write what Azure answered to a file that `--snapshot` takes; without tokens and secrets.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["snapshot", "each"])]
        record: Option<PathBuf>,
        #[command(flatten)]
        recorded: FromRecording,
        #[command(flatten)]
        files: PipelineFiles,
        #[command(flatten)]
        each: EachArguments,
        /// With `--each`: how many stacks are planned at once.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64), requires = "each")]
        jobs: u16,
    },
    /// Make Azure as the configuration says.
    Apply {
        /// A file of `plan --out`: applied only if the plan is still the same.
        #[arg(value_name = "PLANFILE")]
        plan: Option<PathBuf>,
        #[command(flatten)]
        planning: Planning,
        #[command(flatten)]
        applying: Applying,
        /// With a plan file: apply the actions that are not stale.
        #[arg(long, requires = "plan")]
        partial: bool,
    },
    /// Delete what the stack owns, and nothing else.
    Destroy {
        #[command(flatten)]
        applying: Applying,
        /// Only this resource and what depends on it.
        #[arg(long = "target", value_name = "ADDRESS")]
        targets: Vec<String>,
        /// Refuse a plan that deletes more than this.
        #[arg(long, value_name = "N")]
        max_deletes: Option<usize>,
    },
    /// Show what changed outside.
    Drift {
        #[command(flatten)]
        asked: DriftArguments,
    },
    /// Print existing objects as configuration: its plan adopts them and changes nothing.
    Import {
        #[command(flatten)]
        asked: ImportArguments,
    },
    /// Show a saved plan.
    Show {
        /// A file of `plan --out`.
        #[arg(value_name = "PLANFILE")]
        plan: PathBuf,
        #[command(flatten)]
        files: PipelineFiles,
    },
    /// Print the resource graph.
    Graph,
    /// Print intents (`workload`) as the blocks that they stand for.
    Expand {
        /// One block, such as `workload.myapp`; without it, the whole configuration.
        #[arg(value_name = "ADDRESS")]
        address: Option<String>,
    },
    /// Print a kubeconfig that signs in with kubelogin; there is no secret in it.
    Kubeconfig {
        #[command(flatten)]
        asked: KubeconfigArguments,
    },
    /// Print the page of a diagnostic, a kind or a function.
    Explain {
        /// `AKS0207`, `vault`, `cidrsubnet`.
        #[arg(value_name = "CODE|KIND|FUNCTION")]
        topic: String,
    },
    /// The stack's ledger.
    Ledger {
        #[command(subcommand)]
        action: LedgerAction,
    },
    /// The local Azure.
    Emulator {
        #[command(subcommand)]
        action: EmulatorAction,
    },
    /// Print a shell's completion script.
    Completions {
        /// For which shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual's main page, or write all of its pages into a folder.
    Man {
        /// Where the pages go; created if it is not there.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// Which objects, and where they go.
#[derive(Debug, Clone, Args)]
pub(crate) struct ImportArguments {
    /// ARM ids of resources, resource groups or subscriptions.
    #[arg(value_name = "ID", required_unless_present_any = ["groups", "subscription", "files"])]
    pub(crate) ids: Vec<String>,
    /// All of a resource group; may be repeated.
    #[arg(long = "resource-group", short = 'g', value_name = "NAME")]
    pub(crate) groups: Vec<String>,
    /// The subscription that the resource groups are in; without any, all of it.
    #[arg(long, value_name = "GUID")]
    pub(crate) subscription: Option<String>,
    /// Objects as Azure returned them, from a file of JSON or JSON lines or a folder of such; without network or credentials.
    #[arg(long = "from-file", value_name = "FILE|DIR", conflicts_with_all = ["ids", "groups"])]
    pub(crate) files: Vec<PathBuf>,
    /// Leave out what is in clusters: how they are reached is not asked, which is a call that lists credentials.
    #[arg(long)]
    pub(crate) no_clusters: bool,
    /// What the stack is called; without it, as what was asked for.
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// Write a new file below the configuration's folder, in place of stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// For which cluster, and how to sign in.
#[derive(Debug, Clone, Args)]
pub(crate) struct KubeconfigArguments {
    /// The cluster: an address such as `cluster.main`, or its name in Azure.
    #[arg(value_name = "CLUSTER")]
    pub(crate) cluster: String,
    /// How kubelogin signs in.
    #[arg(long, value_enum, value_name = "MODE", default_value_t = Login::Azurecli)]
    pub(crate) login: Login,
    /// Ask Azure for the API server and its certificate, with a call that lists credentials.
    #[arg(long)]
    pub(crate) live: bool,
    /// With `--live`: the public name of a private cluster.
    #[arg(long, requires = "live")]
    pub(crate) public_fqdn: bool,
    /// Write it to a file, beside what is there.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// What the context is called; without it, as the cluster.
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The client id of the application or identity that signs in.
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// With `--login msi`: the ARM id of the identity.
    #[arg(long, value_name = "ID", conflicts_with = "client_id")]
    pub(crate) identity: Option<String>,
}

/// How kubelogin signs in, in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Login {
    /// Whoever is signed in to the Azure CLI.
    Azurecli,
    /// Whoever is signed in to the Azure Developer CLI.
    Azd,
    /// A person, by a code in any browser.
    Devicecode,
    /// A person, in this machine's browser.
    Interactive,
    /// An application, with a secret or certificate of the environment.
    Spn,
    /// The machine's managed identity.
    Msi,
    /// The pod's workload identity.
    Workloadidentity,
}

impl Login {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Login::Azurecli => "azurecli",
            Login::Azd => "azd",
            Login::Devicecode => "devicecode",
            Login::Interactive => "interactive",
            Login::Spn => "spn",
            Login::Msi => "msi",
            Login::Workloadidentity => "workloadidentity",
        }
    }
}

/// What is looked at in place of Azure.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FromRecording {
    /// Look at a file of `plan --record` in place of Azure: without network and credentials.
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot: Option<PathBuf>,
    /// With `--snapshot`: take what the recording does not tell for absent.
    #[arg(long, requires = "snapshot")]
    pub(crate) assume_absent: bool,
}

/// What narrows a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct Planning {
    /// Only this resource and what it needs; may be repeated.
    #[arg(long = "target", value_name = "ADDRESS")]
    pub(crate) targets: Vec<String>,
    /// Delete and create this resource again; may be repeated.
    #[arg(long = "replace", value_name = "ADDRESS")]
    pub(crate) replace: Vec<String>,
    /// Refuse a plan that deletes more than this.
    #[arg(long, value_name = "N")]
    pub(crate) max_deletes: Option<usize>,
    /// With `--format json`: list resources that do not change, too.
    #[arg(long)]
    pub(crate) all: bool,
}

/// How a plan is carried out.
#[derive(Debug, Clone, Args)]
pub(crate) struct Applying {
    /// Do not ask.
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// How many requests may be in flight.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) parallelism: u16,
}

/// What to do with the ledger.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum LedgerAction {
    /// Print the ledger.
    Show,
    /// Take resources out of the ledger: they stay in Azure and are nobody's from then on.
    Forget {
        /// Addresses, such as `vault.app`, or ids in Azure.
        #[arg(value_name = "RESOURCE", required = true)]
        resources: Vec<String>,
    },
    /// Make a lost or damaged ledger again, of what bears this stack's mark in Azure. Nothing is changed there.
    Recover {
        /// Write it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Take the ledger's lock from a run that is known to be dead.
    Unlock,
}

/// What to do with the emulator.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum EmulatorAction {
    /// Serve the local Azure over HTTP and HTTPS on loopback until interrupted.
    Start(EmulatorArguments),
}

/// How the emulator is served.
#[derive(Debug, Clone, Args)]
pub(crate) struct EmulatorArguments {
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Where its world is kept; without it, beside the configuration.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Objects to put into its world, over what is there: a file, or a folder of .json and .jsonl files.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) seed: Option<PathBuf>,
    /// How long its answers take.
    #[arg(long, value_enum, default_value_t = LatencyOfEmulator::Realistic, value_name = "LATENCY")]
    pub(crate) latency: LatencyOfEmulator,
    /// How many seconds pass in its world for each second here.
    #[arg(long, default_value_t = crate::cloud::TIME_SCALE, value_name = "X")]
    pub(crate) time_scale: f64,
    /// Fault rules, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
}

/// How long the emulator's answers take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LatencyOfEmulator {
    /// No time at all.
    None,
    /// As measured on Azure, in its world's time.
    Realistic,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// clap gives a flag and an argument of one name one value, silently.
    #[test]
    fn no_command_hides_a_flag_of_every_command() {
        fn check(command: &clap::Command, flags: &[String]) {
            for argument in command.get_arguments().filter(|argument| !argument.is_global_set()) {
                let id = argument.get_id().to_string();
                assert!(!flags.contains(&id), "`{id}` of `{}`", command.get_name());
            }
            for inner in command.get_subcommands() {
                check(inner, flags);
            }
        }
        let command = Arguments::command();
        command.clone().debug_assert();
        let flags: Vec<String> = command
            .get_arguments()
            .filter(|argument| argument.is_global_set())
            .map(|argument| argument.get_id().to_string())
            .collect();
        assert!(flags.contains(&"directory".to_owned()));
        for inner in command.get_subcommands() {
            check(inner, &flags);
        }
    }
}
