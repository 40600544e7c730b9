//! The line on which a row of a CSV file begins, for messages to people.
//!
//! A row may span lines, because cells may hold line breaks.

/// Counts lines. The CSV reader's own count is one behind after `\r\n`, and after empty lines.
pub(super) struct Lines<'a> {
    text: &'a str,
    counted: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    pub(super) const fn of(text: &'a str) -> Self {
        Self { text, counted: 0, line: 1 }
    }

    /// The line of the first character at or after `byte` that is no line ending. `byte` must not decrease from call to
    /// call.
    pub(super) fn at(&mut self, byte: usize) -> u32 {
        let rest = self.text.as_bytes().get(byte..).unwrap_or_default();
        let skipped = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let between = self.text.as_bytes().get(self.counted..byte + skipped).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u32;
        self.counted = byte + skipped;
        self.line
    }
}
