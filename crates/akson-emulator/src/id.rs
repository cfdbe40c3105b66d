//! Resource ids as ARM reads them: case does not matter, what was written is kept for display.

/// One `type/name` pair of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// The scope that an id starts with: tenant, subscription or resource group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) subscription: Option<String>,
    pub(crate) group: Option<String>,
}

/// The id of something below `/providers/`, e.g. a vault, or a lock on a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceId {
    pub(crate) place: Place,
    /// What stands before the last `/providers/`, as written; empty for the tenant.
    pub(crate) scope: String,
    pub(crate) namespace: String,
    pub(crate) steps: Vec<Step>,
    key: String,
}

impl ResourceId {
    pub(crate) fn new(place: Place, scope: String, namespace: String, steps: Vec<Step>) -> Self {
        let mut id = Self { place, scope, namespace, steps, key: String::new() };
        id.key = id.as_written().to_ascii_lowercase();
        id
    }

    /// The id in lower case: two ids are equal if their keys are.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The key of the scope.
    pub(crate) fn scope_key(&self) -> &str {
        self.key.get(..self.scope.len()).unwrap_or_default()
    }

    /// The id as it was written.
    pub(crate) fn as_written(&self) -> String {
        let mut text = format!("{}/providers/{}", self.scope, self.namespace);
        for step in &self.steps {
            text.push('/');
            text.push_str(&step.kind);
            text.push('/');
            text.push_str(&step.name);
        }
        text
    }

    /// The id with the service's own spelling of `resourceGroups`, the namespace and the types; names
    /// stay as written. `kinds` is e.g. `Microsoft.KeyVault/vaults`.
    pub(crate) fn spelled(&self, groups: &str, kinds: &str) -> String {
        let mut words = kinds.split('/');
        let mut text = match (&self.place.subscription, &self.place.group) {
            (Some(subscription), Some(group)) => format!("/subscriptions/{subscription}/{groups}/{group}"),
            _ => self.scope.clone(),
        };
        text.push_str("/providers/");
        text.push_str(words.next().unwrap_or(&self.namespace));
        for step in &self.steps {
            text.push('/');
            text.push_str(words.next().unwrap_or(&step.kind));
            text.push('/');
            text.push_str(&step.name);
        }
        text
    }

    /// The id of an extension: the scope as written, the rest as the service spells it.
    pub(crate) fn spelled_extension(&self, kinds: &str) -> String {
        format!("{}/providers/{kinds}/{}", self.scope, self.name())
    }

    /// `Namespace/type/subtype` as written.
    pub(crate) fn full_type(&self) -> String {
        let mut text = self.namespace.clone();
        for step in &self.steps {
            text.push('/');
            text.push_str(&step.kind);
        }
        text
    }

    pub(crate) fn type_key(&self) -> String {
        self.full_type().to_ascii_lowercase()
    }

    /// The last name.
    pub(crate) fn name(&self) -> &str {
        self.steps.last().map_or("", |step| step.name.as_str())
    }

    /// The resource that this one is a child of, e.g. the identity of a federated credential. The
    /// scope of an extension (the vault of a lock) is not a parent.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, above) = self.steps.split_last()?;
        (!above.is_empty())
            .then(|| Self::new(self.place.clone(), self.scope.clone(), self.namespace.clone(), above.to_vec()))
    }

    /// Whether the scope is itself a resource, as for a lock on a vault.
    pub(crate) fn on_resource(&self) -> bool {
        self.scope_key().contains("/providers/")
    }
}

/// The key of a subscription.
pub(crate) fn subscription_key(subscription: &str) -> String {
    format!("/subscriptions/{}", subscription.to_ascii_lowercase())
}

/// The key of a resource group.
pub(crate) fn group_key(subscription: &str, group: &str) -> String {
    format!("/subscriptions/{}/resourcegroups/{}", subscription.to_ascii_lowercase(), group.to_ascii_lowercase())
}
