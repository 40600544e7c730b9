//! The import of a file of orders: chosen, previewed row by row, and only then carried out.

use doorstep_shared::api::console::{ImportPreview, ImportRow, Imported, MAX_IMPORT_BYTES};

/// An import and how far it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    /// The file's name.
    pub name: String,
    /// The file's text, the same for the preview and for the import.
    pub csv: String,
    pub step: Step,
    /// Why the last step failed.
    pub problem: Option<String>,
}

/// The steps of an import.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Step {
    /// The dispatcher chooses a file.
    #[default]
    Choose,
    /// The server checks it.
    Checking,
    /// The dispatcher looks at what the import would do.
    Preview(ImportPreview),
    /// The server creates the orders.
    Sending(ImportPreview),
    /// The orders are created.
    Finished(Imported),
}

impl Import {
    /// Takes a chosen file. Answers whether it may be sent to the server.
    pub fn choose(&mut self, name: &str, csv: String) -> bool {
        *self = Self { name: name.to_owned(), ..Self::default() };
        if csv.trim().is_empty() {
            self.problem = Some("The file is empty.".to_owned());
        } else if csv.len() > MAX_IMPORT_BYTES {
            self.problem = Some(format!("The file is larger than {} KB. Split it.", MAX_IMPORT_BYTES / 1024));
        } else {
            (self.csv, self.step) = (csv, Step::Checking);
        }
        self.problem.is_none()
    }

    /// Takes the server's preview of the file.
    pub fn preview(&mut self, preview: ImportPreview) {
        if self.step == Step::Checking {
            self.step = Step::Preview(preview);
        }
    }

    /// Imports the valid rows. Answers whether there are any.
    pub fn confirm(&mut self) -> bool {
        match std::mem::take(&mut self.step) {
            Step::Preview(preview) if preview.valid > 0 => {
                (self.step, self.problem) = (Step::Sending(preview), None);
                true
            }
            other => {
                self.step = other;
                false
            }
        }
    }

    /// Takes the server's reply to the import.
    pub fn finish(&mut self, imported: Imported) {
        (self.step, self.csv) = (Step::Finished(imported), String::new());
    }

    /// Goes back one step; a preview stays.
    pub fn fail(&mut self, problem: String) {
        self.step = match std::mem::take(&mut self.step) {
            Step::Sending(preview) => Step::Preview(preview),
            Step::Checking => Step::Choose,
            other => other,
        };
        self.problem = Some(problem);
    }

    /// Whether a call is on its way.
    pub fn is_busy(&self) -> bool {
        matches!(self.step, Step::Checking | Step::Sending(_))
    }
}

/// The rows in the order in which they are shown: invalid ones first.
pub fn sorted(preview: &ImportPreview) -> Vec<&ImportRow> {
    let mut rows: Vec<_> = preview.rows.iter().collect();
    rows.sort_by_key(|row| (row.errors.is_empty(), row.warnings.is_empty(), row.line));
    rows
}

/// The tracking links of the new orders as a CSV file. The server sends them this once.
pub fn links_csv(imported: &Imported) -> String {
    let mut text = "line,reference,tracking_url,delivery_pin\r\n".to_owned();
    for order in &imported.created {
        let pin = order.delivery_pin.as_deref().unwrap_or_default();
        text += &format!("{},{},{},{pin}\r\n", order.line, cell(&order.reference), cell(&order.tracking_url));
    }
    text
}

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    format!("\"{}\"", guarded.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{OrderId, api::console::ImportedOrder};

    use super::*;

    fn preview(valid: u32) -> ImportPreview {
        ImportPreview { valid, invalid: 1, ..ImportPreview::default() }
    }

    #[test]
    fn nothing_is_sent_before_somebody_looked() {
        let mut import = Import::default();
        assert!(!import.confirm());
        assert!(import.choose("orders.csv", "reference\nA-1".into()));
        assert!(!import.confirm());
        import.preview(preview(0));
        assert!(!import.confirm(), "there is no good row");
        import.step = Step::Preview(preview(3));
        assert!(import.confirm());
        import.fail("The server cannot be reached.".into());
        assert_eq!(import.step, Step::Preview(preview(3)), "nothing has to be chosen again");
    }

    #[test]
    fn an_empty_or_huge_file_is_refused_here() {
        let mut import = Import::default();
        assert!(!import.choose("a.csv", " \n".into()));
        assert!(!import.choose("b.csv", "x".repeat(MAX_IMPORT_BYTES + 1)));
        assert_eq!(import.step, Step::Choose);
    }

    #[test]
    fn a_reference_is_no_formula() {
        let order = ImportedOrder {
            line: 2,
            id: OrderId::new(),
            reference: "=cmd|\"x\"".into(),
            tracking_url: "https://example.org/t/abc".into(),
            delivery_pin: None,
        };
        let text = links_csv(&Imported { created: vec![order], skipped: vec![] });
        assert!(text.contains("2,\"'=cmd|\"\"x\"\"\",\"https://example.org/t/abc\",\r\n"));
    }
}
