//! TLS at the port of plain HTTP: Azure's own names, vouched for by the world's authority.

use std::fs;
use std::sync::Arc;

use akson_emulator::{Effect, Emulator, FaultRule, OpenError, Options, Store, serve};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

async fn start(options: Options) -> (Arc<Emulator>, String) {
    let emulator = Emulator::open(options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(serve(Arc::clone(&emulator), listener, std::future::pending()));
    (emulator, address)
}

/// Connects as a client that trusts this authority alone and asks for a host by its name.
async fn connect(address: &str, ca_pem: &str, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await.unwrap();
    connect_through(stream, ca_pem, name).await
}

/// The same through a connection that there is.
async fn connect_through(stream: TcpStream, ca_pem: &str, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Head and body of the answer; both empty if the connection was dropped.
async fn get(mut stream: impl AsyncRead + AsyncWrite + Unpin, host: &str, path: &str) -> (String, String) {
    let text = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (head.to_owned(), body.to_owned())
}

async fn ask_for_ca(address: &str) -> String {
    let stream = TcpStream::connect(address).await.unwrap();
    let (head, pem) = get(stream, address, "/_emulator/ca.pem").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    pem
}

#[tokio::test]
async fn azures_names_at_the_port_of_plain_http() {
    let (emulator, address) = start(Options::default()).await;
    let pem = ask_for_ca(&address).await;
    assert_eq!(pem, emulator.ca_pem());
    assert!(!pem.contains("PRIVATE"));
    let path = "/metadata/endpoints?api-version=2022-09-01";
    for (host, expected) in [
        ("management.azure.com", "HTTP/1.1 200"),
        ("graph.microsoft.com", "HTTP/1.1 401"),
        ("kv-app.vault.azure.net", "HTTP/1.1 401"),
    ] {
        for _ in 0..2 {
            let stream = connect(&address, &pem, host).await.unwrap();
            let (head, _) = get(stream, host, path).await;
            assert!(head.starts_with(expected), "{host}: {head}");
        }
    }
    assert_eq!(emulator.god().requests().first().unwrap().host, "management.azure.com");
    assert_eq!(emulator.god().requests().len(), 6, "asking for the authority is not logged");
}

#[tokio::test]
async fn its_own_address_says_the_scheme_that_was_used() {
    let (emulator, address) = start(Options::default()).await;
    let port = address.rsplit(':').next().unwrap();
    let path = "/metadata/endpoints?api-version=2022-09-01";
    for name in ["127.0.0.1", "localhost"] {
        let host = format!("{name}:{port}");
        let stream = connect(&address, &emulator.ca_pem(), name).await.unwrap();
        let (_, body) = get(stream, &host, path).await;
        let endpoints: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(endpoints["resourceManager"], format!("https://{host}"));
        let stream = TcpStream::connect(&address).await.unwrap();
        let (_, body) = get(stream, &host, path).await;
        let endpoints: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(endpoints["resourceManager"], format!("http://{host}"));
    }
    // Its own calls are for its own address, whatever the certificate says.
    let stream = connect(&address, &emulator.ca_pem(), "management.azure.com").await.unwrap();
    let (head, _) = get(stream, "management.azure.com", "/_emulator/ca.pem").await;
    assert!(!head.starts_with("HTTP/1.1 200"), "{head}");
}

#[tokio::test]
async fn no_certificate_for_others_and_none_from_strangers() {
    let (emulator, address) = start(Options::default()).await;
    let (stranger, _) = start(Options::default()).await;
    for name in ["example.com", "a.b.vault.azure.net", "www.microsoft.com"] {
        assert!(connect(&address, &emulator.ca_pem(), name).await.is_err(), "{name}");
    }
    let error = connect(&address, &stranger.ca_pem(), "management.azure.com").await.unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    // Who sends nonsense or nothing is not in the way of others.
    let mut nonsense = TcpStream::connect(&address).await.unwrap();
    nonsense.write_all(&[0x16, 3, 1, 0xff, 0xff, 1, 2, 3]).await.unwrap();
    let _silent = TcpStream::connect(&address).await.unwrap();
    assert!(connect(&address, &emulator.ca_pem(), "management.azure.com").await.is_ok());
}

#[tokio::test]
async fn a_proxy_whose_every_way_leads_to_itself() {
    let (emulator, address) = start(Options::default()).await;
    let open = async |host: &str| {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let text = format!("CONNECT {host}:443 HTTP/1.1\r\nhost: {host}:443\r\n\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        (stream, String::from_utf8(head).unwrap())
    };
    for (host, path, expected) in [
        ("management.azure.com", "/metadata/endpoints?api-version=2022-09-01", "HTTP/1.1 200"),
        ("kv-app.vault.azure.net", "/secrets?api-version=7.4", "HTTP/1.1 401"),
    ] {
        let (stream, head) = open(host).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let stream = connect_through(stream, &emulator.ca_pem(), host).await.unwrap();
        let (head, _) = get(stream, host, path).await;
        assert!(head.starts_with(expected), "{host}: {head}");
    }
    for host in ["example.com", "169.254.169.254", "www.microsoft.com"] {
        assert!(open(host).await.1.starts_with("HTTP/1.1 403"), "{host}");
    }
}

#[tokio::test]
async fn a_reset_leaves_no_answer() {
    let faults = vec![FaultRule::new(Effect::Reset).on_path("/subscriptions")];
    let (emulator, address) = start(Options { faults, ..Options::default() }).await;
    let host = "management.azure.com";
    let stream = connect(&address, &emulator.ca_pem(), host).await.unwrap();
    assert_eq!(get(stream, host, "/subscriptions").await, (String::new(), String::new()));
}

#[tokio::test]
async fn an_authority_lasts_as_long_as_its_world() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { store: Store::Directory(folder.path().to_owned()), ..Options::default() };
    let first = Emulator::open(options()).unwrap().ca_pem();
    let file = folder.path().join("authority.pem");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    {
        let (emulator, address) = start(options()).await;
        assert_eq!(emulator.ca_pem(), first);
        connect(&address, &first, "management.azure.com").await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let other = Emulator::open(Options { store: Store::Directory(folder.path().to_owned()), ..Options::default() });
    let other = other.unwrap().ca_pem();
    assert_ne!(other, first, "each world has its own");
}

#[test]
fn a_broken_authority_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { store: Store::Directory(folder.path().to_owned()), ..Options::default() };
    let pem = Emulator::open(options()).unwrap().ca_pem();
    let file = folder.path().join("authority.pem");
    let whole = fs::read_to_string(&file).unwrap();
    let key = &whole[pem.len()..];
    let stranger = Emulator::open(Options::default()).unwrap().ca_pem();
    for broken in ["", &pem, key, &whole[..whole.len() / 2], &format!("{stranger}{key}")] {
        fs::write(&file, broken).unwrap();
        assert!(matches!(Emulator::open(options()), Err(OpenError::Broken { .. })), "{broken}");
    }
    fs::write(&file, whole).unwrap();
    assert_eq!(Emulator::open(options()).unwrap().ca_pem(), pem);
}
