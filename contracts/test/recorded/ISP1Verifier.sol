// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

// What the verifier contract that SP1 generates expects beside it.
import {ISP1Verifier} from "../../src/ISP1Verifier.sol";

/// @notice A verifier that names its circuits: the first four bytes of a proof for it are the first of this hash.
interface ISP1VerifierWithHash is ISP1Verifier {
    /// @notice SHA-256 of the circuits' verifying key.
    function VERIFIER_HASH() external pure returns (bytes32);
}
