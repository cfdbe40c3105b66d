//! `for` expressions, and the elements of what a `for` walks. Not `for_each`: that makes instances.

use std::sync::Arc;

use akson_catalog::Type;
use akson_diagnostics::{Diagnostic, Span};
use akson_parser::ast::{Expr, For, Name};
use indexmap::map::Entry;

use super::{Binding, Evaluator, Scope, Want};
use crate::{
    codes,
    sink::limits,
    val::{Entries, Marks, Val},
};

impl Evaluator<'_> {
    /// Key and value of each element of a collection that must be known. None if it is wrong, which was reported.
    pub(super) fn elements(&mut self, collection: &Expr, scope: &Scope<'_>) -> Option<Vec<(Val, Val)>> {
        let value = self.eval(collection, Want::Free, scope);
        let marks = value.marks().map(|marks| Marks { nominal: None, ..marks.clone() }).unwrap_or_default();
        let elements: Vec<(Val, Val)> = match value.plain() {
            Val::Poison => return None,
            Val::List(list) => {
                let number = |at: usize| Val::Int(i64::try_from(at).unwrap_or(i64::MAX));
                list.items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| (number(at).with(marks.clone()), item.clone().with(marks.clone())))
                    .collect()
            }
            Val::Map(map) => map
                .entries
                .iter()
                .map(|(key, item)| (Val::text(Arc::clone(key)).with(marks.clone()), item.clone().with(marks.clone())))
                .collect(),
            Val::Unknown(_) => {
                self.sink.report(
                    Diagnostic::error(codes::NOT_KNOWN, "how many elements this has is known only after apply")
                        .at(collection.span, "")
                        .note("what exists depends on variables and files alone, never on what Azure answers")
                        .help("walk a collection that the configuration knows, and use outputs in its values only"),
                );
                return None;
            }
            other => {
                let text = format!("`for` walks a list or a map, not {}", other.type_name());
                self.sink.report(Diagnostic::error(codes::WRONG_TYPE, text).at(collection.span, ""));
                return None;
            }
        };
        self.sink.pay(elements.len() as u64, collection.span).then_some(elements)
    }

    /// Checks a body whose variables have no values: only what is wrong whatever they are is reported.
    pub(super) fn check_body(
        &mut self,
        names: &[Option<&Name>],
        scope: &Scope<'_>,
        check: impl FnOnce(&mut Self, &Scope<'_>),
    ) {
        self.sink.enter_phantom();
        let outer = names.first().copied().flatten().map(|name| Binding {
            name: &name.text,
            value: Val::Poison,
            outer: scope.binding,
        });
        let outer = outer.as_ref().or(scope.binding);
        let inner = names.get(1).copied().flatten().map(|name| Binding { name: &name.text, value: Val::Poison, outer });
        check(self, &Scope { binding: inner.as_ref().or(outer), ..*scope });
        self.sink.leave_phantom();
    }

    #[inline(never)]
    pub(super) fn walk(&mut self, walk: &For, span: Span, want: Want<'_>, scope: &Scope<'_>) -> Val {
        let (of, attribute) = want.parts();
        // What the results must be; a whole that cannot be a collection is reported by `fit` below.
        let result_want = match (of, walk.result_key.is_some(), walk.group) {
            (Some(Type::List(item) | Type::Set(item)), false, _) | (Some(Type::Map(item)), true, false) => {
                Want::Of(item, attribute)
            }
            (Some(Type::Any), ..) => Want::Of(&Type::Any, None),
            _ => Want::Free,
        };
        let names = [walk.key.as_ref(), Some(&walk.value)];
        let Some(elements) = self.elements(&walk.collection, scope) else {
            self.check_body(&names, scope, |this, scope| {
                this.step(walk, Want::Free, scope);
            });
            return Val::Poison;
        };
        if elements.is_empty() {
            self.check_body(&names, scope, |this, scope| {
                this.step(walk, Want::Free, scope);
            });
        }
        let mut items = Vec::new();
        let mut entries = Entries::new();
        let mut key_marks = Marks::default();
        let mut bad = false;
        for (at, element) in elements {
            let outer = walk.key.as_ref().map(|key| Binding { name: &key.text, value: at, outer: scope.binding });
            let inner = Binding { name: &walk.value.text, value: element, outer: outer.as_ref().or(scope.binding) };
            let inner = Scope { binding: Some(&inner), ..*scope };
            match self.step(walk, result_want, &inner) {
                Step::Skipped => {}
                Step::Bad => bad = true,
                Step::Item(item) => items.push(item),
                Step::Entry(key, marks, value) => {
                    key_marks.absorb(&marks);
                    bad |= !self.enter(&mut entries, walk, key, value);
                }
            }
            if items.len() > limits::ELEMENTS || entries.len() > limits::ELEMENTS || self.sink.is_exhausted() {
                break;
            }
        }
        if bad {
            return Val::Poison;
        }
        let value = if walk.result_key.is_some() {
            if walk.group {
                for value in entries.values_mut() {
                    if let Val::List(list) = value {
                        *value = Val::list(list.items.clone());
                    }
                }
            }
            Val::map(entries)
        } else {
            Val::list(items)
        };
        let value = self.sink.made(value, span).with(key_marks);
        self.fit(value, want, span)
    }

    fn enter(&mut self, entries: &mut Entries, walk: &For, key: Arc<str>, value: Val) -> bool {
        let span = walk.result_key.as_ref().map_or(walk.result.span, |key| key.span);
        match entries.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(if walk.group { Val::list(vec![value]) } else { value });
                true
            }
            Entry::Occupied(mut entry) if walk.group => {
                // Grown in place: the list is not shared yet.
                if let Val::List(list) = entry.get_mut()
                    && let Some(list) = Arc::get_mut(list)
                {
                    list.items.push(value);
                }
                true
            }
            Entry::Occupied(entry) => {
                let text = format!("two elements have the key `{}`", entry.key());
                self.sink.report_value(
                    Diagnostic::error(codes::DUPLICATE_KEY, text)
                        .at(span, "")
                        .help("make the keys distinct, or group the values of one key by `...` after the value"),
                );
                false
            }
        }
    }

    #[inline(never)]
    fn step(&mut self, walk: &For, want: Want<'_>, scope: &Scope<'_>) -> Step {
        let mut marks = Marks::default();
        if let Some(condition) = &walk.condition {
            let test = self.eval(condition, Want::Of(&Type::Bool, None), scope);
            match test.plain() {
                Val::Bool(true) => {}
                Val::Bool(false) => return Step::Skipped,
                Val::Unknown(_) => {
                    self.not_known(condition.span, "which elements are taken");
                    return Step::Bad;
                }
                _ => return Step::Bad,
            }
            if let Some(own) = test.marks() {
                marks.absorb(own);
            }
        }
        let key = walk.result_key.as_ref().map(|key| (key, self.eval(key, Want::Free, scope)));
        let value = self.eval(&walk.result, want, scope).with(marks.clone());
        let Some((expr, key)) = key else { return Step::Item(value) };
        match key.plain() {
            Val::Text(text) => {
                if let Some(own) = key.marks() {
                    marks.absorb(own);
                }
                Step::Entry(Arc::clone(text), marks, value)
            }
            Val::Poison => Step::Bad,
            Val::Unknown(_) => {
                self.not_known(expr.span, "this key");
                Step::Bad
            }
            other => {
                let text = format!("a key is text, not {}", other.type_name());
                self.sink.report(
                    Diagnostic::error(codes::WRONG_TYPE, text).at(expr.span, "").help("convert it: `tostring(x)`"),
                );
                Step::Bad
            }
        }
    }

    fn not_known(&mut self, span: Span, what: &str) {
        self.sink.report(
            Diagnostic::error(codes::NOT_KNOWN, format!("{what} is known only after apply"))
                .at(span, "")
                .help("decide it by what the configuration knows: variables, locals, names"),
        );
    }
}

enum Step {
    Skipped,
    Bad,
    Item(Val),
    Entry(Arc<str>, Marks, Val),
}
