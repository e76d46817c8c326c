// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bundle, Part, PublicValues} from "./PublicValues.sol";
import {Statements} from "./Statements.sol";
import {Trusted} from "./Trusted.sol";

/// @title Many statements under one proof
/// @notice A bundle's public values name its statements by program and SHA-256. Here is looked at whether the statements that
/// came along are those, all of them or one at its place; what each of them is worth is the light client's matter, as if it
/// came alone.
abstract contract Bundles is Statements, Trusted {
    /// @notice More or fewer statements than the bundle has parts.
    error OtherNumber(uint256 statements, uint256 parts);
    /// @notice The statement at this index, from 0, is not the bundle's part there: another program's, or other bytes, or there
    /// is no such part.
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
        parts = _partsOf(publicValues);
        if (statements.length != parts.length) revert OtherNumber(statements.length, parts.length);
        digests = new bytes32[](parts.length);
        bool known = true;
        for (uint256 i = 0; i < parts.length; ++i) {
            bytes calldata statement = statements[i];
            _requireStatement(parts[i], statement, i);
            digests[i] = keccak256(statement);
            if (!_isProven(digests[i])) known = false;
        }
        if (known) revert NothingNewInBundle();
    }

    /// @dev Whether this is a bundle's statement at `index`; of the others nothing but their hashes is there. Returns its
    /// program.
    function _requirePart(uint256 index, bytes calldata statement, bytes calldata publicValues)
        internal
        view
        returns (uint256)
    {
        Part[] calldata parts = _partsOf(publicValues);
        if (index >= parts.length) revert OtherStatement(index);
        _requireStatement(parts[index], statement, index);
        return parts[index].program;
    }

    /// @dev The parts of a bundle about this chain.
    function _partsOf(bytes calldata publicValues) private view returns (Part[] calldata) {
        Bundle calldata bundle = PublicValues.bundle(publicValues);
        _requireChain(bundle.chainDigest);
        return bundle.parts;
    }

    /// @dev Whether a statement is this part of a bundle, the one at `index`.
    function _requireStatement(Part calldata part, bytes calldata statement, uint256 index) private pure {
        if (PublicValues.programOf(statement) != part.program || sha256(statement) != part.digest) {
            revert OtherStatement(index);
        }
    }
}
