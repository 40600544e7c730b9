//! The dialog for a file of orders.

use super::{ApiCall, ApiError, ApiReply, Console, Dialog, Effect};
use crate::dispatch::import::{self, Import, Step};

/// What the dispatcher does with a file of orders.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportIntent {
    /// Open the dialog.
    Open,
    /// Choose a file.
    File { name: String, csv: Vec<u8> },
    /// Say what a column holds, by its place from 0.
    Map { place: usize, name: String },
    /// Go on with what was said of the columns.
    Mapped,
    /// Go back to what the columns hold.
    Remap,
    /// Create the orders.
    Confirm,
    /// Save the new orders' tracking links as a file.
    Links,
}

fn import_call(import: &Import, is_preview: bool, key: String) -> ApiCall {
    let columns = import.mapping.as_ref().map(|mapping| mapping.join(","));
    ApiCall::Import { csv: import.csv.clone(), columns, is_preview, key }
}

impl Console {
    pub(super) fn act_on_import(&mut self, intent: ImportIntent, effects: &mut Vec<Effect>) {
        match intent {
            ImportIntent::Open => *self.dialog = Some(Dialog::Import(Import::default())),
            ImportIntent::File { name, csv } => self.import_file(&name, csv, effects),
            ImportIntent::Map { place, name } => {
                if let Some(Dialog::Import(import)) = &mut *self.dialog {
                    import.map(place, &name);
                }
            }
            ImportIntent::Mapped => self.import_mapped(effects),
            ImportIntent::Remap => {
                if let Some(Dialog::Import(import)) = &mut *self.dialog {
                    import.remap();
                }
            }
            ImportIntent::Confirm => self.confirm_import(effects),
            ImportIntent::Links => self.save_links(effects),
        }
    }

    fn import_file(&mut self, name: &str, csv: Vec<u8>, effects: &mut Vec<Effect>) {
        if let Some(Dialog::Import(import)) = &mut *self.dialog
            && import.choose(name, csv)
        {
            effects.push(Effect::Call(import_call(import, true, String::new())));
        }
    }

    fn import_mapped(&mut self, effects: &mut Vec<Effect>) {
        if let Some(Dialog::Import(import)) = &mut *self.dialog
            && import.mapped()
        {
            effects.push(Effect::Call(import_call(import, true, String::new())));
        }
    }

    fn confirm_import(&mut self, effects: &mut Vec<Effect>) {
        let key = self.new_key();
        if let Some(Dialog::Import(import)) = &mut *self.dialog
            && import.confirm()
        {
            effects.push(Effect::Call(import_call(import, false, key)));
        }
    }

    fn save_links(&self, effects: &mut Vec<Effect>) {
        if let Some(Dialog::Import(Import { step: Step::Finished(imported), .. })) = &*self.dialog {
            let text = import::links_csv(imported);
            effects.push(Effect::Save { name: "tracking-links.csv".to_owned(), media_type: "text/csv", text });
        }
    }

    /// The API answered a preview or an import.
    pub(super) fn import_replied(&mut self, reply: ApiReply) {
        match reply {
            ApiReply::Preview(preview) => {
                if let Some(Dialog::Import(import)) = &mut *self.dialog {
                    import.preview(preview);
                }
            }
            ApiReply::Imported(imported) => {
                self.refresh.request_count();
                self.announce(format!("{} orders created", imported.created.len()));
                if let Some(Dialog::Import(import)) = &mut *self.dialog {
                    import.finish(imported);
                }
            }
            _ => {}
        }
    }

    pub(super) fn import_failed(&mut self, error: &ApiError) {
        if let Some(Dialog::Import(import)) = &mut *self.dialog {
            import.fail(error.text());
        }
    }
}
