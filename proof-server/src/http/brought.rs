//! Requests that bring something: it is read, and made what the protocol's request carries.

use axum::body::Body;
use sextant_consensus::Program;
use sextant_inputs::{Told, ToldError};
use sextant_protocol::{ErrorCode, Request as Asked, Response as Answer, ServerError};

use super::{
    asker::{Asker, small},
    body,
    problem::Problem,
    verifications,
};
use crate::{audience::ProgressSender, blocking::blocking, connection::upload, memory::Held};

/// What a body is before it is what the request carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// The statement's input.
    Input,
    /// A proof file.
    File,
    /// A statement for this program in JSON.
    Told(Program),
}

/// Bytes of memory that a byte of JSON may take while it is read: a value of 32 bytes for each `0,`.
const BYTES_PER_BYTE_OF_JSON: usize = 16;

/// Answers a request with a body, which is read for it.
pub(super) async fn bring(
    asker: Asker,
    mut request: Asked,
    body: Body,
    form: Form,
) -> Result<Answer, Problem> {
    let mut account = asker.account(&request);
    let mut held = asker.hold();
    let limits = asker.context.limits;
    let work = async {
        body::receive(body, &mut request, &limits, &mut held).await?;
        let cap = upload::cap(&request, &limits);
        if let Some((content, _)) = request.content() {
            match form {
                Form::Input => {}
                Form::File => verifications::unwrap(content).await?,
                Form::Told(program) => {
                    *content = input(std::mem::take(content), program, &asker).await?;
                    cap.check(content.len() as u64)?;
                }
            }
        }
        account.arrived(&request);
        asker.answer(request, ProgressSender::nobody(), held, account.span()).await
    };
    let result = work.await;
    account.close(result.as_ref().err());
    small(result?)
}

/// The input of a statement that is told in JSON.
async fn input(document: Vec<u8>, program: Program, asker: &Asker) -> Result<Vec<u8>, ServerError> {
    // Until the answers in it are read.
    let mut reading: Held = asker.hold();
    reading.grow(document.len() * BYTES_PER_BYTE_OF_JSON)?;
    let read = move || {
        let prepared = Told::read(&document)?.input(program)?;
        drop(reading);
        Ok(prepared.input.bytes)
    };
    blocking(read).await?.map_err(|error: ToldError| {
        let code = match error {
            ToldError::Document(_)
            | ToldError::Needs { .. }
            | ToldError::Foreign { .. }
            | ToldError::Topics(_) => ErrorCode::Malformed,
            ToldError::Network(_) | ToldError::Program(_) => ErrorCode::Unsupported,
            ToldError::Input(_) | ToldError::Question(_) => ErrorCode::InvalidStatement,
        };
        // Names of fields in it are the asker's own words, of any length.
        ServerError::new(code, error.to_string().chars().take(1_000).collect::<String>())
    })
}
