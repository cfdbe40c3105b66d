//! A message for a webhook of Teams' workflows: an Adaptive Card in an envelope. Teams refuses more than 28 KB.

use serde_json::{Value, json};

use super::items::{self, Item, cut};
use crate::{
    drift::Severity,
    schedule::{Look, Outcome},
    views::plan::count,
};

/// Of the whole message, with room for what is said about the rest.
const WHOLE: usize = 26_000;
/// Of the attributes of one finding.
const ATTRIBUTES: usize = 20;

/// The message. Foreign text stands in text runs alone, which know no Markdown, links or mentions.
pub(super) fn message(look: &Look) -> Value {
    let color = match look.outcome {
        Outcome::InSync => "good",
        Outcome::Drift | Outcome::Incomplete => "warning",
        Outcome::Failed => "attention",
    };
    let mut body = vec![
        block(
            &[run(&cut(&items::headline(look), 300), json!({ "weight": "bolder", "size": "large", "color": color }))],
            false,
        ),
        block(&[run(&cut(&items::summary(look), 1_000), json!({}))], false),
    ];
    let mut length = envelope(&body).to_string().len();
    let items = items::items(look);
    let mut shown = 0;
    for item in &items {
        let blocks = one(item);
        length += blocks.iter().map(|block| block.to_string().len() + 1).sum::<usize>();
        if length > WHOLE {
            break;
        }
        body.extend(blocks);
        shown += 1;
    }
    if shown < items.len() {
        let more = format!("… and {} more: see the run's log", count(items.len() - shown, "finding"));
        body.push(block(&[run(&more, json!({}))], true));
    }
    envelope(&body)
}

fn envelope(body: &[Value]) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": body,
            },
        }],
    })
}

fn one(item: &Item) -> Vec<Value> {
    let color = match item.severity {
        Some(Severity::High) => "attention",
        Some(Severity::Medium) => "warning",
        _ => "default",
    };
    let mut blocks = vec![block(
        &[
            run(item.rank(), json!({ "weight": "bolder", "color": color })),
            run(&cut(&item.subject, 300), json!({ "fontType": "monospace" })),
            run(&format!(" {}", item.what.words()), json!({})),
        ],
        true,
    )];
    let mut line = |text: String| blocks.push(block(&[run(&text, json!({ "size": "small" }))], false));
    if !item.sentence.is_empty() {
        line(cut(&item.sentence, 500));
    }
    for by in item.by.iter().take(3) {
        line(format!("by {}", cut(by, 500)));
    }
    for edit in item.edits.iter().take(ATTRIBUTES) {
        line(format!("{} is {}, declared {}", edit.attribute, edit.is, edit.declared));
    }
    if item.edits.len() > ATTRIBUTES {
        line(format!("… {} more", item.edits.len() - ATTRIBUTES));
    }
    blocks
}

fn block(runs: &[Value], separated: bool) -> Value {
    let runs: Vec<&Value> = runs.iter().filter(|run| run["text"] != "").collect();
    json!({ "type": "RichTextBlock", "inlines": runs, "spacing": if separated { "medium" } else { "none" } })
}

fn run(text: &str, style: Value) -> Value {
    // Clients replace `{{DATE(…)}}` and `{{TIME(…)}}` in any text.
    let mut run = json!({ "type": "TextRun", "text": text.replace("{{", "{ {") });
    if let (Some(run), Value::Object(style)) = (run.as_object_mut(), style) {
        run.extend(style);
    }
    run
}
