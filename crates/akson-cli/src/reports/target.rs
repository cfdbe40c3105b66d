//! Whom to tell, as it is written on the command line. What is written may be a secret: nothing here prints it.

use std::path::PathBuf;

use akson_catalog::Secret;
use http::Uri;

use crate::schedule::Unread;

/// What stands for the stack's folder in the name of a file.
const STACK: &str = "{stack}";

/// Somebody or something that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// An incoming webhook of Slack.
    Slack(Address),
    /// A webhook of Teams' workflows.
    Teams(Address),
    /// Anything that takes the document.
    Webhook(Address),
    /// An issue on GitHub, in this repository or in that of the pipeline.
    Issue(Option<String>),
    /// The summary of a step in GitHub's pipelines.
    StepSummary,
    /// A file.
    File(Form, PathBuf),
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Markdown,
    Json,
    Sarif,
    Junit,
    /// Metrics.
    Prom,
}

/// A webhook's URL, which is a secret: whoever knows it may post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    url: Secret,
    /// What may be told of it.
    shown: String,
}

impl Address {
    /// The URL, for the one place that sends to it.
    pub(crate) fn url(&self) -> &str {
        self.url.expose()
    }

    fn parse(text: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let (url, of) = match text.strip_prefix("env:") {
            Some("") => return Err("`env:` needs the name of a variable".to_owned()),
            Some(name) => {
                let value = environment(name).filter(|value| !value.trim().is_empty());
                let url = value.ok_or_else(|| format!("the variable {} is not set", name.escape_debug()))?;
                (url.trim().to_owned(), format!("the URL in {}", name.escape_debug()))
            }
            None => (text.to_owned(), "its URL".to_owned()),
        };
        let uri: Uri = url.parse().map_err(|_| format!("{of} is none"))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| format!("{of} is none"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(format!("{of} has a user in it"));
        }
        match uri.scheme_str() {
            Some("https") => {}
            // A relay on this machine; the network refuses to go further without TLS.
            Some("http") if matches!(host, "127.0.0.1" | "localhost" | "[::1]") => {}
            _ => return Err(format!("{of} must begin with https://")),
        }
        let shown = format!("{}://{host}/…", uri.scheme_str().unwrap_or_default());
        Ok(Self { url: Secret::new(url), shown })
    }
}

impl Target {
    /// Reads one. `many` is whether there may be more than one stack.
    ///
    /// # Errors
    /// What is wrong, without what may be secret.
    pub(crate) fn parse(
        written: &Unread,
        many: bool,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let (kind, target) = match written.0.split_once('=') {
            Some((kind, target)) => (kind, Some(target).filter(|target| !target.is_empty())),
            None => (written.0.as_str(), None),
        };
        let wrong = |because: String| format!("`--report {}`: {because}", kind.escape_debug());
        let needed = |what: &str| target.ok_or_else(|| wrong(format!("write `{kind}={what}`")));
        let form = match kind {
            "slack" => return Ok(Self::Slack(Address::parse(needed("URL")?, environment).map_err(wrong)?)),
            "teams" => return Ok(Self::Teams(Address::parse(needed("URL")?, environment).map_err(wrong)?)),
            "webhook" => return Ok(Self::Webhook(Address::parse(needed("URL")?, environment).map_err(wrong)?)),
            "github-issue" => {
                return match target {
                    Some(name) if !is_repository(name) => Err(wrong("its target is OWNER/REPOSITORY".to_owned())),
                    name => Ok(Self::Issue(name.map(str::to_owned))),
                };
            }
            "step-summary" if target.is_none() => return Ok(Self::StepSummary),
            "step-summary" => return Err(wrong("it has no target".to_owned())),
            "markdown" => Form::Markdown,
            "json" => Form::Json,
            "sarif" => Form::Sarif,
            "junit" => Form::Junit,
            "prom" => Form::Prom,
            // What was meant may be a URL that stands there without its kind.
            _ => {
                let plain = kind.len() <= 20 && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
                let what = if plain { format!("`--report {kind}`") } else { "`--report`".to_owned() };
                return Err(format!(
                    "{what}: the kind is `slack`, `teams`, `webhook`, `github-issue`, `step-summary`, `markdown`, `json`, `sarif`, `junit` or `prom`"
                ));
            }
        };
        let path = needed("FILE")?;
        if many && form != Form::Prom && !path.contains(STACK) {
            return Err(wrong(format!("of many stacks each needs a file of its own: write `{STACK}` into its name")));
        }
        Ok(Self::File(form, PathBuf::from(path)))
    }

    /// The word for it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Teams(_) => "teams",
            Self::Webhook(_) => "webhook",
            Self::Issue(_) => "github-issue",
            Self::StepSummary => "step-summary",
            Self::File(Form::Markdown, _) => "markdown",
            Self::File(Form::Json, _) => "json",
            Self::File(Form::Sarif, _) => "sarif",
            Self::File(Form::Junit, _) => "junit",
            Self::File(Form::Prom, _) => "prom",
        }
    }

    /// Kind and place, without what is secret of it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Slack(address) | Self::Teams(address) | Self::Webhook(address) => {
                format!("{}={}", self.kind(), address.shown)
            }
            Self::Issue(Some(repository)) => format!("github-issue={repository}"),
            Self::Issue(None) | Self::StepSummary => self.kind().to_owned(),
            Self::File(_, path) => format!("{}={}", self.kind(), path.display()),
        }
    }

    /// Whether somebody reads it as it comes, so that it must not come for nothing.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self, Self::Slack(_) | Self::Teams(_) | Self::Webhook(_))
    }
}

/// The file for a stack's folder.
pub(crate) fn path_for(path: &std::path::Path, folder: &str) -> PathBuf {
    match path.to_str() {
        Some(text) if text.contains(STACK) => {
            PathBuf::from(text.replace(STACK, if folder == "." { "_" } else { folder }))
        }
        _ => path.to_path_buf(),
    }
}

/// `owner/name`, as GitHub writes them.
pub(crate) fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.len() <= 100
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    text.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let environment = |name: &str| match name {
            "HOOK" => Some(" https://hooks.slack.com/services/T0/B0/s3cret\n".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let target = Target::parse(&Unread::from(text), false, environment);
        assert_eq!(target.as_ref().map(Target::shown).map_err(String::as_str), expected.map(str::to_owned));
        assert!(!format!("{target:?}").contains("s3cret"), "{target:?}");
    }

    #[test]
    fn targets_are_read_and_their_secrets_are_not_told() {
        check("slack=https://hooks.slack.com/services/T0/B0/s3cret", Ok("slack=https://hooks.slack.com/…"));
        check("slack=env:HOOK", Ok("slack=https://hooks.slack.com/…"));
        check("teams=https://x.logic.azure.com:443/workflows/1?sig=s3cret", Ok("teams=https://x.logic.azure.com/…"));
        check("webhook=http://127.0.0.1:8080/s3cret", Ok("webhook=http://127.0.0.1/…"));
        check("github-issue", Ok("github-issue"));
        check("github-issue=contoso/stacks.infra", Ok("github-issue=contoso/stacks.infra"));
        check("step-summary", Ok("step-summary"));
        check("sarif=out/a.sarif", Ok("sarif=out/a.sarif"));
        check("slack=http://hooks.slack.com/s3cret", Err("`--report slack`: its URL must begin with https://"));
        check("slack=hooks.slack.com/s3cret", Err("`--report slack`: its URL is none"));
        check("slack=https://user:s3cret@hooks.slack.com/x", Err("`--report slack`: its URL has a user in it"));
        check("slack=env:NONE", Err("`--report slack`: the variable NONE is not set"));
        check("slack=env:EMPTY", Err("`--report slack`: the variable EMPTY is not set"));
        check("slack=env:", Err("`--report slack`: `env:` needs the name of a variable"));
        check("slack", Err("`--report slack`: write `slack=URL`"));
        check("json=", Err("`--report json`: write `json=FILE`"));
        check("github-issue=contoso", Err("`--report github-issue`: its target is OWNER/REPOSITORY"));
        check("github-issue=../x", Err("`--report github-issue`: its target is OWNER/REPOSITORY"));
        let kinds = "the kind is `slack`, `teams`, `webhook`, `github-issue`, `step-summary`, `markdown`, `json`, `sarif`, `junit` or `prom`";
        check("email=x", Err(&format!("`--report email`: {kinds}")));
        check("https://hooks.slack.com/services/s3cret?a=b", Err(&format!("`--report`: {kinds}")));
    }

    #[test]
    fn many_stacks_have_a_file_each() {
        let parse = |text: &str| Target::parse(&Unread::from(text), true, |_| None);
        assert!(parse("json=all.json").is_err_and(|error| error.contains("{stack}")));
        assert!(parse("prom=all.prom").is_ok());
        assert!(parse("json=out/{stack}.json").is_ok());
        let path = |folder: &str| path_for(std::path::Path::new("out/{stack}.json"), folder);
        assert_eq!(path("stacks/a"), PathBuf::from("out/stacks/a.json"));
        assert_eq!(path("."), PathBuf::from("out/_.json"));
    }
}
