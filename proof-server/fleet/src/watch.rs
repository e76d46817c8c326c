//! What those hear who wait for a job.

use std::fmt;

use sextant_protocol::Progress;
use tokio::sync::watch;

use crate::Outcome;

/// What is known of a job: where it stands, and in the end what came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct News {
    pub(crate) progress: Option<Progress>,
    pub(crate) outcome: Option<Outcome>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The job stands here now. Steps that nobody looked at in time are left out.
    Progress(Progress),
    /// The one outcome; nothing comes after it.
    Over(Box<Outcome>),
}

/// Hears of one job.
pub struct Watch {
    news: watch::Receiver<News>,
    generation: u32,
    told: Option<Progress>,
}

impl Watch {
    pub(crate) fn new(news: watch::Receiver<News>, generation: u32) -> Self {
        Self { news, generation, told: None }
    }

    /// The next thing that happens; `None` when the queue itself is gone. Safe to drop half-way.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let news = self.news.borrow_and_update().clone();
            if let Some(outcome) = news.outcome.filter(|outcome| outcome.answers(self.generation)) {
                return Some(Event::Over(Box::new(outcome)));
            }
            if news.progress.is_some() && news.progress != self.told {
                self.told = news.progress;
                return news.progress.map(Event::Progress);
            }
            self.news.changed().await.ok()?;
        }
    }

    /// What came of the job; `None` when the queue itself is gone.
    pub async fn outcome(&mut self) -> Option<Outcome> {
        loop {
            if let Event::Over(outcome) = self.next().await? {
                return Some(*outcome);
            }
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
