//! Bytes of a file to text. Not the reading of the file, and not what the text says.

use akson_diagnostics::{Diagnostic, SafeText};

use crate::codes::{NOT_TEXT, TOO_LARGE};
use crate::limits::MAX_BYTES;

/// The text in the bytes of a file that people know as `name`.
///
/// # Errors
/// A diagnostic without a place (there is no text to point into) if the file is larger than [`MAX_BYTES`] or is not
/// UTF-8.
pub fn decode(name: &str, bytes: &[u8]) -> Result<String, Box<Diagnostic>> {
    let shown = SafeText(name);
    if bytes.len() > MAX_BYTES {
        return Err(Box::new(too_large(name, bytes.len())));
    }
    // Every second byte zero: Latin text as UTF-16, which is UTF-8 too, of NUL characters.
    let start = bytes.get(..bytes.len().min(64)).unwrap_or_default();
    let zeros = |odd: usize| start.len() >= 8 && start.iter().skip(odd).step_by(2).all(|byte| *byte == 0);
    if zeros(0) || zeros(1) && !start.iter().all(|byte| *byte == 0) {
        let message = format!("`{shown}` is UTF-16, not UTF-8");
        return Err(Box::new(Diagnostic::error(NOT_TEXT, message).help("save it as UTF-8")));
    }
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text.to_owned()),
        Err(error) => error,
    };
    let at = error.valid_up_to();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let message = format!("`{shown}` is UTF-16, not UTF-8");
        return Err(Box::new(Diagnostic::error(NOT_TEXT, message).help("save it as UTF-8")));
    }
    let before = bytes.get(..at).unwrap_or_default();
    if before.contains(&0) {
        let message = format!("`{shown}` is a binary file");
        return Err(Box::new(
            Diagnostic::error(NOT_TEXT, message)
                .note(format!("byte {at} is no UTF-8, and there are zero bytes before it"))
                .help("give this name to a text file, or move the file out of the folder"),
        ));
    }
    let line = before.split(|byte| *byte == b'\n').count();
    let byte = bytes.get(at).copied().unwrap_or(0);
    let cut = error.error_len().is_none();
    let what =
        if cut { "it ends in the middle of a character".to_owned() } else { format!("byte 0x{byte:02x} is no UTF-8") };
    Err(Box::new(
        Diagnostic::error(NOT_TEXT, format!("`{shown}` is not UTF-8 text"))
            .note(format!("{what}, at offset {at} (line {line})"))
            .help("save it as UTF-8"),
    ))
}

/// The file is too large. Also said of a text that did not come through [`decode`].
pub(crate) fn too_large(name: &str, bytes: usize) -> Diagnostic {
    let limit = MAX_BYTES / (1024 * 1024);
    Diagnostic::error(TOO_LARGE, format!("`{}` is larger than {limit} MiB", SafeText(name)))
        .note(format!("it has {bytes} bytes"))
        .help("divide it: all files of a folder are one configuration")
}
