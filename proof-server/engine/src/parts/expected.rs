//! What the proof of a shard has to state, found by tracing the shard again.
//!
//! A part may be a sound proof of a shard of the same program, and of another run. What the parts state about memory and
//! calls then does not add up, and nothing in them says which one lies: this does.

use std::borrow::Borrow;

use sp1_core_executor::ExecutionRecord;
use sp1_core_machine::riscv::RiscvAir;
use sp1_hypercube::{
    MachineRecord,
    air::{MachineAir, PublicValues, ShardRange},
    septic_digest::SepticDigest,
};
use sp1_primitives::SP1Field;
use sp1_recursion_executor::RecursionPublicValues;

use super::Span;
use crate::compress::Compressed;

/// A shard's public values.
pub(crate) type Values = PublicValues<[SP1Field; 4], [SP1Field; 3], [SP1Field; 4], SP1Field>;

/// Public values of one shard.
pub(crate) struct Expected(Vec<SP1Field>);

impl Expected {
    /// What a traced shard states. The sum over its sends and receives comes out of the trace of one table.
    pub(crate) fn of(record: &ExecutionRecord) -> Self {
        let machine = RiscvAir::<SP1Field>::machine();
        for chip in machine.chips().iter().filter(|chip| chip.name() == "Global") {
            chip.generate_trace(record, &mut ExecutionRecord::default());
        }
        Self(record.public_values())
    }

    /// Whether a shard's proof states this.
    pub(crate) fn is_stated(&self, public_values: &[SP1Field]) -> bool {
        self.0 == public_values
    }

    fn values(&self) -> &Values {
        self.0.as_slice().borrow()
    }
}

/// Whether a recursion proof over `span` states what the shards that it covers do. `all` are those of the whole run,
/// `initial` is the sum that the program brings.
pub(crate) fn is_folded(
    all: &[Expected],
    span: Span,
    initial: SepticDigest<SP1Field>,
    folded: &Compressed,
) -> bool {
    let stated = recursion_values(folded);
    let shards = &all[span.first as usize - 1..span.last as usize];
    let (Some(first), Some(last)) = (shards.first(), shards.last()) else { return false };
    let sums = shards.iter().map(Expected::values).flat_map(|values| {
        // It enters with the shard that the execution begins in.
        let begins = is_set(values.is_first_execution_shard);
        [begins.then_some(initial), Some(values.global_cumulative_sum)]
    });
    let (first, last) = (first.values(), last.values());
    sum(sums.flatten()) == Some(stated.global_cumulative_sum)
        && stated.range() == ShardRange::from(first.range().start()..last.range().end())
        && stated.committed_value_digest == last.committed_value_digest
}

/// The sum of sends and receives; none if two of them have no sum, as random ones never do.
pub(crate) fn sum(
    digests: impl IntoIterator<Item = SepticDigest<SP1Field>>,
) -> Option<SepticDigest<SP1Field>> {
    digests.into_iter().try_fold(SepticDigest::zero(), SepticDigest::checked_add)
}

/// What a recursion proof states, which has as many public values as one has.
pub(crate) fn recursion_values(folded: &Compressed) -> &RecursionPublicValues<SP1Field> {
    folded.proof.public_values.as_slice().borrow()
}

/// Whether a flag among public values is set: SP1's circuits allow 0 and 1 alone.
pub(crate) fn is_set(flag: SP1Field) -> bool {
    flag != SP1Field::default()
}
