//! What an error of Azure's means for a run that wants to go on: a table of codes. Not the waiting.
//!
//! A controller may retry for ever; a command line may not, so what a person must mend first (a policy, a quota, a lock, a
//! missing right) is fatal here.

use crate::AzureError;

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Passes soon: send it again after a short wait. It was not done, but for 5xx, where it may have been.
    RetryFast,
    /// Takes minutes to pass: a new principal or parent that other services do not see yet.
    RetrySlow,
    /// Another operation on the same object is under way: wait for its end.
    WaitForOther,
    /// Too many requests.
    Throttled,
    /// There is no such object, or nothing that it could lie in.
    Gone,
    /// No right to do it. Fatal, unless this very run has just granted the right.
    Denied,
    /// The object changed since it was read.
    Changed,
    /// Trying again will not help.
    Fatal,
}

/// Codes that decide whatever the status is, in the order they are looked for. Sources: the error classifier of Azure Service
/// Operator v2, recorded answers, and issues that quote them.
const CODES: &[(&str, Class)] = &[
    // Another write holds the object, or what it lies in. The platform starts operations of its own, too.
    ("AnotherOperationInProgress", Class::WaitForOther),
    ("ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity", Class::WaitForOther),
    ("ResourceGroupBeingDeleted", Class::WaitForOther),
    ("Conflict", Class::WaitForOther),
    ("ConflictError", Class::WaitForOther),
    ("OperationPreempted", Class::WaitForOther),
    ("NetcfgSubnetRangeOutsideVnet", Class::WaitForOther),
    ("CannotDeleteResource", Class::WaitForOther),
    // Of a cluster's API server: see `answer::in_status`.
    ("NamespaceTerminating", Class::WaitForOther),
    ("FieldManagerConflict", Class::Fatal),
    // Seen late by another service.
    ("PrincipalNotFound", Class::RetrySlow),
    ("NoBackingApplicationObject", Class::RetrySlow),
    ("InvalidResourceReference", Class::RetrySlow),
    ("ParentResourceNotFound", Class::RetrySlow),
    ("InvalidSubscriptionRegistrationState", Class::RetrySlow),
    ("AllocationFailed", Class::RetrySlow),
    ("CustomKubeletIdentityMissingPermissionError", Class::RetrySlow),
    ("NodePoolMcVersionIncompatible", Class::RetrySlow),
    ("AzfwAddToFirewallPolicyFailed", Class::RetrySlow),
    // Passing.
    ("RetryableError", Class::RetryFast),
    ("ReferencedResourceNotProvisioned", Class::RetryFast),
    ("FailedIdentityOperation", Class::RetryFast),
    ("GetVnetError", Class::RetryFast),
    ("ServerBusy", Class::RetryFast),
    ("ServerIsBusy", Class::RetryFast),
    ("ServerTimeout", Class::RetryFast),
    // Too many.
    ("Throttled", Class::Throttled),
    ("TooManyRequests", Class::Throttled),
    ("SubscriptionRequestsThrottled", Class::Throttled),
    // For a person to mend.
    ("AuthorizationFailed", Class::Denied),
    ("LinkedAuthorizationFailed", Class::Denied),
    ("ForbiddenByRbac", Class::Denied),
    ("ScopeLocked", Class::Fatal),
    ("RequestDisallowedByPolicy", Class::Fatal),
    ("ResourceQuotaExceeded", Class::Fatal),
    ("QuotaExceeded", Class::Fatal),
    ("SkuNotAvailable", Class::Fatal),
    ("PropertyChangeNotAllowed", Class::Fatal),
    ("VaultAlreadyExists", Class::Fatal),
    ("InvalidResourceGroupLocation", Class::Fatal),
    ("LocationNotAvailableForResourceGroup", Class::Fatal),
    ("ResourceGroupDeletionBlocked", Class::Fatal),
    ("MissingSubscriptionRegistration", Class::Fatal),
    ("SubscriptionNotRegistered", Class::Fatal),
    ("SubscriptionNotFound", Class::Fatal),
    // Somebody else made the same grant, or another one under this id, since it was looked for: the next plan adopts it.
    ("RoleAssignmentExists", Class::Changed),
    ("RoleAssignmentUpdateNotPermitted", Class::Changed),
    ("EtagMismatch", Class::Changed),
    ("PreconditionFailed", Class::Changed),
];

/// What an error means.
pub fn classify(error: &AzureError) -> Class {
    // A vault's name that is still taken by a deleted one does not become free by waiting, though the code is the one of a race.
    if error.says("ConflictError") && error.message.contains("deleted state") {
        return Class::Fatal;
    }
    // A name that is still taken does not become free by waiting either; one that is just coming or going does.
    if error.says("ObjectIsDeletedButRecoverable") {
        return Class::Fatal;
    }
    // The application was made a moment ago, and the replica that is to make its service principal has not heard of it.
    if error.says("Request_BadRequest") && error.message.contains("backing application of the service principal") {
        return Class::RetrySlow;
    }
    // One code for "busy" and for "never": only the text tells them apart.
    if error.says("OperationNotAllowed") {
        let busy = error.message.contains("in progress")
            || error.message.contains("nother agentpool operation")
            || error.message.contains("aks-pending-operation");
        return if busy { Class::WaitForOther } else { Class::Fatal };
    }
    if error.status == 429 {
        return Class::Throttled;
    }
    let listed = CODES
        .iter()
        .find(|(code, _)| error.code.eq_ignore_ascii_case(code))
        .or_else(|| CODES.iter().find(|(code, _)| error.says(code)));
    if let Some((_, class)) = listed {
        return *class;
    }
    match error.status {
        404 => Class::Gone,
        408 | 500 | 502 | 503 | 504 => Class::RetryFast,
        401 | 403 => Class::Denied,
        412 => Class::Changed,
        _ => Class::Fatal,
    }
}

/// Whether a mutating request may have been done although it was answered with this status.
pub fn may_have_happened(status: u16) -> bool {
    matches!(status, 408 | 500..=599)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, code: &str, message: &str, class: Class) {
        let error = AzureError { status, code: code.to_owned(), message: message.to_owned(), details: Vec::new() };
        assert_eq!(classify(&error), class, "{status} {code} {message}");
    }

    #[test]
    fn codes_decide_before_the_status() {
        check(409, "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity", "", Class::WaitForOther);
        check(409, "AnotherOperationInProgress", "", Class::WaitForOther);
        check(409, "ResourceGroupBeingDeleted", "", Class::WaitForOther);
        check(409, "ConflictError", "…changed from the point the operation began", Class::WaitForOther);
        check(409, "ConflictError", "A vault with the same name already exists in deleted state.", Class::Fatal);
        check(409, "ObjectIsDeletedButRecoverable", "", Class::Fatal);
        check(409, "Conflict", "", Class::WaitForOther);
        check(409, "VaultAlreadyExists", "", Class::Fatal);
        check(409, "ScopeLocked", "", Class::Fatal);
        check(409, "scopelocked", "", Class::Fatal);
        check(403, "RequestDisallowedByPolicy", "", Class::Fatal);
        check(403, "AuthorizationFailed", "", Class::Denied);
        check(403, "Forbidden", "", Class::Denied);
        check(401, "InvalidAuthenticationToken", "", Class::Denied);
        check(400, "PrincipalNotFound", "", Class::RetrySlow);
        check(400, "BadRequest", "", Class::Fatal);
        check(400, "Request_BadRequest", "", Class::Fatal);
        let late = "When using this permission, the backing application of the service principal being created must in the local tenant";
        check(400, "Request_BadRequest", late, Class::RetrySlow);
        check(
            409,
            "OperationNotAllowed",
            "Another operation (Updating) is in progress, please wait",
            Class::WaitForOther,
        );
        check(409, "OperationNotAllowed", "Changing this is not allowed", Class::Fatal);
        check(409, "RoleAssignmentExists", "The role assignment already exists.", Class::Changed);
        check(400, "RoleAssignmentUpdateNotPermitted", "", Class::Changed);
        check(404, "ParentResourceNotFound", "", Class::RetrySlow);
        check(404, "ResourceNotFound", "", Class::Gone);
        check(404, "NotFound", "", Class::Gone);
        check(404, "ResourceGroupNotFound", "", Class::Gone);
    }

    #[test]
    fn the_status_decides_what_no_code_does() {
        check(429, "429", "", Class::Throttled);
        check(429, "FailedIdentityOperation", "", Class::Throttled);
        check(503, "HTTP 503", "", Class::RetryFast);
        check(504, "GatewayTimeout", "", Class::RetryFast);
        check(502, "BadGatewayConnection", "", Class::RetryFast);
        check(500, "InternalServerError", "", Class::RetryFast);
        check(412, "ConditionNotMet", "", Class::Changed);
        check(409, "SomethingNew", "", Class::Fatal);
        check(501, "NotImplemented", "", Class::Fatal);
    }

    #[test]
    fn a_detail_decides_what_the_outer_code_does_not() {
        let error = AzureError {
            status: 400,
            code: "BadRequest".to_owned(),
            message: String::new(),
            details: vec![("PrincipalNotFound".to_owned(), String::new())],
        };
        assert_eq!(classify(&error), Class::RetrySlow);
    }

    #[test]
    fn every_code_stands_once() {
        let mut codes: Vec<String> = CODES.iter().map(|(code, _)| code.to_ascii_lowercase()).collect();
        codes.sort();
        let before = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), before);
    }

    #[test]
    fn after_a_server_error_it_may_have_happened() {
        assert!(may_have_happened(500) && may_have_happened(504) && may_have_happened(408));
        assert!(!may_have_happened(409) && !may_have_happened(429) && !may_have_happened(404));
    }
}
