//! Headers between client and another server.
//!
//! In: the request as routing left it; the headers of the other server's answer. Out: what goes on, in order. Upstream copies
//! `req.headers` and `proxyRes.headers`, that is Node's joined form with lower-case names (`setupOutgoing` and the outgoing
//! passes of `compiled/httpxy`). Two things are different here: what belongs to one connection stays on that connection, and
//! the body gets new framing, so that the other server sees exactly one request whatever the client wrote.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::upload::Framing;
use crate::request::{Method, Request};
use crate::route::{is_single, HeaderText, HeaderView};

/// What a request says about its own connection (RFC 9110, 7.6.1). Other names that `Connection` lists go on, as upstream's
/// do: dropping those would let a client take away what a front proxy has added.
const OF_CONNECTION: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// What an answer says about its own connection. `upgrade` is not among them: a 426 has to name the protocol.
const OF_ANSWERED_CONNECTION: [&str; 3] = ["connection", "keep-alive", "proxy-connection"];

/// Header names and values, in order.
pub type HeaderLines = Vec<(String, String)>;

/// Codings below `chunked`, which Node leaves on the body.
const CODINGS: [&str; 5] = ["gzip", "x-gzip", "deflate", "compress", "x-compress"];

/// How the body of a request arrived. What Node's parser has accepted is the truth, not what middleware made of the headers.
pub fn framing(request: &Request) -> Framing {
    if request.headers.get("transfer-encoding").is_some() {
        return Framing::Chunked;
    }
    let length = request.headers.get("content-length");
    match length.and_then(|length| length.trim().parse().ok()) {
        Some(length) => Framing::Length(length),
        // HTTP/2 needs neither header to send a body.
        None if request.headers.get(":method").is_some() && !is_without_body(method_of(request)) => Framing::Chunked,
        None => Framing::None,
    }
}

/// The headers of a request to `authority`.
pub fn of_request(request: &Request, view: HeaderView<'_>, authority: &str) -> HeaderLines {
    let framing = framing(request);
    let mut lines = HeaderLines::new();
    let mut framed = false;
    for (name, value) in view.entries() {
        match name.as_str() {
            // In the place of the framing that arrived, so that the order stays.
            "transfer-encoding" | "content-length" => {
                if !framed && framing != Framing::None {
                    lines.push(frame(framing, request));
                    framed = true;
                }
            }
            name if OF_CONNECTION.contains(&name) => {}
            // HTTP/2 has its request line among the headers.
            name if name.starts_with(':') => {}
            // Without chunks there can be no trailers; Node refuses to say so.
            "trailer" if framing != Framing::Chunked => {}
            _ => push(&mut lines, name, value),
        }
    }
    // Upstream says it of these two itself, of others Node does, last.
    let says_early = !framed && matches!(method_of(request), "DELETE" | "OPTIONS");
    if says_early {
        lines.push(frame(framing, request));
    }
    address(&mut lines, view, authority);
    set(&mut lines, "connection", "keep-alive".to_owned());
    let says_nothing = framing == Framing::None && is_without_body(method_of(request));
    if !(framed || says_early || says_nothing) {
        lines.push(frame(framing, request));
    }
    lines
}

/// The headers of a request that asks another server for another protocol. Its host is still the one that was asked.
pub fn of_upgrade(view: HeaderView<'_>) -> HeaderLines {
    let mut lines = HeaderLines::new();
    for (name, value) in view.entries() {
        // Such a request has no body, and one that it claims to have must not be read as the next request. What Node tells
        // beside the headers (runtime/http/request-head.js) is no header.
        let is_told = name.starts_with(':');
        let is_own = matches!(
            name.as_str(),
            "content-length" | "transfer-encoding" | "keep-alive" | "proxy-connection" | "te"
        );
        if !is_told && !is_own {
            push(&mut lines, name, value);
        }
    }
    let asked = view.get("host").unwrap_or_default().into_owned();
    address(&mut lines, view, &asked);
    lines
}

/// To whom the request goes now, and to whom it was sent.
fn address(lines: &mut HeaderLines, view: HeaderView<'_>, authority: &str) {
    let asked = view.get("host").unwrap_or_default().into_owned();
    set(lines, "x-forwarded-host", asked);
    set(lines, "host", authority.to_owned());
}

/// Methods that Node sends without saying that there is no body.
fn is_without_body(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "TRACE" | "CONNECT")
}

/// The method as written.
pub fn method_of(request: &Request) -> &str {
    match &request.method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Options => "OPTIONS",
        Method::Other(name) => name,
    }
}

fn frame(framing: Framing, request: &Request) -> (String, String) {
    match framing {
        Framing::Chunked => ("transfer-encoding".to_owned(), transfer_encoding(request)),
        Framing::Length(length) => ("content-length".to_owned(), length.to_string()),
        Framing::None => ("content-length".to_owned(), "0".to_owned()),
    }
}

/// The codings that are still on the body, then the chunks that we make. Anything else could be read in two ways.
fn transfer_encoding(request: &Request) -> String {
    let arrived = request
        .headers
        .joined("transfer-encoding")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let codings: Option<Vec<&str>> = arrived.strip_suffix("chunked").map(|codings| {
        let codings = codings.split(',').map(str::trim);
        codings.filter(|coding| !coding.is_empty()).collect()
    });
    match codings {
        Some(codings) if !codings.is_empty() && codings.iter().all(|coding| CODINGS.contains(coding)) => {
            format!("{}, chunked", codings.join(", "))
        }
        _ => "chunked".to_owned(),
    }
}

fn push(lines: &mut HeaderLines, name: String, value: HeaderText) {
    match value {
        HeaderText::One(value) => lines.push((name, value)),
        HeaderText::Many(values) => lines.extend(values.into_iter().map(|value| (name.clone(), value))),
    }
}

/// Replaces a header where it stands, or appends it.
fn set(lines: &mut HeaderLines, name: &str, value: String) {
    match lines.iter_mut().find(|(key, _)| key == name) {
        Some(line) => line.1 = value,
        None => lines.push((name.to_owned(), value)),
    }
}

/// The headers of an answer that go on to the client: one line per name, as Node joins them, and each `set-cookie`. `None` if
/// the end of its body can be read in two ways.
pub fn of_answer(headers: &HeaderMap) -> Option<HeaderLines> {
    let mut lines = HeaderLines::new();
    for name in headers.keys() {
        let key = name.as_str();
        if OF_ANSWERED_CONNECTION.contains(&key) {
            continue;
        }
        if key == "transfer-encoding" {
            let codings: Vec<String> = headers.get_all(name).iter().map(text).collect();
            let codings = codings.join(", ").to_ascii_lowercase();
            match codings.rsplit(',').next().map(str::trim) {
                Some("chunked") if !headers.contains_key("content-length") => {}
                // What some say who mean that there is no coding.
                Some("identity") => continue,
                _ => return None,
            }
        }
        let mut values = headers.get_all(name).iter().map(text);
        if key == "set-cookie" {
            lines.extend(values.map(|value| (key.to_owned(), value)));
        } else if let Some(mut value) = values.next() {
            let separator = if key == "cookie" { "; " } else { ", " };
            for more in values.filter(|_| !is_single(key)) {
                value.push_str(separator);
                value.push_str(&more);
            }
            lines.push((key.to_owned(), value));
        }
    }
    Some(lines)
}

/// The headers as hyper sends them; the name of the first that cannot be sent otherwise.
pub fn to_map(lines: &HeaderLines) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::with_capacity(lines.len());
    for (name, value) in lines {
        let invalid = || format!("Invalid character in header content [\"{name}\"]");
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        map.append(key, to_value(value).ok_or_else(invalid)?);
    }
    Ok(map)
}

/// Node has each byte of a header as one character.
fn to_value(text: &str) -> Option<HeaderValue> {
    if text.is_ascii() {
        return HeaderValue::from_str(text).ok();
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

/// The bytes of a header as characters.
pub fn text(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Origin;
    use crate::route::Overlay;

    fn request(head: &str) -> Request {
        Request::parse(head.replace('|', "\0"), false, Origin::Client)
    }

    fn sent(request: &Request, overlay: &Overlay) -> String {
        let lines = of_request(request, HeaderView::new(&request.headers, overlay), "target:1");
        let lines: Vec<String> = lines
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        lines.join("\n")
    }

    #[test]
    fn a_request_says_where_it_goes_and_keeps_the_order() {
        let request =
            request("GET|/|Accept|a|Host|own.example|X-One|1|accept|b|Cookie|x=1|Cookie|y=2|X-Forwarded-Host|fake");
        assert_eq!(
            sent(&request, &Overlay::default()),
            "accept: a, b\nhost: target:1\nx-one: 1\ncookie: x=1; y=2\nx-forwarded-host: own.example\nconnection: keep-alive"
        );
    }

    #[test]
    fn what_belongs_to_the_connection_stays_there() {
        let request = request(
            "GET|/|Host|h|Connection|close, X-Hop|Keep-Alive|timeout=5|Proxy-Connection|x|TE|trailers|Upgrade|h2c|HTTP2-Settings|AA|X-Hop|stays",
        );
        assert_eq!(
            sent(&request, &Overlay::default()),
            "host: target:1\nx-hop: stays\nx-forwarded-host: h\nconnection: keep-alive"
        );
    }

    #[test]
    fn a_body_is_framed_once() {
        let none = Overlay::default();
        let of = |head: &str| {
            let lines = sent(&request(head), &none);
            let framing: Vec<&str> = lines
                .lines()
                .filter(|line| line.starts_with("content-length") || line.starts_with("transfer-encoding"))
                .collect();
            framing.join("\n")
        };
        assert_eq!(of("GET|/|Host|h"), "");
        assert_eq!(of("POST|/|Host|h"), "content-length: 0");
        assert_eq!(of("DELETE|/|Host|h"), "content-length: 0");
        assert_eq!(of("OPTIONS|/|Host|h"), "content-length: 0");
        assert_eq!(of("POST|/|Host|h|Content-Length|5"), "content-length: 5");
        assert_eq!(
            of("DELETE|/|Host|h|Transfer-Encoding|chunked"),
            "transfer-encoding: chunked"
        );
        assert_eq!(
            of("OPTIONS|/|Content-Length|5|Host|h|Transfer-Encoding|chunked"),
            "transfer-encoding: chunked"
        );
        assert_eq!(
            of("GET|/|Transfer-Encoding|GZIP,chunked|Host|h"),
            "transfer-encoding: gzip, chunked"
        );
        for odd in [
            "identity",
            "chunked, identity",
            "chunked, chunked",
            "xchunked",
            "\u{b}chunked",
            "gzip;q=1, chunked",
        ] {
            assert_eq!(
                of(&format!("GET|/|Transfer-Encoding|{odd}|Host|h")),
                "transfer-encoding: chunked"
            );
        }
    }

    #[test]
    fn middleware_cannot_take_the_framing_of_a_body_away() {
        let request = request("POST|/|Host|h|Content-Length|5|X-Own|1");
        let mut overlay = Overlay::default();
        overlay.clear();
        overlay.set("host", "h".into());
        overlay.set("content-length", "99".into());
        overlay.set("x-new", "2".into());
        assert_eq!(
            sent(&request, &overlay),
            "host: target:1\ncontent-length: 5\nx-new: 2\nx-forwarded-host: h\nconnection: keep-alive"
        );
        let mut overlay = Overlay::default();
        overlay.clear();
        assert_eq!(
            sent(&request, &overlay),
            "x-forwarded-host: \nhost: target:1\nconnection: keep-alive\ncontent-length: 5"
        );
    }

    #[test]
    fn answers_are_joined_as_node_joins_them() {
        let mut map = HeaderMap::new();
        for (name, value) in [
            ("set-cookie", "a=1"),
            ("connection", "close"),
            ("vary", "a"),
            ("set-cookie", "b=2"),
            ("vary", "b"),
            ("content-type", "text/plain"),
            ("content-type", "text/html"),
            ("keep-alive", "timeout=5"),
        ] {
            map.append(name, HeaderValue::from_static(value));
        }
        map.append("x-latin", HeaderValue::from_bytes(b"\xfc").unwrap());
        let lines: Vec<String> = of_answer(&map)
            .unwrap()
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        assert_eq!(
            lines,
            [
                "set-cookie: a=1",
                "set-cookie: b=2",
                "vary: a, b",
                "content-type: text/plain",
                "x-latin: ü"
            ]
        );
        assert_eq!(to_value("ü").unwrap().as_bytes(), b"\xfc");
        assert!(to_value("€").is_none() && to_value("a\nb").is_none());
    }

    #[test]
    fn an_answer_with_two_ends_is_none() {
        let answer = |pairs: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in pairs {
                map.append(*name, HeaderValue::from_static(value));
            }
            of_answer(&map).map(|lines| lines.len())
        };
        assert_eq!(answer(&[("transfer-encoding", "chunked")]), Some(1));
        assert_eq!(answer(&[("transfer-encoding", "gzip, Chunked")]), Some(1));
        assert_eq!(answer(&[("transfer-encoding", "identity"), ("age", "1")]), Some(1));
        assert_eq!(
            answer(&[("transfer-encoding", "chunked"), ("content-length", "5")]),
            None
        );
        assert_eq!(answer(&[("transfer-encoding", "chunked, gzip")]), None);
        assert_eq!(
            answer(&[("transfer-encoding", "chunked"), ("transfer-encoding", "x")]),
            None
        );
    }

    #[test]
    fn http_2_says_neither_length_nor_chunks() {
        let none = Overlay::default();
        let post = request("POST|/|:method|POST|:path|/|:authority|h|x-one|1");
        assert_eq!(
            sent(&post, &none),
            "x-one: 1\nx-forwarded-host: \nhost: target:1\nconnection: keep-alive\ntransfer-encoding: chunked"
        );
    }
}
