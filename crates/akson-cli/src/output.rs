//! The two streams: results on stdout, everything else on stderr. A reader that goes away is no error.

use std::io::{IsTerminal as _, Write as _};

use crate::arguments::Color;

/// Decides once whether to colour, for both streams.
pub(crate) fn choose_color(color: Color) {
    match color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

/// Whether styles will be seen on stderr.
pub(crate) fn stderr_has_color() -> bool {
    !matches!(anstream::AutoStream::choice(&std::io::stderr()), anstream::ColorChoice::Never)
}

/// Whether a person watches stderr.
pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Writes a result to stdout. Styles are stripped where they are not wanted.
pub(crate) fn result(text: &str) {
    // A closed pipe (`akson plan | head`) must not look like a failure of akson.
    let mut out = anstream::stdout();
    let _ = out.write_all(text.as_bytes());
    if !text.is_empty() && !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Writes a line of progress or a diagnostic to stderr.
pub(crate) fn aside(text: &str) {
    let mut out = anstream::stderr();
    let _ = out.write_all(text.as_bytes());
    if !text.is_empty() && !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}
