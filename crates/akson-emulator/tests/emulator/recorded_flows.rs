//! What a client does besides writing and reading one object: lists, actions, and following operations. Each recording is
//! replayed in order, and these are compared; the rest is the business of `recorded`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::agreement::{self, Aspect, Side, Table};
use crate::recorded::{Exchange, Replay, is_beside, is_ours, path_of, recordings};
use crate::support::{Azure, Reply, pass};
use akson_emulator::Options;

/// Providers whose lists and actions are compared.
const PROVIDERS: [&str; 10] = [
    "microsoft.authorization",
    "microsoft.containerregistry",
    "microsoft.containerservice",
    "microsoft.insights",
    "microsoft.keyvault",
    "microsoft.managedidentity",
    "microsoft.network",
    "microsoft.operationalinsights",
    "microsoft.policyinsights",
    "microsoft.security",
];

/// How many exchanges of a row must agree in all or differ for a reason that is written down, and how many of all must agree
/// in all, in percent.
const LEAST: f64 = 95.0;
const STRICT: f64 = 92.0;

/// What an exchange is about.
#[derive(Debug, PartialEq)]
enum Flow {
    /// An object, sent for what comes of it.
    Object,
    /// Something else in networks.
    Beside,
    /// A step on the way to the end of an operation.
    Poll,
    List(String),
    Action(String),
    Other,
}

/// Words in whose place the URL of an operation has its kind.
const POLLS: [&str; 8] = [
    "operations",
    "nfvoperations",
    "nfvoperationresults",
    "operationstatuses",
    "operationresults",
    "privatednsoperationstatuses",
    "privatednsoperationresults",
    "commandresults",
];

fn flow(exchange: &Exchange) -> Flow {
    let path = path_of(exchange);
    if path.is_empty() {
        return Flow::Other;
    }
    let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    if exchange.method == "GET" && words.len() > 1 && POLLS.contains(&words[words.len() - 2]) {
        return Flow::Poll;
    }
    let Some((_, after)) = path.rsplit_once("/providers/") else {
        return match words.as_slice() {
            ["subscriptions", _, "resourcegroups", _] => Flow::Object,
            [_, _, kind @ ("resources" | "resourcegroups" | "locations" | "providers")] if exchange.method == "GET" => {
                Flow::List((*kind).to_owned())
            }
            _ => Flow::Other,
        };
    };
    let words: Vec<&str> = after.split('/').collect();
    if !PROVIDERS.contains(&words[0]) {
        return Flow::Other;
    }
    let kinds: Vec<&str> = words.iter().skip(1).step_by(2).copied().collect();
    let kind = format!("{}/{}", words[0], kinds.join("/"));
    match exchange.method.as_str() {
        "POST" => Flow::Action(kind),
        "GET" if words.len().is_multiple_of(2) => Flow::List(kind),
        _ if is_ours(exchange) => Flow::Object,
        _ if is_beside(exchange) => Flow::Beside,
        _ => Flow::Other,
    }
}

/// Rows whose exchanges differ, why, and what differs: any of it where nothing is named.
const REASONS: [(&str, &str, &str); 27] = [
    ("groups operationresults", "", "one version answers with a location and without"),
    ("containerservice operations", "/error", "what an operation remarks on its way is another thing each time"),
    ("containerservice operations", "/endTime", "what an operation remarks on its way is another thing each time"),
    ("containerservice operations", "504", "a gateway failed once"),
    ("microsoft.network operations", "404", "a recording mixes runs, and operations of one name are hours apart"),
    (
        "privatednsoperationstatuses",
        "",
        "a recording mixes runs; drafts of etags that fail in the end are refused at once here",
    ),
    ("fleets", "", "fleets are kept as they were written, and do nothing"),
    ("managednamespaces/listcredential", "", "managed namespaces are kept as they were written"),
    (
        "list microsoft.containerservice/managedclusters/managednamespaces",
        "",
        "managed namespaces are kept as they were written",
    ),
    (
        "list microsoft.containerservice/managedclusters/loadbalancers",
        "",
        "balancers of clusters are kept as they were written",
    ),
    (
        "list microsoft.containerservice/locations/kubernetesversions",
        "/isPreview",
        "which version is a preview changes with time",
    ),
    ("managedclusters/abort", "/addonProfiles", "a policy of the recorded subscription switched it on"),
    ("list resources", "", "the inventory is cut into pages where Azure's own parts end, and knows who made what"),
    ("list microsoft.authorization", "", "shows what others have in the recorded directory"),
    ("list microsoft.insights/diagnosticsettings", "", "shows what others have in the recorded subscription"),
    (
        "list microsoft.keyvault/deletedvaults",
        "/purgeProtectionEnabled",
        "shows what others have in the recorded subscription",
    ),
    ("deletedvaults/purge", "404", "a vault that was deleted twice in one recording is deleted once here"),
    ("list microsoft.network/firewallpolicies", "", "shows what others have in the recorded subscription"),
    ("list microsoft.network/networksecuritygroups", "", "shows what others have in the recorded subscription"),
    ("list microsoft.network/virtualnetworks", "", "shows what others have in the recorded subscription"),
    ("list microsoft.network/locations", "", "what can be had in a region is not modelled"),
    ("publicipaddresses/ddosprotectionstatus", "", "protection against floods is not modelled"),
    (
        "list microsoft.containerregistry/registries/privateendpointconnections",
        "",
        "what became of a connection is not modelled",
    ),
    ("operationalinsights", "", "solutions, columns and deleted workspaces are only counted"),
    ("policyinsights", "", "remediations are kept as they were written, and compliance is not worked out"),
    ("list microsoft.security/securitycontacts", "", "contacts are kept as they were written"),
    ("list microsoft.managedidentity/operations", "", "what can be done to a type is not listed"),
];

/// Why an exchange differs, where that is known of all that differs.
fn reason(row: &str, exchange: &Exchange, found: &[(Aspect, String)]) -> Option<&'static str> {
    let known = |what: &str| {
        let fits = |(of, part, _): &&(&str, &str, &str)| row.contains(of) && what.contains(part);
        REASONS.iter().find(fits).map(|(_, _, why)| *why)
    };
    let first = found.first().and_then(|(_, what)| known(what))?;
    let gone = exchange.status >= 500 || found.iter().any(|(_, what)| what.contains("404"));
    (gone || found.iter().all(|(_, what)| known(what).is_some())).then_some(first)
}

/// The last name in the path of a URL.
fn token(url: &str) -> String {
    url.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
}

/// Whether a recorded answer says that the end is not reached.
fn runs(exchange: &Exchange) -> bool {
    let status = exchange.response_body["status"].as_str().unwrap_or("Succeeded");
    exchange.status == 202 || !matches!(status, "Succeeded" | "Failed" | "Canceled")
}

/// Where a page begins, in the words of a URL.
fn skip_token(url: &str) -> String {
    let lower = url.to_ascii_lowercase().replace("%24", "$");
    lower.split_once("$skiptoken=").map_or("", |(_, token)| token.split('&').next().unwrap_or_default()).to_owned()
}

struct Follower {
    replay: Replay,
    /// Where a recorded operation is in this world.
    links: BTreeMap<String, String>,
}

impl Follower {
    /// Notes where the operation is that an answer leads to.
    fn note(&mut self, at: usize, reply: &Reply) {
        let exchange = &self.replay.exchanges[at];
        for name in ["azure-asyncoperation", "location"] {
            let (said, ours) = (self.replay.recorded(exchange, name), reply.header(name));
            if !said.is_empty() && !ours.is_empty() {
                self.links.insert(format!("{name} {}", token(&said)), ours.to_owned());
            }
        }
    }

    /// Notes where the next page of a list is.
    fn note_page(&mut self, at: usize, reply: &Reply) {
        let exchange = &self.replay.exchanges[at];
        let said = skip_token(exchange.response_body["nextLink"].as_str().unwrap_or_default());
        if let (false, Some(ours)) = (said.is_empty(), reply.body["nextLink"].as_str()) {
            self.links.insert(format!("page {said}"), ours.to_owned());
        }
    }

    /// Where a recorded URL of an operation is in this world.
    fn link(&self, exchange: &Exchange) -> Option<&String> {
        let token = token(&exchange.url);
        let path = path_of(exchange);
        let result = path.contains("results/");
        let names = if result { ["location", "azure-asyncoperation"] } else { ["azure-asyncoperation", "location"] };
        names.iter().find_map(|name| self.links.get(&format!("{name} {token}")))
    }

    /// Puts what a list shows, and what an action is done to, into the world.
    fn presume(&self, exchange: &Exchange, action: bool) {
        if exchange.status >= 300 {
            return;
        }
        let path = self.replay.path(exchange);
        if let Some((group, _)) = path.split_once("/providers/").filter(|(group, _)| group.matches('/').count() == 4) {
            self.replay.put(group);
        }
        let above = path.rsplit_once('/').map(|(above, _)| above.to_owned()).unwrap_or_default();
        let above_is_object = path_is_object(&above);
        if above_is_object {
            let mut parents = vec![above];
            while let Some((parent, _)) = parents
                .last()
                .and_then(|last| last.rsplit_once('/'))
                .and_then(|(kind, _)| kind.rsplit_once('/'))
                .filter(|(parent, _)| path_is_object(parent))
            {
                parents.push(parent.to_owned());
            }
            parents.iter().rev().for_each(|parent| self.replay.put(parent));
        }
        if action {
            return;
        }
        let body = self.replay.ours_json(&exchange.response_body, exchange);
        for item in body["value"].as_array().into_iter().flatten() {
            let Some(id) = item["id"].as_str() else { continue };
            let placed = ["/resourceGroups/", "/resourcegroups/", "/providers/"].iter().any(|word| id.contains(word));
            if placed && !self.replay.has(id) {
                let _ = self.replay.azure.emulator.god().put_object(id, item.clone());
            }
        }
    }

    async fn step(&mut self, at: usize, table: &mut Table) {
        let flow = flow(&self.replay.exchanges[at]);
        let exchange = &self.replay.exchanges[at];
        // Time passes, but for an operation that was seen running.
        if flow != Flow::Poll || !runs(exchange) {
            pass(1500).await;
            self.replay.azure = Azure::with(Arc::clone(&self.replay.azure.emulator)).await;
        }
        let exchange = &self.replay.exchanges[at];
        let (row, reply) = match flow {
            Flow::Other => return,
            Flow::Beside => return self.replay.happen(at),
            Flow::Object => {
                let reply = self.replay.send(at).await;
                return self.note(at, &reply);
            }
            Flow::Poll => {
                let Some(link) = self.link(exchange).cloned() else { return };
                let path = path_of(exchange);
                let provider = path
                    .rsplit_once("/providers/")
                    .map_or("groups", |(_, after)| after.split('/').next().unwrap_or_default());
                let kind = path.rsplit('/').nth(1).unwrap_or_default();
                let reply = self.replay.send_to(&link, exchange).await;
                (format!("{provider} {kind}"), reply)
            }
            Flow::List(kind) => {
                self.replay.presume_rights(exchange).await;
                self.presume(exchange, false);
                let page = self.links.get(&format!("page {}", skip_token(&exchange.url)));
                let url = page.cloned().unwrap_or_else(|| self.replay.ours(&exchange.url, exchange));
                (format!("list {kind}"), self.replay.send_to(&url, exchange).await)
            }
            Flow::Action(kind) => {
                self.replay.presume_rights(exchange).await;
                self.presume(exchange, true);
                let url = self.replay.ours(&exchange.url, exchange);
                (format!("POST {kind}"), self.replay.send_to(&url, exchange).await)
            }
        };
        let body = self.replay.ours_json(&exchange.response_body, exchange);
        let header = |name: &str| self.replay.recorded(exchange, name);
        let said = Side { status: exchange.status, header: &header, body: &body };
        let answered = Side { status: reply.status, header: &|name| reply.header(name).to_owned(), body: &reply.body };
        let mut found = agreement::differences(&said, &answered);
        // The id of an operation is drawn.
        let drawn = row.contains("operation") || row.contains("commandresults");
        found.retain(|(aspect, _)| *aspect != Aspect::Ids || !drawn);
        table.count(&row, &found, reason(&row, exchange, &found));
        self.note(at, &reply);
        self.note_page(at, &reply);
    }
}

/// Whether a path is that of an object of a provider.
fn path_is_object(path: &str) -> bool {
    path.rsplit_once("/providers/").is_some_and(|(_, after)| after.split('/').count() % 2 == 1 && after.contains('/'))
}

#[tokio::test(start_paused = true)]
async fn lists_actions_and_operations() {
    let Some(recordings) = recordings() else { return };
    let mut table = Table::default();
    for (name, exchanges) in recordings {
        let options = Options { rate_limits: false, ..Options::default() };
        let replay = Replay { azure: Azure::open(options).await, name, exchanges };
        let mut follower = Follower { replay, links: BTreeMap::new() };
        for at in 0..follower.replay.exchanges.len() {
            follower.step(at, &mut table).await;
        }
    }
    #[allow(clippy::print_stdout, reason = "the agreement is read with --nocapture")]
    {
        println!("{}", table.shown());
    }
    assert_eq!(table.below(LEAST), Vec::<String>::new(), "too little agreement");
    let strict = table.strict();
    assert!(strict >= STRICT, "only {strict:.1}% agree in all");
}
