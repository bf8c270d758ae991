//! Which prerendered answer a request may be served.
//!
//! In: a matched page and its resolved path. Out: an [`Address`] and a [`Variant`]: one canonical name for what was rendered,
//! shared by everything that stores or looks it up.

/// What rendered an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A page of the App Router: HTML, RSC payload and segments.
    AppPage,
    /// A route handler: one body with its own headers.
    AppRoute,
    /// A page of the Pages Router: HTML and data.
    Pages,
}

impl EntryKind {
    /// Upstream's name, part of storage keys.
    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::AppPage => "APP_PAGE",
            EntryKind::AppRoute => "APP_ROUTE",
            EntryKind::Pages => "PAGES",
        }
    }
}

/// Which answer it is: the route that renders it and the path that it resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// What kind of answer it is.
    pub kind: EntryKind,
    /// The page for the App Router (`/blog/[slug]/page`), the route for the Pages Router.
    pub source: String,
    /// The path, decoded, without the suffixes of data and payload requests.
    pub pathname: String,
    /// Whether the build wrote an answer of this very route. Another route's answer for the same path is not its own.
    pub built: bool,
    /// Whether a part of the route may be rendered per request.
    pub partial: bool,
    /// Whether it is the fallback of the route: an answer for every path that has none of its own.
    pub fallback: bool,
}

/// Which representation of an entry a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Variant {
    /// The document, or the body of a route handler.
    Html,
    /// The React payload of the whole page.
    Rsc,
    /// The React payload of one segment, by its path, for instance `/_tree`.
    Segment(String),
    /// The JSON of a Pages Router page.
    Data,
}
