//! Where a token never arrives: a service that answers with somebody else's URL does not send it there.

use std::time::Duration;

use akson_azure::{
    Answer, Cloud, Follow, Next, Operation, PageError, Pages, Reach, RequestIds, Transport, network::Network,
};
use bytes::Bytes;
use http::{Request, header::AUTHORIZATION};
use serde_json::json;

use super::server::{Asked, Authority, Server, answer};

const EVIL: &str = "collector.evil.example";
const GROUP: &str = "/subscriptions/s/resourceGroups/g";

/// A run of ours: a token goes where `reach` lets it, and a request that may not have one is not sent.
struct Run {
    network: Network,
    reach: Reach,
    server: Server,
}

impl Run {
    /// Azure and the one who would like to have its tokens are one server here: it has certificates for both, so that only
    /// we can keep them apart.
    async fn against(answer: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Self {
        let authority = Authority::new();
        let server = Server::start(&authority, &["management.azure.com", EVIL], answer).await;
        let network = Network::pinned(server.address, &authority.pem).unwrap();
        Self { network, reach: Reach::new(Cloud::PUBLIC), server }
    }

    async fn send(&self, mut request: Request<Bytes>) -> Option<Answer> {
        self.reach.audience_of(request.uri())?;
        request.headers_mut().insert(AUTHORIZATION, "Bearer secret".parse().unwrap());
        Some(Answer::of(self.network.send(request).await.unwrap()))
    }

    fn assert_only_azure_was_asked(&self, requests: usize) {
        let asked = self.server.asked();
        assert_eq!(asked.len(), requests, "{asked:?}");
        for asked in asked {
            assert_eq!(
                (asked.host.as_str(), asked.authorization.as_deref()),
                ("management.azure.com", Some("Bearer secret"))
            );
        }
    }
}

/// Follows an operation to its end, as far as it leads.
async fn follow(run: &Run) -> usize {
    let operation = Operation::put(GROUP, "2021-04-01", json!({"location": "westeurope"}));
    let ids = RequestIds::default();
    let answer = run.send(operation.request(&Cloud::PUBLIC, &ids).unwrap()).await.unwrap();
    let deadline = Duration::from_secs(60);
    let (mut follow, mut next) =
        Follow::start(&operation, &Cloud::PUBLIC, &ids, &answer, Duration::ZERO, Duration::ZERO, deadline).unwrap();
    let mut sent = 1;
    loop {
        let (Next::Wait { request, .. } | Next::ReadBack { request, .. }) = next else { return sent };
        let answer = run.send(request).await.expect("what is followed may have a token");
        sent += 1;
        next = follow.next(&answer, Duration::from_secs(1));
    }
}

#[tokio::test]
async fn operations_that_point_elsewhere() {
    for header in ["azure-asyncoperation", "location"] {
        let run = Run::against(move |asked| {
            if asked.line.starts_with("PUT") {
                return answer("202 Accepted", &format!("{header}: https://{EVIL}/operations/1\r\n"), "");
            }
            answer("200 OK", "", r#"{"properties":{"provisioningState":"Succeeded"}}"#)
        })
        .await;
        let sent = follow(&run).await;
        assert!(sent >= 2, "the object itself was asked instead");
        run.assert_only_azure_was_asked(sent);
    }
}

#[tokio::test]
async fn pages_that_go_on_elsewhere() {
    let run = Run::against(|_| {
        answer("200 OK", "", &format!(r#"{{"value":[],"nextLink":"https://{EVIL}/subscriptions?page=2"}}"#))
    })
    .await;
    let first =
        Operation::read("/subscriptions?api-version=2022-12-01").request(&Cloud::PUBLIC, &RequestIds::default());
    let first = first.unwrap();
    let mut pages = Pages::new(first.clone());
    let answer = run.send(first).await.unwrap();
    assert!(matches!(pages.page(&answer), Err(PageError::Link(_))));
    run.assert_only_azure_was_asked(1);
}

#[tokio::test]
async fn redirects_are_answers() {
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        for host in [EVIL, "management.azure.com"] {
            let run =
                Run::against(move |_| answer(status, &format!("location: https://{host}/elsewhere\r\n"), "")).await;
            let request = Operation::get(GROUP, "2021-04-01").request(&Cloud::PUBLIC, &RequestIds::default()).unwrap();
            let answer = run.send(request).await.unwrap();
            assert_eq!(answer.status.as_str(), &status[..3]);
            run.assert_only_azure_was_asked(1);
        }
    }
}

#[tokio::test]
async fn a_host_that_is_not_the_clouds_is_not_asked() {
    let run = Run::against(|_| answer("200 OK", "", "")).await;
    for uri in [format!("https://{EVIL}/x"), "https://app.hcp.westeurope.azmk8s.io/api".to_owned()] {
        assert!(run.send(Request::get(uri).body(Bytes::new()).unwrap()).await.is_none());
    }
    run.assert_only_azure_was_asked(0);
}
