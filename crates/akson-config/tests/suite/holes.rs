//! Residual expressions: what is kept, and what folding makes of them.

use akson_catalog::{SymbolicId, Type, Value};
use akson_config::{check_folded, fold};

use super::run::run;

const HEAD: &str = "stack \"s\" { location = \"westeurope\" }\nresource_group \"a\" { name = \"rg\" }\nidentity \"ci\" {\n  name = \"id-ci\"\n  resource_group = resource_group.a\n}\nidentity \"other\" {\n  name = \"id-other\"\n  resource_group = resource_group.a\n}\n";

fn value(expression: &str) -> Value {
    let mut config = run(&format!("{HEAD}output \"o\" {{ value = {expression} }}\n")).good();
    config.outputs.remove(0).value
}

fn outputs(of: &SymbolicId, output: &str) -> Option<Value> {
    match (of.as_str().rsplit('/').next()?, output) {
        ("id-ci", "client_id") => Some(Value::Text("abc".to_owned())),
        ("id-ci", "principal_id") => Some(Value::Int(5)),
        _ => None,
    }
}

#[track_caller]
fn check(expression: &str, expected: &str) {
    let value = value(expression);
    let Value::Unknown { residual, .. } = &value else { panic!("{expression} is known: {value:?}") };
    let folded = match fold(residual, &outputs) {
        Ok(Value::Unknown { .. }) => "still unknown".to_owned(),
        Ok(value) => format!("{value:?}"),
        Err(error) => {
            format!("{error} of {}", error.outputs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
    };
    assert_eq!(folded, expected, "{expression}");
}

#[test]
fn folding() {
    check("identity.ci.client_id", "Text(\"abc\")");
    check("\"x-${upper(identity.ci.client_id)}-${resource_group.a.name}\"", "Text(\"x-ABC-rg\")");
    check("identity.other.client_id", "still unknown");
    check("\"${identity.ci.client_id}${identity.other.client_id}\"", "still unknown");
    check("identity.ci.client_id == \"abc\"", "Bool(true)");
    check("identity.ci.client_id == \"abc\" ? \"yes\" : identity.other.client_id", "Text(\"yes\")");
    check("identity.other.client_id == \"abc\" && true", "still unknown");
    check("split(\"b\", identity.ci.client_id)[1]", "Text(\"c\")");
    check("{ abc = 1 }[identity.ci.client_id]", "Int(1)");
    check("join(\"-\", [identity.ci.client_id, \"z\"])", "Text(\"abc-z\")");
    check("\"%{ if identity.ci.client_id == \"abc\" }in%{ else }out%{ endif }\"", "Text(\"in\")");
    check("{ xyz = 1 }[identity.ci.client_id]", "there is no key `abc` of identity.ci");
    check("upper(identity.ci.principal_id)", "text is wanted here, not a number of identity.ci");
}

#[test]
fn what_is_known_stays_known() {
    assert_eq!(value("length([identity.ci.client_id, \"b\"])"), Value::Int(2));
    assert_eq!(value("keys({ a = identity.ci.client_id })"), Value::List(vec![Value::Text("a".to_owned())]));
    assert_eq!(value("concat([identity.ci.client_id], [\"b\"])[1]"), Value::Text("b".to_owned()));
    assert_eq!(value("false && identity.ci.client_id == \"x\""), Value::Bool(false));
    assert_eq!(
        value("[for i in [identity.ci, identity.other] : i.name]"),
        Value::List(vec![Value::Text("id-ci".to_owned()), Value::Text("id-other".to_owned())])
    );
}

#[test]
fn a_folded_value_is_checked_again() {
    let uuid = Type::Named("client_id".to_owned());
    assert!(check_folded(&Value::Text("11111111-1111-1111-1111-111111111111".to_owned()), &uuid).is_ok());
    let error = check_folded(&Value::Text("abc".to_owned()), &uuid).unwrap_err();
    assert_eq!(error.text, "a client id is wanted here, and this turned out to be text");
    assert!(check_folded(&Value::List(vec![Value::Int(1)]), &Type::List(Box::new(Type::String))).is_err());
}
