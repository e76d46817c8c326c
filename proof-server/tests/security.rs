//! Who gets in: tokens, certificates, budgets. The certificates in `tests/tls` are made by `tests/tls/make.sh`.

mod common;

use std::{path::PathBuf, sync::Arc};

use common::{
    Client, HANGS, Server, committee_changes, good_request,
    http::{Http, request},
    worker::Script,
};
use proof_server::{Config, TlsFiles};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use sextant_protocol::{ErrorCode, Progress, Request, Response};
use sha2::{Digest, Sha256};

fn tls(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

fn server_files(client_ca: bool) -> Option<TlsFiles> {
    Some(TlsFiles {
        cert: tls("server.pem"),
        key: tls("server-key.pem"),
        client_ca: client_ca.then(|| tls("ca.pem")),
        client_crl: None,
    })
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
}

/// A client that trusts the authority, with its certificate or without.
fn client_config(certificate: Option<&str>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(tls("ca.pem")).unwrap()).unwrap();
    let builder = builder().with_root_certificates(roots);
    match certificate {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let chain = vec![CertificateDer::from_pem_file(tls(&format!("{name}.pem"))).unwrap()];
            let key = PrivateKeyDer::from_pem_file(tls(&format!("{name}-key.pem"))).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    }
}

async fn pinged(mut client: Client, token: &str) -> bool {
    client.greet(token).await;
    client.welcome().await;
    client.request(1, Request::Ping).await;
    client.answer().await == (1, Ok(Response::Pong))
}

/// One certificate for both: who has shown a client certificate is let in over HTTP, too.
#[tokio::test]
async fn http_is_behind_the_same_tls() {
    let server = Server::start(Some(HANGS), |config| {
        (config.tls, config.anonymous) = (server_files(true), false);
    })
    .await;
    let ask = async |certificate| {
        let stream = tokio::net::TcpStream::connect(server.http).await?;
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(client_config(certificate)));
        let mut http = Http::over(connector.connect(name, stream).await?).await;
        http.begin(request("GET", "/v1/programs", &[], "")).await.map_err(std::io::Error::other)
    };
    assert_eq!(ask(Some("client")).await.unwrap().status(), 200);
    assert!(ask(None).await.is_err(), "no certificate");
    let plain = Http::connect(server.http).await.begin(request("GET", "/v1/programs", &[], "")).await;
    assert!(plain.is_err(), "no TLS");
    server.stop().await;
}

fn write_tokens(path: &std::path::Path, tokens: &[(&str, &str, &str)]) {
    let text: String = tokens
        .iter()
        .map(|(name, token, rest)| {
            format!(
                "[[token]]\nname = \"{name}\"\nsha256 = \"{}\"\n{rest}\n",
                hex::encode(Sha256::digest(token))
            )
        })
        .collect();
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn tokens_let_in_have_budgets_and_can_be_changed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    write_tokens(file.path(), &[("alice", "first", "requests = 1\nproofs_per_hour = 1")]);
    let closed = |config: &mut Config| {
        (config.token_file, config.anonymous) = (Some(file.path().into()), false);
    };
    let request = good_request();
    let server = Server::start_with(Some(Script::for_jobs(&request, "cat $D/proved")), closed).await;
    for wrong in ["", "second", "firs"] {
        let mut client = Client::mute(&server).await;
        client.greet(wrong).await;
        let error = client.refusal().await;
        assert_eq!(error.code, ErrorCode::Unauthorized, "{wrong:?}");
        assert!(wrong.is_empty() || !error.message.contains(wrong), "{error}");
    }
    let refused = "sextant_connections_refused_total{reason=\"unauthorized\"}";
    assert_eq!(server.metric(refused).await, 3.0);

    let mut alice = Client::mute(&server).await;
    alice.greet("first").await;
    alice.welcome().await;
    alice.request(1, request.clone()).await;
    assert!(matches!(alice.answer().await, (1, Ok(Response::Proof { .. }))));
    // One proof an hour: used up. What is kept already costs nothing.
    alice.request(2, committee_changes().swap_remove(1)).await;
    let error = alice.error(2).await;
    assert_eq!(error.code, ErrorCode::Busy);
    assert!(error.retry_after_ms > 3_000_000, "{error:?}");
    alice.request(3, request).await;
    assert!(matches!(alice.answer().await, (3, Ok(Response::Proof { .. }))));

    // Another token takes its place, without a restart.
    write_tokens(file.path(), &[("alice", "second", "")]);
    server.control.reload.notify_one();
    common::until("the new token counts", common::PATIENCE, async || {
        let mut client = Client::mute(&server).await;
        client.greet("second").await;
        matches!(client.try_receive().await, Ok(Some(sextant_protocol::ServerMessage::Welcome { .. })))
    })
    .await;
    let mut client = Client::mute(&server).await;
    client.greet("first").await;
    assert_eq!(client.refusal().await.code, ErrorCode::Unauthorized);
    server.stop().await;
}

#[tokio::test]
async fn open_requests_are_limited_over_all_connections() {
    let server = Server::start(Some(HANGS), |config| config.budget.requests = 1).await;
    let mut first = Client::connect(&server).await;
    first.request(1, good_request()).await;
    first.wait_for(1, Progress::Preparing).await;
    let mut second = Client::connect(&server).await;
    second.request(1, committee_changes().swap_remove(1)).await;
    assert_eq!(second.error(1).await.code, ErrorCode::Busy);
    server.stop().await;
}

#[tokio::test]
async fn tls_is_spoken_where_it_is_configured() {
    let server = Server::start(Some(HANGS), |config| config.tls = server_files(false)).await;
    let client = Client::secure(&server, client_config(None)).await.unwrap();
    assert!(pinged(client, "").await);
    // Without TLS nothing is understood, and nothing is answered in the protocol.
    let mut plain = Client::mute(&server).await;
    plain.greet("").await;
    assert!(!matches!(plain.try_receive().await, Ok(Some(_))));
    // A client that trusts nobody here.
    let trusts_nobody = builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    assert!(Client::secure(&server, trusts_nobody).await.is_err());
    server.stop().await;
}

#[tokio::test]
async fn client_certificates_say_who_asks() {
    let server = Server::start(Some(HANGS), |config| {
        (config.tls, config.anonymous) = (server_files(true), false);
    })
    .await;
    let client = Client::secure(&server, client_config(Some("client"))).await.unwrap();
    assert!(pinged(client, "").await);
    for certificate in [None, Some("stranger")] {
        // TLS 1.3 tells a client that its certificate is not taken only after its own part is done.
        if let Ok(mut client) = Client::secure(&server, client_config(certificate)).await {
            let _ = client.try_send(&common::hello()).await;
            assert!(!matches!(client.try_receive().await, Ok(Some(_))), "{certificate:?}");
        }
    }
    server.stop().await;

    // Tokens besides: either will do.
    let file = tempfile::NamedTempFile::new().unwrap();
    write_tokens(file.path(), &[("alice", "first", "")]);
    let server = Server::start(Some(HANGS), |config| {
        (config.tls, config.anonymous) = (server_files(true), false);
        config.token_file = Some(file.path().into());
    })
    .await;
    assert!(pinged(Client::secure(&server, client_config(Some("client"))).await.unwrap(), "").await);
    assert!(pinged(Client::secure(&server, client_config(None)).await.unwrap(), "first").await);
    let mut nobody = Client::secure(&server, client_config(None)).await.unwrap();
    nobody.greet("").await;
    assert_eq!(nobody.refusal().await.code, ErrorCode::Unauthorized);
    server.stop().await;
}

/// What a client has shown counts as long as the files say so, also on a connection that is open; nobody has to tell the
/// server that they have changed.
#[tokio::test]
async fn what_is_revoked_ends_at_once() {
    let tokens = tempfile::NamedTempFile::new().unwrap();
    let list = tempfile::NamedTempFile::new().unwrap();
    write_tokens(tokens.path(), &[("alice", "first", ""), ("bob", "other", "")]);
    std::fs::copy(tls("none-revoked.crl"), list.path()).unwrap();
    let server = Server::start(Some(HANGS), |config| {
        let files =
            server_files(true).map(|files| TlsFiles { client_crl: Some(list.path().into()), ..files });
        (config.tls, config.anonymous) = (files, false);
        config.token_file = Some(tokens.path().into());
    })
    .await;
    let connected = async |certificate, token: &str| {
        let mut client = Client::secure(&server, client_config(certificate)).await.unwrap();
        client.greet(token).await;
        client.welcome().await;
        client
    };
    let mut alice = connected(None, "first").await;
    let mut bob = connected(None, "other").await;
    let mut revoked = connected(Some("revoked"), "").await;
    let mut certified = connected(Some("client"), "").await;
    alice.request(1, good_request()).await;
    alice.wait_for(1, Progress::Preparing).await;

    write_tokens(tokens.path(), &[("bob", "other", "")]);
    std::fs::copy(tls("revoked.crl"), list.path()).unwrap();
    let error = loop {
        match alice.receive().await {
            sextant_protocol::ServerMessage::Refused(error) => break error,
            // The request ends with the connection.
            sextant_protocol::ServerMessage::Progress { .. }
            | sextant_protocol::ServerMessage::Answer { result: Err(_), .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(error.code, ErrorCode::Unauthorized, "{error}");
    let error = revoked.refusal().await;
    assert!(error.code == ErrorCode::Unauthorized && error.message.contains("evoked"), "{error}");
    for client in [&mut bob, &mut certified] {
        client.request(1, Request::Ping).await;
        assert_eq!(client.answer().await, (1, Ok(Response::Pong)), "nothing has changed for others");
    }
    if let Ok(mut again) = Client::secure(&server, client_config(Some("revoked"))).await {
        let _ = again.try_send(&common::hello()).await;
        assert!(!matches!(again.try_receive().await, Ok(Some(_))));
    }
    server.stop().await;
}

/// TLS and the introduction have one deadline between them.
#[tokio::test]
async fn silence_after_tls_is_not_given_more_time() {
    let server = Server::start(Some(HANGS), |config| {
        config.tls = server_files(false);
        config.handshake_timeout = std::time::Duration::from_millis(800);
    })
    .await;
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let began = std::time::Instant::now();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client_config(None)));
    let mut silent = Client::over(connector.connect(name, stream).await.unwrap());
    assert!(!matches!(silent.try_receive().await, Ok(Some(_))));
    let took = began.elapsed().as_millis();
    assert!((750..1250).contains(&took), "{took} ms");
    server.stop().await;
}
