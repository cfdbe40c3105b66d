//! Recorded traffic of the real services, replayed: status, error code, headers that steer a client,
//! spelling of ids. The recordings are not part of the repository: they are found by
//! `AKSON_AZURE_DATA`, else beside it; without them the test says so and passes.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use akson_emulator::Options;
use serde_json::{Value, json};

use crate::agreement::{self, Side, Table};
use crate::support::{Azure, Reply, pass};

#[derive(serde::Deserialize)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) request_body: Value,
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) response_headers: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) response_body: Value,
}

pub(crate) fn folder() -> PathBuf {
    let data = std::env::var_os("AKSON_AZURE_DATA").map(PathBuf::from);
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/azure");
    data.unwrap_or_else(beside).join("recordings")
}

/// How many of a type's exchanges must agree in all or differ for a reason that is written down, in percent.
const LEAST: f64 = 95.0;
/// How many of all must agree in all, in percent.
const STRICT: f64 = 97.0;

/// The types whose items are compared, besides those of `is_ours`.
const TYPES: [&str; 21] = [
    "microsoft.containerregistry/registries",
    "microsoft.containerservice/managedclusters",
    "microsoft.containerservice/managedclusters/agentpools",
    "microsoft.containerservice/managedclusters/maintenanceconfigurations",
    "microsoft.insights/diagnosticsettings",
    "microsoft.network/azurefirewalls",
    "microsoft.network/firewallpolicies",
    "microsoft.network/firewallpolicies/rulecollectiongroups",
    "microsoft.network/natgateways",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/privatednszones",
    "microsoft.network/privatednszones/virtualnetworklinks",
    "microsoft.network/privateendpoints",
    "microsoft.network/privateendpoints/privatednszonegroups",
    "microsoft.network/publicipaddresses",
    "microsoft.network/routetables",
    "microsoft.network/routetables/routes",
    "microsoft.network/virtualnetworks",
    "microsoft.network/virtualnetworks/subnets",
    "microsoft.operationalinsights/workspaces",
];

/// The type of an item that a path in lower case leads to; empty if it leads to something else.
pub(crate) fn type_of(path: &str) -> String {
    let Some((_, after)) = path.rsplit_once("/providers/") else { return String::new() };
    let words: Vec<&str> = after.split('/').collect();
    if words.len().is_multiple_of(2) {
        return String::new();
    }
    let kinds: Vec<&str> = words.iter().skip(1).step_by(2).copied().collect();
    format!("{}/{}", words[0], kinds.join("/"))
}

pub(crate) fn path_of(exchange: &Exchange) -> String {
    let path = exchange.url.strip_prefix("https://management.azure.com").unwrap_or_default();
    path.split('?').next().unwrap_or_default().to_ascii_lowercase()
}

/// Whether the rules of an exchange's type are known here.
pub(crate) fn is_ours(exchange: &Exchange) -> bool {
    let path = path_of(exchange);
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    if is_new(exchange) {
        return true;
    }
    match segments.as_slice() {
        ["subscriptions", _, "resourcegroups", _]
        | ["subscriptions", .., "providers", "microsoft.authorization", "locks", _]
        | ["subscriptions", _, "providers", "microsoft.security", "pricings", _]
        | ["subscriptions", _, "providers", "microsoft.keyvault", "locations", _, "deletedvaults", _, ..]
        | ["subscriptions", _, "resourcegroups", _, "providers", "microsoft.keyvault", "vaults", _] => true,
        [
            "subscriptions",
            _,
            "resourcegroups",
            _,
            "providers",
            "microsoft.managedidentity",
            "userassignedidentities",
            rest @ ..,
        ] => {
            matches!(rest.len(), 1 | 3)
        }
        [
            "subscriptions",
            ..,
            "providers",
            "microsoft.authorization",
            "roleassignments"
            | "roledefinitions"
            | "policyassignments"
            | "policydefinitions"
            | "policysetdefinitions"
            | "policyexemptions",
            _,
        ] => true,
        _ => false,
    }
}

/// Whether it is about an item of one of [`TYPES`], in a group.
fn is_new(exchange: &Exchange) -> bool {
    let path = path_of(exchange);
    path.contains("/resourcegroups/") && TYPES.contains(&type_of(&path).as_str())
}

/// Whether it is about something else in networks, which what is compared shows itself connected to.
pub(crate) fn is_beside(exchange: &Exchange) -> bool {
    let path = path_of(exchange);
    path.contains("/resourcegroups/") && type_of(&path).starts_with("microsoft.network/") && !is_new(exchange)
}

/// What is compared, in words.
///
/// `said` is the recorded body: what it leaves out (old versions have no `type`) is not compared.
fn facts(status: u16, headers: &dyn Fn(&str) -> String, body: &Value, said: &Value, method: &str) -> Vec<String> {
    let mut facts = vec![format!("status {status}")];
    if let Some(code) = body["error"]["code"].as_str() {
        facts.push(format!("code {code}"));
    } else if let Some(code) = body["code"].as_str().filter(|_| status >= 400) {
        facts.push(format!("bare code {code} {}", body["subcode"]));
    }
    for name in ["retry-after", "azure-asyncoperation", "x-ms-failure-cause"] {
        let value = headers(name);
        facts.push(format!(
            "{name} {}",
            if name == "azure-asyncoperation" && !value.is_empty() { "yes" } else { &value }
        ));
    }
    let location = headers("location");
    let kind = match location.as_str() {
        "" => "none".to_owned(),
        url if url.starts_with("https://") => "absolute".to_owned(),
        path => path.to_owned(),
    };
    facts.push(format!("location {kind}"));
    facts.push(format!("vault service {}", !headers("x-ms-keyvault-service-version").is_empty()));
    for name in ["id", "name", "type", "location"] {
        if let Some(text) = body[name].as_str().filter(|_| said[name].is_string()) {
            facts.push(format!("{name} {text}"));
        }
    }
    if method == "PUT" && body["properties"].is_object() && body["error"].is_null() {
        facts.push(format!("state {}", body["properties"]["provisioningState"].as_str().unwrap_or("none")));
    }
    let kind = said["type"].as_str().unwrap_or_default();
    if kind.starts_with("Microsoft.Authorization/") || kind.starts_with("Microsoft.Security/") {
        for part in ["properties", "identity"] {
            let mut names: Vec<&String> = body[part].as_object().into_iter().flat_map(|part| part.keys()).collect();
            names.sort();
            facts.push(format!("{part} {names:?}"));
        }
        for name in ["createdBy", "principalType", "scope", "policyType", "mode", "pricingTier", "enforcementMode"] {
            let value = &body["properties"][name];
            let value = if name == "createdBy" { json!(value.is_null()) } else { value.clone() };
            facts.push(format!("{name} {value}"));
        }
    }
    facts
}

/// Keys that the agreement explains.
const NOT_MODELLED: [&str; 9] = [
    "controlPlanePluginProfiles",
    "enableFIPS",
    "enableLTS",
    "etag",
    "hostedSystemProfile",
    "ipConfiguration",
    "nodeTaints",
    "resourceGuid",
    "source",
];

/// Keys of a recorded body of a write that the answer lacks.
fn lacking(exchange: &Exchange, said: &Value, reply: &Reply) -> Vec<String> {
    if exchange.method != "PUT" || exchange.status >= 300 || reply.status >= 300 {
        return Vec::new();
    }
    let keys = |part: &str| -> Vec<String> {
        let (Some(said), Some(found)) = (said.pointer(part).and_then(Value::as_object), reply.body.pointer(part))
        else {
            return Vec::new();
        };
        said.keys()
            .filter(|key| found.get(key.as_str()).is_none() && !NOT_MODELLED.contains(&key.as_str()))
            .map(|key| format!("lacks {part}/{key}"))
            .collect()
    };
    [keys(""), keys("/properties")].concat()
}

/// Lays what a recording saw over what is there: an old version does not show everything. Of lists, parts of the same name
/// are laid over each other.
fn lay_over(target: &mut Value, said: Value) {
    match (target, said) {
        (Value::Object(target), Value::Object(said)) => {
            for (name, value) in said {
                lay_over(target.entry(name).or_insert(Value::Null), value);
            }
        }
        (target @ Value::Array(_), Value::Array(said)) => {
            let known = target.as_array().cloned().unwrap_or_default();
            let old = |part: &Value| known.iter().find(|old| old["name"].is_string() && old["name"] == part["name"]);
            let laid = said.into_iter().map(|part| {
                let mut whole = old(&part).cloned().unwrap_or(Value::Null);
                lay_over(&mut whole, part);
                whole
            });
            *target = laid.collect::<Vec<_>>().into();
        }
        (_, Value::Null) => {}
        (target, said) => *target = said,
    }
}

/// All ids of resources that a body names, in values and keys.
fn ids_in(value: &Value) -> Vec<String> {
    let is_id = |text: &str| text.starts_with("/subscriptions/") && text.contains("/providers/");
    match value {
        Value::String(text) if is_id(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(ids_in).collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| {
                let mut ids = ids_in(field);
                ids.extend(is_id(name).then(|| name.clone()));
                ids
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The parent of a child resource.
fn parent_of(path: &str) -> Option<String> {
    let (_, after) = path.rsplit_once("/providers/")?;
    (after.split('/').count() > 3).then(|| path.rsplitn(3, '/').nth(2).map(str::to_owned)).flatten()
}

/// One recording and the world it is replayed in.
pub(crate) struct Replay {
    pub(crate) azure: Azure,
    pub(crate) name: String,
    pub(crate) exchanges: Vec<Exchange>,
}

/// The recordings, by file name, in order; `None`, and a word about it, where there are none.
pub(crate) fn recordings() -> Option<Vec<(String, Vec<Exchange>)>> {
    let folder = folder();
    let Ok(sources) = fs::read_dir(&folder) else {
        #[allow(clippy::print_stderr, reason = "a skipped test must say so")]
        {
            eprintln!("skipped: no recordings at {}", folder.display());
        }
        return None;
    };
    let mut files: Vec<PathBuf> = sources
        .filter_map(|source| fs::read_dir(source.ok()?.path()).ok())
        .flatten()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let read = |file: &PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        let exchanges = text.lines().map(|line| {
            let mut exchange: Exchange = serde_json::from_str(line).unwrap();
            exchange.url = exchange.url.replace(".com//", ".com/");
            exchange
        });
        (file.display().to_string(), exchanges.collect())
    };
    Some(files.iter().map(read).collect())
}

impl Replay {
    /// A recorded text with the world's own subscription.
    pub(crate) fn ours(&self, text: &str, exchange: &Exchange) -> String {
        let words: Vec<&str> = exchange.url.split('/').collect();
        let ["https:", "", _, "subscriptions", recorded, ..] = words.as_slice() else { return text.to_owned() };
        let recorded = recorded.split('?').next().unwrap_or_default();
        text.replace(recorded, self.azure.subscription.trim_start_matches("/subscriptions/"))
    }

    pub(crate) fn ours_json(&self, value: &Value, exchange: &Exchange) -> Value {
        serde_json::from_str(&self.ours(&value.to_string(), exchange)).unwrap()
    }

    pub(crate) fn path(&self, exchange: &Exchange) -> String {
        let url = self.ours(&exchange.url, exchange);
        url.trim_start_matches("https://management.azure.com").split('?').next().unwrap().to_owned()
    }

    /// What the recording says of an object anywhere, to presume it before it is said.
    fn said(&self, path: &str) -> Value {
        let said = self.exchanges.iter().find(|exchange| {
            exchange.status < 300
                && exchange.response_body["id"].is_string()
                && self.path(exchange).eq_ignore_ascii_case(path)
        });
        said.map_or_else(|| json!({}), |exchange| self.ours_json(&exchange.response_body, exchange))
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        // A custom role is of the subscription, wherever it was written.
        let role = path.rsplit_once("/providers/Microsoft.Authorization/roleDefinitions/");
        let home = role.map(|(scope, name)| {
            let scope = if scope.is_empty() { "" } else { self.azure.subscription.as_str() };
            format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{name}")
        });
        self.azure.emulator.god().object(home.as_deref().unwrap_or(path)).is_some()
    }

    pub(crate) fn put(&self, path: &str) {
        if !self.has(path) {
            self.azure.emulator.god().put_object(path, self.said(path)).unwrap();
        }
    }

    /// Gives an object the state that the recording last saw before an exchange: what a service chose is
    /// sent back by clients, and is not always what the emulator would have chosen.
    fn adopt(&self, path: &str, at: usize) {
        let about = |exchange: &Exchange| exchange.status < 300 && self.path(exchange).eq_ignore_ascii_case(path);
        let shows = |exchange: &Exchange| exchange.response_body["id"].is_string() && about(exchange);
        let writes = |exchange: &Exchange| matches!(exchange.method.as_str(), "PUT" | "PATCH") && about(exchange);
        let seen = self.exchanges[..at].iter().rposition(shows);
        // Some writes are answered with nothing: what they did is in the world alone.
        if self.exchanges[..at].iter().rposition(writes) > seen && self.has(path) {
            return;
        }
        match seen.map(|seen| &self.exchanges[seen]) {
            Some(exchange) => {
                let said = self.ours_json(&exchange.response_body, exchange);
                let mut body = self.azure.emulator.god().object(path).unwrap_or_else(|| json!({}));
                lay_over(&mut body, said);
                self.azure.emulator.god().put_object(path, body).unwrap();
            }
            None => self.put(path),
        }
    }

    /// Brings the world to where the exchange presumes it: what it reads, updates or deletes is there,
    /// and what it misses is not.
    async fn presume(&self, at: usize) {
        let exchange = &self.exchanges[at];
        let path = self.path(exchange);
        let lower = path.to_ascii_lowercase();
        let body = self.ours_json(&exchange.response_body, exchange);
        let (god, fine) = (self.azure.emulator.god(), exchange.status < 300);
        if lower.contains("/deletedvaults/") {
            if let (true, Some(vault)) = (fine, body["properties"]["vaultId"].as_str()) {
                let name = vault.rsplit('/').next().unwrap().to_ascii_lowercase();
                if !god.snapshot().deleted_vaults.contains_key(&name) {
                    self.put(vault);
                    self.azure.check(&format!("DELETE {vault}"), Value::Null, "200").await;
                }
            }
            return;
        }
        let code = body["error"]["code"].as_str().unwrap_or_default();
        if let Some((group, _)) = path.split_once("/providers/").filter(|(group, _)| group.matches('/').count() > 2) {
            if fine || matches!(code, "ResourceNotFound" | "RoleAssignmentNotFound" | "PrincipalNotFound") {
                self.put(group);
            } else if code == "ResourceGroupNotFound" {
                god.delete_object(group).unwrap();
            }
        }
        if let Some((scope, _)) = path.rsplit_once("/providers/Microsoft.Authorization/")
            && scope.contains("/providers/")
        {
            match code {
                "ResourceGroupNotFound" => {}
                "ResourceNotFound" => _ = god.delete_object(scope).unwrap(),
                _ => self.put(scope),
            }
        }
        self.presume_rights(exchange).await;
        let updated = body["properties"]["provisioningState"] == "Updating" && lower.contains("/registries/");
        if exchange.method == "PUT" && exchange.status == 201 && is_new(exchange) && !updated {
            god.delete_object(&path).unwrap();
        }
        if fine && is_new(exchange) {
            for id in ids_in(&self.ours_json(&exchange.request_body, exchange)) {
                self.put(&id);
            }
            if let Some(parent) = parent_of(&path) {
                // A pool must fit the version that its cluster was given by the service of that day.
                let fits = exchange.method == "GET" || !lower.contains("/agentpools/");
                if fits { self.put(&parent) } else { self.adopt(&parent, at) }
            }
        }
        let extension = lower.contains("/providers/microsoft.authorization/");
        let vault = lower.contains("/microsoft.keyvault/vaults/") && !extension;
        let registered = body["properties"]["provisioningState"] == "Succeeded";
        let recovered = exchange.request_body["properties"]["createMode"] == "recover";
        // A registry is updated with 201, too.
        let updated = body["properties"]["provisioningState"] == "Updating" && lower.contains("/registries/");
        let presumed = match exchange.method.as_str() {
            "PUT" | "PATCH" => (exchange.status == 200 || updated) && (!vault || (registered && !recovered)),
            _ => fine,
        };
        let first_differs = lower.contains("/diagnosticsettings/") && self.has(&path);
        if exchange.method == "GET" && fine && extension && !self.has(&path) {
            god.put_object(&path, body).unwrap();
        } else if exchange.status == 204 && extension {
            god.delete_object(&path).unwrap();
        } else if presumed && is_new(exchange) && !first_differs && exchange.method != "GET" {
            self.adopt(&path, at);
        } else if presumed {
            self.put(&path);
        } else if exchange.status == 404 {
            god.delete_object(&path).unwrap();
        }
    }

    /// Lets happen what an exchange did, without a call.
    pub(crate) fn happen(&self, at: usize) {
        let exchange = &self.exchanges[at];
        let (god, path) = (self.azure.emulator.god(), self.path(exchange));
        match exchange.method.as_str() {
            "DELETE" if exchange.status < 300 => _ = god.delete_object(&path).unwrap(),
            "PUT" | "PATCH" | "GET" if exchange.status < 300 && exchange.response_body["id"].is_string() => {
                let body = self.ours_json(&exchange.response_body, exchange);
                // What it refers to is as the recording says, where it says something.
                let ids = ids_in(&body).into_iter().filter(|id| !id.eq_ignore_ascii_case(&path));
                ids.filter(|id| self.said(id)["id"].is_string()).for_each(|id| self.put(&id));
                god.put_object(&path, body).unwrap();
            }
            _ => {}
        }
    }

    /// Sends an exchange into the world that it presumes.
    pub(crate) async fn send(&self, at: usize) -> Reply {
        let exchange = &self.exchanges[at];
        self.presume(at).await;
        self.send_to(&self.ours(&exchange.url, exchange), exchange).await
    }

    /// Sends the body of an exchange with its method to a URL.
    pub(crate) async fn send_to(&self, url: &str, exchange: &Exchange) -> Reply {
        let asked = self.ours_json(&exchange.request_body, exchange);
        let call = format!("{} {}", exchange.method, url.replace(' ', "%20"));
        self.azure.send(self.azure.request(&call, &asked)).await.unwrap()
    }

    /// A header of a recorded answer; empty if there is none.
    pub(crate) fn recorded(&self, exchange: &Exchange, name: &str) -> String {
        let found = exchange.response_headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        self.ours(found.and_then(|(_, value)| value.as_str()).unwrap_or_default(), exchange)
    }

    /// Sends an exchange and says how the answer differs.
    async fn compare(&self, at: usize, table: &mut Table) -> Option<String> {
        let exchange = &self.exchanges[at];
        let reply = self.send(at).await;
        let body = self.ours_json(&exchange.response_body, exchange);
        let call = format!("{} {}", exchange.method, self.ours(&exchange.url, exchange));
        let recorded = |name: &str| self.recorded(exchange, name);
        let reason = self.known_difference(exchange, &reply);
        let said = Side { status: exchange.status, header: &recorded, body: &body };
        let answered = Side { status: reply.status, header: &|name| reply.header(name).to_owned(), body: &reply.body };
        table.count(&row_of(exchange), &agreement::differences(&said, &answered), reason);
        let mut expected = facts(exchange.status, &recorded, &body, &body, &exchange.method);
        let mut found =
            facts(reply.status, &|name| reply.header(name).to_owned(), &reply.body, &body, &exchange.method);
        if !self.name.contains("azure-service-operator") {
            // The command line's recorder drops this header.
            expected.retain(|fact| !fact.starts_with("retry-after"));
            found.retain(|fact| !fact.starts_with("retry-after"));
        }
        let lacking = if is_new(exchange) { lacking(exchange, &body, &reply) } else { Vec::new() };
        if (expected == found || reason.is_some()) && lacking.is_empty() {
            return None;
        }
        found.extend(lacking);
        Some(format!("{}: {call}\n  recorded {expected:?}\n  answered {found:?}\n  {}", self.name, reply.text))
    }

    /// Why the emulator answers an exchange differently, where it does.
    fn known_difference(&self, exchange: &Exchange, reply: &Reply) -> Option<&'static str> {
        let (body, path) = (&exchange.response_body, path_of(exchange));
        let code = body["code"].as_str().or(body["error"]["code"].as_str()).unwrap_or_default();
        let same = reply.status == exchange.status;
        if exchange.status == 429 {
            Some("throttled at a moment that nobody else can know")
        } else if is_new(exchange) && exchange.status == 409 {
            Some("busy with what is not in the recording")
        } else if is_new(exchange)
            && exchange.status == 400
            && (matches!(code, "BadRequest" | "InvalidResourceReference" | "SystemPoolHasRestrictedTaint")
                || body["target"] == "agentPoolProfile.mode")
        {
            Some(
                "not modelled: gateways of clusters, destinations of partners, kinds of pools and references of previews",
            )
        } else if body["subcode"].as_str().is_some_and(|code| code.starts_with("GetManagedCluster_")) {
            Some("for a while after its deletion the provider itself still answers for a cluster")
        } else if reply.body["target"] == "agentPoolProfile.name" && path.contains("00000") {
            Some("the recorder made names of Windows pools longer than they can be")
        } else if same && reply.body["properties"]["provisioningState"] == "Scaling" {
            Some("a cluster whose pools change in number was seen with both words")
        } else if same && path.contains("/microsoft.operationalinsights/workspaces/") {
            Some("workspaces were seen with and without an operation, in one version")
        } else if exchange.request_body.as_str().is_some_and(|body| body.starts_with("b'")) {
            Some("the recorder kept the bytes of this body as the text of a program")
        } else if exchange.method == "DELETE" && exchange.url.contains("/policyExemptions/") {
            Some("a change that came before this delete is not in the recording")
        } else if code == "NotFound" && exchange.method == "PUT" && reply.status < 300 {
            Some("what is written at one time stands in a recording in any order")
        } else if self.name.contains("/test_fleet_hub") {
            Some("the hub of a fleet is a cluster that another service made, with a preview")
        } else if self.name.contains("Test_MySQLServerWithKubernetesReferenceUserAssignedIdentity") {
            Some("two runs in two regions are mixed in one recording")
        } else {
            None
        }
    }
}

/// The row of the table that an exchange is counted in.
fn row_of(exchange: &Exchange) -> String {
    let path = path_of(exchange);
    let kind = type_of(&path);
    if kind.is_empty() { "microsoft.resources/resourcegroups".to_owned() } else { kind }
}

#[tokio::test(start_paused = true)]
async fn exchanges_of_known_types() {
    let Some(recordings) = recordings() else { return };
    let mut compared = 0;
    let mut table = Table::default();
    let mut differences: Vec<String> = Vec::new();
    for (name, exchanges) in recordings {
        let exchanges: Vec<Exchange> = exchanges.into_iter().filter(|all| is_ours(all) || is_beside(all)).collect();
        let options = Options { rate_limits: false, ..Options::default() };
        let mut replay = Replay { azure: Azure::open(options).await, name, exchanges };
        for at in 0..replay.exchanges.len() {
            if is_ours(&replay.exchanges[at]) {
                differences.extend(replay.compare(at, &mut table).await);
                compared += 1;
            } else {
                replay.happen(at);
            }
            // Long enough for everything to settle; a token would not last.
            pass(1500).await;
            replay.azure = Azure::with(Arc::clone(&replay.azure.emulator)).await;
        }
    }
    assert!(compared > 1000, "only {compared} exchanges compared");
    #[allow(clippy::print_stdout, reason = "the agreement is read with --nocapture")]
    {
        println!("{}", table.shown());
    }
    let strict = table.strict();
    assert!(strict >= STRICT, "only {strict:.1}% agree in all");
    assert_eq!(table.below(LEAST), Vec::<String>::new(), "too little agreement");
    assert!(differences.is_empty(), "{} of {compared} differ:\n{}", differences.len(), differences.join("\n"));
}
