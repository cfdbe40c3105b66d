//! One credential, and how a token is asked for by it: through `azure_identity`, over our own transport. Not which one, and not the keeping.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use akson_catalog::Secret;
use azure_core::{
    cloud::{CloudConfiguration, CustomConfiguration},
    credentials::{Secret as AzureSecret, TokenCredential},
    http::{ClientOptions, RetryOptions, Transport as AzureTransport},
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential, AzureDeveloperCliCredentialOptions,
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};

use super::{
    CredentialKind,
    assertion::{GithubAssertion, PipelinesAssertion, SignedAssertion},
    certificate::Certificate,
    tool::{Account, Tools},
    wire::Wire,
};
use crate::{Audience, Cloud, TokenError, Transport, token::Kept};

/// An application of a tenant.
#[derive(Clone)]
pub(super) struct Application {
    pub(super) tenant: String,
    pub(super) client: String,
}

/// One credential.
pub(super) enum Source {
    ClientSecret { application: Application, secret: Secret },
    ClientCertificate { application: Application, certificate: Arc<Certificate> },
    GithubOidc { application: Application, url: String, token: Secret },
    AzurePipelines { application: Application, url: String, token: Secret, connection: String },
    WorkloadIdentity { application: Application, file: PathBuf },
    ManagedIdentity { client: Option<String> },
    AzureCli { account: Account },
    AzureDeveloperCli { tenant: Option<String> },
}

impl Source {
    pub(super) fn kind(&self) -> CredentialKind {
        match self {
            Self::ClientSecret { .. } => CredentialKind::ClientSecret,
            Self::ClientCertificate { .. } => CredentialKind::ClientCertificate,
            Self::GithubOidc { .. } => CredentialKind::GithubOidc,
            Self::AzurePipelines { .. } => CredentialKind::AzurePipelines,
            Self::WorkloadIdentity { .. } => CredentialKind::WorkloadIdentity,
            Self::ManagedIdentity { .. } => CredentialKind::ManagedIdentity,
            Self::AzureCli { .. } => CredentialKind::AzureCli,
            Self::AzureDeveloperCli { .. } => CredentialKind::AzureDeveloperCli,
        }
    }

    pub(super) fn tenant(&self) -> Option<&str> {
        match self {
            Self::AzureCli { account } => Some(&account.tenant),
            Self::AzureDeveloperCli { tenant } => tenant.as_deref(),
            Self::ManagedIdentity { .. } => None,
            _ => self.application().map(|application| application.tenant.as_str()),
        }
    }

    fn application(&self) -> Option<&Application> {
        match self {
            Self::ClientSecret { application, .. }
            | Self::ClientCertificate { application, .. }
            | Self::GithubOidc { application, .. }
            | Self::AzurePipelines { application, .. }
            | Self::WorkloadIdentity { application, .. } => Some(application),
            Self::ManagedIdentity { .. } | Self::AzureCli { .. } | Self::AzureDeveloperCli { .. } => None,
        }
    }

    /// A new token.
    ///
    /// # Errors
    /// [`TokenError`]
    pub(super) async fn ask(
        &self,
        cloud: &Cloud,
        audience: Audience,
        now: Duration,
        transport: &Arc<dyn Transport>,
        tools: &Tools,
    ) -> Result<Kept, TokenError> {
        let wire = Arc::new(Wire::new(Arc::clone(transport)));
        let refused = |message: String| TokenError::Refused { code: self.kind().as_str().to_owned(), message };
        // A new one each time: what it keeps would be in the way when its token was refused.
        let credential = self.credential(cloud, &wire, tools).map_err(|error| refused(error.to_string()))?;
        match credential.get_token(&[&cloud.scope(audience)], None).await {
            // An answer that is no token at all counts as an empty one there.
            Ok(token) if token.token.secret().is_empty() => {
                let (host, detail) = (cloud.login.to_owned(), "its answer holds no token".to_owned());
                Err(TokenError::Unavailable { host, detail, retry_after: None })
            }
            Ok(token) => {
                let left = token.expires_on - azure_core::time::OffsetDateTime::now_utc();
                let life = Duration::try_from(left).unwrap_or_default();
                Ok(Kept::new(Secret::new(token.token.secret()), now, life))
            }
            Err(error) => Err(wire.why().unwrap_or_else(|| refused(error.to_string()))),
        }
    }

    fn credential(
        &self,
        cloud: &Cloud,
        wire: &Arc<Wire>,
        tools: &Tools,
    ) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let options = || ClientAssertionCredentialOptions { client_options: client_options(cloud, wire) };
        Ok(match self {
            Self::ClientSecret { application, secret } => {
                let options = ClientSecretCredentialOptions { client_options: client_options(cloud, wire) };
                let secret = AzureSecret::new(secret.expose().to_owned());
                let client = application.client.clone();
                ClientSecretCredential::new(&application.tenant, client, secret, Some(options))?
            }
            Self::ClientCertificate { application, certificate } => {
                let assertion = SignedAssertion {
                    certificate: Arc::clone(certificate),
                    audience: format!("https://{}/{}/oauth2/v2.0/token", cloud.login, application.tenant),
                    client: application.client.clone(),
                };
                by_assertion(application, assertion, options())?
            }
            Self::GithubOidc { application, url, token } => {
                let assertion = GithubAssertion {
                    wire: Arc::clone(wire),
                    url: url.clone(),
                    token: token.clone(),
                    audience: cloud.token_exchange_audience,
                };
                by_assertion(application, assertion, options())?
            }
            Self::AzurePipelines { application, url, token, connection } => {
                let assertion = PipelinesAssertion {
                    wire: Arc::clone(wire),
                    url: url.clone(),
                    token: token.clone(),
                    connection: connection.clone(),
                };
                by_assertion(application, assertion, options())?
            }
            Self::WorkloadIdentity { application, file } => {
                WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options: options(),
                    client_id: Some(application.client.clone()),
                    tenant_id: Some(application.tenant.clone()),
                    token_file_path: Some(file.clone()),
                }))?
            }
            Self::ManagedIdentity { client } => {
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: client.clone().map(UserAssignedId::ClientId),
                    client_options: client_options(cloud, wire),
                }))?
            }
            Self::AzureCli { account } => AzureCliCredential::new(Some(AzureCliCredentialOptions {
                tenant_id: Some(account.tenant.clone()),
                executor: Some(Arc::new(tools.clone())),
                ..Default::default()
            }))?,
            Self::AzureDeveloperCli { tenant } => {
                AzureDeveloperCliCredential::new(Some(AzureDeveloperCliCredentialOptions {
                    tenant_id: tenant.clone(),
                    executor: Some(Arc::new(tools.clone())),
                }))?
            }
        })
    }
}

fn by_assertion<A: azure_identity::ClientAssertion + 'static>(
    application: &Application,
    assertion: A,
    options: ClientAssertionCredentialOptions,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let Application { tenant, client } = application.clone();
    Ok(ClientAssertionCredential::new(tenant, client, assertion, Some(options))?)
}

/// Our transport, our cloud's sign-in host, and no retries below ours: whoever waits for a token decides how long.
fn client_options(cloud: &Cloud, wire: &Arc<Wire>) -> ClientOptions {
    let mut configuration = CustomConfiguration::default();
    configuration.authority_host = format!("https://{}", cloud.login);
    ClientOptions {
        cloud: Some(Arc::new(CloudConfiguration::Custom(configuration))),
        transport: Some(AzureTransport::new(Arc::clone(wire) as Arc<dyn azure_core::http::HttpClient>)),
        retry: RetryOptions::none(),
        ..Default::default()
    }
}

/// `signed in with GitHub OIDC as application 4f…, tenant …`
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signed in with {}", self.kind().title())?;
        match self {
            Self::AzureCli { account } => write!(f, " as {}, tenant {}", account.user, account.tenant),
            Self::AzureDeveloperCli { tenant: Some(tenant) } => write!(f, ", tenant {tenant}"),
            Self::AzureDeveloperCli { tenant: None } => Ok(()),
            Self::ManagedIdentity { client: Some(client) } => write!(f, " as application {client}"),
            Self::ManagedIdentity { client: None } => write!(f, " of this machine"),
            _ => match self.application() {
                Some(Application { tenant, client }) => write!(f, " as application {client}, tenant {tenant}"),
                None => Ok(()),
            },
        }
    }
}
