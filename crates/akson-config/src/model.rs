//! The resolved configuration: what the planner reads. Inert data; nothing here evaluates.

mod tolerance;

use std::{collections::BTreeMap, sync::Arc};

use akson_catalog::{Address, ArmId, Kind, SymbolicId, Value, encode::Leaf, kind::late::Finder};
use akson_diagnostics::Span;

pub use tolerance::{Day, Tolerance};

/// What the configuration is evaluated with. Everything from outside the files comes in here.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// `--var NAME=VALUE`, in order; the last wins.
    pub variables: Vec<(String, String)>,
    /// `--var-file`: each already added to the source map; a file of `name = value` lines.
    pub variable_files: Vec<akson_diagnostics::SourceId>,
    /// `AKSON_VAR_name`, by name.
    pub environment_variables: BTreeMap<String, String>,
    /// What `env("NAME")` may see: the environment, as asked for. Only sensitive positions can use it.
    pub environment: BTreeMap<String, String>,
    /// Files below the configuration's folder that `file()` may read: path relative to it, and content.
    pub files: BTreeMap<String, Arc<str>>,
    /// The files of the folders that `module` blocks name, by folder as [`crate::module_folders`] names it; no file at all where the
    /// folder could not be read and that was reported.
    pub modules: BTreeMap<String, Arc<Vec<akson_parser::ast::File>>>,
    /// The tenant's GUID, if the session knows it; `stack.tenant` wins.
    pub tenant: Option<String>,
    /// The default subscription's GUID; `stack.subscription` wins.
    pub subscription: Option<String>,
    /// The audience that a federated credential of the chosen cloud has.
    pub token_exchange_audience: String,
    /// Names that were made once and are held since, by address: they stand where a name would be made anew.
    pub held_names: BTreeMap<String, String>,
}

/// A whole configuration, resolved.
#[derive(Debug, Clone)]
pub struct Config {
    /// The stack block.
    pub stack: Stack,
    /// Every instance of every resource block, in source order (files by name).
    pub resources: Vec<Resource>,
    /// The outputs, in source order.
    pub outputs: Vec<OutputValue>,
}

/// The `stack` block.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its label.
    pub label: String,
    /// The tenant's GUID: written, else from the session, else the nil GUID (offline checks).
    pub tenant: String,
    /// The subscription's GUID: written, else from the session, else the nil GUID (offline checks).
    pub subscription: String,
    /// The default location.
    pub location: Option<String>,
    /// Where that stands: what inherits it points there.
    pub location_span: Option<Span>,
    /// Where the ledger is kept, if written.
    pub ledger: Option<String>,
    /// The block's header; none if there is no stack block, which is an error that was reported.
    pub span: Option<Span>,
}

/// One instance of a resource block.
#[derive(Debug, Clone)]
pub struct Resource {
    /// How the configuration calls it.
    pub address: Address,
    /// Its kind. For a raw `resource` block a kind made for its type and api-version.
    pub kind: Arc<Kind>,
    /// Declared with `existing`: read, never written.
    pub existing: bool,
    /// What it is.
    pub symbolic_id: SymbolicId,
    /// Its ARM id in the author's casing; none for what Azure names.
    pub id: Option<ArmId>,
    /// The id that it is created at where that is made of what may be known after apply.
    pub late: Option<Value>,
    /// What an object must have to be this one, where its id does not follow from the configuration. They may have holes.
    pub finders: Vec<Finder>,
    /// The id of the resource it lies in, and that resource's symbolic id if it is declared here.
    pub parent: Option<SymbolicId>,
    /// The subscription it is read in.
    pub subscription: String,
    /// Attribute values by name, as written (nested blocks by dotted path), for display and conflict domains.
    pub attributes: Vec<(String, Value, Span)>,
    /// The wire leaves: author-owned ones and those sent at create.
    pub leaves: Vec<Leaf>,
    /// What must exist before it: once an attribute that it stands in.
    pub dependencies: Vec<Dependency>,
    /// The resource whose conflict domain its writes belong to: the symbolic id of that resource, or its own.
    pub conflict_domain: Option<SymbolicId>,
    /// `protect = true`: never deleted or replaced.
    pub protect: bool,
    /// `on_remove = keep`: forgotten, not deleted, when its block goes.
    pub keep: bool,
    /// Differences that are left as they are for a while.
    pub tolerated: Vec<Tolerance>,
    /// The block's header.
    pub header: Span,
}

/// An edge of need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// On what.
    pub on: SymbolicId,
    /// Where it was written: the reference, or the entry of `after`.
    pub span: Span,
    /// The attribute it stands in; `after` for that.
    pub attribute: String,
}

/// An `output` block.
#[derive(Debug, Clone)]
pub struct OutputValue {
    /// Its label.
    pub name: String,
    /// What it says.
    pub value: Value,
    /// `description`.
    pub description: Option<String>,
    /// `sensitive = true`, or its value is.
    pub sensitive: bool,
    /// The block's header.
    pub span: Span,
}

/// The namespace of stack ids.
const STACKS: uuid::Uuid = uuid::Uuid::from_u128(0x7c0f_5e9a_3b1d_4c52_9f0e_6a2d_8b41_c7e3);

impl Stack {
    /// The stack's id, a GUID in lower case: `UUIDv5` of tenant, subscription and label. It is bound and written at the first apply.
    pub fn id(&self) -> String {
        let name =
            format!("{}/{}/{}", self.tenant.to_ascii_lowercase(), self.subscription.to_ascii_lowercase(), self.label);
        uuid::Uuid::new_v5(&STACKS, name.as_bytes()).to_string()
    }
}
