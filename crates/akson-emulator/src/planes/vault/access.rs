//! Who may do what with the secrets of a vault: by roles, or by the vault's own access policies.

use serde_json::Value;

use super::refusal::{self, Refused};
use super::{Call, Vault};
use crate::access::{self, Right};

/// Something that is done with a secret: what roles call it, and what access policies do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    action: &'static str,
    permission: &'static str,
}

macro_rules! deeds {
    ($($name:ident $action:literal $permission:literal)*) => {
        $(pub(super) const $name: Deed = Deed {
            action: concat!("Microsoft.KeyVault/vaults/secrets/", $action),
            permission: $permission,
        };)*
    };
}

deeds! {
    LIST "readMetadata/action" "list"
    GET "getSecret/action" "get"
    SET "setSecret/action" "set"
    UPDATE "update/action" "set"
    DELETE "delete" "delete"
    GET_DELETED "readMetadata/action" "get"
    RECOVER "recover/action" "recover"
    PURGE "purge/action" "purge"
}

/// Refuses what the caller has no right to; without a secret the vault as a whole is meant.
pub(super) fn check(call: &Call<'_>, vault: &Vault, deed: Deed, secret: Option<&str>) -> Result<(), Refused> {
    let world = &call.state.world;
    let caller = call.bearer().object_id;
    if vault.flag("enableRbacAuthorization") {
        let scope = secret
            .map_or_else(|| vault.object.id().to_owned(), |secret| format!("{}/secrets/{secret}", vault.object.id()));
        if access::allows(world, &caller, Right::Data(deed.action), &scope, call.now) {
            return Ok(());
        }
        return Err(refusal::no_role(call, vault, deed.action, secret));
    }
    let mut holders = world.groups_of(&caller);
    holders.push(caller);
    let policies = vault.object.properties().and_then(|properties| properties.get("accessPolicies"));
    let mut policies = policies.and_then(Value::as_array).into_iter().flatten();
    let given = policies.any(|policy| {
        let holder = policy["objectId"].as_str().unwrap_or_default();
        let granted = policy["permissions"]["secrets"].as_array().into_iter().flatten().filter_map(Value::as_str);
        holders.iter().any(|known| known.eq_ignore_ascii_case(holder))
            && granted
                .into_iter()
                .any(|granted| granted.eq_ignore_ascii_case("all") || granted.eq_ignore_ascii_case(deed.permission))
    });
    if given { Ok(()) } else { Err(refusal::no_policy(call, vault, deed.permission)) }
}
