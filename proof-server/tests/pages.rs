//! Web pages and the gateway: which may ask, and the one that it serves itself.

mod common;

use std::path::Path;

use common::{
    HANGS, Server,
    http::{NOBODYS, ask, get},
};
use proof_server::Origins;

/// A browser tells where a page comes from: no page may ask but those that are named.
#[tokio::test]
async fn only_pages_of_named_origins_may_ask() {
    let server = Server::start(Some(HANGS), |config| {
        config.http_origins = Origins::named(&["https://wallet.example".into()]).unwrap();
    })
    .await;
    let from = async |method: &str, origin: &str| {
        ask(server.http, method, "/v1/programs", &[("origin", origin)], "").await
    };
    for other in ["https://evil.example", "null", "http://wallet.example"] {
        for method in ["GET", "OPTIONS"] {
            let answer = from(method, other).await;
            assert_eq!(answer.problem(), (403, "Unauthorized".into()), "{other}");
            assert!(!answer.headers.contains_key("access-control-allow-origin"));
        }
    }
    let preflight = from("OPTIONS", "https://wallet.example").await;
    assert_eq!(preflight.status, 204);
    assert!(preflight.headers["access-control-allow-methods"].to_str().unwrap().contains("DELETE"));
    let answer = from("GET", "https://wallet.example").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["access-control-allow-origin"], "https://wallet.example");
    assert_eq!(answer.headers["vary"], "origin");
    server.stop().await;
}

/// The page of this repository, as the gateway serves it: whatever is loaded from there may ask, and nothing else may.
#[tokio::test]
async fn a_page_is_served_and_may_ask_where_it_comes_from() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("js")).unwrap();
    for file in ["index.html", "js/main.js"] {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web").join(file);
        std::fs::copy(source, folder.path().join(file)).unwrap();
    }
    let server = Server::start(Some(HANGS), |config| config.http_files = Some(folder.path().into())).await;
    let page = get(server.http, "/").await;
    assert_eq!(
        (page.status.as_u16(), &page.headers["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    // The page says the same policy, for servers that send none; whose frame it stands in only a header can say.
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let text = std::str::from_utf8(&page.body).unwrap();
    let said = text.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(policy, format!("{said}; frame-ancestors 'none'"));
    assert_eq!(page.headers["x-content-type-options"], "nosniff");

    let script = get(server.http, "/js/main.js").await;
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    let tag = script.headers["etag"].to_str().unwrap();
    let again = ask(server.http, "GET", "/js/main.js", &[("if-none-match", tag)], "").await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    let head = ask(server.http, "HEAD", "/js/main.js", &[], "").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    for other in
        ["/js", "/js/", "/../Cargo.toml", "/js/../../Cargo.toml", "/%2e%2e/Cargo.toml", "/js//main.js"]
    {
        assert_eq!(get(server.http, other).await.problem(), (404, "Unsupported".into()), "{other}");
    }
    assert_eq!(ask(server.http, "POST", "/js/main.js", &[], "").await.status, 404);
    assert_eq!(get(server.http, "/v1/programs").await.status, 200);
    assert_eq!(get(server.http, "/v1").await.headers["content-type"], "text/html; charset=utf-8");

    let host = server.http.to_string();
    let from = async |origin: &str, host: &str| {
        ask(
            server.http,
            "DELETE",
            &format!("/v1/proofs/{NOBODYS}"),
            &[("origin", origin), ("host", host)],
            "",
        )
        .await
        .status
    };
    assert_eq!(from(&format!("http://{host}"), &host).await, 404, "it may ask, there is no such job");
    for (origin, host) in
        [("https://evil.example", &host[..]), ("http://evil.example", "evil.example"), ("null", "null")]
    {
        assert_eq!(from(origin, host).await, 403, "{origin}");
    }
    server.stop().await;
    // Without a page nothing is loaded from here, and nothing from here asks.
    let server = Server::start(Some(HANGS), |_| {}).await;
    let host = server.http.to_string();
    let headers = [("origin", &format!("http://{host}")[..]), ("host", &host)];
    assert_eq!(ask(server.http, "GET", "/v1/programs", &headers, "").await.status, 403);
    server.stop().await;
}
