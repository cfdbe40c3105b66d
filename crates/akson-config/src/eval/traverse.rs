//! Names: `var.x`, `local.x`, `each.key`, `vault.app.id`, `identity.team["mail"].client_id`, and elements of values.

use std::sync::Arc;

use akson_catalog::{Operator, Residual, Type};
use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Expr, ExprKind, Name};

use super::{BlockState, Evaluator, Scope, Slot, Want, outputs::instance_map};
use crate::{
    codes, habits, modules,
    operators::missing_key,
    val::{Marks, Pointed, Val, quoted},
};

impl Evaluator<'_> {
    /// A chain of fields and indexes, from its root on.
    #[inline(never)]
    pub(super) fn traverse(&mut self, expr: &Expr, scope: &Scope<'_>) -> Val {
        match &expr.kind {
            ExprKind::Field(base, name) => {
                if let ExprKind::Word(root) = &base.kind
                    && scope.find(&root.text).is_none()
                {
                    if root.text == modules::MODULE {
                        return self.whole_module(name, None, scope);
                    }
                    return self.root(root, name, expr.span, scope);
                }
                if let Some((module, key)) = modules::named(base)
                    && scope.find(modules::MODULE).is_none()
                {
                    return self.output_of_module(module, key, name, scope);
                }
                let value = self.base(base, scope);
                if value.is_poison() && scope.constant.is_none() {
                    self.output_of_poisoned(base, name, scope);
                }
                self.field(&value, name)
            }
            ExprKind::Index(base, index) => {
                if let Some((module, None)) = modules::named(base)
                    && scope.find(modules::MODULE).is_none()
                {
                    return self.whole_module(module, Some(index), scope);
                }
                if let ExprKind::Field(kind, name) = &base.kind
                    && let ExprKind::Word(kind) = &kind.kind
                    && scope.find(&kind.text).is_none()
                    && scope.constant.is_none()
                    && let Some(at) = self.names.find(&kind.text, &name.text)
                {
                    let key = self.eval(index, Want::Free, scope);
                    return self.keyed(at, kind, name, &key, base.span, index.span);
                }
                let value = self.base(base, scope);
                let key = self.eval(index, Want::Free, scope);
                self.index(&value, &key, expr.span, index.span)
            }
            _ => self.eval(expr, Want::Free, scope),
        }
    }

    fn base(&mut self, base: &Expr, scope: &Scope<'_>) -> Val {
        match (&base.kind, scope) {
            (ExprKind::Field(..) | ExprKind::Index(..), _) => self.traverse(base, scope),
            (ExprKind::Word(name), scope) if scope.find(&name.text).is_some() => {
                scope.find(&name.text).cloned().unwrap_or(Val::Poison)
            }
            _ => self.eval(base, Want::Free, scope),
        }
    }

    /// `root.name` where root is no for-variable.
    #[inline(never)]
    fn root(&mut self, root: &Name, name: &Name, span: Span, scope: &Scope<'_>) -> Val {
        if let Some(what) = scope.constant {
            self.sink.report(
                Diagnostic::error(codes::UNKNOWN_NAME, format!("{what} refers to nothing: it is the same everywhere"))
                    .at(span, "")
                    .help("write the value itself"),
            );
            return Val::Poison;
        }
        match root.text.as_str() {
            "var" => match self.variables.get(name.text.as_str()) {
                Some(value) => value.clone(),
                None if self.names.broken_variables.contains(name.text.as_str())
                    || self.names.variables.contains_key(name.text.as_str()) =>
                {
                    Val::Poison
                }
                None => self.unknown(
                    "variable",
                    name,
                    self.names.variables.keys().copied().collect(),
                    "declare it: `variable \"NAME\" { type = … }`",
                ),
            },
            "local" => match self.locals.get(name.text.as_str()) {
                Some(value) => value.clone(),
                None if self.names.broken_locals || self.names.locals.contains_key(name.text.as_str()) => Val::Poison,
                None => self.unknown(
                    "local",
                    name,
                    self.names.locals.keys().copied().collect(),
                    "declare it: `locals { NAME = … }`",
                ),
            },
            "each" => self.each(name, span, scope),
            keyword => match self.names.find(keyword, &name.text) {
                Some(at) => self.resource(at, span),
                None if self.names.is_keyword(keyword) => {
                    let known = self.names.of_kind(keyword).collect();
                    self.unknown(
                        keyword,
                        name,
                        known,
                        "declare it, or as `existing` if it is there already and not yours",
                    )
                }
                None => self.unknown_root(root, name),
            },
        }
    }

    fn each(&mut self, name: &Name, span: Span, scope: &Scope<'_>) -> Val {
        let Some(each) = scope.each else {
            self.sink.report(
                Diagnostic::error(codes::EACH, format!("`each.{}` has no meaning here", name.text))
                    .at(span, "")
                    .note("`each` is the instance of a resource block with `for_each`")
                    .help("add `for_each = […]` to the block, or use a variable"),
            );
            return Val::Poison;
        };
        match name.text.as_str() {
            "key" => each.0.clone(),
            "value" => each.1.clone(),
            other => {
                let near = did_you_mean(other, ["key", "value"]).unwrap_or("value");
                self.sink.report(
                    Diagnostic::error(codes::UNKNOWN_NAME, format!("there is no `each.{other}`"))
                        .at(name.span, "")
                        .help(format!("`each` has `key` and `value`: did you mean `each.{near}`?"))
                        .suggest(name.span, near, format!("write `{near}`")),
                );
                Val::Poison
            }
        }
    }

    pub(crate) fn unknown(&mut self, what: &str, name: &Name, known: Vec<&str>, otherwise: &str) -> Val {
        if self.sink.incomplete {
            return Val::Poison;
        }
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_NAME, format!("there is no {what} `{}`", name.text)).at(name.span, "");
        diagnostic = match did_you_mean(&name.text, known.iter().copied()) {
            Some(near) => {
                diagnostic.help(format!("did you mean `{near}`?")).suggest(name.span, near, format!("write `{near}`"))
            }
            None if known.is_empty() => diagnostic.help(otherwise.replace("NAME", &name.text)),
            None => diagnostic
                .help(otherwise.replace("NAME", &name.text))
                .note(format!("declared: {}", quoted(known.into_iter()))),
        };
        self.sink.report(diagnostic);
        Val::Poison
    }

    #[inline(never)]
    fn unknown_root(&mut self, root: &Name, name: &Name) -> Val {
        let roots = self.names.keywords.iter().map(String::as_str).chain(["var", "local", "each", "module"]);
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_NAME, format!("`{}` is no kind and no variable", root.text))
                .at(root.span, "");
        diagnostic = match (habits::root(&root.text, &name.text), did_you_mean(&root.text, roots)) {
            (Some(help), _) => diagnostic.help(help),
            (None, Some(near)) => {
                diagnostic.help(format!("did you mean `{near}`?")).suggest(root.span, near, format!("write `{near}`"))
            }
            (None, None) => diagnostic
                .help("a reference begins with a kind, `var`, `local`, `module` or `each`; text stands in quotes"),
        };
        self.sink.report(diagnostic);
        Val::Poison
    }

    /// `kind.name`: one resource, or the map of its instances.
    fn resource(&mut self, at: usize, span: Span) -> Val {
        match self.blocks.get(at) {
            Some(BlockState::Single(instance)) => self.pointed(*instance).map_or(Val::Poison, Val::Ref),
            Some(BlockState::Many(instances)) => instances.all.clone(),
            Some(BlockState::Intent { value, .. }) => value.clone(),
            Some(BlockState::Excluded) => {
                self.excluded(at, None, span);
                Val::Poison
            }
            Some(BlockState::Poisoned) | None => Val::Poison,
        }
    }

    /// `kind.name[key]`.
    #[inline(never)]
    fn keyed(&mut self, at: usize, kind: &Name, name: &Name, key: &Val, base_span: Span, key_span: Span) -> Val {
        if key.traits().poison {
            return Val::Poison;
        }
        match self.blocks.get(at) {
            Some(BlockState::Many(instances)) => {
                let Val::Text(text) = key.plain() else {
                    let keys = quoted(instances.by_key.keys().map(AsRef::as_ref));
                    return self.bad_key(key, &format!("instances are named by their keys: {keys}"), key_span);
                };
                if key.traits().sensitive {
                    return self.bad_key(key, "", key_span);
                }
                match instances.by_key.get(&**text) {
                    Some(Slot::Exists(instance)) => self
                        .pointed(*instance)
                        .map_or(Val::Poison, Val::Ref)
                        .with(key.marks().cloned().unwrap_or_default()),
                    Some(Slot::Poisoned) => Val::Poison,
                    Some(Slot::Excluded) => {
                        let text = Arc::clone(text);
                        self.excluded(at, Some(&text), base_span.to(key_span));
                        Val::Poison
                    }
                    None => {
                        let fault = missing_key(text, instances.by_key.keys().map(AsRef::as_ref));
                        let help = match fault.help() {
                            Some(help) if help.starts_with("did you mean") => help.to_owned(),
                            _ => format!("its keys are {}", quoted(instances.by_key.keys().map(AsRef::as_ref))),
                        };
                        let text = format!("`{}.{}` has no instance `{text}`", kind.text, name.text);
                        let header = self.names.resources.get(at).map(|declared| declared.block.header);
                        let mut diagnostic = Diagnostic::error(codes::INDEX, text).at(key_span, "").help(help);
                        if let Some(header) = header {
                            diagnostic = diagnostic.also(header, "its instances are made by `for_each` here");
                        }
                        self.sink.report_value(diagnostic);
                        Val::Poison
                    }
                }
            }
            Some(BlockState::Intent { value, excluded }) => {
                let value = value.clone();
                if let Val::Text(text) = key.plain()
                    && excluded.contains(text)
                {
                    let text = Arc::clone(text);
                    self.excluded(at, Some(&text), base_span.to(key_span));
                    return Val::Poison;
                }
                self.index(&value, key, base_span.to(key_span), key_span)
            }
            Some(BlockState::Single(_)) => {
                let address = format!("{}.{}", kind.text, name.text);
                self.sink.report(
                    Diagnostic::error(codes::INSTANCES, format!("`{address}` is one resource: it has no `for_each`"))
                        .at(key_span, "")
                        .help(format!("write `{address}` without a key")),
                );
                Val::Poison
            }
            Some(BlockState::Excluded) => {
                self.excluded(at, None, base_span);
                Val::Poison
            }
            Some(BlockState::Poisoned) | None => Val::Poison,
        }
    }

    pub(crate) fn bad_key(&mut self, key: &Val, help: &str, span: Span) -> Val {
        let (code, text, help) = match key.plain() {
            _ if key.traits().sensitive => (
                codes::SENSITIVE,
                "which instance is meant cannot be sensitive".to_owned(),
                "use a key that may be shown",
            ),
            Val::Unknown(_) => (
                codes::NOT_KNOWN,
                "which instance is meant is known only after apply".to_owned(),
                "use a key that the configuration knows",
            ),
            other => (codes::WRONG_TYPE, format!("the key of an instance is text, not {}", other.type_name()), help),
        };
        self.sink.report(Diagnostic::error(code, text).at(span, "").help(help));
        Val::Poison
    }

    fn excluded(&mut self, at: usize, key: Option<&str>, span: Span) {
        let Some(declared) = self.names.resources.get(at) else { return };
        let address = match key {
            Some(key) => format!("{}[\"{key}\"]", self.title(declared.keyword, declared.name)),
            None => self.title(declared.keyword, declared.name),
        };
        let place = declared.block.attribute("when").map_or(declared.block.header, |when| when.span);
        self.sink.report_value(
            Diagnostic::error(codes::EXCLUDED, format!("`{address}` does not exist in this configuration"))
                .at(span, "")
                .also(place, "left out by this condition")
                .help("give what refers to it the same `when`, or choose by a condition: `condition ? a : b`"),
        );
    }

    pub(crate) fn pointed(&self, instance: usize) -> Option<Arc<Pointed>> {
        self.instances.get(instance).map(|instance| Arc::clone(&instance.pointed))
    }

    /// `value.name`.
    #[inline(never)]
    pub(super) fn field(&mut self, base: &Val, name: &Name) -> Val {
        let marks = base.marks().map(|marks| Marks { nominal: None, ..marks.clone() }).unwrap_or_default();
        match base.plain() {
            Val::Poison => Val::Poison,
            Val::Ref(pointed) => self.output(pointed, name).with(marks),
            Val::Map(map) => match map.entries.get(name.text.as_str()) {
                Some(value) => value.clone().with(marks),
                None => {
                    if map.traits.poison {
                        return Val::Poison;
                    }
                    if let Some(first) = instance_map(base) {
                        self.pick_instance(&first, map.entries.keys().map(AsRef::as_ref), name.span);
                        return Val::Poison;
                    }
                    let fault = missing_key(&name.text, map.entries.keys().map(AsRef::as_ref));
                    self.fault(&fault, name.span, marks.sensitive, None)
                }
            },
            Val::Unknown(hole) => {
                if let Residual::Output { of, address, output } = &hole.residual
                    && output.starts_with('/')
                {
                    // Deeper into the body of a raw resource.
                    let output = format!("{output}/{}", name.text.replace('~', "~0").replace('/', "~1"));
                    return Val::unknown(
                        Residual::Output { of: of.clone(), address: address.clone(), output },
                        Type::Any,
                    )
                    .with(marks);
                }
                let of = match &hole.of {
                    Type::Map(item) => (**item).clone(),
                    Type::Object(fields) => match fields.iter().find(|(field, ..)| *field == name.text) {
                        Some((_, of, _)) => of.clone(),
                        None => {
                            let fault = missing_key(&name.text, fields.iter().map(|(field, ..)| field.as_str()));
                            return self.fault(&fault, name.span, false, None);
                        }
                    },
                    Type::Any => Type::Any,
                    _ => {
                        let text = format!("{} has no `{}`", base.type_name(), name.text);
                        self.sink.report(Diagnostic::error(codes::INDEX, text).at(name.span, ""));
                        return Val::Poison;
                    }
                };
                self.operate(Operator::Index, &[base.clone(), Val::text(name.text.as_str())], of, name.span)
            }
            other => {
                let text = format!("{} has no `{}`", other.type_name(), name.text);
                self.sink.report_value(Diagnostic::error(codes::INDEX, text).at(name.span, ""));
                Val::Poison
            }
        }
    }

    /// `value[index]`.
    #[inline(never)]
    fn index(&mut self, base: &Val, index: &Val, span: Span, index_span: Span) -> Val {
        if base.is_poison() || index.traits().poison {
            return Val::Poison;
        }
        let marks = base.marks().map(|marks| Marks { nominal: None, ..marks.clone() }).unwrap_or_default();
        match (base.plain(), index.plain()) {
            // Shared, not walked: the element alone counts.
            (Val::List(_) | Val::Map(_), Val::Int(_) | Val::Text(_) | Val::Decimal(_) | Val::Bool(_)) => {
                let mut all = marks;
                if let Some(own) = index.marks() {
                    all.absorb(own);
                }
                match crate::operators::element(base.plain(), index.plain()) {
                    Ok(value) => value.with(all),
                    Err(_) if base.traits().poison => Val::Poison,
                    Err(fault) => self.fault(&fault, index_span, all.sensitive, None),
                }
            }
            (Val::Ref(pointed), _) => {
                let address = pointed.reference.address.clone();
                self.sink.report(
                    Diagnostic::error(codes::INSTANCES, format!("`{address}` is one resource: it has no elements"))
                        .at(index_span, "")
                        .help("name one of its outputs after a dot"),
                );
                Val::Poison
            }
            (Val::Unknown(hole), _) => {
                let of = match &hole.of {
                    Type::List(item) | Type::Set(item) | Type::Map(item) => (**item).clone(),
                    Type::Any | Type::Object(_) => Type::Any,
                    _ => {
                        let text = format!("{} has no elements", base.type_name());
                        self.sink.report(Diagnostic::error(codes::INDEX, text).at(index_span, ""));
                        return Val::Poison;
                    }
                };
                self.operate(Operator::Index, &[base.clone(), index.clone()], of, span)
            }
            _ => self.operate(Operator::Index, &[base.clone(), index.clone()], Type::Any, span),
        }
    }
}
