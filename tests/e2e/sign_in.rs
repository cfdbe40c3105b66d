//! The same binary against a real cloud: TLS under Azure's own names, each way to sign in, and what does not fit together.

use std::path::Path;

use akson_tests::{Folder, Ran, azure::Azure};
use serde_json::json;

const STACK: &str = r#"
stack "app" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

identity "app" {
  name           = "app-id"
  resource_group = resource_group.app
}
"#;

/// The emulator's user by its secret, and more.
fn with<'a>(secret: &'a [(&'static str, String); 4], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let secret = secret.iter().map(|(name, value)| (*name, value.as_str()));
    secret.chain(more.iter().copied()).collect()
}

#[test]
fn a_client_secret() {
    let (azure, folder) = (Azure::start(), Folder::with(STACK));
    let secret = azure.secret();
    let given = with(&secret, &[]);
    let ran = azure.akson(&folder, &given, &["apply", "--auto-approve"]).exits(0);
    let signed_in = azure.emulator.identity();
    let line = format!(
        "signed in with a client secret as application {}, tenant {}; subscription {} of the public cloud",
        signed_in.client_id, signed_in.tenant, signed_in.subscription
    );
    assert_eq!(ran.stderr.lines().filter(|told| *told == line).count(), 1, "{}", ran.stderr);
    assert!(!ran.stderr.contains(&signed_in.client_secret) && !ran.stdout.contains(&signed_in.client_secret));
    assert_eq!(azure.hosts(), ["login.microsoftonline.com", "management.azure.com"]);
    let _ = azure.akson(&folder, &given, &["plan", "--detailed-exitcode"]).exits(0);
    // Machine formats have stdout to themselves, and a quiet run says nothing aside.
    let ran = azure.akson(&folder, &given, &["plan", "--format", "json", "--quiet"]).exits(0);
    assert_eq!((ran.json()["cloud"].as_str(), ran.stderr.as_str()), (Some("public"), ""));
    assert!(folder.path().join(".akson/public/app.json").exists());
    assert!(!folder.path().join(".akson/emulator").exists());
    let group = format!("/subscriptions/{}/resourceGroups/app-rg", signed_in.subscription);
    assert!(azure.emulator.god().object(&group).is_some());
}

#[test]
fn a_wrong_secret_is_told_once() {
    let (azure, folder) = (Azure::start(), Folder::with(STACK));
    let secret = azure.secret();
    let given = with(&secret, &[("AZURE_CLIENT_SECRET", "wrong")]);
    let ran = azure.akson(&folder, &given, &["plan"]).exits(1).says("AADSTS7000215");
    assert_eq!(ran.stderr.matches("error[AKS0520]").count(), 1, "{}", ran.stderr);
    assert!(!ran.stderr.contains("=wrong"));
}

/// A token of a cluster: nobody looks at its signature here.
fn token(claims: &serde_json::Value) -> String {
    let part = |value: &serde_json::Value| {
        let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).collect();
        let bytes = value.to_string().into_bytes();
        let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
        let sixes = bits.as_bytes().chunks(6).map(|six| {
            let six = format!("{:0<6}", String::from_utf8_lossy(six));
            alphabet[usize::from_str_radix(&six, 2).unwrap()]
        });
        sixes.collect::<String>()
    };
    format!("{}.{}.x", part(&json!({ "typ": "JWT", "alg": "RS256" })), part(claims))
}

#[test]
fn workload_identity() {
    let (azure, folder) = (Azure::start(), Folder::with(STACK));
    let signed_in = azure.emulator.identity();
    let god = azure.emulator.god();
    let subscription = format!("/subscriptions/{}", signed_in.subscription);
    let identity =
        format!("{subscription}/resourceGroups/ci/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ci");
    god.put_object(&format!("{subscription}/resourceGroups/ci"), json!({ "location": "westeurope" })).unwrap();
    god.put_object(&identity, json!({ "location": "westeurope" })).unwrap();
    let made = god.object(&identity).unwrap();
    let trust = json!({ "properties": {
        "issuer": "https://cluster.example/", "subject": "system:serviceaccount:ci:deploy", "audiences": ["api://AzureADTokenExchange"],
    }});
    god.put_object(&format!("{identity}/federatedIdentityCredentials/ci"), trust).unwrap();
    let grant = json!({ "properties": {
        "principalId": made["properties"]["principalId"],
        "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c",
    }});
    let name = "11111111-2222-4333-8444-555555555555";
    god.put_object(&format!("{subscription}/providers/Microsoft.Authorization/roleAssignments/{name}"), grant).unwrap();
    let claims = json!({
        "iss": "https://cluster.example/", "sub": "system:serviceaccount:ci:deploy", "aud": "api://AzureADTokenExchange",
        "exp": 4_102_444_800_u64,
    });
    folder.write("token", &token(&claims));
    let file = folder.path().join("token").display().to_string();
    let client = made["properties"]["clientId"].as_str().unwrap();
    let given = [
        ("AZURE_TENANT_ID", signed_in.tenant.as_str()),
        ("AZURE_CLIENT_ID", client),
        ("AZURE_SUBSCRIPTION_ID", &signed_in.subscription),
        ("AZURE_FEDERATED_TOKEN_FILE", &file),
    ];
    let apply = ["apply", "--auto-approve", "--credential", "workload-identity"];
    let _ = azure
        .akson(&folder, &given, &apply)
        .exits(0)
        .says(&format!("signed in with workload identity as application {client}"));
    // Another cluster's token is not this identity's.
    folder.write(
        "token",
        &token(&json!({ "iss": "https://other.example/", "sub": "x", "aud": "x", "exp": 4_102_444_800_u64 })),
    );
    let _ = azure.akson(&folder, &given, &["plan"]).exits(1).says("error[AKS0520]").says("AADSTS700211");
}

/// Puts a tool on a path of its own: a script that answers by the first word that fits.
fn install(folder: &Path, tool: &str, cases: &str) {
    let path = folder.join(tool);
    akson_tests::install(&path, &format!("#!/bin/sh\ncase \"$*\" in\n{cases}\nesac\n"));
}

fn az(azure: &Azure, tools: &Path) {
    let signed_in = azure.emulator.identity();
    let token = azure.emulator.god().token(&signed_in.object_id, "https://management.azure.com").unwrap();
    let account = json!({
        "id": signed_in.subscription, "tenantId": signed_in.tenant, "environmentName": "AzureCloud",
        "user": { "name": "alice@contoso.com", "type": "user" },
    });
    let token = json!({ "accessToken": token, "expires_on": 4_102_444_800_u64, "tokenType": "Bearer" });
    install(
        tools,
        "az",
        &format!("'account show'*) echo '{account}';;\n'account get-access-token'*) echo '{token}';;"),
    );
}

#[test]
fn the_azure_cli() {
    let (azure, folder) = (Azure::start(), Folder::with(STACK));
    let tools = tempfile::tempdir().unwrap();
    az(&azure, tools.path());
    let path = tools.path().display().to_string();
    let ran = azure.akson(&folder, &[("PATH", &path)], &["apply", "--auto-approve"]).exits(0);
    let _ = ran.says("signed in with the Azure CLI as alice@contoso.com");
    assert_eq!(azure.hosts(), ["management.azure.com"], "az is asked for tokens, not Entra");
    let _ = azure.akson(&folder, &[("PATH", &path)], &["plan", "--detailed-exitcode", "--credential", "az"]).exits(0);
}

#[test]
fn the_azure_developer_cli() {
    let (azure, folder) = (Azure::start(), Folder::with(STACK));
    let tools = tempfile::tempdir().unwrap();
    let signed_in = azure.emulator.identity();
    let token = azure.emulator.god().token(&signed_in.object_id, "https://management.azure.com").unwrap();
    let token = json!({ "token": token, "expiresOn": "2100-01-01T00:00:00Z" });
    install(tools.path(), "azd", &format!("'auth token'*) echo '{token}';;"));
    let path = tools.path().display().to_string();
    let given = [("PATH", path.as_str()), ("AZURE_SUBSCRIPTION_ID", &signed_in.subscription)];
    // It does not say which tenant it is signed in to: Azure does.
    let said = format!("signed in with the Azure Developer CLI, tenant {}; subscription", signed_in.tenant);
    let _ = azure.akson(&folder, &given, &["plan"]).exits(0).says(&said);
    let _ = azure.akson(&folder, &given[..1], &["plan"]).exits(1).says("error[AKS0573]: no subscription is chosen");
}

#[test]
fn nobody_is_signed_in() {
    let (azure, folder) = (Azure::start(), Folder::with(STACK));
    let ran =
        azure.akson(&folder, &[], &["plan"]).exits(1).says("error[AKS0573]: nobody is signed in to the `public` cloud");
    for because in [
        "no client secret: AZURE_CLIENT_SECRET is not set",
        "no managed identity: IDENTITY_ENDPOINT is not set",
        "no Azure CLI",
        "no Azure Developer CLI",
        "az login",
    ] {
        assert!(ran.stderr.contains(because), "{because} in\n{}", ran.stderr);
    }
    assert_eq!(ran.stderr.matches("error[").count(), 1, "{}", ran.stderr);
    let half = [("AZURE_CLIENT_SECRET", "s3cret"), ("AZURE_CLIENT_ID", "c")];
    let ran = azure.akson(&folder, &half, &["plan"]).exits(1).says("AZURE_TENANT_ID is not set");
    assert!(!ran.stderr.contains("s3cret"));
    let ran = azure.akson(&folder, &[], &["plan", "--credential", "github-oidc"]).exits(1);
    let _ = ran.says("error[AKS0573]: GitHub OIDC cannot be used");
    let _ = azure.akson(&folder, &[], &["plan", "--credential", "password"]).exits(64).says("client-certificate");
    assert!(azure.hosts().is_empty());
    assert!(!folder.path().join(".akson").exists());
}

#[track_caller]
fn elsewhere(azure: &Azure, stack: &str, more: &[(&str, &str)], said: &[&str]) -> Ran {
    let folder = Folder::with(&STACK.replace(
        "location = \"westeurope\"\n}\n\nresource_group",
        &format!("location = \"westeurope\"\n  {stack}\n}}\n\nresource_group"),
    ));
    let secret = azure.secret();
    let ran = azure.akson(&folder, &with(&secret, more), &["apply", "--auto-approve"]).exits(1);
    for said in said {
        assert!(ran.stderr.contains(said), "{said} in\n{}", ran.stderr);
    }
    assert_eq!(ran.stderr.matches("error[").count(), 1, "{}", ran.stderr);
    assert!(!folder.path().join(".akson").exists());
    ran
}

#[test]
fn a_tenant_or_subscription_of_somebody_else() {
    let azure = Azure::start();
    let other = "99999999-9999-4999-8999-999999999999";
    let (written, stack) = (format!("tenant = \"{other}\""), "main.aks:2:1");
    let headline = format!("error[AKS0574]: this stack belongs to the tenant `{other}`");
    let _ = elsewhere(&azure, &written, &[], &[&headline, stack, "and the sign-in is for", "az login --tenant"]);
    assert!(azure.hosts().is_empty(), "nobody had to be asked");
    let written = format!("subscription = \"{other}\"");
    let headline = format!("error[AKS0574]: this stack belongs to the subscription `{other}`");
    let _ = elsewhere(&azure, &written, &[], &[&headline, stack, "SubscriptionNotFound"]);
    let headline = format!("error[AKS0574]: the sign-in cannot see the subscription `{other}`");
    let _ = elsewhere(&azure, "", &[("AZURE_SUBSCRIPTION_ID", other)], &[&headline, stack]);
    // What is right may be written.
    let signed_in = azure.emulator.identity();
    let right =
        format!("tenant = \"{}\"\n  subscription = \"{}\"\n  location", signed_in.tenant, signed_in.subscription);
    let folder = Folder::with(&STACK.replace("location", &right));
    let secret = azure.secret();
    // The stack says both: the environment need not.
    let given: Vec<(&str, &str)> = with(&secret, &[])
        .into_iter()
        .filter(|(name, _)| !matches!(*name, "AZURE_TENANT_ID" | "AZURE_SUBSCRIPTION_ID"))
        .collect();
    let _ = azure.akson(&folder, &given, &["plan"]).exits(0).says("+");
}

#[test]
fn no_variable_leads_a_run_against_a_real_cloud_elsewhere() {
    let (azure, folder) = (Azure::start(), Folder::with(STACK));
    let secret = azure.secret();
    let url = azure.url.clone();
    let ran = azure.akson(&folder, &with(&secret, &[("AKSON_EMULATOR_URL", &url)]), &["plan"]).exits(1);
    let _ = ran.says("error[AKS0572]: the cloud is `public`, and AKSON_EMULATOR_URL is set");
    let authority = [("AZURE_AUTHORITY_HOST", "https://evil.example")];
    let _ = azure.akson(&folder, &with(&secret, &authority), &["plan"]).exits(0);
    assert_eq!(azure.hosts(), ["login.microsoftonline.com", "management.azure.com"]);
    // Without the authority that vouches for it, nobody is believed to be Azure.
    let other = Azure::start();
    let certificates = other.certificates().display().to_string();
    let ran = azure.akson(&folder, &with(&secret, &[("SSL_CERT_FILE", &certificates)]), &["plan"]).exits(1);
    let _ = ran.says("login.microsoftonline.com is not trusted");
    // And the emulator signs its own user in.
    let ran = azure.akson(&folder, &[("AKSON_CLOUD", "emulator")], &["plan", "--credential", "az"]).exits(1);
    let _ = ran.says("error[AKS0572]");
}

#[test]
fn other_clouds_have_hosts_of_their_own() {
    let (azure, folder) = (Azure::start(), Folder::with(STACK));
    let secret = azure.secret();
    for (cloud, login) in [("usgov", "login.microsoftonline.us"), ("china", "login.chinacloudapi.cn")] {
        // The emulator has no certificates for them: all there is to see is whom the run turns to.
        let mut command = azure.command(&folder, &["plan", "--cloud", cloud]);
        command.envs(with(&secret, &[]));
        assert_eq!(azure.first_host(command), login);
        let _ = azure.hosts();
    }
}
