//! A client certificate: read from a PEM file, and statements signed with its key as Entra takes them (PS256, `x5t#S256`).
//! The signing is rustls's; this only writes what is signed.

use std::{path::Path, sync::Arc};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rustls::{
    SignatureScheme,
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::{CertifiedKey, SigningKey},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// A certificate with its key.
pub(super) struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
    send_chain: bool,
}

/// How long a statement is good for, in seconds.
const LIFE: i64 = 600;

impl Certificate {
    /// Reads a PEM file: the certificate, what vouches for it if anything, and an RSA key without a password, in any order.
    ///
    /// # Errors
    /// Why it cannot be used, for people; nothing of the file is in it.
    pub(super) fn read(path: &Path, send_chain: bool) -> Result<Arc<Self>, String> {
        let at = path.display();
        let bytes = std::fs::read(path).map_err(|error| format!("`{at}` cannot be read: {error}"))?;
        Self::parse(&bytes, send_chain).map_err(|because| format!("`{at}` {because}"))
    }

    fn parse(pem: &[u8], send_chain: bool) -> Result<Arc<Self>, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let chain = chain.map_err(|_| "is no PEM file".to_owned())?;
        if chain.is_empty() {
            return Err(
                "holds no certificate in PEM; convert it with `openssl pkcs12 -nodes` if it is a PFX".to_owned()
            );
        }
        let key = PrivateKeyDer::from_pem_slice(pem)
            .map_err(|_| "holds no private key in PEM, or one with a password".to_owned())?;
        let key = any_supported_type(&key).map_err(|_| "holds a key that cannot be used".to_owned())?;
        if key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]).is_none() {
            return Err("holds a key that is not RSA, which Entra requires".to_owned());
        }
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().map_err(|_| "holds a key that is not the certificate's".to_owned())?;
        Ok(Arc::new(Self { chain: certified.cert, key: certified.key, send_chain }))
    }

    /// A statement that `client` is who it says, for `audience`, at `now` in seconds since 1970.
    ///
    /// # Errors
    /// Why it cannot be signed.
    pub(super) fn assertion(&self, audience: &str, client: &str, id: &str, now: i64) -> Result<String, String> {
        let unsigned = || "the certificate's key does not sign".to_owned();
        let leaf = self.chain.first().ok_or_else(unsigned)?;
        let mut head = json!({
            "alg": "PS256",
            "typ": "JWT",
            "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(leaf)),
        });
        if self.send_chain {
            head["x5c"] = self.chain.iter().map(|certificate| STANDARD.encode(certificate)).collect();
        }
        let claims = json!({
            "aud": audience,
            "iss": client,
            "sub": client,
            "jti": id,
            "iat": now,
            "nbf": now,
            "exp": now + LIFE,
        });
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(head.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]).ok_or_else(unsigned)?;
        let signature = signer.sign(signed.as_bytes()).map_err(|_| unsigned())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
