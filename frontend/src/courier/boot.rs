//! Where the courier's app begins in the browser.

use wasm_bindgen::prelude::*;

/// Takes the place of the skeleton that the server drew.
#[wasm_bindgen]
pub fn courier() {}
