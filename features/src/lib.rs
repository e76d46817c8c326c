//! Nothing to call: the features in `Cargo.toml` are all this crate is for. Every crate that links SP1 depends on it.
