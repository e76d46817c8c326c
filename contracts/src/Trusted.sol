// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Guardian} from "./Guardian.sol";
import {ISP1Verifier} from "./ISP1Verifier.sol";
import {Head} from "./PublicValues.sol";

/// @notice What the light client takes on trust besides the first committee.
struct Trust {
    /// @dev Verifier of proofs, or a gateway to several.
    ISP1Verifier verifier;
    /// @dev The first four bytes of every proof: the circuits that count. A gateway chooses a verifier by them, so that
    /// whoever adds verifiers to it gains nothing here.
    bytes4 selector;
    /// @dev First slot of the fork that only `nextChainDigest` has; zero if there is none.
    uint64 forkSlot;
    /// @dev Hash of the committee change program's verifying key.
    bytes32 committeeChangeKey;
    /// @dev Hash of the inclusion program's verifying key.
    bytes32 inclusionKey;
    /// @dev Hash of the bundle program's verifying key; zero if bundles are not accepted. That program has the keys of the
    /// other two in it: it is replaced together with them.
    bytes32 bundleKey;
    /// @dev Digest of the chain: genesis, preset and fork schedule. It changes when a fork is dated.
    bytes32 chainDigest;
    /// @dev Digest of the same chain once its next fork is dated; zero if it is not.
    bytes32 nextChainDigest;
}

/// @title What is trusted, and its replacement
/// @notice A new {Trust} is announced by the guardian and executed after the delay, whole.
abstract contract Trusted is Guardian {
    // What was trusted at deployment is part of the code, which costs a submission nothing to read. Storage is read only
    // once it was replaced.
    ISP1Verifier private immutable _firstVerifier;
    bytes4 private immutable _firstSelector;
    uint64 private immutable _firstForkSlot;
    bytes32 private immutable _firstCommitteeChangeKey;
    bytes32 private immutable _firstInclusionKey;
    bytes32 private immutable _firstBundleKey;
    bytes32 private immutable _firstChainDigest;
    bytes32 private immutable _firstNextChainDigest;
    Trust private _replacement;
    /// @notice Whether what is trusted was ever replaced.
    bool public trustReplaced;

    /// @notice A replacement was announced.
    event TrustAnnounced(Trust trust, uint64 executableFrom);
    /// @notice What is trusted is now this.
    event TrustReplaced(Trust trust);

    /// @notice There is no code at the verifier's address.
    error NoVerifier(address verifier);
    /// @notice The selector, the chain digest or the verifying key of committee changes or inclusions is zero, two programs
    /// have the same key, or of the next fork's slot and digest one is missing.
    error IncompleteTrust();
    /// @notice No bundle program is trusted here: submit the statements one by one.
    error NoBundles();
    /// @notice The statement is about another chain, or another fork schedule.
    error WrongChain(bytes32 got, bytes32 expected);
    /// @notice The statement's fork schedule leaves out a fork that has begun at its finalized slot.
    error ForkLeftOut(uint64 finalizedSlot, uint64 forkSlot);
    /// @notice The proof is by other circuits than those that count.
    error WrongCircuits(bytes4 got, bytes4 expected);

    constructor(Trust memory initial) {
        _checkTrust(initial);
        _firstVerifier = initial.verifier;
        _firstSelector = initial.selector;
        _firstForkSlot = initial.forkSlot;
        _firstCommitteeChangeKey = initial.committeeChangeKey;
        _firstInclusionKey = initial.inclusionKey;
        _firstBundleKey = initial.bundleKey;
        _firstChainDigest = initial.chainDigest;
        _firstNextChainDigest = initial.nextChainDigest;
        emit TrustReplaced(initial);
    }

    /// @notice What is trusted now.
    function trust() public view returns (Trust memory) {
        if (trustReplaced) return _replacement;
        return Trust(
            _firstVerifier,
            _firstSelector,
            _firstForkSlot,
            _firstCommitteeChangeKey,
            _firstInclusionKey,
            _firstBundleKey,
            _firstChainDigest,
            _firstNextChainDigest
        );
    }

    /// @notice Announces a replacement. It counts only when executed, after {delay}.
    function announce(Trust calldata next) external {
        uint64 from = _announce(keccak256(abi.encode(next)));
        _checkTrust(next);
        emit TrustAnnounced(next, from);
    }

    /// @notice Puts into force exactly what was announced.
    function execute(Trust calldata next) external {
        _execute(keccak256(abi.encode(next)));
        _checkTrust(next);
        _replacement = next;
        trustReplaced = true;
        emit TrustReplaced(next);
    }

    function _committeeChangeKey() internal view returns (bytes32) {
        return trustReplaced ? _replacement.committeeChangeKey : _firstCommitteeChangeKey;
    }

    function _inclusionKey() internal view returns (bytes32) {
        return trustReplaced ? _replacement.inclusionKey : _firstInclusionKey;
    }

    function _bundleKey() internal view returns (bytes32 key) {
        key = trustReplaced ? _replacement.bundleKey : _firstBundleKey;
        if (key == 0) revert NoBundles();
    }

    /// @dev Whether this is the chain, by one of the fork schedules that count. Returns the first slot at which this one does
    /// not any more, zero if there is none: that of the next fork, if it leaves it out.
    function _requireChain(bytes32 digest) internal view returns (uint64 forkSlot) {
        bytes32 known = trustReplaced ? _replacement.chainDigest : _firstChainDigest;
        if (digest == known) return trustReplaced ? _replacement.forkSlot : _firstForkSlot;
        bytes32 next = trustReplaced ? _replacement.nextChainDigest : _firstNextChainDigest;
        if (next == 0 || digest != next) revert WrongChain(digest, known);
    }

    /// @dev Below the next fork's first slot both schedules say the same: proofs by either count there. From it on only
    /// the one that has the fork does. Why a prover gains nothing by leaving it out: docs/security.md.
    function _requireSchedule(Head calldata head) internal view {
        uint64 forkSlot = _requireChain(head.chainDigest);
        if (forkSlot != 0 && head.finalizedSlot >= forkSlot) {
            revert ForkLeftOut(head.finalizedSlot, forkSlot);
        }
    }

    /// @dev Returns if the verifier accepts the proof.
    function _verify(bytes32 key, bytes calldata publicValues, bytes calldata proof) internal view {
        (ISP1Verifier verifier, bytes4 selector) =
            trustReplaced ? (_replacement.verifier, _replacement.selector) : (_firstVerifier, _firstSelector);
        if (bytes4(proof) != selector) revert WrongCircuits(bytes4(proof), selector);
        verifier.verifyProof(key, publicValues, proof);
    }

    function _checkTrust(Trust memory candidate) private view {
        if (address(candidate.verifier).code.length == 0) revert NoVerifier(address(candidate.verifier));
        if (
            candidate.selector == 0 || candidate.committeeChangeKey == 0 || candidate.inclusionKey == 0
                || candidate.committeeChangeKey == candidate.inclusionKey
                || candidate.committeeChangeKey == candidate.bundleKey
                || candidate.inclusionKey == candidate.bundleKey || candidate.chainDigest == 0
                || candidate.chainDigest == candidate.nextChainDigest
                || (candidate.nextChainDigest == 0) != (candidate.forkSlot == 0)
        ) revert IncompleteTrust();
    }
}
