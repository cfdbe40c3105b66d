//! Pages of lists.

use akson_emulator::Options;
use serde_json::{Value, json};

use crate::support::Azure;

async fn walk(azure: &Azure, first: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(url) = next {
        let page = azure.get(&url).await;
        pages.push(
            page["value"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect(),
        );
        next = page.get("nextLink").and_then(Value::as_str).map(str::to_owned);
    }
    pages
}

#[tokio::test(start_paused = true)]
async fn a_full_page_links_to_the_next_even_if_that_is_empty() {
    let azure = Azure::open(Options { page_size: 2, ..Options::default() }).await;
    for name in ["a", "b", "c", "d"] {
        azure.check(&format!("PUT ~/resourceGroups/{name}"), json!({ "location": "westeurope" }), "201").await;
    }
    assert_eq!(walk(&azure, "~/resourcegroups").await, [vec!["a", "b"], vec!["c", "d"], vec![]]);
    assert_eq!(
        walk(&azure, "~/resourcegroups?$top=3&$filter=name ne 'b'".replace(' ', "%20").as_str()).await,
        [vec!["a", "c"], vec!["d"]]
    );
    azure.check("GET ~/resourcegroups?$skiptoken=%25", Value::Null, "400 InvalidSkipToken").await;
}

#[tokio::test(start_paused = true)]
async fn a_list_survives_changes_between_its_pages() {
    let azure = Azure::open(Options { page_size: 1, ..Options::default() }).await;
    for name in ["a", "b", "c"] {
        azure.group(name).await;
    }
    let first = azure.get("~/resourcegroups").await;
    azure.emulator.god().delete_object(&format!("{}/resourceGroups/a", azure.subscription)).unwrap();
    let rest = walk(&azure, first["nextLink"].as_str().unwrap()).await;
    assert_eq!(rest, [vec!["b"], vec!["c"], vec![]]);
}
