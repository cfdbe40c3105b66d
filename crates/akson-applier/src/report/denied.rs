//! A missing right, to a diagnostic that says which one, where, and how to get it. What Azure says is read for what it names, and is told
//! as Azure's all the same.

use akson_azure::AzureError;
use akson_catalog::{
    kind::Plane,
    rights::{self, Right},
};
use akson_diagnostics::{Diagnostic, SafeText};

/// Who asked for what, as far as the request says it.
pub(super) struct Asked<'a> {
    /// Of which plane.
    pub(super) plane: Plane,
    /// The id or path of what was asked for.
    pub(super) path: &'a str,
    /// Whether it was to be changed.
    pub(super) writes: bool,
}

/// What a refusal names.
#[derive(Debug, PartialEq, Eq)]
struct Lack {
    /// The action.
    action: String,
    /// Whether it is one on data.
    on_data: bool,
    /// Where.
    scope: String,
    /// The principal's object id, where it is told.
    principal: Option<String>,
}

/// Says what is lacking and how to get it; `done` is what to do after that.
pub(super) fn explain(diagnostic: Diagnostic, error: &AzureError, asked: &Asked<'_>, done: &str) -> Diagnostic {
    if let Some(lack) = lack(error, asked) {
        return with_role(diagnostic, &lack, done);
    }
    let told = |code: &str| error.says(code);
    if asked.plane == Plane::Graph {
        return with_permission(diagnostic, asked, done);
    }
    let help = if told("ForbiddenByPolicy") {
        "add the permission to the vault's access policies, or let roles decide with `access = rbac`"
    } else if told("ForbiddenByFirewall") || told("ForbiddenByConnection") {
        "this is the vault's network and not a role: run from a network that it admits, or admit this machine's address"
    } else {
        "give it a role that includes what Azure names"
    };
    diagnostic.help(format!("{help}; {done}"))
}

fn with_role(diagnostic: Diagnostic, lack: &Lack, done: &str) -> Diagnostic {
    let (action, scope) = (SafeText(&lack.action), grant_at(lack));
    let kind = if lack.on_data { "data action" } else { "action" };
    let diagnostic = diagnostic.note(format!("it lacks the {kind} `{action}` on `{}`", SafeText(&lack.scope)));
    let right = if lack.on_data { Right::Data(&lack.action) } else { Right::Action(&lack.action) };
    let Some(role) = rights::role_with(right) else {
        return diagnostic.help(format!("give it a role that has this {kind} there; {done}"));
    };
    let principal = lack.principal.as_deref().unwrap_or("OBJECT-ID");
    let (principal, scope) = (SafeText(principal), SafeText(&scope));
    let role = &role.name;
    diagnostic
        .note(format!(
            "the role `{role}` has it: `az role assignment create --assignee {principal} --role \"{role}\" --scope {scope}`"
        ))
        .help(format!(
            "let somebody who may give it that role there, by the command above or by a block of another stack: `grant \"NAME\" {{ to = \"{principal}\", role = \"{role}\", on = … }}`; {done}"
        ))
}

fn with_permission(diagnostic: Diagnostic, asked: &Asked<'_>, done: &str) -> Diagnostic {
    let mut parts = asked.path.split(['/', '?', '(']).filter(|part| !part.is_empty());
    let collection = parts.find(|part| !matches!(*part, "v1.0" | "Microsoft.Graph")).unwrap_or_default();
    let Some(right) = rights::graph(collection, asked.writes) else {
        return diagnostic.help(format!("give it the permission of Microsoft Graph for this; {done}"));
    };
    let (permission, role) = (&right.permission, &right.directory_role);
    diagnostic
        .note(format!("it lacks the permission `{permission}` of Microsoft Graph, or as a person the directory role `{role}`"))
        .help(format!(
            "let an administrator of the directory give the application `{permission}` as an application permission and consent to it; {done}"
        ))
}

/// Where the role is to be given: what exists already. A thing that is to be made does not.
fn grant_at(lack: &Lack) -> String {
    let scope = lack.scope.as_str();
    let lower = scope.to_ascii_lowercase();
    // A grant, lock, policy or setting lies on something else: that is what the right is on.
    for extension in
        ["/providers/microsoft.authorization/", "/providers/microsoft.insights/", "/providers/microsoft.security/"]
    {
        if let Some(at) = lower.rfind(extension).filter(|at| *at > 0) {
            return scope[..at].to_owned();
        }
    }
    let writes = lack.action.ends_with("/write") && !lack.on_data;
    let in_group = lower.find("/resourcegroups/").map(|at| at + "/resourcegroups/".len());
    match in_group {
        Some(start) if writes => {
            let end = lower[start..].find('/').map_or(lower.len(), |at| start + at);
            // The group itself is made in its subscription.
            if end == lower.len() {
                scope[..start - "/resourcegroups/".len()].to_owned()
            } else {
                scope[..end].to_owned()
            }
        }
        _ => scope.to_owned(),
    }
}

/// What a refusal names, in whichever service's words.
fn lack(error: &AzureError, asked: &Asked<'_>) -> Option<Lack> {
    let texts = std::iter::once(&error.message).chain(error.details.iter().map(|(_, message)| message));
    texts.into_iter().find_map(|text| arm(text).or_else(|| vault(text)).or_else(|| cluster(text, asked.path)))
}

/// `The client '…' with object id '…' does not have authorization to perform action '…' over scope '…'`, and of what a request refers
/// to: `… does not have permission to perform action(s) '…' on the linked scope(s) '…'`.
fn arm(text: &str) -> Option<Lack> {
    let principal = quoted(text, "object id ", '\'').map(str::to_owned);
    let made = |action: &str, scope: &str| Lack {
        action: action.to_owned(),
        on_data: false,
        scope: scope.to_owned(),
        principal: principal.clone(),
    };
    if let (Some(action), Some(scope)) = (quoted(text, "action(s) ", '\''), quoted(text, "linked scope(s) ", '\'')) {
        let first = |list: &str| list.split(',').next().unwrap_or_default().trim().to_owned();
        return Some(made(&first(action), &first(scope)));
    }
    Some(made(quoted(text, "perform action ", '\'')?, quoted(text, "scope ", '\'')?))
}

/// `Caller: appid=…;oid=…;…` and, each on a line, `Action: '…'`, `Resource: '…'`.
fn vault(text: &str) -> Option<Lack> {
    let (action, scope) = (quoted(text, "Action: ", '\'')?, quoted(text, "Resource: ", '\'')?);
    let principal = text.split_once(";oid=").and_then(|(_, rest)| rest.split(';').next()).map(str::to_owned);
    // A role on the vault is what people give; one on a single secret is possible, and rarely meant.
    let scope = scope.to_ascii_lowercase().find("/secrets/").map_or(scope, |at| &scope[..at]);
    Some(Lack { action: action.to_owned(), on_data: true, scope: scope.to_owned(), principal })
}

/// `… is forbidden: User "…" cannot create resource "configmaps" in API group "" in the namespace "…"`
fn cluster(text: &str, path: &str) -> Option<Lack> {
    let verb = text.split_once("\" cannot ")?.1.split_once(' ')?.0;
    let (plural, group) = (quoted(text, "resource ", '"')?, quoted(text, "API group ", '"')?);
    let verb = match verb {
        "get" | "list" | "watch" => "read",
        "delete" | "deletecollection" => "delete",
        _ => "write",
    };
    let group = if group.is_empty() { String::new() } else { format!("{group}/") };
    let lower = path.to_ascii_lowercase();
    let start = lower.find("/managedclusters/")? + "/managedclusters/".len();
    let end = lower[start..].find(['/', '~', '?']).map_or(lower.len(), |at| start + at);
    let cluster = &path[..end];
    let scope = match quoted(text, "in the namespace ", '"') {
        // A namespace that is to be made is made in the cluster.
        Some(namespace) if plural != "namespaces" => format!("{cluster}/namespaces/{namespace}"),
        _ => cluster.to_owned(),
    };
    let principal = quoted(text, "User ", '"').map(str::to_owned);
    let action = format!("Microsoft.ContainerService/managedClusters/{group}{plural}/{verb}");
    Some(Lack { action, on_data: true, scope, principal })
}

/// What stands in quotes after some words.
fn quoted<'a>(text: &'a str, after: &str, quote: char) -> Option<&'a str> {
    let at = text.find(&format!("{after}{quote}"))? + after.len() + quote.len_utf8();
    let rest = &text[at..];
    rest.find(quote).map(|end| &rest[..end])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    fn error(code: &str, message: &str) -> AzureError {
        AzureError { status: 403, code: code.to_owned(), message: message.to_owned(), details: Vec::new() }
    }

    #[track_caller]
    fn check(plane: Plane, path: &str, message: &str, notes: &[&str]) {
        let asked = Asked { plane, path, writes: true };
        let diagnostic = explain(
            Diagnostic::error(crate::codes::DENIED, "x"),
            &error("Forbidden", message),
            &asked,
            "then run it again",
        );
        assert_eq!(diagnostic.notes, notes);
        assert!(diagnostic.help.as_ref().is_some_and(|help| help.ends_with("then run it again")), "{diagnostic:?}");
    }

    #[test]
    fn of_the_resource_manager() {
        check(
            Plane::Arm,
            "",
            "The client 'c' with object id 'o' does not have authorization to perform action 'Microsoft.KeyVault/vaults/write' over scope '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v' or the scope is invalid.",
            &[
                "it lacks the action `Microsoft.KeyVault/vaults/write` on `/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v`",
                "the role `Key Vault Contributor` has it: `az role assignment create --assignee o --role \"Key Vault Contributor\" --scope /subscriptions/s/resourceGroups/g`",
            ],
        );
        check(
            Plane::Arm,
            "",
            "The client 'c' with object id 'o' has permission to perform action 'Microsoft.ContainerService/managedClusters/write' on scope '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c'; however, it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '/subscriptions/s/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s' (respectively) or the linked scope(s) are invalid.",
            &[
                "it lacks the action `Microsoft.Network/virtualNetworks/subnets/join/action` on `/subscriptions/s/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s`",
                "the role `Network Contributor` has it: `az role assignment create --assignee o --role \"Network Contributor\" --scope /subscriptions/s/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s`",
            ],
        );
    }

    #[test]
    fn of_a_vault() {
        check(
            Plane::KeyVault,
            "",
            "Caller is not authorized to perform action on resource.\r\nCaller: appid=a;oid=o;iss=https://x/\r\nAction: 'Microsoft.KeyVault/vaults/secrets/setSecret/action'\r\nResource: '/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/v/secrets/n'\r\nAssignment: (not found)\r\n",
            &[
                "it lacks the data action `Microsoft.KeyVault/vaults/secrets/setSecret/action` on `/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/v`",
                "the role `Key Vault Secrets Officer` has it: `az role assignment create --assignee o --role \"Key Vault Secrets Officer\" --scope /subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/v`",
            ],
        );
    }

    #[test]
    fn of_a_cluster() {
        let cluster = "/subscriptions/s/resourcegroups/g/providers/microsoft.containerservice/managedclusters/c";
        let path = format!("{cluster}/namespaces/shop/configmaps/x");
        check(
            Plane::Kubernetes,
            &path,
            "configmaps \"x\" is forbidden: User \"o\" cannot patch resource \"configmaps\" in API group \"\" in the namespace \"shop\": User does not have access to the resource in Azure.",
            &[
                &format!(
                    "it lacks the data action `Microsoft.ContainerService/managedClusters/configmaps/write` on `{cluster}/namespaces/shop`"
                ),
                &format!(
                    "the role `Azure Kubernetes Service RBAC Writer` has it: `az role assignment create --assignee o --role \"Azure Kubernetes Service RBAC Writer\" --scope {cluster}/namespaces/shop`"
                ),
            ],
        );
        check(
            Plane::Kubernetes,
            &path,
            "clusterroles.rbac.authorization.k8s.io is forbidden: User \"o\" cannot list resource \"clusterroles\" in API group \"rbac.authorization.k8s.io\" at the cluster scope",
            &[
                &format!(
                    "it lacks the data action `Microsoft.ContainerService/managedClusters/rbac.authorization.k8s.io/clusterroles/read` on `{cluster}`"
                ),
                &format!(
                    "the role `Azure Kubernetes Service RBAC Admin` has it: `az role assignment create --assignee o --role \"Azure Kubernetes Service RBAC Admin\" --scope {cluster}`"
                ),
            ],
        );
    }

    #[test]
    fn of_the_directory() {
        check(
            Plane::Graph,
            "/v1.0/groups(uniqueName='x')",
            "Insufficient privileges to complete the operation.",
            &[
                "it lacks the permission `Group.ReadWrite.All` of Microsoft Graph, or as a person the directory role `Groups Administrator`",
            ],
        );
    }

    #[test]
    fn a_role_is_given_where_something_is() {
        let at = |action: &str, scope: &str| {
            grant_at(&Lack { action: action.to_owned(), on_data: false, scope: scope.to_owned(), principal: None })
        };
        assert_eq!(
            at("Microsoft.Resources/subscriptions/resourceGroups/write", "/subscriptions/s/resourceGroups/g"),
            "/subscriptions/s"
        );
        let vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v";
        assert_eq!(at("Microsoft.KeyVault/vaults/delete", vault), vault);
        let grant = format!("{vault}/providers/Microsoft.Authorization/roleAssignments/x");
        assert_eq!(at("Microsoft.Authorization/roleAssignments/write", &grant), vault);
        assert_eq!(
            at("Microsoft.Security/pricings/write", "/subscriptions/s/providers/Microsoft.Security/pricings/x"),
            "/subscriptions/s"
        );
    }
}
