//! How far a read is, seen from the requests that it sends: how many were answered, what is waited for, and whether Azure asks to be left
//! alone. Pure but for the transport that counts.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use akson_azure::{Transport, TransportError};
use akson_diagnostics::SafeText;
use bytes::Bytes;

use super::{Open, Progress, lock};
use crate::{observer::head_of, views::plan::count};

/// What was seen of the requests.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// How many were answered so that it need not be tried again.
    answered: usize,
    /// What is under way, the oldest first.
    under_way: BTreeMap<u64, String>,
    begun: u64,
    /// Until when a service asked to be left alone.
    wait_until: Option<Instant>,
}

impl Counts {
    pub(super) fn answered(&self) -> usize {
        self.answered
    }

    fn begin(&mut self, what: String) -> u64 {
        self.begun += 1;
        self.under_way.insert(self.begun, what);
        self.begun
    }

    fn end(&mut self, number: u64, counts: bool) {
        if self.under_way.remove(&number).is_some() && counts {
            self.answered += 1;
        }
    }

    fn leave_alone(&mut self, until: Instant) {
        self.wait_until = self.wait_until.max(Some(until));
    }

    /// The line.
    pub(super) fn message(&self, open: &Open, now: Instant) -> String {
        let mut out = open.what.to_owned();
        let answered = self.answered.saturating_sub(open.before);
        let all = open.expected.max(answered + self.under_way.len());
        if all > 0 {
            let _ = write!(out, ": {answered} of {}", count(all, "answer"));
        }
        let _ = write!(out, ", {}", seconds(now.saturating_duration_since(open.since)));
        let wait = self.wait_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if !wait.is_zero() {
            let _ = write!(out, "; Azure asks to wait for {}", seconds(wait + Duration::from_millis(999)));
        } else if let Some(oldest) = self.under_way.values().next() {
            let _ = write!(out, "; waiting for {oldest}");
        }
        out
    }
}

/// A time, as people read it at a glance.
fn seconds(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// What is asked for, in a word or two: a type of Azure's where the path has one, else whose host it is.
fn subject(uri: &http::Uri) -> String {
    let path: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let host = uri.host().unwrap_or_default();
    let word = match path.iter().rposition(|part| part.eq_ignore_ascii_case("providers")) {
        Some(at) => {
            let (namespace, rest) = path[at + 1..].split_first().unwrap_or((&"", &[]));
            let types: Vec<&str> = rest.iter().step_by(2).copied().collect();
            format!("{namespace}/{}", types.join("/"))
        }
        None if path.first().is_some_and(|part| part.eq_ignore_ascii_case("subscriptions")) => {
            let group = path.get(2).is_some_and(|part| part.eq_ignore_ascii_case("resourceGroups"));
            if group { "a resource group".to_owned() } else { "the subscription".to_owned() }
        }
        None if host.starts_with("graph.") || host.starts_with("microsoftgraph.") => "the directory".to_owned(),
        None => host.split('.').next().unwrap_or_default().to_owned(),
    };
    SafeText(&word).to_string()
}

/// A transport whose requests are counted.
pub(super) struct Counted {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) progress: Arc<Progress>,
}

/// A request under way, also if nobody waits for it any more.
struct UnderWay<'a> {
    progress: &'a Progress,
    number: u64,
    answered: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(&self.progress.counts).end(self.number, self.answered);
    }
}

#[async_trait::async_trait]
impl Transport for Counted {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let number = lock(&self.progress.counts).begin(subject(request.uri()));
        let mut under_way = UnderWay { progress: &self.progress, number, answered: false };
        let answer = self.transport.send(request).await;
        if let Ok(answer) = &answer {
            // What is tried again is not done.
            under_way.answered = !matches!(answer.status().as_u16(), 408 | 429 | 500..);
            if answer.status().as_u16() == 429
                && let Some(wait) = head_of(answer).retry_after()
            {
                lock(&self.progress.counts).leave_alone(Instant::now() + wait);
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: &str) {
        let uri = uri.parse().expect("an address");
        assert_eq!(subject(&uri), expected);
    }

    #[test]
    fn what_is_asked_for_has_a_word() {
        check("https://management.azure.com/subscriptions/x/resourceGroups/rg?api-version=1", "a resource group");
        check("https://management.azure.com/subscriptions/x", "the subscription");
        check(
            "https://management.azure.com/subscriptions/x/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv",
            "Microsoft.KeyVault/vaults",
        );
        check(
            "https://management.azure.com/subscriptions/x/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv/providers/Microsoft.Authorization/roleAssignments",
            "Microsoft.Authorization/roleAssignments",
        );
        check(
            "https://management.azure.com/a/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i/federatedIdentityCredentials",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        );
        check("https://graph.microsoft.com/v1.0/groups", "the directory");
        check("https://microsoftgraph.chinacloudapi.cn/v1.0/$batch", "the directory");
        check("https://kv.vault.azure.net/secrets", "kv");
    }

    #[test]
    fn the_line_says_how_far_it_is() {
        let (begun, mut counts) = (Instant::now(), Counts::default());
        let open = |expected, before| Open { number: 1, what: "Reading", since: begun, before, expected };
        let at = |counts: &Counts, seconds| counts.message(&open(3, 0), begun + Duration::from_secs(seconds));
        assert_eq!(counts.message(&open(0, 0), begun), "Reading, 0 s");
        assert_eq!(at(&counts, 1), "Reading: 0 of 3 answers, 1 s");
        let (one, two) = (counts.begin("a".to_owned()), counts.begin("b".to_owned()));
        assert_eq!(at(&counts, 2), "Reading: 0 of 3 answers, 2 s; waiting for a");
        counts.end(one, true);
        assert_eq!(at(&counts, 59), "Reading: 1 of 3 answers, 59 s; waiting for b");
        // It will be tried again.
        counts.end(two, false);
        assert_eq!(at(&counts, 61), "Reading: 1 of 3 answers, 1 min 01 s");
        // More than was thought.
        let more: Vec<u64> = (0..4).map(|_| counts.begin("c".to_owned())).collect();
        assert_eq!(at(&counts, 62), "Reading: 1 of 5 answers, 1 min 02 s; waiting for c");
        counts.leave_alone(begun + Duration::from_secs(90));
        counts.leave_alone(begun + Duration::from_secs(70));
        assert_eq!(at(&counts, 62), "Reading: 1 of 5 answers, 1 min 02 s; Azure asks to wait for 28 s");
        for number in more {
            counts.end(number, true);
        }
        assert_eq!(at(&counts, 91), "Reading: 5 of 5 answers, 1 min 31 s");
        // What came before is not this one's.
        assert_eq!(
            counts.message(&open(1, 4), begun),
            "Reading: 1 of 1 answer, 0 s; Azure asks to wait for 1 min 30 s"
        );
    }
}
