//! `routeTables` and their `routes`. A write of the table that does not speak of routes removes them.

use serde_json::json;

use super::super::body::Body;
use super::super::takes::Takes;
use super::profile::{Busy, Delete, Guard, Inline, Location, Profile, Writing, nothing_more};
use super::with_defaults;
use crate::world::Object;

pub(super) static ROUTE_TABLE: Profile = Profile {
    kind: "Microsoft.Network/routeTables",
    shown: "Microsoft.Network/routeTables",
    singular: "RouteTable",
    takes: |_| Takes(2, 3, 5),
    wait: "2",
    delete: Delete::Slow { takes: Takes(2, 4, 10), wait: "2" },
    operations: "operations",
    busy: Busy::TreeRetry,
    inline: &[Inline { property: "routes", kind: "routes", kept: false }],
    location: Location::Own,
    sku: None,
    has_guid: true,
    settle: |writing, asked| Ok(settle_table(writing, asked)),
    finish: nothing_more,
    guard: &[Guard { property: "subnets", code: "InUseRouteTableCannotBeDeleted", message: in_use }],
};

pub(super) static ROUTE: Profile = Profile {
    kind: "Microsoft.Network/routeTables/routes",
    shown: "Microsoft.Network/routeTables/routes",
    singular: "Route",
    takes: |_| Takes(2, 3, 5),
    wait: "2",
    delete: Delete::Slow { takes: Takes(2, 3, 5), wait: "2" },
    operations: "operations",
    busy: Busy::TreeRetry,
    inline: &[],
    location: Location::None,
    sku: None,
    has_guid: false,
    settle: |_, asked| Ok(settle_route(asked)),
    finish: nothing_more,
    guard: &[],
};

fn in_use(table: &Object, by: &str) -> String {
    format!("Route table {} is in use and cannot be deleted. It is used by {by}.", table.text("name"))
}

fn settle_table(writing: &Writing<'_>, mut asked: Body) -> Body {
    asked.shift_remove("subnets");
    let mut kept = with_defaults(asked, json!({ "disableBgpRoutePropagation": false }));
    if let Some(subnets) = writing.before("subnets") {
        kept.insert("subnets".to_owned(), subnets.clone());
    }
    kept
}

fn settle_route(mut asked: Body) -> Body {
    asked.shift_remove("hasBgpOverride");
    with_defaults(asked, json!({ "hasBgpOverride": false }))
}
