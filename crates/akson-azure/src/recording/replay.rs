//! Answers reads from what was recorded, and nothing else: no socket, no token. What was not asked when it was recorded is answered only where a
//! whole list says it: what lies in it is there, and what does not is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{Outcome, Recorded, key, parameter};
use crate::{Transport, TransportError};

/// A transport with recorded answers.
pub struct Replay {
    answers: BTreeMap<(String, String), Recorded>,
    /// Whether what nobody can tell is taken for absent.
    assume_absent: bool,
    assumed: Mutex<BTreeSet<String>>,
}

/// What the recording says to a read.
enum Found {
    Answer(u16, Value),
    None(String),
    /// It was not asked, and nothing that was tells it; of a question by names these.
    NotRecorded(Vec<String>),
}

/// What the lists of a recording say of an id.
enum Listed<'r> {
    Present(&'r Value),
    Absent,
    Untold,
}

impl Replay {
    /// One that answers with these. With `assume_absent` what they do not tell is taken for absent, and remembered.
    pub fn new(answers: impl IntoIterator<Item = Recorded>, assume_absent: bool) -> Self {
        let answers = answers.into_iter().map(|recorded| (key(&recorded.host, &recorded.path), recorded)).collect();
        Self { answers, assume_absent, assumed: Mutex::default() }
    }

    /// The paths that were taken for absent so far.
    pub fn assumed(&self) -> Vec<String> {
        self.assumed.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn find(&self, host: &str, path: &str) -> Found {
        if let Some(recorded) = self.answers.get(&key(host, path)) {
            return match &recorded.outcome {
                Outcome::Answer(status, body) => Found::Answer(*status, body.clone()),
                Outcome::None(why) => Found::None(why.clone()),
            };
        }
        if let Some(found) = self.by_names(host, path) {
            return found;
        }
        let (place, version) = (path.split('?').next().unwrap_or_default(), parameter(path, "api-version"));
        match self.listed(host, place, version) {
            Listed::Present(object) => Found::Answer(200, object.clone()),
            Listed::Absent => not_found(),
            Listed::Untold if self.is_in_something_absent(host, place) || is_by_unique_name(place) => not_found(),
            Listed::Untold => Found::NotRecorded(Vec::new()),
        }
    }

    /// What a whole list says of an id below it: the object, or that there is none. An object only as the version that is asked for shows it.
    fn listed(&self, host: &str, id: &str, version: Option<&str>) -> Listed<'_> {
        let mut told = Listed::Untold;
        for list in lists_of(id) {
            let prefix = format!("{}?", list.to_ascii_lowercase());
            let host = host.to_ascii_lowercase();
            let lists = self.answers.range((host.clone(), prefix.clone())..);
            for (_, recorded) in lists.take_while(|((of, path), _)| *of == host && path.starts_with(&prefix)) {
                let Outcome::Answer(200, body) = &recorded.outcome else { continue };
                let Some(items) = body.get("value").and_then(Value::as_array) else { continue };
                // A list that was asked for a part only says nothing of the rest.
                if parameter(&recorded.path, "$filter").is_some() {
                    continue;
                }
                let is_it = |item: &&Value| {
                    item.get("id").and_then(Value::as_str).is_some_and(|of| of.eq_ignore_ascii_case(id))
                };
                match items.iter().find(is_it) {
                    None => told = Listed::Absent,
                    Some(item) if parameter(&recorded.path, "api-version") == version => return Listed::Present(item),
                    // It is there, in another version's words: no answer.
                    Some(_) => return Listed::Untold,
                }
            }
        }
        told
    }

    /// Whether something above it is known to be absent: then so is it.
    fn is_in_something_absent(&self, host: &str, id: &str) -> bool {
        let ends = id.char_indices().filter(|(at, letter)| *letter == '/' && *at > 0).map(|(at, _)| at);
        ends.filter_map(|end| id.get(..end)).any(|above| {
            let asked = key(host, &format!("{above}?"));
            let gone = self
                .answers
                .range(asked.clone()..)
                .take_while(|((of, path), _)| *of == asked.0 && path.starts_with(&asked.1))
                .any(|(_, recorded)| matches!(recorded.outcome, Outcome::Answer(404, _)));
            gone || matches!(self.listed(host, above, None), Listed::Absent)
        })
    }

    /// What is looked for by names, several in one question: other questions about the same names tell it as well.
    fn by_names(&self, host: &str, path: &str) -> Option<Found> {
        let (collection, field, names) = names_of(path)?;
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut objects: Vec<&Value> = Vec::new();
        let of_host = self.answers.values().filter(|recorded| recorded.host.eq_ignore_ascii_case(host));
        for recorded in of_host {
            let Some((other, by, values)) = names_of(&recorded.path) else { continue };
            let Outcome::Answer(200, body) = &recorded.outcome else { continue };
            if other == collection && by == field {
                known.extend(values);
                objects.extend(body.get("value").and_then(Value::as_array).into_iter().flatten());
            }
        }
        let unknown: Vec<String> = names.difference(&known).cloned().collect();
        if !unknown.is_empty() {
            return Some(Found::NotRecorded(unknown));
        }
        let is_asked = |object: &&&Value| {
            let members = object.as_object().into_iter().flatten();
            let mut of_field = members.filter(|(name, _)| name.eq_ignore_ascii_case(&field));
            of_field.any(|(_, value)| value.as_str().is_some_and(|text| names.contains(&text.to_lowercase())))
        };
        let found: Vec<&&Value> = objects.iter().filter(is_asked).collect();
        Some(Found::Answer(200, json!({ "value": found })))
    }
}

#[async_trait::async_trait]
impl Transport for Replay {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let found =
            if request.method() == Method::GET { self.find(&host, &path) } else { Found::NotRecorded(Vec::new()) };
        let (status, body) = match found {
            Found::Answer(status, body) => (status, body),
            Found::None(why) => return Err(TransportError::Refused { host, detail: why }),
            Found::NotRecorded(_) if self.assume_absent && request.method() == Method::GET => {
                let place = path.split('?').next().unwrap_or_default().to_owned();
                self.assumed.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
                match names_of(&path) {
                    Some(_) => (200, json!({ "value": [] })),
                    None => (404, absent()),
                }
            }
            Found::NotRecorded(names) => return Err(TransportError::NotRecorded { host, path, names }),
        };
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let mut response = Response::new(Bytes::from(bytes));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        Ok(response)
    }
}

fn absent() -> Value {
    json!({ "error": { "code": "ResourceNotFound", "message": "It was not there when this was recorded." } })
}

fn not_found() -> Found {
    Found::Answer(404, absent())
}

/// Whether an object of the directory is asked for by its unique name. That is a key that Akson makes, of its own stack's id: nobody else has
/// one, and those that were made before the recording are known from the ledger.
fn is_by_unique_name(place: &str) -> bool {
    place.ends_with("')") && place.to_ascii_lowercase().contains("(uniquename='")
}

/// The lists that an ARM id must stand in, if it is there: that of its kind in its parent, and that of its kind in its subscription.
fn lists_of(id: &str) -> Vec<String> {
    let segments: Vec<&str> = id.split('/').skip(1).collect();
    if !id.starts_with('/') || segments.len() < 4 || segments.len() % 2 == 1 && !id.contains("/providers/") {
        return Vec::new();
    }
    let mut lists: Vec<String> = id.rsplit_once('/').map(|(list, _)| list.to_owned()).into_iter().collect();
    if let [subscriptions, subscription, groups, _, providers, namespace, kind, _] = segments.as_slice()
        && groups.eq_ignore_ascii_case("resourceGroups")
    {
        lists.push(format!("/{subscriptions}/{subscription}/{providers}/{namespace}/{kind}"));
    }
    lists
}

/// A question by names, `COLLECTION?$filter=FIELD in ('a','b')…`: its collection, field and names, in small letters.
fn names_of(path: &str) -> Option<(String, String, BTreeSet<String>)> {
    let filter =
        percent_decode_str(parameter(path, "$filter").or_else(|| parameter(path, "%24filter"))?).decode_utf8().ok()?;
    let (field, list) = filter.split_once(" in (")?;
    let mut names = BTreeSet::new();
    let mut rest = list.strip_suffix(')')?;
    while let Some(text) = rest.strip_prefix('\'') {
        let mut name = String::new();
        let mut letters = text.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '\'') if text.get(at + 1..).is_some_and(|rest| rest.starts_with('\'')) => {
                    name.push('\'');
                    letters.next();
                }
                (at, '\'') => break at + 1,
                (_, letter) => name.push(letter),
            }
        };
        names.insert(name.to_lowercase());
        rest = text.get(end..)?.trim_start_matches([',', ' ']);
    }
    let collection = path.split('?').next()?.to_ascii_lowercase();
    (rest.is_empty() && !names.is_empty()).then(|| (collection, field.trim().to_ascii_lowercase(), names))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use futures_util::FutureExt as _;

    use super::*;

    const ARM: &str = "management.azure.com";
    const GRAPH: &str = "graph.microsoft.com";

    fn replay(assume_absent: bool) -> Replay {
        let list = |host: &str, path: &str, items: Value| Recorded {
            host: host.to_owned(),
            path: path.to_owned(),
            outcome: Outcome::Answer(200, json!({ "value": items })),
        };
        let vault = "/subscriptions/s/resourceGroups/g/providers/A.B/vaults/one";
        Replay::new(
            [
                list(
                    ARM,
                    "/subscriptions/s/resourcegroups?api-version=1",
                    json!([{"id": "/subscriptions/s/resourceGroups/g"}]),
                ),
                list(ARM, "/subscriptions/s/providers/A.B/vaults?api-version=2", json!([{"id": vault, "name": "one"}])),
                list(ARM, &format!("{vault}/secrets?api-version=2"), json!([])),
                list(
                    GRAPH,
                    "/v1.0/groups?$filter=displayName%20in%20('a','o''b')&$select=id",
                    json!([{"id": "1", "displayName": "O'B"}]),
                ),
                Recorded {
                    host: "c.hcp.x.azmk8s.io".to_owned(),
                    path: "/api".to_owned(),
                    outcome: Outcome::None("timed out".to_owned()),
                },
            ],
            assume_absent,
        )
    }

    fn ask(replay: &Replay, host: &str, path: &str) -> Result<(u16, Value), TransportError> {
        let request = Request::get(format!("https://{host}{path}")).body(Bytes::new()).unwrap();
        let answer = replay.send(request).now_or_never().unwrap()?;
        Ok((answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default()))
    }

    #[track_caller]
    fn check(path: &str, status: Option<u16>) {
        let answer = ask(&replay(false), ARM, path);
        match (answer, status) {
            (Ok((told, _)), Some(status)) => assert_eq!(told, status, "{path}"),
            (Err(TransportError::NotRecorded { .. }), None) => {}
            (answer, _) => assert!(status.is_some() && answer.is_ok(), "{path}: {answer:?}"),
        }
    }

    #[test]
    fn whole_lists_tell_what_is_not_there() {
        check("/subscriptions/S/resourceGroups?api-version=1", Some(200));
        check("/subscriptions/s/resourceGroups/g?api-version=1", Some(200));
        check("/subscriptions/s/resourceGroups/new?api-version=1", Some(404));
        check("/subscriptions/s/resourceGroups/g/providers/A.B/vaults/ONE?api-version=2", Some(200));
        check("/subscriptions/s/resourceGroups/g/providers/A.B/vaults/two?api-version=2", Some(404));
        check("/subscriptions/s/resourceGroups/g/providers/A.B/vaults/one/secrets/x?api-version=2", Some(404));
        // What lies in something that is not there is not there, of whatever kind it is.
        check("/subscriptions/s/resourceGroups/new/providers/C.D/things/x?api-version=9", Some(404));
        check("/subscriptions/s/resourceGroups/g/providers/A.B/vaults/two/keys?api-version=9", Some(404));
    }

    #[test]
    fn what_nothing_tells_is_no_answer() {
        check("/subscriptions/s/resourceGroups/g/providers/C.D/things/x?api-version=9", None);
        check("/subscriptions/s/resourceGroups/g/providers/A.B/vaults/one/keys?api-version=2", None);
        check("/subscriptions/other/resourceGroups/g?api-version=1", None);
        // Another version shows another object.
        check("/subscriptions/s/resourceGroups/g/providers/A.B/vaults/one?api-version=3", None);
        let put = Request::put("https://management.azure.com/subscriptions/s/resourcegroups?api-version=1")
            .body(Bytes::new())
            .unwrap();
        let refused = replay(true).send(put).now_or_never().unwrap().unwrap_err();
        assert!(matches!(refused, TransportError::NotRecorded { .. }), "nothing is ever changed: {refused}");
    }

    #[test]
    fn names_are_told_by_any_question_about_them() {
        let by = |names: &str| format!("/v1.0/groups?$filter=displayName%20in%20({names})&$select=id,description");
        let found = ask(&replay(false), GRAPH, &by("'o''b'")).unwrap().1;
        assert_eq!(found["value"][0]["id"], "1");
        assert_eq!(ask(&replay(false), GRAPH, &by("'a'")).unwrap().1, json!({"value": []}));
        assert!(ask(&replay(false), GRAPH, &by("'a','new'")).is_err());
        // A unique name that nobody asked for is one that nobody had.
        let by_key = "/v1.0/groups(uniqueName='akson-1-new')?$select=id";
        assert_eq!(ask(&replay(false), GRAPH, by_key).unwrap().0, 404);
        assert!(ask(&replay(false), GRAPH, "/v1.0/users('new')?$select=id").is_err());
    }

    #[test]
    fn what_is_assumed_is_remembered() {
        let replay = replay(true);
        assert_eq!(
            ask(&replay, ARM, "/subscriptions/s/resourceGroups/g/providers/C.D/things/x?api-version=9").unwrap().0,
            404
        );
        assert_eq!(ask(&replay, GRAPH, "/v1.0/users?$filter=mail%20in%20('a')").unwrap().1, json!({"value": []}));
        assert_eq!(replay.assumed(), ["/subscriptions/s/resourceGroups/g/providers/C.D/things/x", "/v1.0/users"]);
        assert!(matches!(ask(&replay, "c.hcp.x.azmk8s.io", "/api"), Err(TransportError::Refused { .. })));
    }
}
