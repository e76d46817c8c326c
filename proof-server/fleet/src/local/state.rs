//! What the local queue knows. Each step is written to the journal before it counts.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant, SystemTime},
};

use sextant_protocol::{JobKey, Progress, record};
use tokio::sync::watch;

use super::{
    journal::{Journal, Kind},
    oversee::Attending,
};
use crate::{
    Account, DeadLetter, Depth, FleetError, Line, Made, Outcome, Over, Part, Pauses, QueueLimits, Stage,
    StageId, StageMessage, Submitted, Worker, watch::News,
};

/// How often what is too old is looked for.
const TIDY: Duration = Duration::from_secs(60);

pub(super) struct State {
    limits: QueueLimits,
    journal: Option<Journal>,
    /// By name.
    pub(super) messages: HashMap<String, Live>,
    /// The messages of each line that nobody has, in the order of their arrival.
    waiting: HashMap<Line, BTreeMap<u64, String>>,
    arrivals: u64,
    pub(super) made: BTreeMap<StageId, Aged<Made>>,
    outcomes: HashMap<JobKey, Aged<Outcome>>,
    dead: BTreeMap<StageId, Aged<DeadLetter>>,
    pub(super) heard: HashMap<JobKey, Heard>,
    /// Workers that wait, by line.
    pub(super) idle: HashMap<Line, u64>,
    pub(super) pauses: Pauses,
    /// What clients have had made, by account.
    pub(super) accounts: HashMap<[u8; 32], Account>,
    pub(super) present: Vec<Attending>,
    tidied: Instant,
}

pub(super) struct Aged<T> {
    pub(super) thing: T,
    since: Instant,
}

record! {
/// A message as it is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// It.
    1 = message: StageMessage,
    /// How many workers have had it.
    2 = deliveries: u32 = 0,
    /// Why it was put back last.
    3 = reason: Option<String> = None,
}
}

record! {
/// What was made, with what it was made for.
#[derive(Clone, Debug)]
pub struct KeptMade {
    /// What for.
    1 = id: StageId,
    /// What.
    2 = made: Made,
}
}

pub(super) struct Live {
    pub(super) kept: Kept,
    pub(super) arrival: u64,
    pub(super) since: Instant,
    pub(super) at: At,
}

pub(super) enum At {
    /// In its line, from then on.
    Waiting(Instant),
    /// With a worker, which hears when to stop.
    Running(watch::Sender<Option<Over>>),
}

/// Those who wait for a job.
pub(super) struct Heard {
    news: watch::Sender<News>,
    pub(super) interested: usize,
    /// When the last of them left, or when the job came.
    since: Instant,
}

/// A message that was picked.
pub(super) struct Picked {
    pub(super) message: StageMessage,
    pub(super) delivery: u32,
    pub(super) over: watch::Receiver<Option<Over>>,
}

impl State {
    /// Nothing.
    pub(super) fn empty(limits: QueueLimits) -> Self {
        Self {
            limits,
            journal: None,
            messages: HashMap::new(),
            waiting: HashMap::new(),
            arrivals: 0,
            made: BTreeMap::new(),
            outcomes: HashMap::new(),
            dead: BTreeMap::new(),
            heard: HashMap::new(),
            idle: HashMap::new(),
            pauses: Pauses::default(),
            accounts: HashMap::new(),
            present: Vec::new(),
            tidied: Instant::now(),
        }
    }

    /// What `journal` has kept.
    pub(super) fn load(limits: QueueLimits, journal: Journal) -> Result<Self, FleetError> {
        let mut state = Self::empty(limits);
        let now = Instant::now();
        let since =
            |written: SystemTime| now.checked_sub(written.elapsed().unwrap_or_default()).unwrap_or(now);
        for (written, KeptMade { id, made }) in journal.load(Kind::Made, limits.made_age)? {
            state.made.insert(id, Aged { thing: made, since: since(written) });
        }
        for (written, outcome) in journal.load::<Outcome>(Kind::Outcome, limits.outcome_age)? {
            state.outcomes.insert(outcome.job, Aged { thing: outcome, since: since(written) });
        }
        for (written, letter) in journal.load::<DeadLetter>(Kind::Dead, limits.dead_age)? {
            state.dead.insert(letter.message.id.clone(), Aged { thing: letter, since: since(written) });
        }
        for (written, kept) in journal.load::<Kept>(Kind::Message, limits.message_age)? {
            state.arrive(kept, since(written));
        }
        for (_, pauses) in journal.load::<Pauses>(Kind::Pauses, Duration::MAX)? {
            state.pauses = pauses.running();
        }
        state.journal = Some(journal);
        Ok(state)
    }

    pub(super) fn submit(&mut self, message: StageMessage) -> Result<Submitted, FleetError> {
        self.tidy();
        if let Some(outcome) =
            self.outcome(&message.id.job).filter(|found| found.answers(message.id.generation))
        {
            return Ok(Submitted::Over(Box::new(outcome)));
        }
        let name = message.name();
        if self.messages.contains_key(&name) || self.made.contains_key(&message.id) {
            return Ok(Submitted::Known);
        }
        if self.messages.len() >= self.limits.messages {
            return Err(FleetError::Full("the queue"));
        }
        let kept = Kept { message, deliveries: 0, reason: None };
        self.keep(Kind::Message, &name, &kept)?;
        self.arrive(kept, Instant::now());
        Ok(Submitted::New)
    }

    fn arrive(&mut self, kept: Kept, since: Instant) {
        let (name, line, job) = (kept.message.name(), kept.message.line(), kept.message.id.job);
        self.arrivals += 1;
        let arrival = self.arrivals;
        self.waiting.entry(line).or_default().insert(arrival, name.clone());
        self.heard(job);
        self.messages.insert(name, Live { kept, arrival, since, at: At::Waiting(Instant::now()) });
    }

    /// The first message of the first line that has one; or when there may be one, of those put off.
    pub(super) fn pick(
        &mut self,
        lines: &[Line],
        worker: &Worker,
    ) -> Result<Result<Picked, Option<Instant>>, FleetError> {
        let now = Instant::now();
        let mut soonest = self.next_end_of_a_pause();
        for line in lines.iter().filter(|line| self.pauses.allow(line, worker)).cloned().collect::<Vec<_>>() {
            let line = &line;
            let names = self.waiting.get(line).into_iter().flatten().map(|(_, name)| name.clone());
            for name in names.collect::<Vec<_>>() {
                match self.messages.get(&name).map(|live| &live.at) {
                    Some(At::Waiting(from)) if *from <= now => return Ok(Ok(self.give(line, &name)?)),
                    Some(At::Waiting(from)) => {
                        soonest = Some(soonest.map_or(*from, |other| other.min(*from)))
                    }
                    _ => {}
                }
            }
        }
        Ok(Err(soonest))
    }

    fn give(&mut self, line: &Line, name: &str) -> Result<Picked, FleetError> {
        let wrong = || FleetError::Refused { what: "the queue", reason: "a message without a place".into() };
        let live = self.messages.get(name).ok_or_else(wrong)?;
        let mut kept = live.kept.clone();
        kept.deliveries += 1;
        // Before it is given out: a message that ends the whole process counts too.
        self.keep(Kind::Message, name, &kept)?;
        let over = self.is_over(&kept.message);
        let (sender, over) = watch::channel(over);
        let live = self.messages.get_mut(name).ok_or_else(wrong)?;
        let picked = Picked { message: kept.message.clone(), delivery: kept.deliveries, over };
        (live.kept, live.at) = (kept, At::Running(sender));
        if let Some(waiting) = self.waiting.get_mut(line) {
            waiting.remove(&live.arrival);
        }
        Ok(picked)
    }

    /// Whether `message` should not be worked on.
    fn is_over(&self, message: &StageMessage) -> Option<Over> {
        let id = &message.id;
        if self.outcomes.get(&id.job).is_some_and(|outcome| outcome.thing.answers(id.generation)) {
            return Some(Over::Answered);
        }
        let heard = self.heard.get(&id.job)?;
        let nobody = heard.interested == 0 && heard.since.elapsed() >= self.limits.patience;
        let unwanted = nobody && !message.unattended;
        unwanted.then_some(Over::Unwanted)
    }

    /// Tells the worker of message `name` if it should stop; `false` when it has none any more.
    pub(super) fn look_after(&self, name: &str) -> bool {
        let Some(Live { kept, at: At::Running(worker), .. }) = self.messages.get(name) else { return false };
        if let Some(over) = self.is_over(&kept.message) {
            worker.send_replace(Some(over));
        }
        true
    }

    pub(super) fn settle(&mut self, name: &str) {
        let Some(live) = self.messages.remove(name) else { return };
        if let Some(waiting) = self.waiting.get_mut(&live.kept.message.line()) {
            waiting.remove(&live.arrival);
        }
        self.unkeep(Kind::Message, name);
    }

    pub(super) fn put_back(&mut self, name: &str, delay: Duration, reason: &str) {
        let Some(live) = self.messages.get_mut(name) else { return };
        live.kept.reason = Some(reason.into());
        let now = Instant::now();
        live.at = At::Waiting(now.checked_add(delay).unwrap_or(now));
        let (line, arrival) = (live.kept.message.line(), live.arrival);
        self.waiting.entry(line).or_default().insert(arrival, name.into());
    }

    pub(super) fn last_reason(&self, name: &str) -> Option<String> {
        self.messages.get(name)?.kept.reason.clone()
    }

    pub(super) fn progress(&mut self, name: &str, step: Progress) {
        let Some(live) = self.messages.get(name) else { return };
        if let Some(heard) = self.heard.get(&live.kept.message.id.job) {
            heard.news.send_modify(|news| news.progress = Some(step));
        }
    }

    pub(super) fn note_made(&mut self, id: StageId, made: Made) -> Result<(), FleetError> {
        if !self.made.contains_key(&id) {
            let kept = KeptMade { id: id.clone(), made: made.clone() };
            self.keep(Kind::Made, &id.to_string(), &kept)?;
            self.made.insert(id, Aged { thing: made, since: Instant::now() });
        }
        Ok(())
    }

    pub(super) fn made(&self, id: &StageId) -> Option<Made> {
        self.made.get(id).map(|made| made.thing.clone())
    }

    pub(super) fn parts(&self, job: JobKey, generation: u32, stage: &Stage) -> Vec<(Part, Made)> {
        let of = |id: &StageId| id.job == job && id.generation == generation && id.stage == *stage;
        // Their names are in this order.
        let first = StageId { job, generation, stage: stage.clone(), part: Part::literal("-") };
        let parts = self.made.range(first..).take_while(|(id, _)| of(id));
        parts.map(|(id, made)| (id.part.clone(), made.thing.clone())).collect()
    }

    /// What stands, of `outcome` and what is known.
    pub(super) fn finish(&mut self, outcome: Outcome) -> Result<Outcome, FleetError> {
        if let Some(known) = self.outcome(&outcome.job).filter(|known| known.answers(outcome.generation)) {
            return Ok(known);
        }
        let job = outcome.job;
        self.keep(Kind::Outcome, &job.to_string(), &outcome)?;
        self.outcomes.insert(job, Aged { thing: outcome.clone(), since: Instant::now() });
        self.heard(job).news.send_modify(|news| news.outcome = Some(outcome.clone()));
        let of_job = self.messages.iter().filter(|(_, live)| live.kept.message.id.job == job);
        for (name, _) in of_job {
            self.look_after(name);
        }
        Ok(outcome)
    }

    pub(super) fn outcome(&self, job: &JobKey) -> Option<Outcome> {
        self.outcomes.get(job).map(|outcome| outcome.thing.clone())
    }

    pub(super) fn forget(&mut self, job: &JobKey) {
        if self.outcomes.remove(job).is_some() {
            self.unkeep(Kind::Outcome, &job.to_string());
        }
        if let Some(heard) = self.heard.get(job) {
            heard.news.send_modify(|news| news.outcome = None);
        }
    }

    pub(super) fn cancel(&mut self, outcome: Outcome) -> Result<(), FleetError> {
        let job = outcome.job;
        self.finish(outcome)?;
        let idle = |live: &Live| live.kept.message.id.job == job && matches!(live.at, At::Waiting(_));
        let names = self.messages.iter().filter(|(_, live)| idle(live)).map(|(name, _)| name.clone());
        for name in names.collect::<Vec<_>>() {
            self.settle(&name);
        }
        Ok(())
    }

    pub(super) fn watch(&mut self, job: JobKey) -> watch::Receiver<News> {
        let outcome = self.outcome(&job);
        let heard = self.heard(job);
        heard.news.send_modify(|news| news.outcome = outcome);
        heard.news.subscribe()
    }

    pub(super) fn enter(&mut self, job: JobKey) {
        self.heard(job).interested += 1;
    }

    pub(super) fn leave(&mut self, job: JobKey) {
        let heard = self.heard(job);
        heard.interested = heard.interested.saturating_sub(1);
        heard.since = Instant::now();
    }

    fn heard(&mut self, job: JobKey) -> &mut Heard {
        self.heard.entry(job).or_insert_with(|| Heard {
            news: watch::Sender::new(News::default()),
            interested: 0,
            since: Instant::now(),
        })
    }

    pub(super) fn depth(&self, line: &Line) -> Depth {
        let now = Instant::now();
        let idle = self.idle.get(line).copied().unwrap_or(0);
        let mut depth = Depth { waiting: 0, running: 0, idle, oldest: None };
        for live in self.messages.values().filter(|live| live.kept.message.line() == *line) {
            match &live.at {
                At::Waiting(from) if *from <= now => depth.waiting += 1,
                _ => depth.running += 1,
            }
            if live.kept.deliveries == 0 {
                depth.oldest = depth.oldest.max(Some(live.since.elapsed()));
            }
        }
        depth
    }

    pub(super) fn dead(&self) -> Vec<DeadLetter> {
        self.dead.values().map(|letter| letter.thing.clone()).collect()
    }

    pub(super) fn bury(&mut self, letter: DeadLetter) -> Result<(), FleetError> {
        let id = letter.message.id.clone();
        self.keep(Kind::Dead, &id.to_string(), &letter)?;
        self.dead.insert(id, Aged { thing: letter, since: Instant::now() });
        Ok(())
    }

    pub(super) fn unbury(&mut self, id: &StageId) {
        if self.dead.remove(id).is_some() {
            self.unkeep(Kind::Dead, &id.to_string());
        }
    }

    pub(super) fn keep(
        &self,
        kind: Kind,
        name: &str,
        thing: &impl sextant_protocol::wire::Wire,
    ) -> Result<(), FleetError> {
        self.journal.as_ref().map_or(Ok(()), |journal| journal.keep(kind, name, thing))
    }

    fn unkeep(&self, kind: Kind, name: &str) {
        if let Some(journal) = &self.journal {
            journal.remove(kind, name);
        }
    }

    /// Forgets what is too old, now and then.
    fn tidy(&mut self) {
        if self.tidied.elapsed() < TIDY.min(self.limits.made_age) {
            return;
        }
        self.tidied = Instant::now();
        let limits = self.limits;
        let old =
            |live: &Live| live.since.elapsed() > limits.message_age && matches!(live.at, At::Waiting(_));
        let names = self.messages.iter().filter(|(_, live)| old(live)).map(|(name, _)| name.clone());
        for name in names.collect::<Vec<_>>() {
            self.settle(&name);
        }
        let old = |since: Instant, age| since.elapsed() > age;
        for (id, _) in
            self.made.extract_if(.., |_, made| old(made.since, limits.made_age)).collect::<Vec<_>>()
        {
            self.unkeep(Kind::Made, &id.to_string());
        }
        let outcomes = self.outcomes.extract_if(|_, outcome| old(outcome.since, limits.outcome_age));
        for (job, _) in outcomes.collect::<Vec<_>>() {
            self.unkeep(Kind::Outcome, &job.to_string());
        }
        for (id, _) in
            self.dead.extract_if(.., |_, letter| old(letter.since, limits.dead_age)).collect::<Vec<_>>()
        {
            self.unkeep(Kind::Dead, &id.to_string());
        }
        let jobs: std::collections::HashSet<_> =
            self.messages.values().map(|live| live.kept.message.id.job).collect();
        self.heard.retain(|job, heard| {
            heard.interested > 0 || heard.news.receiver_count() > 0 || jobs.contains(job)
        });
    }
}
