//! tmp
#![allow(missing_docs)]
use super::Params;
use crate::build::Build;
use crate::config::NextConfig;
use crate::error::Result;
use crate::request::Request;
use crate::response::headers::HeaderList;
use crate::url::Location;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RouteKind {
    AppPage,
    AppRoute,
    Pages,
    PagesApi,
}
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    pub kind: RouteKind,
    pub page: String,
    pub pathname: String,
    pub file: String,
    pub params: Option<Params>,
    pub edge: bool,
    pub is_data_request: bool,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFolder {
    Public,
    NextStatic,
    LegacyStatic,
}
#[derive(Debug, Clone, PartialEq)]
pub struct FileMatch {
    pub folder: FileFolder,
    pub item_path: String,
}
#[derive(Debug, Clone, PartialEq)]
pub struct Redirect {
    pub status: u16,
    pub location: String,
}
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    Redirect(Redirect),
    File(FileMatch),
    Output(Output),
    NotFound,
    BadRequest,
    Fault(String),
    Image,
    Proxy(String),
    Middleware(()),
}
#[derive(Debug)]
pub enum Event {
    NoFallback,
}
#[derive(Debug, Clone)]
pub struct Routed {
    pub location: Location,
    pub init: Location,
    pub locale: Option<String>,
    pub default_locale: Option<String>,
    pub is_locale_domain: bool,
    pub is_missing_asset: bool,
}
impl Routed {
    pub fn response_headers(&self) -> HeaderList {
        HeaderList::new()
    }
    pub fn rewritten_pathname(&self) -> Option<String> {
        None
    }
}
pub struct Router {
    outputs: std::collections::HashMap<String, Output>,
    files: std::collections::HashMap<String, FileMatch>,
}
impl Router {
    pub fn compile(build: &Build, _c: &NextConfig) -> Result<Router> {
        let mut outputs = std::collections::HashMap::new();
        for (p, f) in build.pages.iter() {
            outputs.insert(
                p.to_string(),
                Output {
                    kind: if p.starts_with("/api/") {
                        RouteKind::PagesApi
                    } else {
                        RouteKind::Pages
                    },
                    page: p.to_string(),
                    pathname: p.to_string(),
                    file: f.to_string(),
                    params: None,
                    edge: false,
                    is_data_request: false,
                },
            );
        }
        for (p, f) in build.app_paths.iter() {
            let (r, kind) = if let Some(r) = p.strip_suffix("/page") {
                (r, RouteKind::AppPage)
            } else if let Some(r) = p.strip_suffix("/route") {
                (r, RouteKind::AppRoute)
            } else {
                continue;
            };
            let r = if r.is_empty() { "/" } else { r };
            outputs.insert(
                r.to_string(),
                Output {
                    kind,
                    page: p.to_string(),
                    pathname: r.to_string(),
                    file: f.to_string(),
                    params: None,
                    edge: false,
                    is_data_request: false,
                },
            );
        }
        Ok(Router {
            outputs,
            files: Default::default(),
        })
    }
    pub fn begin(&self, request: &Request) -> (Routed, Decision) {
        let init = Location::parse(&request.target, crate::url::Dialect::Whatwg).unwrap();
        let d = match self.lookup(&init.pathname, None) {
            Some(o) => Decision::Output(o),
            None => {
                if let Some(f) = self.files.get(&init.pathname) {
                    Decision::File(f.clone())
                } else {
                    Decision::NotFound
                }
            }
        };
        (
            Routed {
                location: init.clone(),
                init,
                locale: None,
                default_locale: None,
                is_locale_domain: false,
                is_missing_asset: false,
            },
            d,
        )
    }
    pub fn resume(&self, _r: &Request, _s: &mut Routed, _e: Event) -> Decision {
        Decision::NotFound
    }
    pub fn lookup(&self, p: &str, _l: Option<&str>) -> Option<Output> {
        self.outputs.get(p).cloned()
    }
}
#[derive(Debug)]
pub struct JsRegex(regex::Regex);
impl JsRegex {
    pub fn new(s: &str) -> std::result::Result<Self, regex::Error> {
        regex::Regex::new(s).map(JsRegex)
    }
    pub fn is_match(&self, s: &str) -> bool {
        self.0.is_match(s)
    }
}
