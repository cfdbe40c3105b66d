//! The two streams: results on stdout, everything else on stderr. A reader that goes away is no error.

use std::{ffi::OsString, io::IsTerminal as _};

use crate::{arguments::Color, progress};

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

/// Whether something on stderr may move: a person watches it, on a terminal that can, and does not want it otherwise.
pub(crate) fn stderr_may_move() -> bool {
    std::io::stderr().is_terminal() && may_move(|name| std::env::var_os(name))
}

/// What the environment says to that. Colour is another matter: what moves has none.
fn may_move(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    variable("AKSON_NO_PROGRESS").is_none_or(|value| value.is_empty())
        && variable("CI").is_none()
        && variable("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// Writes a result to stdout. Styles are stripped where they are not wanted.
pub(crate) fn result(text: &str) {
    progress::around(|| write(anstream::stdout(), text));
}

/// Writes a line of progress or a diagnostic to stderr.
pub(crate) fn aside(text: &str) {
    progress::around(|| write(anstream::stderr(), text));
}

fn write(mut out: impl std::io::Write, text: &str) {
    // A closed pipe (`akson plan | head`) must not look like a failure of akson.
    let _ = out.write_all(text.as_bytes());
    if !text.is_empty() && !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_whether_something_may_move() {
        #[track_caller]
        fn check(variables: &[(&str, &str)], expected: bool) {
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
            assert_eq!(may_move(variable), expected, "{variables:?}");
        }
        check(&[], true);
        check(&[("TERM", "xterm-256color")], true);
        check(&[("NO_COLOR", "1")], true);
        check(&[("AKSON_NO_PROGRESS", "")], true);
        check(&[("AKSON_NO_PROGRESS", "1")], false);
        check(&[("TERM", "dumb")], false);
        check(&[("CI", "true")], false);
    }
}
