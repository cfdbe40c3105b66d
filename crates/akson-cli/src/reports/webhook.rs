//! The document for anything that takes JSON, and the signature by which a receiver knows who sent it.

use akson_catalog::Secret;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::schedule::Look;

/// SHA-256 takes blocks of so many bytes.
const BLOCK: usize = 64;

/// A look as a document: all that `drift --format json` has, and what came of it. Of a failed one, that alone.
pub(super) fn document(look: &Look) -> Value {
    let mut document = json!({
        "outcome": look.outcome.as_str(),
        "at": look.at.to_string(),
        "folder": look.folder,
        "stack": look.stack,
        "error": look.error,
    });
    let whole = look.document.as_ref().and_then(|found| serde_json::to_value(found).ok());
    if let (Some(document), Some(Value::Object(whole))) = (document.as_object_mut(), whole) {
        document.extend(whole);
    }
    document
}

/// The header of a signature over a body: HMAC with SHA-256 (RFC 2104), in the form that GitHub's webhooks have.
pub(super) fn signature(secret: &Secret, body: &[u8]) -> String {
    let digest = hmac(secret.expose().as_bytes(), body);
    digest.iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut padded = [0_u8; BLOCK];
    if key.len() > BLOCK {
        padded[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        padded[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(padded.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of RFC 4231.
    #[test]
    fn signatures_are_those_of_the_standard() {
        #[track_caller]
        fn check(key: &[u8], message: &[u8], expected: &str) {
            let found = hmac(key, message).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
            assert_eq!(found, expected);
        }
        check(&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        check(
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        );
        check(
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        );
        let secret = Secret::new("Jefe");
        assert!(signature(&secret, b"what do ya want for nothing?").starts_with("sha256=5bdcc146bf60"));
    }
}
