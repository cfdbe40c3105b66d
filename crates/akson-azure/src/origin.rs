//! Which URLs that Azure answers with may be followed: only those at the origin that was asked. Not what a followed URL means.

use http::Uri;
use url::Url;

/// Scheme `https`, host and port of a request: what a URL from an answer must match before a token goes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    host: String,
    port: u16,
}

/// Why a URL from an answer is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// No absolute URL, or two parsers read it differently.
    #[error("it is not a URL")]
    Malformed,
    /// Not `https`.
    #[error("it is not https")]
    NotHttps,
    /// A name or password before the host.
    #[error("it carries a user name")]
    UserInfo,
    /// Another host or port.
    #[error("it points to another host: {0}")]
    OtherHost(String),
}

impl Origin {
    /// The origin of a URL of ours; none if it is not absolute, not https, or carries a user name.
    pub fn of(uri: &Uri) -> Option<Origin> {
        parse(&uri.to_string()).ok().map(|(_, origin)| origin)
    }

    /// The host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 443 where none is written.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL to follow, byte for byte as it was given: a signed URL breaks if it is written anew. A path alone is taken
    /// to be at this origin.
    ///
    /// # Errors
    /// [`Unfit`] if it does not lead to this origin.
    pub fn admit(&self, text: &str) -> Result<Uri, Unfit> {
        if text.starts_with('/') && !text.starts_with("//") && !text.starts_with("/\\") {
            let absolute = format!("https://{}{text}", self.authority());
            return self.admit_absolute(&absolute);
        }
        self.admit_absolute(text)
    }

    fn admit_absolute(&self, text: &str) -> Result<Uri, Unfit> {
        let (uri, origin) = parse(text)?;
        if origin == *self { Ok(uri) } else { Err(Unfit::OtherHost(origin.authority())) }
    }

    fn authority(&self) -> String {
        if self.port == 443 { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

/// Reads a URL with two parsers that must agree on where it leads, so that no difference between them can send a token elsewhere.
fn parse(text: &str) -> Result<(Uri, Origin), Unfit> {
    if text.bytes().any(|byte| byte <= b' ' || byte >= 0x7f || byte == b'\\') {
        return Err(Unfit::Malformed);
    }
    let uri: Uri = text.parse().map_err(|_| Unfit::Malformed)?;
    let url = Url::parse(text).map_err(|_| Unfit::Malformed)?;
    if (url.scheme(), uri.scheme_str()) != ("https", Some("https")) {
        return Err(Unfit::NotHttps);
    }
    let authority = uri.authority().ok_or(Unfit::Malformed)?.as_str();
    if authority.contains('@') {
        return Err(Unfit::UserInfo);
    }
    let host = uri.host().ok_or(Unfit::Malformed)?.to_ascii_lowercase();
    let port = uri.port_u16().unwrap_or(443);
    if url.host_str() != Some(host.as_str()) || url.port_or_known_default() != Some(port) {
        return Err(Unfit::Malformed);
    }
    Ok((uri, Origin { host, port }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    #[track_caller]
    fn check(given: &str, followed: Result<&str, Unfit>) {
        let origin = Origin::of(&"https://management.azure.com/subscriptions/x".parse().unwrap()).unwrap();
        assert_eq!(origin.admit(given).map(|uri| uri.to_string()), followed.map(str::to_owned), "{given}");
    }

    #[test]
    fn urls_at_the_same_origin_are_followed_as_they_are() {
        let signed = "https://management.azure.com/subscriptions/S/providers/Microsoft.X/locations/west/operationStatuses/1?api-version=2016-03-30&t=63&c=MII%2f&s=a-b_C&h=%3D";
        check(signed, Ok(signed));
        check("https://management.azure.com:443/op?a=1", Ok("https://management.azure.com:443/op?a=1"));
        check("https://Management.Azure.Com/op", Ok("https://Management.Azure.Com/op"));
        check("/subscriptions/op?a=1", Ok("https://management.azure.com/subscriptions/op?a=1"));
    }

    #[test]
    fn other_urls_are_not() {
        let elsewhere = |host: &str| Err(Unfit::OtherHost(host.to_owned()));
        check(
            "https://westus2.rp.kubernetesconfiguration.azure.com/op",
            elsewhere("westus2.rp.kubernetesconfiguration.azure.com"),
        );
        check("https://management.azure.com:444/op", elsewhere("management.azure.com:444"));
        check("https://management.azure.com.evil.example/op", elsewhere("management.azure.com.evil.example"));
        check("https://evil.example#management.azure.com/op", elsewhere("evil.example"));
        check("https://evil.example?management.azure.com/op", elsewhere("evil.example"));
        check("http://management.azure.com/op", Err(Unfit::NotHttps));
        check("https://user@management.azure.com/op", Err(Unfit::UserInfo));
        check("https://user:pw@management.azure.com/op", Err(Unfit::UserInfo));
        check("https://management.azure.com@evil.example/op", Err(Unfit::UserInfo));
        check("https://management.azure.com\\@evil.example/op", Err(Unfit::Malformed));
        check("https://management.azure.com\t.evil.example/op", Err(Unfit::Malformed));
        check("https://mänagement.azure.com/op", Err(Unfit::Malformed));
        check("https://management.azure.com/op\\1", Err(Unfit::Malformed));
        check("https://management.azure.com/op\u{e9}", Err(Unfit::Malformed));
        check("https://management.azure.com/op\u{7f}", Err(Unfit::Malformed));
        // One reads it as 127.0.0.1.
        check("https://127.1/op", Err(Unfit::Malformed));
        check("//evil.example/op", Err(Unfit::Malformed));
        check("/\\evil.example/op", Err(Unfit::Malformed));
        check("", Err(Unfit::Malformed));
        check("operations/1", Err(Unfit::Malformed));
    }
}
