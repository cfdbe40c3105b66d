//! Metrics in Prometheus's text format: what is counted, and how it is written and read again. Not where it is served.

use std::{collections::BTreeMap, fmt::Write as _, fs, io, path::Path};

use akson_diagnostics::SafeText;

use super::look::{Look, Outcome};

/// A family of metrics.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
}

const fn family(name: &'static str, kind: &'static str, help: &'static str) -> Family {
    Family { name, kind, help }
}

const FAMILIES: [Family; 11] = [
    family("akson_build_info", "gauge", "The version of akson; always 1."),
    family(
        "akson_drift_resources",
        "gauge",
        "Resources that changed or were deleted outside, as the last look found them.",
    ),
    family("akson_drift_unmanaged", "gauge", "Objects inside of the stack's scopes that no file declares."),
    family("akson_drift_tolerated", "gauge", "Resources whose difference is tolerated for now."),
    family("akson_drift_unseen", "gauge", "Resources that nobody could look at."),
    family("akson_drift_in_sync", "gauge", "Resources that are as they were applied."),
    family("akson_last_success_timestamp_seconds", "gauge", "When the last look that saw everything began."),
    family("akson_runs_total", "counter", "Looks by what came of them."),
    family("akson_azure_requests_total", "counter", "Requests by host and status; none where no answer came."),
    family("akson_plan_seconds", "gauge", "How long the last look took."),
    family("akson_reports_total", "counter", "Reports by kind and whether they were delivered."),
];

const BUILD: usize = 0;
const RESOURCES: usize = 1;
const UNMANAGED: usize = 2;
const TOLERATED: usize = 3;
const UNSEEN: usize = 4;
const IN_SYNC: usize = 5;
const LAST_SUCCESS: usize = 6;
const RUNS: usize = 7;
const REQUESTS: usize = 8;
const SECONDS: usize = 9;
const REPORTS: usize = 10;

/// A file of metrics that is longer is not read.
const LONGEST: u64 = 4 * 1024 * 1024;

/// All of them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// By family and labels as they are written, `{…}` included.
    values: BTreeMap<(usize, String), f64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let version = labels(&[("version", env!("CARGO_PKG_VERSION"))]);
        Self { values: BTreeMap::from([((BUILD, version), 1.0)]) }
    }
}

impl Metrics {
    /// Those of a file that an earlier run wrote: what is counted goes on from there. Without one, none.
    pub(crate) fn continued(path: &Path) -> Self {
        let mut metrics = Self::default();
        let readable = fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= LONGEST);
        if let Some(text) = readable.then(|| fs::read_to_string(path).ok()).flatten() {
            metrics.absorb(&text);
        }
        metrics
    }

    fn absorb(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let Some((name, _)) = series.split_once('{') else { continue };
            let family = FAMILIES.iter().position(|family| family.name == name);
            let (Some(family), Ok(value)) = (family.filter(|family| *family != BUILD), value.parse::<f64>()) else {
                continue;
            };
            let labels = &series[name.len()..];
            if value.is_finite() && labels.ends_with('}') {
                self.values.insert((family, labels.to_owned()), value);
            }
        }
    }

    /// Counts a look. Of one that did not see everything, what an earlier one saw is kept with the time at which it did.
    pub(crate) fn record(&mut self, look: &Look, stack: &str) {
        for outcome in Outcome::ALL {
            let labels = labels(&[("stack", stack), ("outcome", outcome.as_str())]);
            *self.values.entry((RUNS, labels)).or_default() += f64::from(u8::from(outcome == look.outcome));
        }
        for ((host, code), number) in &look.seen.requests {
            *self.values.entry((REQUESTS, labels(&[("host", host), ("code", code)]))).or_default() += count(*number);
        }
        let of_stack = labels(&[("stack", stack)]);
        self.values.insert((SECONDS, of_stack.clone()), look.took.as_secs_f64());
        let Some(document) = &look.document else { return };
        let begins = format!("{{stack=\"{}\",", escape(stack));
        self.values.retain(|(family, labels), _| *family != RESOURCES || !labels.starts_with(&begins));
        for ((severity, kind), number) in look.by_severity_and_kind() {
            let labels = labels(&[("stack", stack), ("severity", severity), ("kind", kind)]);
            self.values.insert((RESOURCES, labels), count(number as u64));
        }
        let found = document.found;
        for (family, number) in [
            (UNMANAGED, found.unmanaged),
            (TOLERATED, found.tolerated),
            (UNSEEN, found.unseen),
            (IN_SYNC, found.in_sync),
        ] {
            self.values.insert((family, of_stack.clone()), count(number as u64));
        }
        if look.outcome.is_success() {
            self.values.insert((LAST_SUCCESS, of_stack), count(u64::try_from(look.at.as_second()).unwrap_or_default()));
        }
    }

    /// Counts a report.
    pub(crate) fn report(&mut self, kind: &str, delivered: bool) {
        for (word, is) in [("delivered", delivered), ("failed", !delivered)] {
            let labels = labels(&[("kind", kind), ("outcome", word)]);
            *self.values.entry((REPORTS, labels)).or_default() += f64::from(u8::from(is));
        }
    }

    /// Forgets the stacks that are there no more.
    pub(crate) fn keep(&mut self, stacks: &[&str]) {
        let kept: Vec<String> = stacks.iter().map(|stack| format!("{{stack=\"{}\"", escape(stack))).collect();
        self.values.retain(|(_, labels), _| {
            !labels.starts_with("{stack=") || kept.iter().any(|begin| labels.starts_with(begin.as_str()))
        });
    }

    /// How many series there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Text format 0.0.4.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let mut last = None;
        for ((family, labels), value) in &self.values {
            let Family { name, kind, help } = &FAMILIES[*family];
            if last.replace(*family) != Some(*family) {
                let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            }
            let _ = writeln!(out, "{name}{labels} {value}");
        }
        out
    }

    /// Writes the file that a textfile collector reads: whole or not at all, and readable for whoever it runs as.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        crate::reports::file::write(path, &self.text())
    }
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

/// A label's value: the format knows three escapes, and anything else that could hide is spelt out before.
fn escape(value: &str) -> String {
    SafeText(value).to_string().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[allow(clippy::cast_precision_loss, reason = "nothing is counted beyond 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::super::tests::{document, look};
    use super::*;

    #[test]
    fn the_text_is_as_prometheus_reads_it() {
        let mut metrics = Metrics::default();
        let mut look = look(Some(document(&[("vault.app", "vault", "update"), ("lock.x", "lock", "create")])));
        look.seen.requests.insert(("management.azure.com".to_owned(), "200".to_owned()), 7);
        metrics.record(&look, "a\"b\\c\nd");
        metrics.report("slack", false);
        let text = metrics.text();
        assert!(text.starts_with("# HELP akson_build_info "), "{text}");
        for line in [
            "# TYPE akson_drift_resources gauge",
            r#"akson_drift_resources{stack="a\"b\\c\nd",severity="unrated",kind="vault"} 1"#,
            r#"akson_drift_resources{stack="a\"b\\c\nd",severity="unrated",kind="lock"} 1"#,
            r#"akson_drift_unmanaged{stack="a\"b\\c\nd"} 0"#,
            r#"akson_last_success_timestamp_seconds{stack="a\"b\\c\nd"} 1785000000"#,
            "# TYPE akson_runs_total counter",
            r#"akson_runs_total{stack="a\"b\\c\nd",outcome="drift"} 1"#,
            r#"akson_runs_total{stack="a\"b\\c\nd",outcome="failed"} 0"#,
            r#"akson_azure_requests_total{host="management.azure.com",code="200"} 7"#,
            r#"akson_plan_seconds{stack="a\"b\\c\nd"} 1.5"#,
            r#"akson_reports_total{kind="slack",outcome="failed"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        // Each family has its two lines once, before its samples, and every line is of one of the three forms.
        for family in FAMILIES.iter().filter(|family| text.contains(family.name)) {
            assert_eq!(text.matches(&format!("# TYPE {} ", family.name)).count(), 1);
            assert_eq!(text.matches(&format!("# HELP {} ", family.name)).count(), 1);
        }
        assert!(text.lines().all(|line| line.starts_with("# ") || line.starts_with("akson_")), "{text}");
    }

    #[test]
    fn what_is_in_sync_again_is_gone_and_a_failure_keeps_what_was_seen() {
        let mut metrics = Metrics::default();
        metrics.record(&look(Some(document(&[("vault.app", "vault", "update")]))), "app");
        metrics.record(&look(Some(document(&[("vault.b", "vault", "update")]))), "other");
        metrics.record(&look(None), "app");
        assert!(metrics.text().contains("akson_drift_resources{stack=\"app\","));
        assert!(metrics.text().contains("akson_last_success_timestamp_seconds{stack=\"app\"}"));
        metrics.record(&look(Some(document(&[]))), "app");
        assert!(!metrics.text().contains("akson_drift_resources{stack=\"app\","), "{}", metrics.text());
        assert!(metrics.text().contains("akson_drift_resources{stack=\"other\","));
        metrics.keep(&["app"]);
        assert!(!metrics.text().contains("other"), "{}", metrics.text());
        let size = metrics.len();
        for _ in 0..1000 {
            metrics.record(&look(Some(document(&[("vault.app", "vault", "update")]))), "app");
            metrics.record(&look(Some(document(&[]))), "app");
        }
        assert_eq!(metrics.len(), size);
    }

    #[test]
    fn a_file_is_continued() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("akson.prom");
        let mut metrics = Metrics::continued(&path);
        metrics.record(&look(Some(document(&[]))), "a b");
        metrics.write(&path).unwrap();
        let mut again = Metrics::continued(&path);
        assert_eq!(again.text(), metrics.text());
        again.record(&look(None), "a b");
        again.write(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("akson_runs_total{stack=\"a b\",outcome=\"in_sync\"} 1\n"), "{text}");
        assert!(text.contains("akson_runs_total{stack=\"a b\",outcome=\"failed\"} 1\n"), "{text}");
        assert!(text.contains("akson_last_success_timestamp_seconds{stack=\"a b\"} 1785000000\n"), "{text}");
        // Whatever stands there, what is no metric of ours is left out.
        fs::write(
            &path,
            "other{a=\"b\"} 1\nakson_runs_total{ NaN\nakson_runs_total{x} inf\n\n{} 1\nakson_runs_total 5\n",
        )
        .unwrap();
        assert_eq!(Metrics::continued(&path).text(), Metrics::default().text());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            again.write(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        }
    }
}
