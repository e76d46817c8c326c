//! One of those who mean it badly. Each has its way, and begins anew whenever the server has had enough of it.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sextant_protocol::{ClientMessage, Request, Response, ServerMessage, frame::MAX_FRAME, parts::PART};

use super::{
    super::{
        frames::{CORPUS, Random, undecodable},
        outcome::Outcome,
        peer::{End, Peer, Who, frame},
        statements::{truth, untruth},
        verifying::bad_proof,
    },
    fleet::{stolen, token},
};

/// Between two deeds of one client: the point is what a server does with them, and not who has the faster machine.
const PAUSE: Duration = Duration::from_millis(100);
/// Requests that one has open at once.
const AT_ONCE: u64 = 8;

/// What is due to everybody.
const UNANSWERED: &str = "requests without an answer";

/// What was done, by name.
#[derive(Default)]
pub(super) struct Deeds(Mutex<BTreeMap<&'static str, usize>>);

impl Deeds {
    fn note(&self, what: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }

    pub(super) fn report(&self, outcome: &mut Outcome) {
        let deeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for way in Way::ALL {
            let count = deeds.get(way.deeds()).copied().unwrap_or_default();
            outcome.row(&format!("  {}", way.deeds()), count);
            outcome.check(count > 0, format!("no {}", way.deeds()));
        }
        let unanswered = deeds.get(UNANSWERED).copied().unwrap_or_default();
        outcome.check(unanswered == 0, format!("{unanswered} {UNANSWERED}"));
    }
}

/// A way of being hostile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Silent,
    Broken,
    BadProofs,
    Untrue,
    GivenUp,
    HalfAnnounced,
    SlowReader,
    Pretender,
}

impl Way {
    const ALL: [Self; 8] = [
        Self::Silent,
        Self::Broken,
        Self::BadProofs,
        Self::Untrue,
        Self::GivenUp,
        Self::HalfAnnounced,
        Self::SlowReader,
        Self::Pretender,
    ];

    /// What it does, in the plural.
    fn deeds(self) -> &'static str {
        match self {
            Self::Silent => "silent sockets",
            Self::Broken => "broken messages",
            Self::BadProofs => "bad proofs",
            Self::Untrue => "untrue statements",
            Self::GivenUp => "true statements given up",
            Self::HalfAnnounced => "large messages half sent",
            Self::SlowReader => "proofs not read",
            Self::Pretender => "requests in another's name",
        }
    }
}

/// A hostile client.
pub(super) struct Hostile {
    number: usize,
    way: Way,
    address: String,
    who: Who,
    deeds: Arc<Deeds>,
}

impl Hostile {
    pub(super) fn new(number: usize, address: String, deeds: Arc<Deeds>) -> Self {
        let way = Way::ALL[number % Way::ALL.len()];
        // One of every four, and of every way some.
        let known = number % 4 == 3 - number / 4 % 4;
        let source = Ipv4Addr::new(127, 1 + (number % 250) as u8, (number / 250) as u8, 1);
        let mut who = Who { source, ..Who::default() };
        if known {
            who.token = token(&stolen(number / 4));
        }
        if way == Way::Pretender {
            (who.hops, who.on_behalf) = (7, "token honest".into());
        }
        Self { number, way, address, who, deeds }
    }

    /// Goes on until it is stopped.
    pub(super) async fn go_on(self) {
        let mut round = 0;
        loop {
            // However it ended: that the server has had enough is what was wanted.
            let _ = match self.way {
                Way::Silent => self.be_silent().await,
                Way::Broken => self.send_rubbish(round).await,
                Way::BadProofs => self.bring_bad_proofs().await,
                Way::Untrue => self.state_untruths(round).await,
                Way::GivenUp => self.give_up(round).await,
                Way::HalfAnnounced => self.stop_half_way().await,
                Way::SlowReader => self.not_read().await,
                Way::Pretender => self.pretend(round).await,
            };
            round += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn connect(&self) -> Result<Peer, End> {
        Peer::introduced(&self.address, &self.who).await
    }

    fn note(&self) {
        self.deeds.note(self.way.deeds());
    }

    /// A number for a statement that nobody else has.
    fn own(&self, round: u32, id: u64) -> u32 {
        ((self.number as u32) << 20) + (round << 8) + id as u32
    }

    /// Sockets that say nothing, and others that say half a word.
    async fn be_silent(&self) -> Result<(), End> {
        let mut held = Vec::new();
        for nth in 0..AT_ONCE {
            let mut peer = Peer::mute_from(self.who.source, &self.address).await.map_err(|_| End::Closed)?;
            if nth % 2 == 0 {
                let _ = peer.write(&[0, 0, 1]).await;
            }
            self.note();
            held.push(peer);
            tokio::time::sleep(PAUSE).await;
        }
        for mut peer in held {
            let _ = peer.next().await;
        }
        Ok(())
    }

    async fn send_rubbish(&self, round: u32) -> Result<(), End> {
        let mut random = Random(1 + u64::from(self.own(round, 0)));
        let mut peer = self.connect().await?;
        let body = undecodable(&CORPUS[random.below(CORPUS.len())], &mut random);
        self.note();
        let _ = peer.write(&[&(body.len() as u32).to_be_bytes(), &body[..]].concat()).await;
        peer.next().await.map(drop)
    }

    async fn bring_bad_proofs(&self) -> Result<(), End> {
        let mut peer = self.connect().await?;
        loop {
            for id in 0..AT_ONCE {
                let proof = bad_proof(id as u8 ^ self.number as u8);
                peer.try_ask(id, Request::verify(&proof)).await?;
                self.note();
            }
            for _ in 0..AT_ONCE {
                assert!(peer.answer().await?.is_err(), "a bad proof is refused");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn state_untruths(&self, round: u32) -> Result<(), End> {
        let mut peer = self.connect().await?;
        for id in 0..AT_ONCE {
            peer.try_ask(id, untruth(self.own(round, id))).await?;
            self.note();
        }
        for _ in 0..AT_ONCE {
            assert!(peer.answer().await?.is_err(), "an untrue statement is refused");
        }
        Ok(())
    }

    /// True statements, of which each is given up as soon as a worker has begun, or waits for one.
    async fn give_up(&self, round: u32) -> Result<(), End> {
        let mut peer = self.connect().await?;
        for id in 0..AT_ONCE {
            peer.try_ask(id, truth(self.own(round, id))).await?;
            self.note();
            loop {
                match peer.next().await? {
                    ServerMessage::Answer { .. } => break,
                    ServerMessage::Progress { progress: sextant_protocol::Progress::Checking, .. } => {}
                    ServerMessage::Progress { .. } => {
                        let cancel = frame(&ClientMessage::Cancel { id });
                        peer.write(&cancel).await.map_err(|_| End::Closed)?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The largest requests there are, of which a part comes, and frames of which a byte does.
    async fn stop_half_way(&self) -> Result<(), End> {
        let mut peer = self.connect().await?;
        for id in 0..AT_ONCE {
            let request = Request::Verify { record: vec![0; PART], more: 60 << 20 };
            peer.write(&frame(&ClientMessage::Request { id, request })).await.map_err(|_| End::Closed)?;
            self.note();
        }
        let _ = peer.write(&[&(MAX_FRAME as u32).to_be_bytes()[..], &[3, 0]].concat()).await;
        loop {
            peer.next().await?;
        }
    }

    /// The same proof again and again, as one that is kept, and nothing of it is read.
    async fn not_read(&self) -> Result<(), End> {
        let mut peer = self.connect().await?;
        let request = truth(0x5000_0000);
        peer.try_ask(0, request.clone()).await?;
        peer.answer().await?.map_err(End::Refused)?;
        for id in 1..100 {
            peer.try_ask(id, request.clone()).await?;
            self.note();
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Says that it asks for the honest client, after more servers than are allowed.
    async fn pretend(&self, round: u32) -> Result<(), End> {
        let mut peer = self.connect().await?;
        for id in 0..AT_ONCE {
            let honest_ones = 0x4000_0000 + round % 8;
            peer.try_ask(id, truth(honest_ones)).await?;
            self.note();
            tokio::time::sleep(PAUSE).await;
            peer.write(&frame(&ClientMessage::Cancel { id })).await.map_err(|_| End::Closed)?;
            match peer.answer().await {
                Ok(Ok(Response::Proof(_)) | Err(_)) => {}
                Ok(other) => panic!("{other:?}"),
                Err(end) => {
                    if let End::Silence = end {
                        self.deeds.note(UNANSWERED);
                    }
                    return Err(end);
                }
            }
        }
        Ok(())
    }
}
