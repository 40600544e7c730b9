//! Puts the server together, lets it run, and takes it apart again.

pub mod api_keys;
mod area_import;
pub mod cli;
mod compose;
pub mod demo;
mod housekeeping;
mod listen;
mod personal_data;
mod shutdown;

pub use self::{
    compose::{database, start},
    shutdown::Running,
};
