//! The line on which a row of a CSV file begins, for messages to people.
//!
//! A row may span lines, because cells may hold line breaks.

/// Counts lines. The CSV reader's own count is one behind after empty lines.
pub(super) struct Lines<'a> {
    text: &'a str,
    counted: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    /// Lines of a text that begins on line `first`; all of them end with `\n`.
    pub(super) const fn of(text: &'a str, first: u32) -> Self {
        Self { text, counted: 0, line: first }
    }

    /// The line of the first character at or after `byte` that is no line ending. `byte` must not decrease from call to
    /// call.
    pub(super) fn at(&mut self, byte: usize) -> u32 {
        let rest = self.text.as_bytes().get(byte..).unwrap_or_default();
        let skipped = rest.iter().take_while(|byte| **byte == b'\n').count();
        let between = self.text.as_bytes().get(self.counted..byte + skipped).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u32;
        self.counted = byte + skipped;
        self.line
    }
}
