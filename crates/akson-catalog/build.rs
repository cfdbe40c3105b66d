//! Embeds `kinds/*.toml`: adding a kind is adding one file. It reads nothing of the files; that is `kind/load.rs`.
#![allow(clippy::disallowed_methods, reason = "the build script lists a folder; the crate itself does no I/O")]

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let root = env::var("CARGO_MANIFEST_DIR")?;
    let folder = Path::new(&root).join("kinds");
    println!("cargo::rerun-if-changed=kinds");

    let mut names = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().and_then(|name| name.to_str()).ok_or("the name of a kind file is not UTF-8")?;
            names.push(name.to_owned());
        }
    }
    names.sort();

    let mut code = String::from("&[\n");
    for name in names {
        let path = folder.join(&name);
        println!("cargo::rerun-if-changed={}", path.display());
        writeln!(code, "    KindSource {{ name: {name:?}, text: include_str!({:?}) }},", path.display().to_string())?;
    }
    code.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("kinds.rs"), code)?;
    Ok(())
}
