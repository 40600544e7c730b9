//! The text of a file, whatever program wrote it: how its letters are written, how its lines end, what separates its
//! cells.
//!
//! Spreadsheets save Windows-1252 or UTF-16 where people choose "CSV" or "Unicode text", and separate cells by semicolons
//! or tabs. The caller may name the encoding; without it a byte order mark says it, then the bytes themselves.

use std::borrow::Cow;

use csv::{ReaderBuilder, Trim};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{error::FileError, header};

/// What separates cells; of two that fit equally well the last is meant.
const SEPARATORS: [u8; 4] = [b'|', b'\t', b';', b','];

/// How workbooks begin, which are no text: of today's spreadsheets, and of those before.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];

/// A file as text.
#[derive(Debug)]
pub(super) struct Sheet {
    /// Without byte order mark, with `\n` at the ends of lines, from the headings on.
    pub(super) text: String,
    /// The name of its encoding.
    pub(super) encoding: &'static str,
    /// The line of the headings, from 1.
    pub(super) first_line: u32,
    separator: u8,
}

impl Sheet {
    /// `charset` is the encoding that the caller names, as `Content-Type` does.
    pub(super) fn read(bytes: &[u8], charset: Option<&str>) -> Result<Self, FileError> {
        if WORKBOOKS.iter().any(|start| bytes.starts_with(start)) {
            return Err(FileError::Workbook);
        }
        let (text, encoding) = decoded(bytes, charset.and_then(|name| Encoding::for_label(name.as_bytes())))?;
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
        let (separator, rest, first_line) = match declared_separator(&text) {
            Some((separator, rest)) => (separator, rest, 2),
            None => (likeliest_separator(&text), text.as_str(), 1),
        };
        Ok(Self { text: rest.to_owned(), encoding: encoding.name(), first_line, separator })
    }

    pub(super) fn reader(&self) -> csv::Reader<&[u8]> {
        reader(&self.text, self.separator)
    }
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().delimiter(separator).flexible(true).trim(Trim::All).from_reader(text.as_bytes())
}

fn decoded<'a>(
    bytes: &'a [u8],
    named: Option<&'static Encoding>,
) -> Result<(Cow<'a, str>, &'static Encoding), FileError> {
    let (encoding, mark_bytes) = Encoding::for_bom(bytes).unwrap_or_else(|| (named_or_likeliest(bytes, named), 0));
    let bytes = &bytes[mark_bytes..];
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    let text = text.ok_or_else(|| FileError::NotText { line: line_of(bytes, first_bad_byte(bytes)) })?;
    // Windows-1252 gives every byte a meaning; control characters say that it was none of text.
    let is_guessed = encoding == WINDOWS_1252 && named != Some(WINDOWS_1252);
    let odd = text.find(|sign: char| sign.is_control() && !matches!(sign, '\n' | '\r' | '\t'));
    match odd.filter(|_| is_guessed) {
        Some(at) => Err(FileError::NotText { line: line_of(text.as_bytes(), at) }),
        None => Ok((text, encoding)),
    }
}

fn named_or_likeliest(bytes: &[u8], named: Option<&'static Encoding>) -> &'static Encoding {
    match (named.filter(|named| *named != UTF_8), bytes) {
        (Some(named), _) => named,
        // A heading begins with a letter that both know.
        (None, [1..=255, 0, ..]) => UTF_16LE,
        (None, [0, 1..=255, ..]) => UTF_16BE,
        (None, _) if std::str::from_utf8(bytes).is_ok() => UTF_8,
        (None, _) => WINDOWS_1252,
    }
}

fn first_bad_byte(bytes: &[u8]) -> usize {
    std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), |_| 0)
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count()
}

/// `sep=;` on a line before the headings, by which spreadsheets are told, and what stands behind it.
fn declared_separator(text: &str) -> Option<(u8, &str)> {
    let (line, rest) = text.split_once('\n')?;
    let (name, signs) = line.trim_matches('"').split_at_checked(4)?;
    let first = *signs.as_bytes().first().filter(|sign| sign.is_ascii() && name.eq_ignore_ascii_case("sep="))?;
    signs.bytes().all(|sign| sign == first).then_some((first, rest))
}

/// The separator with which most headings mean something; where none does, the one that makes most cells.
fn likeliest_separator(text: &str) -> u8 {
    let fit = |separator: &u8| {
        let mut reader = reader(text, *separator);
        let headings = reader.headers().ok();
        headings.map(|headings| (headings.iter().filter(|heading| header::is_known(heading)).count(), headings.len()))
    };
    SEPARATORS.into_iter().max_by_key(fit).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(bytes: &[u8]) -> (String, &'static str, char) {
        let sheet = Sheet::read(bytes, None).expect("a text");
        (sheet.text, sheet.encoding, char::from(sheet.separator))
    }

    fn utf16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes_of).collect()
    }

    #[test]
    fn letters_are_read_however_they_are_written() {
        let text = "reference,customer_name\nA-1,Zoë Ørsted\n";
        let expected = |encoding| (text.to_owned(), encoding, ',');
        assert_eq!(sheet(text.as_bytes()), expected("UTF-8"));
        assert_eq!(sheet(format!("\u{feff}{text}").as_bytes()), expected("UTF-8"));
        assert_eq!(sheet(&utf16(text, u16::to_le_bytes)), expected("UTF-16LE"));
        assert_eq!(sheet(&utf16(&format!("\u{feff}{text}"), u16::to_be_bytes)), expected("UTF-16BE"));
        assert_eq!(sheet(&WINDOWS_1252.encode(text).0), expected("windows-1252"));
        let polish = b"reference,customer_name\nA-1,\xa3ukasz";
        let named = Sheet::read(polish, Some("windows-1250")).expect("a text");
        assert_eq!((named.encoding, named.text.ends_with("Łukasz")), ("windows-1250", true));
    }

    #[test]
    fn what_is_no_text_is_named() {
        assert_eq!(Sheet::read(b"PK\x03\x04rest", None).err(), Some(FileError::Workbook));
        assert_eq!(Sheet::read(b"reference\nA\xe9\x81", None).err(), Some(FileError::NotText { line: 2 }));
        assert_eq!(Sheet::read(b"\xef\xbb\xbfa\n\n\xff", None).err(), Some(FileError::NotText { line: 3 }));
    }

    #[test]
    fn the_separator_is_declared_or_the_one_that_makes_headings() {
        let separator = |text: &str| sheet(text.as_bytes()).2;
        assert_eq!(separator("reference;\"note, for the courier\";customer_name\n"), ';');
        assert_eq!(separator("reference\tcustomer_name, full; and so on\tphone\n"), '\t');
        assert_eq!(separator("\"reference\"|\"customer_name\"\n"), '|');
        assert_eq!(separator("what,ever;this,is\n"), ',');
        assert_eq!(sheet(b"sep=;\r\nwhat,ever;this\r\n"), ("what,ever;this\n".to_owned(), "UTF-8", ';'));
        assert_eq!(sheet(b"\"SEP=\t\"\nx\ty\n"), ("x\ty\n".to_owned(), "UTF-8", '\t'));
        assert_eq!(sheet(b"sep=\nreference\n").2, ',', "it declares nothing");
    }
}
