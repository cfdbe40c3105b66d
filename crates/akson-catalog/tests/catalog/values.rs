//! Values as the configuration makes them, written shortly.

use std::sync::Arc;

use akson_catalog::{Address, Catalog, Kind, Operator, Reference, Residual, SymbolicId, Type, Value, encode::Context};
use akson_diagnostics::{SourceMap, Span};

pub const TENANT: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
pub const PRINCIPAL: &str = "6BA7B811-9dad-11d1-80b4-00c04fd430c8";

pub fn kind(keyword: &str) -> Arc<Kind> {
    Arc::clone(Catalog::builtin().unwrap().get(keyword).unwrap())
}

pub fn context() -> Context {
    Context {
        tenant: TENANT.to_owned(),
        token_exchange_audience: "api://AzureADTokenExchange".to_owned(),
        ..Context::default()
    }
}

pub fn span() -> Span {
    Span::new(SourceMap::new().add("main.aks", ""), 0, 0)
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn list(items: &[Value]) -> Value {
    Value::List(items.to_vec())
}

pub fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

pub fn choice(name: &str, arguments: &[(&str, Value)]) -> Value {
    Value::Choice {
        name: name.to_owned(),
        arguments: arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    }
}

pub fn reference(keyword: &str, id: Option<&str>) -> Value {
    Value::Reference(Reference {
        kind: keyword.to_owned(),
        address: address(keyword),
        symbolic_id: SymbolicId::from_ledger(format!("/{keyword}")),
        id: id.map(str::to_owned),
    })
}

pub fn unknown(output: &str) -> Value {
    Value::Unknown {
        residual: Box::new(Residual::Output {
            of: SymbolicId::from_ledger("/identity"),
            address: address("identity"),
            output: output.to_owned(),
        }),
        of: Type::String,
        sensitive: false,
    }
}

fn address(keyword: &str) -> Address {
    Address { within: None, modules: Vec::new(), kind: keyword.to_owned(), name: "app".to_owned(), key: None }
}

/// A residual as text, as far as these tests have them.
pub fn residual(value: &Residual) -> String {
    match value {
        Residual::Known(value) => format!("{value:?}"),
        Residual::Output { address, output, .. } => format!("{address}.{output}"),
        Residual::Operation(Operator::Index, parts) => {
            format!("table[{}]", parts.get(1).map(residual).unwrap_or_default())
        }
        other => format!("{other:?}"),
    }
}
