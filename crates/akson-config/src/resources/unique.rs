//! What may not be there twice: ids, and the pairs of issuer and subject of one identity.

use std::collections::HashMap;

use akson_catalog::{Quirk, SymbolicId};
use akson_diagnostics::Diagnostic;

use super::Instance;
use crate::{codes, sink::Sink, val::Val};

/// Most federated credentials of one identity.
const CREDENTIALS: usize = 20;

/// Checks all instances, in source order.
pub(crate) fn check(instances: &[&Instance], sink: &mut Sink<'_>) {
    same_ids(instances, sink);
    federation(instances, sink);
}

fn same_ids(instances: &[&Instance], sink: &mut Sink<'_>) {
    let mut seen: HashMap<&SymbolicId, &Instance> = HashMap::with_capacity(instances.len());
    for instance in instances {
        let Some(earlier) = seen.insert(instance.symbolic_id(), instance) else { continue };
        let id = instance.id.as_ref().map_or_else(|| instance.symbolic_id().to_string(), ToString::to_string);
        let derived = !instance.values.iter().any(|(path, ..)| path == "name");
        let mut diagnostic = Diagnostic::error(
            codes::SAME_ID,
            format!("`{}` and `{}` are one resource in Azure", earlier.address(), instance.address()),
        )
        .at(instance.header, "this is the same resource again")
        .note(format!("both are {id}"))
        .on(instance.address().to_string());
        if earlier.header != instance.header {
            diagnostic = diagnostic.also(earlier.header, "declared here first");
        }
        sink.report(diagnostic.help(if derived {
            "give one of them a `name`, or remove it"
        } else if earlier.header == instance.header {
            "let the name depend on `each.key`"
        } else {
            "give them different names, or remove one"
        }));
    }
}

fn federation(instances: &[&Instance], sink: &mut Sink<'_>) {
    let mut pairs: HashMap<(&SymbolicId, &str, &str), &Instance> = HashMap::new();
    let mut counts: HashMap<&SymbolicId, usize> = HashMap::new();
    for instance in instances {
        if instance.existing || !instance.kind.quirks.contains(&Quirk::FederatedCredentialUniqueness) {
            continue;
        }
        let Some(identity) = &instance.parent else { continue };
        let text = |name: &str| match instance.value(name).map(|(value, _)| value.plain()) {
            Some(Val::Text(text)) => Some(&**text),
            _ => None,
        };
        if let (Some(issuer), Some(subject)) = (text("issuer"), text("subject"))
            && let Some(earlier) = pairs.insert((identity, issuer, subject), instance)
            // One id is said already.
            && earlier.symbolic_id() != instance.symbolic_id()
        {
            let text = format!(
                "`{}` and `{}` trust the same subject of the same issuer",
                earlier.address(),
                instance.address()
            );
            let mut diagnostic = Diagnostic::error(codes::SAME_SUBJECT, text)
                .at(instance.header, "")
                .note("Azure refuses two credentials of one identity with one issuer and subject")
                .on(instance.address().to_string());
            if earlier.header != instance.header {
                diagnostic = diagnostic.also(earlier.header, "declared here first");
            }
            sink.report(diagnostic.help("remove one of them: the other is enough"));
        }
        let count = counts.entry(identity).or_insert(0);
        *count += 1;
        if *count == CREDENTIALS + 1 {
            sink.report(
                Diagnostic::error(
                    codes::TOO_MANY_CREDENTIALS,
                    format!("this identity gets more than {CREDENTIALS} federated credentials"),
                )
                .at(instance.header, "one too many")
                .note(format!("Azure keeps at most {CREDENTIALS} for one identity"))
                .on(instance.address().to_string())
                .help("spread them over several identities"),
            );
        }
    }
}
