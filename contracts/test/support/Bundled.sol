// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LightClient} from "../../src/LightClient.sol";
import {Bundle, Head, Inclusion, Part, PublicValues} from "../../src/PublicValues.sol";
import {Base} from "./Base.sol";
import {vm} from "./Vm.sol";

/// @notice Bundles of statements, with public values as the bundle program writes them.
abstract contract Bundled is Base {
    /// @dev A bundle of these statements, on the chain of the first.
    function bundleOf(bytes[] memory statements_) internal pure returns (Bundle memory bundle) {
        (bundle.version, bundle.program) = (PublicValues.VERSION, PublicValues.BUNDLE);
        // The chain digest is any statement's fourth word.
        if (statements_.length > 0) bundle.chainDigest = word(statements_[0], 3);
        bundle.parts = new Part[](statements_.length);
        for (uint256 i = 0; i < statements_.length; ++i) {
            bundle.parts[i] = Part(uint256(word(statements_[i], 2)), sha256(statements_[i]));
        }
    }

    /// @dev Submits with a proof that the verifier accepts.
    function submitBundle(LightClient client, bytes[] memory statements_) internal {
        bytes memory values = abi.encode(bundleOf(statements_));
        verifier.accept(BUNDLE_KEY, values, PROOF);
        client.submitBundle(statements_, values, PROOF);
    }

    /// @dev The next bundle is refused with `reason`, though the verifier would accept its proof.
    function refuseBundle(LightClient client, bytes[] memory statements_, bytes memory reason) internal {
        refuseBundle(client, statements_, abi.encode(bundleOf(statements_)), reason);
    }

    function refuseBundle(
        LightClient client,
        bytes[] memory statements_,
        bytes memory values,
        bytes memory reason
    ) internal {
        verifier.accept(BUNDLE_KEY, values, PROOF);
        vm.expectRevert(reason);
        client.submitBundle(statements_, values, PROOF);
    }

    /// @dev Inclusions of one slot each, of other slots and each under a newer header than the one before.
    function inclusions(uint256 count) internal view returns (bytes[] memory statements_) {
        statements_ = new bytes[](count);
        Inclusion memory statement = inclusion(ONE_SLOT);
        Head memory head = statement.head;
        for (uint256 i = 0; i < count; ++i) {
            statement.accounts[0].slots[0].key = keccak256(abi.encode("key", i));
            statements_[i] = abi.encode(statement);
            (head.finalizedSlot, head.finalizedRoot) = (head.finalizedSlot + 32, keccak256(abi.encode(i)));
        }
    }

    function pair(bytes memory one, bytes memory other) internal pure returns (bytes[] memory statements_) {
        statements_ = new bytes[](2);
        (statements_[0], statements_[1]) = (one, other);
    }

    function word(bytes memory values, uint256 index) internal pure returns (bytes32 found) {
        assembly ("memory-safe") {
            found := mload(add(values, shl(5, add(index, 1))))
        }
    }
}
