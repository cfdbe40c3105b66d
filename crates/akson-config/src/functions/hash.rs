//! Functions that hash.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256, Sha512};
use uuid::Uuid;

use super::{Function, Shape, arguments::text, parameter};
use crate::{fault::Fault, val::Val};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure(
        "sha256",
        &[parameter("text", Shape::Text)],
        Shape::Text,
        "SHA-256 of the bytes of a text, in hex.",
        ("sha256(\"\")", "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""),
        |a| Ok(Val::text(hex(&Sha256::digest(text(a, 0)?.as_bytes())))),
    ),
    Function::pure(
        "sha512",
        &[parameter("text", Shape::Text)],
        Shape::Text,
        "SHA-512 of the bytes of a text, in hex.",
        ("substr(sha512(\"\"), 0, 16)", "\"cf83e1357eefb8bd\""),
        |a| Ok(Val::text(hex(&Sha512::digest(text(a, 0)?.as_bytes())))),
    ),
    Function::pure(
        "base64sha256",
        &[parameter("text", Shape::Text)],
        Shape::Text,
        "SHA-256 of the bytes of a text, in base64.",
        ("base64sha256(\"\")", "\"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\""),
        |a| Ok(Val::text(STANDARD.encode(Sha256::digest(text(a, 0)?.as_bytes())))),
    ),
    Function::pure(
        "base64sha512",
        &[parameter("text", Shape::Text)],
        Shape::Text,
        "SHA-512 of the bytes of a text, in base64.",
        (
            "base64sha512(\"\")",
            "\"z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\"",
        ),
        |a| Ok(Val::text(STANDARD.encode(Sha512::digest(text(a, 0)?.as_bytes())))),
    ),
    Function::pure(
        "uuidv5",
        &[parameter("namespace", Shape::Text), parameter("name", Shape::Text)],
        Shape::Text,
        "The UUID of a name in a namespace: `dns`, `url`, `oid`, `x500`, or a UUID.",
        ("uuidv5(\"dns\", \"example.com\")", "\"cfbff0d1-9375-5685-968c-48ce8b15ae17\""),
        |a| {
            let namespace = match text(a, 0)? {
                "dns" => Uuid::NAMESPACE_DNS,
                "url" => Uuid::NAMESPACE_URL,
                "oid" => Uuid::NAMESPACE_OID,
                "x500" => Uuid::NAMESPACE_X500,
                other => Uuid::try_parse(other).map_err(|_| {
                    Fault::Argument(0, "a namespace is `dns`, `url`, `oid`, `x500` or a UUID".to_owned())
                })?,
            };
            Ok(Val::text(Uuid::new_v5(&namespace, text(a, 1)?.as_bytes()).to_string()))
        },
    ),
];

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
