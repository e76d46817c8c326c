//! Steps of the mainnet-preset `sync` vectors as committee-change inputs, for the guests: each update is put to the
//! committee that the store of the vector trusts for it. Many are refused: the specification's store takes updates
//! without finality or next committee, a proof does not.

use sextant_consensus::bls::Plain;
use sextant_consensus::build::committee_change_input;
use sextant_consensus::public_values::Statement;
use sextant_consensus::{Program, StatementError, check_statement, codec};

use crate::case::{Case, Failure};
use crate::handlers::sync::{Play, ProcessUpdate};

/// One step of a vector.
#[derive(Clone, Debug)]
pub struct VectorStatement {
    /// The case and the step.
    pub name: String,
    /// The program it is for.
    pub program: Program,
    /// The encoded input.
    pub input: Vec<u8>,
    /// What the native check says.
    pub expected: Result<Statement, StatementError>,
}

/// Every step of the checked-in vectors that is an input, without repetitions.
///
/// # Errors
/// If a vector cannot be played, which the vectors' own test would show first.
pub fn vector_statements() -> Result<Vec<VectorStatement>, Failure> {
    let mut statements: Vec<VectorStatement> = Vec::new();
    for case in crate::cases(&crate::data()).map_err(|e| e.to_string())? {
        if case.preset != "mainnet" || case.handler != "sync" {
            continue;
        }
        for statement in of_case(&case).map_err(|e| format!("{}: {e}", case.title()))? {
            if !statements.iter().any(|other| other.input == statement.input) {
                statements.push(statement);
            }
        }
    }
    Ok(statements)
}

fn of_case(case: &Case) -> Result<Vec<VectorStatement>, Failure> {
    let play = Play::new(case)?;
    let mut store = play.store()?;
    let mut statements = Vec::new();
    for (index, step) in play.steps.iter().enumerate() {
        if let Some(update) = &step.process_update {
            let name = format!("{} step {index}", case.title());
            statements.extend(of_update(&play, &store, update, name)?);
        }
        play.step(&mut store, step)?;
    }
    Ok(statements)
}

fn of_update(
    play: &Play<'_>,
    store: &sextant_consensus::store::LightClientStore,
    step: &ProcessUpdate,
    name: String,
) -> Result<Option<VectorStatement>, Failure> {
    let update = play.update(step)?;
    let trusted = if play.chain.period(update.signature_slot) == store.period() {
        Some(&store.current_sync_committee)
    } else {
        store.next_sync_committee.as_ref()
    };
    let Some(committee) = trusted else { return Ok(None) };
    // What has not even the shape of an input is no statement.
    let Ok(input) = committee_change_input(&play.chain, committee, &[update]) else { return Ok(None) };
    let (program, input) = (Program::CommitteeChange, codec::encode(&input));
    let expected = check_statement(program, &input, &mut Plain);
    Ok(Some(VectorStatement { name, program, input, expected }))
}
