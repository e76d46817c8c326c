//! The protocol's requests over HTTP: every route, what is wrong with requests, and who may ask. Pages: `pages.rs`; statements in
//! JSON: `told.rs`.

mod common;

use std::{collections::BTreeSet, time::Duration};

use common::{
    Client, HANGS, Server, good_request, good_requests,
    http::{Http, NOBODYS, ask, get, request},
    token_file, until,
    worker::{Script, is_alive},
};
use http_body_util::BodyExt;
use proof_server::Config;
use serde_json::Value;
use sextant_protocol::{ErrorCode, ProofRecord, Request, Response};

/// Proves once the file `go` is there.
const WAITS: &str = "cat $D/executing; while [ ! -e $D/go ]; do sleep 0.02; done; cat $D/proved";

async fn proving(adjust: impl FnOnce(&mut Config)) -> Server {
    Server::start_with(Some(Script::for_jobs(&good_request(), WAITS)), adjust).await
}

/// The input of [`good_request`], and where it is brought.
fn statement() -> (&'static str, Vec<u8>) {
    let Request::Prove(request) = good_request() else { unreachable!() };
    ("/v1/proofs?program=committee-change", request.input.bytes)
}

/// Asks for [`good_request`]'s proof, and returns the path of the job.
async fn submitted(server: &Server, headers: &[(&str, &str)]) -> String {
    let (path, input) = statement();
    let answer = ask(server.http, "POST", path, headers, input).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let told = answer.json();
    let location = answer.headers["location"].to_str().unwrap();
    assert_eq!(location, format!("/v1/proofs/{}", told["id"].as_str().unwrap()));
    assert!(told["kept_s"].as_u64().unwrap() > 0);
    location.to_owned()
}

async fn begun(server: &Server) {
    let script = server.script.as_ref().unwrap();
    until("it is worked on", common::PATIENCE, async || script.jobs() == 1).await;
}

#[tokio::test]
async fn a_proof_is_asked_for_and_fetched_as_a_file() {
    let server = proving(|_| {}).await;
    let job = submitted(&server, &[]).await;
    begun(&server).await;
    until("it says where it stands", common::PATIENCE, async || {
        let told = get(server.http, &job).await.json();
        assert_eq!(told["state"], "running");
        told["step"] == serde_json::json!({ "step": "executing", "cycles": 7 })
    })
    .await;
    let early = get(server.http, &format!("{job}/proof")).await;
    assert_eq!((early.status.as_u16(), early.json()["state"].as_str()), (202, Some("running")));
    assert_eq!(early.json()["step"]["step"], "executing");
    server.script.as_ref().unwrap().touch("go");
    let file = get(server.http, &format!("{job}/proof?wait_ms=60000")).await;
    assert_eq!(
        (file.status.as_u16(), file.headers["content-type"].as_bytes()),
        (200, &b"application/octet-stream"[..])
    );
    let proof = ProofRecord::from_file_bytes(&file.body).unwrap();
    assert_eq!(proof.proof.len(), 100_000);
    let told = get(server.http, &job).await.json();
    assert_eq!(
        (&told["state"], &told["proof"]["bytes"]),
        (&"done".into(), &file.body.len().into()),
        "{told}"
    );
    assert_eq!(
        (&told["proof"]["kind"], &told["proof"]["program"]),
        (&"stark".into(), &"committee-change".into())
    );
    server.stop().await;
}

/// Whichever way two clients come: the same statement is the same job.
#[tokio::test]
async fn clients_of_both_sides_share_a_job() {
    let server = proving(|_| {}).await;
    let job = submitted(&server, &[]).await;
    begun(&server).await;
    let mut client = Client::connect(&server).await;
    client.request(1, good_request()).await;
    client.wait_for(1, sextant_protocol::Progress::Executing { cycles: 7 }).await;
    server.script.as_ref().unwrap().touch("go");
    let (1, Ok(Response::Proof(proof))) = client.answer().await else { panic!("a proof") };
    assert!(job.ends_with(&proof.job.to_string()));
    let file = get(server.http, &format!("{job}/proof?wait_ms=60000")).await;
    assert_eq!(&file.body[10..file.body.len() - 32], &proof.record[..]);
    assert_eq!(server.script.as_ref().unwrap().jobs(), 1);
    server.stop().await;
}

#[tokio::test]
async fn events_tell_the_steps_and_the_end() {
    let server = proving(|_| {}).await;
    let job = submitted(&server, &[]).await;
    begun(&server).await;
    let mut http = Http::connect(server.http).await;
    let answer = http.begin(request("GET", &format!("{job}/events"), &[], "")).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"text/event-stream".parse().unwrap())
    );
    let mut body = answer.into_body();
    let mut text = String::new();
    while let Some(piece) = tokio::time::timeout(common::PATIENCE, body.frame()).await.unwrap() {
        text += std::str::from_utf8(&piece.unwrap().into_data().unwrap()).unwrap();
        if text.contains("\"executing\"") {
            server.script.as_ref().unwrap().touch("go");
        }
    }
    let events: Vec<(String, Value)> = text
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("event: ")?.split_once("\ndata: "))
        .map(|(name, data)| (name.to_owned(), serde_json::from_str(data).unwrap()))
        .collect();
    let (last, steps) = events.split_last().unwrap();
    assert!(steps.iter().all(|(name, _)| name == "step"), "{text}");
    assert!(steps.iter().any(|(_, step)| step["step"] == "executing" && step["cycles"] == 7), "{text}");
    assert_eq!((last.0.as_str(), &last.1["state"]), ("done", &"done".into()), "{text}");
    let described = get(server.http, "/v1/openapi.json").await.json();
    for (name, data) in &events {
        let shape = event_data(&described, name);
        assert!(
            shape.iter().any(|shape| has_shape(&described, shape, data)),
            "{name}: {data} is none of {shape:?}"
        );
    }
    // Of a job that is over, the end is all there is; of one that there is not, there are no events.
    let again = get(server.http, &format!("{job}/events")).await;
    assert!(again.body.starts_with(b"event: done\n"), "{again:?}");
    let none = get(server.http, &format!("/v1/proofs/{NOBODYS}/events")).await;
    assert_eq!(none.problem(), (404, "UnknownJob".into()));
    server.stop().await;
}

/// The shapes that the data of an event may have, as they are described.
fn event_data<'a>(described: &'a Value, name: &str) -> Vec<&'a Value> {
    let answer = "/paths/~1v1~1proofs~1{id}~1events/get/responses/200/content/text~1event-stream/schema";
    let event = described.pointer(answer).unwrap();
    assert_eq!(event["type"], "object", "an event, not the stream");
    let kinds = event["oneOf"].as_array().unwrap();
    let kinds = kinds.iter().filter(|kind| kind["properties"]["event"]["enum"] == serde_json::json!([name]));
    let shapes = kinds.map(|kind| kind["properties"]["data"]["contentSchema"]["anyOf"].as_array().unwrap());
    shapes.flatten().collect()
}

/// Whether what is required there is there, in the shape or in one of its alternatives.
fn has_shape(described: &Value, shape: &Value, data: &Value) -> bool {
    let shape = match shape["$ref"].as_str() {
        Some(reference) => described.pointer(reference.trim_start_matches('#')).unwrap(),
        None => shape,
    };
    if let Some(alternatives) = shape["oneOf"].as_array() {
        return alternatives.iter().any(|shape| has_shape(described, shape, data));
    }
    let properties = shape["properties"].as_object().unwrap();
    let is_const = |(name, field): (&String, &Value)| field.get("const").is_none_or(|due| *due == data[name]);
    let required = shape["required"].as_array().unwrap();
    required.iter().all(|name| data.get(name.as_str().unwrap()).is_some()) && properties.iter().all(is_const)
}

#[tokio::test]
async fn a_job_is_taken_back_by_whoever_has_asked_for_it() {
    let tokens = token_file(&[("alice", ""), ("bob", "")]);
    let server = proving(|config| {
        (config.token_file, config.anonymous) = (Some(tokens.path().into()), false);
    })
    .await;
    let (alice, bob) = (("authorization", "Bearer alice"), ("authorization", "bearer bob"));
    let job = submitted(&server, &[alice]).await;
    begun(&server).await;
    let worker = server.script.as_ref().unwrap().pids()[0];
    let others = ask(server.http, "DELETE", &job, &[bob], "").await;
    assert_eq!(others.problem(), (404, "UnknownJob".into()));
    assert!(is_alive(worker));
    let own = ask(server.http, "DELETE", &job, &[alice], "").await;
    assert_eq!((own.status.as_u16(), own.body.len()), (204, 0));
    until("the worker is killed", Duration::from_secs(5), async || !is_alive(worker)).await;
    assert_eq!(ask(server.http, "GET", &job, &[alice], "").await.problem(), (404, "UnknownJob".into()));
    server.stop().await;
}

#[tokio::test]
async fn tokens_and_budgets_are_those_of_the_protocol() {
    let tokens = token_file(&[("alice", "requests = 1"), ("bob", "")]);
    let server = proving(|config| {
        (config.token_file, config.anonymous) = (Some(tokens.path().into()), false);
    })
    .await;
    for headers in [&[][..], &[("authorization", "Bearer nobody")], &[("authorization", "Basic YWxpY2U6")]] {
        let answer = ask(server.http, "GET", "/v1/programs", headers, "").await;
        assert_eq!(answer.problem(), (401, "Unauthorized".into()), "{headers:?}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    let alice = ("authorization", "Bearer alice");
    submitted(&server, &[alice]).await;
    begun(&server).await;
    // Each request of a connection says for itself who asks.
    let Request::Prove(other) = good_requests().swap_remove(1) else { unreachable!() };
    let mut http = Http::connect(server.http).await;
    let path = "/v1/proofs?program=committee-change";
    let mut submit = async |token| {
        http.ask(request("POST", path, &[("authorization", token)], other.input.bytes.clone())).await
    };
    let busy = submit("Bearer alice").await;
    assert_eq!(busy.problem(), (429, "Busy".into()), "leaving a job here buys no other");
    let mut tcp = Client::named(&server, "alice").await;
    tcp.request(1, Request::Prove(other.clone())).await;
    assert_eq!(tcp.error(1).await.code, ErrorCode::Busy, "nor does asking over TCP");
    assert_eq!(submit("Bearer bob").await.status, 202);
    assert_eq!(submit("Bearer nobody").await.problem(), (401, "Unauthorized".into()));
    // A token that is gone lets nobody in any more, on whichever connection.
    std::fs::copy(token_file(&[("alice", "")]).path(), tokens.path()).unwrap();
    server.control.reload.notify_one();
    until("it is cut off", Duration::from_secs(10), async || {
        let programs = request("GET", "/v1/programs", &[("authorization", "Bearer bob")], "");
        match http.begin(programs).await {
            Ok(answer) => answer.status() == 401,
            Err(_) => true,
        }
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_proof_is_verified() {
    let script = Script::for_jobs(&good_request(), "cat $D/verified");
    let server = Server::start_with(Some(script), |config| config.max_record = 1 << 20).await;
    let file = common::record().to_file_bytes();
    let verify = async |body: Vec<u8>| ask(server.http, "POST", "/v1/verifications", &[], body).await;
    let answer = verify(file.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, serde_json::json!({ "valid": true })));
    let mut damaged = file.clone();
    damaged[40] ^= 1;
    for wrong in [&b""[..], b"SXTPROOF", &file[..file.len() - 1], &damaged] {
        assert_eq!(verify(wrong.to_vec()).await.problem(), (400, "Malformed".into()));
    }
    let mut record = common::record();
    record.vk_hash = [7; 32];
    assert_eq!(verify(record.to_file_bytes()).await.problem(), (422, "InvalidProof".into()));
    record.proof = vec![0; 1 << 20];
    assert_eq!(verify(record.to_file_bytes()).await.problem(), (413, "TooLarge".into()));
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let server = Server::start(Some(HANGS), |config| config.max_input = 100_000).await;
    let (path, input) = statement();
    let submit = async |path: &str, kind: &str, body: &[u8]| {
        ask(server.http, "POST", path, &[("content-type", kind)], body.to_vec()).await.problem()
    };
    let bytes = "application/octet-stream";
    for path in [
        "/v1/proofs",
        "/v1/proofs?program=other",
        "/v1/proofs?program=inclusion&colour=red",
        "/v1/proofs?program=inclusion&program=inclusion",
        "/v1/proofs?program=inclusion&deadline_ms=-1",
    ] {
        assert_eq!(submit(path, bytes, &input).await, (400, "Malformed".into()), "{path}");
    }
    assert_eq!(submit(path, "text/plain", &input).await, (415, "Unsupported".into()));
    assert_eq!(submit(path, bytes, b"no input").await, (422, "InvalidStatement".into()));
    assert_eq!(submit(path, bytes, &[0; 100_001]).await, (413, "TooLarge".into()));
    let plonk = format!("{path}&kind=plonk");
    assert_eq!(submit(&plonk, bytes, &input).await, (422, "Unsupported".into()));
    for (method, path, problem) in [
        ("GET", "/v1/proofs/12", (400, "Malformed")),
        ("GET", "/v1/proofs/%ff", (400, "Malformed")),
        ("GET", &format!("/v1/proofs/{NOBODYS}"), (404, "UnknownJob")),
        ("GET", &format!("/v1/proofs/{NOBODYS}/proof"), (404, "UnknownJob")),
        ("DELETE", &format!("/v1/proofs/{NOBODYS}"), (404, "UnknownJob")),
        ("GET", "/v1/nothing", (404, "Unsupported")),
        ("PUT", "/v1/programs", (405, "Unsupported")),
        ("GET", "/v1/rpc", (426, "Unsupported")),
    ] {
        let (status, name) = ask(server.http, method, path, &[], "").await.problem();
        assert_eq!((status, name.as_str()), problem, "{method} {path}");
    }
    server.stop().await;
}

/// Bodies are read as far as they may be, and what comes slowly is not waited for.
#[tokio::test]
async fn bodies_are_bounded_in_size_memory_and_time() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = Server::start(Some(HANGS), |config| {
        (config.max_input, config.buffers) = (1 << 20, 256 << 10);
        (config.frame_timeout, config.handshake_timeout) = (Duration::from_secs(1), Duration::from_secs(2));
    })
    .await;
    let (path, _) = statement();
    let chunked = format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    let announced = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n");
    let endless =
        [chunked.as_bytes(), b"20000\r\n", &[0; 0x20000], b"\r\n20000\r\n", &[0; 0x20000], b"\r\n"].concat();
    for (name, bytes, status) in [
        ("a head that does not end", "GET / HT".into(), None),
        ("a body that does not come", format!("{chunked}5\r\nab").into_bytes(), Some("504")),
        ("more than may be", announced.into_bytes(), Some("413")),
        ("more than there is memory for", endless, Some("429")),
        ("no HTTP", b"\0\0\0\x04SEXTANT".to_vec(), Some("400")),
    ] {
        let mut stream = tokio::net::TcpStream::connect(server.http).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut answer = Vec::new();
        // What was not read may turn the end into a reset.
        let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "{name}: the connection ends");
        let answer = String::from_utf8_lossy(&answer);
        match status {
            Some(status) => assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{name}: {answer:?}"),
            None => assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{name}: {answer:?}"),
        }
    }
    assert_eq!(get(server.http, "/v1/programs").await.status, 200);
    server.stop().await;
}

/// Connections of both sides are counted together, and whoever finds no place hears why.
#[tokio::test]
async fn places_are_those_of_the_protocol() {
    let server = Server::start(Some(HANGS), |config| config.max_connections_per_address = 2).await;
    let mut http = Http::connect(server.http).await;
    assert_eq!(http.ask(request("GET", "/v1/programs", &[], "")).await.status, 200);
    let _tcp = Client::connect(&server).await;
    let refused = get(server.http, "/v1/programs").await;
    assert_eq!(refused.problem(), (429, "Busy".into()));
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    drop(http);
    until("its place is free", Duration::from_secs(5), async || {
        get(server.http, "/v1/programs").await.status == 200
    })
    .await;
    server.stop().await;
}

/// Jobs with their steps, workers and failures, for operators.
#[tokio::test]
async fn an_operator_sees_what_the_server_is_at() {
    let tokens = token_file(&[("alice", ""), ("olga", "operator = true")]);
    let script = Script::for_jobs(&good_request(), WAITS);
    let server =
        Server::start_with(Some(script), |config| config.token_file = Some(tokens.path().into())).await;
    let bearer = |token: &str| format!("Bearer {token}");
    let look = async |token: &str| {
        ask(server.http, "GET", "/v1/status", &[("authorization", &bearer(token))], "").await
    };
    assert_eq!(look("alice").await.problem(), (403, "Unauthorized".into()));
    let job = submitted(&server, &[("authorization", &bearer("alice"))]).await;
    begun(&server).await;
    let mut told = Value::Null;
    until("its step is seen", common::PATIENCE, async || {
        told = look("olga").await.json();
        told["jobs"][0]["step"]["step"] == "executing"
    })
    .await;
    let (seen, proving) = (&told["jobs"][0], &told["workers"][0]);
    assert_eq!(format!("/v1/proofs/{}", seen["id"].as_str().unwrap()), job);
    assert_eq!(
        (&seen["program"], &seen["kind"], &seen["clients"], &told["open"]),
        (&"committee-change".into(), &"stark".into(), &1.into(), &1.into())
    );
    assert_eq!((&proving["lane"], &proving["running"]), (&"proving".into(), &1.into()));
    server.script.as_ref().unwrap().touch("go");
    until("it is over", common::PATIENCE, async || {
        told = look("olga").await.json();
        told["open"] == 0
    })
    .await;
    assert_eq!((&told["last_hour"]["made"], &told["last_hour"]["failed"]), (&1.into(), &0.into()));
    assert_eq!(told["failures"], serde_json::json!([]));
    server.stop().await;
}

/// A job that failed is told of with its reason.
#[tokio::test]
async fn an_operator_sees_why_jobs_failed() {
    let script = Script::for_jobs(&good_request(), "exit 3");
    let server = Server::start_with(Some(script), |_| {}).await;
    let job = submitted(&server, &[]).await;
    let mut told = Value::Null;
    until("it has failed", Duration::from_secs(30), async || {
        told = get(server.http, "/v1/status").await.json();
        told["failures"].as_array().is_some_and(|failures| !failures.is_empty())
    })
    .await;
    let failure = &told["failures"][0];
    assert_eq!(format!("/v1/proofs/{}", failure["id"].as_str().unwrap()), job);
    assert_eq!(failure["error"]["name"], "ProverFailed", "{told}");
    assert_eq!(told["last_hour"]["failed"], 1);
    assert!(told["workers"][0]["failures"].as_u64().unwrap() > 0, "{told}");
    // A page whose name leads to this machine has its reader's address, and no right of theirs.
    let rebound = ask(server.http, "GET", "/v1/status", &[("host", "evil.example")], "").await;
    assert_eq!(rebound.problem(), (403, "Unauthorized".into()));
    server.stop().await;
}

/// The description is of what there is: its shapes are all there, and each of its addresses answers.
#[tokio::test]
async fn the_description_is_whole_and_true() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let told = get(server.http, "/v1/openapi.json").await.json();
    assert_eq!(told["openapi"], "3.1.0");
    let text = told.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(told.pointer(pointer).is_some(), "{pointer}");
    }
    let mut operations = BTreeSet::new();
    for (path, methods) in told["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.insert(operation["operationId"].as_str().unwrap());
            let path = path.replace("{id}", NOBODYS);
            let (status, name) = match ask(server.http, &method.to_uppercase(), &path, &[], "").await {
                answer if answer.status == 200 => continue,
                answer => answer.problem(),
            };
            assert!(
                status != 405 && (status != 404 || name == "UnknownJob"),
                "{method} {path}: {status} {name}"
            );
        }
    }
    let all =
        ["events", "programs", "proof", "rpc", "status", "submit", "verify", "withdraw", "work", "wrap"];
    assert_eq!(operations, all.into());
    let submit = &told["paths"]["/v1/proofs"]["post"]["parameters"];
    let names: Vec<_> = submit
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["required"] == true))
        .collect();
    assert_eq!(names, [("deadline_ms", false), ("kind", false), ("program", true)]);
    assert_eq!(
        (&submit[0]["schema"]["minimum"], &submit[0]["schema"]["maximum"]),
        (&0.into(), &u64::MAX.into())
    );
    assert_eq!(submit[2]["schema"]["enum"], serde_json::json!(["committee-change", "inclusion"]));
    let page = get(server.http, "/").await;
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(page.headers.contains_key("content-security-policy"));
    server.stop().await;
}

#[tokio::test]
async fn the_programs_are_those_of_the_protocol() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let told = get(server.http, "/v1/programs").await.json();
    let mut client = Client::connect(&server).await;
    client.request(1, Request::Info).await;
    let (1, Ok(Response::Info(info))) = client.answer().await else { panic!("facts") };
    assert_eq!(told["agent"], info.agent.as_str());
    assert_eq!(told["limits"]["input"], info.limits.input);
    let programs = told["programs"].as_array().unwrap();
    assert_eq!(programs.len(), info.programs.len());
    for (told, info) in programs.iter().zip(&info.programs) {
        assert_eq!(told["vk_hash"], format!("0x{}", hex::encode(info.vk_hash)));
        assert_eq!(told["tag"], info.program);
    }
    server.stop().await;
}

/// A server that drains answers what was asked, and takes nothing more.
#[tokio::test]
async fn draining_ends_connections_between_requests() {
    let server = proving(|_| {}).await;
    let job = submitted(&server, &[]).await;
    begun(&server).await;
    let mut http = Http::connect(server.http).await;
    let events = http.begin(request("GET", &format!("{job}/events"), &[], "")).await.unwrap();
    let mut idle = Http::connect(server.http).await;
    assert_eq!(idle.ask(request("GET", "/v1/programs", &[], "")).await.status, 200);
    server.control.drain.cancel();
    until("idle connections end", Duration::from_secs(5), async || {
        idle.begin(request("GET", "/v1/programs", &[], "")).await.is_err()
    })
    .await;
    server.script.as_ref().unwrap().touch("go");
    let told = events.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&told).contains("event: done"), "{told:?}");
    server.ended().await;
}
