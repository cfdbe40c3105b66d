//! The flags of looks that are repeated, of many stacks, and of what is told about them. What they do is beside this file and in `reports`.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use super::{
    period::Period,
    stacks::{self, NoStacks, Shard},
};

/// When to look, and where that shows.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ScheduleArguments {
    /// Keep looking, this often: `30s`, `5m`, `2h`. Prints a line of JSON for each look.
    #[arg(long, value_name = "DURATION", value_parser = Period::parse)]
    pub(crate) every: Option<Period>,
    /// With `--every`: how much later than that a look may begin, by chance; without it, a tenth.
    #[arg(long, value_name = "DURATION", value_parser = Period::parse_jitter, requires = "every")]
    pub(crate) jitter: Option<Period>,
    /// With `--every`: serve `/metrics`, `/healthz` and `/readyz` there, such as `127.0.0.1:9464`.
    #[arg(long, value_name = "ADDRESS", requires = "every")]
    pub(crate) metrics_addr: Option<SocketAddr>,
    /// Write metrics for Prometheus's textfile collector.
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reports: ReportArguments,
    #[command(flatten)]
    pub(crate) each: EachArguments,
    /// With `--each`: how many stacks are looked at at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64), requires = "each")]
    pub(crate) jobs: u16,
}

/// Whom to tell, and when.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ReportArguments {
    /// Tell somebody; may be repeated. KIND is `slack`, `teams`, `webhook` (a URL, or `env:NAME` for one in a variable),
    /// `github-issue` (with `=OWNER/REPOSITORY` for another than the pipeline's), `step-summary`,
    /// `markdown`, `json`, `sarif`, `junit` or `prom` (a file).
    #[arg(long = "report", value_name = "KIND=TARGET")]
    pub(crate) targets: Vec<Unread>,
    /// When messages are sent; files and issues are always brought up to date.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ReportOn::Drift)]
    pub(crate) report_on: ReportOn,
}

/// Many stacks instead of one.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct EachArguments {
    /// Every stack whose folder fits, below the configuration's folder: `stacks/*`, `**`; may be repeated.
    #[arg(long = "each", value_name = "PATTERN", id = "each")]
    pub(crate) patterns: Vec<String>,
    /// With `--each`: only the I-th part of N, such as `1/4`; `auto/4` takes I from `JOB_COMPLETION_INDEX`.
    #[arg(long, value_name = "I/N", value_parser = Shard::parse, requires = "each")]
    pub(crate) shard: Option<Shard>,
}

impl EachArguments {
    /// Whether there may be more than one stack.
    pub(crate) fn is_many(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// The folders of the stacks, of the part that is asked for.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn folders(&self, root: &Path) -> Result<Vec<String>, NoStacks> {
        let mut folders = stacks::find(root, &self.patterns)?;
        folders.retain(|folder| self.shard.is_none_or(|shard| shard.has(folder)));
        Ok(folders)
    }
}

/// When messages are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportOn {
    /// As long as there is drift, and once when it is over or a look failed.
    #[default]
    Drift,
    /// When a look finds something else than the one before.
    Change,
    /// After every look.
    Always,
}

/// A target as it was written. There may be a secret in it: it is not printed, and it is read where a refusal can leave that out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Unread(pub(crate) String);

impl From<&str> for Unread {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.split('=').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_not_printed() {
        assert_eq!(format!("{:?}", Unread::from("slack=https://hooks.slack.com/services/T0/B0/x")), "slack");
    }
}
