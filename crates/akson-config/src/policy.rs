//! AKS0254: the parameters of a policy assignment against its definition, where that is one of the known built-ins. Not whether the
//! effect is a good one.

use akson_catalog::{
    json::to_plain_json,
    policies::{Policy, Table},
};
use akson_diagnostics::{Diagnostic, Span, did_you_mean};

use crate::{
    codes,
    resources::Instance,
    sink::Sink,
    val::{Val, quoted},
};

/// Checks every assignment of a built-in.
pub(crate) fn check(instances: &[&Instance], sink: &mut Sink<'_>) {
    for instance in instances.iter().filter(|instance| instance.kind.keyword == "policy" && !instance.existing) {
        let assigned = [("initiative", Table::Initiatives), ("definition", Table::Definitions)];
        let found = assigned.iter().find_map(|(path, table)| {
            let (value, span) = instance.value(path)?;
            match value.plain() {
                Val::Text(id) => Some((table.by_id(id)?, span)),
                _ => None,
            }
        });
        if let Some((policy, span)) = found {
            parameters(instance, policy, span, sink);
        }
    }
}

fn parameters(instance: &Instance, policy: &Policy, assigned: Span, sink: &mut Sink<'_>) {
    let given = instance.value("parameters");
    let place = given.map_or(assigned, |(_, span)| span);
    let report = |text: String, help: String, sink: &mut Sink<'_>| {
        let diagnostic = Diagnostic::error(codes::POLICY_PARAMETERS, text)
            .at(place, "")
            .note(format!("it is the built-in `{}`", policy.name))
            .help(help)
            .on(instance.address().to_string());
        sink.report_value(diagnostic);
    };
    let mut named = Vec::new();
    match given.map(|(value, _)| value.plain()) {
        Some(Val::Map(map)) => {
            for (name, value) in &map.entries {
                named.push(name.to_string());
                let Some(parameter) = policy.parameters.get(&**name) else {
                    if policy.complete {
                        let known = policy.parameters.keys().map(String::as_str);
                        let help = match did_you_mean(name, known.clone()) {
                            Some(near) => format!("did you mean `{near}`?"),
                            None => format!("it takes {}", quoted(known)),
                        };
                        report(format!("the policy has no parameter `{name}`"), help, sink);
                    }
                    continue;
                };
                let known = value.to_value().filter(|_| !value.traits().sensitive);
                let refused = known.and_then(|value| to_plain_json(&value)).and_then(|json| parameter.refuses(&json));
                if let Some(why) = refused {
                    report(
                        format!("the policy does not take this for `{name}`: {why}"),
                        "write one of them, letter by letter".to_owned(),
                        sink,
                    );
                }
            }
        }
        Some(Val::Unknown(_) | Val::Poison) => return,
        _ => {}
    }
    let missing: Vec<&str> = policy
        .parameters
        .iter()
        .filter(|(name, parameter)| parameter.default.is_none() && !named.contains(name))
        .map(|(name, _)| name.as_str())
        .collect();
    if !missing.is_empty() {
        let list = quoted(missing.iter().copied());
        report(
            format!("the policy needs {list}"),
            format!("add `parameters = {{ {} = … }}`", missing.first().copied().unwrap_or_default()),
            sink,
        );
    }
}
