//! Clients behind a balancer that says for whom it connects.

mod common;

use common::{Client, HANGS, Server};
use proof_server::Config;
use sextant_protocol::{ErrorCode, Request, Response};

fn behind_this_machine(config: &mut Config) {
    config.balancers = vec!["127.0.0.0/8".parse().unwrap()];
    config.max_connections_per_address = 1;
}

/// A connection for `source`, and what the server says to its hello.
async fn connect(server: &Server, header: &[u8]) -> Result<Client, Option<ErrorCode>> {
    let mut client = Client::mute(server).await.raw(header).await;
    let _ = client.try_send(&common::hello()).await;
    let introduction = common::introduction("", 0);
    let _ = client.try_send(&introduction).await;
    match client.try_receive().await {
        Ok(Some(sextant_protocol::ServerMessage::Welcome { .. })) => Ok(client),
        Ok(Some(sextant_protocol::ServerMessage::Refused(error))) => Err(Some(error.code)),
        _ => Err(None),
    }
}

fn version_1(source: &str) -> Vec<u8> {
    format!("PROXY TCP4 {source} 192.0.2.200 40000 7100\r\n").into_bytes()
}

fn version_2(source: [u8; 4]) -> Vec<u8> {
    let addresses =
        [&source[..], &[192, 0, 2, 200], &40_000_u16.to_be_bytes(), &7100_u16.to_be_bytes()].concat();
    [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", &addresses[..]].concat()
}

#[tokio::test]
async fn clients_have_the_addresses_that_a_balancer_names() {
    let server = Server::start(Some(HANGS), behind_this_machine).await;
    let Ok(mut first) = connect(&server, &version_1("192.0.2.1")).await else { panic!("not let in") };
    let Ok(mut second) = connect(&server, &version_2([192, 0, 2, 2])).await else {
        panic!("another address is not let in")
    };
    for version in [version_1("192.0.2.2"), version_2([192, 0, 2, 1])] {
        let refused = connect(&server, &version).await.err();
        assert_eq!(refused, Some(Some(ErrorCode::Busy)), "too many from this address");
    }
    for client in [&mut first, &mut second] {
        client.request(1, Request::Ping).await;
        assert_eq!(client.answer().await, (1, Ok(Response::Pong)));
    }
    // In pieces, as a network may deliver it.
    let header = version_1("192.0.2.3");
    let slow = Client::mute(&server).await.raw(&header[..9]).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let mut slow = slow.raw(&header[9..]).await;
    slow.greet("").await;
    slow.welcome().await;
    server.stop().await;
}

#[tokio::test]
async fn nobody_else_says_for_whom_it_is_and_a_balancer_has_to() {
    let server = Server::start(Some(HANGS), behind_this_machine).await;
    assert_eq!(connect(&server, b"").await.err(), Some(None), "no header, no answer");
    assert_eq!(server.metric("sextant_connections_refused_total{reason=\"proxy\"}").await, 1.0);
    server.stop().await;

    let server = Server::start(Some(HANGS), |_| {}).await;
    let refused = connect(&server, &version_1("192.0.2.1")).await.err();
    assert!(refused.is_some(), "from a stranger it is no message");
    server.stop().await;
}
