//! Whether a statement is where its record has it: in a bundle, at its place. A bundle's proof holds for each of its parts by
//! program and hash, at its own place, and for nothing else.

use sextant_consensus::{
    Program,
    public_values::{Bundle, Bundled, Statement},
};
use sextant_protocol::{ProofKind, ProofRecord, place::Place};

use crate::PlaceError;

/// Checks that `record`, which is of kind [`Bundled`](ProofKind::Bundled) and says `statement` of `program`, names the place
/// of that in a bundle. The bundle's own proof is not looked at.
///
/// # Errors
/// [`PlaceError`] names the first thing that is wrong.
pub(crate) fn check<'a>(
    record: &'a ProofRecord,
    program: Program,
    statement: &Statement,
) -> Result<Place<'a>, PlaceError> {
    let place = Place::of(&record.proof)?;
    let bundle = Bundle::abi_decode(place.public_values).map_err(PlaceError::Bundle)?;
    let (index, parts) = (place.index, bundle.parts.len());
    let part = usize::try_from(index).ok().and_then(|index| bundle.parts.get(index));
    let part = part.ok_or(PlaceError::OutOfRange { index, parts })?;
    if part.program != program {
        return Err(PlaceError::Program { index, claimed: program, got: part.program });
    }
    let claimed = Bundled::of(program, &record.public_values).digest;
    if part.digest != claimed {
        return Err(PlaceError::Statement { index, claimed, got: part.digest });
    }
    let (claimed, got) = (statement.chain_digest(), bundle.chain_digest);
    if claimed != got {
        return Err(PlaceError::Chain { claimed, got });
    }
    Ok(place)
}

/// The place that a record names, and the bundle in which it is, taken at their word; `None` for a proof of another kind.
///
/// # Errors
/// [`PlaceError`], as far as it can be read.
pub fn bundle_of(record: &ProofRecord) -> Option<Result<(Place<'_>, Bundle), PlaceError>> {
    let read = || {
        let place = Place::of(&record.proof)?;
        let bundle = Bundle::abi_decode(place.public_values).map_err(PlaceError::Bundle)?;
        Ok((place, bundle))
    };
    (record.kind == ProofKind::Bundled).then(read)
}

#[cfg(test)]
mod forged;
#[cfg(test)]
mod tests;
