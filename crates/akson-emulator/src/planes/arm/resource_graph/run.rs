//! Runs the stages of a query over rows.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::syntax::{AGGREGATES, Column, Expression, Query, Stage};

pub(super) type Row = Map<String, Value>;

/// A function that there is not here.
pub(super) struct Unknown(pub(super) String);

type Outcome<T> = Result<T, Unknown>;

pub(super) fn run(query: &Query, mut rows: Vec<Row>) -> Outcome<Vec<Row>> {
    // What there is not is refused where there are no rows, too.
    query.stages.iter().try_for_each(|stage| apply(stage, vec![Row::new()]).map(|_| ()))?;
    for stage in &query.stages {
        rows = apply(stage, rows)?;
    }
    Ok(rows)
}

fn apply(stage: &Stage, rows: Vec<Row>) -> Outcome<Vec<Row>> {
    Ok(match stage {
        Stage::Where(test) => {
            let mut kept = Vec::new();
            for row in rows {
                if is_true(&value(test, &row)?) {
                    kept.push(row);
                }
            }
            kept
        }
        Stage::Project(columns) => rows.iter().map(|row| cells(columns, row)).collect::<Outcome<_>>()?,
        Stage::ProjectAway(names) => {
            let without = |mut row: Row| {
                row.retain(|name, _| !names.contains(name));
                row
            };
            rows.into_iter().map(without).collect()
        }
        Stage::Extend(columns) => {
            let mut extended = Vec::new();
            for mut row in rows {
                for (name, expression) in columns {
                    let cell = value(expression, &row)?;
                    row.insert(name.clone(), cell);
                }
                extended.push(row);
            }
            extended
        }
        Stage::Sort(by) => sorted(rows, by)?,
        Stage::Take(many) => rows.into_iter().take(*many).collect(),
        Stage::Count => vec![Row::from_iter([("Count".to_owned(), rows.len().into())])],
        Stage::Distinct(columns) => {
            let mut distinct: Vec<Row> = Vec::new();
            for row in &rows {
                let cells = cells(columns, row)?;
                if !distinct.contains(&cells) {
                    distinct.push(cells);
                }
            }
            distinct
        }
        Stage::Summarize { of, by } => summarized(&rows, of, by)?,
        Stage::Expand((name, list)) => {
            let mut expanded = Vec::new();
            for row in rows {
                match value(list, &row)? {
                    Value::Array(items) => expanded.extend(items.into_iter().map(|item| {
                        let mut one = row.clone();
                        one.insert(name.clone(), item);
                        one
                    })),
                    Value::Null => {}
                    other => {
                        let mut one = row;
                        one.insert(name.clone(), other);
                        expanded.push(one);
                    }
                }
            }
            expanded
        }
    })
}

fn cells(columns: &[Column], row: &Row) -> Outcome<Row> {
    columns.iter().map(|(name, expression)| Ok((name.clone(), value(expression, row)?))).collect()
}

fn sorted(rows: Vec<Row>, by: &[(Expression, bool)]) -> Outcome<Vec<Row>> {
    let mut keyed: Vec<(Vec<Value>, Row)> = Vec::new();
    for row in rows {
        let keys = by.iter().map(|(expression, _)| value(expression, &row)).collect::<Outcome<Vec<_>>>()?;
        keyed.push((keys, row));
    }
    keyed.sort_by(|(a, _), (b, _)| {
        let compared = a.iter().zip(b).zip(by).map(|((a, b), (_, up))| if *up { order(a, b) } else { order(b, a) });
        compared.fold(Ordering::Equal, Ordering::then)
    });
    Ok(keyed.into_iter().map(|(_, row)| row).collect())
}

/// Nothing before numbers before texts.
fn order(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    };
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn summarized(rows: &[Row], of: &[Column], by: &[Column]) -> Outcome<Vec<Row>> {
    let mut groups: Vec<(Row, Vec<&Row>)> = Vec::new();
    for row in rows {
        let group = cells(by, row)?;
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, members)) => members.push(row),
            None => groups.push((group, vec![row])),
        }
    }
    // Without groups there is one, of nothing perhaps.
    if by.is_empty() && groups.is_empty() {
        groups.push((Row::new(), Vec::new()));
    }
    let mut summaries = Vec::new();
    for (mut row, members) in groups {
        for (name, expression) in of {
            row.insert(name.clone(), aggregate(expression, &members)?);
        }
        summaries.push(row);
    }
    Ok(summaries)
}

fn aggregate(expression: &Expression, rows: &[&Row]) -> Outcome<Value> {
    let Expression::Call(name, arguments) = expression else { return Err(Unknown("summarize".to_owned())) };
    if !AGGREGATES.contains(&name.as_str()) {
        return Err(Unknown(name.clone()));
    }
    let mut values = Vec::new();
    for row in rows {
        if let Some(argument) = arguments.first() {
            values.push(value(argument, row)?);
        }
    }
    let distinct = |values: &[Value]| {
        let mut distinct: Vec<Value> = Vec::new();
        for value in values.iter().filter(|value| !value.is_null()) {
            if !distinct.contains(value) {
                distinct.push(value.clone());
            }
        }
        distinct
    };
    let numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
    Ok(match name.as_str() {
        "count" => rows.len().into(),
        "countif" => values.iter().filter(|value| is_true(value)).count().into(),
        "dcount" => distinct(&values).len().into(),
        "sum" => whole(numbers.iter().sum()),
        "avg" => mean(&numbers),
        "min" => values.into_iter().filter(|value| !value.is_null()).min_by(order).unwrap_or(Value::Null),
        "max" | "arg_max" => values.into_iter().filter(|value| !value.is_null()).max_by(order).unwrap_or(Value::Null),
        "make_list" => values.into_iter().filter(|value| !value.is_null()).collect(),
        "make_set" => distinct(&values).into(),
        _ => values.into_iter().find(|value| !value.is_null()).unwrap_or(Value::Null),
    })
}

#[allow(clippy::cast_precision_loss, reason = "a number of rows is small")]
fn mean(numbers: &[f64]) -> Value {
    if numbers.is_empty() { Value::Null } else { whole(numbers.iter().sum::<f64>() / numbers.len() as f64) }
}

/// A number, without a fraction where it has none.
#[allow(clippy::cast_possible_truncation, reason = "checked: whole and small")]
fn whole(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 { (number as i64).into() } else { json!(number) }
}

pub(super) fn value(expression: &Expression, row: &Row) -> Outcome<Value> {
    Ok(match expression {
        Expression::Literal(value) => value.clone(),
        Expression::Name(name) => row.get(name).cloned().unwrap_or(Value::Null),
        Expression::Member(of, name) => value(of, row)?.get(name).cloned().unwrap_or(Value::Null),
        Expression::Element(of, at) => {
            let (of, at) = (value(of, row)?, value(at, row)?);
            let found = match &at {
                Value::String(name) => of.get(name),
                Value::Number(number) => {
                    number.as_u64().and_then(|at| usize::try_from(at).ok()).and_then(|at| of.get(at))
                }
                _ => None,
            };
            found.cloned().unwrap_or(Value::Null)
        }
        Expression::Call(name, arguments) => call(name, arguments, row)?,
        Expression::Compare(sign, left, right) => compare(sign, &value(left, row)?, &value(right, row)?)?.into(),
        Expression::Among { what, list, fold, not } => {
            let what = value(what, row)?;
            let mut found = false;
            for one in list {
                let one = value(one, row)?;
                found |= match one {
                    Value::Array(many) => many.iter().any(|one| same(&what, one, *fold)),
                    one => same(&what, &one, *fold),
                };
            }
            (found != *not).into()
        }
        Expression::And(left, right) => (is_true(&value(left, row)?) && is_true(&value(right, row)?)).into(),
        Expression::Or(left, right) => (is_true(&value(left, row)?) || is_true(&value(right, row)?)).into(),
        Expression::Sum(left, sign, right) => match (value(left, row)?.as_f64(), value(right, row)?.as_f64()) {
            (Some(left), Some(right)) => match sign {
                '+' => whole(left + right),
                '-' => whole(left - right),
                '*' => whole(left * right),
                _ if right == 0.0 => Value::Null,
                _ => whole(left / right),
            },
            _ => Value::Null,
        },
    })
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        _ => false,
    }
}

/// A value as text: nothing is empty.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn same(a: &Value, b: &Value, fold: bool) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) if fold => a.to_lowercase() == b.to_lowercase(),
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        // What comes out of a dynamic value is compared as text with text.
        (Value::Bool(a), Value::String(b)) | (Value::String(b), Value::Bool(a)) => {
            a.to_string().eq_ignore_ascii_case(b)
        }
        (Value::Null, Value::String(text)) | (Value::String(text), Value::Null) => text.is_empty(),
        _ => a == b,
    }
}

fn compare(sign: &str, left: &Value, right: &Value) -> Outcome<bool> {
    let (plain, not) = sign.strip_prefix('!').filter(|rest| rest.len() > 1).map_or((sign, false), |rest| (rest, true));
    let folded = || (text(left).to_lowercase(), text(right).to_lowercase());
    let held = match plain {
        "==" => same(left, right, false),
        "!=" => !same(left, right, false),
        "=~" => same(left, right, true),
        "!~" => !same(left, right, true),
        "<" => order(left, right) == Ordering::Less,
        "<=" => order(left, right) != Ordering::Greater,
        ">" => order(left, right) == Ordering::Greater,
        ">=" => order(left, right) != Ordering::Less,
        "contains" => {
            let (left, right) = folded();
            left.contains(&right)
        }
        "contains_cs" => text(left).contains(&text(right)),
        "has" | "hasprefix" => {
            let (left, right) = folded();
            let mut words = left.split(|character: char| !character.is_alphanumeric());
            if plain == "hasprefix" {
                words.any(|word| word.starts_with(&right))
            } else {
                // A term may hold what parts words: then it stands there as a whole.
                words.any(|word| word == right)
                    || (right.contains(|c: char| !c.is_alphanumeric()) && left.contains(&right))
            }
        }
        "startswith" => {
            let (left, right) = folded();
            left.starts_with(&right)
        }
        "startswith_cs" => text(left).starts_with(&text(right)),
        "endswith" => {
            let (left, right) = folded();
            left.ends_with(&right)
        }
        "endswith_cs" => text(left).ends_with(&text(right)),
        other => return Err(Unknown(other.to_owned())),
    };
    Ok(held != not)
}

fn call(name: &str, arguments: &[Expression], row: &Row) -> Outcome<Value> {
    let mut given = Vec::new();
    for argument in arguments {
        given.push(value(argument, row)?);
    }
    let first = given.first().cloned().unwrap_or(Value::Null);
    let second = given.get(1).cloned().unwrap_or(Value::Null);
    let empty = match &first {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    Ok(match name {
        "tolower" => text(&first).to_lowercase().into(),
        "toupper" => text(&first).to_uppercase().into(),
        "tostring" => text(&first).into(),
        "toint" | "tolong" | "todouble" | "toreal" => match &first {
            Value::Number(_) => first,
            other => text(other).trim().parse::<f64>().map_or(Value::Null, whole),
        },
        "tobool" | "bool" => is_true(&first).into(),
        "todynamic" | "parse_json" | "dynamic" => match &first {
            Value::String(text) => serde_json::from_str(text).unwrap_or(first),
            _ => first,
        },
        "isempty" => empty.into(),
        "isnotempty" | "notempty" => (!empty).into(),
        "isnull" => first.is_null().into(),
        "isnotnull" | "notnull" => (!first.is_null()).into(),
        "not" => (!is_true(&first)).into(),
        "strlen" => text(&first).chars().count().into(),
        "strcat" => given.iter().map(text).collect::<String>().into(),
        "array_length" => first.as_array().map_or(Value::Null, |items| items.len().into()),
        "coalesce" => given.into_iter().find(|value| !value.is_null()).unwrap_or(Value::Null),
        "iff" | "iif" => given.into_iter().nth(if is_true(&first) { 1 } else { 2 }).unwrap_or(Value::Null),
        "split" => {
            let parts: Vec<Value> = text(&first).split(&text(&second)).map(Value::from).collect();
            match given.get(2).and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok()) {
                Some(at) => parts.into_iter().skip(at).take(1).collect(),
                None => parts.into(),
            }
        }
        "replace" | "replace_string" => {
            text(&first).replace(&text(&second), &given.get(2).map(text).unwrap_or_default()).into()
        }
        "bag_keys" => first.as_object().map_or(Value::Null, |fields| fields.keys().cloned().collect()),
        _ => return Err(Unknown(name.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "a test stops at the first surprise")]

    use super::super::syntax::parse;
    use super::*;

    fn rows() -> Vec<Row> {
        let rows = json!([
            { "id": "/1", "name": "Shop", "type": "a/b", "tags": { "env": "dev" }, "properties": { "n": 3, "on": true } },
            { "id": "/2", "name": "shop-2", "type": "a/b", "tags": null, "properties": { "n": 5, "list": ["x", "y"] } },
            { "id": "/3", "name": "other", "type": "a/c", "tags": {}, "properties": {} },
        ]);
        rows.as_array().into_iter().flatten().filter_map(|row| row.as_object().cloned()).collect()
    }

    fn check(query: &str, expected: &Value) {
        let query = parse(query).unwrap_or_else(|mistake| panic!("{mistake:?}"));
        let found = run(&query, rows()).unwrap_or_else(|unknown| panic!("{}", unknown.0));
        assert_eq!(json!(found), *expected, "{query:?}");
    }

    #[test]
    fn stages() {
        check("R | where name =~ 'SHOP' | project name", &json!([{ "name": "Shop" }]));
        check("R | where name has 'shop' | count", &json!([{ "Count": 2 }]));
        check("R | where tags.env == 'dev' or properties.n > 4 | project id", &json!([{ "id": "/1" }, { "id": "/2" }]));
        check(
            "R | summarize n = count(), sum(properties.n) by type | order by n asc",
            &json!([
                { "type": "a/c", "n": 1, "sum_properties_n": 0 }, { "type": "a/b", "n": 2, "sum_properties_n": 8 },
            ]),
        );
        check("R | top 1 by name | project name", &json!([{ "name": "shop-2" }]));
        check("R | mv-expand one = properties.list | project one", &json!([{ "one": "x" }, { "one": "y" }]));
        check("R | where isnotempty(tags) | extend up = toupper(name) | project up", &json!([{ "up": "SHOP" }]));
        check("R | where id !in ('/1', '/3') | project n = properties['n'] * 2", &json!([{ "n": 10 }]));
        check("R | where properties.on == true | distinct type", &json!([{ "type": "a/b" }]));
        check("R | where name !contains 'SHOP' and not(isnull(id)) | project name", &json!([{ "name": "other" }]));
        check("R | summarize count()", &json!([{ "count_": 3 }]));
    }

    #[test]
    fn what_is_not_known() {
        let query = parse("R | extend x = geo_distance(1)").unwrap_or_else(|mistake| panic!("{mistake:?}"));
        assert!(run(&query, rows()).is_err_and(|unknown| unknown.0 == "geo_distance"));
    }
}
