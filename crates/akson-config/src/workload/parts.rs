//! The blocks that a workload stands for, as syntax: what an author would write without it. Not their evaluation, which is that of
//! every block, and not their text: `expand`.

use akson_catalog::{Address, Catalog, Type};
use akson_parser::ast::{Block, Expr, ExprKind, Item, ObjectKey};

use super::{
    form::{Form, Given, Mount},
    make::Make,
};

/// What stands for the identity in the parts: no author can write it.
pub(crate) const IDENTITY: &str = "$identity";
/// What a grant is on, likewise.
pub(crate) const TARGET: &str = "$target";

/// What decides how the parts look, the same for all instances.
pub(super) struct Shape {
    /// The cluster tells its location.
    pub located: bool,
    /// The namespace is given as a resource.
    pub namespace_is_resource: bool,
    /// The service account is given as a resource: none is made.
    pub account_is_resource: bool,
    /// Of each mount, how its vault is called.
    pub vaults: Vec<VaultName>,
}

/// How a mount's vault is called.
pub(super) enum VaultName {
    /// All instances have this one.
    Same(Address),
    /// It is given by its id.
    Id(String),
    /// Asked of the mount's first secret.
    OfSecret,
}

/// One part.
#[derive(Clone)]
pub(crate) struct Part {
    /// What it is called below the workload, and its kind.
    pub name: &'static str,
    /// Which of several.
    pub key: Option<String>,
    pub block: Block,
}

pub(super) struct Parts<'f> {
    pub form: &'f Form<'f>,
    pub shape: &'f Shape,
    pub catalog: &'f Catalog,
    pub label: &'f str,
}

impl Parts<'_> {
    fn make(&self) -> Make {
        Make { span: self.form.header() }
    }

    /// The parts that exist once an instance, the identity first.
    pub(super) fn all(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        if !matches!(self.form.identity, Some(Given::Value(_))) {
            parts.push(self.identity());
        }
        parts.push(self.credential());
        if !self.shape.account_is_resource {
            parts.push(self.account());
        }
        for (mount, vault) in self.form.mounts.iter().zip(&self.shape.vaults) {
            parts.push(self.class(mount, vault));
        }
        parts
    }

    fn part(&self, name: &'static str, body: Vec<Item>, over: Option<&Block>, merged: &[&str]) -> Part {
        let mut body = body;
        let meta = ["after", "protect", "on_remove"].into_iter().filter_map(|word| self.form.block.attribute(word));
        body.extend(meta.cloned().map(Item::Attribute));
        if let Some(over) = over {
            self.lay_over(&mut body, over, merged);
        }
        Part { name, key: None, block: self.make().block(name, Some(self.label), body) }
    }

    /// What the author says of a part counts; what is written twice stays so, to be reported.
    fn lay_over(&self, body: &mut Vec<Item>, over: &Block, merged: &[&str]) {
        let generated = self.form.header();
        for item in &over.body {
            let name = name_of(item);
            if merged.contains(&name) {
                continue;
            }
            let meta = ["after", "protect", "on_remove"].contains(&name);
            let place = body.iter_mut().find(|other| {
                name_of(other) == name
                    && match other {
                        Item::Attribute(attribute) => attribute.name.span == generated || meta,
                        Item::Block(_) => false,
                    }
            });
            match place {
                Some(place) => *place = item.clone(),
                None => body.push(item.clone()),
            }
        }
    }

    /// The namespace as text.
    fn namespace(&self) -> Expr {
        let namespace = self.form.namespace;
        if self.shape.namespace_is_resource { self.make().member(namespace, "name") } else { namespace.clone() }
    }

    /// The namespace as the attribute of a kind takes it.
    fn namespace_of(&self, kind: &str) -> Expr {
        let resource = self
            .catalog
            .get(kind)
            .and_then(|kind| kind.attributes.get("namespace"))
            .is_some_and(|attribute| matches!(attribute.of, Type::Resource(_)));
        if resource { self.form.namespace.clone() } else { self.namespace() }
    }

    /// The service account's name.
    fn account_name(&self) -> Expr {
        match self.form.account {
            Given::Value(value) if self.shape.account_is_resource => self.make().member(value, "name"),
            Given::Value(value) => value.clone(),
            Given::Block(block) => {
                block.attribute("name").map_or_else(|| self.make().text(self.label), |name| name.value.clone())
            }
        }
    }

    fn full_name(&self) -> Expr {
        let make = self.make();
        make.joined(&[self.namespace(), make.text("-"), self.account_name()])
    }

    fn identity(&self) -> Part {
        let make = self.make();
        let mut body = vec![
            make.attribute("name", self.full_name()),
            make.attribute("resource_group", make.member(self.form.cluster, "resource_group")),
        ];
        if self.shape.located {
            body.push(make.attribute("location", make.member(self.form.cluster, "location")));
        }
        let over = match self.form.identity {
            Some(Given::Block(block)) => Some(block),
            _ => None,
        };
        self.part("identity", body, over, &[])
    }

    fn credential(&self) -> Part {
        let make = self.make();
        let subject =
            make.joined(&[make.text("system:serviceaccount:"), self.namespace(), make.text(":"), self.account_name()]);
        let body = vec![
            make.attribute("identity", make.word(IDENTITY)),
            make.attribute("name", self.full_name()),
            make.attribute("issuer", make.member(self.form.cluster, "oidc_issuer_url")),
            make.attribute("subject", subject),
        ];
        self.part("federated_credential", body, self.form.credential, &[])
    }

    fn account(&self) -> Part {
        let make = self.make();
        let client =
            make.object(vec![("azure.workload.identity/client-id", make.member(&make.word(IDENTITY), "client_id"))]);
        let over = match self.form.account {
            Given::Block(block) => Some(block),
            Given::Value(_) => None,
        };
        let annotations = match over.and_then(|over| over.attribute("annotations")) {
            Some(own) => make.call("merge", vec![client, own.value.clone()]),
            None => client,
        };
        let body = vec![
            make.attribute("cluster", self.form.cluster.clone()),
            make.attribute("namespace", self.namespace_of("service_account")),
            make.attribute("name", self.account_name()),
            make.attribute("annotations", annotations),
        ];
        self.part("service_account", body, over, &["annotations"])
    }

    /// A grant; what it is on is put in for each target.
    pub(super) fn grant(&self) -> Part {
        let make = self.make();
        let body = vec![
            make.attribute("to", make.word(IDENTITY)),
            make.attribute("role", make.text("Key Vault Secrets User")),
            make.attribute("on", make.word(TARGET)),
        ];
        self.part("grant", body, self.form.grant, &[])
    }

    fn class(&self, mount: &Mount<'_>, vault: &VaultName) -> Part {
        let make = self.make();
        let identity = make.word(IDENTITY);
        let vault = match vault {
            VaultName::Same(address) => make.member(&make.address(address), "name"),
            VaultName::Id(id) => make.text(id.rsplit('/').next().unwrap_or(id)),
            VaultName::OfSecret => make.member(&make.member(&first_of(make, mount.secrets), "vault"), "name"),
        };
        let parameters = make.object(vec![
            ("usePodIdentity", make.text("false")),
            ("clientID", make.member(&identity, "client_id")),
            ("keyvaultName", vault),
            ("tenantId", make.member(&identity, "tenant_id")),
            ("objects", make.call("yamlencode", vec![make.object(vec![("array", objects(make, mount.secrets))])])),
        ]);
        let parameters = match mount.parameters {
            Some(own) => make.call("merge", vec![parameters, own.clone()]),
            None => parameters,
        };
        let name = mount
            .class
            .cloned()
            .unwrap_or_else(|| make.text(mount.label.map_or(self.label, |label| label.text.as_str())));
        let mut body = vec![
            make.attribute("cluster", self.form.cluster.clone()),
            make.attribute("namespace", self.namespace_of("secret_provider_class")),
            make.attribute("name", name),
            make.attribute("parameters", parameters),
        ];
        if let Some(sync) = mount.sync {
            body.push(make.attribute("secret_objects", self.copies(sync)));
        }
        let mut part = self.part("secret_provider_class", body, None, &[]);
        part.key = mount.label.map(|label| label.text.clone());
        part
    }

    /// What of the mounted secrets is copied into secrets of the cluster. The words are the kind's.
    fn copies(&self, sync: &Expr) -> Expr {
        let make = self.make();
        let kind = self.catalog.get("secret_provider_class");
        let attribute = kind.and_then(|kind| kind.attributes.get("secret_objects"));
        let ours = attribute.is_some_and(|attribute| attribute.fields.contains_key("secret_name"));
        let (name_key, object_key) = if ours { ("secret_name", "object_name") } else { ("secretName", "objectName") };
        let entry =
            |key: Expr, secret: &Expr| make.object(vec![(object_key, make.member(secret, "name")), ("key", key)]);
        let copy =
            |name: Expr, data: Expr| make.object(vec![(name_key, name), ("type", make.text("Opaque")), ("data", data)]);
        let data = |keys: &Expr| match &keys.kind {
            ExprKind::Object(entries) => {
                make.list(entries.iter().map(|(key, secret)| entry(key_text(make, key), secret)).collect())
            }
            _ => make.walk(
                Some("key"),
                "secret_of_key",
                keys.clone(),
                (None, entry(make.word("key"), &make.word("secret_of_key"))),
                None,
            ),
        };
        match &sync.kind {
            ExprKind::Object(entries) => {
                make.list(entries.iter().map(|(name, keys)| copy(key_text(make, name), data(keys))).collect())
            }
            _ => make.walk(
                Some("name"),
                "keys",
                sync.clone(),
                (None, copy(make.word("name"), data(&make.word("keys")))),
                None,
            ),
        }
    }
}

fn name_of(item: &Item) -> &str {
    match item {
        Item::Attribute(attribute) => &attribute.name.text,
        Item::Block(block) => &block.keyword.text,
    }
}

/// The first element, as an expression.
fn first_of(make: Make, list: &Expr) -> Expr {
    match &list.kind {
        ExprKind::List(items) if !items.is_empty() => items[0].clone(),
        _ => make.index(list, make.number("0")),
    }
}

/// The driver's description of each secret: YAML in YAML.
fn objects(make: Make, secrets: &Expr) -> Expr {
    let one = |secret: &Expr| {
        let object =
            make.object(vec![("objectName", make.member(secret, "name")), ("objectType", make.text("secret"))]);
        make.call("yamlencode", vec![object])
    };
    match &secrets.kind {
        ExprKind::List(items) => make.list(items.iter().map(one).collect()),
        _ => make.walk(None, "mounted", secrets.clone(), (None, one(&make.word("mounted"))), None),
    }
}

fn key_text(make: Make, key: &ObjectKey) -> Expr {
    match key {
        ObjectKey::Name(name) => make.text(&name.text),
        ObjectKey::Expr(expr) => expr.clone(),
    }
}
