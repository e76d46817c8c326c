//! The users of `docs/fleet.md`: a worker can do its stage, and nothing else.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{nats::NatsServer, *};
use sextant_fleet::{
    FleetError, ObjectName, Oversee, Pause, Paused, Queue, Stage, StageId, Store, Submitted,
    nats::{NatsConfig, NatsFleet},
};

/// The broker's settings in the documentation.
fn documented() -> String {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/fleet.md")).unwrap();
    let (_, block) = text.split_once("```conf\n").expect("a block of settings");
    block.split_once("```").unwrap().0.to_owned()
}

async fn connect_as(server: &NatsServer, user: &str) -> NatsFleet {
    let config = NatsConfig {
        user: Some((user.into(), format!("{user}-secret"))),
        store: Limits::default().store,
        // What is not permitted has no answer.
        answer: Duration::from_secs(2),
        accept_old: true,
        outage: Duration::from_millis(100),
        ..NatsConfig::new(server.url())
    };
    NatsFleet::connect(config).await.unwrap()
}

#[tokio::test]
async fn a_worker_can_do_its_stage_and_nothing_else() {
    let Some(broker) = NatsServer::start(&documented()).await else { return };
    let server = connect_as(&broker, "server").await;
    server.set_up().await.unwrap();
    let worker = connect_as(&broker, "worker").await;
    let line = core(1).line();
    server.queue().depth(&line).await.unwrap();

    // All that a stage does.
    let mut watch = server.queue().watch(job(1), 0).await.unwrap();
    for number in 1..=3 {
        server.queue().submit(&core(number)).await.unwrap();
    }
    let take = async || within(worker.queue().take(std::slice::from_ref(&line), &ANN)).await.unwrap();
    let lease = take().await;
    assert!(lease.found().await.unwrap().is_none());
    lease.progress(sextant_protocol::Progress::Verifying);
    assert!(matches!(within(watch.next()).await.unwrap(), sextant_fleet::Event::Progress(_)));
    let part = ObjectName::part(&core(1).id);
    let object = worker.store().put(&part, Bytes::from(vec![1; 1 << 20])).await.unwrap();
    assert_eq!(worker.store().get(&object).await.unwrap().unwrap().len(), 1 << 20);
    lease.made(object.clone(), Bytes::new()).await.unwrap();
    assert_eq!(worker.queue().parts(job(1), 0, &CORE).await.unwrap().len(), 1);
    lease.advance(&[message(StageId::whole(job(1), 0, WRAP))]).await.unwrap();
    let proof = worker.store().put(&ObjectName::proof(&job(2)), Bytes::from_static(b"proof")).await.unwrap();
    // Parts of what it makes, with an input of theirs.
    let input = Bytes::from(vec![2; 1 << 20]);
    worker.store().put(&ObjectName::input(&input), input).await.unwrap();
    let shard = message(StageId::whole(job(3), 0, Stage::literal("compressed-shard")));
    assert_eq!(worker.queue().submit(&shard).await.unwrap(), Submitted::New);
    take().await.finish(proof, Bytes::new()).await.unwrap();
    take().await.fail(failed("no memory")).await.unwrap();
    assert!(server.queue().outcome(job(2)).await.unwrap().unwrap().result.is_ok());
    assert_eq!(server.queue().dead().await.unwrap().len(), 1);

    let attendance = worker.queue().attend(&ANN, std::slice::from_ref(&line)).await.unwrap();
    let began = std::time::Instant::now();
    while server.queue().workers().await.unwrap().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "it is seen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(attendance);

    // What it may not.
    let denied = |outcome: Result<Submitted, FleetError>| {
        assert!(matches!(outcome, Err(FleetError::Unreachable(_))), "{outcome:?}");
    };
    denied(worker.queue().submit(&core(9)).await);
    let other = message(StageId::whole(job(9), 0, Stage::literal("groth16")));
    denied(worker.queue().submit(&other).await);
    assert!(worker.set_up().await.is_err(), "streams are made by servers");
    assert!(worker.queue().cancel(&outcome(4, 0, Err(failed("x")))).await.is_err(), "what waits is not its");
    let pause = Pause::now(Paused::Stage(CORE), 0);
    assert!(worker.queue().pause(&pause).await.is_err(), "nor has it others wait");
    server.queue().submit(&core(5)).await.unwrap();
    assert_eq!(server.queue().depth(&line).await.unwrap().waiting, 1);
}
