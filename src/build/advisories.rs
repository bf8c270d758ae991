//! In: the version of the installed `next`. Out: what is known to be wrong with it, if that is dangerous, and what has it no more.
//!
//! ferronext answers much in upstream's place, but what it calls is upstream's: the decoding of server actions, the rendering, the
//! server of development. A version that is known to be open there has to be replaced, whatever stands before it.

use super::capabilities::Version;

/// What is wrong, and where it is not any more, for each major.
struct Advisory {
    what: &'static str,
    fixed: [Version; 2],
}

/// The worst first. GHSA-9qr9-h5gf-34mp (December 2025), and the releases of May 2026, which hold all fixes before them.
const ADVISORIES: [Advisory; 2] = [
    Advisory {
        what: "anybody can run code on this server with one request (React2Shell, CVE-2025-55182)",
        fixed: [Version::new(15, 5, 7), Version::new(16, 0, 7)],
    },
    Advisory {
        what: "one request can stop this server (CVE-2026-23870 and others before it)",
        fixed: [Version::new(15, 5, 18), Version::new(16, 2, 6)],
    },
];

impl Advisory {
    /// The version of the same major that has it no more, unless this one has it no more either.
    fn fixed_after(&self, version: Version) -> Option<Version> {
        let of_major = |fixed: &&Version| fixed.major == version.major && version < **fixed;
        self.fixed.iter().find(of_major).copied()
    }
}

/// What a user of this version has to know before anything else; `None` when nothing is known against it.
pub fn advisory(version: Version) -> Option<String> {
    let worst = ADVISORIES.iter().find(|known| known.fixed_after(version).is_some())?;
    // The last release holds the fixes of those before it.
    let fixed = ADVISORIES.iter().rev().find_map(|known| known.fixed_after(version))?;
    Some(format!(
        "next {version} is dangerous: {}. Upgrade to {fixed} or later, and build again.",
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
