//! Calls put together at random from words that mean something here: whatever comes, the answer is
//! well-formed, is no 5xx, and the world can be stored and read again.

use akson_emulator::{Emulator, Options, Store};
use serde_json::{Value, json};

use crate::support::Azure;

const WORDS: [&str; 30] = [
    "subscriptions",
    "~",
    "resourceGroups",
    "g",
    "providers",
    "Microsoft.KeyVault",
    "vaults",
    "kept",
    "Microsoft.ManagedIdentity",
    "userAssignedIdentities",
    "web",
    "federatedIdentityCredentials",
    "main",
    "Microsoft.Authorization",
    "locks",
    "Microsoft.Network",
    "virtualNetworks",
    "locations",
    "westeurope",
    "deletedVaults",
    "purge",
    "resources",
    "operationresults",
    "operations",
    "%20",
    "..",
    "\u{e4}",
    "'",
    "tenants",
    "register",
];

/// A sequence that depends on its seed alone.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn path(&mut self, known: &[String]) -> String {
        if self.below(2) == 0 {
            return known[self.below(known.len())].clone();
        }
        let mut path = if self.below(2) == 0 { "~/resourceGroups/g".to_owned() } else { String::new() };
        for _ in 0..self.below(9) {
            path.push('/');
            path.push_str(WORDS[self.below(WORDS.len())]);
        }
        if path.is_empty() { "/".to_owned() } else { path }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(7),
            3 => json!("westeurope"),
            4 => json!(""),
            5 => json!("recover"),
            6 => json!([self.value(depth - 1)]),
            _ => {
                let names = [
                    "location",
                    "tags",
                    "properties",
                    "sku",
                    "tenantId",
                    "level",
                    "issuer",
                    "networkAcls",
                    "id",
                    "createMode",
                ];
                let mut object = json!({});
                for _ in 0..self.below(5) {
                    object[names[self.below(names.len())]] = self.value(depth - 1);
                }
                object
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn is_answered_with_sense() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { rate_limits: false, ..Options::default() };
    let azure = Azure::open(options()).await;
    azure.group("g").await;
    let web = "~/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web";
    let known = [
        "~/resourceGroups/g".to_owned(),
        web.to_owned(),
        format!("{web}/federatedIdentityCredentials/main"),
        "~/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kept".to_owned(),
        "~/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kept".to_owned(),
        "~/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/net".to_owned(),
        format!("{web}/providers/Microsoft.Authorization/locks/keep"),
    ];
    let mut random = Random(1);
    for _ in 0..5000 {
        let method = ["GET", "PUT", "PATCH", "DELETE", "POST", "HEAD", "PUT", "TRACE"][random.below(8)];
        let call = format!("{method} {}", random.path(&known));
        let body = random.value(3);
        let request = azure.request(&call.replace('\u{e4}', "%C3%A4").replace('\'', "%27"), &body);
        let reply = azure.send(request).await.unwrap();
        assert!(reply.status < 500, "{call} {body}\n{}", reply.text);
        assert!(reply.text.is_empty() || !reply.body.is_null(), "{call} {body}\n{}", reply.text);
    }
    // What all this left behind is a world like any other.
    let objects: Vec<Value> = azure.emulator.god().snapshot().objects.into_values().collect();
    let stored = || Options { store: Store::Directory(folder.path().to_owned()), ..options() };
    Emulator::open(stored()).unwrap().seed(objects).unwrap();
    Emulator::open(stored()).unwrap();
}
