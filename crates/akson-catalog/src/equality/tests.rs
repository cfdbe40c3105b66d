//! What is equal and what is not, an equality a table.

use serde_json::{Value, json};

use super::{Equality, equal};

/// `alike` in every pair, both ways; `unlike` in none. Null stands for an absent key.
#[track_caller]
fn check(equality: Equality, alike: &[(Value, Value)], unlike: &[(Value, Value)]) {
    for (want, live) in alike {
        assert!(equal(equality, Some(want), Some(live)), "{want} should be {live}");
        assert!(equality == Equality::Subset || equal(equality, Some(live), Some(want)), "{live} should be {want}");
        let absent = |value: &Value| !value.is_null();
        assert!(
            equal(equality, Some(want).filter(|value| absent(value)), Some(live).filter(|value| absent(value))),
            "null is absent"
        );
    }
    for (want, live) in unlike {
        assert!(!equal(equality, Some(want), Some(live)), "{want} should not be {live}");
    }
}

#[test]
fn exact() {
    check(
        Equality::Exact,
        &[
            (json!("a"), json!("a")),
            (json!(1), json!(1.0)),
            (json!(null), json!(null)),
            (json!({"a": 1, "b": [1, 2]}), json!({"b": [1.0, 2], "a": 1, "c": null})),
        ],
        &[
            (json!("a"), json!("A")),
            (json!("a"), json!("a ")),
            (json!("https://x"), json!("https://x/")),
            (json!(1), json!("1")),
            (json!(true), json!("true")),
            (json!([1, 2]), json!([2, 1])),
            (json!(""), json!(null)),
            (json!(false), json!(null)),
            (json!(null), json!([])),
            (json!(0), json!(null)),
        ],
    );
}

#[test]
fn case_insensitive() {
    check(
        Equality::CaseInsensitive,
        &[
            (json!("CanNotDelete"), json!("cannotdelete")),
            (json!("6BA7B810-9DAD-11D1-80B4-00C04FD430C8"), json!("6ba7b810-9dad-11d1-80b4-00c04fd430c8")),
            (json!(true), json!(true)),
            (json!(7), json!(7.0)),
        ],
        &[
            (json!("True"), json!(true)),
            (json!("true"), json!(true)),
            (json!("a"), json!("b")),
            (json!("a"), json!(null)),
            (json!(false), json!(null)),
        ],
    );
}

#[test]
fn id() {
    check(
        Equality::Id,
        &[
            (json!("/subscriptions/S/resourceGroups/G"), json!("/subscriptions/s/resourcegroups/g")),
            (json!("/subscriptions/s/resourceGroups/g/"), json!("/subscriptions/s/resourcegroups/g")),
        ],
        &[
            (json!("/subscriptions/s/resourceGroups/g"), json!("/subscriptions/s/resourceGroups/g2")),
            (json!("/a"), json!(null)),
        ],
    );
}

#[test]
fn location() {
    check(
        Equality::Location,
        &[(json!("West Europe"), json!("westeurope")), (json!("CentralUSEUAP"), json!("centraluseuap"))],
        &[(json!("westeurope"), json!("northeurope")), (json!("West-Europe"), json!("westeurope"))],
    );
}

#[test]
fn trailing_slash() {
    check(
        Equality::TrailingSlash,
        &[(json!("https://x.vault.azure.net"), json!("https://x.vault.azure.net/"))],
        &[
            (json!("https://x"), json!("https://X")),
            (json!("https://x//"), json!("https://x")),
            (json!("/"), json!(null)),
        ],
    );
}

#[test]
fn empty_is_absent() {
    check(
        Equality::EmptyIsAbsent,
        &[
            (json!(null), json!(false)),
            (json!(null), json!("")),
            (json!([]), json!(null)),
            (json!({}), json!([])),
            (json!({"a": null}), json!(null)),
            (json!(true), json!(true)),
        ],
        &[
            (json!(null), json!(true)),
            (json!(null), json!(0)),
            (json!(null), json!("false")),
            (json!([]), json!([1])),
            (json!(true), json!("True")),
        ],
    );
}

#[test]
fn marked_text() {
    let mark = "[akson:6ba7b810-9dad-11d1-80b4-00c04fd430c8/0123456789abcdef]";
    check(
        Equality::MarkedText,
        &[
            (json!("kept"), json!(format!("kept {mark}"))),
            (json!(null), json!(mark)),
            (json!(""), json!(mark)),
            (json!(null), json!("")),
            (json!("kept"), json!("kept")),
        ],
        &[
            (json!("kept"), json!(format!("Kept {mark}"))),
            (json!("kept"), json!(format!("{mark} kept"))),
            (json!(null), json!("[akson:x]")),
            (json!("kept"), json!(null)),
        ],
    );
}

#[test]
fn set() {
    check(
        Equality::Set,
        &[
            (json!(["get", "list"]), json!(["List", "Get"])),
            (json!(["get", "get"]), json!(["get"])),
            (json!([]), json!(null)),
            (json!(["/subscriptions/S/x/"]), json!(["/subscriptions/s/x"])),
            (json!([{"id": "/A"}]), json!([{"id": "/a", "ignoreMissingVnetServiceEndpoint": false}])),
            (
                json!([{"objectId": "P", "permissions": {"secrets": ["get", "list"]}}]),
                json!([{"permissions": {"secrets": ["List", "Get"], "keys": [], "storage": null}, "objectId": "p"}]),
            ),
            (json!([1, 2]), json!([2.0, 1.0])),
        ],
        &[
            (json!(["get"]), json!(["get", "list"])),
            (json!(["get", "list"]), json!(["get"])),
            (json!(["get"]), json!(null)),
            (json!(["1"]), json!([1])),
            (json!([{"id": "/a"}]), json!([{"id": "/a", "ignoreMissingVnetServiceEndpoint": true}])),
            (
                json!([{"objectId": "p", "permissions": {"secrets": ["get"]}}]),
                json!([{"objectId": "p", "permissions": {"keys": ["get"]}}]),
            ),
        ],
    );
}

#[test]
fn cidr_set() {
    check(
        Equality::CidrSet,
        &[
            (json!(["203.0.113.7"]), json!(["203.0.113.7/32"])),
            (json!(["10.0.0.0/8", "203.0.113.7"]), json!([{"value": "203.0.113.7/32"}, {"value": "10.0.0.0/8"}])),
            (json!(["2001:DB8::/32"]), json!(["2001:db8::/32"])),
            (json!(["::1"]), json!(["::1/128"])),
            (json!(["10.0.0.0/8", "10.0.0.0/8"]), json!(["10.0.0.0/8"])),
            (json!([]), json!(null)),
            (json!(["not an address"]), json!(["Not an Address"])),
        ],
        &[
            (json!(["10.0.0.0/8"]), json!(["10.0.0.0/9"])),
            (json!(["10.0.0.0/8"]), json!(["10.0.0.0/8", "10.0.0.1"])),
            (json!(["10.0.0.0/8"]), json!(null)),
            (json!(["203.0.113.7/31"]), json!(["203.0.113.7/32"])),
        ],
    );
}

#[test]
fn subset() {
    check(
        Equality::Subset,
        &[
            (json!("a"), json!("a")),
            (json!({"a": 1}), json!({"a": 1.0, "b": 2})),
            (json!([{"name": "x"}]), json!([{"name": "x", "etag": "y"}])),
            (json!("/subscriptions/S/resourceGroups/g"), json!("/subscriptions/s/resourcegroups/g")),
            (json!(false), json!(null)),
            (json!({"a": false, "b": []}), json!(null)),
            (json!(null), json!([])),
            (json!(null), json!(null)),
        ],
        &[
            (json!("a"), json!("A")),
            (json!({"a": 1}), json!({"b": 1})),
            (json!([1]), json!([1, 2])),
            (json!([1, 2]), json!([2, 1])),
            (json!(true), json!(null)),
            (json!(null), json!("x")),
            (json!(true), json!("true")),
            (json!(0), json!(null)),
        ],
    );
}

#[track_caller]
fn one_way(equality: Equality, want: &Value, live: &Value, wanted: bool) {
    let there = |value: &Value| (!value.is_null()).then(|| value.clone());
    assert_eq!(equal(equality, there(want).as_ref(), there(live).as_ref()), wanted, "{want} and {live}");
}

#[test]
fn items_by_the_keys_that_are_wanted() {
    let want = json!([{"category": "guard", "enabled": true}]);
    let off = json!({"category": "kube-audit", "enabled": false});
    let filled = json!({"category": "Guard", "enabled": true, "retentionPolicy": {"enabled": false, "days": 0}});
    one_way(Equality::Items, &want, &json!([off, filled]), true);
    one_way(Equality::Items, &want, &json!([{"category": "guard", "enabled": false}]), false);
    one_way(Equality::Items, &want, &json!([filled, {"category": "other", "enabled": true}]), false);
    one_way(Equality::Items, &json!([]), &json!([off]), true);
    one_way(Equality::Items, &json!([]), &json!([filled]), false);
    one_way(Equality::Items, &json!([off]), &json!(null), true);
    one_way(
        Equality::Items,
        &json!([{"name": "a", "isEnabled": "True"}]),
        &json!([{"name": "b", "isEnabled": "False"}]),
        false,
    );
}

#[test]
fn keys_of_objects() {
    let live = json!({"/subscriptions/s/resourcegroups/g/i": {"principalId": "p"}});
    one_way(Equality::Keys, &json!({"/subscriptions/s/resourceGroups/G/i": {}}), &live, true);
    one_way(Equality::Keys, &json!({"/other": {}}), &live, false);
    one_way(Equality::Keys, &json!({}), &json!(null), true);
}

#[test]
fn yaml_by_what_it_says() {
    let driver = "array:\n- |\n  objectName: db\n  objectType: secret\n";
    let other = "array:\n  - \"objectType: secret\\nobjectName: 'db'\\n\"\n";
    one_way(Equality::Yaml, &json!(driver), &json!(other), true);
    one_way(Equality::Yaml, &json!(driver), &json!(driver.replace("db", "other")), false);
    // What is no mapping and no list is text.
    one_way(Equality::Yaml, &json!("1.0"), &json!("1.00"), false);
    one_way(Equality::Yaml, &json!("false"), &json!("no"), false);
    one_way(Equality::Yaml, &json!("https://a:1"), &json!("https://a:1"), true);
}
