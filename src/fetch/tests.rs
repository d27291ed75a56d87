//! The fetcher before real servers.

use std::time::Duration;

use http::Response;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::proxy::matcher::Matcher;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::origin::{Answer, Certificate, Origin, endless, ok, tls};
use super::*;

/// Long enough for anything that ends by itself.
const AMPLE: Duration = Duration::from_secs(60);

async fn get(origin: &Origin, path: &str, within: Duration) -> Result<Fetched, FetchError> {
    let network = Network::through(Matcher::builder().build());
    let fetcher = network.fetcher(Some(&origin.certificate_authority));
    fetcher.get(&format!("{}{path}", origin.url), Instant::now() + within).await
}

async fn refusal(origin: &Origin, path: &str) -> FetchError {
    get(origin, path, AMPLE).await.unwrap_err()
}

fn redirect(location: &str) -> Answer {
    let answer = Response::builder().status(302).header(header::LOCATION, location);
    answer.body(Empty::new().boxed()).unwrap()
}

#[tokio::test]
async fn a_document_arrives_whole_with_its_freshness() {
    for alpn in [&["h2"], &["http/1.1"]] {
        let origin = Origin::serve_as(Certificate { alpn, ..Default::default() }, |_| async {
            let mut answer = ok(r#"{"keys":[]}"#);
            answer.headers_mut().insert("cache-control", "public, max-age=600".parse().unwrap());
            answer
        });
        let fetched = get(&origin.await, "/jwks", AMPLE).await.unwrap();
        assert_eq!(fetched.body, r#"{"keys":[]}"#);
        assert_eq!(fetched.fresh_for, Some(Duration::from_secs(600)));
    }
}

#[tokio::test]
async fn a_jwt_may_come_with_any_success() {
    let origin = Origin::serve(|path| async move {
        let status: u16 = path.trim_start_matches('/').parse().unwrap();
        let mut answer = ok("a.b.c");
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        answer
    });
    let origin = origin.await;
    let fetcher = Network::through(Matcher::builder().build());
    let fetcher = fetcher.fetcher(Some(&origin.certificate_authority));
    for (status, taken) in [
        (200, true),
        (206, true),
        (226, true),
        (227, false),
        (299, false),
        (304, false),
        (400, false),
    ] {
        let url = format!("{}/{status}", origin.url);
        let jwt = fetcher.get_jwt(&url, None, Instant::now() + AMPLE).await;
        assert_eq!(jwt.ok().as_deref(), taken.then_some(&b"a.b.c"[..]), "{status}");
        assert_eq!(fetcher.get(&url, Instant::now() + AMPLE).await.is_ok(), status == 200);
    }
}

#[test]
fn an_origin_is_host_and_port() {
    let origin = |url| origin_of(url).ok();
    for url in ["https://Host/x?y", "HTTPS://host:443", "https://host/"] {
        assert_eq!(origin(url).as_deref(), Some("host:443"), "{url}");
    }
    assert_eq!(origin("https://[::1]:8443/").as_deref(), Some("[::1]:8443"));
    assert_eq!(origin("http://host/"), None);
    assert_eq!(origin("https://user@host/"), None);
}

/// Where a token sends us is the token's affair.
#[tokio::test]
async fn a_failure_can_be_told_without_names() {
    let origin = Origin::serve(|_| async { redirect("https://elsewhere.test/") }).await;
    let untrusted = Network::of_this_machine().fetcher(Some(&tls(&Certificate::default()).1));
    let elsewhere = refusal(&origin, "/").await;
    let mut failures = vec![elsewhere];
    for url in [&*origin.url, "https://localhost:1", "https://localhost.invalid"] {
        failures.push(untrusted.get(url, Instant::now() + AMPLE).await.unwrap_err());
    }
    for failure in failures {
        let told = failure.without_names();
        assert!(!told.contains("localhost") && !told.contains("elsewhere"), "{told}");
        assert!(failure.to_string().contains("localhost") || told.contains("redirects"));
    }
}

#[tokio::test]
async fn only_https_addresses_without_a_user_are_asked() {
    let fetcher = Network::of_this_machine().fetcher(None);
    let refusal = async |url| fetcher.get(url, Instant::now() + AMPLE).await.unwrap_err();
    assert!(matches!(refusal("http://localhost/").await, FetchError::NotHttps));
    assert!(matches!(refusal("file:///etc/passwd").await, FetchError::BadUrl));
    assert!(matches!(refusal("/jwks").await, FetchError::BadUrl));
    assert!(matches!(refusal("https://me:pw@localhost/").await, FetchError::BadUrl));
}

#[tokio::test]
async fn a_body_past_the_limit_is_refused_by_its_length_and_while_it_flows() {
    for alpn in [&["h2"], &["http/1.1"]] {
        let certificate = Certificate { alpn, ..Default::default() };
        let origin = Origin::serve_as(certificate, |path| async move {
            match path.as_str() {
                "/fits" => ok(vec![b' '; MAX_BODY_BYTES]),
                "/long" => ok(vec![b' '; MAX_BODY_BYTES + 1]),
                _ => endless(vec![b' '; 16 << 10], None),
            }
        });
        let origin = origin.await;
        assert_eq!(get(&origin, "/fits", AMPLE).await.unwrap().body.len(), MAX_BODY_BYTES);
        assert!(matches!(refusal(&origin, "/long").await, FetchError::TooLarge));
        assert!(matches!(refusal(&origin, "/endless").await, FetchError::TooLarge));
    }
}

#[tokio::test]
async fn a_drip_and_a_stall_end_at_the_deadline() {
    let origin = Origin::serve(|path| async move {
        match path.as_str() {
            "/drip" => endless(" ", Some(Duration::from_millis(5))),
            _ => std::future::pending().await,
        }
    });
    let origin = origin.await;
    for path in ["/drip", "/stall"] {
        let error = get(&origin, path, Duration::from_millis(300)).await.unwrap_err();
        assert!(matches!(error, FetchError::TimedOut), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn a_fetch_that_was_given_up_keeps_no_connection() {
    for alpn in [&["h2"], &["http/1.1"]] {
        let (tls, certificate_authority) = tls(&Certificate { alpn, ..Default::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let server = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            let Ok(mut socket) = tls.accept(socket).await else { return };
            // Ends when the client hangs up, politely or not.
            let _ = socket.read_to_end(&mut Vec::new()).await;
        });
        let network = Network::through(Matcher::builder().build());
        let fetcher = network.fetcher(Some(&certificate_authority));
        let error = fetcher.get(&url, Instant::now() + Duration::from_millis(300)).await;
        assert!(matches!(error, Err(FetchError::TimedOut)), "{error:?}");
        server.await.unwrap();
    }
}

#[tokio::test]
async fn redirects_stay_within_the_origin_and_end() {
    let origin = Origin::serve(|path| async move {
        match path.as_str() {
            "/relative" => redirect("/document"),
            "/elsewhere" => redirect("https://127.0.0.1/document"),
            "/authority" => redirect("//issuer.example/document"),
            "/port" => redirect("https://localhost:1/document"),
            "/plain" => redirect("http://localhost/document"),
            "/user" => redirect("https://localhost@issuer.example/"),
            "/nowhere" => redirect("document"),
            "/circle" => redirect("/circle"),
            _ => ok("here"),
        }
    });
    let origin = origin.await;
    assert_eq!(get(&origin, "/relative", AMPLE).await.unwrap().body, "here");
    for path in ["/elsewhere", "/authority", "/port", "/plain", "/user"] {
        let error = refusal(&origin, path).await;
        assert!(matches!(error, FetchError::RedirectedElsewhere { .. }), "{path}: {error:?}");
    }
    assert!(matches!(refusal(&origin, "/nowhere").await, FetchError::BadRedirect));
    let before = origin.requests();
    assert!(matches!(refusal(&origin, "/circle").await, FetchError::TooManyRedirects));
    assert_eq!(origin.requests() - before, 1 + MAX_REDIRECTS);
}

#[test]
fn a_whole_address_of_the_same_origin_is_no_other_origin() {
    let at = |url: &str, location: &str| {
        let headers = HeaderMap::from_iter([(header::LOCATION, location.parse().unwrap())]);
        redirected(&url.parse().unwrap(), &headers).map(|next| next.to_string()).ok()
    };
    let next = Some("https://ISSUER.example:443/b".to_owned());
    assert_eq!(at("https://issuer.example/a", "https://ISSUER.example:443/b"), next);
    assert_eq!(at("https://issuer.example/a", "https://issuer.example:444/b"), None);
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said() {
    let serve = |certificate| Origin::serve_as(certificate, |_| async { ok("") });
    let expired = serve(Certificate { expired: true, ..Default::default() }).await;
    let error = refusal(&expired, "/").await;
    assert!(matches!(error, FetchError::CertificateTime { .. }), "{error:?}");
    let other = serve(Certificate { name: "issuer.example", ..Default::default() }).await;
    let error = refusal(&other, "/").await;
    assert!(matches!(error, FetchError::CertificateName { .. }), "{error:?}");
    for authority in ["A", "B"] {
        let mut stranger = serve(Certificate { authority, ..Default::default() }).await;
        stranger.certificate_authority.clone_from(&other.certificate_authority);
        let error = refusal(&stranger, "/").await;
        assert!(matches!(error, FetchError::UnknownAuthority { .. }), "{error:?}");
    }
}

/// rustls says that something is wrong; whoever has to mend it needs to know which certificate.
#[tokio::test]
async fn what_a_refused_certificate_says_is_told() {
    let told = async |certificate, trusted: Option<&Origin>| {
        let mut origin = Origin::serve_as(certificate, |_| async { ok("") }).await;
        if let Some(trusted) = trusted {
            origin.certificate_authority.clone_from(&trusted.certificate_authority);
        }
        refusal(&origin, "/").await.to_string()
    };
    let other =
        Origin::serve_as(Certificate { authority: "Other", ..Default::default() }, |_| async {
            ok("")
        });
    let other = other.await;
    let yesterday = OffsetDateTime::now_utc() - time::Duration::days(1);
    let expired = told(Certificate { expired: true, ..Default::default() }, None).await;
    let date = yesterday.date();
    assert!(expired.contains(&format!("localhost has expired at {date}T")), "{expired}");
    let name = "a\n.example";
    let named = told(Certificate { name: "issuer.example", ..Default::default() }, None).await;
    assert!(named.contains(r#"not valid for that name, but for "issuer.example""#), "{named}");
    let named = told(Certificate { name: "192.0.2.7", ..Default::default() }, None).await;
    assert!(named.contains(r#"but for "192.0.2.7""#), "{named}");
    let stranger = told(Certificate::default(), Some(&other)).await;
    assert!(stranger.contains(r#"is signed by "CN=A", and not by the"#), "{stranger}");
    assert!(stranger.contains(r#"the configured authority ("CN=Other")"#), "{stranger}");
    assert!(stranger.contains("issuer.certificateAuthority"), "{stranger}");
    let again = Certificate { authority: "Other", ..Default::default() };
    let again = told(again, Some(&other)).await;
    assert!(again.contains("which was perhaps made anew"), "{again}");
    let own = Certificate { self_signed: true, ..Default::default() };
    let own = told(own, Some(&other)).await;
    assert!(own.contains("is self-signed"), "{own}");
    let wild = Certificate { authority: name, ..Default::default() };
    let wild = told(wild, Some(&other)).await;
    assert!(wild.contains(r#""CN=a\n.example""#), "names are escaped: {wild}");
}

#[tokio::test]
async fn a_self_signed_authority_may_serve_if_it_is_configured_itself() {
    let own = Certificate { self_signed: true, ..Default::default() };
    let serve = |certificate| Origin::serve_as(certificate, |_| async { ok("x") });
    let mut origin = serve(own).await;
    assert_eq!(get(&origin, "/", AMPLE).await.unwrap().body, "x");
    // No other certificate of the same name, and not under another name or past its time.
    origin.certificate_authority =
        serve(Certificate { self_signed: true, ..Default::default() }).await.certificate_authority;
    assert!(get(&origin, "/", AMPLE).await.is_err());
    let wrong = Certificate { self_signed: true, name: "issuer.example", ..Default::default() };
    let error = refusal(&serve(wrong).await, "/").await;
    assert!(matches!(error, FetchError::CertificateName { .. }), "{error:?}");
    let old = Certificate { self_signed: true, expired: true, ..Default::default() };
    let error = refusal(&serve(old).await, "/").await;
    assert!(matches!(error, FetchError::CertificateTime { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_connection_is_said() {
    let mut origin = Origin::serve(|_| async {
        Response::builder().status(503).body(Empty::new().boxed()).unwrap()
    })
    .await;
    assert!(matches!(refusal(&origin, "/").await, FetchError::Status(status) if status == 503));
    origin.url = "https://issuer.invalid".to_owned();
    let error = refusal(&origin, "/").await;
    assert!(matches!(error, FetchError::Dns { .. }), "{error:?}");
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    origin.url = format!("https://{free}");
    let error = refusal(&origin, "/").await;
    assert!(matches!(error, FetchError::Connect { why: NoConnection::Refused, .. }), "{error:?}");
    // Whoever is there hangs up in the handshake, or speaks something else.
    for (greeting, words) in [("", "it broke off"), ("HTTP/1.1 400 Bad\r\n\r\n", "not speak TLS")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        origin.url = format!("https://{}", listener.local_addr().unwrap());
        let greeter = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 16]).await;
            socket.write_all(greeting.as_bytes()).await.unwrap();
        });
        let error = refusal(&origin, "/").await.to_string();
        assert!(error.contains(words), "{error}");
        greeter.await.unwrap();
    }
}

#[test]
fn a_certificate_authority_is_certificates() {
    let refusal = |pem| CertificateAuthority::parse(pem).err();
    assert_eq!(refusal("no PEM"), Some(CertificateAuthorityError::Empty));
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(refusal(junk), Some(CertificateAuthorityError::Invalid { number: 1 }));
}

#[test]
fn one_authority_is_one_client_made_when_it_is_needed_and_gone_with_the_last_fetcher() {
    let network = Network::of_this_machine();
    let authority = |name| {
        let (_, authority) = tls(&Certificate { authority: name, ..Default::default() });
        // As another issuer has it: the same text, written once more.
        (CertificateAuthority::parse(authority.pem()).unwrap(), authority)
    };
    let ((one, again), (other, _)) = (authority("A"), authority("B"));
    let fetchers = [&one, &again, &other].map(|authority| network.fetcher(Some(authority)));
    let [first, second, third] = fetchers.each_ref().map(|fetcher| &fetcher.trust);
    assert!(Arc::ptr_eq(first, second) && !Arc::ptr_eq(first, third));
    assert!(LazyLock::get(first).is_none(), "nobody has fetched yet");
    assert!(LazyLock::force(first).is_some());
    let held = Arc::downgrade(first);
    drop(fetchers);
    assert_eq!(held.strong_count(), 0);
    assert!(LazyLock::get(&network.fetcher(Some(&one)).trust).is_none(), "it is made anew");
}

#[test]
fn freshness_is_what_the_headers_leave() {
    let fresh = |headers: &[(&'static str, &str)]| {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        freshness(&map).map(|fresh| fresh.as_secs())
    };
    assert_eq!(fresh(&[]), None);
    assert_eq!(fresh(&[("cache-control", "public, must-revalidate")]), None);
    assert_eq!(fresh(&[("cache-control", "Max-Age=60")]), Some(60));
    assert_eq!(fresh(&[("cache-control", "max-age=60, s-maxage=30")]), Some(30));
    let twice = [("cache-control", "private"), ("cache-control", "max-age=\"60\"")];
    assert_eq!(fresh(&twice), Some(60));
    assert_eq!(fresh(&[("cache-control", "max-age=60"), ("age", "50")]), Some(10));
    assert_eq!(fresh(&[("cache-control", "max-age=60"), ("age", "500")]), Some(0));
    assert_eq!(fresh(&[("cache-control", "no-cache, max-age=60")]), Some(0));
    assert_eq!(fresh(&[("cache-control", "max-age=-1")]), None);
    assert_eq!(fresh(&[("cache-control", "max-age=99999999999999999999")]), None);
    assert_eq!(fresh(&[("cache-control", "max-age=18446744073709551615")]), Some(u64::MAX));
}

#[tokio::test]
async fn a_proxy_leads_to_the_issuer_and_is_not_asked_for_this_machine() {
    let certificate = Certificate { name: "issuer.example", ..Default::default() };
    let origin = Origin::serve_as(certificate, |_| async { ok("behind the proxy") }).await;
    let port = origin.port;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://me:pw@{}", listener.local_addr().unwrap());
    let tunnel = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        String::from_utf8(head).unwrap()
    });
    let network = Network::through(Matcher::builder().https(proxy).build());
    let fetcher = network.fetcher(Some(&origin.certificate_authority));
    let until = Instant::now() + AMPLE;
    let fetched = fetcher.get("https://issuer.example/jwks", until).await.unwrap();
    assert_eq!(fetched.body, "behind the proxy");
    let head = tunnel.await.unwrap();
    assert!(head.starts_with("CONNECT issuer.example:443 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic bWU6cHc=\r\n"), "{head}");

    // The proxy is gone; what is here is reached without it.
    let url = format!("https://localhost:{port}/");
    let error = fetcher.get(&url, until).await.unwrap_err();
    assert!(matches!(error, FetchError::CertificateName { .. }), "{error:?}");
    let error = fetcher.get("https://issuer.example/jwks", until).await.unwrap_err();
    assert!(matches!(error, FetchError::Proxy { why: NoConnection::Refused, .. }), "{error:?}");
}

#[tokio::test]
async fn what_a_proxy_refuses_is_said_without_its_password() {
    for (answer, words) in [
        ("407 Proxy Authentication Required", "wants a user and password"),
        ("403 Forbidden", "the proxy would not connect"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            let _ = client.read(&mut [0; 1024]).await;
            let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
            client.write_all(answer.as_bytes()).await.unwrap();
        });
        let matcher = Matcher::builder().https(format!("http://me:secret@{address}")).build();
        let fetcher = Network::through(matcher).fetcher(Some(&tls(&Certificate::default()).1));
        let until = Instant::now() + AMPLE;
        let error = fetcher.get("https://issuer.example/", until).await.unwrap_err();
        let told = error.to_string();
        assert!(told.contains(words) && told.contains("add that to NO_PROXY"), "{told}");
        assert!(told.contains(&address.to_string()) && !told.contains("secret"), "{told}");
        proxy.await.unwrap();
    }
}
