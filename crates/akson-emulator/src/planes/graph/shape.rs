//! Which properties directory objects have, which of them a client sets, and how they are shown. The
//! names and defaults are those of recorded answers.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::world::{DirectoryEntry, DirectoryKind};

pub(super) type Body = Map<String, Value>;

/// The word of a kind in URLs.
pub(super) fn set(kind: DirectoryKind) -> &'static str {
    match kind {
        DirectoryKind::User => "users",
        DirectoryKind::Group => "groups",
        DirectoryKind::Application => "applications",
        DirectoryKind::ServicePrincipal => "servicePrincipals",
    }
}

/// The word of a kind in messages and `Location` headers.
pub(super) fn class(kind: DirectoryKind) -> &'static str {
    match kind {
        DirectoryKind::User => "User",
        DirectoryKind::Group => "Group",
        DirectoryKind::Application => "Application",
        DirectoryKind::ServicePrincipal => "ServicePrincipal",
    }
}

/// The word of a kind in `@odata.type` and in the `types` of `getByIds`.
pub(super) fn type_word(kind: DirectoryKind) -> &'static str {
    match kind {
        DirectoryKind::User => "user",
        DirectoryKind::Group => "group",
        DirectoryKind::Application => "application",
        DirectoryKind::ServicePrincipal => "servicePrincipal",
    }
}

/// The kind of a set.
pub(super) fn kind(set: &str) -> Option<DirectoryKind> {
    match set {
        "users" => Some(DirectoryKind::User),
        "groups" => Some(DirectoryKind::Group),
        "applications" => Some(DirectoryKind::Application),
        "servicePrincipals" => Some(DirectoryKind::ServicePrincipal),
        _ => None,
    }
}

/// What a user shows unless asked for more.
const USUAL_OF_USERS: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
];

/// Every property of a kind with its default.
pub(super) fn template(kind: DirectoryKind) -> &'static Body {
    static TEMPLATES: OnceLock<[Body; 4]> = OnceLock::new();
    let [users, groups, applications, service_principals] =
        TEMPLATES.get_or_init(|| [USERS, GROUPS, APPLICATIONS, SERVICE_PRINCIPALS].map(read));
    match kind {
        DirectoryKind::User => users,
        DirectoryKind::Group => groups,
        DirectoryKind::Application => applications,
        DirectoryKind::ServicePrincipal => service_principals,
    }
}

fn read(text: &str) -> Body {
    serde_json::from_str(text).expect("the templates below are JSON objects")
}

const USERS: &str = r#"{
    "businessPhones": [], "displayName": null, "givenName": null, "jobTitle": null, "mail": null,
    "mobilePhone": null, "officeLocation": null, "preferredLanguage": null, "surname": null,
    "userPrincipalName": null, "id": null, "accountEnabled": true, "city": null, "companyName": null,
    "country": null, "createdDateTime": null, "deletedDateTime": null, "department": null,
    "employeeId": null, "mailNickname": null, "onPremisesSyncEnabled": null, "otherMails": [],
    "passwordPolicies": null, "passwordProfile": null, "usageLocation": null, "userType": "Member"
}"#;

const GROUPS: &str = r#"{
    "id": null, "deletedDateTime": null, "classification": null, "createdDateTime": null,
    "creationOptions": [], "description": null, "displayName": null, "expirationDateTime": null,
    "groupTypes": [], "infoCatalogs": [], "isAssignableToRole": null, "mail": null,
    "mailEnabled": false, "mailNickname": null, "membershipRule": null,
    "membershipRuleProcessingState": null, "onPremisesDomainName": null,
    "onPremisesLastSyncDateTime": null, "onPremisesNetBiosName": null,
    "onPremisesSamAccountName": null, "onPremisesSecurityIdentifier": null,
    "onPremisesSyncEnabled": null, "preferredDataLocation": null, "preferredLanguage": null,
    "proxyAddresses": [], "renewedDateTime": null, "resourceBehaviorOptions": [],
    "resourceProvisioningOptions": [], "securityEnabled": true, "securityIdentifier": null,
    "theme": null, "uniqueName": null, "visibility": null, "onPremisesProvisioningErrors": [],
    "serviceProvisioningErrors": []
}"#;

const APPLICATIONS: &str = r#"{
    "id": null, "deletedDateTime": null, "appId": null, "applicationTemplateId": null,
    "disabledByMicrosoftStatus": null, "createdDateTime": null, "displayName": null,
    "description": null, "groupMembershipClaims": null, "identifierUris": [],
    "isDeviceOnlyAuthSupported": null, "isFallbackPublicClient": null,
    "nativeAuthenticationApisEnabled": null, "notes": null, "publisherDomain": "example.com",
    "serviceManagementReference": null, "signInAudience": "AzureADandPersonalMicrosoftAccount",
    "tags": [], "tokenEncryptionKeyId": null, "uniqueName": null, "samlMetadataUrl": null,
    "defaultRedirectUri": null, "certification": null, "optionalClaims": null,
    "servicePrincipalLockConfiguration": null, "requestSignatureVerification": null, "addIns": [],
    "api": {
        "acceptMappedClaims": null, "knownClientApplications": [],
        "requestedAccessTokenVersion": null, "oauth2PermissionScopes": [],
        "preAuthorizedApplications": []
    },
    "appRoles": [],
    "info": {
        "logoUrl": null, "marketingUrl": null, "privacyStatementUrl": null, "supportUrl": null,
        "termsOfServiceUrl": null
    },
    "keyCredentials": [],
    "parentalControlSettings": { "countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow" },
    "passwordCredentials": [], "publicClient": { "redirectUris": [] },
    "requiredResourceAccess": [],
    "verifiedPublisher": { "displayName": null, "verifiedPublisherId": null, "addedDateTime": null },
    "web": {
        "homePageUrl": null, "logoutUrl": null, "redirectUris": [],
        "implicitGrantSettings": { "enableAccessTokenIssuance": false, "enableIdTokenIssuance": false },
        "redirectUriSettings": []
    },
    "spa": { "redirectUris": [] }
}"#;

const SERVICE_PRINCIPALS: &str = r#"{
    "id": null, "deletedDateTime": null, "accountEnabled": true, "alternativeNames": [],
    "appDisplayName": null, "appDescription": null, "appId": null, "applicationTemplateId": null,
    "appOwnerOrganizationId": null, "appRoleAssignmentRequired": false, "createdDateTime": null,
    "description": null, "disabledByMicrosoftStatus": null, "displayName": null, "homepage": null,
    "loginUrl": null, "logoutUrl": null, "notes": null, "notificationEmailAddresses": [],
    "preferredSingleSignOnMode": null, "preferredTokenSigningKeyThumbprint": null, "replyUrls": [],
    "servicePrincipalNames": [], "servicePrincipalType": "Application",
    "signInAudience": "AzureADMyOrg", "tags": [], "tokenEncryptionKeyId": null,
    "samlSingleSignOnSettings": null, "addIns": [], "appRoles": [],
    "info": {
        "logoUrl": null, "marketingUrl": null, "privacyStatementUrl": null, "supportUrl": null,
        "termsOfServiceUrl": null
    },
    "keyCredentials": [], "oauth2PermissionScopes": [], "passwordCredentials": [],
    "resourceSpecificApplicationPermissions": [],
    "verifiedPublisher": { "displayName": null, "verifiedPublisherId": null, "addedDateTime": null }
}"#;

/// Properties that only the service sets.
pub(super) fn is_read_only(kind: DirectoryKind, property: &str) -> bool {
    let everywhere = ["id", "createdDateTime", "deletedDateTime"];
    let own: &[&str] = match kind {
        DirectoryKind::User => &["onPremisesSyncEnabled"],
        DirectoryKind::Group => &[
            "mail",
            "proxyAddresses",
            "renewedDateTime",
            "securityIdentifier",
            "expirationDateTime",
            "onPremisesSyncEnabled",
            "onPremisesProvisioningErrors",
        ],
        DirectoryKind::Application => {
            &["appId", "publisherDomain", "applicationTemplateId", "passwordCredentials", "certification"]
        }
        DirectoryKind::ServicePrincipal => &[
            "appDisplayName",
            "appOwnerOrganizationId",
            "passwordCredentials",
            "resourceSpecificApplicationPermissions",
            "signInAudience",
        ],
    };
    everywhere.contains(&property) || own.contains(&property)
}

/// Properties that are set when an object is made and never after that.
pub(super) fn is_fixed(kind: DirectoryKind, property: &str) -> bool {
    match kind {
        DirectoryKind::User => false,
        DirectoryKind::Group => matches!(property, "uniqueName" | "isAssignableToRole" | "mailEnabled"),
        DirectoryKind::Application => property == "uniqueName",
        DirectoryKind::ServicePrincipal => matches!(property, "appId" | "servicePrincipalType"),
    }
}

/// A property as it is shown: what is not set has its default.
pub(super) fn property<'a>(entry: &'a DirectoryEntry, name: &str) -> Option<&'a Value> {
    entry.body.get(name).or_else(|| template(entry.kind).get(name))
}

/// An object as it is shown, with `more` properties than usual if all are wanted.
pub(super) fn view(entry: &DirectoryEntry, all: bool) -> Body {
    let template = template(entry.kind);
    let shown = |name: &str| all || entry.kind != DirectoryKind::User || USUAL_OF_USERS.contains(&name);
    let mut view: Body = template
        .iter()
        .filter(|(name, _)| shown(name))
        .map(|(name, usual)| (name.clone(), entry.body.get(name).unwrap_or(usual).clone()))
        .collect();
    for (name, value) in &entry.body {
        if !template.contains_key(name) {
            view.insert(name.clone(), value.clone());
        }
    }
    // A password is never shown.
    view.remove("passwordProfile");
    view
}

/// The security identifier of an object: the four words of its GUID.
pub(super) fn security_identifier(id: &str) -> String {
    let hex: Vec<u8> = id.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |at: usize| {
        let text = hex.get(at * 2..at * 2 + 2).and_then(|pair| std::str::from_utf8(pair).ok());
        text.and_then(|text| u32::from_str_radix(text, 16).ok()).unwrap_or(0)
    };
    let word = |order: [usize; 4]| order.iter().fold(0_u32, |word, at| (word << 8) | byte(*at));
    let words = [word([0, 1, 2, 3]), word([6, 7, 4, 5]), word([11, 10, 9, 8]), word([15, 14, 13, 12])];
    format!("S-1-12-1-{}", words.map(|word| word.to_string()).join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_identifiers() {
        assert_eq!(security_identifier("00000001-0002-0003-0400-000005000000"), "S-1-12-1-1-196610-4-5",);
        assert_eq!(security_identifier("nonsense"), security_identifier("eee"));
    }
}
