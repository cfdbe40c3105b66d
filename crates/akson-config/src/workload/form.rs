//! What a `workload` block says, as syntax: which attributes and blocks it has. Not their values.

use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Block, Expr, ExprKind, Item, Name};

use crate::{
    codes,
    resources::{
        body::{META, plain_block},
        symbol_of,
        tolerate::TOLERATE,
    },
    sink::Sink,
};

/// A `workload` block.
pub(super) struct Form<'f> {
    pub block: &'f Block,
    pub cluster: &'f Expr,
    pub namespace: &'f Expr,
    pub account: Given<'f>,
    pub identity: Option<Given<'f>>,
    pub credential: Option<&'f Block>,
    pub grant: Option<&'f Block>,
    /// `grant = none`: access is granted elsewhere.
    pub without_grant: bool,
    /// `access = secret`: on each secret, not on its vault.
    pub on_secrets: bool,
    pub mounts: Vec<Mount<'f>>,
}

/// A part by its value, or by a block that says more of it.
#[derive(Clone, Copy)]
pub(super) enum Given<'f> {
    Value(&'f Expr),
    Block(&'f Block),
}

/// A `mount` block: one secret provider class.
pub(super) struct Mount<'f> {
    pub label: Option<&'f Name>,
    pub class: Option<&'f Expr>,
    pub secrets: &'f Expr,
    pub sync: Option<&'f Expr>,
    pub parameters: Option<&'f Expr>,
}

const ATTRIBUTES: &[&str] = &["cluster", "namespace", "service_account", "identity", "grant", "access"];
const BLOCKS: &[&str] = &["service_account", "identity", "federated_credential", "grant", "mount"];

/// Reads a block. None if what every part needs is missing, which was reported.
pub(super) fn read<'f>(sink: &mut Sink<'_>, block: &'f Block) -> Option<Form<'f>> {
    let blocks = inner_blocks(sink, block);
    let find = |word: &str| blocks.iter().copied().find(|inner| inner.keyword.text == word);
    let attributes: Vec<&str> = ATTRIBUTES.iter().chain(META).copied().collect();
    let mut required = vec!["cluster", "namespace"];
    if find("service_account").is_none() {
        required.push("service_account");
    }
    let tolerate = block.body.iter().find_map(|item| match item {
        Item::Block(inner) if inner.keyword.text == TOLERATE => Some(inner),
        _ => None,
    });
    if let Some(tolerate) = tolerate {
        sink.report(
            Diagnostic::error(codes::META, "a workload is several resources: nothing is tolerated of all of them")
                .at(tolerate.header, "")
                .help("write the resource in question as a block of its own; `akson expand` prints them all"),
        );
    }
    let known: Vec<&str> = BLOCKS.iter().copied().chain(tolerate.map(|_| TOLERATE)).collect();
    let parts = plain_block(sink, block, &attributes, &known, &required);
    for word in ["service_account", "identity", "grant"] {
        if let (Some(value), Some(inner)) = (parts.get(word), find(word)) {
            sink.report(
                Diagnostic::error(codes::DUPLICATE_ATTRIBUTE, format!("`{word}` is set twice"))
                    .at(inner.keyword.span, "again here")
                    .also(value.span, "first here")
                    .help("write the value, or the block that says more"),
            );
        }
    }
    let given = |word: &str| match (find(word), parts.get(word)) {
        (Some(inner), _) => Some(Given::Block(inner)),
        (None, Some(value)) => Some(Given::Value(value)),
        (None, None) => None,
    };
    let mut without_grant = false;
    if let Some(value) = parts.get("grant") {
        if matches!(value.kind, ExprKind::None) {
            without_grant = true;
        } else {
            sink.report(
                Diagnostic::error(codes::NESTED, "`grant` is a block, or `none`").at(value.span, "").help(
                    "write `grant { … }` to change what is granted, `grant = none` if access is granted elsewhere",
                ),
            );
        }
    }
    let mounts = mounts(sink, &blocks);
    Some(Form {
        block,
        cluster: parts.get("cluster").copied()?,
        namespace: parts.get("namespace").copied()?,
        account: given("service_account")?,
        identity: given("identity"),
        credential: find("federated_credential"),
        grant: find("grant"),
        without_grant,
        on_secrets: parts.get("access").is_some_and(|value| on_secrets(sink, value)),
        mounts,
    })
}

/// The blocks in it, each once; mounts with distinct labels.
fn inner_blocks<'f>(sink: &mut Sink<'_>, block: &'f Block) -> Vec<&'f Block> {
    let mut found: Vec<&Block> = Vec::new();
    for item in &block.body {
        let Item::Block(inner) = item else { continue };
        if inner.keyword.text == TOLERATE {
            continue;
        }
        let mount = inner.keyword.text == "mount";
        if let Some(label) = inner.labels.get(usize::from(mount)) {
            let text = if mount { "`mount` takes one label at most" } else { "this block takes no label" };
            sink.report(Diagnostic::error(codes::LABELS, text).at(label.span, "").help("remove the label"));
            continue;
        }
        let label = inner.labels.first().map(|label| label.text.as_str());
        let same = |other: &&&Block| {
            other.keyword.text == inner.keyword.text
                && (label.is_none()
                    || other.labels.is_empty()
                    || other.labels.first().map(|label| label.text.as_str()) == label)
        };
        if let Some(first) = found.iter().find(same) {
            let help =
                if mount { "give each a label of its own: `mount \"name\" { … }`" } else { "remove one of them" };
            sink.report(
                Diagnostic::error(codes::DUPLICATE_ATTRIBUTE, format!("`{}` is set twice", inner.keyword.text))
                    .at(inner.header, "again here")
                    .also(first.header, "first here")
                    .help(help),
            );
            continue;
        }
        found.push(inner);
    }
    found
}

fn mounts<'f>(sink: &mut Sink<'_>, blocks: &[&'f Block]) -> Vec<Mount<'f>> {
    let mut mounts = Vec::new();
    for block in blocks.iter().filter(|inner| inner.keyword.text == "mount") {
        let required: &[&str] = if block.labels.is_empty() { &["class", "secrets"] } else { &["secrets"] };
        let parts = plain_block(sink, block, &["class", "secrets", "sync", "parameters"], &[], required);
        let Some(secrets) = parts.get("secrets").copied() else { continue };
        if block.labels.is_empty() && !parts.contains_key("class") {
            continue;
        }
        mounts.push(Mount {
            label: block.labels.first(),
            class: parts.get("class").copied(),
            secrets,
            sync: parts.get("sync").copied(),
            parameters: parts.get("parameters").copied(),
        });
    }
    mounts
}

fn on_secrets(sink: &mut Sink<'_>, value: &Expr) -> bool {
    match symbol_of(value) {
        Some("vault") => false,
        Some("secret") => true,
        word => {
            let diagnostic =
                Diagnostic::error(codes::UNKNOWN_SYMBOL, "`access` is `vault` or `secret`").at(value.span, "");
            sink.report(match word.and_then(|word| did_you_mean(word, ["vault", "secret"])) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")).suggest(
                    value.span,
                    near,
                    format!("write `{near}`"),
                ),
                None => diagnostic
                    .help("`vault` grants on the vault of each mounted secret, `secret` on each mounted secret alone"),
            });
            false
        }
    }
}

impl Form<'_> {
    pub(super) fn header(&self) -> Span {
        self.block.header
    }
}
