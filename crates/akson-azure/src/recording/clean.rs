//! What of recorded answers is not kept: secrets by their place and by their name, tokens and signatures wherever they stand. Who is in
//! a directory and what lies in a subscription stays: that is what a recording is for.

use serde_json::Value;

use crate::redact::{REDACTED, redacted};

/// Members that hold a secret whatever they belong to, in small letters. As texts only: a switch of such a name is none.
const NAMES: [&str; 22] = [
    "accesskey",
    "accesstoken",
    "adminpassword",
    "clientsecret",
    "connectionstring",
    "hint",
    "kubectl.kubernetes.io/last-applied-configuration",
    "key1",
    "key2",
    "keydata",
    "password",
    "primaryconnectionstring",
    "primarykey",
    "primarysharedkey",
    "privatekey",
    "sastoken",
    "secondaryconnectionstring",
    "secondarykey",
    "secondarysharedkey",
    "secret",
    "secrettext",
    "sharedkey",
];

/// Takes out of an object what stands at `places`, which are JSON pointers, and what is a secret by its name or its form.
pub fn clean(object: &mut Value, places: &[&str]) {
    for place in places {
        remove(object, place);
    }
    scrub(object);
}

/// Removes a member; a pointer that leads nowhere removes nothing.
fn remove(object: &mut Value, pointer: &str) {
    let Some((above, name)) = pointer.rsplit_once('/') else { return };
    let name = name.replace("~1", "/").replace("~0", "~");
    if let Some(members) = object.pointer_mut(above).and_then(Value::as_object_mut) {
        members.shift_remove(&name);
    }
}

fn scrub(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, value| !(value.is_string() && NAMES.contains(&name.to_ascii_lowercase().as_str())));
            members.values_mut().for_each(scrub);
        }
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::String(text) => {
            let without = redacted(text);
            if without != *text {
                // A part of a token or of a signed URL is of no use.
                *text = if text.contains("://") { REDACTED.to_owned() } else { without };
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let mut object = json!({
            "id": "/x", "tags": {"owner": "team", "a/b": "hidden", "secret": "s"},
            "properties": {
                "adminUsername": "azureuser", "adminPassword": "p", "disablePassword": true, "secretIdentifier": {"secret": {"deep": 1}},
                "list": [{"primaryKey": "k", "name": "n"}],
                "link": "https://x.blob.core.windows.net/c/b?sv=1&sig=abc%3D",
                "note": "token eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJ4In0.c2lnbmF0dXJl here",
            },
        });
        clean(&mut object, &["/tags/a~1b", "/properties/nowhere/x"]);
        assert_eq!(
            object,
            json!({
                "id": "/x", "tags": {"owner": "team"},
                "properties": {
                    "adminUsername": "azureuser", "disablePassword": true, "secretIdentifier": {"secret": {"deep": 1}},
                    "list": [{"name": "n"}],
                    "link": "[redacted]", "note": "token [redacted] here",
                },
            })
        );
    }
}
