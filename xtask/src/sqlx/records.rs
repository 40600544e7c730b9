//! Compares the queries in the code with the records in `.sqlx`, by hash.
//!
//! sqlx names a record after the SHA-256 of the query's text. Building offline fails on a query without a record, but a
//! record that no query uses any more stays unnoticed, as does one whose query only other features compile.

use crate::rust_text::{Kind, Token, tokens};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use xtask_support::failure::Failure;
use xtask_support::{hash, progress};

/// The parts of the server's crate that may hold queries.
const SOURCES: [&str; 3] = ["server/src", "server/tests", "server/benches"];

/// Macros whose argument is a query.
const MACROS: [&str; 6] =
    ["query", "query_as", "query_scalar", "query_unchecked", "query_as_unchecked", "query_scalar_unchecked"];

/// Refuses queries without a record and records without a query.
///
/// # Errors
/// With all of them.
pub(super) fn check(repository: &Path) -> Result<()> {
    let queries = queries(repository)?;
    let records = records(&repository.join(".sqlx"))?;
    let complaints = complaints(&queries, &records);
    if complaints.is_empty() {
        progress::note(&format!("{} queries, each with its record", queries.len()));
        return Ok(());
    }
    let reason = format!(".sqlx does not fit the code:\n  {}", complaints.join("\n  "));
    bail!(Failure::new(reason, "run `cargo xtask sqlx` and commit .sqlx with the code"))
}

/// The places of queries by the hash of their text.
type Queries = BTreeMap<String, String>;

fn complaints(queries: &Queries, records: &[String]) -> Vec<String> {
    let missing = queries.iter().filter(|(hash, _)| !records.contains(hash));
    let missing = missing.map(|(hash, place)| format!("{place}: this query has no record ({hash})"));
    let unused = records.iter().filter(|record| !queries.contains_key(*record));
    missing.chain(unused.map(|record| format!(".sqlx/query-{record}.json: no query uses this record"))).collect()
}

fn queries(repository: &Path) -> Result<Queries> {
    let mut queries = Queries::new();
    for file in rust_files(repository)? {
        let shown = file.strip_prefix(repository).unwrap_or(&file).display().to_string();
        let text = fs::read_to_string(&file).with_context(|| format!("reading {shown}"))?;
        for (line, query) in queries_in(&text).with_context(|| format!("the queries of {shown}"))? {
            queries.insert(hash::of(query.as_bytes()), format!("{shown}:{line}"));
        }
    }
    Ok(queries)
}

fn rust_files(repository: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for source in SOURCES {
        files.extend(hash::files_below(&repository.join(source))?);
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    Ok(files)
}

/// The hashes that records are named after, each of which must be that of the query inside.
fn records(folder: &Path) -> Result<Vec<String>> {
    let mut hashes = Vec::new();
    for file in hash::files_below(folder)? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let hash = name.strip_prefix("query-").with_context(|| format!("{name} is no record of a query"))?;
        let text = fs::read_to_string(&file).with_context(|| format!("reading {name}"))?;
        let record: serde_json::Value = serde_json::from_str(&text).with_context(|| format!("understanding {name}"))?;
        let query = record["query"].as_str().with_context(|| format!("{name} has no query"))?;
        ensure!(hash::of(query.as_bytes()) == hash, "{name} holds another query than it says");
        hashes.push(hash.to_owned());
    }
    Ok(hashes)
}

/// The lines and texts of all queries in a source file.
fn queries_in(text: &str) -> Result<Vec<(usize, String)>> {
    let tokens = tokens(text);
    let mut queries = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Kind::Word(word) = &token.kind else { continue };
        if MACROS.contains(&word.as_str()) && is_sign(&tokens, at + 1, '!') && is_sign(&tokens, at + 2, '(') {
            let query = first_text(&tokens[at + 3..]).with_context(|| format!("line {}", token.line))?;
            queries.push((token.line, query));
        }
    }
    Ok(queries)
}

fn is_sign(tokens: &[Token], at: usize, sign: char) -> bool {
    tokens.get(at).is_some_and(|token| token.kind == Kind::Sign(sign))
}

/// The query of a macro's arguments: a string, or strings joined by `+`, behind the type of a row if there is one.
fn first_text(arguments: &[Token]) -> Result<String> {
    let first = arguments.iter().position(|token| matches!(token.kind, Kind::Text(_) | Kind::Sign(')')));
    let mut rest = &arguments[first.unwrap_or(arguments.len())..];
    let mut query = String::new();
    while let Some(Token { kind: Kind::Text(literal), .. }) = rest.first() {
        query.push_str(&value(literal)?);
        rest = if is_sign(rest, 1, '+') { &rest[2..] } else { &[] };
    }
    ensure!(!query.is_empty(), "a query that is not written as a string here");
    Ok(query)
}

/// What a string is, read from how it is written.
fn value(literal: &str) -> Result<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        let quoted = raw.trim_matches('#');
        return Ok(quoted[1..quoted.len() - 1].to_owned());
    }
    let inside = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).context("a string of bytes")?;
    let mut value = String::new();
    let mut rest = inside.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            value.push(next);
            continue;
        }
        match rest.next().context("a string that ends in the middle")? {
            'n' => value.push('\n'),
            't' => value.push('\t'),
            // A line that goes on below: it and the spaces before the next word are not there.
            '\n' => rest = rest.as_str().trim_start().chars(),
            quoted @ ('"' | '\'' | '\\') => value.push(quoted),
            other => bail!("the escape \\{other}"),
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_as_the_compiler_reads_them() {
        let text = r####"
            // sqlx::query!("in a comment")
            sqlx::query!("select 1 \
                          from a where b = \"c\"", d("not a query"));
            query_as!(Row::<'a>, r#"select "x!" from y"#)
            sqlx::query_scalar!("select " + "2", one)
            sqlx::query("not checked by the macro")
        "####;
        let queries = queries_in(text).expect("three queries");
        let expected = [(3, "select 1 from a where b = \"c\""), (5, "select \"x!\" from y"), (6, "select 2")];
        assert_eq!(queries, expected.map(|(line, query)| (line, query.to_owned())));
        assert!(queries_in("sqlx::query!(SOMEWHERE_ELSE)").is_err());
    }

    #[test]
    fn a_query_without_a_record_and_a_record_without_a_query_are_named() {
        let queries = Queries::from([("11".to_owned(), "a.rs:1".to_owned()), ("22".to_owned(), "b.rs:7".to_owned())]);
        let records = ["11", "33"].map(str::to_owned);
        let expected = ["b.rs:7: this query has no record (22)", ".sqlx/query-33.json: no query uses this record"];
        assert_eq!(complaints(&queries, &records), expected);
    }
}
