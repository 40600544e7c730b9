//! The HTTP surface: the route table, what follows from it, the middleware, and the handlers.

pub mod api;
pub mod area;
pub mod assets;
pub mod body;
pub(crate) mod context;
pub mod describe;
pub mod export;
mod file_pieces;
pub mod front;
pub mod health;
pub mod home;
pub mod if_match;
pub mod in_pieces;
pub mod ingest;
pub mod login;
pub mod middleware;
pub mod openapi;
pub mod pages;
pub mod path;
pub mod route;
pub mod routes;
mod zone;
