//! Constructors read back from what Azure shows: the one that a body says, also where an argument stands at a place that others leave empty.

use akson_catalog::{Catalog, Value, decode::decode_attribute};
use serde_json::{Value as Json, json};

#[track_caller]
fn check(profile: Json, expected: &str) {
    let kind = Catalog::builtin().unwrap().get("cluster").unwrap();
    let body = json!({ "properties": { "apiServerAccessProfile": profile } });
    let read = decode_attribute(kind.attribute("api_server").unwrap(), &body);
    let Some(Value::Choice { name, arguments }) = &read else { panic!("{read:?}") };
    let arguments: Vec<&str> = arguments.keys().map(String::as_str).collect();
    assert_eq!(format!("{name}({})", arguments.join(", ")), expected, "{body}");
}

#[test]
fn the_way_to_an_api_server() {
    let ranges = json!(["203.0.113.0/28"]);
    check(json!({}), "public()");
    check(json!({ "disableRunCommand": true }), "public()");
    check(json!({ "enablePrivateCluster": false, "authorizedIPRanges": [] }), "public()");
    check(json!({ "authorizedIPRanges": ranges }), "authorized(ranges)");
    check(json!({ "enablePrivateCluster": false, "authorizedIPRanges": ranges }), "authorized(ranges)");
    check(json!({ "enablePrivateCluster": true }), "private()");
    check(json!({ "enablePrivateCluster": true, "authorizedIPRanges": ranges }), "private(authorized_ranges)");
}
