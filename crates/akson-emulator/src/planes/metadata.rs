//! `GET /metadata/endpoints`: where the services of this cloud are. Clients read it without a token.

use http::{Method, StatusCode};
use serde_json::json;

use super::Call;
use crate::errors;
use crate::reply::{self, Answer};

pub(super) fn is_for(path: &str) -> bool {
    path.to_ascii_lowercase().starts_with("/metadata/")
}

/// One object, not a list: the CLI expects it so. Under a loopback host the endpoints are the
/// emulator's own.
pub(super) fn answer(call: &mut Call<'_>) -> Answer {
    if !call.visit.path.trim_end_matches('/').eq_ignore_ascii_case("/metadata/endpoints") {
        return errors::no_such_path(&call.visit.path).into_answer();
    }
    if call.visit.method != Method::GET {
        return errors::method_not_allowed(call.visit.method.as_str()).into_answer();
    }
    let (login, manager, graph) = if call.visit.loopback {
        let base = &call.visit.base;
        (base.clone(), base.clone(), format!("{base}/"))
    } else {
        let hosts = ["login.microsoftonline.com", "management.azure.com", "graph.microsoft.com/"];
        hosts.map(|host| format!("https://{host}")).into()
    };
    reply::json(
        StatusCode::OK,
        &json!({
            "portal": "https://portal.azure.com",
            "authentication": {
                "loginEndpoint": login,
                "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "media": "https://rest.media.azure.net",
            "graphAudience": "https://graph.windows.net/",
            "graph": "https://graph.windows.net/",
            "name": if call.visit.loopback { "AksonEmulator" } else { "AzureCloud" },
            "suffixes": {
                "keyVaultDns": "vault.azure.net",
                "storage": "core.windows.net",
                "acrLoginServer": "azurecr.io",
            },
            "batch": "https://batch.core.windows.net/",
            "resourceManager": manager,
            "microsoftGraphResourceId": graph,
            "activeDirectoryDataLake": "https://datalake.azure.net/",
            "sqlManagement": "https://management.core.windows.net:8443/",
            "gallery": "https://gallery.azure.com/",
        }),
    )
}
