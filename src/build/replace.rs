//! Rules that take the place of the build's own: those of `next(options).conf`.
//!
//! In: rules in the form in which `next build` writes them. Out: a manifest that holds them. What Next.js itself put there
//! stays: intercepting routes are rewrites, and the rules given at run time know nothing of them.

use serde::Deserialize;

use super::routes::{HeaderRule, RedirectRule, RewriteRule, Rewrites, RoutesManifest};

/// Rules given at run time; what is absent stays as it was built.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RunTimeRules {
    /// Redirect rules, the internal trailing-slash ones included.
    #[serde(default)]
    pub redirects: Option<Vec<RedirectRule>>,
    /// Header rules.
    #[serde(default)]
    pub headers: Option<Vec<HeaderRule>>,
    /// Rewrite rules.
    #[serde(default)]
    pub rewrites: Option<Rewrites>,
}

impl RoutesManifest {
    /// Puts rules given at run time in the place of the build's.
    pub fn replace(&mut self, rules: RunTimeRules) {
        if let Some(redirects) = rules.redirects {
            self.redirects = redirects;
        }
        if let Some(headers) = rules.headers {
            self.headers = headers;
        }
        if let Some(mut rewrites) = rules.rewrites {
            let built = std::mem::take(&mut self.rewrites.before_files);
            rewrites
                .before_files
                .extend(built.into_iter().filter(RewriteRule::is_interception));
            self.rewrites = rewrites;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> RoutesManifest {
        serde_json::from_value(serde_json::json!({
            "redirects": [{ "source": "/:path+/", "destination": "/:path+", "internal": true }],
            "headers": [{ "source": "/a", "headers": [] }],
            "dynamicRoutes": [],
            "rewrites": {
                "beforeFiles": [
                    { "source": "/own", "destination": "/" },
                    { "source": "/photo", "destination": "/(.)photo", "has": [{ "type": "header", "key": "next-url" }] },
                ],
                "afterFiles": [{ "source": "/after", "destination": "/" }],
            },
        }))
        .expect("a manifest")
    }

    #[test]
    fn what_is_not_given_stays() {
        let mut routes = manifest();
        routes.replace(RunTimeRules::default());
        assert_eq!(routes.redirects.len(), 1);
        assert_eq!(routes.headers.len(), 1);
        assert_eq!(routes.rewrites.before_files.len(), 2);
    }

    #[test]
    fn rewrites_replace_the_users_and_keep_the_intercepting_ones() {
        let mut routes = manifest();
        let rules = r#"{ "rewrites": { "beforeFiles": [{ "source": "/new", "destination": "/" }] }, "headers": [] }"#;
        routes.replace(serde_json::from_str(rules).expect("rules"));
        let sources: Vec<&str> = routes
            .rewrites
            .before_files
            .iter()
            .map(|rule| rule.source.source.as_str())
            .collect();
        assert_eq!(sources, ["/new", "/photo"]);
        assert!(routes.rewrites.after_files.is_empty());
        assert!(routes.headers.is_empty());
        assert_eq!(routes.redirects.len(), 1);
    }
}
