//! What is written to disk is what is read from it, by Next.js or by ferronext.

use super::*;
use crate::source::prerender::freshness::Lifetime;
use tempfile::TempDir;

const LATE: Format = Format {
    prefetch_payloads: false,
    whole_payloads: true,
    pages_meta: true,
    lifetimes: true,
};
const WHOLE: EntryShape = EntryShape {
    partial: false,
    fallback: false,
};

fn write(dir: &TempDir, name: &str, text: &str) {
    let path = dir.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn built(dir: &TempDir, stem: &str, html: &str) {
    write(dir, &format!("{stem}.html"), html);
    write(dir, &format!("{stem}.rsc"), "payload");
    let owner = r#""routeCache":{"key":"KEY","owner":{},"isFallback":false}"#.replace("KEY", &key());
    write(
        dir,
        &format!("{stem}.meta"),
        &format!(r#"{{"status":200,"headers":{{"x":"1"}},"segmentPaths":["/_tree","/lost"],{owner}}}"#),
    );
    write(dir, &format!("{stem}.segments/_tree.segment.rsc"), "tree");
}

fn naming() -> Naming {
    Naming::by_route(["/isr/page"])
}

fn key() -> String {
    naming().storage_key(&crate::route::Address {
        kind: EntryKind::AppPage,
        source: "/isr/page".to_owned(),
        pathname: "/isr".to_owned(),
        built: true,
        partial: false,
        fallback: false,
    })
}

fn disk(dir: &TempDir) -> Disk {
    Disk::new(dir.path().to_owned(), Arc::new(naming()), LATE)
}

fn page(html: &'static str) -> Entry {
    let mut entry = Entry::new(EntryKind::AppPage, Outcome::Rendered, 77_000);
    entry.html = Bytes::from_static(html.as_bytes());
    entry.rsc = Some(Bytes::from_static(html.as_bytes()));
    entry.segments = Some(IndexMap::from([("/a/b".to_owned(), Bytes::from_static(b"segment"))]));
    entry.lifetime = Some(Lifetime {
        revalidate: Some(5.0),
        expire: None,
    });
    entry
}

fn read(dir: &TempDir) -> Option<Entry> {
    disk(dir).read(&key(), EntryKind::AppPage, WHOLE, false)
}

fn store(dir: &TempDir, entry: &Entry) {
    let disk = disk(dir);
    let turn = disk.turn(&key(), EntryKind::AppPage).unwrap();
    disk.write(&turn, entry, WHOLE).unwrap();
}

#[test]
fn reads_what_the_build_left() {
    let dir = TempDir::new().unwrap();
    assert!(read(&dir).is_none());
    built(&dir, "app/isr", "<html>");
    let entry = read(&dir).unwrap();
    assert_eq!(entry.html, "<html>");
    assert_eq!(entry.rsc.unwrap(), "payload");
    assert_eq!(entry.segments.unwrap().len(), 1);
    assert!(entry.created_at_ms > 0);
}

#[test]
fn what_the_build_left_for_another_route_is_not_served() {
    let dir = TempDir::new().unwrap();
    built(&dir, "app/isr", "<html>");
    let disk = Disk::new(dir.path().to_owned(), Arc::new(Naming::by_route(["/[x]/page"])), LATE);
    let other = key().replace("APP_PAGE/", "APP_PAGE/0");
    assert!(disk.read(&other, EntryKind::AppPage, WHOLE, false).is_none());
    assert!(disk.read(&other, EntryKind::AppPage, WHOLE, true).is_some());
    let fallback = EntryShape {
        fallback: true,
        ..WHOLE
    };
    assert!(disk.read(&key(), EntryKind::AppPage, fallback, false).is_none());
}

#[test]
fn what_was_stored_reads_back_and_comes_before_the_build() {
    let dir = TempDir::new().unwrap();
    built(&dir, "app/isr", "old");
    store(&dir, &page("new"));
    let entry = read(&dir).unwrap();
    assert_eq!((&entry.html[..], entry.created_at_ms), (&b"new"[..], 77_000));
    assert_eq!(entry.segments, page("new").segments);
    assert_eq!(entry.lifetime, page("new").lifetime);
}

#[test]
fn a_torn_answer_is_none() {
    let dir = TempDir::new().unwrap();
    built(&dir, "app/isr", "build");
    store(&dir, &page("new"));
    let stem = naming().stems(&key(), EntryKind::AppPage, dir.path()).unwrap().stored;
    let html = with_suffix(&stem, ".html");
    for torn in ["old", ""] {
        fs::write(&html, torn).unwrap();
        assert!(read(&dir).is_none(), "{torn:?}");
    }
    fs::write(&html, "new").unwrap();
    assert!(read(&dir).is_some());
    fs::write(with_suffix(&stem, ".meta"), "{\"status\":").unwrap();
    assert!(read(&dir).is_none());
    // Without its primary file it is as if it had never been stored.
    fs::remove_file(&html).unwrap();
    assert_eq!(read(&dir).unwrap().html, "build");
}

// A folder can be locked on Unix only.
#[cfg(unix)]
#[test]
fn an_answer_that_is_being_written_is_not_torn() {
    let dir = TempDir::new().unwrap();
    store(&dir, &page("first"));
    let reader = disk(&dir);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for turn in 0..400 {
                store(&dir, &page(if turn % 2 == 0 { "one" } else { "another" }));
            }
        });
        while !writer.is_finished() {
            assert!(reader.read(&key(), EntryKind::AppPage, WHOLE, false).is_some());
        }
    });
    assert!(reader.complained.lock().unwrap().is_empty());
}

#[test]
fn parts_follow_the_form() {
    let dir = TempDir::new().unwrap();
    let partial = EntryShape {
        partial: true,
        fallback: false,
    };
    let stem = naming().stems(&key(), EntryKind::AppPage, dir.path()).unwrap().stored;
    let mut shell = page("shell");
    shell.rsc = None;
    shell.postponed = Some("state".into());
    let disk = disk(&dir);
    disk.write(&disk.turn(&key(), EntryKind::AppPage).unwrap(), &shell, partial)
        .unwrap();
    assert!(!exists(&with_suffix(&stem, ".rsc")));
    let read = disk.read(&key(), EntryKind::AppPage, partial, false).unwrap();
    assert_eq!(read.postponed.as_deref(), Some("state"));
}
