//! Meta arguments: which instances exist (`for_each`, `when`), their extra order and protection. All must be known.

use std::{collections::HashMap, sync::Arc};

use akson_catalog::Type;
use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Block, Expr, ExprKind};

use super::symbol_of;
use crate::{
    codes,
    eval::{Evaluator, Scope, Want},
    model::Dependency,
    val::{Marks, Val},
};

/// What the meta arguments say of an instance.
#[derive(Default)]
pub(super) struct Meta {
    pub protect: bool,
    pub keep: bool,
}

const WHY: &str = "which resources exist depends on variables and files alone, never on what Azure answers";

impl Evaluator<'_> {
    /// The instances of a block: key, and what `each.key` and `each.value` are. None if that is wrong, which was reported.
    #[expect(clippy::type_complexity, reason = "key, then the pair that `each` is")]
    pub(crate) fn keys(&mut self, expr: &Expr) -> Option<Vec<(Arc<str>, (Val, Val))>> {
        self.needs.clear();
        let value = self.eval(expr, Want::Free, &Scope::default());
        if value.is_poison() {
            return None;
        }
        if value.marks().is_some_and(|marks| marks.sensitive) {
            self.sink.report(
                Diagnostic::error(codes::SENSITIVE, "`for_each` cannot be sensitive: its keys are shown")
                    .at(expr.span, "")
                    .help("use a collection that may be shown"),
            );
            return None;
        }
        let marks = value.marks().map(|marks| Marks { nominal: None, ..marks.clone() }).unwrap_or_default();
        match value.plain() {
            Val::Map(map) => Some(
                map.entries
                    .iter()
                    .map(|(key, value)| {
                        (
                            Arc::clone(key),
                            (Val::Text(Arc::clone(key)).with(marks.clone()), value.clone().with(marks.clone())),
                        )
                    })
                    .collect(),
            ),
            Val::List(list) => {
                let items = list.items.clone();
                self.keys_of_list(&items, expr, &marks)
            }
            Val::Unknown(_) => {
                self.not_known_meta("for_each", "how many instances there are", expr.span);
                None
            }
            other => {
                let text =
                    format!("`for_each` takes a map, a set or a list of distinct strings, not {}", other.type_name());
                let help = match other {
                    Val::Int(_) => "give each instance a name of its own: `for_each = [\"a\", \"b\"]`",
                    Val::Bool(_) => "use `when` for a resource that exists under a condition",
                    _ => "write `for_each = [\"a\", \"b\"]` or `for_each = { a = …, b = … }`",
                };
                self.sink.report(Diagnostic::error(codes::FOR_EACH, text).at(expr.span, "").help(help));
                None
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "as above")]
    fn keys_of_list(&mut self, items: &[Val], expr: &Expr, marks: &Marks) -> Option<Vec<(Arc<str>, (Val, Val))>> {
        // The smallest place to point at: the element itself, where the list is written out.
        let spans: Vec<Span> = match &expr.kind {
            ExprKind::List(written) if written.len() == items.len() => written.iter().map(|item| item.span).collect(),
            _ => vec![expr.span; items.len()],
        };
        let mut keys = Vec::with_capacity(items.len());
        let mut seen: HashMap<Arc<str>, Span> = HashMap::with_capacity(items.len());
        let mut good = true;
        for (item, span) in items.iter().zip(spans) {
            let item = item.clone().with(marks.clone());
            match item.plain() {
                _ if item.traits().sensitive => {
                    good = false;
                    self.sink.report(
                        Diagnostic::error(codes::SENSITIVE, "the key of an instance cannot be sensitive: it is shown")
                            .at(span, "")
                            .help("use keys that may be shown"),
                    );
                }
                Val::Text(key) => {
                    if let Some(first) = seen.insert(Arc::clone(key), span) {
                        good = false;
                        let mut diagnostic =
                            Diagnostic::error(codes::FOR_EACH, format!("`{key}` stands in `for_each` twice"))
                                .at(span, "");
                        if first != span {
                            diagnostic = diagnostic.also(first, "first here");
                        }
                        self.sink
                            .report(diagnostic.help("make the strings distinct, or use a map; `toset` drops doubles"));
                    }
                    keys.push((Arc::clone(key), (item.clone(), item)));
                }
                Val::Poison => good = false,
                Val::Unknown(_) => {
                    good = false;
                    self.not_known_meta("for_each", "the key of this instance", span);
                }
                other => {
                    let text = format!("`for_each` takes distinct strings, and this is {}", other.type_name());
                    let help = match other {
                        Val::Int(_) => "write it in quotes, or `strlist(list)`",
                        _ => "use a map: its keys name the instances, `each.value` is what they stand for",
                    };
                    self.sink.report(Diagnostic::error(codes::FOR_EACH, text).at(span, "").help(help));
                    // The others are most likely the same mistake.
                    return None;
                }
            }
        }
        good.then_some(keys)
    }

    fn not_known_meta(&mut self, argument: &str, what: &str, span: Span) {
        self.sink.report(
            Diagnostic::error(codes::NOT_KNOWN, format!("{what} is known only after apply"))
                .at(span, "")
                .note(WHY)
                .help(format!(
                    "let `{argument}` depend on variables, locals and names; outputs may stand in the other attributes"
                )),
        );
    }

    /// `when`: whether the instance exists. None if that is wrong, which was reported.
    pub(crate) fn when(&mut self, block: &Block, scope: &Scope<'_>) -> Option<bool> {
        let Some(attribute) = block.attribute("when") else { return Some(true) };
        self.needs.clear();
        let value = self.eval(&attribute.value, Want::Of(&Type::Bool, None), scope);
        if value.traits().sensitive {
            self.sink.report(
                Diagnostic::error(codes::SENSITIVE, "`when` cannot be sensitive: whether a resource exists is shown")
                    .at(attribute.value.span, "")
                    .help("use a condition that may be shown"),
            );
            return None;
        }
        match value.plain() {
            Val::Bool(exists) => Some(*exists),
            Val::Unknown(_) => {
                self.not_known_meta("when", "whether this exists", attribute.value.span);
                None
            }
            _ => None,
        }
    }

    /// `after`, `protect`, `on_remove`.
    pub(super) fn meta(&mut self, block: &Block, scope: &Scope<'_>, dependencies: &mut Vec<Dependency>) -> Meta {
        let mut meta = Meta::default();
        if block.existing.is_some() {
            return meta;
        }
        if let Some(after) = block.attribute("after") {
            self.after(&after.value, scope, dependencies);
        }
        if let Some(protect) = block.attribute("protect") {
            let value = self.eval(&protect.value, Want::Of(&Type::Bool, None), scope);
            match value.plain() {
                _ if value.traits().sensitive => {
                    self.sink.report(
                        Diagnostic::error(codes::SENSITIVE, "`protect` cannot be sensitive")
                            .at(protect.value.span, "")
                            .help("use a value that may be shown"),
                    );
                }
                Val::Bool(value) => meta.protect = *value,
                Val::Unknown(_) => self.not_known_meta("protect", "whether this is protected", protect.value.span),
                _ => {}
            }
        }
        if let Some(on_remove) = block.attribute("on_remove") {
            match symbol_of(&on_remove.value) {
                Some("keep") => meta.keep = true,
                Some("delete") => {}
                word => {
                    let text = "`on_remove` is `delete` or `keep`".to_owned();
                    let mut diagnostic = Diagnostic::error(codes::META, text).at(on_remove.value.span, "");
                    diagnostic = match word.and_then(|word| did_you_mean(word, ["delete", "keep"])) {
                        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).suggest(
                            on_remove.value.span,
                            near,
                            format!("write `{near}`"),
                        ),
                        None => diagnostic.help("write the word itself: it cannot be computed"),
                    };
                    self.sink.report(diagnostic);
                }
            }
        }
        meta
    }

    pub(crate) fn after(&mut self, expr: &Expr, scope: &Scope<'_>, dependencies: &mut Vec<Dependency>) {
        self.needs.clear();
        let any = Type::Resource(vec!["*".to_owned()]);
        match &expr.kind {
            ExprKind::List(items) => {
                for item in items {
                    if let Some((module, key)) = crate::modules::named(item) {
                        for on in self.resources_of_module(module, key, scope) {
                            self.needs.entry(on).or_insert(item.span);
                        }
                        continue;
                    }
                    let value = self.eval(item, Want::Free, scope);
                    let instances = match value.plain() {
                        // All instances of a block.
                        Val::Map(map) => map.entries.values().all(is_resources),
                        _ => false,
                    };
                    if !instances && !matches!(value.plain(), Val::Ref(_)) {
                        let value =
                            if matches!(value.plain(), Val::Text(_)) { self.not_a_resource(item.span) } else { value };
                        self.fit(value, Want::Of(&any, None), item.span);
                    }
                }
            }
            _ => {
                self.eval(expr, Want::Of(&Type::List(Box::new(any)), None), scope);
            }
        }
        for (on, span) in self.needs.drain(..) {
            dependencies.push(Dependency { on, span, attribute: "after".to_owned() });
        }
    }

    fn not_a_resource(&mut self, span: Span) -> Val {
        self.sink.report(
            Diagnostic::error(codes::META, "`after` takes resources of this configuration, not text")
                .at(span, "")
                .help("refer to the resource itself: `after = [kind.name]`"),
        );
        Val::Poison
    }
}

/// Resources, maps of them, and what the resources in such a map tell: a block with `for_each`, a `workload`.
fn is_resources(value: &Val) -> bool {
    match value.plain() {
        Val::Ref(_) | Val::Poison => true,
        Val::Unknown(_) => value.traits().refs,
        Val::Map(map) => map.entries.values().all(is_resources),
        _ => false,
    }
}
