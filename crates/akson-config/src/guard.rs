//! A guard file: what plans may do at most, decided by whoever owns the base branch. Here is how it is read; what a plan does against it is the
//! planner's to find.

use akson_diagnostics::{Diagnostic, Diagnostics, SourceId, SourceMap, Span, did_you_mean};
use akson_parser::ast::{Expr, ExprKind, Item, TemplatePart};

use crate::codes;

/// What a guard file allows. A rule that is not written forbids nothing; an empty list allows nothing.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    rules: Vec<(Rule, Allowed)>,
    /// Where it is written.
    pub span: Option<Span>,
}

/// A list of a guard file.
#[derive(Debug, Clone)]
pub struct Allowed {
    /// What is allowed: a pattern each, `*` for anything.
    pub patterns: Vec<String>,
    /// Where the rule stands.
    pub span: Span,
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// GUIDs of tenants.
    Tenants,
    /// GUIDs of subscriptions.
    Subscriptions,
    /// Where the ledger may be.
    Ledgers,
    /// Whose tokens may be trusted.
    Issuers,
    /// Which of their subjects.
    Subjects,
    /// Which roles may be granted.
    Roles,
    /// What roles that are declared may allow.
    RoleActions,
    /// On what, and on all below it.
    Scopes,
    /// Whom access may be given.
    Principals,
    /// Which roles of Kubernetes may be bound.
    KubernetesRoles,
    /// What may be deleted or replaced, by kind.
    Deletes,
    /// Which types may be written as they are, by `resource` blocks.
    ResourceTypes,
}

impl Rule {
    /// All of them, in the order of the book.
    pub const ALL: [Rule; 12] = [
        Rule::Tenants,
        Rule::Subscriptions,
        Rule::Ledgers,
        Rule::Issuers,
        Rule::Subjects,
        Rule::Roles,
        Rule::RoleActions,
        Rule::Scopes,
        Rule::Principals,
        Rule::KubernetesRoles,
        Rule::Deletes,
        Rule::ResourceTypes,
    ];

    /// How a guard file calls it.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Tenants => "tenants",
            Rule::Subscriptions => "subscriptions",
            Rule::Ledgers => "ledgers",
            Rule::Issuers => "federated_credential_issuers",
            Rule::Subjects => "federated_credential_subjects",
            Rule::Roles => "roles",
            Rule::RoleActions => "role_actions",
            Rule::Scopes => "scopes",
            Rule::Principals => "principals",
            Rule::KubernetesRoles => "kubernetes_roles",
            Rule::Deletes => "deletes",
            Rule::ResourceTypes => "resource_types",
        }
    }
}

impl Guard {
    /// Reads one. Whatever is not understood is an error: a rule that is mistyped must not leave a door open.
    pub fn parse(sources: &SourceMap, source: SourceId, diagnostics: &mut Diagnostics) -> Guard {
        let file = akson_parser::parse(sources, source, diagnostics);
        let mut guard = Guard::default();
        for block in &file.blocks {
            if block.keyword.text != "guard" || !block.labels.is_empty() || guard.span.is_some() {
                diagnostics.push(wrong("a guard file is one block `guard { … }`", block.header, "not this"));
                continue;
            }
            guard.span = Some(block.header);
            for item in &block.body {
                match item {
                    Item::Attribute(attribute) => {
                        let name = attribute.name.text.as_str();
                        let Some(rule) = Rule::ALL.into_iter().find(|rule| rule.name() == name) else {
                            diagnostics.push(unknown(name, attribute.name.span));
                            continue;
                        };
                        if guard.rule(rule).is_some() {
                            diagnostics.push(wrong(
                                &format!("`{name}` is written twice"),
                                attribute.name.span,
                                "again",
                            ));
                            continue;
                        }
                        let patterns = patterns(&attribute.value, diagnostics);
                        guard.rules.push((rule, Allowed { patterns, span: attribute.name.span }));
                    }
                    Item::Block(block) => diagnostics.push(unknown(&block.keyword.text, block.header)),
                }
            }
        }
        if guard.span.is_none() && !diagnostics.has_errors() {
            let whole = Span::new(source, 0, 0);
            diagnostics.push(wrong(
                "there is no `guard` block in the guard file",
                whole,
                "an empty file guards nothing",
            ));
        }
        guard
    }

    /// A rule, if it is written.
    pub fn rule(&self, rule: Rule) -> Option<&Allowed> {
        self.rules.iter().find(|(known, _)| *known == rule).map(|(_, allowed)| allowed)
    }
}

fn patterns(value: &Expr, diagnostics: &mut Diagnostics) -> Vec<String> {
    let ExprKind::List(items) = &value.kind else {
        diagnostics.push(wrong("a rule is a list of texts", value.span, "no list"));
        return Vec::new();
    };
    let mut patterns = Vec::new();
    for item in items {
        match text(item) {
            Some(text) if !text.is_empty() => patterns.push(text),
            _ => diagnostics.push(wrong("a rule is a list of texts, written out", item.span, "no text")),
        }
    }
    patterns
}

fn text(value: &Expr) -> Option<String> {
    let ExprKind::Template(parts) = &value.kind else { return None };
    match parts.as_slice() {
        [] => Some(String::new()),
        [TemplatePart::Literal(text)] => Some(text.clone()),
        _ => None,
    }
}

fn unknown(name: &str, span: Span) -> Diagnostic {
    let diagnostic = wrong(&format!("there is no rule `{name}`"), span, "unknown");
    match did_you_mean(name, Rule::ALL.map(Rule::name)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

fn wrong(text: &str, span: Span, label: &str) -> Diagnostic {
    Diagnostic::error(codes::GUARD_FILE, text)
        .at(span, label)
        .note("a guard file that is not understood allows nothing")
        .help(format!("its rules are {}", Rule::ALL.map(|rule| format!("`{}`", rule.name())).join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Guard, Vec<String>) {
        let mut sources = SourceMap::new();
        let source = sources.add("akson.guard", text);
        let mut diagnostics = Diagnostics::new();
        let guard = Guard::parse(&sources, source, &mut diagnostics);
        (guard, diagnostics.iter().map(|found| found.message.clone()).collect())
    }

    #[test]
    fn rules_are_read() {
        let (guard, wrong) = read("# ours\nguard {\n  roles = [\"Reader\", \"AcrPull\"]\n  deletes = []\n}\n");
        assert_eq!(wrong, Vec::<String>::new());
        assert_eq!(guard.rule(Rule::Roles).expect("the rule is written").patterns, ["Reader", "AcrPull"]);
        assert!(guard.rule(Rule::Deletes).expect("the rule is written").patterns.is_empty());
        assert!(guard.rule(Rule::Scopes).is_none());
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let (_, wrong) = read(text);
        assert!(wrong.iter().any(|found| found.contains(expected)), "{wrong:?}");
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        check("guard {\n  rolls = []\n}\n", "no rule `rolls`");
        check("guard {\n  roles = \"Reader\"\n}\n", "list of texts");
        check("guard {\n  roles = [\"${var.role}\"]\n}\n", "written out");
        check("guard {\n  roles = [\"\"]\n}\n", "written out");
        check("guard {\n  roles = []\n  roles = [\"Owner\"]\n}\n", "written twice");
        check("guard {\n  roles {\n  }\n}\n", "no rule `roles`");
        check("guard \"x\" {\n}\n", "one block");
        check("guard {\n}\nguard {\n}\n", "one block");
        check("stack \"x\" {\n}\n", "one block");
        check("", "no `guard` block");
        check("guard {", "");
    }
}
