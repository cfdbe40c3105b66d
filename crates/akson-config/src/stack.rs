//! The `stack` block. Not the check of its version: `version.rs`.

use akson_catalog::Type;
use akson_diagnostics::{Diagnostic, Span};
use akson_parser::ast::{Block, Expr, Item};

use crate::{
    codes,
    eval::{Evaluator, Scope, Want},
    model::Stack,
    resources::body::plain_block,
    val::Val,
    version,
};

/// Where nothing is known about Azure: offline checks.
const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// What a `stack` block says.
const KNOWN: [&str; 5] = ["tenant", "subscription", "location", "ledger", "required_version"];

impl Evaluator<'_> {
    /// Reports what is wrong with the number of stack blocks.
    pub(crate) fn count_stacks(&mut self) {
        let names = self.names;
        if names.stacks.is_empty() && !names.broken_stack {
            self.stack_is_wrong = true;
            if !self.sink.incomplete {
                let mut diagnostic = Diagnostic::error(codes::NO_STACK, "this configuration has no `stack` block");
                if let Some(first) = self.files.first() {
                    diagnostic = diagnostic.at(Span::new(*first, 0, 0), "");
                }
                self.sink.report(
                    diagnostic
                        .note("a stack is what is planned and owned together; its name marks what is ours")
                        .help("add `stack \"name\" { location = \"…\" }`"),
                );
            }
        }
        if names.broken_stack {
            self.stack_is_wrong = true;
        }
        if let Some((first, more)) = names.stacks.split_first() {
            for later in more {
                self.sink.report(
                    Diagnostic::error(codes::SECOND_STACK, "a configuration has one `stack` block")
                        .at(later.header, "another one")
                        .also(first.header, "the first is here")
                        .help("remove one of them, or move one to a folder of its own"),
                );
            }
        }
    }

    /// Evaluates the stack block; without one, a nameless stack.
    pub(crate) fn stack(&mut self, cyclic: bool) -> Stack {
        let stack = self.stack_block(cyclic);
        self.subscription = Some(stack.subscription.clone());
        stack
    }

    fn stack_block(&mut self, cyclic: bool) -> Stack {
        let mut stack = Stack {
            label: String::new(),
            tenant: self.inputs.tenant.clone().unwrap_or_else(|| NIL.to_owned()),
            subscription: self.inputs.subscription.clone().unwrap_or_else(|| NIL.to_owned()),
            location: None,
            location_span: None,
            ledger: None,
            span: None,
        };
        let names = self.names;
        let Some(block) = names.stacks.first() else { return stack };
        stack.span = Some(block.header);
        if cyclic {
            self.stack_is_wrong = true;
            return stack;
        }
        stack.label = self.label(block);
        let parts = plain_block(&mut self.sink, block, &KNOWN, &[], &[]);
        // A misspelt attribute may be the one whose absence others would be told of.
        self.stack_is_wrong |= block.body.iter().any(|item| match item {
            Item::Attribute(attribute) => !KNOWN.contains(&attribute.name.text.as_str()),
            Item::Block(_) => false,
        });
        let named = |name: &str| Type::Named(name.to_owned());
        let mut read = |name: &str, of: &Type| {
            parts.get(name).and_then(|expr| self.stack_text(name, expr, of).map(|text| (text, expr.span)))
        };
        if let Some((tenant, _)) = read("tenant", &named("tenant_id")) {
            stack.tenant = tenant;
        }
        if let Some((subscription, _)) = read("subscription", &named("uuid")) {
            stack.subscription = subscription;
        }
        if let Some((location, span)) = read("location", &named("location")) {
            stack.location = Some(location);
            stack.location_span = Some(span);
        }
        stack.ledger = read("ledger", &Type::String).map(|(ledger, _)| ledger);
        if let Some((required, span)) = read("required_version", &Type::String) {
            self.version(&required, span);
        }
        stack
    }

    fn label(&mut self, block: &Block) -> String {
        let [label] = block.labels.as_slice() else {
            self.stack_is_wrong = true;
            let span = block.labels.get(1).map_or(block.header, |second| second.span);
            self.sink.report(
                Diagnostic::error(codes::LABELS, "`stack` takes one label: its name")
                    .at(span, "")
                    .help("write `stack \"name\" { … }`"),
            );
            return String::new();
        };
        let text = match block.computed_labels.first() {
            Some((_, expr)) => self.stack_text("label", expr, &Type::String).unwrap_or_default(),
            None => label.text.clone(),
        };
        let good = !text.is_empty()
            && text.len() <= 90
            && text.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.'));
        if !good && (!text.is_empty() || block.computed_labels.is_empty()) {
            self.sink.report(
                Diagnostic::error(codes::LABELS, "a stack's name is 1 to 90 letters, digits, `-`, `_` and `.`")
                    .at(label.span, "")
                    .note("it names the ledger's file and marks resources")
                    .help("choose a name such as `myapp-dev`"),
            );
        }
        text
    }

    /// A text of the stack block, which must be known and may be shown.
    fn stack_text(&mut self, name: &str, expr: &Expr, of: &Type) -> Option<String> {
        let value = self.eval(expr, Want::Of(of, None), &Scope::default());
        if value.traits().sensitive {
            self.stack_is_wrong = true;
            self.sink.report(
                Diagnostic::error(codes::SENSITIVE, format!("the stack's {name} cannot be sensitive: it is shown"))
                    .at(expr.span, "")
                    .help("use a value that may be shown"),
            );
            return None;
        }
        match value.plain() {
            Val::Text(text) => Some(text.to_string()),
            Val::Unknown(_) => {
                self.stack_is_wrong = true;
                self.sink.report(
                    Diagnostic::error(codes::NOT_KNOWN, format!("the stack's {name} is known only after apply"))
                        .at(expr.span, "")
                        .help("use variables"),
                );
                None
            }
            _ => {
                self.stack_is_wrong = true;
                None
            }
        }
    }

    fn version(&mut self, required: &str, span: Span) {
        let ours = env!("CARGO_PKG_VERSION");
        let diagnostic = match version::satisfies(ours, required) {
            Some(true) => return,
            Some(false) => Diagnostic::error(
                codes::VERSION,
                format!("this configuration wants Akson {required}, and this is {ours}"),
            )
            .at(span, "")
            .help("install a version that fits, or change the constraint"),
            None => Diagnostic::error(codes::VERSION, "this is no constraint on a version")
                .at(span, "")
                .help("write one such as `\">= 0.1, < 2\"`, `\"~> 0.1\"` or `\"0.1.0\"`"),
        };
        self.sink.report(diagnostic);
    }
}
