//! Values while they are evaluated: shared, with marks (sensitive, where from, which id) and poison. Not the values of the
//! resolved configuration: `val/plain.rs` makes those.

mod plain;

use std::{fmt, sync::Arc};

use akson_catalog::{Reference, Residual, Type};
use indexmap::IndexMap;

pub(crate) type Entries = IndexMap<Arc<str>, Val>;

/// A value. Cloning is cheap: collections and texts are shared.
#[derive(Clone, Debug)]
pub(crate) enum Val {
    /// Something was wrong and has been reported; whatever follows from it is silent.
    Poison,
    /// `none`
    None,
    /// `default`
    Default,
    Bool(bool),
    Int(i64),
    Decimal(f64),
    Text(Arc<str>),
    List(Arc<Listed>),
    Map(Arc<Mapped>),
    Choice(Arc<Chosen>),
    Ref(Arc<Pointed>),
    /// Known after apply.
    Unknown(Arc<Hole>),
    /// A value with marks. Never nested directly in another mark, never around poison.
    Marked(Arc<Marked>),
}

/// What is known about a value without walking it.
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each asked for alone")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traits {
    /// Bytes it would take if nothing were shared, about.
    pub size: u64,
    /// Levels of nesting.
    pub depth: u32,
    pub poison: bool,
    pub holes: bool,
    pub sensitive: bool,
    pub marks: bool,
    /// Points at resources.
    pub refs: bool,
}

#[derive(Debug)]
pub(crate) struct Listed {
    pub items: Vec<Val>,
    pub traits: Traits,
}

#[derive(Debug)]
pub(crate) struct Mapped {
    pub entries: Entries,
    pub traits: Traits,
}

#[derive(Debug)]
pub(crate) struct Chosen {
    pub name: String,
    pub arguments: Entries,
    pub traits: Traits,
}

/// A resource instance that a value points at.
#[derive(Debug)]
pub(crate) struct Pointed {
    pub reference: Reference,
    /// Its place among the evaluated instances; none while folding.
    pub instance: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Hole {
    pub residual: Residual,
    pub of: Type,
    pub size: u64,
    pub depth: u32,
}

pub(crate) struct Marked {
    pub value: Val,
    pub marks: Marks,
}

impl fmt::Debug for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.marks.sensitive { f.write_str("(sensitive)") } else { self.value.fmt(f) }
    }
}

/// What sticks to a value besides what it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// Must not be shown.
    pub sensitive: bool,
    /// The resources it was read from: they must exist before whoever uses it.
    pub refs: Vec<Arc<Pointed>>,
    /// It is an id of this type, unchanged.
    pub nominal: Option<Nominal>,
}

/// Which id a value is, and whose.
#[derive(Clone, Debug)]
pub(crate) struct Nominal {
    pub name: String,
    pub from: Option<Arc<Pointed>>,
}

impl Marks {
    pub(crate) fn is_empty(&self) -> bool {
        !self.sensitive && self.refs.is_empty() && self.nominal.is_none()
    }

    /// Takes over what spreads from an operand to a result: not the id it was.
    pub(crate) fn absorb(&mut self, other: &Marks) {
        self.sensitive |= other.sensitive;
        for pointed in &other.refs {
            if !self.refs.iter().any(|known| Arc::ptr_eq(known, pointed)) {
                self.refs.push(Arc::clone(pointed));
            }
        }
    }
}

const NODE: u64 = 24;

impl Traits {
    fn absorb(&mut self, other: Traits) {
        self.size = self.size.saturating_add(other.size);
        self.depth = self.depth.max(other.depth);
        self.poison |= other.poison;
        self.holes |= other.holes;
        self.sensitive |= other.sensitive;
        self.marks |= other.marks;
        self.refs |= other.refs;
    }

    fn around<'v>(values: impl Iterator<Item = &'v Val>) -> Self {
        let mut traits = Traits { size: NODE, ..Traits::default() };
        for value in values {
            traits.absorb(value.traits());
        }
        traits.depth += 1;
        traits
    }
}

impl Val {
    pub(crate) fn text(text: impl Into<Arc<str>>) -> Val {
        Val::Text(text.into())
    }

    pub(crate) fn list(items: Vec<Val>) -> Val {
        let traits = Traits::around(items.iter());
        Val::List(Arc::new(Listed { items, traits }))
    }

    pub(crate) fn map(entries: Entries) -> Val {
        let mut traits = Traits::around(entries.values());
        traits.size += entries.keys().map(|key| key.len() as u64 + NODE).sum::<u64>();
        Val::Map(Arc::new(Mapped { entries, traits }))
    }

    pub(crate) fn choice(name: impl Into<String>, arguments: Entries) -> Val {
        let traits = Traits::around(arguments.values());
        Val::Choice(Arc::new(Chosen { name: name.into(), arguments, traits }))
    }

    /// A number: whole if it is, so that `0.5 + 0.5` is `1`. None if it is not finite.
    pub(crate) fn number(number: f64) -> Option<Val> {
        if !number.is_finite() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53, checked in the same condition")]
        let whole = (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64);
        Some(whole.map_or(Val::Decimal(number), Val::Int))
    }

    /// A value known after apply.
    pub(crate) fn unknown(residual: Residual, of: Type) -> Val {
        let (size, depth) = measure(&residual);
        Val::Unknown(Arc::new(Hole { residual, of, size, depth }))
    }

    pub(crate) fn traits(&self) -> Traits {
        match self {
            Val::Poison => Traits { size: NODE, poison: true, ..Traits::default() },
            Val::None | Val::Default | Val::Bool(_) | Val::Int(_) | Val::Decimal(_) => {
                Traits { size: NODE, ..Traits::default() }
            }
            Val::Ref(_) => Traits { size: 8 * NODE, refs: true, ..Traits::default() },
            Val::Text(text) => Traits { size: NODE + text.len() as u64, ..Traits::default() },
            Val::List(list) => list.traits,
            Val::Map(map) => map.traits,
            Val::Choice(choice) => choice.traits,
            Val::Unknown(hole) => Traits { size: hole.size, depth: hole.depth, holes: true, ..Traits::default() },
            Val::Marked(marked) => {
                let mut traits = marked.value.traits();
                traits.sensitive |= marked.marks.sensitive;
                traits.marks = true;
                traits.refs |= !marked.marks.refs.is_empty();
                traits
            }
        }
    }

    pub(crate) fn is_poison(&self) -> bool {
        matches!(self, Val::Poison)
    }

    /// Puts marks on it. Poison takes none.
    pub(crate) fn with(self, marks: Marks) -> Val {
        if marks.is_empty() {
            return self;
        }
        match self {
            Val::Poison => Val::Poison,
            Val::Marked(inner) => {
                let mut all = inner.marks.clone();
                all.absorb(&marks);
                if marks.nominal.is_some() {
                    all.nominal = marks.nominal;
                }
                Val::Marked(Arc::new(Marked { value: inner.value.clone(), marks: all }))
            }
            value => Val::Marked(Arc::new(Marked { value, marks })),
        }
    }

    pub(crate) fn sensitive(self) -> Val {
        self.with(Marks { sensitive: true, ..Marks::default() })
    }

    /// The value without its outer mark.
    pub(crate) fn plain(&self) -> &Val {
        match self {
            Val::Marked(marked) => &marked.value,
            value => value,
        }
    }

    pub(crate) fn marks(&self) -> Option<&Marks> {
        match self {
            Val::Marked(marked) => Some(&marked.marks),
            _ => None,
        }
    }

    /// The value without any mark, whose sum is added to `marks`.
    pub(crate) fn strip(&self, marks: &mut Marks) -> Val {
        if !self.traits().marks {
            return self.clone();
        }
        match self {
            Val::Marked(marked) => {
                marks.absorb(&marked.marks);
                marked.value.strip(marks)
            }
            Val::List(list) => Val::list(list.items.iter().map(|item| item.strip(marks)).collect()),
            Val::Map(map) => {
                Val::map(map.entries.iter().map(|(key, value)| (Arc::clone(key), value.strip(marks))).collect())
            }
            Val::Choice(choice) => Val::choice(
                choice.name.clone(),
                choice.arguments.iter().map(|(key, value)| (Arc::clone(key), value.strip(marks))).collect(),
            ),
            other => other.clone(),
        }
    }

    /// Its type in the user's words.
    pub(crate) fn type_name(&self) -> String {
        match self {
            Val::Poison => "something that was reported".to_owned(),
            Val::None => "`none`".to_owned(),
            Val::Default => "`default`".to_owned(),
            Val::Bool(_) => "a bool".to_owned(),
            Val::Int(_) | Val::Decimal(_) => "a number".to_owned(),
            Val::Text(_) => "text".to_owned(),
            Val::List(_) => "a list".to_owned(),
            Val::Map(_) => "a map".to_owned(),
            Val::Choice(choice) => format!("`{}`", choice.name),
            Val::Ref(pointed) => format!("the {} `{}`", pointed.reference.kind, pointed.reference.address),
            Val::Unknown(hole) => format!("{} (known after apply)", describe(&hole.of)),
            Val::Marked(marked) => marked.value.type_name(),
        }
    }
}

/// A type in a sentence: `text`, `a number`, `a list(string)`.
pub(crate) fn describe(of: &Type) -> String {
    match of {
        Type::Any => "any value".to_owned(),
        Type::Bool => "a bool".to_owned(),
        Type::Int => "a whole number".to_owned(),
        Type::Number => "a number".to_owned(),
        Type::String => "text".to_owned(),
        Type::Named(name) => match name.as_str() {
            "arm_id" => "an ARM id".to_owned(),
            "uuid" => "a UUID".to_owned(),
            "url" => "a URL".to_owned(),
            "cidr" => "an address range".to_owned(),
            other => format!(
                "{} {}",
                if other.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" },
                other.replace('_', " ")
            ),
        },
        Type::Enum(words) => format!("one of {}", quoted(words.iter().map(String::as_str))),
        Type::Switch => "`enabled` or `disabled`".to_owned(),
        Type::Object(_) => format!("an {of}"),
        Type::List(_) | Type::Set(_) | Type::Map(_) => format!("a {of}"),
        Type::Resource(kinds) if kinds.iter().any(|kind| kind == akson_catalog::kind::SCOPE) => {
            "a resource or a scope".to_owned()
        }
        Type::Resource(kinds) if kinds.iter().any(|kind| kind == "*") => "a resource".to_owned(),
        Type::Resource(kinds) => {
            let first = kinds.first().map_or("", String::as_str);
            format!("{} {}", if first.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" }, kinds.join(" or "))
        }
        Type::Choice => "a choice".to_owned(),
    }
}

/// Words in backticks with commas, at most twelve of them.
pub(crate) fn quoted<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let all: Vec<&str> = words.collect();
    let mut text = all.iter().take(12).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    if all.len() > 12 {
        text.push_str(", …");
    }
    text
}

fn measure(residual: &Residual) -> (u64, u32) {
    let mut size = 4 * NODE;
    let mut depth = 0;
    let mut add = |part: &Residual| {
        let (inner, levels) = measure(part);
        size += inner;
        depth = depth.max(levels + 1);
    };
    match residual {
        Residual::Known(value) => size += plain::size(value),
        Residual::Output { of, output, .. } => size += (of.as_str().len() + output.len()) as u64,
        Residual::List(parts) | Residual::Operation(_, parts) | Residual::Call { arguments: parts, .. } => {
            parts.iter().for_each(&mut add);
        }
        Residual::Map(parts) => parts.values().for_each(&mut add),
    }
    (size, depth)
}
