//! Who signs in to a real cloud: our own chain over `azure_identity`, which is where tokens come from. Not where they may go.
//!
//! A credential is chosen once, from the environment alone where that suffices; nothing is probed over the network. What is
//! half configured is refused, so that nobody acts as somebody else by mistake. Tokens are kept here and asked for again
//! near their end.

mod assertion;
mod certificate;
mod choose;
mod environment;
mod source;
mod tool;
mod wire;

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use akson_catalog::Secret;

pub use environment::Environment;

use crate::{Audience, Cloud, TokenError, TokenSource, Transport, token::Memory};
use choose::SUBSCRIPTION;
use source::Source;
use tool::Tools;

/// The ways to sign in, in the order they are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialKind {
    /// An application's client secret, from the environment.
    ClientSecret,
    /// An application's certificate, from the environment.
    ClientCertificate,
    /// A job of GitHub Actions.
    GithubOidc,
    /// A service connection of Azure Pipelines.
    AzurePipelines,
    /// A pod's service account.
    WorkloadIdentity,
    /// The identity of the machine or app that this runs on.
    ManagedIdentity,
    /// `az login`
    AzureCli,
    /// `azd auth login`
    AzureDeveloperCli,
}

impl CredentialKind {
    /// All of them, in order.
    pub const ALL: [CredentialKind; 8] = [
        Self::ClientSecret,
        Self::ClientCertificate,
        Self::GithubOidc,
        Self::AzurePipelines,
        Self::WorkloadIdentity,
        Self::ManagedIdentity,
        Self::AzureCli,
        Self::AzureDeveloperCli,
    ];

    /// As `--credential` takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecret => "client-secret",
            Self::ClientCertificate => "client-certificate",
            Self::GithubOidc => "github-oidc",
            Self::AzurePipelines => "azure-pipelines",
            Self::WorkloadIdentity => "workload-identity",
            Self::ManagedIdentity => "managed-identity",
            Self::AzureCli => "azure-cli",
            Self::AzureDeveloperCli => "azure-developer-cli",
        }
    }

    /// In a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::ClientSecret => "a client secret",
            Self::ClientCertificate => "a client certificate",
            Self::GithubOidc => "GitHub OIDC",
            Self::AzurePipelines => "Azure Pipelines",
            Self::WorkloadIdentity => "workload identity",
            Self::ManagedIdentity => "managed identity",
            Self::AzureCli => "the Azure CLI",
            Self::AzureDeveloperCli => "the Azure Developer CLI",
        }
    }
}

impl FromStr for CredentialKind {
    type Err = CredentialError;

    /// The name, or the short ones: `az`, `azd`.
    fn from_str(name: &str) -> Result<Self, CredentialError> {
        match name {
            "az" => Ok(Self::AzureCli),
            "azd" => Ok(Self::AzureDeveloperCli),
            _ => Self::ALL
                .into_iter()
                .find(|kind| kind.as_str() == name)
                .ok_or_else(|| CredentialError::NoSuch(name.to_owned())),
        }
    }
}

/// Why nobody is signed in. Texts of tools are in it: print it as foreign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// No way to sign in is called so.
    #[error("there is no credential `{0}`; there are {names}", names = CredentialKind::ALL.map(CredentialKind::as_str).join(", "))]
    NoSuch(String),
    /// Nothing in the environment, no tool that is signed in.
    #[error("no credential was found")]
    NotFound {
        /// What was looked for, in order, and why it is not there.
        looked_for: Vec<(CredentialKind, String)>,
    },
    /// It was asked for or begun, and something is missing.
    #[error("{} cannot be used: {because}", kind.title())]
    Unusable {
        /// Which.
        kind: CredentialKind,
        /// Why.
        because: String,
    },
    /// Somebody is signed in, and nobody named a subscription.
    #[error("no subscription is chosen: AZURE_SUBSCRIPTION_ID is not set, and {because}")]
    NoSubscription {
        /// What `az` says.
        because: String,
    },
}

impl CredentialError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoSuch(_) => "leave out `--credential` to take the first that is there",
            Self::NotFound { .. } => {
                "run `az login`; in a pipeline set AZURE_TENANT_ID and AZURE_CLIENT_ID, and let it issue OIDC tokens"
            }
            Self::Unusable { .. } => "set what is missing, or choose another way to sign in with `--credential`",
            Self::NoSubscription { .. } => {
                "write `subscription` in the `stack` block, set AZURE_SUBSCRIPTION_ID, or run `az account set --subscription NAME`"
            }
        }
    }
}

/// Whoever is signed in: the source of tokens for a real cloud.
pub struct Credentials {
    cloud: Cloud,
    transport: Arc<dyn Transport>,
    tools: Tools,
    source: Source,
    kept: Memory,
}

impl Credentials {
    /// Chooses who signs in to `cloud`: `wanted`, or the first that is there. No token is asked for yet, but for azd, which
    /// does not say otherwise whether anybody is signed in.
    ///
    /// # Errors
    /// [`CredentialError`]
    pub async fn choose(
        cloud: Cloud,
        environment: &Environment,
        wanted: Option<CredentialKind>,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, CredentialError> {
        let tools = Tools::new(environment);
        let source = choose::source(&cloud, environment, &tools, wanted).await?;
        Ok(Self { cloud, transport, tools, source, kept: Memory::default() })
    }

    /// Which way was taken.
    pub fn kind(&self) -> CredentialKind {
        self.source.kind()
    }

    /// Who is signed in, in one line without a secret: `signed in with GitHub OIDC as application 4f…, tenant …`.
    pub fn describe(&self) -> String {
        self.source.to_string()
    }

    /// The tenant, where the credential knows it without asking.
    pub fn tenant(&self) -> Option<&str> {
        self.source.tenant()
    }

    /// The default subscription: `AZURE_SUBSCRIPTION_ID`, or the one that is set in `az`.
    ///
    /// # Errors
    /// [`CredentialError::NoSubscription`]
    pub async fn subscription(&self, environment: &Environment) -> Result<String, CredentialError> {
        if let Source::AzureCli { account } = &self.source {
            return Ok(account.subscription.clone());
        }
        if let Some(subscription) = environment.get(&SUBSCRIPTION) {
            return Ok(subscription.to_owned());
        }
        let account = self.tools.account(None).await;
        account.map(|account| account.subscription).map_err(|because| CredentialError::NoSubscription { because })
    }
}

/// Without anything that may be secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.describe())
    }
}

#[async_trait::async_trait]
impl TokenSource for Credentials {
    async fn token(&self, audience: Audience, now: Duration, refused: Option<&Secret>) -> Result<Secret, TokenError> {
        let ask = self.source.ask(&self.cloud, audience, now, &self.transport, &self.tools);
        self.kept.token(audience, now, refused, ask).await
    }
}
