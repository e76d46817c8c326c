//! What a fleet has to do and who does it, by stage and class of machine: what an autoscaler needs, an operator sees and
//! the metrics say.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::Serialize;
use sextant_fleet::{FleetError, Lane, Line, Pause, Paused, Present, Queue, Release};

use super::{Fleet, order, parts, stages};
use crate::{
    control::Control, metrics::FleetFigures, metrics::Metrics, queue::Queues, worker::WorkerMode,
    worker::lane::Job,
};

/// How often the fleet is looked at, however often somebody asks.
const OFTEN: Duration = Duration::from_secs(5);
/// When what was seen is too old to go by.
const STALE: Duration = Duration::from_secs(60);

/// Which machines a stage's work is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Whatever does the stage.
    Ordinary,
    /// Those that are there for what was too large for others (`large`).
    Large,
}

impl Class {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Ordinary, Self::Large];

    /// The class that takes from a lane.
    pub(crate) const fn of(lane: Lane) -> Self {
        match lane {
            Lane::Hi | Lane::Lo => Self::Ordinary,
            Lane::Xl => Self::Large,
        }
    }

    /// The name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Large => "large",
        }
    }
}

/// The work of one stage and class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Demand {
    /// What is done.
    pub stage: String,
    /// On which machines.
    pub class: Class,
    /// By provers of which release.
    pub release: String,
    /// Messages that nobody has taken.
    pub waiting: u64,
    /// Jobs that begin with this stage and wait at this entrypoint for their turn.
    pub held_back: u64,
    /// Messages that provers are at, or that are put off.
    pub running: u64,
    /// Provers that are there for it, busy or not. One that does several stages counts in each.
    pub workers: u64,
    /// How long the oldest message has waited that nobody has taken, seconds; 0 if there is none.
    pub oldest_wait_seconds: f64,
    /// Whether the stage is paused.
    pub paused: bool,
}

impl Demand {
    /// How many provers could be at work: what an autoscaler goes by.
    pub(crate) const fn value(&self) -> u64 {
        self.waiting + self.held_back + self.running
    }
}

/// Looks at `lines`, with those who are there and what is paused; one row for each release, stage and class. Parts of what a
/// stage makes are its work too.
pub(crate) async fn look(queue: &dyn Queue, lines: &[Line]) -> Result<Vec<Demand>, FleetError> {
    let (present, pauses) = (queue.workers().await?, queue.pauses().await?);
    let mut rows = BTreeMap::<_, Demand>::new();
    for line in lines {
        let depth = queue.depth(line).await?;
        let class = Class::of(line.lane);
        let line = Line { stage: parts::worker_of(&line.stage), ..line.clone() };
        let key = (line.release.clone(), line.stage.clone(), class);
        let row = rows.entry(key).or_insert_with(|| empty(&line, &present, &pauses));
        row.waiting += depth.waiting;
        row.running += depth.running;
        row.oldest_wait_seconds = row.oldest_wait_seconds.max(depth.oldest.unwrap_or_default().as_secs_f64());
    }
    Ok(rows.into_values().collect())
}

fn empty(line: &Line, present: &[Present], pauses: &[Pause]) -> Demand {
    let class = Class::of(line.lane);
    let takes = |other: &Line| {
        (&other.stage, &other.release, Class::of(other.lane)) == (&line.stage, &line.release, class)
    };
    Demand {
        stage: line.stage.to_string(),
        class,
        release: line.release.to_string(),
        waiting: 0,
        held_back: 0,
        running: 0,
        workers: present.iter().filter(|worker| worker.lines.iter().any(takes)).count() as u64,
        oldest_wait_seconds: 0.0,
        paused: pauses.iter().any(|pause| pause.of == Paused::Stage(line.stage.clone())),
    }
}

/// An entrypoint's view of the demand, looked at again and again.
pub(crate) struct Outlook {
    fleet: Fleet,
    lines: Vec<Line>,
    release: Release,
    jobs: Arc<Queues<Job>>,
    seen: Mutex<Option<(Instant, Vec<Demand>)>>,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// What was asked makes no sense.
    Wrong(String),
    /// The fleet has not been seen lately.
    Unseen,
}

/// What an autoscaler is told.
#[derive(Serialize)]
struct Answer {
    /// The sum of what is in `demand`: how many provers could be at work.
    value: u64,
    /// The release that it is about.
    release: String,
    demand: Vec<Demand>,
}

impl Outlook {
    pub(crate) fn new(fleet: Fleet, jobs: Arc<Queues<Job>>, development: bool) -> Self {
        let release = order::release(development);
        let lines = order::lines(&stages::ALL, &Lane::ALL, &release);
        Self { fleet, lines, release, jobs, seen: Mutex::default() }
    }

    /// Looks until told to end.
    pub(crate) async fn run(self: Arc<Self>, control: Control) {
        loop {
            match look(&*self.fleet.queue, &self.lines).await {
                Ok(rows) => *self.seen() = Some((Instant::now(), rows)),
                Err(error) => tracing::warn!(%error, "looking at the fleet"),
            }
            tokio::select! {
                () = control.stop.cancelled() => return,
                () = tokio::time::sleep(OFTEN) => {}
            }
        }
    }

    /// What was seen last, and what waits here; nothing if that was too long ago.
    fn rows(&self) -> Option<Vec<Demand>> {
        let mut rows = match &*self.seen() {
            Some((at, rows)) if at.elapsed() < STALE => rows.clone(),
            _ => return None,
        };
        let mut held_back = BTreeMap::<&str, u64>::new();
        self.jobs.each(|job| {
            if let Some(first) = job.course.stages.first() {
                *held_back.entry(first.as_str()).or_default() += 1;
            }
        });
        for row in rows.iter_mut().filter(|row| row.class == Class::Ordinary) {
            row.held_back = held_back.get(row.stage.as_str()).copied().unwrap_or(0);
        }
        Some(rows)
    }

    /// The answer to `query`, JSON: `stage=NAME` and `class=NAME` choose.
    pub(crate) fn answer(&self, query: &str) -> Result<String, Unanswered> {
        let chosen = Chosen::read(query).map_err(Unanswered::Wrong)?;
        let mut rows = self.rows().ok_or(Unanswered::Unseen)?;
        rows.retain(|row| chosen.takes(row));
        let value = rows.iter().map(Demand::value).sum();
        let answer = Answer { value, release: self.release.to_string(), demand: rows };
        // Numbers and names always are JSON.
        Ok(serde_json::to_string(&answer).unwrap_or_default() + "\n")
    }

    /// Tells the metrics.
    pub(crate) fn measure(&self, metrics: &Metrics) {
        let rows = self.rows();
        metrics.fleet_seen(self.release.as_str(), rows.is_some());
        for row in rows.iter().flatten() {
            let Some(stage) = stages::ALL.into_iter().find(|mode| mode.as_str() == row.stage) else {
                continue;
            };
            metrics.fleet(
                [("stage", stage.as_str()), ("class", row.class.as_str())],
                FleetFigures {
                    waiting: row.waiting,
                    held_back: row.held_back,
                    running: row.running,
                    workers: row.workers,
                    oldest_wait: row.oldest_wait_seconds,
                },
            );
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Vec<Demand>)>> {
        // Nothing panics while it holds the lock.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is asked about.
#[derive(Debug, Default, PartialEq, Eq)]
struct Chosen {
    stage: Option<WorkerMode>,
    class: Option<Class>,
}

impl Chosen {
    fn read(query: &str) -> Result<Self, String> {
        let mut chosen = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("stage", name) => {
                    let stage = stages::chosen(&[name.to_owned()])?;
                    chosen.stage = stage.first().copied();
                }
                ("class", name) => {
                    let class = Class::ALL.into_iter().find(|class| class.as_str() == name);
                    let wrong = || format!("{name:?} is no class: they are ordinary, large");
                    chosen.class = Some(class.ok_or_else(wrong)?);
                }
                (other, _) => return Err(format!("{other:?} is nothing to choose by: stage and class are")),
            }
        }
        Ok(chosen)
    }

    fn takes(&self, row: &Demand) -> bool {
        self.stage.is_none_or(|stage| stage.as_str() == row.stage)
            && self.class.is_none_or(|class| class == row.class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_about_is_chosen_by_stage_and_class_and_nothing_else() {
        assert_eq!(Chosen::read(""), Ok(Chosen::default()));
        let both = Chosen { stage: Some(WorkerMode::Wrap), class: Some(Class::Large) };
        assert_eq!(Chosen::read("stage=wrap&class=large"), Ok(both));
        for wrong in ["stage=verify", "stage", "class=huge", "lane=hi", "stage=wrap;class=large"] {
            assert!(Chosen::read(wrong).is_err(), "{wrong}");
        }
    }
}
