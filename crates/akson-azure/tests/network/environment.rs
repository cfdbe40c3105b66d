//! What the environment decides: the system's roots and the proxies. A process of its own for each environment.

use std::process::Stdio;

use akson_azure::{Transport, network::Network};
use bytes::Bytes;
use http::Request;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};

use super::server::{Authority, Server, answer};

/// What the child is to ask for.
const ASK: &str = "AKSON_TEST_ASK";

/// Not a test of its own: what [`ask`] starts.
#[tokio::test]
async fn the_child() {
    let Ok(uri) = std::env::var(ASK) else { return };
    let request = Request::get(uri).body(Bytes::new()).unwrap();
    match Network::open().unwrap().send(request).await {
        Ok(answer) => println!("ANSWER {}", answer.status().as_u16()),
        Err(error) => println!("ERROR {error}"),
    }
}

/// Asks for `uri` by the open network in an environment with nothing else in it.
async fn ask(uri: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["environment::the_child", "--exact", "--nocapture"])
        .env_clear()
        .env(ASK, uri)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = text.lines().find_map(|line| Some(&line[line.find("ANSWER").or_else(|| line.find("ERROR"))?..]));
    said.unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// A proxy that opens tunnels, each to the same address, and notes what was asked for.
async fn proxy(to: std::net::SocketAddr) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (log, asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            log.send(head.lines().next().unwrap_or_default().to_owned()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut there = TcpStream::connect(to).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut there).await;
        }
    });
    (address, asked)
}

#[tokio::test]
async fn proxies_and_roots() {
    let authority = Authority::new();
    let server = Server::start(&authority, &["management.azure.com", "127.0.0.1"], |_| answer("200 OK", "", "")).await;
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, &authority.pem).unwrap();
    let roots = roots.to_str().unwrap();
    let (proxy, mut asked) = proxy(server.address).await;
    let azure = "https://management.azure.com/subscriptions";

    let through = [("SSL_CERT_FILE", roots), ("HTTPS_PROXY", proxy.as_str())];
    assert_eq!(ask(azure, &through).await, "ANSWER 200");
    assert_eq!(asked.recv().await.unwrap(), "CONNECT management.azure.com:443 HTTP/1.1");

    let direct = format!("https://{}/x", server.address);
    let around = [("SSL_CERT_FILE", roots), ("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", "127.0.0.1")];
    assert_eq!(ask(&direct, &around).await, "ANSWER 200");
    assert!(asked.try_recv().is_err(), "NO_PROXY is honoured");

    let others = folder.path().join("others.pem");
    std::fs::write(&others, &Authority::new().pem).unwrap();
    let untrusted = [("SSL_CERT_FILE", others.to_str().unwrap())];
    let said = ask(&direct, &untrusted).await;
    assert!(said.starts_with("ERROR 127.0.0.1 is not trusted:"), "{said}");

    // Managed identities are asked without TLS at this machine, and never by way of a proxy.
    let plain = [("HTTP_PROXY", proxy.as_str()), ("SSL_CERT_FILE", roots)];
    let said = ask("http://127.0.0.1:1/msi/token", &plain).await;
    assert!(said.starts_with("ERROR could not connect to 127.0.0.1"), "{said}");
    assert!(asked.try_recv().is_err());
}
