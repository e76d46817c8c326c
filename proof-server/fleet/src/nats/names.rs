//! Names at the broker.

use sextant_protocol::JobKey;

use crate::{Bucket, Lane, Line, ObjectName, Stage, StageId, StageMessage, Worker};

/// The streams of a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum StreamOf {
    Jobs,
    Made,
    Done,
    Interest,
    Dead,
    Workers,
    Pauses,
    Accounts,
    Objects(Bucket),
}

impl StreamOf {
    pub(super) const ALL: [Self; 11] = [
        Self::Jobs,
        Self::Made,
        Self::Done,
        Self::Interest,
        Self::Dead,
        Self::Workers,
        Self::Pauses,
        Self::Accounts,
        Self::Objects(Bucket::Inputs),
        Self::Objects(Bucket::Parts),
        Self::Objects(Bucket::Proofs),
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Jobs => "job",
            Self::Made => "made",
            Self::Done => "done",
            Self::Interest => "interest",
            Self::Dead => "dead",
            Self::Workers => "worker",
            Self::Pauses => "pause",
            Self::Accounts => "account",
            Self::Objects(bucket) => bucket.as_str(),
        }
    }
}

/// The line of a consumer, by its name.
pub(super) fn line_of_consumer(name: &str) -> Option<Line> {
    let mut words = name.rsplitn(3, '-');
    let (lane, release, stage) = (words.next()?, words.next()?, words.next()?);
    line(stage, release, lane)
}

fn line(stage: &str, release: &str, lane: &str) -> Option<Line> {
    let lane = Lane::ALL.into_iter().find(|known| known.as_str() == lane)?;
    Some(Line { stage: stage.parse().ok()?, release: release.parse().ok()?, lane })
}

/// Makes the names of one fleet.
#[derive(Clone, Debug)]
pub(super) struct Names(pub(super) Worker);

impl Names {
    pub(super) fn stream(&self, stream: StreamOf) -> String {
        format!("{}_{}", self.0, stream.word()).to_uppercase()
    }

    /// Everything in a stream.
    pub(super) fn all(&self, stream: StreamOf) -> String {
        format!("{}.{}.>", self.0, stream.word())
    }

    pub(super) fn message(&self, message: &StageMessage) -> String {
        self.jobs_of(&message.line(), &message.id.job.to_string())
    }

    /// All messages of a line.
    pub(super) fn line(&self, line: &Line) -> String {
        self.jobs_of(line, "*")
    }

    fn jobs_of(&self, line: &Line, job: &str) -> String {
        format!("{}.job.{}.{}.{}.{job}", self.0, line.stage, line.release, line.lane.as_str())
    }

    /// All messages of a job.
    pub(super) fn messages(&self, job: &JobKey) -> String {
        format!("{}.job.*.*.*.{job}", self.0)
    }

    pub(super) fn made(&self, id: &StageId) -> String {
        format!("{}.made.{id}", self.0)
    }

    /// All parts of a stage.
    pub(super) fn parts(&self, job: &JobKey, generation: u32, stage: &Stage) -> String {
        format!("{}.made.{job}.{generation}.{stage}.*", self.0)
    }

    pub(super) fn done(&self, job: &JobKey) -> String {
        format!("{}.done.{job}", self.0)
    }

    /// Not stored: lost progress is no loss.
    pub(super) fn progress(&self, job: &JobKey) -> String {
        format!("{}.progress.{job}", self.0)
    }

    pub(super) fn interest(&self, job: &JobKey, whose: &str) -> String {
        format!("{}.interest.{job}.{whose}", self.0)
    }

    pub(super) fn letter(&self, id: &str) -> String {
        format!("{}.dead.letter.{id}", self.0)
    }

    /// Why message `name` was put back last.
    pub(super) fn reason(&self, name: &str) -> String {
        format!("{}.dead.reason.{name}", self.0)
    }

    /// How many workers have had message `name`. Among what was made: known for as long.
    pub(super) fn taken(&self, name: &str) -> String {
        format!("{}.made.taken.{name}", self.0)
    }

    /// All that was made for a job.
    pub(super) fn all_made(&self, job: &JobKey) -> String {
        format!("{}.made.{job}.>", self.0)
    }

    /// What a subject of [`Self::made`] was made for.
    pub(super) fn made_for(&self, job: JobKey, subject: &str) -> Option<StageId> {
        let rest = subject.strip_prefix(&format!("{}.made.{job}.", self.0))?;
        let mut words = rest.split('.');
        let (generation, stage, part) = (words.next()?, words.next()?, words.next()?);
        let (stage, part) = (stage.parse().ok()?, part.parse().ok()?);
        Some(StageId { job, generation: generation.parse().ok()?, stage, part })
    }

    pub(super) fn worker(&self, worker: &Worker) -> String {
        format!("{}.worker.{worker}", self.0)
    }

    /// All pauses.
    pub(super) fn pauses(&self) -> String {
        format!("{}.pause.all", self.0)
    }

    /// What a client has had made.
    pub(super) fn account(&self, account: &[u8; 32]) -> String {
        format!("{}.account.{}", self.0, hex::encode(account))
    }

    /// The line of a message, by its subject.
    pub(super) fn line_of(&self, subject: &str) -> Option<Line> {
        let mut words = subject.strip_prefix(&format!("{}.job.", self.0))?.split('.');
        line(words.next()?, words.next()?, words.next()?)
    }

    /// All heads of a bucket.
    pub(super) fn heads(&self, bucket: Bucket) -> String {
        let key = if bucket == Bucket::Parts { "*.*.*.*" } else { "*" };
        format!("{}.{}.{key}.head", self.0, bucket.as_str())
    }

    /// What an object is, and where its bytes are.
    pub(super) fn head(&self, object: &ObjectName) -> String {
        format!("{}.{}.{}.head", self.0, object.bucket().as_str(), object.key())
    }

    /// Bytes of an object, of one writer's: a number, or `*` for all.
    pub(super) fn chunk(&self, object: &ObjectName, writer: &str, number: &str) -> String {
        format!("{}.{}.{}.chunk.{writer}.{number}", self.0, object.bucket().as_str(), object.key())
    }

    /// All of an object.
    pub(super) fn object(&self, object: &ObjectName) -> String {
        format!("{}.{}.{}.>", self.0, object.bucket().as_str(), object.key())
    }

    /// The object that a subject belongs to.
    pub(super) fn object_of(&self, subject: &str) -> Option<ObjectName> {
        let rest = subject.strip_prefix(self.0.as_str())?.strip_prefix('.')?;
        let (bucket, rest) = rest.split_once('.')?;
        let key = rest.strip_suffix(".head").or_else(|| rest.split_once(".chunk.").map(|(key, _)| key))?;
        format!("{bucket}/{key}").parse().ok()
    }
}
