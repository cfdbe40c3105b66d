//! Reports as they arrive: at Slack, Teams, a webhook, GitHub and in files; what is not told, what is tried again, what cannot be delivered.

use std::{
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use akson_tests::{
    Folder, Ran,
    web::{Asked, Reply, Web, reply},
};
use serde_json::{Value, json};

use super::watch::{applied, own};

/// A part of every URL that nobody may be told.
const SECRET: &str = "s3cret-path";

#[test]
fn everybody_is_told_in_their_own_way() {
    let (folder, emulator) = applied();
    let web = Web::serve(|_| reply(200, "ok"));
    let url = |who: &str| format!("{}/{SECRET}/{who}", web.url);
    let run = |folder: &Folder| {
        let (slack, teams, hook) =
            ("slack=env:SLACK_URL", format!("teams={}", url("teams")), format!("webhook={}", url("hook")));
        let mut arguments = vec!["drift", "--report", slack, "--report", &teams, "--report", &hook];
        for target in [
            "markdown=out/d.md",
            "json=out/d.json",
            "sarif=out/d.sarif",
            "junit=out/d.xml",
            "prom=out/d.prom",
            "step-summary",
        ] {
            arguments.extend(["--report", target]);
        }
        Ran::of(
            folder
                .command(&arguments)
                .env("SLACK_URL", url("slack"))
                .env("AKSON_WEBHOOK_SECRET", "key")
                .env("GITHUB_STEP_SUMMARY", folder.path().join("summary.md")),
        )
    };
    let file = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    // In sync: files say so, nobody is disturbed.
    let _ = run(&folder).exits(0);
    assert!(web.take().is_empty());
    assert!(file("out/d.md").contains("in sync: `app`") && file("out/d.xml").contains("failures=\"0\" errors=\"0\""));

    own(&emulator, "somebody else");
    let ran = run(&folder).exits(2);
    assert!(!ran.stdout.contains(SECRET) && !ran.stderr.contains(SECRET), "{}\n{}", ran.stdout, ran.stderr);
    let asked = web.take();
    let of = |who: &str| asked.iter().find(|asked| asked.path.ends_with(who)).unwrap_or_else(|| panic!("{who}"));
    assert_eq!(asked.len(), 3);
    for asked in &asked {
        assert_eq!((asked.method.as_str(), asked.header("content-type")), ("POST", Some("application/json")));
        assert_eq!(asked.header("authorization"), None, "no token goes there");
    }
    assert!(of("slack").json()["blocks"].to_string().contains("resource_group.app"));
    let card = &of("teams").json()["attachments"][0];
    assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
    assert!(card["content"]["body"].to_string().contains("somebody else"));
    let document = of("hook").json();
    assert_eq!((&document["outcome"], &document["found"]["changed"]), (&json!("drift"), &json!(1)), "{document:#}");
    let signature = of("hook").header("x-akson-signature-256").unwrap();
    assert_eq!(Some(signature), signed("key", &of("hook").body).as_deref().or(Some(signature)));
    assert!(signature.len() == 71 && signature.starts_with("sha256="), "{signature}");
    let sarif: Value = serde_json::from_str(&file("out/d.sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "drift/changed");
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 5);
    let json: Value = serde_json::from_str(&file("out/d.json")).unwrap();
    assert_eq!(json["changes"][0]["address"], "resource_group.app");
    assert!(file("out/d.md").contains("drift in `app`") && file("summary.md").contains("drift in `app`"));
    assert!(file("out/d.xml").contains("name=\"resource_group.app\"") && file("out/d.xml").contains("failures=\"1\""));
    assert!(file("out/d.prom").contains("akson_runs_total{stack=\"app\",outcome=\"in_sync\"} 1\n"), "counting goes on");

    // A look that failed is told as one, and no file goes on saying what is not known.
    folder.write("broken.aks", "vault \"x\" {");
    let _ = run(&folder).exits(1);
    assert!(web.take().iter().any(|asked| asked.path.ends_with("hook") && asked.json()["outcome"] == "failed"));
    assert!(file("out/d.xml").contains("errors=\"1\"") && file("out/d.md").contains("could not look at"));
}

/// What OpenSSL makes of it, where it is there.
fn signed(key: &str, body: &[u8]) -> Option<String> {
    use std::io::Write as _;
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", key, "-r"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(body).ok()?;
    let output = child.wait_with_output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(format!("sha256={}", text.split_whitespace().next()?))
}

#[test]
fn what_does_not_get_through_is_tried_again_and_then_told() {
    let (folder, emulator) = applied();
    own(&emulator, "somebody else");
    // Twice too busy, then well.
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let busy = Web::serve(move |_| match counted.fetch_add(1, Ordering::Relaxed) {
        0 => (429, vec![("retry-after".to_owned(), "1".to_owned())], String::new()),
        1 => reply(502, ""),
        _ => reply(200, "ok"),
    });
    let _ = folder.akson(&["drift", "--report", &format!("slack={}/x", busy.url)]).exits(2);
    assert_eq!(tries.load(Ordering::Relaxed), 3);
    // Withdrawn: once is enough, the drift is printed, and the code says that somebody does not know it.
    let gone = Web::serve(|_| reply(404, "no_service"));
    let ran = folder.akson(&["drift", "--report", &format!("slack={}/{SECRET}", gone.url)]).exits(1);
    let ran = ran.says("warning[AKS0670]").says("it answered 404 (no_service)").says("somebody else");
    assert!(!ran.stderr.contains(SECRET), "{}", ran.stderr);
    assert_eq!(gone.asked().len(), 1);
    // What repeats the URL in its answer is not quoted.
    let echo = Web::serve(|asked| reply(400, &asked.path));
    let ran =
        folder.akson(&["drift", "--report", &format!("slack={}/{SECRET}", echo.url)]).exits(1).says("it answered 400");
    assert!(!ran.stderr.contains(SECRET), "{}", ran.stderr);
}

/// GitHub as far as issues go.
#[derive(Default)]
struct GitHub {
    issues: Vec<Value>,
    comments: Vec<String>,
}

impl GitHub {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.header("authorization") != Some("Bearer ghs_x") {
            return reply(401, "{}");
        }
        let path = asked.path.strip_prefix("/repos/contoso/stacks/").unwrap_or_default();
        let number = |path: &str| path.split('/').nth(1).and_then(|number| number.parse::<usize>().ok()).unwrap_or(0);
        match (asked.method.as_str(), path) {
            ("GET", path) if path.starts_with("issues?state=open&labels=akson-drift") => {
                let open: Vec<&Value> = self
                    .issues
                    .iter()
                    .filter(|issue| issue["state"] == "open" && issue["labels"][0]["name"] == "akson-drift")
                    .collect();
                reply(200, &json!(open).to_string())
            }
            ("POST", "labels") => reply(422, r#"{"message":"already_exists"}"#),
            ("POST", "issues") => {
                let issue = asked.json();
                let labels: Vec<Value> =
                    issue["labels"].as_array().unwrap().iter().map(|name| json!({ "name": name })).collect();
                self.issues.push(json!({
                    "number": self.issues.len() + 1, "state": "open", "title": issue["title"], "body": issue["body"], "labels": labels,
                }));
                reply(201, &self.issues.last().unwrap().to_string())
            }
            ("PATCH", path) => {
                let issue = &mut self.issues[number(path) - 1];
                for (key, value) in asked.json().as_object().unwrap() {
                    issue[key] = value.clone();
                }
                reply(200, &issue.to_string())
            }
            ("POST", path) if path.ends_with("/comments") => {
                self.comments.push(asked.json()["body"].as_str().unwrap().to_owned());
                reply(201, "{}")
            }
            _ => reply(404, "{}"),
        }
    }
}

#[test]
fn an_issue_is_opened_brought_up_to_date_and_closed() {
    let (folder, emulator) = applied();
    let hub = Arc::new(Mutex::new(GitHub::default()));
    let inside = Arc::clone(&hub);
    let web = Web::serve(move |asked| inside.lock().unwrap().answer(asked));
    let run = || {
        let mut command = folder.command(&["drift", "--report", "github-issue"]);
        command.env("GITHUB_TOKEN", "ghs_x").env("GITHUB_API_URL", &web.url).env("GITHUB_REPOSITORY", "contoso/stacks");
        Ran::of(&mut command)
    };
    let open = || -> Vec<Value> {
        hub.lock().unwrap().issues.iter().filter(|issue| issue["state"] == "open").cloned().collect()
    };
    let _ = run().exits(0);
    assert!(open().is_empty());
    own(&emulator, "first");
    let _ = run().exits(2);
    let first = open();
    assert_eq!(first.len(), 1);
    let body = first[0]["body"].as_str().unwrap();
    assert!(body.starts_with("<!-- akson:drift stack=") && body.contains("first"), "{body}");
    own(&emulator, "second");
    let _ = run().exits(2);
    let second = open();
    assert_eq!((second.len(), &second[0]["number"]), (1, &json!(1)));
    assert!(second[0]["body"].as_str().unwrap().contains("second"));
    // Two runs at once may have opened two; another stack's, and a person's, are left alone.
    {
        let mut hub = hub.lock().unwrap();
        let mut twin = hub.issues[0].clone();
        twin["number"] = 2.into();
        hub.issues.push(twin);
        hub.issues.push(json!({ "number": 3, "state": "open", "body": "<!-- akson:drift stack=other -->", "labels": [{ "name": "akson-drift" }] }));
        hub.issues
            .push(json!({ "number": 4, "state": "open", "body": "drift?", "labels": [{ "name": "akson-drift" }] }));
    }
    let _ = run().exits(2);
    let numbers =
        |issues: Vec<Value>| -> Vec<u64> { issues.iter().filter_map(|issue| issue["number"].as_u64()).collect() };
    assert_eq!(numbers(open()), [1, 3, 4]);
    // What could not be looked at closes nothing.
    folder.write("broken.aks", "vault \"x\" {");
    let _ = run().exits(1);
    assert_eq!(numbers(open()), [1, 3, 4]);
    std::fs::remove_file(folder.path().join("broken.aks")).unwrap();
    own(&emulator, "platform");
    let _ = run().exits(0);
    assert_eq!(numbers(open()), [3, 4]);
    assert_eq!(hub.lock().unwrap().comments.len(), 1);
    // Without a token nothing is asked for.
    web.take();
    let _ =
        folder.akson(&["drift", "--report", "github-issue=contoso/stacks"]).exits(64).says("GITHUB_TOKEN is not set");
    assert!(web.asked().is_empty());
}
