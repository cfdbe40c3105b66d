//! What must not be told on, out of texts of others: tokens, signatures of URLs, secrets of forms. A service that echoes a request in its
//! error echoes these with it. Not what is unsafe to print: that is `SafeText`'s.

use akson_catalog::Secret;

/// What stands in their place.
pub const REDACTED: &str = "[redacted]";

/// Names before an equals sign whose values are secrets, wherever they stand.
const NAMES: [&str; 10] = [
    "sig",
    "s",
    "signature",
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "client_assertion",
    "assertion",
    "password",
];
/// No token is shorter.
const SHORTEST_TOKEN: usize = 32;
/// So much of a longer secret, in bytes, is as good as all of it.
const BEGINNING: usize = 24;
/// Shorter ones stand in every text by chance.
const SHORTEST_SECRET: usize = 4;

/// A text without tokens and signatures.
pub fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let at_word = !out.ends_with(is_of_token);
        if at_word && let Some(length) = token(rest).or_else(|| bearer(rest)) {
            out.push_str(REDACTED);
            rest = rest.get(length..).unwrap_or_default();
        } else if at_word && let Some((name, value)) = parameter(rest) {
            out.push_str(rest.get(..name).unwrap_or_default());
            out.push_str(REDACTED);
            rest = rest.get(name + value..).unwrap_or_default();
        } else {
            out.push(letter);
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

/// A text without this secret, as it is or as JSON or a URL spell it.
pub fn without(text: &str, secret: &Secret) -> String {
    let secret = secret.expose();
    if secret.len() < SHORTEST_SECRET {
        return text.to_owned();
    }
    let json = serde_json::Value::from(secret).to_string();
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut text = text.to_owned();
    for spelling in [secret, json.trim_matches('"'), encoded.as_str()] {
        text = text.replace(spelling, REDACTED);
        text = without_beginning(text, spelling);
    }
    text
}

/// A text without the beginning of a long secret: texts are cut off.
fn without_beginning(mut text: String, secret: &str) -> String {
    let Some(beginning) = secret.get(..BEGINNING) else { return text };
    while let Some(at) = text.find(beginning) {
        let rest = text.get(at..).unwrap_or_default();
        let same = rest.char_indices().zip(secret.chars()).find(|((_, one), other)| one != other);
        let end = same.map_or(rest.len().min(secret.len()), |((end, _), _)| end);
        text.replace_range(at..at + end, REDACTED);
    }
    text
}

fn is_of_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')
}

/// The length of a JSON web token at the beginning.
fn token(text: &str) -> Option<usize> {
    if !text.starts_with("eyJ") {
        return None;
    }
    let length = text.find(|letter| !is_of_token(letter) && letter != '.').unwrap_or(text.len());
    let parts = text.get(..length)?.split('.').filter(|part| !part.is_empty()).count();
    (length >= SHORTEST_TOKEN && parts >= 2).then_some(length)
}

/// The length of `Bearer …` at the beginning.
fn bearer(text: &str) -> Option<usize> {
    let scheme = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "))?;
    let value = value(text.get(scheme.len()..)?);
    (value >= SHORTEST_TOKEN).then_some(scheme.len() + value)
}

/// The lengths of a secret parameter's name, with its sign, and of its value.
fn parameter(text: &str) -> Option<(usize, usize)> {
    let name = text.find(|letter: char| !is_of_token(letter))?;
    let is_secret = NAMES.iter().any(|secret| text.get(..name).is_some_and(|name| name.eq_ignore_ascii_case(secret)));
    if !is_secret || text.as_bytes().get(name) != Some(&b'=') {
        return None;
    }
    let value = value(text.get(name + 1..)?);
    (value > 0).then_some((name + 1, value))
}

/// How far a value goes.
fn value(text: &str) -> usize {
    let ends =
        |letter: char| letter.is_whitespace() || matches!(letter, '&' | '"' | '\'' | '<' | '>' | ',' | ';' | ')' | ']');
    text.find(ends).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJ4In0.c2lnbmF0dXJl";

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(redacted(text), expected, "{text}");
    }

    #[test]
    fn tokens_and_signatures_go_and_the_rest_stays() {
        check(&format!("the token {TOKEN} is not valid"), "the token [redacted] is not valid");
        check(&format!("Authorization: Bearer {TOKEN}\n"), "Authorization: [redacted]\n");
        check("bearer 0123456789abcdef0123456789abcdef0123", "[redacted]");
        check(
            "https://x/op?api-version=1&t=2&c=MII&s=AbC%2F&h=z",
            "https://x/op?api-version=1&t=2&c=MII&s=[redacted]&h=z",
        );
        check("?sv=1&sig=a%2Bb%3D\"", "?sv=1&sig=[redacted]\"");
        check("client_secret=s3cr3t&scope=x", "client_secret=[redacted]&scope=x");
        check("CLIENT_SECRET=s3cr3t", "CLIENT_SECRET=[redacted]");
        for plain in [
            "",
            "eyJ",
            "eyJhbGci is how they begin",
            "eyJhbGci.eyJh is too short",
            "eyJ0123456789abcdef0123456789abcdef0123 has one part",
            "sig=&x",
            "bearer of bad news",
            "Bearer token is missing",
            "class=x",
            "ways= many",
            "the sig of it",
            "Ünïcödé ✓ eyJ.ü",
        ] {
            check(plain, plain);
        }
    }

    #[test]
    fn a_secret_goes_however_it_is_spelt() {
        let secret = Secret::new("pa\"ss & wörd");
        let text = format!("as it is: {0}; JSON: pa\\\"ss & wörd; a form: pa%22ss+%26+w%C3%B6rd", secret.expose());
        assert_eq!(without(&text, &secret), "as it is: [redacted]; JSON: [redacted]; a form: [redacted]");
        assert_eq!(without("abc", &Secret::new("b")), "abc", "what is in every text says nothing");
        assert_eq!(without("a1b2c3", &Secret::new("1b2")), "a1b2c3");
        assert_eq!(without("a1b2c3", &Secret::new("1b2c")), "a[redacted]3");
        let long = Secret::new("0123456789abcdefghijklmnopqrstuvwxyz".repeat(3));
        let cut = format!("it begins with {}", &long.expose()[..50]);
        assert_eq!(without(&cut, &long), "it begins with [redacted]");
        let other = format!("it begins with {}! and goes on", &long.expose()[..30]);
        assert_eq!(without(&other, &long), "it begins with [redacted]! and goes on");
    }
}
