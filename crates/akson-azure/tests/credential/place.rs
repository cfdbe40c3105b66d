//! The default subscription and its tenant.

use akson_azure::credential::{Place, PlaceError};

use super::script::{Script, choose, environment, token};

const SECRET: [(&str, &str); 3] =
    [("AZURE_TENANT_ID", "t-1"), ("AZURE_CLIENT_ID", "c-1"), ("AZURE_CLIENT_SECRET", "s3cret")];

#[tokio::test]
async fn the_environment_names_the_subscription_and_the_credential_its_tenant() {
    let script = Script::entra();
    let credentials = choose(&SECRET, None, &script).await.unwrap();
    for name in ["AZURE_SUBSCRIPTION_ID", "ARM_SUBSCRIPTION_ID"] {
        let place = credentials.place(&environment(&[(name, "sub-1")])).await.unwrap();
        assert_eq!(place, Place { subscription: "sub-1".to_owned(), tenant: "t-1".to_owned() });
    }
    assert_eq!(script.asked().len(), 0);
    let error = credentials.place(&environment(&[])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no subscription is chosen: AZURE_SUBSCRIPTION_ID is not set, and `az` is not on the PATH"
    );
    assert!(error.help().contains("az account set"));
}

#[tokio::test]
async fn a_credential_that_knows_no_tenant_asks_the_subscription() {
    let script = Script::new(|request| {
        Ok(match (request.uri().host(), request.uri().path()) {
            (Some("management.azure.com"), "/subscriptions/sub-1") => (200, r#"{"tenantId":"t-7"}"#.to_owned()),
            (Some("management.azure.com"), _) => (404, r#"{"error":{"code":"SubscriptionNotFound"}}"#.to_owned()),
            _ => (
                200,
                format!(r#"{},"expires_on":"4102444800","resource":"r"}}"#, token("one", 3600).trim_end_matches('}')),
            ),
        })
    });
    let credentials = choose(&[], Some("managed-identity"), &script).await.unwrap();
    let place = credentials.place(&environment(&[("AZURE_SUBSCRIPTION_ID", "sub-1")])).await.unwrap();
    assert_eq!(place.tenant, "t-7");
    let request = script.asked().pop().unwrap();
    assert_eq!(request.uri(), "https://management.azure.com/subscriptions/sub-1?api-version=2022-12-01");
    assert_eq!(request.headers()["authorization"], "Bearer one");
    let error = credentials.place(&environment(&[("AZURE_SUBSCRIPTION_ID", "sub-2")])).await.unwrap_err();
    assert!(matches!(&error, PlaceError::NotRead { .. }));
    assert_eq!(error.to_string(), "subscription `sub-2` cannot be read: SubscriptionNotFound");
}
