//! `has` and `missing`: what else must be true of a request.
//!
//! In: headers, cookies, query and host. Out: whether all holds, and the parameters that were found. Source: `matchHas` in
//! `next/dist/shared/lib/router/utils/prepare-destination.js`.

use super::cookie::cookie;
use super::RuleFault;
use crate::build::{self, ConditionType};
use crate::route::header_view::HeaderView;
use crate::route::params::Params;
use crate::route::pattern::JsRegex;
use crate::url::{host_name, Query, QueryValue};

/// What conditions look at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The request headers.
    pub headers: HeaderView<'a>,
    /// The query, as rules have changed it so far.
    pub query: &'a Query,
}

/// `has` and `missing` of one rule.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    has: Vec<Condition>,
    missing: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Condition {
    kind: ConditionType,
    key: String,
    value: Option<JsRegex>,
}

impl Conditions {
    /// Compiles the two lists.
    pub fn compile(written: &build::Conditions) -> Result<Conditions, String> {
        let list = |written: &Option<Vec<build::Condition>>| -> Result<Vec<Condition>, String> {
            written.iter().flatten().map(Condition::compile).collect()
        };
        Ok(Conditions {
            has: list(&written.has)?,
            missing: list(&written.missing)?,
        })
    }

    /// Whether there is nothing to check.
    pub fn is_empty(&self) -> bool {
        self.has.is_empty() && self.missing.is_empty()
    }

    /// The names that a match can add.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for condition in self.has.iter().chain(&self.missing) {
            match &condition.value {
                Some(regex) => names.extend(regex.names().map(|(_, name)| name.to_owned())),
                None => names.push(safe_name(&condition.key)),
            }
        }
        names.push("host".to_owned());
        names
    }

    /// The parameters found, or `None` when a condition does not hold.
    pub fn check(&self, subject: &Subject<'_>) -> Result<Option<Params>, RuleFault> {
        let mut params = Params::default();
        for condition in &self.has {
            if !condition.holds(subject, &mut params)? {
                return Ok(None);
            }
        }
        for condition in &self.missing {
            if condition.holds(subject, &mut params)? {
                return Ok(None);
            }
        }
        Ok(Some(params))
    }
}

impl Condition {
    fn compile(written: &build::Condition) -> Result<Condition, String> {
        let key = written.key.clone().unwrap_or_default();
        let value = match written.value.as_deref() {
            // The anchors bind to the first and the last alternative only, as upstream writes them.
            Some(value) if !value.is_empty() => Some(JsRegex::compile(&format!("^{value}$"), false)?),
            _ => None,
        };
        Ok(Condition {
            kind: written.kind,
            key: if written.kind == ConditionType::Header {
                key.to_lowercase()
            } else {
                key
            },
            value,
        })
    }

    fn holds(&self, subject: &Subject<'_>, params: &mut Params) -> Result<bool, RuleFault> {
        let Some(value) = self.look_up(subject) else {
            return Ok(false);
        };
        let Some(regex) = &self.value else {
            params.set(&safe_name(&self.key), Some(value));
            return Ok(true);
        };
        let text = match &value {
            QueryValue::One(text) => text,
            // Of a repeated parameter the last one counts.
            QueryValue::Many(values) => match values.last() {
                Some(text) => text,
                None => return Ok(false),
            },
        };
        let Some(groups) = regex.captures(text)? else {
            return Ok(false);
        };
        let mut named = false;
        for (group, name) in regex.names() {
            named = true;
            params.set(name, groups.get(group).map(QueryValue::from));
        }
        if !named && self.kind == ConditionType::Host {
            if let Some(host) = groups.get(0).filter(|host| !host.is_empty()) {
                params.set("host", Some(QueryValue::from(host)));
            }
        }
        Ok(true)
    }

    /// The value, unless it counts as false in JavaScript.
    fn look_up(&self, subject: &Subject<'_>) -> Option<QueryValue> {
        let value = match self.kind {
            ConditionType::Header => QueryValue::One(subject.headers.get(&self.key)?.into_owned()),
            ConditionType::Cookie => {
                let header = subject.headers.get("cookie")?;
                QueryValue::One(cookie(&header, &self.key)?.into_owned())
            }
            ConditionType::Query => subject.query.get(&self.key)?.clone(),
            ConditionType::Host => QueryValue::One(host_name(&subject.headers.get("host")?)),
            ConditionType::Unknown => return None,
        };
        value.is_truthy().then_some(value)
    }
}

/// Parameter names hold letters only, so that they can stand in a destination.
fn safe_name(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphabetic).collect()
}
