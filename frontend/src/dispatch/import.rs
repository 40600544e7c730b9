//! The import of a file of orders: chosen, previewed row by row, and only then carried out.

use doorstep_shared::{
    api::console::{ImportPreview, ImportRow, Imported, MAX_IMPORT_BYTES},
    order_file::{column_named, missing_columns},
};

/// An import and how far it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    /// The file's name.
    pub name: String,
    /// The file as it is, the same for the preview and for the import: only the server guesses its encoding.
    pub csv: Vec<u8>,
    /// What each of the file's columns holds, in our names, as the dispatcher said; the server guesses without it.
    pub mapping: Option<Vec<String>>,
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
    /// The dispatcher says what the columns hold.
    Mapping(ImportPreview),
    /// The dispatcher looks at what the import would do.
    Preview(ImportPreview),
    /// The server creates the orders.
    Sending(ImportPreview),
    /// The orders are created.
    Finished(Imported),
}

impl Import {
    /// Takes a chosen file. Answers whether it may be sent to the server.
    pub fn choose(&mut self, name: &str, csv: Vec<u8>) -> bool {
        *self = Self { name: name.to_owned(), ..Self::default() };
        if csv.trim_ascii().is_empty() {
            self.problem = Some("The file is empty.".to_owned());
        } else if csv.len() > MAX_IMPORT_BYTES {
            self.problem = Some(format!("The file is larger than {} KB. Split it.", MAX_IMPORT_BYTES / 1024));
        } else {
            (self.csv, self.step) = (csv, Step::Checking);
        }
        self.problem.is_none()
    }

    /// Takes the server's preview of the file. Before its rows are shown, the dispatcher says what unknown columns hold,
    /// and which ones hold what is missing.
    pub fn preview(&mut self, preview: ImportPreview) {
        if self.step == Step::Checking {
            let is_unclear = self.mapping.is_none() && preview.columns.iter().any(|column| column.column.is_none());
            let is_unclear = is_unclear || preview.missing_columns.as_ref().is_some_and(|missing| !missing.is_empty());
            self.step = if is_unclear { Step::Mapping(preview) } else { Step::Preview(preview) };
        }
    }

    /// Goes back to what the columns hold.
    pub fn remap(&mut self) {
        if let Step::Preview(preview) = std::mem::take(&mut self.step) {
            self.step = Step::Mapping(preview);
        }
    }

    /// Says what a column holds, by its place from 0; an empty name leaves it out. A name belongs to one column only.
    pub fn map(&mut self, place: usize, name: &str) {
        if let Step::Mapping(preview) = &mut self.step {
            for (index, column) in preview.columns.iter_mut().enumerate() {
                if index == place {
                    column.column = Some(name.to_owned()).filter(|name| !name.is_empty());
                } else if column.column.as_deref() == Some(name) {
                    column.column = None;
                }
            }
        }
    }

    /// The columns that must be there and that nothing is mapped to.
    pub fn missing(&self) -> Vec<&'static str> {
        let Step::Mapping(preview) = &self.step else { return Vec::new() };
        let has = |name: &str| preview.columns.iter().any(|column| column.column.as_deref() == Some(name));
        missing_columns(has).into_iter().map(column_name).collect()
    }

    /// Has the file checked again with what was said of its columns. Answers whether it may be sent.
    pub fn mapped(&mut self) -> bool {
        let Step::Mapping(preview) = &self.step else { return false };
        let names = preview.columns.iter().map(|column| column.column.clone().unwrap_or_default());
        (self.mapping, self.step, self.problem) = (Some(names.collect()), Step::Checking, None);
        true
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
        (self.step, self.csv) = (Step::Finished(imported), Vec::new());
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

/// Why somebody should look at the letters of a file; empty for one whose encoding is certain.
pub fn encoding_note(preview: &ImportPreview) -> String {
    match preview.encoding.as_str() {
        "" => String::new(),
        certain if certain.starts_with("UTF") => String::new(),
        guessed => format!("Read as {guessed}: look whether letters such as é, ß and ħ are right."),
    }
}

/// What people call a column, from our name.
pub fn column_name(name: &str) -> &'static str {
    column_named(name).map_or("Another column", |column| column.heading)
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
    use doorstep_shared::{
        OrderId,
        api::console::{ImportColumn, ImportedOrder},
    };

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

    fn column(position: u32, heading: &str, column: Option<&str>) -> ImportColumn {
        ImportColumn { position, heading: heading.into(), column: column.map(str::to_owned), samples: vec![] }
    }

    #[test]
    fn columns_that_nobody_knows_are_mapped_before_any_row_is_shown() {
        let mut import = Import::default();
        import.choose("orders.csv", "No;Who;Where\n1;Eve;Strait Street".into());
        let columns = vec![
            column(1, "No", Some("reference")),
            column(2, "Who", None),
            column(3, "Where", Some("pickup_address")),
        ];
        let missing = ["dropoff_address", "customer_name", "pickup_address"].map(str::to_owned).to_vec();
        let unclear = ImportPreview { columns, missing_columns: Some(missing), ..ImportPreview::default() };
        import.preview(unclear);
        assert!(matches!(import.step, Step::Mapping(_)));
        assert_eq!(import.missing(), ["Delivery address", "Customer name"]);
        import.map(1, "customer_name");
        import.map(2, "dropoff_address");
        assert_eq!(import.missing(), ["Pickup address"]);
        import.map(0, "dropoff_address");
        assert_eq!(import.missing(), ["Reference", "Pickup address"], "two columns never hold the same");
        assert!(import.mapped());
        let said = ["dropoff_address", "customer_name", ""].map(str::to_owned).to_vec();
        assert_eq!((&import.step, &import.mapping), (&Step::Checking, &Some(said)));
        import.preview(preview(3));
        assert_eq!(import.step, Step::Preview(preview(3)));
        import.remap();
        assert_eq!(import.step, Step::Mapping(preview(3)), "it can be corrected");
    }

    #[test]
    fn a_file_with_known_headings_is_shown_at_once() {
        let mut import = Import::default();
        import.choose("orders.csv", "reference\nA-1".into());
        let known = ImportPreview { columns: vec![column(1, "reference", Some("reference"))], ..preview(1) };
        import.preview(known.clone());
        assert_eq!(import.step, Step::Preview(known));
    }

    #[test]
    fn an_empty_or_huge_file_is_refused_here() {
        let mut import = Import::default();
        assert!(!import.choose("a.csv", " \n".into()));
        assert!(!import.choose("b.csv", vec![b'x'; MAX_IMPORT_BYTES + 1]));
        assert_eq!(import.step, Step::Choose);
    }

    #[test]
    fn a_guessed_encoding_is_said_and_a_certain_one_is_not() {
        let note = |encoding: &str| encoding_note(&ImportPreview { encoding: encoding.into(), ..preview(1) });
        assert!(note("windows-1252").starts_with("Read as windows-1252"));
        assert_eq!([note("UTF-8"), note("UTF-16LE"), note("")], [""; 3]);
    }

    #[test]
    fn a_saved_pickups_name_is_as_good_as_its_address() {
        let mut import = Import::default();
        import.choose("orders.csv", "No;Where from".into());
        let columns = vec![column(1, "No", Some("reference")), column(2, "Where from", Some("pickup"))];
        let missing = Some(vec!["dropoff_address".to_owned(), "customer_name".to_owned()]);
        import.preview(ImportPreview { columns, missing_columns: missing, ..ImportPreview::default() });
        assert_eq!(import.missing(), ["Delivery address", "Customer name"]);
    }

    #[test]
    fn a_reference_is_no_formula() {
        let order = ImportedOrder {
            line: 2,
            id: OrderId::new(),
            reference: "=cmd|\"x\"".into(),
            tracking_url: "https://example.org/t/abc".into(),
            delivery_pin: None,
            warnings: vec![],
        };
        let imported =
            Imported { created: vec![order], skipped: vec![], ignored_columns: vec![], encoding: "UTF-8".into() };
        let text = links_csv(&imported);
        assert!(text.contains("2,\"'=cmd|\"\"x\"\"\",\"https://example.org/t/abc\",\r\n"));
    }
}
