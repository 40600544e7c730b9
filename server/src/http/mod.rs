//! The HTTP surface: one route table, the middleware, and what handlers share.

pub mod access;
pub mod api;
pub mod assets;
pub mod body;
pub mod export;
pub mod health;
pub mod ingest;
pub mod login;
pub mod openapi;
pub mod pages;
pub mod routes;
