// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Archive} from "./Archive.sol";
import {Guardian, Trust} from "./Guardian.sol";
import {CommitteeChange, Head, Inclusion, PublicValues} from "./PublicValues.sol";

/// @notice Where a light client begins: a finalized header that the deployer trusts, and its sync committee.
struct Checkpoint {
    uint64 slot;
    bytes32 root;
    /// @dev Period of the committee.
    uint64 period;
    /// @dev `hash_tree_root` of the sync committee of that period.
    bytes32 committeeRoot;
}

/// @notice What a deployment demands of statements. Fixed for good.
struct Rules {
    /// @dev Time of slot 0, Unix time in seconds.
    uint64 genesisTime;
    uint64 secondsPerSlot;
    /// @dev Seconds that a statement's finalized slot may lie back when it is submitted.
    uint64 maxAge;
    /// @dev Seats of the committee that must have signed. Programs demand two thirds; more can be asked here.
    uint32 minParticipation;
}

/// @title Light client of an Ethereum chain
/// @notice Follows the sync committees by proofs of committee changes, and accepts proofs about accounts and storage
/// slots under finalized headers. Anybody may submit; nothing but a proof changes what is known. What a proof is worth,
/// and what not: docs/contracts.md and docs/security.md.
contract LightClient is Archive, Guardian {
    /// @notice Time of slot 0, Unix time in seconds.
    uint64 public immutable genesisTime;
    /// @notice Seconds per slot.
    uint64 public immutable secondsPerSlot;
    /// @notice Seconds that a statement's finalized slot may lie back when it is submitted.
    uint64 public immutable maxAge;
    /// @notice Seats that must have signed.
    uint32 public immutable minParticipation;

    // These two and {Guardian.trustReplaced} before them share a storage word: what every submission reads and writes.

    /// @notice The highest finalized slot known. It never falls.
    uint64 public headSlot;
    /// @notice The first 23 bytes of the beacon block root there: as many as fit in a word beside the slot. They tell
    /// another header from this one; the whole root is read from the statement.
    bytes23 public headRootPrefix;
    mapping(uint64 period => bytes32) private _committees;

    /// @notice A committee became known.
    event CommitteeLearned(uint64 indexed period, bytes32 committeeRoot);
    /// @notice The head moved forward.
    event HeadMoved(uint64 indexed slot, bytes32 finalizedRoot);

    /// @notice The rules or the checkpoint are incomplete.
    error IncompleteRules();
    /// @notice The statement is about another chain, or another fork schedule.
    error WrongChain(bytes32 got, bytes32 expected);
    /// @notice No committee is known for this period.
    error UnknownCommittee(uint64 period);
    /// @notice The statement begins at another committee than the one known for this period.
    error UntrustedCommittee(uint64 period, bytes32 got, bytes32 known);
    /// @notice The statement teaches another committee than the one known for this period.
    error ContradictingCommittee(uint64 period, bytes32 got, bytes32 known);
    /// @notice The statement has another finalized header at the head's slot.
    error ContradictingHeader(uint64 slot, bytes32 got, bytes23 known);
    /// @notice Learned periods do not follow the signer's, one by one, or there is none.
    error LearnedOutOfOrder();
    /// @notice Every committee is known, and the header is not newer than the head.
    error NothingNew(uint64 finalizedSlot, uint64 headSlot);
    /// @notice Fewer seats signed than this deployment demands.
    error TooFewSigners(uint32 got, uint32 expected);
    /// @notice The finalized slot has not begun yet.
    error FromTheFuture(uint64 finalizedSlot, uint256 time);
    /// @notice The finalized slot lies further back than {maxAge}.
    error TooOld(uint64 finalizedSlot, uint256 time);

    /// @param trust_ Verifier, program keys and chain.
    /// @param rules What statements must meet.
    /// @param checkpoint Where to begin.
    /// @param guardian_ Who may replace `trust_`, zero for nobody ever.
    /// @param delay_ Seconds that a replacement is announced ahead.
    constructor(
        Trust memory trust_,
        Rules memory rules,
        Checkpoint memory checkpoint,
        address guardian_,
        uint64 delay_
    ) Guardian(trust_, guardian_, delay_) {
        if (
            rules.genesisTime == 0 || rules.secondsPerSlot == 0 || rules.maxAge == 0 || checkpoint.root == 0
                || checkpoint.committeeRoot == 0
        ) revert IncompleteRules();
        genesisTime = rules.genesisTime;
        secondsPerSlot = rules.secondsPerSlot;
        maxAge = rules.maxAge;
        minParticipation = rules.minParticipation;
        _setHead(checkpoint.slot, checkpoint.root);
        _learn(checkpoint.period, checkpoint.committeeRoot);
    }

    /// @notice Submits a proof that a known committee handed over, over one or many periods.
    /// @param publicValues `abi.encode` of a {CommitteeChange}, as the proof commits to it.
    /// @param proof The proof, as the verifier expects it.
    function submitCommitteeChange(bytes calldata publicValues, bytes calldata proof) external {
        bytes32 digest = _requireNew(publicValues);
        CommitteeChange calldata statement = PublicValues.committeeChange(publicValues);
        bool isNew = _check(statement.head);
        // The head may be newer: a period's best update is often one of its first. What it teaches still counts.
        if (_checkLearned(statement)) isNew = true;
        if (!isNew) revert NothingNew(statement.head.finalizedSlot, headSlot);
        _verifier().verifyProof(_committeeChangeKey(), publicValues, proof);

        for (uint256 i = 0; i < statement.learned.length; ++i) {
            _learn(statement.learned[i].period, statement.learned[i].committeeRoot);
        }
        _accept(digest, statement.head);
    }

    /// @notice Submits a proof about accounts and slots. The finalized header may lie behind the head, within {maxAge}:
    /// what it says is read with its slot. The head moves forward only.
    /// @param publicValues `abi.encode` of an {Inclusion}, as the proof commits to it.
    /// @param proof The proof, as the verifier expects it.
    function submitInclusion(bytes calldata publicValues, bytes calldata proof) external {
        bytes32 digest = _requireNew(publicValues);
        Head calldata head = PublicValues.inclusion(publicValues).head;
        _check(head);
        _verifier().verifyProof(_inclusionKey(), publicValues, proof);
        _accept(digest, head);
    }

    /// @notice The committee root known for a period. Reverts if none is.
    function committeeRoot(uint64 period) external view returns (bytes32 root) {
        root = _committees[period];
        if (root == 0) revert UnknownCommittee(period);
    }

    /// @dev All that can be said about a statement's head without its proof. Returns if it is newer than the head.
    function _check(Head calldata head) private view returns (bool newer) {
        if (head.chainDigest != _chainDigest()) revert WrongChain(head.chainDigest, _chainDigest());
        bytes32 known = _committees[head.signerPeriod];
        if (known == 0) revert UnknownCommittee(head.signerPeriod);
        if (known != head.signerCommitteeRoot) {
            revert UntrustedCommittee(head.signerPeriod, head.signerCommitteeRoot, known);
        }
        if (head.participation < minParticipation) {
            revert TooFewSigners(head.participation, minParticipation);
        }
        uint256 slotTime = uint256(genesisTime) + uint256(head.finalizedSlot) * secondsPerSlot;
        if (slotTime > block.timestamp) revert FromTheFuture(head.finalizedSlot, block.timestamp);
        if (block.timestamp - slotTime > maxAge) revert TooOld(head.finalizedSlot, block.timestamp);
        uint64 slot = headSlot;
        if (head.finalizedSlot == slot && bytes23(head.finalizedRoot) != headRootPrefix) {
            revert ContradictingHeader(slot, head.finalizedRoot, headRootPrefix);
        }
        return head.finalizedSlot > slot;
    }

    /// @dev Learned committees follow one another and agree with what is known. Returns if one of them is new.
    function _checkLearned(CommitteeChange calldata statement) private view returns (bool isNew) {
        if (statement.learned.length == 0) revert LearnedOutOfOrder();
        uint64 period = statement.head.signerPeriod;
        for (uint256 i = 0; i < statement.learned.length; ++i) {
            ++period;
            bytes32 root = statement.learned[i].committeeRoot;
            if (statement.learned[i].period != period || root == 0) revert LearnedOutOfOrder();
            bytes32 known = _committees[period];
            if (known == 0) isNew = true;
            else if (known != root) revert ContradictingCommittee(period, root, known);
        }
    }

    /// @dev Only for committees that agree with what is known.
    function _learn(uint64 period, bytes32 root) private {
        if (_committees[period] != 0) return;
        _committees[period] = root;
        emit CommitteeLearned(period, root);
    }

    function _accept(bytes32 digest, Head calldata head) private {
        _record(digest, head);
        if (head.finalizedSlot > headSlot) _setHead(head.finalizedSlot, head.finalizedRoot);
    }

    function _setHead(uint64 slot, bytes32 root) private {
        headSlot = slot;
        headRootPrefix = bytes23(root);
        emit HeadMoved(slot, root);
    }
}
