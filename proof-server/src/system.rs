//! System calls that the standard library has no safe form of. All that is unsafe in this crate is here, but for the
//! allocator; every function takes what makes it sound.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

/// Kills a process group. Its leader must not have been reaped, or only just: then its number is still its own.
pub(crate) fn kill_group(leader: u32) {
    if let Ok(group) = i32::try_from(leader) {
        // SAFETY: a plain system call.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
}

/// Takes note of the ends of a group's processes, as far as they are this process's to take: a worker's children are,
/// once the worker is gone, where this process is the first of its container. True when none is left.
pub(crate) fn reap_group(leader: u32) -> bool {
    let Ok(group) = i32::try_from(leader) else { return true };
    loop {
        // SAFETY: a plain system call; a null status is not written.
        match unsafe { libc::waitpid(-group, std::ptr::null_mut(), libc::WNOHANG) } {
            0 => return false,
            1.. => {}
            _ => return true,
        }
    }
}

/// Ends the other processes of this process's group, if it leads one.
pub(crate) fn end_own_group() {
    // SAFETY: plain system calls. Who leads no group (started by hand) signals nobody.
    unsafe {
        if libc::getpgrp() == libc::getpid() {
            libc::signal(libc::SIGTERM, libc::SIG_IGN);
            libc::kill(0, libc::SIGTERM);
        }
    }
}

/// Lets others go first for the processor, by `by` steps of niceness. Only threads that are started afterwards, and this
/// one, are meant.
pub(crate) fn lower_priority(by: i32) {
    // SAFETY: a plain system call. That it did not work is no loss but of courtesy.
    unsafe { libc::nice(by) };
}

/// Says whether this process, and those that it starts from now on, may get memory in pages of two megabytes. Provers are
/// faster with them; for who waits for requests they are ten megabytes that nothing is in, since the allocator asks for
/// them in either.
pub fn allow_large_pages(allow: bool) {
    // SAFETY: a plain system call, with the unused arguments that it demands. A kernel that knows no such pages refuses.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, libc::c_ulong::from(!allow), 0, 0, 0) };
}

/// Gives a pipe room for `bytes`. Without it, what is larger goes through in turns of 64 KiB, which only takes longer.
pub(crate) fn widen(pipe: &impl AsFd, bytes: i32) {
    // SAFETY: a plain system call on a descriptor that is open as long as it is borrowed.
    unsafe { libc::fcntl(pipe.as_fd().as_raw_fd(), libc::F_SETPIPE_SZ, bytes) };
}

/// Bounds what a connection takes ahead of what it has sent. Without it the system takes megabytes at once and asks for
/// more only when a good part of them is gone, so that a client that reads slowly looks like one that does not read.
pub(crate) fn bound_unsent(socket: &impl AsFd, bytes: u32) -> io::Result<()> {
    let length = size_of::<u32>() as libc::socklen_t;
    // SAFETY: a plain system call on a descriptor that is open as long as it is borrowed; the value lives on this stack.
    let set = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_NOTSENT_LOWAT,
            (&raw const bytes).cast(),
            length,
        )
    };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes standard output for itself, and has whatever else prints end up in standard error.
pub(crate) fn claim_stdout() -> io::Result<File> {
    // Closed in programs that are started: they would keep the pipe open.
    let claimed = io::stdout().as_fd().try_clone_to_owned()?;
    // SAFETY: both descriptors are the process's own for as long as it lives; 1 goes on being open.
    if unsafe { libc::dup2(io::stderr().as_raw_fd(), 1) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(claimed.into())
}

/// Waits until the other end of a pipe is closed; false if it is no pipe.
pub(crate) fn wait_for_hangup(pipe: BorrowedFd<'_>) -> bool {
    loop {
        let mut polled = libc::pollfd { fd: pipe.as_raw_fd(), events: 0, revents: 0 };
        // SAFETY: one descriptor, whose entry lives on this stack.
        if unsafe { libc::poll(&raw mut polled, 1, -1) } > 0 {
            return polled.revents & (libc::POLLHUP | libc::POLLERR) != 0;
        }
    }
}
