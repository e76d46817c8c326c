//! Verifying keys as Rust, for guests that verify proofs.

use std::fmt::Write;

/// A module with the digests of these programs' verifying keys.
pub fn to_rust(keys: &[(String, [u32; 8])]) -> String {
    let mut code = String::from(
        "//! The programs whose proofs are verified, by their verifying keys. Written by `programs/build.sh --install`.\n\n\
         use sextant_consensus::Program;\n\n\
         /// SP1's digest of the verifying key of a program that is pinned: eight elements of the field KoalaBear.\n\
         pub const fn key(program: Program) -> Option<&'static [u32; 8]> {\n    match program {\n",
    );
    for (name, key) in keys {
        // Writing to a string cannot fail.
        let _ = writeln!(code, "        Program::{} => Some(&{key:?}),", camel_case(name));
    }
    code.push_str("        _ => None,\n    }\n}\n");
    code
}

/// `committee-change` becomes `CommitteeChange`.
fn camel_case(name: &str) -> String {
    let capitalized = |word: &str| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_uppercase() + rest,
        None => String::new(),
    };
    name.split('-').map(capitalized).collect()
}
