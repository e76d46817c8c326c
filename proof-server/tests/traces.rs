//! Traces: what a collector sees of a request, in one server and in several. Workers are scripts, the collector is played.

mod common;

use std::time::{Duration, Instant};

use common::{
    Client, Server,
    collector::{self, Collector, Span},
    good_request, hello, server_tokens, until,
    worker::Script,
};
use proof_server::{Config, Role};
use sextant_protocol::{ClientMessage, ErrorCode, Progress, Response, Token};

const WAITS: &str = "cat $D/executing; while [ ! -e $D/go ]; do sleep 0.02; done; cat $D/proved";
const EXECUTING: Progress = Progress::Executing { cycles: 7 };
const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn server(job: &str, adjust: impl FnOnce(&mut Config)) -> Server {
    Server::start_with(Some(Script::for_jobs(&good_request(), job)), adjust).await
}

/// The one span that is called so.
fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

/// All spans are of one trace, and end after they begin.
fn assert_one_trace(spans: &[Span]) {
    assert!(spans.iter().all(|span| span.trace == spans[0].trace && span.trace.len() == 16), "{spans:#?}");
    assert!(spans.iter().all(|span| span.start > 0 && span.start <= span.end), "{spans:#?}");
}

async fn proven(client: &mut Client) {
    client.request(1, good_request()).await;
    let answer = client.answer().await;
    assert!(matches!(answer, (1, Ok(Response::Proof { .. }))), "{answer:?}");
}

#[tokio::test]
async fn a_request_its_wait_and_its_stage_are_one_trace() {
    let collector = Collector::start().await;
    let server = server("cat $D/proved", |config| config.traces = collector.config()).await;
    let mut client = Client::connect(&server).await;
    proven(&mut client).await;
    // What asks for no proof has no trace.
    client.request(2, sextant_protocol::Request::Ping).await;
    client.answer().await.1.unwrap();
    server.stop().await;
    let spans = collector.spans();
    assert_one_trace(&spans);
    let request = named(&spans, "prove");
    assert_eq!((request.parent.len(), request.kind, request.role.as_str()), (0, 2, "all"));
    assert_eq!((request.outcome(), request.failed), ("ok", false));
    for (name, value) in [("program", "committee-change"), ("kind", "stark"), ("found", "started")] {
        assert_eq!(request.says(&format!("sextant.{name}")), value);
    }
    assert_eq!(request.says("sextant.job").len(), 64);
    let [check, queue, stage] = ["check", "queue", "stark"].map(|name| named(&spans, name));
    for part in [check, queue, stage] {
        assert_eq!((&part.parent, part.outcome()), (&request.id, "ok"), "{part:?}");
        assert!(request.start <= part.start && part.end <= request.end, "{part:?}");
    }
    assert!(check.end <= queue.start && queue.end <= stage.start);
    assert_eq!((stage.says("sextant.delivery"), spans.len()), ("1", 4));
}

/// Also where the worker is at another's job.
#[tokio::test]
async fn a_request_waits_as_long_as_it_waits() {
    let collector = Collector::start().await;
    let server = server(WAITS, |config| config.traces = collector.config()).await;
    let (mut first, mut second) = (Client::connect(&server).await, Client::connect(&server).await);
    first.request(1, good_request()).await;
    first.wait_for(1, EXECUTING).await;
    second.request(1, common::committee_changes().swap_remove(1)).await;
    second.wait_for(1, Progress::Queued { position: 0 }).await;
    server.script.as_ref().unwrap().touch("go");
    assert!(first.answer().await.1.is_ok());
    // The script says the same to everybody.
    second.error(1).await;
    server.stop().await;
    let spans = collector.spans();
    let asked = |outcome: &str| {
        let asked = |span: &&Span| span.name == "prove" && span.outcome() == outcome;
        spans.iter().find(asked).unwrap_or_else(|| panic!("{outcome}: {spans:#?}"))
    };
    let below = |request: &Span, name: &str| {
        spans.iter().find(|span| span.parent == request.id && span.name == name).unwrap().clone()
    };
    let (first, second) = (asked("ok"), asked("internal"));
    let (stage, wait) = (below(first, "stark"), below(second, "queue"));
    assert!(wait.start < stage.end && stage.end <= wait.end, "{wait:?} {stage:?}");
}

/// Nothing of who asks, and nothing that quotes them.
#[tokio::test]
async fn no_span_says_who_asks() {
    let collector = Collector::start().await;
    let tokens = common::token_file(&[("alice", "")]);
    let server = server("cat $D/proved", |config| {
        config.traces = collector.config();
        config.token_file = Some(tokens.path().into());
    })
    .await;
    let mut client = Client::named(&server, "alice").await;
    proven(&mut client).await;
    server.stop().await;
    let spans = format!("{:?}", collector.spans());
    assert!(spans.contains("prove") && !spans.contains("alice") && !spans.contains("127.0.0.1"), "{spans}");
}

#[tokio::test]
async fn what_fails_or_is_given_up_says_so() {
    let collector = Collector::start().await;
    let server = server(WAITS, |config| config.traces = collector.config()).await;
    let mut client = Client::connect(&server).await;
    client.request(1, good_request()).await;
    client.wait_for(1, EXECUTING).await;
    client.send(&ClientMessage::Cancel { id: 1 }).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Cancelled);
    let untrue = common::prove(sextant_consensus::Program::CommitteeChange, vec![1]);
    client.request(2, untrue).await;
    client.error(2).await;
    server.stop().await;
    let spans = collector.spans();
    let outcomes = |name: &str| {
        let named = spans.iter().filter(|span| span.name == name);
        let mut outcomes: Vec<_> = named.map(|span| (span.outcome(), span.failed)).collect();
        outcomes.sort_unstable();
        outcomes
    };
    assert_eq!(outcomes("prove"), [("cancelled", false), ("invalid_statement", true)]);
    assert_eq!(outcomes("stark"), [("cancelled", false)]);
    assert_eq!(outcomes("check"), [("invalid_statement", true), ("ok", false)]);
}

/// A job belongs to the request that has started it; who joins refers to it.
#[tokio::test]
async fn who_joins_a_job_refers_to_its_trace() {
    let collector = Collector::start().await;
    let server = server(WAITS, |config| config.traces = collector.config()).await;
    let mut clients = [Client::connect(&server).await, Client::connect(&server).await];
    for client in &mut clients {
        client.request(1, good_request()).await;
        client.wait_for(1, EXECUTING).await;
    }
    server.script.as_ref().unwrap().touch("go");
    for client in &mut clients {
        assert!(client.answer().await.1.is_ok());
    }
    server.stop().await;
    let spans = collector.spans();
    let found = |source: &str| spans.iter().find(|span| span.says("sextant.found") == source).unwrap();
    let (first, second) = (found("started"), found("shared"));
    assert_eq!((&second.links, first.trace == second.trace), (&vec![first.id.clone()], false));
    assert_eq!(named(&spans, "stark").trace, first.trace);
}

/// An entrypoint and its upstream, which knows it to be a server.
#[tokio::test]
async fn a_trace_goes_on_at_the_upstream() {
    let collector = Collector::start().await;
    let (known, token) = server_tokens();
    let upstream = server("cat $D/proved", |config| {
        (config.role, config.traces) = (Role::CommitteeChange, collector.config());
        (config.token_file, config.anonymous) = (Some(known.path().into()), true);
    })
    .await;
    let entrypoint = server("cat $D/verified", |config| {
        (config.role, config.traces) = (Role::Entrypoint, collector.config());
        config.upstreams.committee_change = vec![upstream.address.to_string()];
        config.upstreams.token_file = Some(token.path().into());
    })
    .await;
    until("it is ready", common::PATIENCE, async || entrypoint.http("/readyz").await.0 == 200).await;
    proven(&mut Client::connect(&entrypoint).await).await;
    entrypoint.stop().await;
    upstream.stop().await;
    let spans = collector.spans();
    assert_one_trace(&spans);
    let of = |role: &str| -> Vec<_> { spans.iter().filter(|span| span.role == role).cloned().collect() };
    let (near, far) = (of("entrypoint"), of("committee-change"));
    let request = named(&near, "prove");
    let forward = named(&near, "forward");
    assert!(request.parent.is_empty() && forward.parent == request.id && forward.kind == 3);
    assert_eq!(forward.says("server.address").split(':').next(), Some("127.0.0.1"));
    assert_eq!(named(&near, "verify").parent, request.id);
    let there = named(&far, "prove");
    assert_eq!((&there.parent, there.says("sextant.hops")), (&forward.id, "1"));
    for part in ["check", "queue", "stark"] {
        assert_eq!(named(&far, part).parent, there.id, "{part}");
    }
}

/// A stranger's word for where a request belongs would have anybody write into the traces of others.
#[tokio::test]
async fn whose_trace_a_request_belongs_to_is_believed_of_servers_alone() {
    let collector = Collector::start().await;
    let (known, _) = server_tokens();
    let server = server("cat $D/proved", |config| {
        config.traces = collector.config();
        (config.token_file, config.anonymous) = (Some(known.path().into()), true);
    })
    .await;
    for (token, traceparent) in [("", GIVEN), ("fleet", GIVEN), ("fleet", "00-what-is-this")] {
        let mut client = Client::mute(&server).await;
        client.send(&hello()).await;
        let (token, on_behalf) = (Token(token.into()), String::new());
        let traceparent = Some(traceparent.into());
        client.send(&ClientMessage::Introduction { token, hops: 0, on_behalf, traceparent }).await;
        client.welcome().await;
        proven(&mut client).await;
    }
    server.stop().await;
    let mut requests: Vec<_> = collector.spans().into_iter().filter(|span| span.name == "prove").collect();
    requests.sort_by_key(|span| span.start);
    let parents: Vec<_> = requests.iter().map(|span| hex::encode(&span.parent)).collect();
    assert_eq!(parents, ["", "00f067aa0ba902b7", ""]);
    assert_eq!(hex::encode(&requests[1].trace), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(requests[0].trace != requests[1].trace && requests[2].trace != requests[1].trace);
}

#[tokio::test]
async fn a_collector_that_is_gone_or_refuses_costs_nothing_but_its_spans() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    // One that takes connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refuses = Collector::start().await;
    // Neither is it followed elsewhere.
    refuses.says(307);
    for (address, lost) in [(gone, true), (silent.local_addr().unwrap(), false), (refuses.address, true)] {
        let server = server("cat $D/proved", |config| config.traces = collector::at(address)).await;
        let began = Instant::now();
        proven(&mut Client::connect(&server).await).await;
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        let counted = "sextant_trace_spans_total{outcome=\"lost\"}";
        if lost {
            until("they are counted", common::PATIENCE, async || server.metric(counted).await == 4.0).await;
        }
        assert_eq!(server.metric("sextant_trace_spans_total{outcome=\"sent\"}").await, 0.0);
        // Nor does the end wait for it.
        let began = Instant::now();
        server.stop().await;
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    }
    assert_eq!(refuses.headers().len(), 1);
}

/// Spans are sent while the server runs, with the headers of a file, which is read again when it changes.
#[tokio::test]
async fn headers_for_the_collector_come_from_a_file() {
    let collector = Collector::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "authorization: Bearer one\nx-tenant: sextant\n").unwrap();
    let server = server("cat $D/proved", |config| {
        config.traces = collector.config();
        config.traces.as_mut().unwrap().headers = Some(file.path().into());
        config.cache.memory = 0;
    })
    .await;
    let mut client = Client::connect(&server).await;
    proven(&mut client).await;
    let sent = async |messages: usize| {
        until("they are sent", common::PATIENCE, async || collector.headers().len() == messages).await;
        collector.headers().pop().unwrap()
    };
    let headers = sent(1).await;
    assert!(headers["authorization"] == "Bearer one" && headers["x-tenant"] == "sextant", "{headers:?}");
    assert_eq!(server.metric("sextant_trace_spans_total{outcome=\"sent\"}").await, 4.0);
    std::fs::write(file.path(), "authorization: Bearer two\n").unwrap();
    server.control.reload.notify_one();
    tokio::time::sleep(Duration::from_millis(200)).await;
    proven(&mut client).await;
    let headers = sent(2).await;
    assert!(headers["authorization"] == "Bearer two" && !headers.contains_key("x-tenant"), "{headers:?}");
    server.stop().await;
}

/// A collector within TLS is one that the authority certifies, and no other.
#[tokio::test]
async fn a_collector_within_tls_is_known_by_its_authority() {
    let collector = Collector::secure().await;
    for (ca, outcome) in [("stranger.pem", "lost"), ("ca.pem", "sent")] {
        let server = server("cat $D/proved", |config| {
            let mut traces = collector.config().unwrap();
            traces.endpoint = traces.endpoint.replace("http://127.0.0.1", "https://localhost");
            traces.authorities = Some(collector::tls(ca));
            config.traces = Some(traces);
        })
        .await;
        proven(&mut Client::connect(&server).await).await;
        let counted = format!("sextant_trace_spans_total{{outcome=\"{outcome}\"}}");
        until(ca, common::PATIENCE, async || server.metric(&counted).await == 4.0).await;
        server.stop().await;
    }
    assert_eq!(collector.spans().len(), 4);
}

/// What cannot be used is said at the start, by its setting, and without what may be secret.
#[tokio::test]
async fn files_for_the_collector_that_are_of_no_use_are_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "authorization: fine\nBearer secret\n").unwrap();
    let check = |headers: bool| {
        let mut config = common::settings().resolve().unwrap();
        let mut traces = collector::at(([127, 0, 0, 1], 4318).into()).unwrap();
        if headers {
            traces.headers = Some(file.path().into())
        } else {
            traces.authorities = Some(file.path().into())
        }
        config.traces = Some(traces);
        proof_server::check(&config).unwrap_err().to_string()
    };
    let path = file.path().display();
    assert_eq!(check(true), format!("otlp-headers-file: {path}: line 2 is not NAME: VALUE"));
    assert_eq!(check(false), format!("otlp-ca: {path}: no certificate in it"));
}
