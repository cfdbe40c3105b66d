//! `routeTables` and their `routes`. A write of the table that does not speak of routes removes them.

use serde_json::json;

use super::super::body::Body;
use super::super::takes::Takes;
use super::profile::{Busy, Delete, Guard, Inline, Profile, Writing};
use super::with_defaults;
use crate::world::Object;

pub(super) static ROUTE_TABLE: Profile = Profile {
    takes: |_| Takes(2, 3, 5),
    wait: "2",
    delete: Delete::Slow { takes: Takes(2, 4, 10), wait: "2" },
    busy: Busy::TreeRetry,
    inline: &[Inline { property: "routes", kind: "routes", kept: false }],
    settle: |writing, asked| Ok(settle_table(writing, asked)),
    guard: &[Guard { property: "subnets", code: "InUseRouteTableCannotBeDeleted", message: in_use }],
    ..Profile::whole("Microsoft.Network/routeTables", "RouteTable")
};

pub(super) static ROUTE: Profile = Profile {
    takes: |_| Takes(2, 3, 5),
    wait: "2",
    delete: Delete::Slow { takes: Takes(2, 3, 5), wait: "2" },
    busy: Busy::TreeRetry,
    settle: |_, asked| Ok(settle_route(asked)),
    ..Profile::part("Microsoft.Network/routeTables/routes", "Route")
};

fn in_use(table: &Object, by: &str) -> String {
    format!("Route table {} is in use and cannot be deleted. It is used by {by}.", table.text("name"))
}

fn settle_table(writing: &Writing<'_>, mut asked: Body) -> Body {
    asked.shift_remove("subnets");
    let mut kept = with_defaults(asked, json!({ "disableBgpRoutePropagation": false }));
    // Recorded: newer versions know of routes of peers.
    if writing.version >= "2025-03" {
        kept = with_defaults(kept, json!({ "disablePeeringRoute": "None" }));
    }
    if let Some(subnets) = writing.before("subnets") {
        kept.insert("subnets".to_owned(), subnets.clone());
    }
    kept
}

fn settle_route(mut asked: Body) -> Body {
    asked.shift_remove("hasBgpOverride");
    with_defaults(asked, json!({ "hasBgpOverride": false }))
}
