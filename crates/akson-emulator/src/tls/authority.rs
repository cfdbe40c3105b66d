//! The emulator's certificate authority: made once for a world, kept beside it in a file that only its owner can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{fmt, sync::OnceLock};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

use crate::options::Store;
use crate::world::store::OpenError;

const FILE: &str = "authority.pem";
const TEMPORARY: &str = "authority.pem.tmp";
/// How long a leaf is good for. Some clients refuse more than 398 days.
const LEAF_DAYS: i32 = 397;

/// A certificate authority. In memory it is made when it is first asked for.
pub(crate) struct Authority(OnceLock<Made>);

struct Made {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// The authority of a world: the one beside it, or a new one.
    pub(crate) fn open(store: &Store) -> Result<Self, OpenError> {
        match store {
            Store::Memory => Ok(Self(OnceLock::new())),
            Store::Directory(folder) => Ok(Self(OnceLock::from(read_or_make(folder)?))),
        }
    }

    /// Its certificate in PEM, the same for as long as the world lasts.
    pub(crate) fn pem(&self) -> &str {
        &self.made().pem
    }

    /// A certificate of its own for these names, with its key.
    pub(super) fn leaf(&self, names: Vec<String>) -> Result<CertifiedKey, rcgen::Error> {
        let made = self.made();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = named("Akson emulator");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // A day of leeway for clocks that disagree. World time is nothing to clients.
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let day =
            |date: Date| date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs());
        params.not_before = day(today.saturating_sub(1.day()));
        params.not_after = day(today.saturating_add(LEAF_DAYS.days()));
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &made.issuer)?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = rustls::crypto::ring::sign::any_supported_type(&der).map_err(|_| rcgen::Error::RingUnspecified)?;
        Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
    }

    fn made(&self) -> &Made {
        self.0.get_or_init(|| make().expect("a key can be drawn and sign its own certificate"))
    }
}

fn read_or_make(folder: &Path) -> Result<Made, OpenError> {
    let path = folder.join(FILE);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    match fs::read_to_string(&path) {
        Ok(text) => read(&text, &path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = make().map_err(|error| failed(&path)(io::Error::other(error)))?;
            let text = format!("{}{}", made.pem, made.issuer.key().serialize_pem());
            keep(folder, &path, &text).map_err(failed(&path))?;
            Ok(made)
        }
        Err(source) => Err(failed(&path)(source)),
    }
}

fn read(text: &str, path: &Path) -> Result<Made, OpenError> {
    let broken = |detail: String| OpenError::Broken { path: path.to_owned(), detail };
    let at = text.find("-----BEGIN PRIVATE KEY-----").ok_or_else(|| broken("it holds no private key".to_owned()))?;
    let (pem, key) = text.split_at(at);
    let key = KeyPair::from_pem(key).map_err(|error| broken(error.to_string()))?;
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| broken(error.to_string()))?;
    // The stored certificate is handed out, and one made now would be like it but for the signature.
    let params = params(&key);
    if !certificate.windows(key.public_key_raw().len()).any(|part| part == key.public_key_raw()) {
        return Err(broken("its key is not the certificate's".to_owned()));
    }
    Ok(Made { issuer: Issuer::new(params, key), pem: pem.to_owned() })
}

/// Written beside, then renamed: there is never half of one.
fn keep(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let temporary: PathBuf = folder.join(TEMPORARY);
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

fn make() -> Result<Made, rcgen::Error> {
    let key = KeyPair::generate()?;
    let params = params(&key);
    let pem = params.self_signed(&key)?.pem();
    Ok(Made { issuer: Issuer::new(params, key), pem })
}

/// The same for the same key. The name has a part of the key, so that two authorities are never taken for one another.
fn params(key: &KeyPair) -> CertificateParams {
    let digest = Sha256::digest(key.der_bytes());
    let id: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("Akson emulator {id}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params
}

fn named(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}
