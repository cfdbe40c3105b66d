//! Which credential: what the environment says, in the order of [`CredentialKind::ALL`]. Not the asking for tokens.

use akson_catalog::Secret;

use super::{
    CredentialError, CredentialKind, Environment,
    certificate::Certificate,
    source::{Application, Source},
    tool::{Account, Tools},
};
use crate::Cloud;

pub(super) const TENANT: [&str; 2] = ["AZURE_TENANT_ID", "ARM_TENANT_ID"];
const CLIENT: [&str; 2] = ["AZURE_CLIENT_ID", "ARM_CLIENT_ID"];
const SECRET: [&str; 2] = ["AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET"];
const CERTIFICATE: [&str; 2] = ["AZURE_CLIENT_CERTIFICATE_PATH", "ARM_CLIENT_CERTIFICATE_PATH"];
const SEND_CHAIN: [&str; 1] = ["AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"];
const GITHUB_URL: [&str; 2] = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ARM_OIDC_REQUEST_URL"];
const GITHUB_TOKEN: [&str; 2] = ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ARM_OIDC_REQUEST_TOKEN"];
const PIPELINES_URL: [&str; 1] = ["SYSTEM_OIDCREQUESTURI"];
const PIPELINES_TOKEN: [&str; 1] = ["SYSTEM_ACCESSTOKEN"];
const PIPELINES_TENANT: [&str; 3] = ["AZURESUBSCRIPTION_TENANT_ID", "AZURE_TENANT_ID", "ARM_TENANT_ID"];
const PIPELINES_CLIENT: [&str; 3] = ["AZURESUBSCRIPTION_CLIENT_ID", "AZURE_CLIENT_ID", "ARM_CLIENT_ID"];
const CONNECTION: [&str; 2] = ["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID"];
const TOKEN_FILE: [&str; 2] = ["AZURE_FEDERATED_TOKEN_FILE", "ARM_OIDC_TOKEN_FILE_PATH"];
const IDENTITY: [&str; 1] = ["IDENTITY_ENDPOINT"];
pub(super) const SUBSCRIPTION: [&str; 2] = ["AZURE_SUBSCRIPTION_ID", "ARM_SUBSCRIPTION_ID"];

/// A credential is not there: with nothing of it in the environment it is passed over; begun but not whole, it is refused.
enum Absent {
    PassedOver(String),
    Broken(String),
}

/// The wanted credential, or the first that is there.
///
/// # Errors
/// [`CredentialError`]
pub(super) async fn source(
    cloud: &Cloud,
    environment: &Environment,
    tools: &Tools,
    wanted: Option<CredentialKind>,
) -> Result<Source, CredentialError> {
    let look = Look { cloud, environment, tools, wanted };
    if let Some(kind) = wanted {
        return look.at(kind).await.map_err(|absent| match absent {
            Absent::PassedOver(because) | Absent::Broken(because) => CredentialError::Unusable { kind, because },
        });
    }
    let mut looked_for = Vec::new();
    for kind in CredentialKind::ALL {
        match look.at(kind).await {
            Ok(source) => return Ok(source),
            Err(Absent::PassedOver(because)) => looked_for.push((kind, because)),
            Err(Absent::Broken(because)) => return Err(CredentialError::Unusable { kind, because }),
        }
    }
    Err(CredentialError::NotFound { looked_for })
}

struct Look<'a> {
    cloud: &'a Cloud,
    environment: &'a Environment,
    tools: &'a Tools,
    wanted: Option<CredentialKind>,
}

impl Look<'_> {
    async fn at(&self, kind: CredentialKind) -> Result<Source, Absent> {
        match kind {
            CredentialKind::ClientSecret => {
                let secret = self.first(&SECRET)?;
                let application = self.application(&TENANT, &CLIENT).map_err(broken)?;
                Ok(Source::ClientSecret { application, secret: Secret::new(secret) })
            }
            CredentialKind::ClientCertificate => {
                let path = self.first(&CERTIFICATE)?;
                let application = self.application(&TENANT, &CLIENT).map_err(broken)?;
                let send_chain = self.environment.get(&SEND_CHAIN).is_some_and(|text| matches!(text, "1" | "true"));
                let certificate = Certificate::read(path.as_ref(), send_chain).map_err(Absent::Broken)?;
                Ok(Source::ClientCertificate { application, certificate })
            }
            // A job may have these for another purpose: without an application they are not meant for us.
            CredentialKind::GithubOidc => {
                let (url, token) = (self.first(&GITHUB_URL)?, self.first(&GITHUB_TOKEN)?);
                let application = self.application(&TENANT, &CLIENT)?;
                Ok(Source::GithubOidc { application, url: url.to_owned(), token: Secret::new(token) })
            }
            CredentialKind::AzurePipelines => {
                let (url, token) = (self.first(&PIPELINES_URL)?, self.first(&PIPELINES_TOKEN)?);
                let connection = self.first(&CONNECTION)?.to_owned();
                let application = self.application(&PIPELINES_TENANT, &PIPELINES_CLIENT)?;
                let (url, token) = (url.to_owned(), Secret::new(token));
                Ok(Source::AzurePipelines { application, url, token, connection })
            }
            CredentialKind::WorkloadIdentity => {
                let file = self.first(&TOKEN_FILE)?.into();
                let application = self.application(&TENANT, &CLIENT).map_err(broken)?;
                Ok(Source::WorkloadIdentity { application, file })
            }
            CredentialKind::ManagedIdentity => {
                // Elsewhere its address is nobody's, or somebody else's: it is not asked unless that was wished for.
                if self.wanted.is_none() {
                    self.first(&IDENTITY)?;
                }
                Ok(Source::ManagedIdentity { client: self.environment.get(&CLIENT).map(str::to_owned) })
            }
            CredentialKind::AzureCli => self.azure_cli().await,
            CredentialKind::AzureDeveloperCli => {
                let tenant = self.environment.get(&TENANT).map(str::to_owned);
                self.tools.azd_is_signed_in(self.cloud).await.map_err(Absent::PassedOver)?;
                Ok(Source::AzureDeveloperCli { tenant })
            }
        }
    }

    async fn azure_cli(&self) -> Result<Source, Absent> {
        let subscription = self.environment.get(&SUBSCRIPTION);
        let account = self.tools.account(subscription).await.map_err(Absent::PassedOver)?;
        let Account { cloud, .. } = &account;
        if let Some(other) = cloud.as_deref().filter(|name| *name != az_name(self.cloud)) {
            let because =
                format!("it is signed in to the cloud `{other}`; `az cloud set --name {}`", az_name(self.cloud));
            return Err(Absent::Broken(because));
        }
        Ok(Source::AzureCli { account })
    }

    /// The first of these variables.
    fn first(&self, names: &[&str]) -> Result<&str, Absent> {
        let name = names.first().copied().unwrap_or_default();
        self.environment.get(names).ok_or_else(|| Absent::PassedOver(format!("{name} is not set")))
    }

    fn application(&self, tenant: &[&str], client: &[&str]) -> Result<Application, Absent> {
        let (tenant, client) = (self.first(tenant)?, self.first(client)?);
        Ok(Application { tenant: tenant.to_owned(), client: client.to_owned() })
    }
}

fn broken(absent: Absent) -> Absent {
    match absent {
        Absent::PassedOver(because) | Absent::Broken(because) => Absent::Broken(because),
    }
}

/// What the Azure CLI calls a cloud.
fn az_name(cloud: &Cloud) -> &'static str {
    match *cloud {
        Cloud::USGOV => "AzureUSGovernment",
        Cloud::CHINA => "AzureChinaCloud",
        _ => "AzureCloud",
    }
}
