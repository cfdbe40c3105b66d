//! What `az aks command invoke` runs in a cluster: of kubectl only `get`, over what the cluster has. Nothing else runs: there
//! are no programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::kinds::{self, Kind};
use super::store;
use crate::clock::WorldTime;
use crate::world::World;

/// What a command came to: its exit code and what it printed.
pub(crate) fn run(world: &World, cluster: &str, command: &str, now: WorldTime) -> (i32, String) {
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        ["kubectl", "get", asked @ ..] => {
            get(world, cluster, asked, now).map_or_else(|error| (1, error), |text| (0, text))
        }
        ["kubectl", ..] => (1, format!("error: the emulated cluster knows of kubectl only `get`, not `{command}`\n")),
        [] => (0, String::new()),
        [program, ..] => (127, format!("sh: 1: {program}: not found\n")),
    }
}

/// What is asked for with `kubectl get`.
#[derive(Default)]
struct Asked<'a> {
    kinds: Vec<&'a str>,
    name: Option<&'a str>,
    namespace: Option<&'a str>,
    everywhere: bool,
    output: &'a str,
}

fn read<'a>(words: &[&'a str]) -> Result<Asked<'a>, String> {
    let mut asked = Asked { namespace: Some("default"), ..Asked::default() };
    let mut rest = words.iter().copied();
    while let Some(word) = rest.next() {
        let mut value = |flag: &str| rest.next().ok_or_else(|| format!("error: flag needs an argument: {flag}\n"));
        match word {
            "-A" | "--all-namespaces" => asked.everywhere = true,
            "-n" | "--namespace" => asked.namespace = Some(value(word)?),
            "-o" | "--output" => asked.output = value(word)?,
            _ if word.starts_with("-n=") || word.starts_with("--namespace=") => {
                asked.namespace = word.split_once('=').map(|(_, value)| value);
            }
            _ if word.starts_with("-o=") || word.starts_with("--output=") => {
                asked.output = word.split_once('=').map_or("", |(_, value)| value);
            }
            "-owide" => asked.output = "wide",
            "-ojson" => asked.output = "json",
            _ if word.starts_with('-') => return Err(format!("error: unknown flag: {word}\n")),
            _ if asked.kinds.is_empty() => {
                let (kinds, name) = word.split_once('/').map_or((word, None), |(kind, name)| (kind, Some(name)));
                asked.kinds = kinds.split(',').collect();
                asked.name = name;
            }
            _ => asked.name = Some(word),
        }
    }
    if asked.kinds.is_empty() {
        return Err("error: You must specify the type of resource to get.\n".to_owned());
    }
    Ok(asked)
}

fn get(world: &World, cluster: &str, words: &[&str], now: WorldTime) -> Result<String, String> {
    let asked = read(words)?;
    let mut rows: Vec<(&'static Kind, Value)> = Vec::new();
    for word in &asked.kinds {
        let known = kinds::of_cluster(world, cluster).into_iter().find(|kind| {
            [kind.plural, kind.singular, kind.word].iter().any(|name| name.eq_ignore_ascii_case(word))
                || kind.short.contains(word)
        });
        let kind = known.ok_or_else(|| format!("error: the server doesn't have a resource type \"{word}\"\n"))?;
        let namespace = asked.namespace.filter(|_| kind.namespaced && !asked.everywhere);
        let prefix = store::prefix_of(cluster, kind, namespace);
        let all = world.kube_objects.starting_with(&prefix, "").map(|(_, row)| Value::Object(row.body.clone()));
        rows.extend(
            all.filter(|body| asked.name.is_none_or(|name| body["metadata"]["name"] == name)).map(|it| (kind, it)),
        );
        if let Some(name) = asked.name.filter(|_| rows.is_empty()) {
            let group = if kind.group.is_empty() { String::new() } else { format!(".{}", kind.group) };
            return Err(format!("Error from server (NotFound): {}{group} \"{name}\" not found\n", kind.plural));
        }
    }
    if rows.is_empty() {
        let place = asked.namespace.unwrap_or_default();
        let place = if asked.everywhere { String::new() } else { format!(" in {place} namespace") };
        return Ok(format!("No resources found{place}\n"));
    }
    Ok(match asked.output {
        "json" => {
            let items: Vec<Value> = rows.into_iter().map(|(_, body)| body).collect();
            let list =
                json!({ "apiVersion": "v1", "items": items, "kind": "List", "metadata": { "resourceVersion": "" } });
            format!("{list:#}\n")
        }
        "name" => rows.iter().fold(String::new(), |mut text, (kind, body)| {
            let _ = writeln!(text, "{}/{}", kind.singular, body["metadata"]["name"].as_str().unwrap_or_default());
            text
        }),
        _ => table(&rows, asked.everywhere, now),
    })
}

/// The columns that everything has.
fn table(rows: &[(&'static Kind, Value)], everywhere: bool, now: WorldTime) -> String {
    let text = |body: &Value, name: &str| body["metadata"][name].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![vec!["NAMESPACE".to_owned(), "NAME".to_owned(), "AGE".to_owned()]];
    for (_, body) in rows {
        let created = text(body, "creationTimestamp").parse::<jiff::Timestamp>().ok();
        let age = created.map_or_else(
            || "<unknown>".to_owned(),
            |created| age(now.unix_seconds().saturating_sub(created.as_second())),
        );
        lines.push(vec![text(body, "namespace"), text(body, "name"), age]);
    }
    if !everywhere {
        for line in &mut lines {
            line.remove(0);
        }
    }
    let columns = lines.first().map_or(0, Vec::len);
    let wide: Vec<usize> =
        (0..columns).map(|at| lines.iter().map(|line| line[at].len()).max().unwrap_or(0) + 3).collect();
    let mut shown = String::new();
    for line in lines {
        let cells: String = line.iter().zip(&wide).map(|(cell, wide)| format!("{cell:wide$}")).collect();
        let _ = writeln!(shown, "{}", cells.trim_end());
    }
    shown
}

/// As kubectl says it: the largest unit that is not nothing.
fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let asked = read(&["pods,svc", "-n", "kube-system", "-o=json"]);
        assert!(asked.is_ok_and(|asked| {
            asked.kinds == ["pods", "svc"] && asked.namespace == Some("kube-system") && asked.output == "json"
        }));
        assert!(read(&["pod/a", "-A"]).is_ok_and(|asked| asked.name == Some("a") && asked.everywhere));
        assert!(read(&["-n"]).is_err() && read(&[]).is_err() && read(&["pods", "--watch"]).is_err());
        assert_eq!((age(90), age(200), age(9000), age(200_000)), ("90s".into(), "3m".into(), "2h".into(), "2d".into()));
    }
}
