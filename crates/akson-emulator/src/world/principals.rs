//! Who can hold a role: the signed-in principal and the identities of resources. Users, groups and other
//! applications are the directory's.

use serde_json::Value;

use super::{Object, World};
use crate::clock::WorldTime;

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "users and groups come with the directory")]
pub(crate) enum PrincipalKind {
    User,
    Group,
    ServicePrincipal,
}

/// A principal of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) object_id: String,
    pub(crate) kind: PrincipalKind,
    pub(crate) app_id: Option<String>,
    pub(crate) name: String,
    pub(crate) since: WorldTime,
}

impl World {
    /// The principal of an object id.
    pub(crate) fn principal(&self, object_id: &str) -> Option<Principal> {
        if object_id.eq_ignore_ascii_case(&self.caller.object_id) {
            return Some(Principal {
                object_id: self.caller.object_id.clone(),
                kind: PrincipalKind::ServicePrincipal,
                app_id: Some(self.caller.client_id.clone()),
                name: "signed-in".to_owned(),
                since: WorldTime(0),
            });
        }
        self.objects.iter().find_map(|(_, object)| {
            let Identity { app_id } = identity_of(object, object_id)?;
            Some(Principal {
                object_id: object_id.to_ascii_lowercase(),
                kind: PrincipalKind::ServicePrincipal,
                app_id,
                name: object.text("name").to_owned(),
                since: object.created,
            })
        })
    }

    /// The groups that a principal is in, also through other groups.
    #[allow(clippy::unused_self, reason = "groups come with the directory")]
    pub(crate) fn groups_of(&self, object_id: &str) -> Vec<String> {
        let _ = object_id;
        Vec::new()
    }
}

/// An identity that an object has or is; a resource does not say the client id of its own.
struct Identity {
    app_id: Option<String>,
}

fn identity_of(object: &Object, object_id: &str) -> Option<Identity> {
    let is = |value: Option<&Value>| {
        value.and_then(Value::as_str).is_some_and(|known| known.eq_ignore_ascii_case(object_id))
    };
    let client = |value: &Value| Identity { app_id: value.get("clientId").and_then(Value::as_str).map(str::to_owned) };
    let properties = object.properties();
    if object.type_key == "microsoft.managedidentity/userassignedidentities" {
        let properties = properties?;
        let app_id = properties.get("clientId").and_then(Value::as_str).map(str::to_owned);
        return is(properties.get("principalId")).then_some(Identity { app_id });
    }
    if is(object.body.get("identity").and_then(|identity| identity.get("principalId"))) {
        return Some(Identity { app_id: None });
    }
    let properties = properties?;
    let profiles = properties.get("identityProfile").and_then(Value::as_object);
    let addons = properties.get("addonProfiles").and_then(Value::as_object);
    let kubelets = profiles.into_iter().flat_map(|profiles| profiles.values());
    let identities = addons.into_iter().flat_map(|addons| addons.values()).filter_map(|addon| addon.get("identity"));
    kubelets.chain(identities).find(|identity| is(identity.get("objectId"))).map(client)
}
