// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Archive} from "./Archive.sol";
import {Bundles} from "./Bundles.sol";
import {Committees} from "./Committees.sol";
import {Events} from "./Events.sol";
import {Guardian} from "./Guardian.sol";
import {CommitteeChange, Head, Inclusion, Learned, Part, PublicValues} from "./PublicValues.sol";
import {Trust, Trusted} from "./Trusted.sol";

/// @notice What a statement is worth to a light client that knows what it knows.
enum Worth {
    /// @dev All of it is known.
    Nothing,
    /// @dev It teaches another committee than the one that is known.
    Disagreement,
    /// @dev Nothing but execution facts of a known header, of which none are kept.
    Facts,
    News
}

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

/// @notice All that a relayer chooses by what to prove and to submit, as it is in one block.
struct Knowledge {
    Trust trust;
    Rules rules;
    /// @dev Who may replace what is trusted, and how many seconds it is announced ahead.
    address guardian;
    uint64 delay;
    /// @dev The block's time, Unix time in seconds.
    uint64 time;
    uint64 headSlot;
    bytes23 headRootPrefix;
    /// @dev Roots of the committees of the periods that were asked for; zero where none is known.
    bytes32[] committees;
}

/// @title Light client of an Ethereum chain
/// @notice Follows the sync committees by proofs of committee changes, and accepts proofs about accounts, storage slots,
/// transactions and logs under finalized headers. Anybody may submit; nothing but a proof changes what is known. What a proof is worth,
/// and what not: docs/contracts.md and docs/security.md.
contract LightClient is Archive, Events, Committees, Bundles {
    /// @notice Time of slot 0, Unix time in seconds.
    uint64 public immutable genesisTime;
    /// @notice Seconds per slot.
    uint64 public immutable secondsPerSlot;
    /// @notice Seconds that a statement's finalized slot may lie back when it is submitted.
    uint64 public immutable maxAge;
    /// @notice Seats that must have signed.
    uint32 public immutable minParticipation;

    // These two and {Trusted.trustReplaced} before them share a storage word: what every submission reads and writes.

    /// @notice The highest finalized slot known. It never falls.
    uint64 public headSlot;
    /// @notice The first 23 bytes of the beacon block root there: as many as fit in a word beside the slot. They tell
    /// another header from this one; the whole root is read from the statement.
    bytes23 public headRootPrefix;

    /// @notice The head moved forward.
    event HeadMoved(uint64 indexed slot, bytes32 finalizedRoot);

    /// @notice The rules or the checkpoint are incomplete.
    error IncompleteRules();
    /// @notice Every committee is known, the header is not newer than the head, and it has no execution facts that are not
    /// kept of it.
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
    ) Guardian(guardian_, delay_) Trusted(trust_) {
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

    /// @notice Submits a proof that a known committee handed over, over one or many periods. One that contradicts what is
    /// known teaches nothing: it is recorded that it does.
    /// @param publicValues `abi.encode` of a {CommitteeChange}, as the proof commits to it.
    /// @param proof The proof, as the verifier expects it.
    function submitCommitteeChange(bytes calldata publicValues, bytes calldata proof) external {
        bytes32 digest = _requireNew(publicValues);
        _submit(
            PublicValues.COMMITTEE_CHANGE, publicValues, digest, _committeeChangeKey(), publicValues, proof
        );
    }

    /// @notice Submits a proof about accounts, slots, transactions and logs. The finalized header may lie behind the head,
    /// within {maxAge}: what it says is read with its slot. The head moves forward only. Where the proof begins with handovers
    /// from a known committee to the one that signed, their committees are learned as from a committee change.
    /// @param publicValues `abi.encode` of an {Inclusion}, as the proof commits to it.
    /// @param proof The proof, as the verifier expects it.
    function submitInclusion(bytes calldata publicValues, bytes calldata proof) external {
        bytes32 digest = _requireNew(publicValues);
        _submit(PublicValues.INCLUSION, publicValues, digest, _inclusionKey(), publicValues, proof);
    }

    /// @notice Submits one proof of many statements. Each is taken in its turn, as if it came alone after those before it: what
    /// one teaches the next ones may be signed with. If one is refused, all are, and nothing is known of any. Only what alone
    /// would be refused because it is known is passed over, so that nobody who submits a part of a bundle before voids the rest
    /// of it; where all is known the bundle is refused.
    /// @param statements The statements' public values, in the bundle's order.
    /// @param publicValues `abi.encode` of a {Bundle}, as the proof commits to it.
    /// @param proof The proof, as the verifier expects it.
    function submitBundle(bytes[] calldata statements, bytes calldata publicValues, bytes calldata proof)
        external
    {
        (Part[] calldata parts, bytes32[] memory digests) = _requireBundled(statements, publicValues);
        _verify(_bundleKey(), publicValues, proof);
        bool known = true;
        for (uint256 i = 0; i < statements.length; ++i) {
            if (_take(parts[i].program, statements[i], digests[i])) known = false;
        }
        if (known) revert NothingNewInBundle();
    }

    /// @notice Submits one statement of a bundle, with every check that it would have alone and whatever becomes of the others,
    /// which are known by their hashes only: whoever shares a proof with strangers needs nothing of theirs, and each of them
    /// submits for themselves.
    /// @param index The statement's place in the bundle, from 0.
    /// @param statement The statement's public values.
    /// @param publicValues `abi.encode` of a {Bundle}, as the proof commits to it.
    /// @param proof The proof, as the verifier expects it.
    function submitPart(
        uint256 index,
        bytes calldata statement,
        bytes calldata publicValues,
        bytes calldata proof
    ) external {
        bytes32 digest = _requireNew(statement);
        uint256 program = _requirePart(index, statement, publicValues);
        _submit(program, statement, digest, _bundleKey(), publicValues, proof);
    }

    /// @notice What is known, with the committees of `count` periods from `firstPeriod` on.
    function knowledge(uint64 firstPeriod, uint64 count) external view returns (Knowledge memory) {
        return Knowledge({
            trust: trust(),
            rules: Rules(genesisTime, secondsPerSlot, maxAge, minParticipation),
            guardian: guardian,
            delay: delay,
            time: uint64(block.timestamp),
            headSlot: headSlot,
            headRootPrefix: headRootPrefix,
            committees: _knownCommittees(firstPeriod, count)
        });
    }

    /// @dev Takes a program's statement that a proof by `key` of `publicValues` proves: its own, or a bundle's.
    function _submit(
        uint256 program,
        bytes calldata statement,
        bytes32 digest,
        bytes32 key,
        bytes calldata publicValues,
        bytes calldata proof
    ) private {
        (Head calldata head, Learned[] calldata learned, Worth worth) = _judge(program, statement, digest);
        if (worth == Worth.Nothing) revert NothingNew(head.finalizedSlot, headSlot);
        _verify(key, publicValues, proof);
        _settle(digest, head, learned, worth);
    }

    /// @dev Takes a statement that a bundle proves. Returns false, and does nothing, if it is known.
    function _take(uint256 program, bytes calldata publicValues, bytes32 digest) private returns (bool) {
        if (_isProven(digest)) return false;
        (Head calldata head, Learned[] calldata learned, Worth worth) = _judge(program, publicValues, digest);
        if (worth == Worth.Nothing) return false;
        _settle(digest, head, learned, worth);
        return true;
    }

    /// @dev All that can be said about a program's statement without its proof: refuses what breaks a rule.
    function _judge(uint256 program, bytes calldata publicValues, bytes32 digest)
        private
        view
        returns (Head calldata head, Learned[] calldata learned, Worth worth)
    {
        bool isChange = program == PublicValues.COMMITTEE_CHANGE;
        if (isChange) {
            CommitteeChange calldata statement = PublicValues.committeeChange(publicValues, digest);
            (head, learned) = (statement.head, statement.learned);
        } else {
            Inclusion calldata statement = PublicValues.inclusion(publicValues, digest);
            (head, learned) = (statement.head, statement.learned);
        }
        _check(head);
        if (isChange && learned.length == 0) revert LearnedOutOfOrder();
        (bool teaches, bool agrees) = _compareLearned(head, learned);
        if (!agrees) return (head, learned, Worth.Disagreement);
        // The head may be newer: a period's best update is often one of its first. What it teaches still counts, and so do
        // the execution facts of a header that was proven without them.
        if (isChange && !teaches && !_isNewHead(head)) {
            return (head, learned, _bringsFacts(head) ? Worth.Facts : Worth.Nothing);
        }
        return (head, learned, Worth.News);
    }

    /// @dev All that can be said about a statement's head without its proof.
    function _check(Head calldata head) private view {
        _requireSchedule(head);
        _requireSigner(head);
        if (head.participation < minParticipation) {
            revert TooFewSigners(head.participation, minParticipation);
        }
        uint256 slotTime = uint256(genesisTime) + uint256(head.finalizedSlot) * secondsPerSlot;
        if (slotTime > block.timestamp) revert FromTheFuture(head.finalizedSlot, block.timestamp);
        if (block.timestamp - slotTime > maxAge) revert TooOld(head.finalizedSlot, block.timestamp);
    }

    /// @dev Newer than the head, or another one at its slot: that is news too.
    function _isNewHead(Head calldata head) private view returns (bool) {
        return head.finalizedSlot > headSlot || !_agreesWithHead(head);
    }

    function _agreesWithHead(Head calldata head) private view returns (bool) {
        return head.finalizedSlot != headSlot || bytes23(head.finalizedRoot) == headRootPrefix;
    }

    /// @dev Records a proven statement, and learns from it unless it contradicts what is known.
    function _settle(bytes32 digest, Head calldata head, Learned[] calldata learned, Worth worth) private {
        if (worth == Worth.Disagreement) {
            _recordDisagreement(head, learned);
            _record(digest, head);
        } else if (_accept(digest, head)) {
            _learnAll(learned);
            if (worth == Worth.Facts) _keepHeader(head);
        }
    }

    /// @dev Records a proven statement. Returns false, and moves nothing, if it contradicts the head.
    function _accept(bytes32 digest, Head calldata head) private returns (bool agrees) {
        agrees = _agreesWithHead(head);
        if (!agrees) _contradict(head.finalizedSlot, headRootPrefix, head.finalizedRoot);
        _record(digest, head);
        if (head.finalizedSlot > headSlot) _setHead(head.finalizedSlot, head.finalizedRoot);
    }

    function _setHead(uint64 slot, bytes32 root) private {
        headSlot = slot;
        headRootPrefix = bytes23(root);
        emit HeadMoved(slot, root);
    }
}
