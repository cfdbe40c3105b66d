//! Azure Resource Graph: `POST /providers/Microsoft.ResourceGraph/resources` asks an index of everything that the caller may
//! read. The index is behind by up to half a minute, and answers come in pages.

mod lexer;
mod run;
mod syntax;
mod tables;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::path::Collection;
use super::types::ArmType;
use super::{Call, body};
use crate::access::{self, Right};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, WithHeader};
use crate::throttle::Limit;
use run::Row;
use syntax::{Mistake, Stage};

pub(super) const TYPE_KEY: &str = "microsoft.resourcegraph/resources";

/// How far the index is behind: it is made anew when it is as old, and does not have what is younger.
const BEHIND: Duration = Duration::from_secs(30);

/// Rows of a page, if nobody says otherwise and at most.
const USUAL: u64 = 100;
const MOST: u64 = 1000;

/// What was in the world at a moment.
#[derive(Debug)]
pub(crate) struct Index {
    made: WorldTime,
    rows: Vec<tables::Placed>,
}

pub(super) struct ResourceGraph;

impl ArmType for ResourceGraph {
    fn has_parents(&self) -> bool {
        false
    }

    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    /// A question, asked with POST.
    fn list(&self, call: &mut Call<'_>, _collection: &Collection, _version: &str) -> Outcome {
        if call.visit.method != Method::POST {
            return Err(errors::method_not_allowed(call.visit.method.as_str()));
        }
        let asked = body::read(call)?;
        let left = throttle(call)?;
        let text = asked.get("query").and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() {
            return Err(invalid("The query must not be empty.", None));
        }
        let query = syntax::parse(text).map_err(|mistake| invalid("", Some(&mistake)))?;
        let table = query.table.to_ascii_lowercase();
        if !tables::TABLES.contains(&table.as_str()) {
            return Err(invalid(&format!("Table {} is invalid.", query.table), None));
        }
        let page = Page::of(&asked, text)?;
        let rows = visible(call, &asked, &table);
        let rows = run::run(&query, rows)
            .map_err(|unknown| invalid(&format!("'{}' is not supported here.", unknown.0), None))?;
        let limited = query.stages.iter().any(|stage| matches!(stage, Stage::Take(_)));
        let answer = page.cut(rows, text, limited);
        Ok(reply::json(StatusCode::OK, &answer)
            .with("x-ms-user-quota-remaining", &left.to_string())
            .with("x-ms-user-quota-resets-after", "00:00:05"))
    }
}

/// Documented: 15 questions in five seconds for a user.
fn throttle(call: &mut Call<'_>) -> Result<u32, Refusal> {
    if !call.options.rate_limits {
        return Ok(14);
    }
    let who = call.bearer().object_id;
    let taken = call.state.buckets.take(&who, Limit::GraphQueries, call.now);
    taken.map_err(|seconds| errors::throttled("", &who, "reads", seconds))
}

/// The rows of a table that the caller may read, in the subscriptions that were asked for.
fn visible(call: &mut Call<'_>, asked: &body::Body, table: &str) -> Vec<Row> {
    let now = call.now;
    let stale = call.state.index.as_ref().is_none_or(|index| now.since(index.made) >= BEHIND || index.made > now);
    if stale {
        let oldest = WorldTime(now.0.saturating_sub(i64::try_from(BEHIND.as_millis()).unwrap_or(0)));
        call.state.index = Some(Index { made: now, rows: tables::all(&call.state.world, oldest) });
    }
    let scopes: Option<Vec<String>> = asked
        .get("subscriptions")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase).collect());
    let scopes = scopes.filter(|scopes| !scopes.is_empty());
    let who = call.bearer().object_id;
    let Some(index) = &call.state.index else { return Vec::new() };
    let in_table = index.rows.iter().filter(|(of, _)| *of == table).map(|(_, row)| row);
    let wanted = in_table.filter(|row| {
        let of = row["subscriptionId"].as_str().unwrap_or_default().to_ascii_lowercase();
        scopes.as_ref().is_none_or(|scopes| scopes.contains(&of))
    });
    let readable = wanted.filter(|row| {
        let kind = row["type"].as_str().unwrap_or_default();
        let action = format!("{kind}/read");
        let id = row["id"].as_str().unwrap_or_default();
        access::allows(&call.state.world, &who, Right::Action(&action), id, now)
    });
    readable.cloned().collect()
}

/// Which rows of a result are asked for.
struct Page {
    from: usize,
    size: usize,
    table: bool,
}

impl Page {
    fn of(asked: &body::Body, query: &str) -> Result<Self, Refusal> {
        let options = asked.get("options").cloned().unwrap_or(Value::Null);
        let number = |name: &str| options[name].as_u64();
        let size = number("$top").unwrap_or(USUAL);
        if size == 0 || size > MOST {
            return Err(invalid(&format!("The value of $top must be between 1 and {MOST}."), None));
        }
        let from = match options["$skipToken"].as_str() {
            Some(token) => read_token(token, query)?,
            None => number("$skip").unwrap_or(0),
        };
        let table = options["resultFormat"].as_str().is_some_and(|format| format.eq_ignore_ascii_case("table"));
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Self { from: place(from), size: place(size), table })
    }

    /// Recorded: whether something was cut off is a text. Documented: the next page can only be asked for where rows have ids.
    fn cut(&self, rows: Vec<Row>, query: &str, limited: bool) -> Value {
        let total = rows.len();
        let with_ids = rows.first().is_some_and(|row| row.contains_key("id"));
        let shown: Vec<Row> = rows.into_iter().skip(self.from).take(self.size).collect();
        let next = self.from.saturating_add(shown.len());
        let more = next < total;
        let count = shown.len();
        let data = if self.table { table(&shown) } else { json!(shown) };
        let mut answer = json!({
            "totalRecords": total,
            "count": count,
            "data": data,
            "facets": [],
            "resultTruncated": if more && !with_ids { "true" } else { "false" },
        });
        if more && with_ids && !limited {
            answer["$skipToken"] = token(next, query).into();
        }
        answer
    }
}

/// Rows as lists of cells.
fn table(rows: &[Row]) -> Value {
    let names: Vec<&String> = rows.first().map(|row| row.keys().collect()).unwrap_or_default();
    let kind = |name: &str| match rows.iter().filter_map(|row| row.get(name)).find(|value| !value.is_null()) {
        Some(Value::Object(_) | Value::Array(_)) => "object",
        Some(Value::Number(_)) => "integer",
        Some(Value::Bool(_)) => "boolean",
        _ => "string",
    };
    let columns: Vec<Value> = names.iter().map(|name| json!({ "name": name, "type": kind(name) })).collect();
    let cells: Vec<Vec<&Value>> =
        rows.iter().map(|row| names.iter().map(|name| row.get(*name).unwrap_or(&Value::Null)).collect()).collect();
    json!({ "columns": columns, "rows": cells })
}

/// A token is of a place in the result of one query.
fn token(from: usize, query: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{from}:{:x}", fingerprint(query)))
}

fn read_token(token: &str, query: &str) -> Result<u64, Refusal> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let (from, of) = text.split_once(':').unwrap_or_default();
    let own = of == format!("{:x}", fingerprint(query));
    from.parse().ok().filter(|_| own).ok_or_else(|| invalid("The skip token is invalid.", None))
}

fn fingerprint(query: &str) -> u64 {
    query.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Recorded: what is wrong stands in the details, with its place.
fn invalid(message: &str, mistake: Option<&Mistake>) -> Refusal {
    let mut details = vec![json!({
        "code": "InvalidQuery",
        "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before retrying.",
    })];
    if let Some(Mistake { line, column, token }) = mistake {
        details.push(json!({
            "code": "ParserFailure", "message": "ParserFailure", "line": line, "characterPositionInLine": column,
            "token": token, "expectedToken": "",
        }));
    } else {
        details.push(json!({ "code": "InvalidQueryText", "message": message }));
    }
    errors::with_details("BadRequest", "Please provide below info when asking for support.", details.into())
}
