//! `az` and `azd`, played by scripts on a path of their own.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use akson_azure::credential::CredentialKind;

use super::script::{Script, ask, choose, environment};

/// Puts a tool on the path: a script that notes its arguments and answers by the first word that fits.
fn install(folder: &Path, tool: &str, cases: &str) {
    let log = folder.join("log");
    let script = format!("#!/bin/sh\necho {tool} \"$@\" >> {}\ncase \"$*\" in\n{cases}\nesac\n", log.display());
    let path = folder.join(tool);
    // Copied by another process: one that another test is just starting would have what is written here open for writing, and what is does
    // not run.
    let text = path.with_extension("text");
    fs::write(&text, script).unwrap();
    assert!(Command::new("cp").arg(&text).arg(&path).status().unwrap().success());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn log(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

const ACCOUNT: &str = r#"'account show'*) echo '{"id":"sub-1","tenantId":"t-1","environmentName":"AzureCloud","user":{"name":"alice@contoso.com","type":"user"}}';;"#;
const TOKEN: &str =
    r#"'account get-access-token'*) echo '{"accessToken":"from-az","expires_on":4102444800,"tokenType":"Bearer"}';;"#;

#[tokio::test]
async fn the_azure_cli() {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), "az", &format!("{ACCOUNT}\n{TOKEN}"));
    let given = [("PATH", folder.path().to_str().unwrap())];
    let script = Script::entra();
    let credentials = choose(&given, None, &script).await.unwrap();
    assert_eq!(credentials.describe(), "signed in with the Azure CLI as alice@contoso.com, tenant t-1");
    assert_eq!(ask(&credentials).await.unwrap(), "from-az");
    assert_eq!(ask(&credentials).await.unwrap(), "from-az");
    assert_eq!(credentials.subscription(&environment(&given)).await.unwrap(), "sub-1");
    assert_eq!(credentials.tenant(), Some("t-1"));
    assert_eq!(
        log(folder.path()),
        [
            "az account show --output json --only-show-errors",
            "az account get-access-token -o json --scope https://management.azure.com/.default --tenant t-1",
        ],
        "a token is kept: az is slow"
    );
    assert_eq!(script.asked().len(), 0);
}

#[tokio::test]
async fn the_azure_cli_is_asked_for_the_subscription_that_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), "az", ACCOUNT);
    let path = folder.path().to_str().unwrap();
    choose(&[("PATH", path), ("AZURE_SUBSCRIPTION_ID", "sub-9")], None, &Script::entra()).await.unwrap();
    assert_eq!(log(folder.path()), ["az account show --output json --only-show-errors --subscription sub-9"]);
    for hostile in ["x; touch /tmp/x", "--debug", "$(id)"] {
        let given = [("PATH", path), ("AZURE_SUBSCRIPTION_ID", hostile)];
        let error = choose(&given, Some("az"), &Script::entra()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("the Azure CLI cannot be used: `{hostile}` is no id of a subscription"));
    }
    assert_eq!(log(folder.path()).len(), 1);
}

#[tokio::test]
async fn an_azure_cli_of_another_cloud_or_without_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let given = [("PATH", folder.path().to_str().unwrap())];
    install(folder.path(), "az", &ACCOUNT.replace("AzureCloud", "AzureUSGovernment"));
    let error = choose(&given, None, &Script::entra()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the Azure CLI cannot be used: it is signed in to the cloud `AzureUSGovernment`; `az cloud set --name AzureCloud`"
    );
    install(folder.path(), "az", "*) echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1;;");
    let error = choose(&given, Some("azure-cli"), &Script::entra()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the Azure CLI cannot be used: `az` says: ERROR: Please run 'az login' to setup account."
    );
}

#[tokio::test]
async fn the_azure_developer_cli_where_nobody_uses_the_other() {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), "az", "*) echo 'ERROR: no account' >&2; exit 1;;");
    install(folder.path(), "azd", r#"'auth token'*) echo '{"token":"from-azd","expiresOn":"2100-01-01T00:00:00Z"}';;"#);
    let given = [("PATH", folder.path().to_str().unwrap())];
    let credentials = choose(&given, None, &Script::entra()).await.unwrap();
    assert_eq!(credentials.kind(), CredentialKind::AzureDeveloperCli);
    assert_eq!(credentials.describe(), "signed in with the Azure Developer CLI");
    assert_eq!(ask(&credentials).await.unwrap(), "from-azd");
    let error = credentials.subscription(&environment(&given)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no subscription is chosen: AZURE_SUBSCRIPTION_ID is not set, and `az` says: ERROR: no account"
    );
}

#[tokio::test]
async fn a_sign_in_that_ended_since() {
    let folder = tempfile::tempdir().unwrap();
    let ended = "'account get-access-token'*) echo 'AADSTS700082: The refresh token has expired' >&2; exit 1;;";
    install(folder.path(), "az", &format!("{ACCOUNT}\n{ended}"));
    let given = [("PATH", folder.path().to_str().unwrap())];
    let credentials = choose(&given, None, &Script::entra()).await.unwrap();
    let error = format!("{:?}", ask(&credentials).await.unwrap_err());
    assert!(error.contains("azure-cli") && error.contains("AADSTS700082"), "{error}");
}
