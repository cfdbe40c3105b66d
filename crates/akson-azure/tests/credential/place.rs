//! The default subscription, and what a configuration adds to an environment.

use super::script::{Script, choose, environment};

const SECRET: [(&str, &str); 3] =
    [("AZURE_TENANT_ID", "t-1"), ("AZURE_CLIENT_ID", "c-1"), ("AZURE_CLIENT_SECRET", "s3cret")];

#[tokio::test]
async fn the_environment_names_the_subscription() {
    let script = Script::entra();
    let credentials = choose(&SECRET, None, &script).await.unwrap();
    for name in ["AZURE_SUBSCRIPTION_ID", "ARM_SUBSCRIPTION_ID"] {
        assert_eq!(credentials.subscription(&environment(&[(name, "sub-1")])).await.unwrap(), "sub-1");
    }
    let error = credentials.subscription(&environment(&[])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no subscription is chosen: AZURE_SUBSCRIPTION_ID is not set, and `az` is not on the PATH"
    );
    assert!(error.help().contains("`stack`"));
    assert_eq!(script.asked().len(), 0);
}

#[tokio::test]
async fn what_a_stack_says_of_them() {
    let given = environment(&[("ARM_SUBSCRIPTION_ID", "sub-1")]).with_subscription("sub-2");
    let credentials = choose(&SECRET, None, &Script::entra()).await.unwrap();
    assert_eq!(credentials.subscription(&given).await.unwrap(), "sub-2", "the stack's wins");
    // The tenant is the environment's, if it says one.
    for (pairs, tenant) in
        [(&SECRET[..], "t-1"), (&SECRET[1..], "t-9"), (&[("ARM_TENANT_ID", "t-3"), SECRET[1], SECRET[2]], "t-3")]
    {
        let given = environment(pairs).with_default_tenant("t-9");
        let transport = Script::entra() as std::sync::Arc<dyn akson_azure::Transport>;
        let chosen = akson_azure::credential::Credentials::choose(akson_azure::Cloud::PUBLIC, &given, None, transport);
        assert_eq!(chosen.await.unwrap().tenant(), Some(tenant));
    }
}
