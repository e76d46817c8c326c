// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Slots about which two proven statements disagree
/// @notice Two finalized headers of one slot, or two contents of one place under one header, cannot both be true: a
/// committee lied, or the proof system is broken. Which of the two is true nobody here can tell, so that from then on
/// nothing about that slot can be read.
abstract contract Contradictions {
    mapping(uint64 slot => uint256 time) private _contradictedAt;

    /// @notice Two proven statements disagree about a finalized slot: on its header, its execution facts or a content
    /// under it. `known` came first; where it is the head's it is the first 23 bytes of a root, padded with zeros.
    event Contradicted(uint64 indexed slot, bytes32 known, bytes32 other);
    /// @notice A proven statement with this finalized slot teaches another committee than the one that is known.
    event CommitteeContradicted(uint64 indexed period, uint64 indexed slot, bytes32 known, bytes32 other);

    /// @notice Two proven statements disagree about this finalized slot.
    error SlotContradicted(uint64 slot);

    /// @notice Since when two proven statements are known to disagree about a finalized slot, Unix time in seconds; zero
    /// if none are.
    function contradictedAt(uint64 slot) public view returns (uint256 time) {
        return _contradictedAt[slot];
    }

    function _contradict(uint64 slot, bytes32 known, bytes32 other) internal {
        _markContradicted(slot);
        emit Contradicted(slot, known, other);
    }

    function _contradictCommittee(uint64 period, uint64 slot, bytes32 known, bytes32 other) internal {
        _markContradicted(slot);
        emit CommitteeContradicted(period, slot, known, other);
    }

    function _requireUncontradicted(uint64 slot) internal view {
        if (_contradictedAt[slot] != 0) revert SlotContradicted(slot);
    }

    function _markContradicted(uint64 slot) private {
        if (_contradictedAt[slot] == 0) _contradictedAt[slot] = block.timestamp;
    }
}
