//! Who is trusted: one authority for Azure's names, another for a cluster.

use akson_azure::{Transport, TransportError, TrustCa, network::Network};
use bytes::Bytes;
use http::Request;

use super::server::{Asked, Authority, Server, answer};

const CLUSTER: &str = "app.hcp.westeurope.azmk8s.io";

fn get(uri: &str) -> Request<Bytes> {
    Request::get(uri).body(Bytes::new()).unwrap()
}

fn hello(_: &Asked) -> String {
    answer("200 OK", "", "hello")
}

#[tokio::test]
async fn azures_names_lead_to_the_emulator_if_the_authority_is_right() {
    let authority = Authority::new();
    let server = Server::start(&authority, &["management.azure.com", "*.vault.azure.net"], hello).await;
    let network = Network::pinned(server.address, &authority.pem).unwrap();
    for uri in
        ["https://management.azure.com/a?b=c", "https://management.azure.com:443/a", "https://kv.vault.azure.net/s"]
    {
        let answer = network.send(get(uri)).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, b"hello".as_slice()), "{uri}");
    }
    let hosts: Vec<String> = server.asked().into_iter().map(|asked| asked.host).collect();
    assert_eq!(hosts, ["management.azure.com", "management.azure.com", "kv.vault.azure.net"]);
    assert_eq!(server.asked()[0].line, "GET /a?b=c HTTP/1.1");
}

#[tokio::test]
async fn the_wrong_authority_or_name_gets_no_request() {
    let authority = Authority::new();
    let server = Server::start(&authority, &["management.azure.com"], hello).await;
    let stranger = Network::pinned(server.address, &Authority::new().pem).unwrap();
    let refused = stranger.send(get("https://management.azure.com/a")).await.unwrap_err();
    assert!(
        matches!(&refused, TransportError::Untrusted { host, detail } if host == "management.azure.com" && detail.starts_with("invalid peer certificate")),
        "{refused:?}"
    );
    let network = Network::pinned(server.address, &authority.pem).unwrap();
    let refused = network.send(get("https://graph.microsoft.com/v1.0/groups")).await.unwrap_err();
    assert!(matches!(refused, TransportError::Untrusted { .. }), "{refused:?}");
    assert_eq!(server.asked().len(), 0, "nothing was sent to whom is not trusted");
}

#[tokio::test]
async fn a_cluster_is_vouched_for_by_its_own_authority_alone() {
    let (usual, own) = (Authority::new(), Authority::new());
    let cluster = Server::start(&own, &[CLUSTER], hello).await;
    let network = Network::pinned(cluster.address, &usual.pem).unwrap();
    let uri = format!("https://{CLUSTER}/api/v1/namespaces");
    let with = |pem: &str| {
        let mut request = get(&uri);
        request.extensions_mut().insert(TrustCa::new(pem));
        request
    };
    for _ in 0..2 {
        assert_eq!(network.send(with(&own.pem)).await.unwrap().status(), 200);
    }
    assert!(matches!(network.send(get(&uri)).await, Err(TransportError::Untrusted { .. })));
    assert!(matches!(network.send(with(&usual.pem)).await, Err(TransportError::Untrusted { .. })));
    for nonsense in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "hello"] {
        let refused = network.send(with(nonsense)).await.unwrap_err();
        assert!(matches!(refused, TransportError::Refused { .. }), "{nonsense}: {refused:?}");
    }
    assert_eq!(cluster.asked().len(), 2);

    let impostor = Server::start(&usual, &[CLUSTER], hello).await;
    let network = Network::pinned(impostor.address, &usual.pem).unwrap();
    assert!(matches!(network.send(with(&own.pem)).await, Err(TransportError::Untrusted { .. })));
    assert_eq!(impostor.asked().len(), 0, "an authority that everything else trusts does not speak for a cluster");
}

#[tokio::test]
async fn only_this_machine_may_stand_in_for_azure() {
    let authority = Authority::new();
    assert!(Network::pinned("10.0.0.1:443".parse().unwrap(), &authority.pem).is_err());
    assert!(Network::pinned("127.0.0.1:443".parse().unwrap(), "no certificate").is_err());
    assert!(Network::emulator("https://management.azure.com").await.is_err());
}
