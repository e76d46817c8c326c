//! The workers of a lane that are alive: the one that worked last, and one that rests because its start costs most.
//!
//! gnark reads gigabytes of circuit and keys, which takes it a third of its time. Its worker stays for the next proof as
//! long as there is room beside the others: when what it takes and what they need exceed the memory of a worker, it goes.

use sextant_protocol::ProofKind;

use super::{WorkerMode, process::WorkerProcess};
use crate::kinds;

/// A worker that has said it is ready.
pub(super) struct Ready {
    pub(super) mode: WorkerMode,
    pub(super) process: WorkerProcess,
}

/// The workers of a lane; at most one is at work, and not here meanwhile.
#[derive(Default)]
pub(crate) struct Crew {
    last: Option<Ready>,
    resting: Option<Ready>,
}

impl Crew {
    /// The worker of `mode`, if there is one. If not, there is room for it now: workers of other modes are ended, or rest
    /// if they are worth it and all of them stay within `limit`, bytes.
    pub(super) fn call(&mut self, mode: WorkerMode, limit: u64) -> Option<Ready> {
        // One that was killed while it was idle costs nobody a job.
        let last = self.last.take().and_then(Ready::alive);
        self.resting = self.resting.take().and_then(Ready::alive);
        let called = match last {
            Some(last) if last.mode == mode => Some(last),
            last => {
                let called = self.resting.take_if(|resting| resting.mode == mode);
                if let Some(last) = last.filter(|last| rests(last.mode)) {
                    self.resting = Some(last);
                }
                called
            }
        };
        self.make_room(needs(mode), limit);
        called
    }

    /// A worker has done its work.
    pub(super) fn give_back(&mut self, ready: Ready) {
        self.last = Some(ready);
    }

    /// Ends the worker that rests if it takes too much beside `bytes` of others.
    pub(super) fn make_room(&mut self, bytes: u64, limit: u64) {
        let resting = self.resting_memory();
        if resting > 0 && resting.saturating_add(bytes) > limit {
            self.resting = None;
            tracing::info!(mib = resting >> 20, "a worker that rested is ended: its memory is needed");
        }
    }

    /// Resident memory of the worker that rests, bytes.
    pub(super) fn resting_memory(&mut self) -> u64 {
        self.resting.as_mut().map_or(0, |resting| resting.process.inspect().memory)
    }

    /// Whether a worker waits for jobs, but for one that rests.
    pub(super) fn is_ready(&self) -> bool {
        self.last.is_some()
    }

    /// Ends them all.
    pub(super) fn dismiss(&mut self) {
        *self = Self::default();
    }
}

impl Ready {
    fn alive(mut self) -> Option<Self> {
        self.process.is_alive().then_some(self)
    }
}

/// Whether a worker that others have taken turns with is kept.
const fn rests(mode: WorkerMode) -> bool {
    matches!(mode, WorkerMode::Groth16)
}

/// Memory that a worker of this mode needs at least, bytes.
const fn needs(mode: WorkerMode) -> u64 {
    let mib = match mode {
        WorkerMode::Stark => kinds::needs_mib(ProofKind::Stark),
        WorkerMode::Compressed | WorkerMode::Wrap => kinds::needs_mib(ProofKind::Compressed),
        WorkerMode::Groth16 => kinds::needs_mib(ProofKind::Groth16),
        WorkerMode::Verify => 0,
    };
    mib << 20
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, time::Duration};

    use super::*;
    use crate::{
        circuits::CircuitsConfig,
        worker::{process::WorkerSpec, program::WorkerProgram, watch::Limits},
    };

    const PLENTY: u64 = u64::MAX;

    /// Starts workers that do nothing.
    struct Starter {
        folder: tempfile::TempDir,
    }

    impl Starter {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("worker.sh");
            std::fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            Self { folder }
        }

        fn start(&self, mode: WorkerMode) -> Ready {
            let long = Duration::from_secs(600);
            let spec = WorkerSpec {
                program: WorkerProgram::File(self.folder.path().join("worker.sh")),
                memory: PLENTY,
                limits: Limits { memory: PLENTY, time: long, silence: long },
                scratch: self.folder.path().into(),
                circuits: CircuitsConfig::default(),
            };
            Ready { mode, process: WorkerProcess::start(&spec, mode).unwrap() }
        }
    }

    /// The modes of the workers that are alive.
    fn alive(crew: &mut Crew) -> Vec<WorkerMode> {
        [&mut crew.last, &mut crew.resting]
            .into_iter()
            .flatten()
            .filter_map(|ready| ready.process.is_alive().then_some(ready.mode))
            .collect()
    }

    #[tokio::test]
    async fn one_works_at_a_time_and_only_gnarks_worker_rests() {
        use WorkerMode::{Compressed, Groth16, Stark, Wrap};
        let (starter, mut crew) = (Starter::new(), Crew::default());
        assert!(crew.call(Stark, PLENTY).is_none() && !crew.is_ready());
        for (mode, left) in [
            (Stark, &[Stark][..]),
            (Compressed, &[Compressed]),
            (Wrap, &[Wrap]),
            (Groth16, &[Groth16]),
            (Compressed, &[Compressed, Groth16]),
            (Wrap, &[Wrap, Groth16]),
        ] {
            assert!(crew.call(mode, PLENTY).is_none(), "{mode:?}");
            crew.give_back(starter.start(mode));
            assert_eq!(alive(&mut crew), left);
        }
        let called = crew.call(Groth16, PLENTY).expect("it has rested");
        assert!(alive(&mut crew).is_empty(), "the one that wrapped is ended");
        crew.give_back(called);
        assert_eq!(crew.call(Groth16, PLENTY).map(|ready| ready.mode), Some(Groth16));
    }

    #[tokio::test]
    async fn the_one_that_rests_goes_when_memory_is_short() {
        use WorkerMode::{Groth16, Stark};
        let (starter, mut crew) = (Starter::new(), Crew::default());
        let rest = |crew: &mut Crew| {
            crew.give_back(starter.start(Groth16));
            assert!(crew.call(Stark, PLENTY).is_none());
            crew.give_back(starter.start(Stark));
            assert_eq!(alive(crew), [Stark, Groth16]);
        };
        // Before another is called that is known to need more than there is.
        rest(&mut crew);
        assert!(crew.call(Stark, needs(Stark)).is_some());
        assert!(alive(&mut crew).is_empty());
        // And when another takes more than was known.
        rest(&mut crew);
        let resting = crew.resting_memory();
        crew.make_room(1 << 30, (1 << 30) + 2 * resting);
        assert_eq!(alive(&mut crew), [Stark, Groth16], "there is room");
        crew.make_room(1 << 30, 1 << 30);
        assert_eq!((alive(&mut crew), crew.resting_memory()), (vec![Stark], 0));
    }
}
