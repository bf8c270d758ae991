//! The order in which dynamic pages are tried: text before a parameter before a catch-all, segment by segment.
//!
//! In: pages. Out: the same pages, sorted. Source: `next/dist/shared/lib/router/utils/sorted-routes.js`; the build already
//! refused pages that contradict each other, so that is not checked again.

use std::collections::BTreeMap;

#[derive(Default)]
struct Node {
    /// Pages that end here.
    pages: Vec<usize>,
    text: BTreeMap<Vec<u16>, Node>,
    slug: Option<Box<Node>>,
    rest: Option<Box<Node>>,
    optional_rest: Option<Box<Node>>,
}

/// The numbers of `pages` in the order in which they are tried.
pub fn sorted(pages: &[&str]) -> Vec<usize> {
    let mut root = Node::default();
    for (number, page) in pages.iter().enumerate() {
        let mut node = &mut root;
        for segment in page.split('/').filter(|segment| !segment.is_empty()) {
            node = node.child(segment);
        }
        node.pages.push(number);
    }
    let mut order = Vec::with_capacity(pages.len());
    root.flatten(&mut order);
    order
}

impl Node {
    fn child(&mut self, segment: &str) -> &mut Node {
        let inner = segment.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match inner {
            Some(inner) if inner.starts_with("[...") && inner.ends_with(']') => {
                self.optional_rest.get_or_insert_default()
            }
            Some(inner) if inner.starts_with("...") => self.rest.get_or_insert_default(),
            Some(_) => self.slug.get_or_insert_default(),
            // JavaScript sorts text by UTF-16 units.
            None => self.text.entry(segment.encode_utf16().collect()).or_default(),
        }
    }

    fn flatten(&self, order: &mut Vec<usize>) {
        order.extend_from_slice(&self.pages);
        let named = self.text.values();
        let others = [&self.slug, &self.rest, &self.optional_rest];
        for node in named.chain(others.into_iter().flatten().map(Box::as_ref)) {
            node.flatten(order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_before_parameters() {
        let pages = [
            "/[[...all]]",
            "/blog/[...rest]",
            "/blog/[id]",
            "/[a]",
            "/blog/[id]/edit",
            "/",
            "/blog/new",
            "/blog",
            "/a/[b]",
            "/[...all]/x",
        ];
        let order: Vec<&str> = sorted(&pages).into_iter().map(|number| pages[number]).collect();
        assert_eq!(
            order,
            [
                "/",
                "/a/[b]",
                "/blog",
                "/blog/new",
                "/blog/[id]",
                "/blog/[id]/edit",
                "/blog/[...rest]",
                "/[a]",
                "/[...all]/x",
                "/[[...all]]"
            ]
        );
    }
}
