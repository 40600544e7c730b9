//! Rust text as words, signs and strings, without comments and spaces: as much as it takes to find imports and queries.

/// A word or a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword; raw names come without their `r#`.
    Word(String),
    /// A string as it is written, with its quotes and whatever stands before them.
    Text(String),
    /// `::`
    PathSeparator,
    /// Any other sign.
    Sign(char),
}

/// One of them, and its line, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) line: usize,
}

/// The tokens of a source file.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text, line: 1, tokens: Vec::new() };
    while lexer.step() {}
    lexer.tokens
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    /// Takes the next thing off the text; false at its end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(block_comment(self.rest));
        } else if let Some(length) = string(self.rest) {
            self.push(Kind::Text(self.rest[..length].to_owned()));
            self.skip(length);
        } else if first == '\'' {
            self.skip(character_or_lifetime(self.rest));
        } else if first == '_' || first.is_alphanumeric() {
            self.word();
        } else if self.rest.starts_with("::") {
            self.push(Kind::PathSeparator);
            self.skip(2);
        } else {
            if !first.is_whitespace() {
                self.push(Kind::Sign(first));
            }
            self.skip(first.len_utf8());
        }
        true
    }

    fn word(&mut self) {
        let raw = if self.rest.starts_with("r#") { 2 } else { 0 };
        let name = &self.rest[raw..];
        let length = name.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(name.len());
        self.push(Kind::Word(name[..length].to_owned()));
        self.skip(raw + length);
    }

    fn push(&mut self, kind: Kind) {
        self.tokens.push(Token { kind, line: self.line });
    }

    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at(length);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }
}

/// The length of the block comment at the beginning of `text`. They nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of the string at the beginning of `text`, if there is one: plain, of bytes or of C, raw or not.
fn string(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let rest = text.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with('"') || (prefix.ends_with('r') && is_raw_opening(rest)))
    })?;
    let rest = &text[prefix.len()..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let content = prefix.len() + hashes + 1;
    if prefix.ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(text[content..].find(&end).map_or(text.len(), |found| content + found + end.len()));
    }
    Some(content + escaped_until(&text[content..], b'"'))
}

/// `#"` or `##"`, but not `#name`.
fn is_raw_opening(text: &str) -> bool {
    text.starts_with('#') && text.trim_start_matches('#').starts_with('"')
}

/// The length of `'a'` or `'\n'`, or of the quote alone where it begins a lifetime.
fn character_or_lifetime(text: &str) -> usize {
    let mut characters = text[1..].chars();
    match (characters.next(), characters.next()) {
        (Some('\\'), _) => 1 + escaped_until(&text[1..], b'\''),
        (Some(one), Some('\'')) => one.len_utf8() + 2,
        _ => 1,
    }
}

/// The length up to and with the first `end` that no backslash stands before.
fn escaped_until(text: &str, end: u8) -> usize {
    let (bytes, mut at) = (text.as_bytes(), 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == end => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let shown = tokens(text).into_iter().map(|token| match token.kind {
            Kind::Word(word) => word,
            Kind::Text(_) => "text".to_owned(),
            Kind::PathSeparator => "::".to_owned(),
            Kind::Sign(sign) => sign.to_string(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_are_not_there_and_strings_are_one_token() {
        assert_eq!(shown("a // use crate::b\n/* use /* crate::c */ */ d"), "a d");
        assert_eq!(
            shown(r##"a("\" crate::b", r#"crate::"c""#, b"crate::d", 'x', '\'', '"') e"##),
            "a ( text , text , text , , , ) e"
        );
        assert_eq!(shown("fn f<'a>(x: &'a str)"), "fn f < a > ( x : & a str )");
        assert_eq!(shown("r#type::x"), "type :: x");
    }

    #[test]
    fn lines_are_counted_through_everything() {
        let tokens = tokens("/* \n */ a\n\"\n\n\" b");
        assert_eq!(tokens.iter().map(|token| token.line).collect::<Vec<_>>(), [2, 3, 5]);
    }
}
