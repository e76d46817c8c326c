//! The programs whose proofs are verified, by their verifying keys. Written by `programs/build.sh --install`.

use sextant_consensus::Program;

/// SP1's digest of the verifying key of a program that is pinned: eight elements of the field KoalaBear.
pub const fn key(program: Program) -> Option<&'static [u32; 8]> {
    match program {
        Program::CommitteeChange => Some(&[1433053278, 1490106148, 2113809303, 2105029048, 226888307, 2029122618, 1921147443, 1283159815]),
        Program::Inclusion => Some(&[485698257, 763750463, 2010650582, 454259509, 1517018585, 1349857755, 1564411387, 1947561703]),
        _ => None,
    }
}
