// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ISP1Verifier} from "./ISP1Verifier.sol";

/// @notice What the light client takes on trust besides the first committee.
struct Trust {
    /// @dev Verifier of proofs, or a gateway to several.
    ISP1Verifier verifier;
    /// @dev Hash of the committee change program's verifying key.
    bytes32 committeeChangeKey;
    /// @dev Hash of the inclusion program's verifying key.
    bytes32 inclusionKey;
    /// @dev Digest of the chain: genesis, preset and fork schedule. It changes when a fork is dated.
    bytes32 chainDigest;
}

/// @title Who may replace what is trusted, and how slowly
/// @notice A new {Trust} is announced, may be looked at by everybody for {delay} seconds, and only then executed. The
/// role itself moves in two steps, or is renounced for good.
abstract contract Guardian {
    /// @notice How long an announcement can be executed once its delay is over.
    uint64 public constant EXECUTION_WINDOW = 14 days;

    /// @notice Seconds between announcement and execution, at least.
    uint64 public immutable delay;
    /// @notice Who announces; zero if renounced.
    address public guardian;
    /// @notice Who may take the role over by accepting it; zero if nobody.
    address public nextGuardian;
    /// @notice `keccak256(abi.encode(Trust))` of what is announced; zero if nothing is.
    bytes32 public announced;
    /// @notice When it may be executed, Unix time in seconds.
    uint64 public executableFrom;

    // What was trusted at deployment is part of the code, which costs a submission nothing to read. Storage is read only
    // once it was replaced.
    ISP1Verifier private immutable _firstVerifier;
    bytes32 private immutable _firstCommitteeChangeKey;
    bytes32 private immutable _firstInclusionKey;
    bytes32 private immutable _firstChainDigest;
    Trust private _replacement;
    /// @notice Whether what is trusted was ever replaced.
    bool public trustReplaced;

    /// @notice A replacement was announced.
    event TrustAnnounced(Trust trust, uint64 executableFrom);
    /// @notice An announcement was withdrawn.
    event AnnouncementCancelled(bytes32 indexed announced);
    /// @notice What is trusted is now this.
    event TrustReplaced(Trust trust);
    /// @notice The role was offered; zero withdraws the offer.
    event GuardianOffered(address indexed from, address indexed to);
    /// @notice The role moved, or was renounced if `to` is zero.
    event GuardianChanged(address indexed from, address indexed to);

    /// @notice The caller is not who may do this.
    error NotAllowed(address caller);
    /// @notice A guardian without delay.
    error NoDelay();
    /// @notice There is no code at the verifier's address.
    error NoVerifier(address verifier);
    /// @notice A verifying key or the chain digest is zero, or both programs have the same key.
    error IncompleteTrust();
    /// @notice One announcement at a time: cancel the other first.
    error AlreadyAnnounced(bytes32 announced);
    /// @notice Not what was announced.
    error NotAnnounced(bytes32 trust);
    /// @notice The delay is not over.
    error TooEarly(uint256 time, uint64 executableFrom);
    /// @notice The announcement lapsed: cancel it.
    error TooLate(uint256 time, uint256 executableUntil);

    modifier onlyGuardian() {
        if (msg.sender != guardian) revert NotAllowed(msg.sender);
        _;
    }

    constructor(Trust memory initial, address guardian_, uint64 delay_) {
        if (guardian_ != address(0) && delay_ == 0) revert NoDelay();
        _check(initial);
        _firstVerifier = initial.verifier;
        _firstCommitteeChangeKey = initial.committeeChangeKey;
        _firstInclusionKey = initial.inclusionKey;
        _firstChainDigest = initial.chainDigest;
        guardian = guardian_;
        delay = delay_;
        emit TrustReplaced(initial);
        emit GuardianChanged(address(0), guardian_);
    }

    /// @notice What is trusted now.
    function trust() external view returns (Trust memory) {
        return Trust(_verifier(), _committeeChangeKey(), _inclusionKey(), _chainDigest());
    }

    /// @notice Announces a replacement. It counts only when executed, after {delay}.
    function announce(Trust calldata next) external onlyGuardian {
        if (announced != 0) revert AlreadyAnnounced(announced);
        _check(next);
        announced = keccak256(abi.encode(next));
        executableFrom = uint64(block.timestamp) + delay;
        emit TrustAnnounced(next, executableFrom);
    }

    /// @notice Withdraws what is announced.
    function cancel() external onlyGuardian {
        if (announced == 0) revert NotAnnounced(0);
        _cancel();
    }

    /// @notice Puts into force exactly what was announced.
    function execute(Trust calldata next) external onlyGuardian {
        bytes32 hash = keccak256(abi.encode(next));
        if (hash != announced) revert NotAnnounced(hash);
        if (block.timestamp < executableFrom) revert TooEarly(block.timestamp, executableFrom);
        uint256 executableUntil = uint256(executableFrom) + EXECUTION_WINDOW;
        if (block.timestamp > executableUntil) revert TooLate(block.timestamp, executableUntil);
        _check(next);
        delete announced;
        delete executableFrom;
        _replacement = next;
        trustReplaced = true;
        emit TrustReplaced(next);
    }

    /// @notice Offers the role. It moves when `to` accepts; zero withdraws the offer.
    function offerGuardian(address to) external onlyGuardian {
        nextGuardian = to;
        emit GuardianOffered(msg.sender, to);
    }

    /// @notice Takes over the role that was offered. What the former guardian announced is cancelled.
    function acceptGuardian() external {
        if (msg.sender != nextGuardian) revert NotAllowed(msg.sender);
        _setGuardian(msg.sender);
    }

    /// @notice Gives the role up for good: what is trusted now can never be replaced again.
    function renounceGuardian() external onlyGuardian {
        _setGuardian(address(0));
    }

    function _verifier() internal view returns (ISP1Verifier) {
        return trustReplaced ? _replacement.verifier : _firstVerifier;
    }

    function _committeeChangeKey() internal view returns (bytes32) {
        return trustReplaced ? _replacement.committeeChangeKey : _firstCommitteeChangeKey;
    }

    function _inclusionKey() internal view returns (bytes32) {
        return trustReplaced ? _replacement.inclusionKey : _firstInclusionKey;
    }

    function _chainDigest() internal view returns (bytes32) {
        return trustReplaced ? _replacement.chainDigest : _firstChainDigest;
    }

    function _setGuardian(address to) private {
        if (announced != 0) _cancel();
        emit GuardianChanged(guardian, to);
        guardian = to;
        delete nextGuardian;
    }

    function _cancel() private {
        emit AnnouncementCancelled(announced);
        delete announced;
        delete executableFrom;
    }

    function _check(Trust memory candidate) private view {
        if (address(candidate.verifier).code.length == 0) revert NoVerifier(address(candidate.verifier));
        if (
            candidate.committeeChangeKey == 0 || candidate.inclusionKey == 0 || candidate.chainDigest == 0
                || candidate.committeeChangeKey == candidate.inclusionKey
        ) revert IncompleteTrust();
    }
}
