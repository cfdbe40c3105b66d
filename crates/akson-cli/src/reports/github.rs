//! Drift as an issue on GitHub: one a stack, opened, brought up to date in place, closed. It is found again by a marker that nobody sees
//! and a label that only who may write can set.

use akson_azure::Answer;
use akson_catalog::Secret;
use serde_json::{Value, json};

use super::{
    items, markdown,
    post::{Failure, Post},
    target::is_repository,
};
use crate::schedule::{Look, Outcome};

/// The label.
const LABEL: &str = "akson-drift";
/// A page of a list, and how many are read: more open issues with this label than any repository has.
const PAGE: usize = 100;
const PAGES: usize = 20;
/// GitHub's limit is 256 characters.
const TITLE: usize = 200;

/// Where issues are.
pub(super) struct Issues {
    api: String,
    token: Secret,
    repository: String,
}

impl Issues {
    /// As the environment of a pipeline on GitHub says it; the repository may be another one.
    ///
    /// # Errors
    /// What is missing.
    pub(super) fn open(repository: Option<&str>, environment: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let set = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let token = set("GITHUB_TOKEN").or_else(|| set("GH_TOKEN"));
        let token = token.ok_or("GITHUB_TOKEN is not set; it needs the permission to write issues")?;
        let repository = match repository {
            Some(repository) => repository.to_owned(),
            None => {
                set("GITHUB_REPOSITORY").ok_or("GITHUB_REPOSITORY is not set: write `github-issue=OWNER/REPOSITORY`")?
            }
        };
        if !is_repository(&repository) {
            return Err("GITHUB_REPOSITORY is not of the form OWNER/REPOSITORY".to_owned());
        }
        let api = set("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
        Ok(Self { api: api.trim().trim_end_matches('/').to_owned(), token: Secret::new(token.trim()), repository })
    }

    /// Makes the issue say what the look found. Doing it again changes nothing more.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) async fn sync(&self, post: &Post<'_>, look: &Look) -> Result<(), Failure> {
        // Of a stack that could not be read there is no name to find its issue by; the issue stays as it is.
        let (Some(id), Some(document)) = (&look.stack_id, &look.document) else { return Ok(()) };
        let marker = format!("<!-- akson:drift stack={id} -->");
        let open = self.find(post, &marker).await?;
        match look.outcome {
            Outcome::Drift | Outcome::Incomplete => {
                let first = match open.first() {
                    Some(first) => {
                        self.update(post, *first, &Self::issue(look, &marker)).await?;
                        *first
                    }
                    // What was seen is in sync, and nobody was told otherwise: the run's own error tells of the rest.
                    None if !document.is_drift() => return Ok(()),
                    None => self.create(post, &Self::issue(look, &marker), &marker).await?,
                };
                self.close_others(post, &open, first).await
            }
            Outcome::InSync => {
                for (at, number) in open.iter().enumerate() {
                    if at == 0 {
                        let text = format!("In sync again, as of {}.", look.at);
                        let path = format!("issues/{number}/comments");
                        self.call(post, "POST", &path, Some(&json!({ "body": text }))).await?;
                    }
                    self.close(post, *number, "completed").await?;
                }
                Ok(())
            }
            Outcome::Failed => Ok(()),
        }
    }

    fn issue(look: &Look, marker: &str) -> Value {
        let title = format!("{}: {}", items::headline(look), items::summary(look));
        json!({ "title": items::cut(&title, TITLE), "body": markdown::text(look, Some(marker)) })
    }

    /// The open issues with our label and this marker, the oldest first.
    async fn find(&self, post: &Post<'_>, marker: &str) -> Result<Vec<u64>, Failure> {
        let mut found = Vec::new();
        for page in 1..=PAGES {
            let path = format!("issues?state=open&labels={LABEL}&per_page={PAGE}&page={page}");
            let answer = self.call(post, "GET", &path, None).await?;
            let Some(list) = answer.json().and_then(Value::as_array) else {
                return Err(Failure::Refused("its list of issues is none".to_owned()));
            };
            for issue in list.iter().filter(|issue| issue.get("pull_request").is_none()) {
                let body = issue["body"].as_str().unwrap_or_default();
                if let (true, Some(number)) = (body.starts_with(marker), issue["number"].as_u64()) {
                    found.push(number);
                }
            }
            if list.len() < PAGE {
                break;
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Opens one. Of two runs that do so at once, both keep the older.
    async fn create(&self, post: &Post<'_>, issue: &Value, marker: &str) -> Result<u64, Failure> {
        self.make_label(post).await?;
        let mut issue = issue.clone();
        issue["labels"] = json!([LABEL]);
        let answer = self.call(post, "POST", "issues", Some(&issue)).await?;
        let body = answer.json().unwrap_or(&Value::Null);
        let Some(number) = body["number"].as_u64() else {
            return Err(Failure::Refused("its answer names no issue".to_owned()));
        };
        // GitHub leaves labels out, silently, of whom it lets open issues and no more: this one would never be found again.
        let labelled =
            body["labels"].as_array().is_some_and(|labels| labels.iter().any(|label| label["name"] == LABEL));
        if !labelled {
            self.close(post, number, "not_planned").await?;
            return Err(Failure::Refused(format!("the label {LABEL} was not set: the token may not write issues")));
        }
        let mut all = self.find(post, marker).await?;
        all.push(number);
        all.sort_unstable();
        all.dedup();
        let oldest = all[0];
        self.close_others(post, &all, oldest).await?;
        Ok(oldest)
    }

    async fn make_label(&self, post: &Post<'_>) -> Result<(), Failure> {
        let label = json!({ "name": LABEL, "color": "d93f0b", "description": "Changed outside of its configuration" });
        match self.call(post, "POST", "labels", Some(&label)).await {
            // 422: it is there already. Whether it can be used shows at the issue.
            Ok(_) | Err(Failure::Refused(_)) => Ok(()),
            Err(later) => Err(later),
        }
    }

    async fn update(&self, post: &Post<'_>, number: u64, issue: &Value) -> Result<(), Failure> {
        self.call(post, "PATCH", &format!("issues/{number}"), Some(issue)).await.map(|_| ())
    }

    async fn close_others(&self, post: &Post<'_>, open: &[u64], kept: u64) -> Result<(), Failure> {
        for number in open.iter().filter(|number| **number != kept) {
            self.close(post, *number, "not_planned").await?;
        }
        Ok(())
    }

    async fn close(&self, post: &Post<'_>, number: u64, reason: &str) -> Result<(), Failure> {
        self.update(post, number, &json!({ "state": "closed", "state_reason": reason })).await
    }

    async fn call(&self, post: &Post<'_>, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let url = format!("{}/repos/{}/{path}", self.api, self.repository);
        let authorization = format!("Bearer {}", self.token.expose());
        let headers = [
            ("accept", "application/vnd.github+json"),
            ("x-github-api-version", "2022-11-28"),
            ("authorization", authorization.as_str()),
        ];
        post.send(method, &url, &headers, body).await
    }
}
