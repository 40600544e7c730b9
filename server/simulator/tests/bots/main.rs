//! The bots against a server of a few lines, which loses connections where the real one should not.

mod console;
mod courier;
mod stage;
mod viewer;
