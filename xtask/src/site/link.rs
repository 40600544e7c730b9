//! Lets modules name one another by plain URLs while browsers see hashed ones.
//!
//! A hashed URL inside a module changes that module's own hash, so a module is finished only after everything it names.
//! Only whole quoted URLs count: comments and longer URLs that begin alike are left alone. So is a property's name: in
//! wasm-bindgen's script that is the name by which the WASM asks for the module, which no hash may change.

use anyhow::{Result, bail};
use std::collections::BTreeMap;
use xtask_support::failure::Failure;
use xtask_support::hash;

/// Where the server serves the site.
pub(super) const BASE_URL: &str = "/assets/";

/// Plain URL → the URL that browsers shall ask for.
pub(super) type Known = BTreeMap<String, String>;

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// A text file of ours that may name others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Its place in the site, without a hash: `js/map.js`.
    pub place: String,
    /// Its content, naming others by plain URLs.
    pub text: String,
}

impl Source {
    /// A source for `place`.
    pub(super) fn new(place: &str, text: impl Into<String>) -> Self {
        Self { place: place.to_owned(), text: text.into() }
    }

    /// The URL by which other modules name it.
    pub(super) fn plain_url(&self) -> String {
        format!("{BASE_URL}{}", self.place)
    }

    /// Its place with the hash of its present text.
    fn hashed_place(&self) -> String {
        let (folder, name) = self.place.rsplit_once('/').unwrap_or(("", &self.place));
        format!("{folder}/{}", hash::name(name, self.text.as_bytes()))
    }
}

/// A source that names only final URLs, and its own final place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Linked {
    /// What it was, with its final text.
    pub source: Source,
    /// Its final place in the site: `js/map.1a2b3c4d.js`.
    pub place: String,
}

/// Puts final URLs for plain ones in `sources`, each after those it names.
///
/// # Errors
/// When modules name one another in a circle, or name something that is not in the site.
pub(super) fn link(sources: Vec<Source>, known: &Known) -> Result<Vec<Linked>> {
    let mut known = known.clone();
    let mut waiting = sources;
    let mut finished = Vec::new();
    while !waiting.is_empty() {
        let (ready, rest) = split_ready(waiting);
        if ready.is_empty() {
            bail!(circle(&rest));
        }
        for mut source in ready {
            source.text = replace_all(&source.text, &known);
            refuse_unknown(&source, &known)?;
            let place = source.hashed_place();
            known.insert(source.plain_url(), format!("{BASE_URL}{place}"));
            finished.push(Linked { source, place });
        }
        waiting = rest;
    }
    Ok(finished)
}

fn split_ready(waiting: Vec<Source>) -> (Vec<Source>, Vec<Source>) {
    let urls: Vec<String> = waiting.iter().map(Source::plain_url).collect();
    waiting.into_iter().partition(|source| !urls.iter().any(|url| names(&source.text, url)))
}

fn circle(sources: &[Source]) -> Failure {
    let places: Vec<&str> = sources.iter().map(|source| source.place.as_str()).collect();
    Failure::new(
        format!("these files name one another in a circle: {}", places.join(", ")),
        "pass one of the URLs in as an argument",
    )
}

fn refuse_unknown(source: &Source, known: &Known) -> Result<()> {
    for url in quoted_urls(&source.text) {
        if !known.values().any(|final_url| final_url == url) {
            bail!(Failure::new(
                format!("{} names {url}, which is not in the site", source.place),
                "see the plain URLs in xtask/src/site/vendor.rs and the files of frontend/js, frontend/style and static",
            ));
        }
    }
    Ok(())
}

fn names(text: &str, url: &str) -> bool {
    QUOTES.iter().any(|quote| text.contains(&format!("{quote}{url}{quote}")))
}

fn replace_all(text: &str, known: &Known) -> String {
    let mut text = text.to_owned();
    for (plain, final_url) in known {
        for quote in QUOTES {
            let (from, to) = (format!("{quote}{plain}{quote}"), format!("{quote}{final_url}{quote}"));
            text = text.replace(&from, &to).replace(&format!("{to}:"), &format!("{from}:"));
        }
    }
    text
}

fn quoted_urls(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(BASE_URL).filter_map(|(start, _)| {
        let quote = text[..start].chars().next_back()?;
        let rest = &text[start..];
        let end = rest.find(quote)?;
        let is_property = rest[end + 1..].starts_with(':');
        (QUOTES.contains(&quote) && !is_property).then_some(&rest[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(sources: &[(&str, &str)], known: &[(&str, &str)]) -> Result<Vec<Linked>> {
        let sources = sources.iter().map(|(place, text)| Source::new(place, *text));
        let known = known.iter().map(|(a, b)| (a.to_string(), b.to_string()));
        link(sources.collect(), &known.collect())
    }

    #[test]
    fn a_module_names_the_hashed_url_of_the_one_it_imports() {
        let found =
            linked(&[("pkg/track.js", "import '/assets/js/map.js'"), ("js/map.js", "export const map = 1")], &[])
                .expect("the modules form a chain");
        assert_eq!(found[0].source.place, "js/map.js");
        let expected = format!("import '/assets/{}'", found[0].place);
        assert_eq!(found[1].source.text, expected);
    }

    #[test]
    fn a_change_deep_down_changes_the_names_above_it() {
        let track_when_map_is = |map: &str| {
            let sources = [("pkg/track.js", "import '/assets/js/map.js'"), ("js/map.js", map)];
            let found = linked(&sources, &[]).expect("the modules form a chain");
            found[1].place.clone()
        };
        assert_ne!(track_when_map_is("1"), track_when_map_is("2"));
    }

    #[test]
    fn only_whole_quoted_urls_are_replaced() {
        let known = Known::from([("/assets/js/map.js".into(), "/assets/js/map.1.js".into())]);
        for (text, expected) in [
            (r#"import("/assets/js/map.js")"#, r#"import("/assets/js/map.1.js")"#),
            ("import('/assets/js/map.js')", "import('/assets/js/map.1.js')"),
            ("// see /assets/js/map.js", "// see /assets/js/map.js"),
            (r#""/assets/js/map.json""#, r#""/assets/js/map.json""#),
        ] {
            assert_eq!(replace_all(text, &known), expected);
        }
    }

    #[test]
    fn the_name_by_which_wasm_asks_for_a_module_stays() {
        let script = "import * as import1 from \"/assets/js/map.js\"\nreturn { \"/assets/js/map.js\": import1 };";
        let found = linked(&[("pkg/track.js", script), ("js/map.js", "export const map = 1")], &[])
            .expect("the modules form a chain");
        let place = &found[0].place;
        let expected =
            format!("import * as import1 from \"/assets/{place}\"\nreturn {{ \"/assets/js/map.js\": import1 }};");
        assert_eq!(found[1].source.text, expected);
    }

    #[test]
    fn a_url_that_leads_nowhere_is_refused_by_name() {
        let error = linked(&[("js/map.js", "import('/assets/js/mpa.js')")], &[]).expect_err("there is no such file");
        assert_eq!(error.to_string(), "js/map.js names /assets/js/mpa.js, which is not in the site");
    }

    #[test]
    fn a_circle_is_refused_by_name() {
        let error = linked(&[("js/a.js", "import '/assets/js/b.js'"), ("js/b.js", "import '/assets/js/a.js'")], &[])
            .expect_err("neither can be hashed first");
        assert_eq!(error.to_string(), "these files name one another in a circle: js/a.js, js/b.js");
    }

    #[test]
    fn wasm_bindgens_own_name_for_its_wasm_is_replaced_too() {
        let found = linked(
            &[("pkg/track.js", "new URL('track_bg.wasm', import.meta.url)")],
            &[("track_bg.wasm", "track_bg.1a2b3c4d.wasm")],
        )
        .expect("nothing else is named");
        assert_eq!(found[0].source.text, "new URL('track_bg.1a2b3c4d.wasm', import.meta.url)");
    }
}
