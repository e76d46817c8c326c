// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title Verifier of SP1 proofs
/// @notice The interface of Succinct's verifier contracts and of their gateways (succinctlabs/sp1-contracts,
/// `contracts/src/ISP1Verifier.sol`): what is deployed on many chains can be used as it is.
interface ISP1Verifier {
    /// @notice Returns if the proof is good, reverts if it is not.
    /// @param programVKey Hash of the program's verifying key.
    /// @param publicValues What the program committed to.
    /// @param proofBytes The proof, its first four bytes naming the verifier it is meant for.
    function verifyProof(bytes32 programVKey, bytes calldata publicValues, bytes calldata proofBytes)
        external
        view;
}
