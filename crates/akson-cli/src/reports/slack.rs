//! A message for an incoming webhook of Slack. Slack's limits: 150 characters in a header, 3,000 in a section, 50 blocks.

use serde_json::{Value, json};

use super::items::{self, Item, cut};
use crate::{schedule::Look, views::plan::count};

const HEADER: usize = 150;
const SECTION: usize = 2_900;
const BLOCKS: usize = 48;
/// Of the whole message: Slack refuses what is too long without saying how long that is.
const WHOLE: usize = 12_000;

/// The message.
pub(super) fn message(look: &Look) -> Value {
    let headline = items::headline(look);
    let summary = items::summary(look);
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": cut(&headline, HEADER), "emoji": false } }),
        section(&cut(&text(&summary), SECTION)),
    ];
    let items = items::items(look);
    let mut length = headline.len() + summary.len();
    let mut shown = 0;
    for item in &items {
        let block = one(item);
        length += block.len();
        if blocks.len() + 1 >= BLOCKS || length > WHOLE {
            break;
        }
        blocks.push(section(&block));
        shown += 1;
    }
    if shown < items.len() {
        blocks.push(section(&format!("… and {} more: see the run's log", count(items.len() - shown, "finding"))));
    }
    // What notifications show, and clients that know no blocks.
    json!({ "text": cut(&text(&format!("{headline}: {summary}")), SECTION), "blocks": blocks })
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

fn one(item: &Item) -> String {
    let rank = item.rank();
    let rank = if rank.is_empty() { String::new() } else { format!("*{}* ", rank.trim_end()) };
    let mut out = format!("{rank}{} {}", code(&cut(&item.subject, 500)), item.what.words());
    let mut left_out = 0;
    let mut add = |line: String| {
        if out.chars().count() + line.chars().count() > SECTION - 100 {
            left_out += 1;
        } else {
            out.push_str(&line);
        }
    };
    if !item.sentence.is_empty() {
        add(format!("\n{}", code(&cut(&item.sentence, 500))));
    }
    for by in item.by.iter().take(3) {
        add(format!("\nby {}", code(&cut(by, 500))));
    }
    for edit in &item.edits {
        add(format!("\n• {} is {}, declared {}", code(&edit.attribute), code(&edit.is), code(&edit.declared)));
    }
    if left_out > 0 {
        out.push_str(&format!("\n… {left_out} more"));
    }
    out
}

/// Foreign text as code: nothing in it is a mention, a link or an emphasis.
fn code(text: &str) -> String {
    format!("`{}`", self::text(&text.replace('`', "'")))
}

/// Slack's three escapes. `<!channel>`, `<@U123>` and links begin with the second.
fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
