//! What an instance is: its name, id, symbolic id, parent, subscription and location, from the configuration alone.

use std::{collections::HashMap, sync::Arc};

use akson_catalog::{
    Address, ArmId, Kind, Reference, Residual, SymbolicId, Type, Value,
    kind::{LateId, Marker, NameFrom, Role, ids, late},
    marker,
};
use akson_diagnostics::{Diagnostic, Span};

use super::Instance;
use crate::{
    codes,
    eval::{Evaluator, Want},
    functions::hex,
    model::Stack,
    names::Declared,
    val::{Pointed, Val},
};

impl Evaluator<'_> {
    /// Makes the instance of evaluated attributes. None if what it is cannot be known, which was reported.
    pub(super) fn identify(
        &mut self,
        block: usize,
        declared: &Declared<'_>,
        kind: &Arc<Kind>,
        address: Address,
        mut values: Vec<(String, Val, Span)>,
        stack: &Stack,
    ) -> Option<Instance> {
        let header = declared.block.header;
        let attribute_of = |role: Role| {
            kind.attributes.values().find(|attribute| attribute.role == role).map(|attribute| attribute.name.as_str())
        };
        let value_of = |values: &[(String, Val, Span)], name: &str| {
            values.iter().find(|(path, ..)| path == name).map(|(_, value, span)| (value.clone(), *span))
        };

        let parent = kind.parent.as_deref().and_then(|name| value_of(&values, name));
        let parent_id = match &parent {
            Some((value, span)) => Some(self.id_of(value, *span, kind.late.is_some())?),
            None => None,
        };
        let parent_symbolic = parent.as_ref().and_then(|(value, _)| match value.plain() {
            Val::Ref(pointed) => Some(pointed.reference.symbolic_id.clone()),
            Val::Text(text) => Some(SymbolicId::of_arm(&ArmId::new(&**text))),
            _ => None,
        });
        if let (Some(id), Some((_, span))) = (&parent_id, &parent)
            && let Err(wrong) = kind.check_parent(id)
        {
            self.sink.report(
                Diagnostic::error(codes::WRONG_KIND, wrong.to_string())
                    .at(*span, "")
                    .help(format!("a `{}` lies in a `{}`", kind.resource_type, wrong.wanted)),
            );
            return None;
        }

        let name_attribute = attribute_of(Role::Name);
        let written_name = name_attribute.and_then(|name| value_of(&values, name));
        let name = match (&written_name, &kind.name_from) {
            (Some((value, _)), _) => match value.plain() {
                Val::Text(text) => Some(text.to_string()),
                _ => return None,
            },
            (None, NameFrom::Label) => Some(self.name_of_label(kind, declared)?),
            (None, NameFrom::Guid(parts)) => Some(derived_guid(stack, parts, &values)?),
            (None, NameFrom::Hash(_)) if declared.block.existing.is_some() => None,
            (None, NameFrom::Hash(parts)) => {
                let derived = derived_name(kind, stack, parent_symbolic.as_ref(), parts, &values)?;
                let held = self.inputs.held_names.get(&address.to_string()).filter(|_| kind.stateful);
                Some(held.cloned().unwrap_or(derived))
            }
            (None, NameFrom::Author) => None,
        };

        let subscription = match attribute_of(Role::Subscription).and_then(|name| value_of(&values, name)) {
            Some((value, _)) => match value.plain() {
                Val::Text(text) => text.to_string(),
                _ => return None,
            },
            None => stack.subscription.clone(),
        };

        let mut parts: HashMap<String, String> = HashMap::new();
        parts.insert("subscription".to_owned(), subscription.clone());
        let is_written = |name: &str| values.iter().any(|(path, ..)| path == name);
        let found = kind.found_by(is_written, declared.block.existing.is_some());
        let template = found.and_then(|found| found.id.as_deref()).unwrap_or(&kind.id);
        for part in ids::parts(template) {
            if Some(part) == kind.parent.as_deref() {
                parts.insert(part.to_owned(), parent_id.as_ref()?.as_str().to_owned());
            } else if Some(part) == name_attribute {
                parts.insert(part.to_owned(), name.clone()?);
            } else if found.is_some_and(|found| found.at.contains_key(part)) {
                let (value, _) = value_of(&values, part)?;
                let attribute = kind.attributes.get(part)?;
                let value = value.to_value()?;
                let symbol = late::symbol(attribute, &value, &self.principals);
                parts.insert(part.to_owned(), symbol.unwrap_or_else(|| hashed(&canonical(&value))));
            } else if part != "subscription" {
                let (value, span) = value_of(&values, part)?;
                let by_name = kind.attributes.get(part).is_some_and(|attribute| attribute.by_name);
                let text = match value.plain() {
                    Val::Ref(pointed) if by_name => self.name_within(pointed, parent_symbolic.as_ref(), span)?,
                    Val::Ref(_) => self.id_of(&value, span, kind.late.is_some())?.as_str().to_owned(),
                    Val::Text(text) => text.to_string(),
                    _ => return None,
                };
                parts.insert(part.to_owned(), text);
            }
        }
        let filled =
            |template: &str| ids::fill(template, |part| parts.get(part).map(String::as_str)).ok().map(ArmId::new);
        let known_as = filled(template)?;
        let subscription = known_as.subscription().map_or(subscription, str::to_owned);
        let symbolic_id = SymbolicId::of_arm(&known_as);
        let id = match &kind.late {
            None => Some(known_as),
            Some(LateId::Path(path)) => Some(filled(path)?),
            Some(LateId::Made { .. } | LateId::Told { .. }) => None,
        };

        let title = format!("{}.{}", address.kind, address.name);
        let location =
            self.location(kind, declared, title, &mut values, parent.as_ref().map(|(value, _)| value), stack);
        let conflict_domain = match kind.conflict_domain.as_deref() {
            Some("self") => Some(symbolic_id.clone()),
            Some(name) if kind.attributes.get(name).is_some_and(|attribute| attribute.role == Role::Subscription) => {
                Some(SymbolicId::of_arm(&ArmId::new(format!("/subscriptions/{subscription}"))))
            }
            Some(name) if Some(name) == kind.parent.as_deref() => parent_symbolic.clone(),
            Some(name) => value_of(&values, name).and_then(|(value, _)| match value.plain() {
                Val::Ref(pointed) => Some(pointed.reference.symbolic_id.clone()),
                Val::Text(text) => Some(SymbolicId::of_arm(&ArmId::new(&**text))),
                _ => None,
            }),
            None => None,
        };
        let id_text = id.as_ref().map(|id| id.as_str().to_owned());
        let reference = Reference { kind: declared.keyword.to_owned(), address, symbolic_id, id: id_text };
        Some(Instance {
            tolerated: Vec::new(),
            kind: Arc::clone(kind),
            block,
            frame: self.at,
            existing: declared.block.existing.is_some(),
            pointed: Arc::new(Pointed { reference, instance: None }),
            name,
            id,
            parent: parent_symbolic,
            subscription,
            location,
            values,
            dependencies: Vec::new(),
            conflict_domain,
            protect: false,
            keep: false,
            header,
        })
    }

    /// The name of something that lies in the same parent: a namespace of the same cluster. None if it lies in another, which is reported.
    fn name_within(&mut self, pointed: &Pointed, parent: Option<&SymbolicId>, span: Span) -> Option<String> {
        let own = pointed.reference.symbolic_id.as_str();
        let within =
            parent.is_none_or(|parent| own.strip_prefix(parent.as_str()).is_some_and(|rest| rest.starts_with('/')));
        if !within {
            self.sink.report(
                Diagnostic::error(
                    codes::WRONG_KIND,
                    format!("`{}` lies in another cluster", pointed.reference.address),
                )
                .at(span, "")
                .help("refer to one of the same cluster"),
            );
            return None;
        }
        let id = pointed.reference.id.as_deref().unwrap_or(own);
        Some(ArmId::new(id).name().to_owned())
    }

    /// The id that a reference or an id as text stands for.
    fn id_of(&mut self, value: &Val, span: Span, late: bool) -> Option<ArmId> {
        match value.plain() {
            Val::Text(text) => Some(ArmId::new(&**text)),
            Val::Ref(pointed) => match &pointed.reference.id {
                Some(id) => Some(ArmId::new(id.as_str())),
                // What lies in something without an id of its own is known by what that is known by.
                None if late => Some(ArmId::new(pointed.reference.symbolic_id.as_str())),
                None => {
                    let text = format!("the id of `{}` is known only after apply", pointed.reference.address);
                    self.sink.report(
                        Diagnostic::error(codes::NOT_KNOWN, text)
                            .at(span, "")
                            .note("what a resource is must follow from the configuration alone")
                            .help("use a resource whose name is chosen"),
                    );
                    None
                }
            },
            _ => None,
        }
    }

    /// A raw block's second label as its name.
    fn name_of_label(&mut self, kind: &Kind, declared: &Declared<'_>) -> Option<String> {
        let label = declared.block.labels.last()?;
        let attribute = kind.attributes.values().find(|attribute| attribute.role == Role::Name)?;
        match self.fit(Val::text(label.text.as_str()), Want::Of(&Type::String, Some(attribute)), label.span) {
            Val::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// Its own location, else the declared resource group's, else the stack's; an inherited one becomes a value of the instance.
    fn location(
        &mut self,
        kind: &Kind,
        declared: &Declared<'_>,
        title: String,
        values: &mut Vec<(String, Val, Span)>,
        parent: Option<&Val>,
        stack: &Stack,
    ) -> Option<(Val, Span)> {
        let attribute = kind.attributes.values().find(|attribute| attribute.role == Role::Location)?;
        if let Some((_, value, span)) = values.iter().find(|(path, ..)| *path == attribute.name) {
            return Some((value.clone(), *span));
        }
        if declared.block.existing.is_some() {
            return None;
        }
        let mut above = parent.cloned();
        let mut inherited = None;
        while let Some(value) = above.take() {
            let Val::Ref(pointed) = value.plain() else { break };
            let Some(instance) = pointed.instance.and_then(|at| self.instances.get(at)) else { break };
            if pointed.reference.kind == "resource_group" {
                inherited.clone_from(&instance.location);
                break;
            }
            above =
                instance.kind.parent.as_deref().and_then(|name| instance.value(name)).map(|(value, _)| value.clone());
        }
        let inherited = inherited.or_else(|| {
            stack
                .location
                .as_ref()
                .map(|location| (Val::text(location.as_str()), stack.location_span.unwrap_or(declared.block.header)))
        });
        if let Some((value, span)) = inherited {
            values.push((attribute.name.clone(), value.clone(), span));
            return Some((value, span));
        }
        if !self.stack_is_wrong {
            self.without_location.push((title, declared.block.header));
        }
        None
    }

    /// Reports what has no location, in one error: one line in the `stack` block mends all.
    pub(crate) fn report_locations(&mut self) {
        let mut missing = std::mem::take(&mut self.without_location);
        missing.sort_by_key(|(_, header)| *header);
        missing.dedup();
        let Some(((address, header), more)) = missing.split_first() else { return };
        let text = match more.len() {
            0 => format!("`{address}` has no location"),
            1 => format!("`{address}` and one more have no location"),
            count => format!("`{address}` and {count} more have no location"),
        };
        let mut diagnostic = Diagnostic::error(codes::NO_LOCATION, text).at(*header, "").on(address.clone());
        for (_, header) in more.iter().take(5) {
            diagnostic = diagnostic.also(*header, "nor has this");
        }
        self.sink.report(diagnostic.help("add `location = \"…\"` to the `stack` block for all, to a resource group for what lies in it, or to the block itself"));
    }
}

/// A name that Azure needs and the author did not write: a hash of the stack and of what the resource means, never of a label.
/// None if a part is poison.
fn derived_name(
    kind: &Kind,
    stack: &Stack,
    parent: Option<&SymbolicId>,
    parts: &[String],
    values: &[(String, Val, Span)],
) -> Option<String> {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    add(&stack.id());
    add(parent.map_or("", SymbolicId::as_str));
    for part in parts {
        let value = values.iter().find(|(path, ..)| path == part).map(|(_, value, _)| value);
        let text = match value {
            Some(value) => canonical(&value.to_value()?),
            None => String::new(),
        };
        add(&text);
    }
    let digest = hex(hash.finalize().get(..8)?);
    Some(match &kind.marker {
        Marker::UniqueName(_) => marker::unique_name(&stack.id(), &digest),
        Marker::Tag | Marker::Text(_) | Marker::Label | Marker::Parent => format!("akson-{digest}"),
    })
}

/// A short text for what has no short text of its own.
fn hashed(text: &str) -> String {
    use sha2::{Digest, Sha256};
    hex(Sha256::digest(text.as_bytes()).get(..8).unwrap_or_default())
}

/// A GUID that Azure needs and the author did not write: of the subscription and the first of these attributes that is written, so that
/// it is known from the configuration alone. None if that is poison or nothing is written.
fn derived_guid(stack: &Stack, parts: &[String], values: &[(String, Val, Span)]) -> Option<String> {
    /// The namespace of derived GUIDs.
    const DERIVED: uuid::Uuid = uuid::Uuid::from_u128(0x3f0c_91d7_6e52_4b0a_8c7d_1e64_f2a9_5b38);
    let value = parts.iter().find_map(|part| values.iter().find(|(path, ..)| path == part))?.1.to_value()?;
    let text = format!("/subscriptions/{}\n{}", stack.subscription.to_ascii_lowercase(), canonical(&value));
    Some(uuid::Uuid::new_v5(&DERIVED, text.as_bytes()).to_string())
}

/// A text that stands for a value, also for one that is known after apply: which output it will be.
fn canonical(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Unknown { residual, .. } => residual_text(residual),
        Value::Sensitive(secret) => secret.expose().to_owned(),
        Value::List(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join("\u{1}")),
        Value::Map(entries) => format!(
            "{{{}}}",
            entries
                .iter()
                .map(|(key, value)| format!("{key}\u{2}{}", canonical(value)))
                .collect::<Vec<_>>()
                .join("\u{1}")
        ),
        Value::Reference(reference) => reference.symbolic_id.as_str().to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::None => "\u{3}none".to_owned(),
        Value::Default => "\u{3}default".to_owned(),
        Value::Choice { name, .. } => name.clone(),
    }
}

fn residual_text(residual: &Residual) -> String {
    let all = |parts: &[Residual]| parts.iter().map(residual_text).collect::<Vec<_>>().join("\u{1}");
    match residual {
        Residual::Known(value) => canonical(value),
        Residual::Output { of, output, .. } => format!("{of}#{output}"),
        Residual::List(parts) => format!("[{}]", all(parts)),
        Residual::Map(parts) => format!(
            "{{{}}}",
            parts
                .iter()
                .map(|(key, part)| format!("{key}\u{2}{}", residual_text(part)))
                .collect::<Vec<_>>()
                .join("\u{1}")
        ),
        Residual::Operation(operator, parts) => format!("{operator:?}({})", all(parts)),
        Residual::Call { function, arguments } => format!("{function}({})", all(arguments)),
    }
}
