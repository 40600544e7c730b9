//! Placeholder while the road engineer writes it.
