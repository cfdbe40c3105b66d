//! Exit codes: stable, pipelines depend on them.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; nothing to change where that is asked.
    Done = 0,
    /// An error; nothing was changed.
    Error = 1,
    /// There are changes.
    Changes = 2,
    /// Some steps failed; what succeeded is recorded, running it again continues.
    Partial = 3,
    /// The plan file is stale.
    Stale = 5,
    /// The guard file refuses the plan.
    Guarded = 6,
    /// The command line is wrong.
    Usage = 64,
    /// Interrupted by the user; recorded, running it again continues.
    Interrupted = 130,
}

impl Exit {
    /// All of them, by number.
    pub(crate) const ALL: [Self; 8] = [
        Self::Done,
        Self::Error,
        Self::Changes,
        Self::Partial,
        Self::Stale,
        Self::Guarded,
        Self::Usage,
        Self::Interrupted,
    ];

    /// What it means, for a manual.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done; with `plan --detailed-exitcode` and `drift`: nothing to change",
            Self::Error => "an error; nothing was changed",
            Self::Changes => "`plan --detailed-exitcode`, `drift`: there are changes",
            Self::Partial => "some steps of an apply failed; what succeeded is recorded, running it again goes on",
            Self::Stale => "the plan file is stale",
            Self::Guarded => "the guard file refuses the plan",
            Self::Usage => "the command line is wrong",
            Self::Interrupted => "interrupted; what was done is recorded, running it again goes on",
        }
    }

    /// The one of two that a command over many stacks ends with: what went wrong before what is different.
    pub(crate) fn worse(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Done => 0,
            Self::Changes => 1,
            Self::Partial => 2,
            Self::Stale => 3,
            Self::Guarded => 4,
            Self::Error => 5,
            Self::Usage => 6,
            Self::Interrupted => 7,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(exit as u8)
    }
}
