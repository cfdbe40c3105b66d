//! The formatter: pairs `NAME.in.aks` and `NAME.out.aks`, and what holds for every file of the corpus.

use akson_diagnostics::{Diagnostics, SourceMap};

use crate::corpus::{files, shown};

fn format(text: &str) -> Result<String, Diagnostics> {
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", text);
    akson_parser::format(&sources, id)
}

#[test]
fn inputs_become_outputs() {
    for path in files("format").into_iter().filter(|path| path.to_string_lossy().ends_with(".in.aks")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let out_path = path.to_string_lossy().replace(".in.aks", ".out.aks");
        let formatted = format(&text).unwrap();
        // AKSON_BLESS=1 writes what comes out, to be reviewed
        if std::env::var_os("AKSON_BLESS").is_some() {
            std::fs::write(&out_path, &formatted).unwrap();
        }
        assert_eq!(formatted, std::fs::read_to_string(&out_path).unwrap(), "{}", path.display());
        assert_eq!(format(&formatted).unwrap(), formatted, "{} twice", path.display());
    }
}

#[test]
fn sound_files_keep_their_tree() {
    for path in files("ok") {
        let text = std::fs::read_to_string(&path).unwrap();
        let formatted = format(&text).unwrap();
        assert_eq!(shown(&formatted), shown(&text), "{}:\n{formatted}", path.display());
        assert_eq!(format(&formatted).unwrap(), formatted, "{} twice", path.display());
    }
}

#[test]
fn broken_files_are_refused() {
    for path in files("err") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(format(&text).is_err_and(|diagnostics| diagnostics.has_errors()), "{}", path.display());
    }
}
