//! Lists `codes/*.md` into a table that `src/codes.rs` includes. Not the checking of what the pages say.
#![allow(clippy::disallowed_methods, reason = "a build script reads files; the crate itself does not")]

use std::error::Error;
use std::fmt::Write as _;
use std::{env, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=codes");
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("codes");
    let mut pages = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name
            .strip_prefix("AKS")
            .and_then(|rest| rest.strip_suffix(".md"))
            .filter(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or_else(|| format!("{}: a page is called AKSnnnn.md", path.display()))?;
        pages.push((number.parse::<u16>()?, path));
    }
    pages.sort();
    let mut table = String::from("static PAGES: &[(u16, &str)] = &[\n");
    for (number, path) in pages {
        let path = path.to_str().ok_or("the path of the source tree is not UTF-8")?;
        writeln!(table, "    ({number}, include_str!({path:?})),")?;
    }
    table.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("pages.rs"), table)?;
    Ok(())
}
