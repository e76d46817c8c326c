//! `docs/security.md`: each of the rules has code that enforces it and tests that break it, and what is named there
//! exists. In return every broken fixture stands in its rule's row.

use std::collections::BTreeSet;
use std::fs;

use sextant_fixtures::{broken::cases, repository};

fn page() -> String {
    fs::read_to_string(repository().join("docs/security.md")).expect("docs/security.md")
}

/// Number, enforcing code and breaking tests of each row.
fn rows(page: &str) -> Vec<(u8, String, String)> {
    page.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
            let [number, _rule, code, tests] = cells[..] else { return None };
            Some((number.parse().ok()?, code.to_owned(), tests.to_owned()))
        })
        .collect()
}

/// What stands between two marks.
fn marked(text: &str, mark: char) -> Vec<&str> {
    text.split(mark).skip(1).step_by(2).collect()
}

/// `path` or `path::function`, from the root of the repository.
fn assert_exists(reference: &str) {
    let (path, function) =
        reference.split_once("::").map_or((reference, None), |(path, name)| (path, Some(name)));
    let text = fs::read_to_string(repository().join(path)).unwrap_or_else(|e| panic!("{reference}: {e}"));
    if let Some(name) = function {
        let defined =
            [format!("fn {name}("), format!("fn {name}<")].iter().any(|text_of| text.contains(text_of));
        assert!(defined, "{reference}: no such function");
    }
}

#[test]
fn every_rule_has_code_and_tests_that_exist() {
    let page = page();
    let rows = rows(&page);
    let numbers: Vec<u8> = rows.iter().map(|(number, ..)| *number).collect();
    // 19 and 20 are rules of contracts alone.
    assert_eq!(numbers, (1..=18).chain(21..=34).collect::<Vec<u8>>());
    for (number, code, tests) in &rows {
        assert!(!marked(code, '`').is_empty(), "rule {number}: no code");
        assert!(!marked(tests, '`').is_empty() || !marked(tests, '*').is_empty(), "rule {number}: no test");
        marked(code, '`').into_iter().chain(marked(tests, '`')).for_each(assert_exists);
    }
    // And outside the table.
    let is_file = |text: &&str| {
        text.contains('/') && (text.contains("::") || text.ends_with(".rs") || text.ends_with(".sh"))
    };
    let text = page.lines().filter(|line| !line.starts_with('|')).collect::<Vec<_>>().join("\n");
    marked(&text, '`')
        .into_iter()
        .filter(is_file)
        .filter(|text| !text.starts_with("specs/"))
        .for_each(assert_exists);
}

#[test]
fn every_broken_fixture_stands_in_its_rules_row() {
    let page = page();
    let named: BTreeSet<(u8, String)> = rows(&page)
        .into_iter()
        .flat_map(|(number, _, tests)| {
            marked(&tests, '*').into_iter().map(move |name| (number, name.to_owned())).collect::<Vec<_>>()
        })
        .collect();
    let there: BTreeSet<(u8, String)> =
        cases().into_iter().map(|case| (case.rule, case.name.to_owned())).collect();
    let missing: Vec<_> = there.difference(&named).collect();
    let invented: Vec<_> = named.difference(&there).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "not in the table: {missing:?}; not a case: {invented:?}"
    );
}
