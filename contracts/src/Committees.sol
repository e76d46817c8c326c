// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Contradictions} from "./Contradictions.sol";
import {Guardian} from "./Guardian.sol";
import {Head, Learned} from "./PublicValues.sol";

/// @title The sync committees that are known, by period
/// @notice Each is learned from the one before it. A committee, once known, never changes. Where a whole period passed
/// without a finalized header no committee can hand over: then the guardian may name the next one, as slowly as
/// everything else.
abstract contract Committees is Contradictions, Guardian {
    mapping(uint64 period => bytes32) private _committees;

    /// @notice A committee became known.
    event CommitteeLearned(uint64 indexed period, bytes32 committeeRoot);
    /// @notice The guardian wants a committee to become known that no other handed over to.
    event CommitteeAnnounced(uint64 indexed period, bytes32 committeeRoot, uint64 executableFrom);

    /// @notice No committee is known for this period.
    error UnknownCommittee(uint64 period);
    /// @notice A committee is known for this period: it is not the guardian's to name.
    error CommitteeKnown(uint64 period, bytes32 known);
    /// @notice A committee's root is zero.
    error NoCommittee(uint64 period);
    /// @notice The statement begins at another committee than the one known for this period.
    error UntrustedCommittee(uint64 period, bytes32 got, bytes32 known);
    /// @notice Learned periods do not follow the signer's, one by one; or a committee change teaches none.
    error LearnedOutOfOrder();

    /// @notice The committee root known for a period. Reverts if none is.
    function committeeRoot(uint64 period) public view returns (bytes32 root) {
        root = _committees[period];
        if (root == 0) revert UnknownCommittee(period);
    }

    /// @notice Announces the committee of a period that nobody can hand over to any more. It counts only when executed,
    /// after {delay}.
    function announceCommittee(uint64 period, bytes32 root) external {
        uint64 from = _announce(keccak256(abi.encode(period, root)));
        _requireUnknown(period, root);
        emit CommitteeAnnounced(period, root, from);
    }

    /// @notice Makes exactly the announced committee known, unless one was learned meanwhile.
    function executeCommittee(uint64 period, bytes32 root) external {
        _execute(keccak256(abi.encode(period, root)));
        _requireUnknown(period, root);
        _learn(period, root);
    }

    /// @dev Roots of consecutive periods; zero where none is known.
    function _knownCommittees(uint64 first, uint64 count) internal view returns (bytes32[] memory roots) {
        roots = new bytes32[](count);
        for (uint64 i = 0; i < count; ++i) {
            roots[i] = _committees[first + i];
        }
    }

    /// @dev Whoever signed must be known for the period.
    function _requireSigner(Head calldata head) internal view {
        bytes32 known = committeeRoot(head.signerPeriod);
        if (known != head.signerCommitteeRoot) {
            revert UntrustedCommittee(head.signerPeriod, head.signerCommitteeRoot, known);
        }
    }

    /// @dev Learned committees follow one another. Returns whether one of them is new, and whether all agree with what is
    /// known.
    function _compareLearned(Head calldata head, Learned[] calldata learned)
        internal
        view
        returns (bool isNew, bool agrees)
    {
        uint64 period = head.signerPeriod;
        agrees = true;
        for (uint256 i = 0; i < learned.length; ++i) {
            ++period;
            bytes32 root = learned[i].committeeRoot;
            if (learned[i].period != period || root == 0) revert LearnedOutOfOrder();
            bytes32 known = _committees[period];
            if (known == 0) isNew = true;
            else if (known != root) agrees = false;
        }
    }

    /// @dev Only for statements that agree with what is known.
    function _learnAll(Learned[] calldata learned) internal {
        for (uint256 i = 0; i < learned.length; ++i) {
            _learn(learned[i].period, learned[i].committeeRoot);
        }
    }

    /// @dev Nothing is learned from a statement that disagrees: it is recorded on what.
    function _recordDisagreement(Head calldata head, Learned[] calldata learned) internal {
        for (uint256 i = 0; i < learned.length; ++i) {
            uint64 period = learned[i].period;
            (bytes32 known, bytes32 other) = (_committees[period], learned[i].committeeRoot);
            if (known != 0 && known != other) {
                _contradictCommittee(period, head.finalizedSlot, known, other);
            }
        }
    }

    /// @dev What is known is left alone.
    function _learn(uint64 period, bytes32 root) internal {
        if (_committees[period] != 0) return;
        _committees[period] = root;
        emit CommitteeLearned(period, root);
    }

    function _requireUnknown(uint64 period, bytes32 root) private view {
        if (root == 0) revert NoCommittee(period);
        if (_committees[period] != 0) revert CommitteeKnown(period, _committees[period]);
    }
}
