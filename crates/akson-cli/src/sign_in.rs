//! Signing in to a real cloud: which credential, for which tenant and subscription, and what is told where they do not fit together.
//! Where tokens come from is `akson_azure`'s.

use std::sync::Arc;

use akson_applier::{Engine, ReadCause, ReadFailure, codes::UNREACHABLE, report, tenant_of};
use akson_azure::{
    Transport,
    credential::{CredentialError, CredentialKind, Credentials, Environment},
    network::Network,
};
use akson_diagnostics::{Diagnostic, SafeText, Span};

use crate::{
    arguments::Cloud,
    cloud::{Identity, Session},
    codes::{CONTRADICTORY, NOT_SIGNED_IN, WRONG_PLACE},
};

/// What the configuration says of where it belongs, as far as it says it.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// What the stack is called.
    pub(crate) name: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) subscription: Option<String>,
    /// The stack block.
    pub(crate) stack: Option<Span>,
}

impl Written {
    /// As the `stack` block of a configuration has it that was evaluated without knowing a tenant or subscription.
    pub(crate) fn of(stack: &akson_config::Stack) -> Self {
        let said = |id: &str| {
            let is_nil = id.bytes().all(|byte| matches!(byte, b'0' | b'-'));
            (!is_nil).then(|| id.to_owned())
        };
        // What the environment says stands in the block's place where it says nothing.
        let of_environment = std::env::var("AZURE_SUBSCRIPTION_ID").ok();
        let subscription = said(&stack.subscription).filter(|id| of_environment.as_ref() != Some(id));
        Self { name: Some(stack.label.clone()), tenant: said(&stack.tenant), subscription, stack: stack.span }
    }

    /// The environment with what the configuration says in it.
    pub(crate) fn environment(&self) -> Environment {
        let mut environment = Environment::of_process();
        if let Some(tenant) = &self.tenant {
            environment = environment.with_default_tenant(tenant);
        }
        if let Some(subscription) = &self.subscription {
            environment = environment.with_subscription(subscription);
        }
        environment
    }

    pub(crate) fn at(&self, diagnostic: Diagnostic, label: &str) -> Diagnostic {
        match self.stack {
            Some(span) => diagnostic.at(span, label),
            None => diagnostic,
        }
    }
}

/// Signs in to a real cloud. Nothing is sent yet, and tokens are asked for as they are needed.
///
/// # Errors
/// A diagnostic that says what to do.
pub(crate) async fn open(
    cloud: Cloud,
    wanted: Option<CredentialKind>,
    written: &Written,
) -> Result<Session, Box<Diagnostic>> {
    // Whoever set it expects the emulator, and must not change a real cloud by a forgotten flag; nor may a variable lead a run
    // against a real cloud elsewhere.
    if std::env::var_os("AKSON_EMULATOR_URL").is_some_and(|url| !url.is_empty()) {
        return Err(Box::new(
            Diagnostic::error(
                CONTRADICTORY,
                format!("the cloud is `{}`, and AKSON_EMULATOR_URL is set", cloud.as_str()),
            )
            .note("the one means Azure itself and the other an emulator: neither was asked for anything")
            .help("set AKSON_CLOUD=emulator to use the emulator, or unset AKSON_EMULATOR_URL to use Azure"),
        ));
    }
    let network = Network::open().map_err(|error| {
        Box::new(
            Diagnostic::error(UNREACHABLE, format!("the network cannot be used: {error}"))
                .help("check the certificates of the system, and SSL_CERT_FILE if it is set"),
        )
    })?;
    let transport: Arc<dyn Transport> = Arc::new(network);
    let azure = akson_azure::Cloud::by_name(cloud.as_str()).unwrap_or(akson_azure::Cloud::PUBLIC);
    let environment = written.environment();
    let refused = |error: CredentialError| Box::new(not_signed_in(cloud, &error));
    let credentials =
        Credentials::choose(azure, &environment, wanted, Arc::clone(&transport)).await.map_err(refused)?;
    let subscription = credentials.subscription(&environment).await.map_err(refused)?;
    let signed_in = credentials.describe();
    let tenant = credentials.tenant().map(str::to_owned);
    if let (Some(written_tenant), Some(tenant)) = (&written.tenant, &tenant)
        && is_other(written_tenant, tenant)
    {
        return Err(Box::new(wrong_tenant(written, tenant, &signed_in)));
    }
    Ok(Session {
        cloud,
        transport,
        identity: Identity { tenant: tenant.unwrap_or_default(), subscription },
        tokens: Arc::new(credentials),
        signed_in: Some(signed_in),
        time_scale: 1.0,
        outlives: true,
        caller_address: None,
    })
}

/// Asks Azure for the subscription's tenant, and whether all of them fit together; the tenant.
///
/// # Errors
/// A diagnostic that says what to do.
pub(crate) async fn settle_tenant(
    engine: &Engine,
    identity: &Identity,
    signed_in: &str,
    written: &Written,
) -> Result<String, Box<Diagnostic>> {
    let tenant = match tenant_of(engine, &identity.subscription).await {
        Ok(tenant) => tenant,
        Err(failure) => return Err(Box::new(wrong_subscription(&failure, identity, signed_in, written))),
    };
    if written.tenant.as_ref().is_some_and(|written| is_other(written, &tenant)) {
        return Err(Box::new(wrong_tenant(written, &tenant, signed_in)));
    }
    Ok(tenant)
}

/// The line that says who acts, and where.
pub(crate) fn announcement(cloud: Cloud, signed_in: &str, identity: &Identity) -> String {
    let mut line = signed_in.to_owned();
    if !line.contains(&identity.tenant) {
        line.push_str(&format!(", tenant {}", identity.tenant));
    }
    line.push_str(&format!("; subscription {} of the {} cloud", identity.subscription, cloud.as_str()));
    SafeText(&line).to_string()
}

/// Whether two ids are of different tenants. A tenant may be given by a domain name of its, too, which says nothing here.
pub(crate) fn is_other(one: &str, other: &str) -> bool {
    let is_id = |text: &str| uuid::Uuid::try_parse(text).is_ok();
    is_id(one) && is_id(other) && !one.eq_ignore_ascii_case(other)
}

/// The sign-in is for another tenant than the configuration.
pub(crate) fn wrong_tenant(written: &Written, tenant: &str, signed_in: &str) -> Diagnostic {
    let wanted = written.tenant.as_deref().unwrap_or_default();
    let diagnostic = Diagnostic::error(WRONG_PLACE, format!("this stack belongs to the tenant `{wanted}`"));
    written
        .at(diagnostic, &format!("and the sign-in is for `{}`", SafeText(tenant)))
        .note(SafeText(signed_in).to_string())
        .note("nothing was read or changed")
        .help(format!("sign in to the tenant `{wanted}`, for instance with `az login --tenant {wanted}`"))
}

fn wrong_subscription(failure: &ReadFailure, identity: &Identity, signed_in: &str, written: &Written) -> Diagnostic {
    let ReadCause::Azure(error) = &failure.cause else { return report::read(failure) };
    let subscription = SafeText(&identity.subscription);
    let unfit = matches!(error.status, 400 | 401 | 403 | 404);
    if !unfit {
        return report::read(failure);
    }
    let (message, help) = match &written.subscription {
        Some(_) => (
            format!("this stack belongs to the subscription `{subscription}`, which the sign-in cannot see"),
            "sign in to its tenant as somebody who has a role in it, or write another `subscription`",
        ),
        None => (
            format!("the sign-in cannot see the subscription `{subscription}`"),
            "check AZURE_SUBSCRIPTION_ID and the tenant of the sign-in, or write `subscription` in the `stack` block",
        ),
    };
    written
        .at(Diagnostic::error(WRONG_PLACE, message), "")
        .note(report::azure_said(&error.code, &error.message))
        .note(SafeText(signed_in).to_string())
        .note("nothing was changed")
        .help(help)
}

fn not_signed_in(cloud: Cloud, error: &CredentialError) -> Diagnostic {
    let diagnostic = match error {
        CredentialError::NotFound { looked_for } => {
            let headline = format!("nobody is signed in to the `{}` cloud", cloud.as_str());
            looked_for.iter().fold(Diagnostic::error(NOT_SIGNED_IN, headline), |diagnostic, (kind, because)| {
                let title = kind.title();
                let name = title.strip_prefix("a ").or_else(|| title.strip_prefix("the ")).unwrap_or(title);
                let line = format!("no {name}: {because}");
                diagnostic.note(SafeText(&line).to_string())
            })
        }
        error => Diagnostic::error(NOT_SIGNED_IN, SafeText(&error.to_string()).to_string()),
    };
    let help = match error {
        CredentialError::NotFound { .. } => format!("{}; or try it without Azure: `--cloud emulator`", error.help()),
        error => error.help().to_owned(),
    };
    diagnostic.help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "11111111-1111-4111-8111-111111111111";

    #[test]
    fn tenants_are_compared_by_id() {
        assert!(is_other(ONE, "22222222-2222-4222-8222-222222222222"));
        assert!(!is_other(ONE, ONE));
        assert!(!is_other("AAAAAAAA-1111-4111-8111-111111111111", "aaaaaaaa-1111-4111-8111-111111111111"));
        assert!(!is_other(ONE, "contoso.onmicrosoft.com"), "a domain says nothing here");
    }

    #[test]
    fn the_line_says_each_thing_once_and_cannot_move_the_cursor() {
        let identity = Identity { tenant: ONE.to_owned(), subscription: "s".to_owned() };
        let line = announcement(
            Cloud::Public,
            &format!("signed in with GitHub OIDC as application a, tenant {ONE}"),
            &identity,
        );
        assert_eq!(
            line,
            format!("signed in with GitHub OIDC as application a, tenant {ONE}; subscription s of the public cloud")
        );
        let line = announcement(Cloud::China, "signed in with \u{1b}[2Jx", &identity);
        assert!(
            line.ends_with(&format!(", tenant {ONE}; subscription s of the china cloud")) && !line.contains('\u{1b}')
        );
    }
}
