//! Expressions of GitHub's workflows: `${{ steps.plan.outputs.digest }}`, and the conditions of steps and jobs. As much as the project's own
//! workflows use; anything else panics.

use std::collections::BTreeMap;

/// What expressions may name, by path: `vars.AZURE_TENANT_ID`. What is not there is empty, as on a runner.
pub type Context = BTreeMap<String, String>;

/// A text with its expressions computed.
pub fn fill(text: &str, context: &Context) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (inside, after) = after.split_once("}}").expect("an expression ends");
        filled.push_str(before);
        filled.push_str(&value(inside, context, true));
        rest = after;
    }
    filled + rest
}

/// Whether a condition holds, if everything before `succeeded` or did not.
pub fn holds(condition: &str, context: &Context, succeeded: bool) -> bool {
    let bare = condition.trim();
    let bare = bare.strip_prefix("${{").and_then(|bare| bare.strip_suffix("}}")).unwrap_or(bare);
    let asks_itself = bare.contains("always()") || bare.contains("failure()");
    (succeeded || asks_itself) && is_true(&value(bare, context, succeeded))
}

fn is_true(value: &str) -> bool {
    !matches!(value, "" | "false")
}

fn value(text: &str, context: &Context, succeeded: bool) -> String {
    let mut reader = Reader { rest: text.trim(), context, succeeded };
    let value = reader.any();
    assert!(reader.rest.is_empty(), "`{}` is left of `{text}`", reader.rest);
    value
}

struct Reader<'e> {
    rest: &'e str,
    context: &'e Context,
    succeeded: bool,
}

impl Reader<'_> {
    fn passes(&mut self, token: &str) -> bool {
        match self.rest.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn any(&mut self) -> String {
        let mut first = self.all();
        while self.passes("||") {
            let other = self.all();
            first = if is_true(&first) { first } else { other };
        }
        first
    }

    fn all(&mut self) -> String {
        let mut first = self.comparison();
        while self.passes("&&") {
            let other = self.comparison();
            first = if is_true(&first) { other } else { first };
        }
        first
    }

    fn comparison(&mut self) -> String {
        let first = self.operand();
        if self.passes("==") {
            return (first == self.operand()).to_string();
        }
        if self.passes("!=") {
            return (first != self.operand()).to_string();
        }
        first
    }

    fn operand(&mut self) -> String {
        if self.passes("!") {
            let operand = self.operand();
            return (!is_true(&operand)).to_string();
        }
        if self.passes("(") {
            let inside = self.any();
            assert!(self.passes(")"), "`)` is missing before `{}`", self.rest);
            return inside;
        }
        if let Some(rest) = self.rest.strip_prefix('\'') {
            let (text, rest) = rest.split_once('\'').expect("a text ends");
            self.rest = rest.trim_start();
            return text.to_owned();
        }
        let is_of_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let length = self.rest.bytes().take_while(|byte| is_of_path(*byte)).count();
        assert!(length > 0, "`{}` is no operand", self.rest);
        let (path, rest) = self.rest.split_at(length);
        self.rest = rest.trim_start();
        if self.passes("()") {
            return match path {
                "always" => true,
                "success" => self.succeeded,
                "failure" => !self.succeeded,
                other => panic!("the function `{other}` is not known here"),
            }
            .to_string();
        }
        self.context.get(path).cloned().unwrap_or_default()
    }
}
