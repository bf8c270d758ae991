//! Routing decisions on standard input and output, for the tests that compare them with upstream's.
//!
//! In: one JSON object per line: `dir`, `distDir`, `version`, `config` and `requests` (`target` and `headers` as name and
//! value in turn). Out: one JSON object per line, `decisions` in the order of the requests, or `error` when the build cannot
//! be compiled. Only routing: no entry runs, so what has to ask JavaScript ends at the question.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use ferronext::build::{Build, ListingRoot};
use ferronext::config::NextConfig;
use ferronext::request::{Headers, Method, Origin, Request};
use ferronext::route::{Decision, HeaderText, NotFound, RouteStep, Router};
use serde::Deserialize;
use serde_json::{json, Value};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    dir: PathBuf,
    dist_dir: PathBuf,
    version: String,
    config: NextConfig,
    requests: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    target: String,
    headers: Vec<String>,
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(question) => answer(&question),
            Err(error) => json!({ "error": format!("not a question: {error}") }),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(question: &Question) -> Value {
    let router = Build::load(&question.dir, &question.dist_dir, &question.version)
        .and_then(|build| Router::compile(&build, &question.config));
    match router {
        Err(error) => json!({ "error": error.message() }),
        Ok(router) => {
            let decide = |asked| decide(&router, asked);
            json!({ "decisions": question.requests.iter().map(decide).collect::<Vec<_>>() })
        }
    }
}

fn decide(router: &Router, asked: &Asked) -> Value {
    let request = Request {
        method: Method::Get,
        target: asked.target.clone(),
        headers: Headers::parse(asked.headers.join("\0")),
        encrypted: false,
        origin: Origin::Client,
    };
    shown(&router.begin(&request))
}

fn shown(step: &RouteStep) -> Value {
    let state = &step.state;
    let query: Vec<Value> = state
        .location
        .query
        .iter()
        .map(|(key, value)| json!([key, value.to_json()]))
        .collect();
    let all = state.response_headers();
    let headers: Vec<Value> = all
        .iter()
        .map(|(name, value)| match value {
            HeaderText::One(text) => json!([name, text]),
            HeaderText::Many(texts) => json!([name, texts]),
        })
        .collect();
    let matched = |kind: &str, item_path: &str| {
        json!({
            "kind": kind, "itemPath": item_path, "path": state.location.pathname, "query": query, "headers": headers,
        })
    };
    match &step.decision {
        Decision::Redirect(redirect) => {
            json!({ "kind": "redirect", "status": redirect.status, "location": redirect.location, "headers": headers })
        }
        Decision::File(file) => {
            let kind = match file.root {
                ListingRoot::NextStatic => "nextStaticFolder",
                ListingRoot::LegacyStatic => "legacyStaticFolder",
                ListingRoot::Public => "publicFolder",
            };
            matched(kind, &file.item_path)
        }
        Decision::Image => matched("nextImage", "/_next/image"),
        Decision::Output(output) => {
            let mut value = matched("output", &output.item_path);
            value["page"] = output.page.as_str().into();
            value["params"] = output.params.as_ref().map_or(Value::Null, |params| params.to_json());
            value["data"] = output.is_data_request.into();
            value
        }
        Decision::Proxy { url } => json!({ "kind": "proxy", "url": url, "headers": headers }),
        Decision::NotFound(NotFound::Unrendered { .. }) => json!({ "kind": "unrendered", "headers": headers }),
        Decision::NotFound(_) => {
            json!({ "kind": "none", "path": state.location.pathname, "query": query, "headers": headers })
        }
        Decision::Middleware(call) => json!({ "kind": "middleware", "url": call.url }),
        Decision::MiddlewareResponse { status } => json!({ "kind": "answered", "status": status }),
        Decision::BadRequest => json!({ "kind": "badRequest" }),
        Decision::Fault { message, .. } => json!({ "kind": "fault", "message": message }),
    }
}
