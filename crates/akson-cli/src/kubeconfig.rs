//! Kubeconfigs for kubelogin: a way to a cluster without a secret in it. Pure: what is asked of Azure and what is written to disk is in
//! `commands/kubeconfig.rs`; putting one into a file that has others is in `kubeconfig/merge.rs`.

pub(crate) mod merge;

use akson_catalog::ArmId;
use akson_planner::Way;
use base64::Engine as _;
use serde_json::{Value, json};

use crate::arguments::{Cloud, Login};

/// The application that AKS's API servers are to Entra ID, where Azure does not name another.
const SERVER_APP: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
/// The public client that people sign in with, where Azure does not name another.
const CLIENT_APP: &str = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";

/// How a cluster is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterAccess {
    /// The cluster's name.
    pub name: String,
    /// The resource group's.
    pub resource_group: String,
    /// The API server: `https://…:443`.
    pub server: String,
    /// The certificate of its authority, base64 of PEM; without one, the authorities that the machine trusts count.
    pub authority: Option<String>,
    /// What leads to it, where its name leads nowhere: a running emulator.
    pub proxy: Option<String>,
    /// The tenant that its users are in.
    pub tenant: String,
    /// What tokens are asked for.
    pub server_app: String,
    /// What people sign in with.
    pub client_app: String,
}

/// How kubelogin signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SignIn {
    /// The application's client id, where the mode has one and the environment does not say it.
    pub client_id: Option<String>,
    /// The ARM id of a managed identity.
    pub identity: Option<String>,
}

/// Why Azure's answer says no way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAccess {
    /// The cluster is not integrated with Entra ID, so there is nothing to sign in to.
    NoEntra,
    /// The credential is no kubeconfig.
    Unreadable,
}

/// Reads the way in from a cluster's object and the kubeconfig that Azure makes for its users. A credential in that stays there.
pub(crate) fn access(id: &ArmId, object: &Value, kubeconfig: &str, tenant: &str) -> Result<ClusterAccess, NoAccess> {
    let entra = object.pointer("/properties/aadProfile").filter(|profile| profile.is_object());
    let entra = entra.ok_or(NoAccess::NoEntra)?;
    let text = base64::engine::general_purpose::STANDARD.decode(kubeconfig).map_err(|_| NoAccess::Unreadable)?;
    let text = String::from_utf8(text).map_err(|_| NoAccess::Unreadable)?;
    let config: Value = serde_saphyr::from_str(&text).map_err(|_| NoAccess::Unreadable)?;
    let cluster = |key: &str| config.pointer(&format!("/clusters/0/cluster/{key}")).and_then(Value::as_str);
    let argument = |flag: &str| {
        let all = config.pointer("/users/0/user/exec/args")?.as_array()?;
        let at = all.iter().position(|argument| argument.as_str() == Some(flag))?;
        all.get(at + 1)?.as_str()
    };
    let own_tenant = entra.get("tenantID").and_then(Value::as_str).filter(|tenant| !tenant.is_empty());
    Ok(ClusterAccess {
        name: id.name().to_owned(),
        resource_group: id.resource_group().unwrap_or_default().to_owned(),
        server: cluster("server").ok_or(NoAccess::Unreadable)?.to_owned(),
        authority: cluster("certificate-authority-data").filter(|text| !text.is_empty()).map(str::to_owned),
        proxy: None,
        tenant: own_tenant.or_else(|| argument("--tenant-id")).unwrap_or(tenant).to_owned(),
        server_app: argument("--server-id").unwrap_or(SERVER_APP).to_owned(),
        client_app: argument("--client-id").unwrap_or(CLIENT_APP).to_owned(),
    })
}

/// The way in from a cluster's object and what the ledger remembers.
pub(crate) fn remembered(id: &ArmId, object: &Value, way: &Way, tenant: &str) -> Result<ClusterAccess, NoAccess> {
    let entra = object.pointer("/properties/aadProfile").filter(|profile| profile.is_object());
    let entra = entra.ok_or(NoAccess::NoEntra)?;
    let own_tenant = entra.get("tenantID").and_then(Value::as_str).filter(|tenant| !tenant.is_empty());
    let authority = base64::engine::general_purpose::STANDARD.encode(&way.authority);
    Ok(ClusterAccess {
        name: id.name().to_owned(),
        resource_group: id.resource_group().unwrap_or_default().to_owned(),
        server: format!("https://{}:443", way.host),
        authority: (!authority.is_empty()).then_some(authority),
        proxy: None,
        tenant: own_tenant.unwrap_or(tenant).to_owned(),
        server_app: SERVER_APP.to_owned(),
        client_app: CLIENT_APP.to_owned(),
    })
}

/// The kubeconfig, in the order that kubectl writes one.
pub(crate) fn kubeconfig(
    cluster: &ClusterAccess,
    cloud: Cloud,
    mode: Login,
    sign_in: &SignIn,
    context: Option<&str>,
) -> Value {
    let user = format!("clusterUser_{}_{}", cluster.resource_group, cluster.name);
    let context = context.unwrap_or(&cluster.name);
    let mut reached = serde_json::Map::new();
    if let Some(authority) = &cluster.authority {
        reached.insert("certificate-authority-data".to_owned(), authority.as_str().into());
    }
    if let Some(proxy) = &cluster.proxy {
        reached.insert("proxy-url".to_owned(), proxy.as_str().into());
    }
    reached.insert("server".to_owned(), cluster.server.as_str().into());
    json!({
        "apiVersion": "v1",
        "clusters": [{ "cluster": reached, "name": cluster.name }],
        "contexts": [{ "context": { "cluster": cluster.name, "user": user }, "name": context }],
        "current-context": context,
        "kind": "Config",
        "preferences": {},
        "users": [{
            "name": user,
            "user": {
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1beta1",
                    "args": arguments(cluster, cloud, mode, sign_in),
                    "command": "kubelogin",
                    "env": null,
                    "provideClusterInfo": false,
                },
            },
        }],
    })
}

/// What kubelogin is called with.
fn arguments(cluster: &ClusterAccess, cloud: Cloud, mode: Login, sign_in: &SignIn) -> Vec<String> {
    let mut all = vec!["get-token".to_owned()];
    let mut flag = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            all.extend([name.to_owned(), value.to_owned()]);
        }
    };
    flag("--login", Some(mode.as_str()));
    flag("--server-id", Some(&cluster.server_app));
    let own = sign_in.client_id.as_deref();
    match mode {
        // Whoever is signed in there says tenant and cloud.
        Login::Azurecli | Login::Azd => {}
        Login::Devicecode | Login::Interactive => {
            flag("--client-id", Some(own.unwrap_or(&cluster.client_app)));
            flag("--tenant-id", Some(&cluster.tenant));
            flag("--environment", Some(environment(cloud)));
        }
        Login::Spn => {
            flag("--client-id", own);
            flag("--tenant-id", Some(&cluster.tenant));
            flag("--environment", Some(environment(cloud)));
        }
        Login::Msi => {
            flag("--client-id", own);
            flag("--identity-resource-id", sign_in.identity.as_deref());
        }
        // The webhook's environment says the rest.
        Login::Workloadidentity => flag("--client-id", own),
    }
    all
}

/// The cloud in kubelogin's words.
fn environment(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Public | Cloud::Emulator => "AzurePublicCloud",
        Cloud::Usgov => "AzureUSGovernmentCloud",
        Cloud::China => "AzureChinaCloud",
    }
}

/// The way to clusters of an emulator at this address: it answers for their names to whoever asks it as a proxy.
pub(crate) fn proxy(emulator: &str) -> String {
    emulator.trim_end_matches('/').replacen("https://", "http://", 1)
}

/// The text of a kubeconfig.
pub(crate) fn yaml(config: &Value) -> String {
    serde_saphyr::to_string(config).expect("JSON is YAML")
}

#[cfg(test)]
mod tests;
