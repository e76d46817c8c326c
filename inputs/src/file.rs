//! The same, from files as nodes' answers were saved.

use std::path::Path;

use sextant_consensus::{
    build::AccountNodes,
    chain::ChainConfig,
    light_client::{LightClientBootstrap, LightClientFinalityUpdate, LightClientUpdate},
};

use crate::{Answer, Block, InputError, Sourced, read};

/// Reads `/eth/v1/beacon/light_client/bootstrap/{block_root}`.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn bootstrap(chain: &ChainConfig, file: &Path) -> Result<Sourced<LightClientBootstrap>, InputError> {
    read::bootstrap(chain, &Answer::read(file)?)
}

/// Reads `/eth/v1/beacon/light_client/updates`, or single updates: every update of the file in its order.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn updates(chain: &ChainConfig, file: &Path) -> Result<Vec<Sourced<LightClientUpdate>>, InputError> {
    read::updates(chain, &Answer::read(file)?)
}

/// Reads `/eth/v1/beacon/light_client/finality_update`.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn finality_update(
    chain: &ChainConfig,
    file: &Path,
) -> Result<Sourced<LightClientFinalityUpdate>, InputError> {
    read::finality_update(chain, &Answer::read(file)?)
}

/// Reads every account proof (`eth_getProof`) of the file, in its order.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn accounts(file: &Path) -> Result<Vec<Sourced<AccountNodes>>, InputError> {
    read::accounts(&Answer::read(file)?)
}

/// Reads an execution block (`eth_getBlockByHash`), as its header in RLP.
///
/// # Errors
/// [`InputError`] names file, field and reason; a block whose fields do not hash to its hash is refused.
pub fn block_header(file: &Path) -> Result<Sourced<Vec<u8>>, InputError> {
    read::block_header(&Answer::read(file)?)
}

/// Reads every execution block (`eth_getBlockByHash` or `eth_getBlockByNumber`, with transactions or without) of the file,
/// in its order.
///
/// # Errors
/// [`InputError`] names file, field and reason; what does not hash to the hash that it names is refused.
pub fn blocks(file: &Path) -> Result<Vec<Sourced<Block>>, InputError> {
    read::blocks(&Answer::read(file)?)
}

/// Reads all receipts of a block (`eth_getBlockReceipts`, or each by `eth_getTransactionReceipt`) from these files.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn receipts<F: AsRef<Path>>(files: &[F]) -> Result<Sourced<Vec<Vec<u8>>>, InputError> {
    let answers = files.iter().map(|file| Answer::read(file.as_ref())).collect::<Result<Vec<_>, _>>()?;
    read::receipts(&answers)
}
