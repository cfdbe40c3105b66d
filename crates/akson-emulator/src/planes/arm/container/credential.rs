//! The kubeconfigs of a cluster: for users a call of kubelogin where Entra ID decides, for local
//! accounts a token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::json;

use super::Call;
use super::authority::local_token;
use super::shape::{is_on, text};
use crate::errors::{self, Outcome};
use crate::id::ResourceId;
use crate::reply;
use crate::world::Object;

/// The application that AKS API servers are to Entra ID, and the one that kubelogin is.
const SERVER: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
const CLIENT: &str = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";

/// `listClusterUserCredential[?server-fqdn=public&format=azure|exec]`.
pub(super) fn of_users(call: &Call<'_>, id: &ResourceId, cluster: &Object) -> Outcome {
    let properties = cluster.properties().cloned().unwrap_or_default();
    let managed = is_on(&properties, "aadProfile.managed");
    if !managed && is_on(&properties, "disableLocalAccounts") {
        return Err(static_credentials_off());
    }
    let group = id.place.group.as_deref().unwrap_or_default();
    let user = format!("clusterUser_{group}_{}", id.name());
    let tenant = match text(&properties, "aadProfile.tenantID") {
        "" => call.state.world.tenant.as_str(),
        tenant => tenant,
    };
    let credential = if !managed {
        format!("    token: {}\n", local_token(&call.state.world, id.key(), "clusterUser"))
    } else if call.visit.query.get("format").is_some_and(|format| format.eq_ignore_ascii_case("azure")) {
        legacy(tenant)
    } else {
        exec(tenant)
    };
    Ok(answer(call, id, cluster, "clusterUser", &user, &credential))
}

/// `listClusterAdminCredential`.
pub(super) fn of_admins(call: &Call<'_>, id: &ResourceId, cluster: &Object) -> Outcome {
    if cluster.properties().is_some_and(|properties| is_on(properties, "disableLocalAccounts")) {
        return Err(static_credentials_off());
    }
    let group = id.place.group.as_deref().unwrap_or_default();
    let user = format!("clusterAdmin_{group}_{}", id.name());
    let credential = format!("    token: {}\n", local_token(&call.state.world, id.key(), "clusterAdmin"));
    Ok(answer(call, id, cluster, "clusterAdmin", &user, &credential))
}

fn static_credentials_off() -> errors::Refusal {
    errors::container::bad_request(
        "Getting static credential isn't allowed because this cluster is set to disable local accounts.",
    )
}

fn answer(
    call: &Call<'_>,
    id: &ResourceId,
    cluster: &Object,
    name: &str,
    user: &str,
    credential: &str,
) -> reply::Answer {
    let public = call.visit.query.get("server-fqdn").is_some_and(|which| which.eq_ignore_ascii_case("public"));
    let host = match (cluster.property("privateFQDN"), cluster.property("fqdn")) {
        (private, public_name) if private.is_empty() || (public && !public_name.is_empty()) => public_name,
        (private, _) => private,
    };
    let authority = STANDARD.encode(call.authority.pem());
    // Whoever asked an address of this machine has no other way to a name of Azure's.
    let way = if call.visit.loopback {
        format!("    proxy-url: {}\n", call.visit.base.replacen("https:", "http:", 1))
    } else {
        String::new()
    };
    let config = format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {authority}\n{way}    server: https://{host}:443\n  name: {cluster}\ncontexts:\n- context:\n    cluster: {cluster}\n    user: {user}\n  name: {cluster}\ncurrent-context: {cluster}\nkind: Config\npreferences: {{}}\nusers:\n- name: {user}\n  user:\n{credential}",
        cluster = id.name(),
    );
    let body = json!({ "kubeconfigs": [{ "name": name, "value": STANDARD.encode(config) }] });
    reply::json(StatusCode::OK, &body)
}

/// A user whose token kubelogin gets.
fn exec(tenant: &str) -> String {
    let arguments = [
        "get-token",
        "--login",
        "devicecode",
        "--server-id",
        SERVER,
        "--client-id",
        CLIENT,
        "--tenant-id",
        tenant,
        "--environment",
        "AzurePublicCloud",
    ];
    let arguments: String = arguments.iter().map(|argument| format!("      - {argument}\n")).collect();
    format!(
        "    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      args:\n{arguments}      command: kubelogin\n      env: null\n      provideClusterInfo: false\n"
    )
}

/// The form before kubelogin, which kubectl itself understood once.
fn legacy(tenant: &str) -> String {
    format!(
        "    auth-provider:\n      config:\n        apiserver-id: {SERVER}\n        client-id: {CLIENT}\n        config-mode: '1'\n        environment: AzurePublicCloud\n        tenant-id: {tenant}\n      name: azure\n"
    )
}
