//! The token endpoint.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use crate::support::{Azure, read};

#[tokio::test(start_paused = true)]
async fn errors() {
    let azure = Azure::new().await;
    let who = azure.emulator.identity();
    let check = async |tenant: &str, form: &str, expected: (u16, &str, u64)| {
        let form = form.replace("CLIENT", &who.client_id).replace("SECRET", &who.client_secret);
        let request = Request::post(format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"))
            .body(form.clone().into())
            .unwrap();
        let reply = read(&azure.emulator.handle(request).await.unwrap());
        let number = reply.body["error_codes"][0].as_u64().unwrap_or(0);
        assert_eq!((reply.status, reply.body["error"].as_str().unwrap_or(""), number), expected, "{form}");
        if number > 0 {
            assert!(reply.body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{number}: ")));
            assert!(reply.body["correlation_id"].is_string());
        }
    };
    let t = who.tenant.as_str();
    let all = "grant_type=client_credentials&client_id=CLIENT&client_secret=SECRET&scope=https://management.azure.com/.default";
    check(t, all, (200, "", 0)).await;
    check(&t.to_uppercase(), all, (200, "", 0)).await;
    check("other", all, (400, "invalid_request", 90002)).await;
    check(t, &all.replace("client_secret=SECRET", "client_secret=x"), (401, "invalid_client", 7_000_215)).await;
    check(t, &all.replace("&client_secret=SECRET", ""), (401, "invalid_client", 7_000_218)).await;
    check(t, &all.replace("CLIENT", "x"), (400, "unauthorized_client", 700_016)).await;
    check(t, &all.replace("client_credentials", "password"), (400, "unsupported_grant_type", 70003)).await;
    check(t, &all.replace("grant_type=client_credentials", ""), (400, "invalid_request", 900_144)).await;
    check(t, &all.replace("/.default", ""), (400, "invalid_scope", 1_002_012)).await;
    check(t, &all.replace("management.azure.com", "example.com"), (400, "invalid_resource", 500_011)).await;
    check(t, "", (400, "invalid_request", 900_144)).await;
}

#[tokio::test(start_paused = true)]
async fn discovery() {
    let azure = Azure::new().await;
    let get =
        async |uri: String| read(&azure.emulator.handle(Request::get(uri).body(Bytes::new()).unwrap()).await.unwrap());
    let tenant = &azure.tenant;
    let found = get(format!("http://localhost:99/{tenant}/v2.0/.well-known/openid-configuration")).await;
    assert_eq!(found.body["token_endpoint"], format!("http://localhost:99/{tenant}/oauth2/v2.0/token").as_str());
    assert_eq!(get("https://login.microsoftonline.com/nonsense".to_owned()).await.status, 404);
    assert_ne!(found.body["issuer"], Value::Null);
}
