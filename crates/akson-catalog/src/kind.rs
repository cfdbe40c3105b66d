//! What a kind is. Not how its file is read (`kind/load.rs`) nor how its documentation looks (`kind/docs.rs`).

pub mod docs;
pub mod embedded;
pub mod ids;
pub mod late;
pub mod load;
pub mod places;
pub mod raw;

use std::{collections::BTreeMap, sync::Arc};

use indexmap::IndexMap;

use crate::{Severity, Type, Value, equality::Equality};

pub use late::{FoundBy, LateId, Principal, PrincipalAt};

/// Every kind there is, by keyword.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    kinds: BTreeMap<String, Arc<Kind>>,
}

impl Catalog {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The kind of a keyword.
    pub fn get(&self, keyword: &str) -> Option<&Arc<Kind>> {
        self.kinds.get(keyword)
    }

    /// All kinds by keyword.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.values()
    }

    /// Adds or replaces one.
    pub fn insert(&mut self, kind: Kind) {
        self.kinds.insert(kind.keyword.clone(), Arc::new(kind));
    }
}

/// Which of Azure's interfaces it is reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    /// Azure Resource Manager.
    Arm,
    /// Microsoft Graph.
    Graph,
    /// A vault's own endpoint.
    KeyVault,
    /// A cluster's API server.
    Kubernetes,
}

/// One kind of resource.
#[derive(Debug, Clone)]
pub struct Kind {
    /// The block's keyword: `vault`.
    pub keyword: String,
    /// Azure's name for it: `Key Vault`.
    pub title: String,
    /// What it is for, in Markdown.
    pub docs: String,
    /// A complete block.
    pub example: String,
    /// The interface.
    pub plane: Plane,
    /// ARM type: `Microsoft.KeyVault/vaults`. Empty for the raw kind, whose label says it.
    pub resource_type: String,
    /// The pinned api-version. Empty for the raw kind.
    pub api_version: String,
    /// The id with `{subscription}` and attribute names in braces; a reference stands for the id it points at:
    /// `{resource_group}/providers/Microsoft.KeyVault/vaults/{name}`.
    ///
    /// Where Azure makes the id itself (`late`), this is what the resource is known by until then, and in the ledger.
    pub id: String,
    /// How Azure's id comes about, where it does not follow from the configuration as `id` says.
    pub late: Option<LateId>,
    /// By what its objects are found where they cannot be asked for by id; the first whose attributes are written.
    pub found_by: Vec<FoundBy>,
    /// What it is where a principal is wanted; none if it is no principal.
    pub principal: Option<Principal>,
    /// The attribute that says what it lies in (`resource_group`, `identity`, `on`), if any.
    pub parent: Option<String>,
    /// Where the name comes from when the author leaves it out.
    pub name_from: NameFrom,
    /// How it is marked as ours.
    pub marker: Marker,
    /// Holds data or identity: never replaced by inference.
    pub stateful: bool,
    /// Whether `existing` blocks of it are legal.
    pub existing: bool,
    /// Whether blocks of it without `existing` are legal.
    pub managed: bool,
    /// What may be written, in the order of documentation.
    pub attributes: IndexMap<String, Attribute>,
    /// What it tells: by name.
    pub outputs: IndexMap<String, Output>,
    /// Places below it that are no resources and that access can be granted on: `cluster.main.namespace("n")`, by the call's name.
    pub scopes: IndexMap<String, SubScope>,
    /// How it is created and updated.
    pub write: Write,
    /// JSON pointers that Azure answers with and does not take back, besides the ids and the outputs: never echoed in a PUT.
    pub read_only: Vec<String>,
    /// How it is deleted.
    pub delete: Delete,
    /// Requests of one domain do not run in parallel: the attribute whose resource is the domain (`identity`), or `self`.
    pub conflict_domain: Option<String>,
    /// How many of them are read at once; in order of preference.
    pub lists: Vec<ListCall>,
    /// The body of the PUT that stands for a deletion, where the service always has the object: a subscription's Defender plan.
    pub reset: Option<serde_json::Value>,
    /// Blocks in it that are resources of their own, by keyword.
    pub blocks: IndexMap<String, Nested>,
    /// What its attributes need of each other, checked when they are known.
    pub rules: Vec<Needs>,
    /// Which access it gives by itself.
    pub gives: Vec<Gives>,
    /// How long creation usually takes, in seconds: the weight of the longest path.
    pub seconds: f64,
    /// What data cannot say.
    pub quirks: Vec<Quirk>,
    /// What one of them does that nobody declared, as a sentence with attribute names in braces; none if nobody looks for those.
    pub unmanaged: Option<String>,
    /// How bad it is that one of them changed outside, where its attributes say nothing.
    pub severity: Severity,
}

/// Blocks with a label in a block, each a resource of its own that lies in it: `node_pool "system" { … }` in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nested {
    /// Its kind, whose parent is the kind that has this.
    pub kind: String,
    /// The one that the parent cannot be created without.
    pub first: Option<First>,
    /// Attributes that are taken from the parent if they are left out: name to the parent's path.
    pub inherits: IndexMap<String, String>,
}

/// A nested resource that travels in the first request of what it lies in. At least one must be declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct First {
    /// The attribute that tells it from others.
    pub attribute: String,
    /// What that attribute is.
    pub is: String,
    /// The list in the parent's body that it travels in; items are known by their `name`.
    pub place: String,
}

/// Access that a resource gives by itself: who can do what on what. In these texts `{path}` is an attribute's value, one edge for each item of
/// a list, and `{self}` the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gives {
    /// Who gets it.
    pub who: String,
    /// What they can do then.
    pub can: String,
    /// On what.
    pub on: String,
    /// Only while this attribute has this value, or is the constructor of this name.
    pub when: Option<(String, String)>,
}

impl Gives {
    /// The attributes that it is made of, `self` apart.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let texts = [&self.who, &self.can, &self.on].into_iter();
        let named = texts.flat_map(|text| text.split('{').skip(1).filter_map(|rest| rest.split('}').next()));
        named.filter(|path| *path != "self").chain(self.when.iter().map(|(path, _)| path.as_str()))
    }
}

/// What attributes need of each other. A path is `oidc_issuer`, `entra.authorization`, or of a constructor's argument
/// `api_server.vnet`; a word is a symbol or several with `|` between, `*` for whatever is written, `!` for left out or `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// The number of the diagnostic.
    pub code: u16,
    /// It matters if all of these hold.
    pub when: Vec<(String, String)>,
    /// Then all of these must hold.
    pub needs: Vec<(String, String)>,
    /// Exactly one of these must be written.
    pub one_of: Vec<String>,
    /// The headline.
    pub says: String,
    /// Why: the API's fact.
    pub why: String,
    /// What to do.
    pub help: String,
}

/// Where a resource's name comes from when the author leaves `name` out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameFrom {
    /// It does not: `name` is required.
    Author,
    /// The block's last label.
    Label,
    /// A hash of the stack's id and these attributes: never of a label or an address.
    Hash(Vec<String>),
    /// A GUID made of the subscription and the first of these attributes that is written.
    Guid(Vec<String>),
}

/// One attribute of a kind. Nested blocks are attributes with `fields`.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key of a kind file, independent of the others")]
pub struct Attribute {
    /// Its name: `purge_protection`.
    pub name: String,
    /// What it means, in Markdown.
    pub docs: String,
    /// Its type.
    pub of: Type,
    /// Whether a managed block must have it.
    pub required: bool,
    /// What it is to the resource beyond a value in its body.
    pub role: Role,
    /// Where it stands in the body, as a JSON pointer; none for parts of the id.
    pub pointer: Option<String>,
    /// How what we want is compared with what is.
    pub equality: Equality,
    /// What changing it does.
    pub change: ChangeEffect,
    /// Why it cannot be changed, or what follows from the change: one sentence with the API fact.
    pub change_reason: Option<String>,
    /// Never shown, never hashed.
    pub sensitive: bool,
    /// The documented default of the pinned api-version; without one `= default` is refused.
    pub default: Option<Value>,
    /// Sent at create if the author left it out; shown in the plan, not owned afterwards.
    pub on_create: Option<OnCreate>,
    /// What the wire has for `enabled` and `disabled`; `disabled = None` means absent.
    pub switch: Option<(serde_json::Value, Option<serde_json::Value>)>,
    /// For enums, also as items of lists and sets: our word to the wire's. A word that is not here is the wire's own.
    pub values: IndexMap<String, serde_json::Value>,
    /// What Azure means when an answer lacks a key: JSON pointer to value. A pointer that is not here is simply absent.
    pub absent: IndexMap<String, serde_json::Value>,
    /// What a create sends beside it and nothing compares: JSON pointer to value.
    pub creates: IndexMap<String, serde_json::Value>,
    /// Whether `= none` is legal: the service can remove it.
    pub removable: bool,
    /// A rule for text.
    pub rule: Option<Rule>,
    /// Inclusive bounds for numbers.
    pub range: Option<(i64, i64)>,
    /// The constructors of a choice, by name.
    pub variants: IndexMap<String, Variant>,
    /// The attributes of a nested block, or of the objects in a list or set; pointers of the latter begin at the item.
    pub fields: IndexMap<String, Attribute>,
    /// For lists of plain values that the wire wraps in objects: `{"value": item}`.
    pub wrap_items: Option<String>,
    /// What every wrapped item has besides: `{"id": item, "ignoreMissingVnetServiceEndpoint": true}`.
    pub wrap_with: IndexMap<String, serde_json::Value>,
    /// What a wrapped item gets that is there and not wanted: `{"isEnabled": "False"}`, where leaving it out changes nothing.
    pub rest_with: IndexMap<String, serde_json::Value>,
    /// One value here, on the wire a list of exactly that one.
    pub single_item: bool,
    /// A principal is wanted here: a resource stands for its principal id, which as text is taken too.
    pub principal: Option<PrincipalAt>,
    /// The output that a resource stands for here, where that is not its id.
    pub stands_for: Option<String>,
    /// A resource stands for its name here, which as text is taken too.
    pub by_name: bool,
    /// In which other form a plain value is on the wire.
    pub form: Form,
    /// Another vocabulary than an enum's: which texts stand for what.
    pub names: Option<Names>,
    /// Blocks with a label: each is the item of a list whose key of this name is the label. Pointers of fields begin at the item.
    pub keyed: Option<String>,
    /// Items, or the one value, are keys of an object on the wire, with nothing behind them.
    pub as_keys: bool,
    /// A reference stands for this output of what it refers to; without it for its id.
    pub takes: Option<String>,
    /// Written whenever the attribute is: JSON pointer to value. One that begins with `*` is below each item of a keyed list.
    pub writes: IndexMap<String, serde_json::Value>,
    /// What `= none` writes, where leaving it out does not remove it.
    pub off: IndexMap<String, serde_json::Value>,
    /// What a change does at single places, where it is not what it does elsewhere: JSON pointer to effect.
    pub changes: IndexMap<String, ChangeEffect>,
    /// What Azure fills in where nothing is said, as far as it is known: nobody needs to write it, and an import does not. In texts,
    /// `{name}`, `{resource_group}` and `{location}` stand for the resource's own. Nothing is compared with it: it changes with versions.
    pub filled: Vec<Value>,
    /// Its value at create is not sent if this attribute is written.
    pub unless: Option<String>,
    /// How bad it is that it changed outside; without it as bad as what it stands in.
    pub severity: Option<Severity>,
}

/// In which form a plain value is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As it is here.
    #[default]
    Same,
    /// A number as text: `"2"`.
    Text,
    /// A time such as `2027-01-31T00:00:00Z` as seconds since 1970.
    Epoch,
    /// A list as YAML: `array`, of texts that are YAML again. What the driver of secret provider classes takes.
    YamlTexts,
    /// Who is meant by a binding in a cluster: `{"kind": "Group", "name": …}`; as text `group:…`, `user:…` or `service_account:namespace/name`.
    Subjects,
}

/// Texts that stand for something, of which there are too many for an enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Names and GUIDs of role definitions: [`crate::roles`].
    Roles,
    /// Names of built-in policy definitions or initiatives: [`crate::policies`].
    Policies(crate::policies::Table),
}

/// What an attribute is to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A value in the body.
    Value,
    /// The last part of the id.
    Name,
    /// What it lies in.
    Parent,
    /// Its location, inherited if left out: own, else the declared resource group's, else the stack's.
    Location,
    /// Its tags: owned a key.
    Tags,
    /// The subscription of a resource group.
    Subscription,
    /// What a derived name is made from, and nothing else.
    Key,
}

/// A rule that text must satisfy, checked when the text is known.
#[derive(Debug, Clone)]
pub struct Rule {
    /// An anchored pattern of the `regex` crate.
    pub pattern: regex::Regex,
    /// Inclusive bounds of its length in characters, where the pattern does not say them.
    pub length: Option<(usize, usize)>,
    /// The rule in words: `3 to 24 letters, digits and hyphens, beginning with a letter`.
    pub words: String,
}

impl Attribute {
    /// An optional attribute of that type, changed in place, without a place in the body yet.
    pub fn new(name: impl Into<String>, of: Type) -> Self {
        Self {
            name: name.into(),
            docs: String::new(),
            of,
            required: false,
            role: Role::Value,
            pointer: None,
            equality: Equality::Exact,
            change: ChangeEffect::InPlace,
            change_reason: None,
            sensitive: false,
            default: None,
            on_create: None,
            switch: None,
            values: IndexMap::new(),
            absent: IndexMap::new(),
            creates: IndexMap::new(),
            removable: false,
            rule: None,
            range: None,
            variants: IndexMap::new(),
            fields: IndexMap::new(),
            wrap_items: None,
            wrap_with: IndexMap::new(),
            rest_with: IndexMap::new(),
            single_item: false,
            principal: None,
            stands_for: None,
            by_name: false,
            form: Form::Same,
            keyed: None,
            as_keys: false,
            takes: None,
            names: None,
            writes: IndexMap::new(),
            off: IndexMap::new(),
            changes: IndexMap::new(),
            filled: Vec::new(),
            severity: None,
            unless: None,
        }
    }

    /// Whether the whole value may be known only after apply. Where the wire has another shape than the configuration (wrapped or
    /// mapped items, constructors), only parts of it may.
    pub fn takes_holes(&self) -> bool {
        self.wrap_items.is_none()
            && self.fields.is_empty()
            && self.of != Type::Choice
            && !self.as_keys
            && !matches!(self.names, Some(Names::Policies(_)))
            && !self.is_raw()
    }

    /// Whether it is the body itself, in the wire's own words: compared key by key.
    pub fn is_raw(&self) -> bool {
        self.pointer.as_deref() == Some("")
    }
}

impl Rule {
    /// Whether a text satisfies it.
    pub fn allows(&self, text: &str) -> bool {
        let length = text.chars().count();
        self.length.is_none_or(|(least, most)| least <= length && length <= most) && self.pattern.is_match(text)
    }
}

/// A constructor: `selected(ips = […])`. Without arguments it is a bare word.
#[derive(Debug, Clone)]
pub struct Variant {
    /// What it means.
    pub docs: String,
    /// Its arguments, in the order they may be given by position.
    pub arguments: IndexMap<String, Attribute>,
    /// What it writes besides its arguments: JSON pointer to value; null stands for "must be absent".
    pub writes: IndexMap<String, serde_json::Value>,
    /// What a create sends beside it and nothing compares: JSON pointer to value.
    pub creates: IndexMap<String, serde_json::Value>,
}

/// Where the value comes from that is sent at create.
#[derive(Debug, Clone, PartialEq)]
pub enum OnCreate {
    /// This value, in the configuration's words.
    Value(Value),
    /// The stack's tenant.
    Tenant,
    /// The cloud's audience for token exchange.
    TokenExchangeAudience,
    /// The resource's name as a DNS label.
    DnsLabel,
}

/// What changing an attribute of a live object does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeEffect {
    /// Nothing but the change.
    InPlace,
    /// The object must be replaced; for stateful kinds an error unless `--replace` asks for it.
    Replace,
    /// Can be changed in one direction only: to `enabled`, to more. The other direction is an error.
    Irreversible,
}

/// What a resource tells.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its name: `client_id`.
    pub name: String,
    /// What it is.
    pub docs: String,
    /// Its type.
    pub of: Type,
    /// Where it stands in the object, as a JSON pointer. `/id` is known from the configuration.
    pub pointer: String,
    /// With [`Equality::TrailingSlash`] it is read with the slash, whether the answer has it or not.
    pub equality: Equality,
    /// The first answer to a write has it already, long before the operation ends.
    pub early: bool,
}

/// A place below a resource that is no resource of its own, where a scope is wanted.
#[derive(Debug, Clone)]
pub struct SubScope {
    /// What it is, in Markdown.
    pub docs: String,
    /// Its id below the resource's, with `{name}` for the call's one argument: `/namespaces/{name}`.
    pub path: String,
    /// What the argument must be.
    pub rule: Rule,
}

/// The word in a list of kinds that stands for a [`SubScope`], and for a subscription.
pub const SCOPE: &str = "scope";

/// How an object shows that it is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marker {
    /// A tag.
    Tag,
    /// A suffix of free text at this JSON pointer; comparison leaves it out.
    Text(String),
    /// A label of a Kubernetes object.
    Label,
    /// A name that only we make: the key it is known by, at this JSON pointer. A name that the author chose shows nothing by itself.
    UniqueName(String),
    /// None: the parent is ours, or unchanged `observed` hashes under a foreign one, and the name is recorded.
    Parent,
}

/// How creating and updating goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// PUT replaces what is not sent: an update reads the object and lays the owned leaves over it.
    Replace,
    /// PUT keeps what is not sent.
    Merge,
}

/// How deleting goes, beyond what the answer's headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delete {
    /// DELETE and follow the answer.
    Plain,
    /// It stays soft-deleted and its name taken.
    Soft,
}

/// A list call.
#[derive(Debug, Clone)]
pub struct ListCall {
    /// The path with `{subscription}`, `{resource_group}` (an id) or `{parent}` (an id).
    pub path: String,
    /// What one call covers.
    pub scope: ListScope,
    /// Where the parent's own body shows the whole of them, as a JSON pointer: then no call is needed.
    pub inline: Option<String>,
}

/// What one list call covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListScope {
    /// A subscription: first wave.
    Subscription,
    /// One parent: second wave, only for parents that exist.
    Parent,
    /// What is asked for by name, several in one call: `FIELD in ('a', 'b')`.
    Lookup,
    /// A cluster, in all of its namespaces: a path of its API server, page by page.
    Cluster,
}

/// Behaviour that data cannot say; each variant documents its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// A vault's name stays taken after deletion: creation looks into the list of deleted vaults first, recovers what bears
    /// our marker, and refuses what does not.
    SoftDeletedName,
    /// (issuer, subject) is unique within an identity, and at most 20 credentials fit one.
    FederatedCredentialUniqueness,
    /// Deleting it deletes what lies in it, ours or not: the plan says what else would go.
    Cascades,
    /// It stops what lies below it from being deleted: it is removed before them and created after them.
    Blocks,
    /// One of them travels in the first request of what they lie in, and all go with it: Azure refuses to delete the last system
    /// pool of a cluster, and a cluster without one cannot be created.
    ComesWithParent,
    /// One request does not do: changing a Defender plan's tier resets the extensions that were sent with it.
    WrittenTwice,
    /// Who administers it is decided by itself, by grants on it and by bindings in it: a plan never leaves it without anybody.
    ClusterAccess,
    /// Its own list or grants decide who reaches what is in it; switching from one to the other makes the former void at once.
    VaultAccess,
    /// It gives a principal a role on a scope.
    GivesRights,
}

/// What a kind file is made from.
#[derive(Debug, Clone, Copy)]
pub struct KindSource {
    /// File name: `vault.toml`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}
