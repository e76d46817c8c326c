// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Contradictions} from "./Contradictions.sol";
import {Account, Block, Head, Inclusion, PublicValues, Slot} from "./PublicValues.sol";

/// @title Statements that were proven, and what can be read from them
/// @notice One storage word stands for a whole statement: the hash of its public values. Whoever wants to read a part
/// brings the public values along; what was not proven, or what another statement contradicts, cannot be read, it reverts.
abstract contract Statements is Contradictions {
    mapping(bytes32 digest => uint256 time) private _provenAt;

    /// @notice A statement was proven; its digest is `keccak256(publicValues)`.
    /// Two of one slot with different roots contradict each other.
    event StatementProven(
        bytes32 indexed digest, uint32 indexed program, uint64 indexed finalizedSlot, bytes32 finalizedRoot
    );

    /// @notice The statement was proven before: nothing to do.
    error AlreadyProven(bytes32 digest);
    /// @notice No proof of this statement was accepted.
    error NotProven(bytes32 digest);
    /// @notice The statement does not speak about this account.
    error AccountNotInStatement(address account);
    /// @notice The statement does not speak about this slot.
    error SlotNotInStatement(address account, bytes32 key);
    /// @notice The statement is about an ancestor of the finalized block. Whoever wants that block's facts names its number.
    error EarlierBlock(uint64 number, bytes32 hash);
    /// @notice The statement is about another block than the one of this number.
    error OtherBlock(uint64 got, uint64 expected);

    /// @notice When the statement was proven here, Unix time in seconds, contradicted since or not. Whoever wants to wait
    /// before relying on it counts from there.
    function provenAt(bytes calldata publicValues) public view returns (uint256 time) {
        bytes32 digest = keccak256(publicValues);
        time = _provenAt[digest];
        if (time == 0) revert NotProven(digest);
    }

    /// @notice The finalized header of a proven statement of either kind. A state root of zero is not proven.
    function provenHead(bytes calldata publicValues) public view returns (Head memory head) {
        head = _provenHead(publicValues);
        _requireUncontradicted(head.finalizedSlot);
    }

    /// @notice The block that a proven inclusion's accounts, transactions and logs are of: the finalized one, whose hash is
    /// the head's, or an ancestor of it.
    function provenFacts(bytes calldata publicValues) public view returns (Block memory) {
        return _provenInclusion(publicValues).facts;
    }

    /// @notice An account of a proven inclusion, in the finalized block. `exists` tells an empty account from one that is not
    /// there.
    function provenAccount(bytes calldata publicValues, address account)
        public
        view
        returns (Account memory)
    {
        return _account(_finalized(publicValues), account);
    }

    /// @notice An account of a proven inclusion, in the block of this number: the finalized one or an ancestor of it.
    function provenAccountAt(bytes calldata publicValues, uint64 blockNumber, address account)
        external
        view
        returns (Account memory)
    {
        return _account(_ofBlock(publicValues, blockNumber), account);
    }

    /// @notice A storage slot of a proven inclusion, in the finalized block. `exists` is false where the state holds nothing,
    /// which contracts read as zero.
    function provenSlot(bytes calldata publicValues, address account, bytes32 key)
        public
        view
        returns (bool exists, bytes32 value)
    {
        return _slot(_finalized(publicValues), account, key);
    }

    /// @notice A storage slot of a proven inclusion, in the block of this number: the finalized one or an ancestor of it.
    function provenSlotAt(bytes calldata publicValues, uint64 blockNumber, address account, bytes32 key)
        external
        view
        returns (bool exists, bytes32 value)
    {
        return _slot(_ofBlock(publicValues, blockNumber), account, key);
    }

    /// @dev A proven inclusion that nothing contradicts.
    function _provenInclusion(bytes calldata publicValues)
        internal
        view
        returns (Inclusion calldata statement)
    {
        provenAt(publicValues);
        // Nothing is proven here but what was in its one encoding.
        statement = PublicValues.checkedInclusion(publicValues);
        _requireUncontradicted(statement.head.finalizedSlot);
    }

    /// @dev The same, about the finalized block: nobody takes what was once for what is.
    function _finalized(bytes calldata publicValues) private view returns (Inclusion calldata statement) {
        statement = _provenInclusion(publicValues);
        Block calldata facts = statement.facts;
        if (facts.hash != statement.head.blockHash) revert EarlierBlock(facts.number, facts.hash);
    }

    /// @dev The same, about the block of this number.
    function _ofBlock(bytes calldata publicValues, uint64 number)
        private
        view
        returns (Inclusion calldata statement)
    {
        statement = _provenInclusion(publicValues);
        if (statement.facts.number != number) revert OtherBlock(statement.facts.number, number);
    }

    function _slot(Inclusion calldata statement, address account, bytes32 key)
        private
        pure
        returns (bool exists, bytes32 value)
    {
        Slot[] calldata slots = _account(statement, account).slots;
        for (uint256 i = 0; i < slots.length; ++i) {
            if (slots[i].key == key) return (slots[i].exists, slots[i].value);
        }
        revert SlotNotInStatement(account, key);
    }

    function _account(Inclusion calldata statement, address account) private pure returns (Account calldata) {
        for (uint256 i = 0; i < statement.accounts.length; ++i) {
            if (statement.accounts[i].account == account) return statement.accounts[i];
        }
        revert AccountNotInStatement(account);
    }

    /// @dev The head of a proven statement, contradicted or not.
    function _provenHead(bytes calldata publicValues) internal view returns (Head memory) {
        provenAt(publicValues);
        // A statement begins with the offset of its structure, one word; its head follows.
        return abi.decode(publicValues[32:], (Head));
    }

    /// @dev Refuses what is known: before the costly check of the proof.
    function _requireNew(bytes calldata publicValues) internal view returns (bytes32 digest) {
        digest = keccak256(publicValues);
        if (_isProven(digest)) revert AlreadyProven(digest);
    }

    function _isProven(bytes32 digest) internal view returns (bool) {
        return _provenAt[digest] != 0;
    }

    function _record(bytes32 digest, Head calldata head) internal {
        _provenAt[digest] = block.timestamp;
        emit StatementProven(digest, head.program, head.finalizedSlot, head.finalizedRoot);
    }
}
