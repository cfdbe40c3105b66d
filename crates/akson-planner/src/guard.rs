//! What a plan does that a guard file does not allow. It looks at what would be written to Azure, not at words of the configuration: a raw
//! `resource` block is held to the same.

use akson_catalog::{Residual, SymbolicId, Value, encode::Leaf, json::unescape, kind::Plane, kind::raw::RAW, roles};
use akson_config::guard::{Allowed, Guard, Rule};
use akson_diagnostics::{Diagnostic, Diagnostics, SafeText};

use crate::{
    codes,
    place::scope_of,
    plan::{Action, Change, Plan, Work},
};

const CREDENTIAL: &str = "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials";
const ASSIGNMENT: &str = "microsoft.authorization/roleassignments";
const DEFINITION: &str = "microsoft.authorization/roledefinitions";
/// The groups whose members administer a cluster.
const ADMIN_GROUPS: &str = "/properties/aadProfile/adminGroupObjectIDs";
/// A vault's own list.
const POLICIES: &str = "/properties/accessPolicies";
/// What a cluster's admin groups have in it.
const CLUSTER_ADMIN: &str = "cluster-admin";
/// What lets vaults keep a list of their own.
const ACCESS_POLICIES: &str = "access policies";
/// Allows the issuers of clusters of the stack.
const OWN_CLUSTER: &str = "cluster";
/// Allows principals of the stack.
const DECLARED: &str = "declared";
/// What a ledger is whose place is a file.
pub const LOCAL_LEDGER: &str = "local";

/// Reports everything that is not allowed; `ledger` is where it is kept, [`LOCAL_LEDGER`] for a file.
pub fn check(guard: &Guard, plan: &Plan, ledger: &str, diagnostics: &mut Diagnostics) {
    let mut against = Against { guard, plan, diagnostics };
    against.stack(ledger);
    for change in &plan.changes {
        match (change.action, &change.work) {
            (Action::NoOp | Action::Forget, _) => continue,
            (Action::Delete, _) => against.deletes(change),
            (_, Work::Write { leaves, .. } | Work::Record { leaves }) => {
                if change.action == Action::Replace {
                    against.deletes(change);
                }
                against.writes(change, leaves);
            }
            _ => {}
        }
        against.place(change);
    }
}

struct Against<'a> {
    guard: &'a Guard,
    plan: &'a Plan,
    diagnostics: &'a mut Diagnostics,
}

impl Against<'_> {
    fn stack(&mut self, ledger: &str) {
        let plan = self.plan;
        self.must(Rule::Tenants, None, "the tenant", &plan.tenant, |allowed| matches(allowed, &plan.tenant));
        self.must(Rule::Subscriptions, None, "the subscription", &plan.subscription, |allowed| {
            matches(allowed, &plan.subscription)
        });
        self.must(Rule::Ledgers, None, "the ledger", ledger, |allowed| matches(allowed, ledger));
    }

    /// In which subscription it lies.
    fn place(&mut self, change: &Change) {
        let subscription = change.symbolic_id.as_str().strip_prefix("/subscriptions/");
        let Some(subscription) = subscription.and_then(|rest| rest.split('/').next()) else { return };
        if !subscription.eq_ignore_ascii_case(&self.plan.subscription) {
            self.must(Rule::Subscriptions, Some(change), "its subscription", subscription, |allowed| {
                matches(allowed, subscription)
            });
        }
    }

    fn deletes(&mut self, change: &Change) {
        let kind = &change.kind.keyword;
        self.must(Rule::Deletes, Some(change), "it would be deleted, and its kind", kind, |allowed| {
            matches(allowed, kind)
        });
    }

    fn writes(&mut self, change: &Change, leaves: &[Leaf]) {
        let of = change.kind.resource_type.to_ascii_lowercase();
        if change.kind.keyword == RAW {
            self.raw(change, &of);
        }
        match of.as_str() {
            CREDENTIAL => self.credential(change, leaves),
            ASSIGNMENT => self.assignment(change, leaves),
            DEFINITION => self.definition(change, leaves),
            _ => {}
        }
        if change.kind.plane == Plane::Kubernetes {
            self.in_cluster(change, leaves);
        }
        for leaf in leaves.iter().filter(|leaf| differs(change, leaf)) {
            match leaf.pointer.as_str() {
                ADMIN_GROUPS => {
                    let shown = items(&leaf.shown);
                    for (at, group) in items(&leaf.want).iter().enumerate() {
                        self.kubernetes_role(change, "its administrators have the role", CLUSTER_ADMIN);
                        self.principal(change, group, shown.get(at));
                    }
                }
                POLICIES if !items(&leaf.want).is_empty() => {
                    self.must(Rule::Roles, Some(change), "its own list is", ACCESS_POLICIES, |allowed| {
                        matches(allowed, ACCESS_POLICIES)
                    });
                }
                pointer
                    if leaf.want != Value::None
                        && (pointer.starts_with("/members/") || pointer.starts_with("/owners/")) =>
                {
                    self.principal(change, &leaf.want, Some(&leaf.shown));
                }
                _ => {}
            }
        }
    }

    /// What is written as it is could be anything: each type must be allowed, also where the rule is not written.
    fn raw(&mut self, change: &Change, of: &str) {
        if self.guard.rule(Rule::ResourceTypes).is_none() {
            let why =
                format!("its type `{}` is not in `resource_types`, which is not written", change.kind.resource_type);
            self.refuse(Some(change), &why, None);
            return;
        }
        let shown = &change.kind.resource_type;
        self.must(Rule::ResourceTypes, Some(change), "its type", shown, |allowed| matches(allowed, of));
    }

    fn credential(&mut self, change: &Change, leaves: &[Leaf]) {
        let own = |of: &SymbolicId| {
            let managed = self.plan.change(of).is_some();
            managed && of.as_str().contains("/microsoft.containerservice/managedclusters/")
        };
        let issues = |text: &str| {
            let is = |((of, output), value): (&(SymbolicId, String), &Value)| {
                is_issuer(output) && own(of) && matches!(value, Value::Text(known) if known == text)
            };
            self.plan.known.iter().any(is)
        };
        match wanted(leaves, "/properties/issuer") {
            Some(Value::Text(issuer)) => {
                let from_cluster = issues(&issuer);
                self.must(Rule::Issuers, Some(change), "its issuer", &issuer, |allowed| {
                    exactly(allowed, &issuer) || (from_cluster && exactly(allowed, OWN_CLUSTER))
                });
            }
            Some(Value::Unknown { residual, .. }) => {
                let from_cluster =
                    matches!(&*residual, Residual::Output { of, output, .. } if is_issuer(output) && own(of));
                let shown = if from_cluster { "of a cluster of this stack" } else { "known after apply" };
                self.must(Rule::Issuers, Some(change), "its issuer", shown, |allowed| {
                    from_cluster && exactly(allowed, OWN_CLUSTER)
                });
            }
            _ => {}
        }
        match wanted(leaves, "/properties/subject") {
            Some(Value::Text(subject)) => {
                self.must(Rule::Subjects, Some(change), "its subject", &subject, |allowed| exactly(allowed, &subject));
            }
            Some(Value::Unknown { .. }) => {
                self.must(Rule::Subjects, Some(change), "its subject", "known after apply", |_| false);
            }
            _ => {}
        }
        if wanted(leaves, "/properties/claimsMatchingExpression").is_some_and(|value| value != Value::None) {
            self.must(Rule::Subjects, Some(change), "its subject", "an expression", |_| false);
        }
    }

    fn assignment(&mut self, change: &Change, leaves: &[Leaf]) {
        let scope = scope_of(&change.symbolic_id);
        let scope = if scope.as_str().is_empty() { "/" } else { scope.as_str() };
        self.must(Rule::Scopes, Some(change), "its scope", scope, |allowed| {
            allowed.patterns.iter().any(|pattern| covers(pattern, scope))
        });
        match wanted(leaves, "/properties/roleDefinitionId") {
            Some(Value::Text(role)) => {
                let guid = role.rsplit('/').next().unwrap_or_default().to_owned();
                let name = roles::by_guid(&guid).map(|role| role.name.as_str());
                let declared = !guid.is_empty()
                    && self.plan.changes.iter().any(|other| {
                        other.kind.resource_type.eq_ignore_ascii_case(DEFINITION)
                            && other.symbolic_id.as_str().ends_with(&guid.to_ascii_lowercase())
                    });
                // What a role of the stack may allow is looked at where it is written.
                let checked = declared && self.guard.rule(Rule::RoleActions).is_some();
                self.must(Rule::Roles, Some(change), "its role", name.unwrap_or(&guid), |allowed| {
                    checked || matches(allowed, &guid) || name.is_some_and(|name| matches(allowed, name))
                });
            }
            Some(Value::Unknown { residual, .. }) => {
                let declared = matches!(&*residual, Residual::Output { of, .. } if self.plan.change(of).is_some());
                let checked = declared && self.guard.rule(Rule::RoleActions).is_some();
                self.must(Rule::Roles, Some(change), "its role", "known after apply", |_| checked);
            }
            _ => {}
        }
        if let Some(principal) = wanted(leaves, "/properties/principalId") {
            let shown = leaves.iter().find(|leaf| leaf.pointer == "/properties/principalId").map(|leaf| &leaf.shown);
            self.principal(change, &principal, shown);
        }
    }

    fn definition(&mut self, change: &Change, leaves: &[Leaf]) {
        let mut actions = Vec::new();
        for leaf in leaves.iter().filter(|leaf| leaf.pointer.starts_with("/properties")) {
            allowed_actions(&leaf.pointer, &leaf.want, &mut actions);
        }
        if self.guard.rule(Rule::RoleActions).is_none() {
            if let Some(rule) = self.guard.rule(Rule::Roles) {
                let span = rule.span;
                let why = "it makes or changes a role, and what roles may allow is not in `role_actions`, which is not written";
                self.refuse(Some(change), why, Some((Rule::Roles, span)));
            }
            return;
        }
        for action in actions {
            let Some(action) = action else {
                self.must(Rule::RoleActions, Some(change), "what it allows", "known after apply", |_| false);
                continue;
            };
            self.must(Rule::RoleActions, Some(change), "it allows", &action, |allowed| matches(allowed, &action));
        }
    }

    fn in_cluster(&mut self, change: &Change, leaves: &[Leaf]) {
        match wanted(leaves, "/roleRef/name") {
            Some(Value::Text(role)) => self.kubernetes_role(change, "its role", &role),
            Some(_) => self.kubernetes_role(change, "its role", "known after apply"),
            None => {}
        }
        if leaves.iter().any(|leaf| leaf.pointer.starts_with("/rules")) {
            let name = change.symbolic_id.as_str().rsplit('/').next().unwrap_or_default().to_owned();
            self.kubernetes_role(change, "it makes or changes the role", &name);
        }
    }

    fn kubernetes_role(&mut self, change: &Change, what: &str, role: &str) {
        self.must(Rule::KubernetesRoles, Some(change), what, role, |allowed| exactly(allowed, role));
    }

    /// Somebody who gets something.
    fn principal(&mut self, change: &Change, principal: &Value, shown: Option<&Value>) {
        let of = match (shown, principal) {
            (Some(Value::Reference(reference)), _) => Some(&reference.symbolic_id),
            (_, Value::Unknown { residual, .. }) => match &**residual {
                Residual::Output { of, .. } => Some(of),
                _ => None,
            },
            _ => None,
        };
        let declared = of.is_some_and(|of| self.plan.change(of).is_some());
        let id = match principal {
            Value::Text(id) => id.as_str(),
            _ => "known after apply",
        };
        self.must(Rule::Principals, Some(change), "who gets it", id, |allowed| {
            matches(allowed, id) || (declared && exactly(allowed, DECLARED))
        });
    }

    /// Reports what a rule that is written does not allow.
    fn must(&mut self, rule: Rule, change: Option<&Change>, what: &str, value: &str, is: impl Fn(&Allowed) -> bool) {
        let Some(allowed) = self.guard.rule(rule) else { return };
        if is(allowed) {
            return;
        }
        let why = format!("{what} `{}` is not in `{}`", SafeText(value), rule.name());
        self.refuse(change, &why, Some((rule, allowed.span)));
    }

    fn refuse(&mut self, change: Option<&Change>, why: &str, rule: Option<(Rule, akson_diagnostics::Span)>) {
        let text = match change {
            Some(change) => format!("the guard file does not allow this of `{}`: {why}", change.address),
            None => format!("the guard file does not allow this stack: {why}"),
        };
        let mut report = Diagnostic::error(codes::GUARD, text);
        if let Some(change) = change {
            report = report.on(&change.address);
            if let Some(source) = change.source {
                report = report.at(source, "");
            }
        }
        if let Some((rule, span)) = rule {
            report = report.also(span, format!("`{}` allows what it lists", rule.name()));
        } else if let Some(span) = self.guard.span {
            report = report.also(span, "the guard file");
        }
        self.diagnostics.push(report.help(
            "if it is meant, have the guard file's owners allow it on the base branch first; else change the block",
        ));
    }
}

/// Whether this change writes the leaf anew.
fn differs(change: &Change, leaf: &Leaf) -> bool {
    change.differences.iter().any(|difference| difference.pointer == leaf.pointer)
}

fn is_issuer(output: &str) -> bool {
    matches!(output, "oidc_issuer_url" | "/properties/oidcIssuerProfile/issuerURL")
}

/// What is wanted at a place: a leaf there, or within one above it.
fn wanted(leaves: &[Leaf], pointer: &str) -> Option<Value> {
    leaves.iter().find_map(|leaf| {
        let rest = pointer.strip_prefix(leaf.pointer.as_str())?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let mut at = &leaf.want;
        for step in rest.split('/').filter(|step| !step.is_empty()) {
            let Value::Map(entries) = at else {
                // What is above it is not known yet, so neither is it.
                return matches!(at, Value::Unknown { .. }).then(|| at.clone());
            };
            at = entries.get(&unescape(step))?;
        }
        Some(at.clone())
    })
}

fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.clone(),
        Value::None => Vec::new(),
        other => vec![other.clone()],
    }
}

/// The texts of `actions` and `dataActions`, wherever they stand in it; none for what is not known yet.
fn allowed_actions(name: &str, value: &Value, found: &mut Vec<Option<String>>) {
    let gives = name.ends_with("ctions")
        && !name.to_ascii_lowercase().ends_with("notactions")
        && !name.ends_with("notDataActions");
    match value {
        Value::Text(text) if gives => found.push(Some(text.clone())),
        Value::List(items) => items.iter().for_each(|item| allowed_actions(name, item, found)),
        Value::Map(entries) => entries.iter().for_each(|(name, item)| allowed_actions(name, item, found)),
        Value::Unknown { .. } => found.push(None),
        _ => {}
    }
}

/// Whether a text is allowed, small and capital letters being one.
fn matches(allowed: &Allowed, text: &str) -> bool {
    let folded = text.to_ascii_lowercase();
    allowed.patterns.iter().any(|pattern| glob(&pattern.to_ascii_lowercase(), &folded))
}

/// Whether a text is allowed as it is written.
fn exactly(allowed: &Allowed, text: &str) -> bool {
    allowed.patterns.iter().any(|pattern| glob(pattern, text))
}

/// Whether a pattern covers a scope: it is that scope or one above it; `*` stands for something between two slashes.
fn covers(pattern: &str, scope: &str) -> bool {
    let steps = |text: &str| -> Vec<String> {
        text.split('/').filter(|step| !step.is_empty()).map(str::to_ascii_lowercase).collect()
    };
    let (pattern, scope) = (steps(pattern), steps(scope));
    pattern.len() <= scope.len() && pattern.iter().zip(&scope).all(|(pattern, step)| glob(pattern, step))
}

/// Whether a pattern is the whole of a text; `*` stands for any part of it.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("repo:contoso/app:ref:refs/heads/main", "repo:contoso/app:ref:refs/heads/main", true),
            ("repo:contoso/app:*", "repo:contoso/app:environment:prod", true),
            ("repo:contoso/app:*", "repo:contoso/app-evil:environment:prod", false),
            ("repo:contoso/app:*", "repo:mallory/repo:contoso/app:x", false),
            ("*:production", "system:serviceaccount:production", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn scopes_end_at_whole_steps() {
        for (pattern, scope, fits) in [
            ("/subscriptions/s/resourceGroups/app", "/subscriptions/s/resourcegroups/app/providers/x/y/z", true),
            ("/subscriptions/s/resourceGroups/app", "/subscriptions/s/resourcegroups/app-2", false),
            ("/subscriptions/s/resourceGroups/app-*", "/subscriptions/s/resourceGroups/app-2/providers/x/y/z", true),
            ("/subscriptions/*/resourceGroups/app", "/subscriptions/s", false),
            ("/subscriptions/*", "/", false),
            ("/", "/subscriptions/s", true),
        ] {
            assert_eq!(covers(pattern, scope), fits, "{pattern} {scope}");
        }
    }
}
