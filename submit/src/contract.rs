//! The interfaces of the light client contract and of its verifier.

use alloy_sol_types::sol;

sol!(
    #![sol(all_derives)]
    LightClient,
    "contract/LightClient.json"
);

sol! {
    /// Verifiers of proofs, and gateways to them: what they are asked, and what they refuse with.
    #[sol(all_derives)]
    interface Verifiers {
        function verifyProof(bytes32 programVKey, bytes publicValues, bytes proofBytes) external view;

        error WrongVerifierSelector(bytes4 received, bytes4 expected);
        error InvalidExitCode();
        error InvalidVkRoot();
        error InvalidProof();
        error ProofInvalid();
        error PublicInputNotInField();
        error RouteNotFound(bytes4 selector);
        error RouteIsFrozen(bytes4 selector);
    }
}

pub use LightClient::LightClientErrors;
pub use Verifiers::VerifiersErrors;
