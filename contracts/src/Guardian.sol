// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Who may change what is trusted, and how slowly
/// @notice A change is announced, may be looked at by everybody for {delay} seconds, and only then executed. What can be
/// changed is the inheriting contracts' matter: here it is a hash. The role itself moves in two steps, or is renounced
/// for good.
abstract contract Guardian {
    /// @notice How long an announcement can be executed once its delay is over.
    uint64 public constant EXECUTION_WINDOW = 14 days;

    /// @notice Seconds between announcement and execution, at least.
    uint64 public immutable delay;
    /// @notice Who announces; zero if renounced.
    address public guardian;
    /// @notice Who may take the role over by accepting it; zero if nobody.
    address public nextGuardian;
    /// @notice `keccak256(abi.encode(...))` of what is announced; zero if nothing is.
    bytes32 public announced;
    /// @notice When it may be executed, Unix time in seconds.
    uint64 public executableFrom;

    /// @notice An announcement was withdrawn.
    event AnnouncementCancelled(bytes32 indexed announced);
    /// @notice The role was offered; zero withdraws the offer.
    event GuardianOffered(address indexed from, address indexed to);
    /// @notice The role moved, or was renounced if `to` is zero.
    event GuardianChanged(address indexed from, address indexed to);

    /// @notice The caller is not who may do this.
    error NotAllowed(address caller);
    /// @notice A guardian without delay.
    error NoDelay();
    /// @notice One announcement at a time: cancel the other first.
    error AlreadyAnnounced(bytes32 announced);
    /// @notice Not what was announced.
    error NotAnnounced(bytes32 change);
    /// @notice The delay is not over.
    error TooEarly(uint256 time, uint64 executableFrom);
    /// @notice The announcement lapsed: cancel it.
    error TooLate(uint256 time, uint256 executableUntil);

    modifier onlyGuardian() {
        if (msg.sender != guardian) revert NotAllowed(msg.sender);
        _;
    }

    constructor(address guardian_, uint64 delay_) {
        if (guardian_ != address(0) && delay_ == 0) revert NoDelay();
        guardian = guardian_;
        delay = delay_;
        emit GuardianChanged(address(0), guardian_);
    }

    /// @notice Withdraws what is announced.
    function cancel() external onlyGuardian {
        if (announced == 0) revert NotAnnounced(0);
        _cancel();
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

    /// @notice Gives the role up for good: what is trusted now can never be changed again.
    function renounceGuardian() external onlyGuardian {
        _setGuardian(address(0));
    }

    /// @dev Announces a change by its hash. Returns when it may be executed.
    function _announce(bytes32 change) internal onlyGuardian returns (uint64 from) {
        if (announced != 0) revert AlreadyAnnounced(announced);
        announced = change;
        from = uint64(block.timestamp) + delay;
        executableFrom = from;
    }

    /// @dev Returns if this very change was announced and its delay is over; it is announced no longer then.
    function _execute(bytes32 change) internal onlyGuardian {
        if (change != announced) revert NotAnnounced(change);
        if (block.timestamp < executableFrom) revert TooEarly(block.timestamp, executableFrom);
        uint256 executableUntil = uint256(executableFrom) + EXECUTION_WINDOW;
        if (block.timestamp > executableUntil) revert TooLate(block.timestamp, executableUntil);
        delete announced;
        delete executableFrom;
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
}
