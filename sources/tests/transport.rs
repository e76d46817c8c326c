//! Endpoints that fail, dawdle or answer too much: the next one is asked, and what was wrong is said.

mod common;

use std::time::{Duration, Instant};

use common::{at, beacon, beacon_node, finality, names};
use sextant_fixtures::devnet::ELECTRA;
use sextant_sources::Reason;
use sextant_test_nodes::{Node, Reply, recorded::Recorded};

fn recorded() -> Recorded {
    Recorded::devnet(ELECTRA)
}

const FINALITY: &str = "finality_update";

#[tokio::test]
async fn the_next_endpoint_answers_when_the_first_does_not() {
    let recorded = recorded();
    let good = beacon_node(&recorded, |_| None).await;
    let whole = || Reply::Json(Recorded::devnet(ELECTRA).finality_update);
    type Fault = Box<dyn Fn() -> Reply + Send + Sync>;
    let broken: [(&str, Fault); 8] = [
        ("error", Box::new(|| Reply::refused(500, "no"))),
        ("not found", Box::new(|| Reply::refused(404, "no"))),
        ("rate limit", Box::new(|| Reply::refused(429, "no"))),
        ("cut short", Box::new(move || Reply::CutShort(Box::new(whole())))),
        ("late", Box::new(move || Reply::Late(Duration::from_secs(5), Box::new(whole())))),
        ("endless", Box::new(|| Reply::Endless)),
        (
            "not JSON",
            Box::new(|| Reply::Raw(200, vec![("content-type", "application/json".into())], b"<html>".into())),
        ),
        ("HTML", Box::new(|| Reply::Raw(200, vec![("content-type", "text/html".into())], b"<html>".into()))),
    ];
    for (name, reply) in broken {
        let bad = beacon_node(&recorded, at(FINALITY, reply)).await;
        let nodes = beacon(&[&bad, &good]);
        let slot = finality(&nodes, &recorded).await.expect(name);
        assert_eq!((slot, bad.asked().len()), (finality(&nodes, &recorded).await.unwrap(), 1), "{name}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_named() {
    let recorded = recorded();
    let node = beacon_node(&recorded, |_| None).await;
    let nodes = beacon(&[&node]);
    let url = node.url();
    drop(node);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = finality(&nodes, &recorded).await.unwrap_err();
    names(&error, &["finality update", &url, "refused"]);
    assert!(!error.is_lie());
}

#[tokio::test]
async fn each_fault_is_named() {
    let recorded = recorded();
    let refused = async |reply: fn() -> Reply| {
        let node = beacon_node(&recorded, at(FINALITY, reply)).await;
        finality(&beacon(&[&node]), &recorded).await.unwrap_err()
    };
    names(
        &refused(|| Reply::refused(404, "LC finality update unavailable")).await,
        &["404", "LC finality update unavailable"],
    );
    // A gateway's words are its own, unless they are the API's.
    let denied = refused(|| {
        Reply::Raw(401, vec![("content-type", "text/plain".into())], b"key sextant-secret unknown".into())
    })
    .await;
    names(&denied, &["HTTP status 401"]);
    assert!(!denied.to_string().contains("sextant-secret"), "{denied}");
    names(&refused(|| Reply::Endless).await, &["larger than 65536 bytes"]);
    let announced = || Reply::Json(serde_json::Value::String("x".repeat(70_000)));
    names(&refused(announced).await, &["larger than 65536 bytes"]);
    names(
        &refused(|| Reply::Raw(200, vec![("content-type", "text/html".into())], b"<html>".into())).await,
        &["text/html", "neither JSON nor SSZ"],
    );
    names(&refused(|| Reply::Json(serde_json::json!([]))).await, &["finality update", "empty list"]);
    let late = || Reply::Late(Duration::from_secs(5), Box::new(Reply::Endless));
    let started = Instant::now();
    let error = refused(late).await;
    names(&error, &["no answer within 0.8 s"]);
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "three rounds of 0.8 s each: {:?}",
        started.elapsed()
    );
    let cut = || Reply::CutShort(Box::new(Reply::Json(Recorded::devnet(ELECTRA).finality_update)));
    let error = refused(cut).await;
    assert!(matches!(error.failures[0].reason, Reason::Transport(_)), "{error}");
}

#[tokio::test]
async fn passing_failures_are_asked_again_and_lasting_ones_are_not() {
    let recorded = recorded();
    let twice = recorded.clone();
    let node = Node::start(move |ask| match ask.earlier {
        0 | 1 => Reply::refused(503, "syncing"),
        _ => twice.beacon(ask),
    })
    .await;
    finality(&beacon(&[&node]), &recorded).await.expect("the third time");
    assert_eq!(node.asked().len(), 3);

    let node = beacon_node(&recorded, at(FINALITY, || Reply::refused(404, "none"))).await;
    finality(&beacon(&[&node]), &recorded).await.unwrap_err();
    assert_eq!(node.asked().len(), 1);

    let node = beacon_node(&recorded, at(FINALITY, || Reply::refused(502, "bad gateway"))).await;
    finality(&beacon(&[&node]), &recorded).await.unwrap_err();
    assert_eq!(node.asked().len(), 3, "as many as there are rounds");
}

#[tokio::test]
async fn retry_after_is_kept_to_within_reason() {
    for (status, wish, least) in [(429, "1", 300), (503, "9999", 300), (503, "0", 0)] {
        let recorded = recorded();
        let again = recorded.clone();
        let node = Node::start(move |ask| match ask.earlier {
            0 => Reply::Raw(status, vec![("retry-after", wish.into())], Vec::new()),
            _ => again.beacon(ask),
        })
        .await;
        let started = Instant::now();
        finality(&beacon(&[&node]), &recorded).await.expect("the second time");
        let took = started.elapsed();
        // The longest pause of these tests is 300 ms.
        assert!(
            took >= Duration::from_millis(least) && took < Duration::from_secs(1),
            "{status} {wish}: {took:?}"
        );
    }
}

#[tokio::test]
async fn whoever_wants_rest_is_left_alone_while_another_answers() {
    let recorded = recorded();
    let tired = Node::start(|_| Reply::Raw(429, vec![("retry-after", "1".into())], Vec::new())).await;
    let good = beacon_node(&recorded, |_| None).await;
    let nodes = beacon(&[&tired, &good]);
    for _ in 0..3 {
        finality(&nodes, &recorded).await.unwrap();
    }
    assert_eq!((tired.asked().len(), good.asked().len()), (1, 3));
}

#[tokio::test]
async fn redirects_are_followed_a_little() {
    let recorded = recorded();
    let target = beacon_node(&recorded, |_| None).await;
    let to = format!("{}/eth/v1/beacon/light_client/finality_update", target.url());
    let once = Node::start(move |_| Reply::Raw(302, vec![("location", to.clone())], Vec::new())).await;
    finality(&beacon(&[&once]), &recorded).await.expect("one redirect");
    let round = Node::start(|ask| Reply::Raw(302, vec![("location", ask.path.clone())], Vec::new())).await;
    let error = finality(&beacon(&[&round]), &recorded).await.unwrap_err();
    names(&error, &["too many redirects"]);
    let away =
        Node::start(|_| Reply::Raw(302, vec![("location", "ftp://127.0.0.1/".into())], Vec::new())).await;
    names(&finality(&beacon(&[&away]), &recorded).await.unwrap_err(), &["another scheme"]);
}
