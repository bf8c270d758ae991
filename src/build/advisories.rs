//! In: the version of the installed `next`. Out: what is known to be wrong with it, if that is dangerous, and what has it no more.
//!
//! ferronext answers much in upstream's place, but what it calls is upstream's: the decoding of server actions, the rendering, the
//! server of development. A version that is known to be open there has to be replaced, whoever stands before it.

use super::capabilities::Version;

/// What is wrong with the versions of one major below `fixed`.
struct Advisory {
    major: u32,
    fixed: Version,
    what: &'static str,
}

/// The worst first. GHSA-9qr9-h5gf-34mp (December 2025) and the releases of May 2026, which hold all fixes before them.
const ADVISORIES: [Advisory; 4] = [
    Advisory::new(
        (15, 5, 7),
        "anybody can run code on this server with one request (React2Shell, CVE-2025-55182)",
    ),
    Advisory::new(
        (16, 0, 7),
        "anybody can run code on this server with one request (React2Shell, CVE-2025-55182)",
    ),
    Advisory::new(
        (15, 5, 18),
        "one request can stop this server (CVE-2026-23870 and others before it)",
    ),
    Advisory::new(
        (16, 2, 6),
        "one request can stop this server (CVE-2026-23870 and others before it)",
    ),
];

impl Advisory {
    const fn new((major, minor, patch): (u32, u32, u32), what: &'static str) -> Advisory {
        Advisory {
            major,
            fixed: Version::new(major, minor, patch),
            what,
        }
    }
}

/// What a user of this version has to know before anything else; `None` when nothing is known against it.
pub fn advisory(version: Version) -> Option<String> {
    let concerns = |advisory: &&Advisory| advisory.major == version.major && version < advisory.fixed;
    let worst = ADVISORIES.iter().find(concerns)?;
    // The last one of a major holds the fixes of those before it.
    let Version { major, minor, patch } = ADVISORIES.iter().rfind(concerns)?.fixed;
    Some(format!(
        "next {version} is dangerous: {}. Upgrade to {major}.{minor}.{patch} or later, and build again.",
        worst.what
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_are_known_to_be_open_are_told_the_fixed_one() {
        for (version, what, fixed) in [
            ("15.5.0", "React2Shell", "15.5.18"),
            ("15.5.6", "React2Shell", "15.5.18"),
            ("15.5.7", "CVE-2026-23870", "15.5.18"),
            ("15.5.17", "CVE-2026-23870", "15.5.18"),
            ("16.0.0", "React2Shell", "16.2.6"),
            ("16.0.6", "React2Shell", "16.2.6"),
            ("16.0.7", "CVE-2026-23870", "16.2.6"),
            ("16.1.9", "CVE-2026-23870", "16.2.6"),
            ("16.2.5", "CVE-2026-23870", "16.2.6"),
        ] {
            let told = advisory(Version::parse(version).expect("a version")).expect("an advisory");
            assert!(told.starts_with(&format!("next {version} is dangerous")), "{told}");
            assert!(told.contains(what) && told.contains(fixed), "{told}");
        }
        for version in ["15.5.18", "15.5.29", "16.2.6", "16.4.6", "17.0.0"] {
            assert_eq!(advisory(Version::parse(version).expect("a version")), None, "{version}");
        }
    }
}
