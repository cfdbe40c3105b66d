//! Whose requests these are, as their token says: what a plan must not lock out. Not from where they come.

use akson_azure::{Audience, object_id_of};

use crate::engine::Engine;

impl Engine {
    /// The object id of the signed-in principal, if its token says it. A sign-in that fails tells itself with the first request.
    pub async fn signed_in(&self) -> Option<String> {
        let token = self.options.tokens.token(Audience::Arm, self.now(), None);
        let token = tokio::time::timeout(self.options.limits.request, token).await.ok()?.ok()?;
        object_id_of(&token)
    }
}
