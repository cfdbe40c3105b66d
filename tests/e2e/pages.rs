//! Pages are true: the failing example of a code raises that code, the mended one passes, and so does every snippet of the book.

use akson_diagnostics::codes;
use akson_tests::Folder;

/// The fenced blocks of a page whose info string is `info`.
fn blocks(page: &str, info: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in page.lines() {
        match &mut open {
            None if line.trim() == format!("```{info}") => open = Some(String::new()),
            Some(text) if line.trim() == "```" => {
                found.push(std::mem::take(text));
                open = None;
            }
            Some(text) => {
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    found
}

#[test]
fn every_page_is_true() {
    let mut wrong = Vec::new();
    for code in codes::all() {
        let page = codes::page(code).expect("a listed code has a page");
        for text in blocks(page, "aks,fails") {
            let folder = Folder::with(&text);
            let found = folder.akson(&["check", "--format", "json"]).json();
            let raised: Vec<&str> =
                found["diagnostics"].as_array().unwrap().iter().filter_map(|found| found["code"].as_str()).collect();
            if !raised.contains(&code.to_string().as_str()) {
                wrong.push(format!("{code}: the failing example raises {raised:?}"));
            }
        }
        for text in blocks(page, "aks,works") {
            let ran = Folder::with(&text).akson(&["check"]);
            if ran.code != 0 {
                wrong.push(format!("{code}: the mended example fails\n{}", ran.stderr));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_snippet_of_the_book_checks() {
    let mut wrong = Vec::new();
    let mut folders = vec![akson_tests::root().join("book/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(page) = std::fs::read_to_string(&path) else { continue };
            for text in blocks(&page, "aks") {
                let ran = Folder::with(&text).akson(&["check"]);
                if ran.code != 0 {
                    wrong.push(format!("{}\n{text}\n{}", path.display(), ran.stderr));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
