// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bundle, Part, PublicValues} from "./PublicValues.sol";
import {Statements} from "./Statements.sol";
import {Trusted} from "./Trusted.sol";

/// @title Many statements under one proof
/// @notice A bundle's public values name its statements by program and SHA-256. Here is looked at whether the statements that
/// came along are those; what each of them is worth is the light client's matter, as if it came alone.
abstract contract Bundles is Statements, Trusted {
    /// @notice More or fewer statements than the bundle has parts.
    error OtherNumber(uint256 statements, uint256 parts);
    /// @notice The statement at this index, from 0, is not the bundle's part there: another program's, or other bytes.
    error OtherStatement(uint256 index);
    /// @notice Each of the bundle's statements is known: nothing to do.
    error NothingNewInBundle();

    /// @dev Whether these are a bundle's statements, in its order, and one of them at least was not proven before. Returns its
    /// parts, and each statement's `keccak256`. Looks at nothing that an earlier statement of the bundle could change.
    function _requireBundled(bytes[] calldata statements, bytes calldata publicValues)
        internal
        view
        returns (Part[] calldata parts, bytes32[] memory digests)
    {
        Bundle calldata bundle = PublicValues.bundle(publicValues);
        _requireChain(bundle.chainDigest);
        parts = bundle.parts;
        if (statements.length != parts.length) revert OtherNumber(statements.length, parts.length);
        digests = new bytes32[](parts.length);
        bool known = true;
        for (uint256 i = 0; i < parts.length; ++i) {
            bytes calldata statement = statements[i];
            if (PublicValues.programOf(statement) != parts[i].program || sha256(statement) != parts[i].digest)
            {
                revert OtherStatement(i);
            }
            digests[i] = keccak256(statement);
            if (!_isProven(digests[i])) known = false;
        }
        if (known) revert NothingNewInBundle();
    }
}
