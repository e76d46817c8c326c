// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ISP1Verifier} from "../../src/ISP1Verifier.sol";

/// @notice Stands in for Succinct's verifier in unit tests: a double that checks no proof. It accepts exactly the one
/// triple of key, values and proof that the test names, so that a caller that passes anything else is found out. Real
/// proofs meet the real verifier in the tests on a node.
contract OneProof is ISP1Verifier {
    bytes32 private _accepted;

    error ProofRefused();

    function accept(bytes32 key, bytes calldata values, bytes calldata proof) external {
        _accepted = keccak256(abi.encode(key, values, proof));
    }

    function verifyProof(bytes32 key, bytes calldata values, bytes calldata proof) external view {
        if (keccak256(abi.encode(key, values, proof)) != _accepted) revert ProofRefused();
    }
}

/// @notice Accepts everything and costs next to nothing: what is measured with it is the light client alone.
contract FreeVerifier {
    fallback() external {}
}

/// @notice Accepts everything, for the price of a Groth16 verifier with five public inputs: the same precompile calls
/// as SP1 6's (four pairings, five multiplications, five additions, one SHA-256), on points at infinity.
contract Groth16Price is ISP1Verifier {
    function verifyProof(bytes32, bytes calldata values, bytes calldata) external view {
        bytes memory zeros = new bytes(768);
        sha256(values);
        for (uint256 i = 0; i < 5; ++i) {
            _call(0x07, zeros, 96, 64);
            _call(0x06, zeros, 128, 64);
        }
        _call(0x08, zeros, 768, 32);
    }

    function _call(uint256 precompile, bytes memory input, uint256 length, uint256 output) private view {
        assembly {
            if iszero(staticcall(gas(), precompile, add(input, 32), length, 0, output)) { revert(0, 0) }
        }
    }
}
