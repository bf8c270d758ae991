//! Against servers on this machine, with a resolver that says what each test wants.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 216, 34));
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn rules(reach: Reach) -> RemoteRules {
    RemoteRules {
        reach,
        max_bytes: 1000,
        max_redirects: 3,
        trust: CertificateTrust::Authorities,
        reports_empty: true,
        reports_absent: true,
    }
}

fn remote(reach: Reach) -> Remote {
    Remote::new(rules(reach), Client::default(), None)
}

/// A resolver that gives these answers one after the other, the last one again and again.
fn resolver(answers: &[&[IpAddr]]) -> (Resolve, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let left: Mutex<VecDeque<Vec<IpAddr>>> = Mutex::new(answers.iter().map(|list| list.to_vec()).collect());
    let count = Arc::clone(&asked);
    let resolve: Resolve = Arc::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let mut left = left.lock().unwrap();
        let answer = if left.len() > 1 {
            left.pop_front()
        } else {
            left.front().cloned()
        };
        Box::pin(async move { Ok(answer.unwrap()) })
    });
    (resolve, asked)
}

/// A server that sends the same bytes to every client. Returns its port, how many came, and what the last one asked.
async fn server(answer: Vec<u8>) -> (u16, Arc<AtomicUsize>, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (count, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(String::new())));
    let (counted, heard) = (Arc::clone(&count), Arc::clone(&asked));
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let (answer, heard) = (answer.clone(), Arc::clone(&heard));
            tokio::spawn(async move {
                let mut head = [0; 2048];
                let length = socket.read(&mut head).await.unwrap_or(0);
                *heard.lock().unwrap() = String::from_utf8_lossy(&head[..length]).into_owned();
                let _ = socket.write_all(&answer).await;
                let _ = socket.shutdown().await;
            });
        }
    });
    (port, count, asked)
}

fn image(extra: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{extra}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_image_comes_with_what_is_said_of_it_and_nothing_of_a_client_goes() {
    let (port, count, asked) = server(image("ETag: \"1\"\r\nCache-Control: max-age=5\r\n", b"bytes")).await;
    let source = remote(Reach::Any)
        .fetch(&format!("http://u%20x:p@127.0.0.1:{port}/a/b?c=d"))
        .await
        .unwrap();
    assert_eq!(
        (source.bytes.as_ref(), source.cache_control.as_str()),
        (b"bytes".as_slice(), "max-age=5")
    );
    assert_eq!(source.etag, source_tag(Some("\"1\""), b""));
    assert_eq!(count.load(Ordering::SeqCst), 1);
    let asked = asked.lock().unwrap().to_lowercase();
    assert!(asked.starts_with("get /a/b?c=d http/1.1\r\n"), "{asked}");
    assert!(
        asked.contains("authorization: basic dsb4onA=\r\n".to_lowercase().as_str()),
        "{asked}"
    );
    for absent in ["cookie", "referer", "x-forwarded"] {
        assert!(!asked.contains(absent), "{asked}");
    }
}

#[tokio::test]
async fn private_addresses_are_refused_before_anything_is_sent() {
    // CVE-2026-94483
    let (port, count, _) = server(image("", b"secret")).await;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ] {
        let refused = remote(Reach::Public).fetch(&format!("http://{host}:{port}/")).await;
        assert_eq!(refused, Err(ImageError::Refused(400, NOT_ALLOWED)), "{host}");
    }
    for answer in [
        &[LOCAL][..],
        &[PUBLIC, LOCAL],
        &["fd00::1".parse().unwrap()],
        &["169.254.169.254".parse().unwrap()],
    ] {
        let mut remote = remote(Reach::Public);
        remote.resolve = resolver(&[answer]).0;
        let refused = remote.fetch(&format!("http://cdn.example.com:{port}/")).await;
        assert_eq!(refused, Err(ImageError::Refused(400, NOT_ALLOWED)), "{answer:?}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_a_moment_later_leads_nowhere() {
    // CVE-2026-94483: the resolver says a public address first and this machine's from then on. The name is asked once, and the
    // connection goes to what was looked at; there is no server, so that it fails.
    let (port, count, _) = server(image("", b"secret")).await;
    let mut remote = remote(Reach::Public);
    let unreachable: IpAddr = "192.0.1.1".parse().unwrap();
    let (resolve, asked) = resolver(&[&[unreachable], &[LOCAL]]);
    remote.resolve = resolve;
    remote.time_limit = Duration::from_millis(200);
    let failed = remote.fetch(&format!("http://rebind.example.com:{port}/")).await;
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn every_redirect_is_looked_at_again() {
    // CVE-2026-94483
    let (secret, count, _) = server(image("", b"secret")).await;
    let location = format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{secret}/\r\nContent-Length: 0\r\n\r\n");
    let (port, _, _) = server(location.into_bytes()).await;
    // The first server is private, too, but the test cannot reach a public one; so its name is taken for public.
    let allowed_first = |reach| {
        let mut remote = remote(reach);
        remote.resolve = resolver(&[&[LOCAL]]).0;
        remote
    };
    let all = allowed_first(Reach::Any)
        .fetch(&format!("http://cdn.example.com:{port}/"))
        .await;
    assert!(all.is_ok());
    let mut first_was_private = Some(false);
    for reach in [Reach::Public, Reach::AsNamed] {
        let url = Url::parse(&format!("http://127.0.0.1:{secret}/")).unwrap();
        let refused = remote(reach).addresses(&url, &mut first_was_private).await;
        assert_eq!(refused, Err(ImageError::Refused(400, NOT_ALLOWED)), "{reach:?}");
    }
    // A server that the configuration names itself may be private where no option says otherwise, and stay among its like.
    let named = allowed_first(Reach::AsNamed)
        .fetch(&format!("http://intranet.example:{port}/"))
        .await;
    assert!(named.is_ok());
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn redirects_time_and_bytes_are_bounded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap().port();
    let mut slow = remote(Reach::Any);
    slow.time_limit = Duration::from_millis(50);
    let late = slow.fetch(&format!("http://127.0.0.1:{silent}/")).await;
    assert_eq!(late, Err(ImageError::Refused(504, UPSTREAM_TIMED_OUT)));

    let (port, _, _) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegins".to_vec()).await;
    let broken = remote(Reach::Any).fetch(&format!("http://127.0.0.1:{port}/")).await;
    assert!(matches!(broken, Err(ImageError::Failed(_))), "{broken:?}");

    let (port, count, _) = server(b"HTTP/1.1 307 T\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
    let round = remote(Reach::Any).fetch(&format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(round, Err(ImageError::Refused(508, UPSTREAM_INVALID)));
    assert_eq!(count.load(Ordering::SeqCst), 4);

    let (port, _, _) = server(image("", &[0; 1001])).await;
    let large = remote(Reach::Any).fetch(&format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(large, Err(ImageError::Refused(413, UPSTREAM_INVALID)));

    let (port, _, _) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
    let empty = remote(Reach::Any).fetch(&format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(empty, Err(ImageError::Refused(400, UPSTREAM_INVALID)));
}

#[test]
fn codings_are_undone_within_the_limit() {
    use flate2::{write, Compression};
    use std::io::Write as _;
    let gzip = |bytes: &[u8]| {
        let mut encoder = write::GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let undo = |coding: &str, bytes: Vec<u8>| {
        let mut headers = HeaderMap::new();
        headers.insert("content-encoding", coding.parse().unwrap());
        decoded(bytes.into(), &headers, 1000)
    };
    assert_eq!(undo("gzip", gzip(b"x")).unwrap(), "x");
    assert_eq!(undo("x-gzip, GZIP", gzip(&gzip(b"x"))).unwrap(), "x");
    let brotli = |bytes: &[u8]| {
        let mut coded = Vec::new();
        brotli::CompressorWriter::new(&mut coded, 4096, 5, 22)
            .write_all(bytes)
            .unwrap();
        coded
    };
    assert_eq!(undo("br", brotli(b"x")).unwrap(), "x");
    assert_eq!(undo("gzip, br", brotli(&gzip(b"x"))).unwrap(), "x");
    assert_eq!(undo("br", brotli(&[0; 1 << 20])), Err(413));
    assert_eq!(undo("br", b"no brotli".to_vec()), Err(400));
    assert_eq!(
        undo("zstd", zstd::stream::encode_all(&b"x"[..], 1).unwrap()).unwrap(),
        "x"
    );
    assert_eq!(undo("compress", b"x".to_vec()).unwrap(), "x");
    assert_eq!(undo("gzip", vec![0; 1_001]), Err(400));
    // A megabyte of nothing in a thousand bytes.
    assert_eq!(undo("gzip", gzip(&[0; 1 << 20])), Err(413));
    assert_eq!(undo("gzip,gzip,gzip,gzip,gzip,gzip", b"x".to_vec()), Err(400));
    let mut torn = gzip(&[7; 500]);
    torn.truncate(torn.len() - 4);
    assert_eq!(undo("gzip", torn).unwrap().len(), 500);
}
