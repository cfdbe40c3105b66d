//! A written value becomes another one, with the smallest edits: the element of a list, the entry of an object, the argument of a
//! constructor that differs. Where a value is written elsewhere (a local, a variable, an entry of `for_each`), the edit is made there;
//! what is computed is refused.

use akson_catalog::{Attribute, Type, Value, equality::Equality};
use akson_diagnostics::{SourceMap, Span};
use akson_parser::{
    ast::{Argument, Expr, ExprKind, ObjectKey, TemplatePart, UnaryOp},
    print_expression,
};
use indexmap::IndexMap;

use super::{
    Edit,
    item::{indent_of, line_feed},
    sequence::Sequence,
    walk::{below, chain, plain_text},
};

/// Why a value cannot be edited, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The expression in question.
    pub span: Span,
    /// Why, as the rest of a sentence: `it is computed`.
    pub why: String,
}

/// What a value is of.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The attribute, field or argument; none for what has no description of its own.
    pub attribute: Option<&'a Attribute>,
    /// Its type.
    pub of: &'a Type,
}

/// Where an expression's value is written, if that is elsewhere. Refused if that place must not be edited.
pub(crate) type Follow<'f, 'p> = &'p dyn Fn(&'f Expr) -> Result<Option<&'f Expr>, Refused>;

/// Edits in the making.
pub(crate) struct Change<'f, 'p> {
    pub sources: &'p SourceMap,
    pub follow: Follow<'f, 'p>,
    pub edits: Vec<Edit>,
}

impl<'a> Site<'a> {
    fn item(self, of: &'a Type) -> Self {
        Self { of, ..self }
    }

    /// That of an attribute.
    pub(crate) fn of(attribute: &'a Attribute) -> Self {
        Self { attribute: Some(attribute), of: &attribute.of }
    }

    fn is_unordered(self) -> bool {
        let set = |equality| matches!(equality, Equality::Set | Equality::CidrSet | Equality::Edges | Equality::Items);
        matches!(self.of, Type::Set(_)) || self.attribute.is_some_and(|attribute| set(attribute.equality))
    }

    fn folds(self) -> bool {
        self.attribute.is_some_and(|attribute| attribute.equality != Equality::Exact)
            || matches!(self.of, Type::Enum(_) | Type::Switch | Type::Resource(_))
    }
}

impl<'f> Change<'f, '_> {
    /// Makes of `old`, which says `was`, an expression that says `now`, as `new` writes it.
    pub(crate) fn value(
        &mut self,
        old: &'f Expr,
        was: &Value,
        now: &Value,
        new: &Expr,
        site: Site<'_>,
    ) -> Result<(), Refused> {
        if same(was, now, site.folds()) {
            return Ok(());
        }
        if let Some(place) = (self.follow)(old)? {
            return self.value(place, was, now, new, site);
        }
        match (&old.kind, was, now, &new.kind) {
            (ExprKind::Parens(inner), ..) => self.value(inner, was, now, new, site),
            (ExprKind::List(items), Value::List(was), Value::List(now), ExprKind::List(new))
                if items.len() == was.len() && now.len() == new.len() =>
            {
                self.list(old, (items, was), (now, new), site)
            }
            (ExprKind::Object(entries), Value::Map(was), Value::Map(now), ExprKind::Object(new))
                if now.len() == new.len() =>
            {
                self.object(old, (entries, was), (now, new), site)
            }
            (
                ExprKind::Call(_, arguments),
                Value::Choice { name: before, arguments: was },
                Value::Choice { name: after, arguments: now },
                ExprKind::Call(_, new),
            ) if before == after => {
                let variant = site.attribute.and_then(|attribute| attribute.variants.get(before));
                match variant {
                    Some(variant) => self.call(old, (arguments, was), (now, new), &variant.arguments),
                    None => Err(refused(old, "it is computed")),
                }
            }
            _ => {
                is_replaceable(old, site)?;
                self.replace(old, now, new);
                Ok(())
            }
        }
    }

    /// Writes something in place of an expression.
    fn replace(&mut self, old: &Expr, now: &Value, new: &Expr) {
        let text = self.text(old.span);
        let written = text.get(old.span.start as usize..old.span.end as usize).unwrap_or_default();
        let heredoc = now.as_text().and_then(|now| heredoc(written, now, line_feed(text)));
        let new = heredoc.unwrap_or_else(|| self.printed(new, old.span));
        self.edits.push(Edit { span: old.span, text: new });
    }

    fn text(&self, span: Span) -> &str {
        &self.sources.get(span.source).text
    }

    /// An expression as text, its lines indented as that of a place.
    fn printed(&self, new: &Expr, at: Span) -> String {
        indented(&print_expression(new), self.text(at), at)
    }

    fn list(
        &mut self,
        old: &'f Expr,
        (items, was): (&'f [Expr], &[Value]),
        (now, new): (&[Value], &[Expr]),
        site: Site<'_>,
    ) -> Result<(), Refused> {
        let of = match site.of {
            Type::List(of) | Type::Set(of) => of,
            _ => &Type::Any,
        };
        let inner = site.item(of);
        let matched =
            if site.is_unordered() { unordered(was, now, inner.folds()) } else { ordered(was, now, inner.folds()) };
        let mut partner: Vec<Option<usize>> = matched;
        let taken = |partner: &[Option<usize>], at: usize| partner.contains(&Some(at));
        // Objects that have something in common are one that changed.
        for (at, before) in was.iter().enumerate() {
            if partner.get(at) == Some(&None)
                && let Value::Map(before) = before
            {
                let alike = |now: &Value| match now {
                    Value::Map(now) => before.iter().filter(|(key, value)| now.get(*key) == Some(value)).count(),
                    _ => 0,
                };
                let lower = partner.iter().take(at).flatten().max().map_or(0, |last| last + 1);
                let upper = partner.iter().skip(at + 1).flatten().min().copied().unwrap_or(now.len());
                let open = now.iter().enumerate().filter(|(place, _)| {
                    !taken(&partner, *place) && (site.is_unordered() || (lower..upper).contains(place))
                });
                let best = open.map(|(place, now)| (alike(now), place)).filter(|(alike, _)| *alike > 0);
                let best = best.max_by_key(|(alike, place)| (*alike, std::cmp::Reverse(*place)));
                if let (Some((_, place)), Some(slot)) = (best, partner.get_mut(at)) {
                    *slot = Some(place);
                }
            }
        }
        for (at, place) in partner.iter().enumerate() {
            let Some(place) = place else { continue };
            if let (Some(item), Some(was), Some(now), Some(new)) =
                (items.get(at), was.get(at), now.get(*place), new.get(*place))
            {
                self.value(item, was, now, new, inner)?;
            }
        }
        let parts: Vec<Span> = items.iter().map(|item| item.span).collect();
        let stays: Vec<bool> = partner.iter().map(Option::is_some).collect();
        let mut more = Vec::new();
        for (place, new) in new.iter().enumerate().filter(|(place, _)| !taken(&partner, *place)) {
            // Behind the old one that stands before it.
            let behind = if site.is_unordered() {
                items.len()
            } else {
                let before = partner.iter().rposition(|other| other.is_some_and(|other| other < place));
                let gone = |at: usize| partner.get(at) == Some(&None);
                let mut behind = before.map_or(0, |at| at + 1);
                while gone(behind) {
                    behind += 1;
                }
                behind
            };
            let at = parts.last().copied().unwrap_or(old.span);
            more.push((behind, self.printed(new, at)));
        }
        self.sequence(old, &parts, &stays, &more, (true, false));
        Ok(())
    }

    fn object(
        &mut self,
        old: &'f Expr,
        (entries, was): (&'f [(ObjectKey, Expr)], &IndexMap<String, Value>),
        (now, new): (&IndexMap<String, Value>, &[(ObjectKey, Expr)]),
        site: Site<'_>,
    ) -> Result<(), Refused> {
        let site_of = |key: &str| -> Site<'_> {
            let field = site.attribute.and_then(|attribute| attribute.fields.get(key));
            match (site.of, field) {
                (Type::Map(of), _) => site.item(of),
                (_, Some(field)) => Site::of(field),
                _ => site.item(&Type::Any),
            }
        };
        let mut keys = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            keys.push(key_text(key).ok_or_else(|| refused(value, "one of its keys is computed"))?);
        }
        let added: Vec<&(ObjectKey, Expr)> = new
            .iter()
            .filter(|(key, _)| key_text(key).is_some_and(|key| !keys.iter().any(|(own, _)| *own == key.0)))
            .collect();
        let mut stays = Vec::with_capacity(entries.len());
        for ((key, _), (_, value)) in keys.iter().zip(entries) {
            let written = new.iter().find(|(own, _)| key_text(own).is_some_and(|(own, _)| own == *key));
            stays.push(written.is_some());
            if let (Some(was), Some(now), Some((_, new))) = (was.get(key), now.get(key), written) {
                self.value(value, was, now, new, site_of(key))?;
            } else if let (None, Some(_)) = (was.get(key), written) {
                return Err(refused(value, "what it says is not known"));
            }
        }
        let parts: Vec<Span> = keys.iter().zip(entries).map(|((_, key), (_, value))| key.to(value.span)).collect();
        // The sign of equality stands below the others.
        let width = keys.last().zip(entries.last()).map_or(0, |((_, key), (_, value))| {
            let between = self.text(*key).get(key.end as usize..value.span.start as usize).unwrap_or_default();
            let sign = between.find('=').filter(|sign| between.get(..*sign).is_some_and(|gap| gap.trim().is_empty()));
            (key.end - key.start) as usize + sign.unwrap_or(0).saturating_sub(1)
        });
        let mut more = Vec::new();
        for (key, value) in added {
            let key = print_key(key);
            let at = parts.last().copied().unwrap_or(old.span);
            more.push((entries.len(), format!("{key:<width$} = {}", self.printed(value, at))));
        }
        if !self.in_lines(old, &parts) {
            for (_, text) in &mut more {
                if let Some((key, value)) = text.split_once(" = ") {
                    *text = format!("{} = {value}", key.trim_end());
                }
            }
        }
        self.sequence(old, &parts, &stays, &more, (false, true));
        Ok(())
    }

    fn in_lines(&self, old: &Expr, parts: &[Span]) -> bool {
        let text = self.text(old.span);
        parts.last().is_some_and(|last| super::item::begins_line(text, last.start as usize))
    }

    fn call(
        &mut self,
        old: &'f Expr,
        (arguments, was): (&'f [Argument], &IndexMap<String, Value>),
        (now, new): (&IndexMap<String, Value>, &[Argument]),
        known: &IndexMap<String, Attribute>,
    ) -> Result<(), Refused> {
        let name_of = |at: usize, argument: &Argument| match &argument.name {
            Some(name) => Some(name.text.clone()),
            None => known.keys().nth(at).cloned(),
        };
        let find = |arguments: &[Argument], wanted: &str| {
            arguments.iter().enumerate().position(|(at, argument)| name_of(at, argument).as_deref() == Some(wanted))
        };
        let mut stays = Vec::with_capacity(arguments.len());
        for (at, argument) in arguments.iter().enumerate() {
            let name = name_of(at, argument).ok_or_else(|| refused(old, "it is computed"))?;
            let written = find(new, &name).and_then(|at| new.get(at));
            let is_last = arguments.get(at + 1).is_none_or(|next| next.name.is_some());
            if written.is_none() && argument.name.is_none() && !is_last {
                is_plain(old)?;
                self.edits.retain(|edit| !lies_in(edit.span, old.span));
                let whole = Value::Choice { name: String::new(), arguments: now.clone() };
                let ExprKind::Call(called, _) = &old.kind else { return Err(refused(old, "it is computed")) };
                let kind = ExprKind::Call(called.clone(), new.to_vec());
                self.replace(old, &whole, &Expr { span: old.span, kind });
                return Ok(());
            }
            stays.push(written.is_some());
            if let (Some(written), Some(of), Some(was), Some(now)) =
                (written, known.get(&name), was.get(&name), now.get(&name))
            {
                self.value(&argument.value, was, now, &written.value, Site::of(of))?;
            }
        }
        let mut more = Vec::new();
        for (at, argument) in new.iter().enumerate() {
            let Some(name) = name_of(at, argument) else { continue };
            // What a create sends anyway was said by nobody.
            if find(arguments, &name).is_none() && !was.contains_key(&name) {
                let value = self.printed(&argument.value, old.span);
                let fits = argument.name.is_none() && at == arguments.len() && stays.iter().all(|stays| *stays);
                more.push((arguments.len(), if fits { value } else { format!("{name} = {value}") }));
            }
        }
        let parts: Vec<Span> = arguments
            .iter()
            .map(|argument| {
                argument.name.as_ref().map_or(argument.value.span, |name| name.span.to(argument.value.span))
            })
            .collect();
        // The brackets of a call begin behind its name.
        let text = self.text(old.span);
        let open = text.get(old.span.start as usize..).and_then(|rest| rest.find('(')).unwrap_or(0);
        let outer = Span::new(old.span.source, old.span.start as usize + open, old.span.end as usize);
        let sequence = Sequence { text, outer, parts: &parts, stays: &stays, more: &more, commas: true, padded: false };
        let edits = sequence.edits();
        self.edits.extend(edits);
        Ok(())
    }

    fn sequence(
        &mut self,
        old: &Expr,
        parts: &[Span],
        stays: &[bool],
        more: &[(usize, String)],
        (commas, padded): (bool, bool),
    ) {
        let text = &self.sources.get(old.span.source).text;
        let sequence = Sequence { text, outer: old.span, parts, stays, more, commas, padded };
        let edits = sequence.edits();
        self.edits.extend(edits);
    }
}

/// Takes elements of a list or entries of an object out.
pub(crate) fn take_out(sources: &SourceMap, from: &Expr, stays: &[bool]) -> Vec<Edit> {
    let (parts, commas): (Vec<Span>, bool) = match &from.kind {
        ExprKind::List(items) => (items.iter().map(|item| item.span).collect(), true),
        ExprKind::Object(entries) => {
            let place = |key: &ObjectKey| match key {
                ObjectKey::Name(name) => name.span,
                ObjectKey::Expr(expr) => expr.span,
            };
            (entries.iter().map(|(key, value)| place(key).to(value.span)).collect(), false)
        }
        _ => return Vec::new(),
    };
    let text = &sources.get(from.span.source).text;
    Sequence { text, outer: from.span, parts: &parts, stays, more: &[], commas, padded: !commas }.edits()
}

fn lies_in(inner: Span, outer: Span) -> bool {
    inner.source == outer.source && inner.start >= outer.start && inner.end <= outer.end
}

fn refused(expr: &Expr, why: &str) -> Refused {
    Refused { span: expr.span, why: why.to_owned() }
}

/// Whether an expression says its value by itself, so that another can stand in its place.
fn is_replaceable(old: &Expr, site: Site<'_>) -> Result<(), Refused> {
    match &old.kind {
        ExprKind::Call(name, _)
            if site.attribute.is_some_and(|attribute| attribute.variants.contains_key(&name.text)) =>
        {
            Ok(())
        }
        ExprKind::List(_) | ExprKind::Object(_) => is_plain(old),
        _ => is_said(old),
    }
}

fn is_said(old: &Expr) -> Result<(), Refused> {
    match &old.kind {
        ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::None | ExprKind::Default | ExprKind::Word(_) => Ok(()),
        ExprKind::List(_) | ExprKind::Object(_) => Ok(()),
        ExprKind::Unary(UnaryOp::Negate, inner) => is_said(inner),
        ExprKind::Template(parts) if parts.iter().all(|part| matches!(part, TemplatePart::Literal(_))) => Ok(()),
        ExprKind::Template(_) => Err(refused(old, "it is a text that is put together")),
        ExprKind::Field(..) | ExprKind::Index(..) | ExprKind::Method(..) if chain(old).is_some() => Ok(()),
        _ => Err(refused(old, "it is computed")),
    }
}

/// Whether nothing in an expression is computed or written elsewhere.
fn is_plain(old: &Expr) -> Result<(), Refused> {
    let mut wrong = None;
    below(old, &mut |expr| {
        let elsewhere = chain(expr).is_some_and(|chain| matches!(chain.root.as_str(), "local" | "var" | "each"));
        if wrong.is_none() && (elsewhere || is_said(expr).is_err()) {
            wrong = Some(refused(expr, "a part of it is computed"));
        }
    });
    wrong.map_or(Ok(()), Err)
}

/// A key that is written out, and its place.
fn key_text(key: &ObjectKey) -> Option<(String, Span)> {
    match key {
        ObjectKey::Name(name) => Some((name.text.clone(), name.span)),
        ObjectKey::Expr(expr) => Some((plain_text(expr)?, expr.span)),
    }
}

fn print_key(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Name(name) => name.text.clone(),
        ObjectKey::Expr(expr) => print_expression(expr),
    }
}

/// Whether two values are one.
pub(crate) fn same(was: &Value, now: &Value, folds: bool) -> bool {
    match (was, now) {
        (Value::Text(was), Value::Text(now)) => was == now || (folds && was.eq_ignore_ascii_case(now)),
        (Value::List(was), Value::List(now)) => {
            was.len() == now.len() && was.iter().zip(now).all(|(was, now)| same(was, now, folds))
        }
        (Value::Map(was), Value::Map(now)) => {
            was.len() == now.len() && was.iter().all(|(key, was)| now.get(key).is_some_and(|now| same(was, now, folds)))
        }
        (Value::Choice { name: one, arguments: was }, Value::Choice { name: other, arguments: now }) => {
            one == other
                && was.len() == now.len()
                && was.iter().all(|(key, was)| now.get(key).is_some_and(|now| same(was, now, folds)))
        }
        (Value::Choice { name, arguments }, Value::Text(word))
        | (Value::Text(word), Value::Choice { name, arguments }) => arguments.is_empty() && name == word,
        (was, now) => was == now,
    }
}

/// Of each old value the place of the new one that it is, each once.
fn unordered(was: &[Value], now: &[Value], folds: bool) -> Vec<Option<usize>> {
    let mut free: Vec<bool> = vec![true; now.len()];
    was.iter()
        .map(|was| {
            let found =
                now.iter().enumerate().position(|(at, now)| free.get(at) == Some(&true) && same(was, now, folds));
            if let Some(taken) = found.and_then(|at| free.get_mut(at)) {
                *taken = false;
            }
            found
        })
        .collect()
}

/// The same where the order counts: the longest part that both have.
fn ordered(was: &[Value], now: &[Value], folds: bool) -> Vec<Option<usize>> {
    let width = now.len() + 1;
    let mut best = vec![0_usize; (was.len() + 1) * width];
    let at = |best: &[usize], row: usize, column: usize| best.get(row * width + column).copied().unwrap_or(0);
    for (row, one) in was.iter().enumerate().rev() {
        for (column, other) in now.iter().enumerate().rev() {
            let length = if same(one, other, folds) {
                at(&best, row + 1, column + 1) + 1
            } else {
                at(&best, row + 1, column).max(at(&best, row, column + 1))
            };
            if let Some(slot) = best.get_mut(row * width + column) {
                *slot = length;
            }
        }
    }
    let mut found = vec![None; was.len()];
    let (mut row, mut column) = (0, 0);
    while let (Some(one), Some(other)) = (was.get(row), now.get(column)) {
        if same(one, other, folds) {
            if let Some(slot) = found.get_mut(row) {
                *slot = Some(column);
            }
            row += 1;
            column += 1;
        } else if at(&best, row + 1, column) >= at(&best, row, column + 1) {
            row += 1;
        } else {
            column += 1;
        }
    }
    found
}

/// Text of several lines, each after the first with the indentation of a place.
pub(crate) fn indented(printed: &str, text: &str, at: Span) -> String {
    let feed = format!("{}{}", line_feed(text), indent_of(text, at.start as usize));
    printed.replace('\n', &feed)
}

/// A text as the heredoc that the old one was. None if it was none, or if no heredoc says it.
fn heredoc(written: &str, now: &str, feed: &str) -> Option<String> {
    let rest = written.strip_prefix("<<")?;
    let (open, body) = rest.split_once('\n')?;
    let marker = open.trim_start_matches('-').trim();
    let is_shown = |character: char| character == '\n' || character == '\t' || !character.is_control();
    let lines = now.strip_suffix('\n')?;
    if !now.chars().all(is_shown) || lines.lines().any(|line| line.trim() == marker) {
        return None;
    }
    let (close, old) = {
        let mut all: Vec<&str> = body.split('\n').collect();
        (all.pop()?, all)
    };
    let indent = if open.starts_with('-') {
        let blanks = |line: &&str| line.len() - line.trim_start_matches([' ', '\t']).len();
        let full = old.iter().copied().filter(|line| !line.trim().is_empty());
        let least = full.min_by_key(blanks).map(|line| line.get(..blanks(&line)).unwrap_or_default().to_owned());
        // The closing line counts, too, where it stands further left.
        least.unwrap_or_else(|| format!("{}  ", close.get(..blanks(&close)).unwrap_or_default()))
    } else {
        String::new()
    };
    // What begins with blanks would lose them to the common indentation.
    if open.starts_with('-') && lines.lines().all(|line| line.is_empty() || line.starts_with([' ', '\t'])) {
        return None;
    }
    let mut out = format!("<<{open}\n");
    for line in lines.split('\n') {
        let escaped = line.replace("${", "$${").replace("%{", "%%{");
        let line = if escaped.is_empty() { String::new() } else { format!("{indent}{escaped}") };
        out.push_str(&line);
        out.push_str(feed);
    }
    out.push_str(close);
    Some(out)
}
