//! Large contents: which bytes come in which part.

mod common;

use common::{JOB, input};
use sextant_protocol::{
    ProofAnswer, ProofKind, ProveRequest, Request, StatementInput,
    encoding::encode,
    parts::{PART, Parts},
    record,
    request::{ProgramInfo, ProvingCost},
    wire::{Bytes, Record, Wire, from_bytes, to_bytes},
};

record! {
    /// A record whose last field may be empty.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Listing {
        /// Perhaps none.
        1 = programs: Vec<ProgramInfo>,
    }
}

/// `length` bytes of which neighbours differ.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// `first`, and after it the parts, each where it belongs and as long as it may be.
fn put_together(first: &[u8], offset: u64, parts: Parts) -> Vec<u8> {
    let mut whole = first.to_vec();
    let mut left = parts.len();
    for (at, bytes) in parts {
        assert_eq!(at, offset + whole.len() as u64);
        assert_eq!(bytes.len() as u64, left.min(PART as u64));
        left -= bytes.len() as u64;
        whole.extend(bytes);
    }
    assert_eq!(left, 0);
    whole
}

#[test]
fn an_input_of_several_parts_is_all_there() {
    for (length, following) in [(0, 0), (PART, 0), (PART + 1, 1), (3 * PART + 9, 2 * PART + 9)] {
        let whole = StatementInput { bytes: content(length), ..input() };
        let mut request = Request::Prove(ProveRequest::new(whole.clone(), ProofKind::Stark));
        let parts = request.split();
        assert_eq!((parts.len(), parts.is_empty()), (following as u64, following == 0), "{length}");
        let Request::Prove(first) = request else { unreachable!() };
        assert_eq!(first.more, following as u64);
        assert!(put_together(&first.input.bytes, 0, parts) == whole.bytes, "{length}");
    }
}

#[test]
fn a_proof_is_all_there_from_any_offset() {
    let mut proof = common::record();
    proof.proof = content(3 * PART);
    let answer = ProofAnswer::new(&proof, [1; 32], ProvingCost::default(), JOB);
    let whole = encode(&proof);
    for offset in [0, 1, PART, 2 * PART + 5, whole.len() - PART, whole.len() - 1, whole.len()] {
        let mut rest = answer.clone();
        let parts = rest.split(offset as u64);
        assert_eq!((rest.offset, rest.more), (offset as u64, parts.len()));
        assert!(put_together(&rest.record, rest.offset, parts) == whole[offset..], "{offset}");
    }
    for offset in [whole.len() as u64 + 1, u64::MAX] {
        let mut rest = answer.clone();
        assert!(rest.split(offset).is_empty());
        assert_eq!((rest.offset, rest.record.len(), rest.more), (whole.len() as u64, 0, 0));
    }
}

/// Wrapped in a box or in an option, a value is written and read as ever.
#[test]
fn wrappings_leave_no_trace() {
    let mut fields = Vec::new();
    Box::new(input()).write_fields(&mut fields);
    assert_eq!(fields, to_bytes(&input()));
    assert_eq!(to_bytes(&Some(7_u32)), to_bytes(&7_u32));
    assert!(to_bytes(&None::<u32>).is_empty());
    assert_eq!(Option::<u32>::read("number", Bytes::from(to_bytes(&7_u32))).unwrap(), Some(7));
}

/// The field is there all the same: it has no default.
#[test]
fn an_empty_list_is_read_at_the_end_of_a_record() {
    let empty = to_bytes(&Listing { programs: Vec::new() });
    assert_eq!(empty.len(), 2 + 4, "a tag and a length");
    assert_eq!(from_bytes::<Listing>("listing", empty.into(), 6).unwrap().programs, []);
}
