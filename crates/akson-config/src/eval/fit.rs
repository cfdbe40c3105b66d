//! Fitting a value to the type, the rules and the bounds of its place. Every mistake is at the span of the expression given.

use std::sync::Arc;

use akson_catalog::{
    ArmId, Attribute, Type,
    kind::{Form, Names, Role},
    named::named,
    policies::Table,
};
use akson_diagnostics::{Diagnostic, Span, did_you_mean};

use super::{Evaluator, Want, literal::field_want, outputs::instance_map, scopes::takes_scopes};
use crate::{
    codes,
    val::{Marks, Val, describe, quoted},
};

/// Whether text stands for a resource by a name or another word of its kind's, not by an ARM id.
fn is_named_by_text(attribute: &Attribute) -> bool {
    attribute.by_name || attribute.form == Form::Subjects
}

impl Evaluator<'_> {
    /// The value as its place wants it; poison if it does not fit, which is reported once.
    pub(crate) fn fit(&mut self, value: Val, want: Want<'_>, span: Span) -> Val {
        match want {
            Want::Free => value,
            Want::Of(of, attribute) => self.fit_type(value, of, attribute, span),
        }
    }

    #[inline(never)]
    fn fit_type(&mut self, mut value: Val, of: &Type, attribute: Option<&Attribute>, span: Span) -> Val {
        if value.is_poison() {
            return value;
        }
        if *of != Type::Any
            && value.traits().sensitive
            && matches!(value.plain(), Val::Bool(_) | Val::Int(_) | Val::Decimal(_))
            && attribute.is_some()
        {
            self.sink.report(
                Diagnostic::error(codes::SENSITIVE, "a sensitive value is text, and this wants another type")
                    .at(span, "")
                    .help("use a value that is not sensitive here"),
            );
            return Val::Poison;
        }
        if let Some(attribute) = attribute
            && matches!(of, Type::Resource(_))
            && (attribute.principal.is_some() || attribute.names.is_some())
        {
            match self.fit_named(value, attribute, span) {
                Ok(fitted) => return fitted,
                Err(other) => value = other,
            }
        }
        let nominal = value.marks().and_then(|marks| marks.nominal.clone());
        if nominal.as_ref().is_some_and(|nominal| nominal.name == akson_catalog::kind::SCOPE) {
            return if takes_scopes(of) { value } else { self.stray_scope(&value, of, span) };
        }
        match (of, value.plain()) {
            (Type::Any, Val::Ref(pointed)) => match &pointed.reference.id {
                // Where anything may stand, a resource stands for its id.
                Some(id) => {
                    let marks = Marks { refs: vec![Arc::clone(pointed)], ..Marks::default() };
                    Val::text(id.as_str()).with(marks)
                }
                None => value,
            },
            (Type::Any, _) => value,
            (_, Val::Unknown(hole)) => {
                let hole_of = hole.of.clone();
                self.fit_hole(value, &hole_of, of, attribute, span)
            }
            (Type::Bool, Val::Bool(_)) | (Type::Int, Val::Int(_)) | (Type::Number, Val::Int(_) | Val::Decimal(_)) => {
                self.bounded(value, attribute, span)
            }
            (Type::String, Val::Text(_)) => self.ruled(value, attribute, span),
            (Type::Named(name), Val::Text(text)) => {
                if let Some(nominal) = &nominal
                    && !converts(&nominal.name, name)
                {
                    return self.wrong_id(&value, name, span);
                }
                if let Some(rule) = named(name)
                    && nominal.is_none()
                    && !(rule.allows)(text)
                {
                    let shown = if value.traits().sensitive { "this value".to_owned() } else { format!("`{text}`") };
                    let diagnostic =
                        Diagnostic::error(codes::BROKEN_RULE, format!("{shown} is not {}", describe(of))).at(span, "");
                    self.sink.report_value(diagnostic.help(format!("write {}", rule.words)));
                    return Val::Poison;
                }
                let value =
                    if nominal.is_some() { value } else { value.with(Marks { nominal: None, ..Marks::default() }) };
                self.ruled(value, attribute, span)
            }
            (Type::Enum(words), Val::Text(text)) => {
                if words.iter().any(|word| **word == **text) {
                    return value;
                }
                self.not_among(text, words.iter().map(String::as_str), value.traits().sensitive, span)
            }
            (Type::Switch, Val::Text(text)) => {
                if &**text == "enabled" || &**text == "disabled" {
                    return value;
                }
                self.not_among(text, ["enabled", "disabled"].into_iter(), value.traits().sensitive, span)
            }
            (Type::Choice, Val::Text(text)) => {
                let marks = value.marks().cloned().unwrap_or_default();
                let text = Arc::clone(text);
                self.symbol_of_choice(&text, attribute, span, false).with(marks)
            }
            (Type::Choice, Val::Choice(_)) => value,
            // A secret's constructor: made where it was written.
            (Type::String, Val::Choice(choice))
                if attribute.is_some_and(|attribute| attribute.variants.contains_key(&choice.name)) =>
            {
                value
            }
            (Type::List(item) | Type::Set(item), Val::List(list)) => {
                let marks = value.marks().cloned().unwrap_or_default();
                let set = matches!(of, Type::Set(_));
                let mut seen = std::collections::HashSet::new();
                let mut items = Vec::with_capacity(list.items.len());
                for element in &list.items {
                    let element = self.fit_type(element.clone(), item, attribute, span);
                    if set
                        && let Val::Text(text) = &element
                        && !seen.insert(Arc::clone(text))
                    {
                        continue;
                    }
                    items.push(element);
                }
                Val::list(items).with(marks)
            }
            (Type::Map(item), Val::Map(map)) => {
                let marks = value.marks().cloned().unwrap_or_default();
                let entries = map
                    .entries
                    .iter()
                    .map(|(key, element)| (Arc::clone(key), self.fit_type(element.clone(), item, attribute, span)))
                    .collect();
                Val::map(entries).with(marks)
            }
            (Type::Object(fields), Val::Map(map)) => {
                let marks = value.marks().cloned().unwrap_or_default();
                let mut entries = crate::val::Entries::new();
                for (key, element) in &map.entries {
                    match fields.iter().find(|(name, ..)| **name == **key) {
                        Some((_, of, _)) => {
                            let Want::Of(of, attribute) = field_want(of, attribute, key) else { continue };
                            entries.insert(Arc::clone(key), self.fit_type(element.clone(), of, attribute, span));
                        }
                        None => {
                            let text = format!("there is no `{key}` in this object");
                            let known = quoted(fields.iter().map(|(name, ..)| name.as_str()));
                            self.sink.report_value(
                                Diagnostic::error(codes::UNKNOWN_ATTRIBUTE, text)
                                    .at(span, "")
                                    .help(format!("it has {known}")),
                            );
                        }
                    }
                }
                let value = Val::map(entries).with(marks);
                self.missing_fields(&value, fields, span);
                value
            }
            (Type::Resource(kinds), Val::Ref(pointed)) => {
                let kind = &pointed.reference.kind;
                if kinds.iter().any(|wanted| wanted == "*" || wanted == kind) {
                    return value;
                }
                let raw = pointed
                    .instance
                    .and_then(|at| self.instances.get(at))
                    .filter(|_| kind == "resource")
                    .map(|instance| instance.kind.resource_type.clone());
                if let Some(raw) = raw
                    && kinds.iter().any(|wanted| {
                        self.catalog.get(wanted).is_some_and(|wanted| wanted.resource_type.eq_ignore_ascii_case(&raw))
                    })
                {
                    return value;
                }
                let text = format!("{} is wanted here, not {}", describe(of), value.type_name());
                let known: Vec<String> = kinds
                    .iter()
                    .flat_map(|kind| {
                        self.names.of_kind(kind).take(4).map(|name| format!("{kind}.{name}")).collect::<Vec<_>>()
                    })
                    .take(4)
                    .collect();
                let help = if known.is_empty() {
                    format!("declare {} and refer to it", describe(of))
                } else {
                    format!("refer to one of {}", quoted(known.iter().map(String::as_str)))
                };
                self.sink.report(Diagnostic::error(codes::WRONG_KIND, text).at(span, "").help(help));
                Val::Poison
            }
            (Type::Resource(_), Val::Text(_)) if attribute.is_some_and(is_named_by_text) => {
                self.ruled(value, attribute, span)
            }
            (Type::Resource(kinds), Val::Text(text)) => {
                let text = Arc::clone(text);
                match attribute.map(|attribute| (&attribute.takes, attribute.names)) {
                    Some((Some(_), _)) => self.literal_output(value, &text, of, span),
                    Some((_, Some(Names::Policies(table)))) => match table.find(&text) {
                        Some(id) => Val::text(id.as_str()).with(value.marks().cloned().unwrap_or_default()),
                        None => self.named_literal(value, &text, (kinds, of), table, span),
                    },
                    _ => self.literal_id(value, &text, kinds, of, span),
                }
            }
            _ => self.wrong_type(&value, of, attribute, span),
        }
    }

    /// A principal by its object id, as text: it stands for what a reference to it stands for.
    fn literal_output(&mut self, value: Val, text: &str, of: &Type, span: Span) -> Val {
        let id = Type::Named("object_id".to_owned());
        if let Some(nominal) = value.marks().and_then(|marks| marks.nominal.clone()) {
            return if is_object_id(&nominal.name) { value } else { self.wrong_id(&value, "object_id", span) };
        }
        if named("object_id").is_some_and(|rule| (rule.allows)(text)) {
            return value;
        }
        self.sink.report_value(
            Diagnostic::error(codes::WRONG_TYPE, format!("{} is wanted here, not text", describe(of)))
                .at(span, "")
                .help(format!("refer to it, or give {}", describe(&id))),
        );
        Val::Poison
    }

    /// Something built in by its name, which is none of the known ones; an id passes.
    fn named_literal(
        &mut self,
        value: Val,
        text: &str,
        (kinds, of): (&[String], &Type),
        table: Table,
        span: Span,
    ) -> Val {
        if text.starts_with('/') {
            return self.literal_id(value, text, kinds, of, span);
        }
        let diagnostic =
            Diagnostic::error(codes::UNKNOWN_BUILT_IN, format!("`{text}` is no built-in that is known here"))
                .at(span, "");
        self.sink.report_value(match table.near(text) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).suggest(
                span,
                format!("\"{near}\""),
                format!("write `{near}`"),
            ),
            None => diagnostic.help("give its GUID, or refer to one that is declared"),
        });
        Val::Poison
    }

    /// A resource by its ARM id, as text.
    fn literal_id(&mut self, value: Val, text: &str, kinds: &[String], of: &Type, span: Span) -> Val {
        if named("arm_id").is_some_and(|rule| !(rule.allows)(text)) {
            let kind = kinds.first().filter(|kind| *kind != "*").map_or("kind", String::as_str);
            let help = match kinds.iter().find(|kind| self.names.find(kind, text).is_some()) {
                Some(kind) => format!("did you mean `{kind}.{text}`?"),
                None => format!("refer to it as `{kind}.name`, or give its ARM id"),
            };
            self.sink.report_value(
                Diagnostic::error(codes::WRONG_TYPE, format!("{} is wanted here, not text", describe(of)))
                    .at(span, "")
                    .help(help),
            );
            return Val::Poison;
        }
        let Err(wrong) = self.catalog.check_reference(kinds, &ArmId::new(text)) else { return value };
        let found = wrong.found.map_or("no resource".to_owned(), |found| format!("of type `{found}`"));
        let diagnostic =
            Diagnostic::error(codes::WRONG_KIND, format!("{} is wanted here, and this id is {found}", describe(of)))
                .at(span, "")
                .help(format!("give the id of a `{}`", wrong.wanted));
        self.sink.report_value(diagnostic);
        Val::Poison
    }

    /// What is known after apply must at least be of the right type.
    fn fit_hole(&mut self, value: Val, hole: &Type, of: &Type, attribute: Option<&Attribute>, span: Span) -> Val {
        let fits = match (of, hole) {
            (_, Type::Any) | (Type::String, Type::String | Type::Named(_) | Type::Enum(_)) => true,
            (Type::Named(_), Type::String) => true,
            (Type::Named(wanted), Type::Named(found)) if converts(found, wanted) => true,
            (Type::Named(wanted), Type::Named(_)) => return self.wrong_id(&value, wanted, span),
            (Type::Enum(_) | Type::Switch, Type::String | Type::Enum(_)) => true,
            (Type::Int | Type::Number, Type::Int | Type::Number) => true,
            (Type::List(_) | Type::Set(_), Type::List(_) | Type::Set(_)) => true,
            (Type::Map(_) | Type::Object(_), Type::Map(_) | Type::Object(_)) => true,
            (Type::Resource(_), Type::Named(found)) if attribute.is_some_and(|attribute| attribute.takes.is_some()) => {
                is_object_id(found)
            }
            (Type::Resource(_), Type::String) if attribute.is_some_and(is_named_by_text) => {
                attribute.is_some_and(|attribute| attribute.role == Role::Value)
            }
            (Type::Resource(_), Type::Named(found)) if found == "arm_id" => true,
            (wanted, found) => wanted == found,
        };
        if fits && matches!(of, Type::Resource(_)) && attribute.is_some_and(|attribute| attribute.as_keys) {
            self.sink.report(
                Diagnostic::error(codes::NOT_KNOWN, "which resource this is, is known only after apply")
                    .at(span, "")
                    .help("refer to a resource whose name is chosen"),
            );
            return Val::Poison;
        }
        if !fits || matches!(of, Type::Choice) {
            return self.wrong_type(&value, of, attribute, span);
        }
        if attribute.is_some_and(|attribute| !attribute.takes_holes() && attribute.of == *of) {
            let name = attribute.map_or("", |attribute| attribute.name.as_str());
            self.sink.report(
                Diagnostic::error(codes::NOT_KNOWN, format!("`{name}` as a whole is known only after apply"))
                    .at(span, "")
                    .help("write the collection out: its elements may be outputs"),
            );
            return Val::Poison;
        }
        let marks = value.marks().cloned().unwrap_or_default();
        match value.plain() {
            Val::Unknown(hole) if hole.of == Type::Any => Val::unknown(hole.residual.clone(), of.clone()).with(marks),
            _ => value,
        }
    }

    /// An id of one type where another is wanted: the help names the output that is meant.
    pub(super) fn wrong_id(&mut self, value: &Val, wanted: &str, span: Span) -> Val {
        let of = Type::Named(wanted.to_owned());
        let nominal = value.marks().and_then(|marks| marks.nominal.as_ref());
        let found = nominal.map_or_else(|| value.type_name(), |nominal| describe(&Type::Named(nominal.name.clone())));
        let mut diagnostic =
            Diagnostic::error(codes::WRONG_ID, format!("{} is wanted here, not {found}", describe(&of))).at(span, "");
        let right = nominal.and_then(|nominal| nominal.from.as_ref()).and_then(|pointed| {
            let instance = pointed.instance.and_then(|at| self.instances.get(at))?;
            let output = instance.kind.outputs.values().find(|output| output.of == of)?;
            Some(format!("{}.{}", pointed.reference.address, output.name))
        });
        diagnostic = match (right, nominal.and_then(|nominal| nominal.from.as_ref())) {
            (Some(right), _) => diagnostic.help(format!("write `{right}`")),
            (None, Some(pointed)) => {
                diagnostic.help(format!("{} has no output that is {}", pointed.reference.kind, describe(&of)))
            }
            (None, None) => diagnostic.help(format!("give {}", describe(&of))),
        };
        self.sink.report(diagnostic);
        Val::Poison
    }

    fn not_among<'w>(
        &mut self,
        text: &str,
        words: impl Iterator<Item = &'w str> + Clone,
        sensitive: bool,
        span: Span,
    ) -> Val {
        let shown = if sensitive { "this value".to_owned() } else { format!("`{text}`") };
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_SYMBOL, format!("{shown} is none of the words allowed here")).at(span, "");
        let quotes = if self.sources.text(span).starts_with('"') { "\"" } else { "" };
        diagnostic = match did_you_mean(text, words.clone()).filter(|_| !sensitive) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).suggest(
                span,
                format!("{quotes}{near}{quotes}"),
                format!("write `{near}`"),
            ),
            None => diagnostic.help(format!("it is one of {}", quoted(words))),
        };
        self.sink.report_value(diagnostic);
        Val::Poison
    }

    #[inline(never)]
    pub(super) fn wrong_type(&mut self, value: &Val, of: &Type, attribute: Option<&Attribute>, span: Span) -> Val {
        if matches!(of, Type::Resource(_))
            && let Some(first) = instance_map(value)
        {
            let Val::Map(map) = value.plain() else { return Val::Poison };
            self.pick_instance(&first, map.entries.keys().map(AsRef::as_ref), span);
            return Val::Poison;
        }
        let name = attribute
            .filter(|attribute| attribute.of == *of)
            .map(|attribute| format!("`{}` is {}", attribute.name, describe(of)));
        let wanted = name.unwrap_or_else(|| format!("{} is wanted here", describe(of)));
        let mut diagnostic =
            Diagnostic::error(codes::WRONG_TYPE, format!("{wanted}, not {}", value.type_name())).at(span, "");
        let source = self.sources.text(span);
        diagnostic = match (of, value.plain()) {
            (Type::Switch, Val::Bool(on)) => {
                let word = if *on { "enabled" } else { "disabled" };
                diagnostic.help(format!("write `{word}`")).suggest(span, word, format!("write `{word}`"))
            }
            (Type::String | Type::Named(_), Val::Int(_) | Val::Decimal(_) | Val::Bool(_))
                if !source.contains(['"', '\n', '.']) =>
            {
                diagnostic.help(format!("put it in quotes: `\"{source}\"`")).suggest(
                    span,
                    format!("\"{source}\""),
                    "put it in quotes",
                )
            }
            (Type::String | Type::Named(_), Val::Int(_) | Val::Decimal(_) | Val::Bool(_)) => {
                diagnostic.help("convert it: `tostring(x)`")
            }
            (Type::Int | Type::Number | Type::Bool, Val::Text(text))
                if source.starts_with('"') && text.parse::<f64>().is_ok() | matches!(&**text, "true" | "false") =>
            {
                diagnostic.help(format!("write it without quotes: `{text}`")).suggest(
                    span,
                    &**text,
                    "remove the quotes",
                )
            }
            (Type::List(_) | Type::Set(_), Val::Text(_) | Val::Int(_) | Val::Ref(_) | Val::Bool(_)) => diagnostic
                .help("a list stands in brackets, even of one element")
                .suggest(span, format!("[{source}]"), "put it in brackets"),
            (Type::List(_) | Type::Set(_), Val::Map(_)) => diagnostic.help("take its values: `values(map)`"),
            (Type::String | Type::Named(_), Val::Ref(pointed)) => {
                let output = pointed
                    .instance
                    .and_then(|at| self.instances.get(at))
                    .and_then(|instance| {
                        instance.kind.outputs.values().find(|output| output.of == *of).map(|output| output.name.clone())
                    })
                    .unwrap_or_else(|| "name".to_owned());
                diagnostic.help(format!("name one of its outputs: `{}.{output}`", pointed.reference.address))
            }
            (Type::Map(_), _) => diagnostic.help("write `{ key = value }`"),
            (Type::Choice, _) => {
                let all: Vec<String> = attribute
                    .map(|attribute| {
                        attribute.variants.keys().map(|name| super::call::signature(name, attribute)).collect()
                    })
                    .unwrap_or_default();
                diagnostic.help(format!("it is one of {}", quoted(all.iter().map(String::as_str))))
            }
            (Type::Resource(kinds), _) => {
                let kind = kinds.first().filter(|kind| *kind != "*").map_or("kind", String::as_str);
                diagnostic.help(format!("refer to it as `{kind}.name`"))
            }
            _ => diagnostic.help(format!("give {}", describe(of))),
        };
        self.sink.report(diagnostic);
        Val::Poison
    }

    /// Text against the rule of its attribute.
    fn ruled(&mut self, value: Val, attribute: Option<&Attribute>, span: Span) -> Val {
        let Some((attribute, rule)) =
            attribute.and_then(|attribute| attribute.rule.as_ref().map(|rule| (attribute, rule)))
        else {
            return value;
        };
        let Val::Text(text) = value.plain() else { return value };
        if rule.allows(text) {
            return value;
        }
        let shown =
            if value.traits().sensitive || attribute.sensitive { "this value".to_owned() } else { format!("`{text}`") };
        self.sink.report_value(
            Diagnostic::error(codes::BROKEN_RULE, format!("{shown} cannot be `{}`", attribute.name))
                .at(span, "")
                .help(format!("write {}", rule.words)),
        );
        Val::Poison
    }

    /// A number against the bounds of its attribute.
    fn bounded(&mut self, value: Val, attribute: Option<&Attribute>, span: Span) -> Val {
        let Some((least, most)) = attribute.and_then(|attribute| attribute.range) else { return value };
        let outside = match value.plain() {
            Val::Int(number) => *number < least || *number > most,
            #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
            Val::Decimal(number) => *number < least as f64 || *number > most as f64,
            _ => false,
        };
        if !outside {
            return value;
        }
        let name = attribute.map_or("", |attribute| attribute.name.as_str());
        self.sink.report_value(
            Diagnostic::error(codes::OUT_OF_RANGE, format!("`{name}` is out of range"))
                .at(span, "")
                .help(format!("write a number from {least} to {most}")),
        );
        Val::Poison
    }
}

/// Whether an id of one type may stand for another: every id of a principal is a UUID.
pub(crate) fn converts(found: &str, wanted: &str) -> bool {
    found == wanted || (wanted == "uuid" && matches!(found, "principal_id" | "client_id" | "object_id" | "tenant_id"))
}

/// What a principal is known by in the directory.
fn is_object_id(name: &str) -> bool {
    matches!(name, "object_id" | "principal_id" | "uuid")
}
