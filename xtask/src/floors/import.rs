//! The imports of a source file: what it names by `use` and by paths written out, without what only its tests name.

use crate::rust_text::{Kind, Token, tokens};

/// A path that a file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// As written, groups taken apart: `crate`, `order`, `rules`.
    pub(super) path: Vec<String>,
    /// The modules within the file that it stands in.
    pub(super) within: Vec<String>,
    pub(super) line: usize,
}

/// What a file says of its surroundings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) imports: Vec<Import>,
    /// Modules in files of their own that exist in tests only.
    pub(super) test_modules: Vec<String>,
}

/// Reads the imports of a file.
pub(super) fn parse(text: &str) -> Parsed {
    let mut parser = Parser { tokens: tokens(text), at: 0, braces: Vec::new(), parsed: Parsed::default() };
    while parser.step() {}
    parser.parsed
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// For every brace that is open, the module that it belongs to, if it is one's.
    braces: Vec<Option<String>>,
    parsed: Parsed,
}

impl Parser {
    fn step(&mut self) -> bool {
        let Some(token) = self.tokens.get(self.at) else { return false };
        match &token.kind {
            Kind::Sign('#') => self.attribute(),
            Kind::Sign('{') => self.open(None),
            Kind::Sign('}') => {
                self.braces.pop();
                self.at += 1;
            }
            Kind::Word(word) if word == "mod" => self.module(),
            Kind::Word(word) if word == "use" && !self.is_sign(1, '<') => self.use_item(),
            Kind::Word(_) => self.path(),
            _ => self.at += 1,
        }
        true
    }

    fn open(&mut self, module: Option<String>) {
        self.braces.push(module);
        self.at += 1;
    }

    /// An attribute; with `#[cfg(test)]` the item behind it is passed over, with `#![cfg(test)]` the whole file.
    fn attribute(&mut self) {
        let is_inner = self.is_sign(1, '!');
        let begin = self.at + 1 + usize::from(is_inner);
        let end = self.closing(begin);
        let is_test = is_cfg_test(&self.tokens[begin.min(self.tokens.len())..end]);
        self.at = end;
        if is_test && is_inner {
            self.at = self.tokens.len();
        } else if is_test {
            self.skip_item();
        }
    }

    /// `mod a;` and `mod a {`.
    fn module(&mut self) {
        let name = self.word(1);
        self.at += 1;
        if let Some(name) = name
            && self.is_sign(1, '{')
        {
            self.at += 1;
            self.open(Some(name));
        }
    }

    fn use_item(&mut self) {
        self.at += 1;
        self.use_tree(&[]);
    }

    /// One branch of a `use`, up to the comma, brace or semicolon that ends it.
    fn use_tree(&mut self, before: &[String]) {
        let mut path = before.to_vec();
        let line = self.line();
        while let Some(token) = self.tokens.get(self.at) {
            match &token.kind {
                Kind::Word(word) if word == "as" => self.at += 2,
                Kind::Word(word) if word == "self" && !before.is_empty() => self.at += 1,
                Kind::Word(word) => {
                    path.push(word.clone());
                    self.at += 1;
                }
                Kind::Sign('{') => return self.use_group(&path),
                Kind::PathSeparator | Kind::Sign('*') => self.at += 1,
                _ => break,
            }
        }
        self.import(path, line);
    }

    fn use_group(&mut self, before: &[String]) {
        self.at += 1;
        while self.at < self.tokens.len() && !self.is_sign(0, '}') {
            if self.is_sign(0, ',') {
                self.at += 1;
            } else {
                let began = self.at;
                self.use_tree(before);
                // Text that is not Rust must not hold us up.
                self.at = self.at.max(began + 1);
            }
        }
        self.at += 1;
    }

    /// A path in a signature or an expression.
    fn path(&mut self) {
        let (line, mut path) = (self.line(), Vec::new());
        let follows_another = self.at > 0 && self.tokens[self.at - 1].kind == Kind::PathSeparator;
        while let Some(word) = self.word(0) {
            path.push(word);
            self.at += 1;
            if self.tokens.get(self.at).is_none_or(|token| token.kind != Kind::PathSeparator) {
                break;
            }
            self.at += 1;
        }
        if path.len() > 1 && !follows_another {
            self.import(path, line);
        }
    }

    fn import(&mut self, path: Vec<String>, line: usize) {
        if !path.is_empty() {
            let within = self.braces.iter().flatten().cloned().collect();
            self.parsed.imports.push(Import { path, within, line });
        }
    }

    /// Passes over the item that a `#[cfg(test)]` belongs to.
    fn skip_item(&mut self) {
        while self.is_sign(0, '#') {
            self.at = self.closing(self.at + 1);
        }
        let words: Vec<_> = (0..4).map_while(|ahead| self.word(ahead)).collect();
        if let Some(position) = words.iter().position(|word| word == "mod")
            && self.is_sign(position + 2, ';')
        {
            self.parsed.test_modules.extend(self.word(position + 1));
        }
        let ends_with_brace =
            !words.iter().any(|word| ["use", "const", "static", "type", "let"].contains(&word.as_str()))
                || words.iter().any(|word| word == "fn");
        self.at = self.item_end(ends_with_brace);
    }

    /// The place behind the item that begins here.
    fn item_end(&self, ends_with_brace: bool) -> usize {
        let mut at = self.at;
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                Kind::Sign(';' | ',') => return at + 1,
                // The end of what the item stands in.
                Kind::Sign('}') => return at,
                Kind::Sign('{') if ends_with_brace => return self.closing(at),
                Kind::Sign('{' | '(' | '[') => at = self.closing(at),
                _ => at += 1,
            }
        }
        at
    }

    /// The place behind the bracket that closes the one at `from`.
    fn closing(&self, from: usize) -> usize {
        let mut depth = 0_u32;
        for (at, token) in self.tokens.iter().enumerate().skip(from) {
            match token.kind {
                Kind::Sign('(' | '[' | '{') => depth += 1,
                Kind::Sign(')' | ']' | '}') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
        }
        self.tokens.len()
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |token| token.line)
    }

    fn word(&self, ahead: usize) -> Option<String> {
        match &self.tokens.get(self.at + ahead)?.kind {
            Kind::Word(word) => Some(word.clone()),
            _ => None,
        }
    }

    fn is_sign(&self, ahead: usize, sign: char) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| token.kind == Kind::Sign(sign))
    }
}

/// Whether an attribute's tokens, `[` first, are `cfg(test)` or `cfg(all(test, …))`.
fn is_cfg_test(attribute: &[Token]) -> bool {
    let words: Vec<_> = attribute
        .iter()
        .filter_map(|token| match &token.kind {
            Kind::Word(word) => Some(word.as_str()),
            _ => None,
        })
        .collect();
    matches!(words[..], ["cfg", "test"] | ["cfg", "all", "test", ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let mut paths: Vec<_> = parse(text).imports.iter().map(|import| import.path.join("::")).collect();
        paths.dedup();
        paths
    }

    #[test]
    fn groups_are_taken_apart() {
        let text = "pub(crate) use crate::{self, order::{self, rules::{Rule as R, *}}, tracker::Tracker};";
        assert_eq!(
            paths(text),
            ["crate", "crate::order", "crate::order::rules::Rule", "crate::order::rules", "crate::tracker::Tracker"]
        );
        assert_eq!(
            paths("use super::super::a; use self::b::C; use d::E as _;"),
            ["super::super::a", "self::b::C", "d::E"]
        );
    }

    #[test]
    fn paths_written_out_count_too() {
        let text = "fn f(a: &crate::a::B) -> impl Fn() + use<'_> { super::c::d::<u8>(); e.f(Vec::new()) }";
        assert_eq!(paths(text), ["crate::a::B", "super::c::d", "Vec::new"]);
    }

    #[test]
    fn what_only_tests_name_does_not_count() {
        let text = "
            #[cfg(test)] mod tests { use crate::a; fn f() { crate::b::c(); } }
            #[cfg(test)]
            #[allow(dead_code)]
            pub(super) fn helper(x: [u8; 3]) -> crate::d::E { crate::f::g() }
            #[cfg(test)] use crate::{h, i};
            #[cfg(all(test, feature = \"x\"))] pub mod more;
            #[cfg(any(test, feature = \"x\"))] use crate::kept;
            struct S { #[cfg(test)] seen: crate::j::K, other: crate::l::M }
        ";
        assert_eq!(paths(text), ["crate::kept", "crate::l::M"]);
        assert_eq!(parse(text).test_modules, ["more"]);
        assert_eq!(paths("#![cfg(test)] use crate::a;"), Vec::<String>::new());
    }

    #[test]
    fn a_module_inside_the_file_is_remembered() {
        let parsed = parse("mod inner { use super::a; }\nuse super::b;");
        let within: Vec<_> = parsed.imports.iter().map(|import| (import.within.join("::"), import.line)).collect();
        assert_eq!(within, [("inner".to_owned(), 1), (String::new(), 2)]);
    }
}
