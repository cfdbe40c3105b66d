//! Which subscription and tenant are meant where the configuration names none.

use std::time::Duration;

use http::{HeaderValue, header::AUTHORIZATION};
use serde_json::Value;

use super::{Credentials, Environment, choose::SUBSCRIPTION, source::Source};
use crate::{Answer, AzureError, Operation, RequestIds, TokenError, TokenSource as _, TransportError};

/// A subscription, and the tenant that it trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The subscription's id.
    pub subscription: String,
    /// The tenant's id.
    pub tenant: String,
}

/// Why it is not known.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Nobody named one.
    #[error("no subscription is chosen: AZURE_SUBSCRIPTION_ID is not set, and {because}")]
    NoSubscription {
        /// What `az` says.
        because: String,
    },
    /// Its tenant had to be asked for, and there was no token.
    #[error(transparent)]
    SignIn(#[from] TokenError),
    /// Its tenant had to be asked for, and no answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Its tenant had to be asked for, and the answer was an error.
    #[error("subscription `{subscription}` cannot be read: {error}", error = .error.code)]
    NotRead {
        /// The subscription's id.
        subscription: String,
        /// The answer.
        error: Box<AzureError>,
    },
}

impl PlaceError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoSubscription { .. } => "set AZURE_SUBSCRIPTION_ID, or run `az account set --subscription NAME`",
            Self::SignIn(_) | Self::Transport(_) => "check the sign-in and the network, and try again",
            Self::NotRead { .. } => "check AZURE_SUBSCRIPTION_ID, and that the signed-in principal may read there",
        }
    }
}

const SUBSCRIPTIONS: &str = "2022-12-01";

impl Credentials {
    /// The default place: `AZURE_SUBSCRIPTION_ID`, or the subscription that is set in `az`. The tenant is the one of the
    /// credential; only where it does not know is the subscription asked.
    ///
    /// # Errors
    /// [`PlaceError`]
    pub async fn place(&self, environment: &Environment) -> Result<Place, PlaceError> {
        if let Source::AzureCli { account } = &self.source {
            return Ok(Place { subscription: account.subscription.clone(), tenant: account.tenant.clone() });
        }
        let subscription = match environment.get(&SUBSCRIPTION) {
            Some(subscription) => subscription.to_owned(),
            None => match self.tools.account(None).await {
                Ok(account) => account.subscription,
                Err(because) => return Err(PlaceError::NoSubscription { because }),
            },
        };
        let tenant = match self.tenant() {
            Some(tenant) => tenant.to_owned(),
            None => self.tenant_of(&subscription).await?,
        };
        Ok(Place { subscription, tenant })
    }

    async fn tenant_of(&self, subscription: &str) -> Result<String, PlaceError> {
        let not_read =
            |error: AzureError| PlaceError::NotRead { subscription: subscription.to_owned(), error: Box::new(error) };
        let bad =
            |code: &str| AzureError { status: 0, code: code.to_owned(), message: String::new(), details: Vec::new() };
        let operation = Operation::get(&format!("/subscriptions/{subscription}"), SUBSCRIPTIONS);
        let request = operation.request(&self.cloud, &RequestIds::default());
        let mut request = request.map_err(|error| not_read(bad(&error.to_string())))?;
        let Some(audience) = self.cloud.audience_of(request.uri()) else {
            return Err(not_read(bad("not of the cloud")));
        };
        let token = self.token(audience, Duration::ZERO, None).await?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| not_read(bad("the token cannot stand in a header")))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        let answer = Answer::of(self.transport.send(request).await?);
        if !answer.is_success() {
            return Err(not_read(answer.error()));
        }
        let tenant = answer.json().and_then(|body| body.get("tenantId")).and_then(Value::as_str);
        tenant.map(str::to_owned).ok_or_else(|| not_read(bad("the answer names no tenant")))
    }
}
