//! The workers, and what kills them.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::oneshot,
    task::JoinHandle,
};

use crate::Settings;

/// Worker processes, one of which is killed now and then; another one takes its place.
pub struct Crowd {
    stop: oneshot::Sender<()>,
    killing: JoinHandle<u64>,
    count: Arc<Count>,
}

#[derive(Default)]
struct Count {
    /// Stages that were begun.
    begun: AtomicU64,
    names: AtomicUsize,
}

impl Crowd {
    pub fn start(settings: Settings, url: String) -> Result<Self, String> {
        let count = Arc::new(Count::default());
        let start = {
            let count = count.clone();
            move || start(&url, settings, &count).map_err(|error| format!("a worker: {error}"))
        };
        let mut workers = (0..settings.workers).map(|_| start()).collect::<Result<Vec<_>, _>>()?;
        let (stop, mut stopped) = oneshot::channel();
        let killing = tokio::spawn(async move {
            let mut killed = 0;
            loop {
                tokio::select! {
                    _ = &mut stopped => break,
                    () = tokio::time::sleep(Duration::from_millis(settings.kill_ms)) => {}
                }
                let victim = (!settings.die).then(|| fastrand::usize(..workers.len()));
                for (at, worker) in workers.iter_mut().enumerate() {
                    let alive = matches!(worker.try_wait(), Ok(None));
                    if !alive && !settings.die {
                        eprintln!("fleet-test: a worker has ended by itself");
                    }
                    if alive && victim == Some(at) {
                        let _ = worker.kill().await;
                    }
                    if !alive || victim == Some(at) {
                        killed += 1;
                        match start() {
                            Ok(new) => *worker = new,
                            Err(error) => eprintln!("fleet-test: {error}"),
                        }
                    }
                }
            }
            for worker in &mut workers {
                let _ = worker.kill().await;
            }
            killed
        });
        Ok(Self { stop, killing, count })
    }

    /// Ends them; how many stages they have begun, and how many of them were killed.
    pub async fn stop(self) -> (u64, u64) {
        let _ = self.stop.send(());
        let killed = self.killing.await.unwrap_or_default();
        // What they have said last is read.
        tokio::time::sleep(Duration::from_millis(200)).await;
        (self.count.begun.load(Ordering::Relaxed), killed)
    }
}

fn start(url: &str, settings: Settings, count: &Arc<Count>) -> std::io::Result<Child> {
    let name = format!("w{}", count.names.fetch_add(1, Ordering::Relaxed));
    let mut child = Command::new(std::env::current_exe()?)
        .args(["worker", url, &name, &settings.stage_ms.to_string(), &settings.die.to_string()])
        // It ends when this pipe does.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(said) = child.stdout.take() {
        let count = count.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(said).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if line.starts_with("begun ") {
                    count.begun.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    Ok(child)
}
