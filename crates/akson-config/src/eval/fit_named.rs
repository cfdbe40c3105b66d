//! Fitting values where a principal or a role is wanted: a resource of any kind that is one, its id as text, or a name of a table.

use akson_catalog::{Attribute, Type, kind::Names, named::named, roles};
use akson_diagnostics::{Diagnostic, Span};

use super::Evaluator;
use crate::{
    codes,
    val::{Val, quoted},
};

/// The type of role definitions.
const ROLE_DEFINITIONS: &str = "Microsoft.Authorization/roleDefinitions";

impl Evaluator<'_> {
    /// The value if it was decided about; else it is given back, to be fitted as any resource.
    pub(super) fn fit_named(&mut self, value: Val, attribute: &Attribute, span: Span) -> Result<Val, Val> {
        if attribute.principal.is_some() {
            return self.principal(value, span);
        }
        match attribute.names {
            Some(Names::Roles) => self.role(value, span),
            Some(Names::Policies(_)) | None => Err(value),
        }
    }

    /// A principal: what has a principal id, or such an id.
    fn principal(&mut self, value: Val, span: Span) -> Result<Val, Val> {
        let of = Type::Named("principal_id".to_owned());
        let is_principal = |name: &str| matches!(name, "principal_id" | "object_id");
        match value.plain() {
            Val::Ref(pointed) => {
                let kind = pointed.reference.kind.clone();
                if self.principals.principals.contains_key(&kind) {
                    return Err(value);
                }
                let known: Vec<&str> = self.principals.principals.keys().map(String::as_str).collect();
                let report = Diagnostic::error(
                    codes::WRONG_KIND,
                    format!("a principal is wanted here, and {} is none", value.type_name()),
                )
                .at(span, "")
                .help(format!("refer to one of {}, or give a principal id", quoted(known.into_iter())));
                self.sink.report(report);
                Ok(Val::Poison)
            }
            Val::Unknown(hole) => match &hole.of {
                Type::Any | Type::String => Ok(value),
                Type::Named(name) if is_principal(name) => Ok(value),
                _ => Ok(self.wrong_id(&value, "principal_id", span)),
            },
            Val::Text(text) => {
                let nominal =
                    value.marks().and_then(|marks| marks.nominal.as_ref()).map(|nominal| nominal.name.clone());
                match nominal {
                    Some(name) if is_principal(&name) => Ok(value),
                    Some(_) => Ok(self.wrong_id(&value, "principal_id", span)),
                    None if named("principal_id").is_some_and(|rule| (rule.allows)(text)) => Ok(value),
                    None => {
                        let report = Diagnostic::error(codes::WRONG_TYPE, "a principal is wanted here, not text")
                            .at(span, "")
                            .help("refer to a resource such as `identity.name`, or give the GUID of a principal");
                        self.sink.report_value(report);
                        Ok(Val::Poison)
                    }
                }
            }
            _ => Ok(self.wrong_type(&value, &of, None, span)),
        }
    }

    /// A role: a built-in one by name, any by its GUID or id, or a resource that is one.
    fn role(&mut self, value: Val, span: Span) -> Result<Val, Val> {
        match value.plain() {
            Val::Ref(pointed) => {
                let instance = pointed.instance.and_then(|at| self.instances.get(at));
                if instance.is_some_and(|instance| instance.kind.resource_type.eq_ignore_ascii_case(ROLE_DEFINITIONS)) {
                    return Err(value);
                }
                let report =
                    Diagnostic::error(codes::WRONG_KIND, format!("a role is wanted here, not {}", value.type_name()))
                        .at(span, "")
                        .help("name a built-in role, such as `\"Key Vault Secrets User\"`");
                self.sink.report(report);
                Ok(Val::Poison)
            }
            Val::Text(text) if text.starts_with('/') => Err(value),
            Val::Text(text) => {
                let text = text.clone();
                if roles::find(&text).is_some() {
                    return Ok(value);
                }
                let diagnostic =
                    Diagnostic::error(codes::UNKNOWN_SYMBOL, format!("there is no built-in role `{text}`"))
                        .at(span, "");
                let report = match roles::near(&text) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")).suggest(
                        span,
                        format!("\"{near}\""),
                        format!("write `{near}`"),
                    ),
                    None => diagnostic.help("give the name that the portal shows, or the role's GUID"),
                };
                self.sink.report_value(report);
                Ok(Val::Poison)
            }
            _ => Err(value),
        }
    }
}
