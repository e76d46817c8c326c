//! A fleet of fake provers, to see that nothing is lost: jobs of several stages over a real broker, workers that are killed
//! at random, and a broker that is restarted in between.
//!
//! `fleet-test [jobs=10000] [workers=200] [kill-ms=1000] [stage-ms=200] [restarts=2] [points=0]` prints what it saw and
//! fails if a wish was not answered exactly once, if something was left in the queue, or if a twentieth of the work was lost.
//! With `points=1` nobody is killed at random: whoever has a message first dies, at one of four points, and fails if
//! anything that was finished is made again.

mod crowd;
mod fake;
#[path = "../../../tests/common/nats.rs"]
mod nats;
mod wishes;
mod worker;

use std::{process::ExitCode, time::Duration};

/// How large, and how rough.
#[derive(Clone, Copy, Debug)]
struct Settings {
    jobs: u32,
    workers: usize,
    /// Milliseconds between two kills.
    kill_ms: u64,
    /// Milliseconds of an average stage.
    stage_ms: u64,
    restarts: u32,
    /// Workers die by themselves, at every point of every stage.
    die: bool,
}

impl Settings {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut settings =
            Self { jobs: 10_000, workers: 200, kill_ms: 1_000, stage_ms: 200, restarts: 2, die: false };
        for argument in arguments {
            let (name, value) =
                argument.split_once('=').ok_or_else(|| format!("{argument:?} is no name=number"))?;
            let number = value.parse::<u32>().map_err(|error| format!("{argument}: {error}"))?;
            match name {
                "jobs" => settings.jobs = number.max(1),
                "workers" => settings.workers = number.max(1) as usize,
                "kill-ms" => settings.kill_ms = u64::from(number.max(1)),
                "stage-ms" => settings.stage_ms = u64::from(number.max(2)),
                "restarts" => settings.restarts = number,
                "points" => settings.die = number > 0,
                _ => return Err(format!("there is no setting {name:?}")),
            }
        }
        Ok(settings)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let outcome = match arguments.next().as_deref() {
        Some("worker") => worker::work(&arguments.collect::<Vec<_>>()).await,
        first => match Settings::read(first.map(str::to_owned).into_iter().chain(arguments)) {
            Ok(settings) => run(settings).await,
            Err(error) => Err(error),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet-test: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings) -> Result<(), String> {
    let Some(mut server) = nats::NatsServer::start("").await else { return Ok(()) };
    let began = std::time::Instant::now();
    let fleets = [fake::connect(&server.url()).await?, fake::connect(&server.url()).await?];
    fleets[0].set_up().await.map_err(|error| error.to_string())?;
    let crowd = crowd::Crowd::start(settings, server.url())?;
    let wishes = wishes::Wishes::ask(settings, &fleets);
    for restart in 1..=settings.restarts {
        let answered = (settings.jobs as usize * 2 * restart as usize) / (settings.restarts as usize + 1);
        wishes.until(answered).await;
        server.kill();
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.again().await;
        println!("fleet-test: broker restarted after {answered} answers");
    }
    let answers = wishes.all().await?;
    let (begun, killed) = crowd.stop().await;
    let left = fake::left(&fleets[0]).await.map_err(|error| error.to_string())?;

    let needed = u64::from(settings.jobs) * fake::STAGES;
    let lost = begun.saturating_sub(needed) as f64 / needed as f64;
    println!(
        "fleet-test: {} jobs, {} workers, {killed} killed, broker restarted {} times, {:.0} s",
        settings.jobs,
        settings.workers,
        settings.restarts,
        began.elapsed().as_secs_f64()
    );
    println!(
        "fleet-test: {} wishes of two servers answered once each; {} asked again; {needed} stages needed, {begun} begun: \
         {:.1} % lost; {left} left in the queue",
        answers.answered,
        answers.asked_again,
        100.0 * lost
    );
    if left > 0 {
        return Err(format!("{left} messages are left in the queue"));
    }
    if settings.die {
        let unfinished =
            (0..settings.jobs).filter(|number| fake::point(&fake::job(*number)) == 0).count() as u64;
        // Fewer where a worker was too slow to die as it should have.
        let most = needed + unfinished * fake::STAGES;
        return match begun <= most {
            true => Ok(()),
            false => Err(format!("{most} stages should have been begun at most, and {begun} were")),
        };
    }
    if lost >= 0.05 {
        return Err(format!("{:.1} % of the work was lost", 100.0 * lost));
    }
    Ok(())
}
