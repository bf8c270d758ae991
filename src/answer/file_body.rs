//! The bytes of an answer.
//!
//! In: a file and which of its bytes were decided on. Out: a body, or the answer that was prepared with it before. What is in memory is
//! shared; parts and large files are compressed while they are sent, as Next.js does for all files.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file::Content;
use super::registry::Prepared;
use crate::body::Body;
use crate::http::encoding::{compress_body, Coding};
use crate::source::file::{LargeFile, Opened, StoredFile};

/// What makes two prepared answers of one file differ: status, coding, and whether it is a `HEAD`.
pub type AnswerKind = (u16, Coding, bool);

/// The prepared answers of a file.
type PreparedAnswers = Vec<(AnswerKind, Arc<Prepared>)>;

impl StoredFile {
    /// The answer of this kind, if it was prepared. It lives as long as the file stays in memory.
    pub fn prepared(&self, kind: AnswerKind) -> Option<Arc<Prepared>> {
        let answers = self.prepared_answers()?;
        let found = answers.iter().find(|(other, _)| *other == kind);
        found.map(|(_, answer)| Arc::clone(answer))
    }

    /// Keeps a prepared answer beside the file.
    pub fn keep_prepared(&self, kind: AnswerKind, answer: &Arc<Prepared>) {
        if let Some(mut answers) = self.prepared_answers() {
            answers.push((kind, Arc::clone(answer)));
        }
    }

    fn prepared_answers(&self) -> Option<MutexGuard<'_, PreparedAnswers>> {
        let answers = self.derived::<Mutex<PreparedAnswers>>()?;
        Some(answers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The bytes, if no work is needed for them. Neither waits nor copies.
    pub fn body_now(&self, content: Content) -> Option<Body> {
        match content {
            Content::Nothing | Content::ErrorPage => Some(Body::Empty),
            Content::Whole(coding) => self.ready(coding).map(Body::from),
            Content::Part(part, Coding::Identity) => {
                let (start, end) = (usize::try_from(part.start).ok()?, usize::try_from(part.end).ok()?);
                let inside = start <= end && end < self.bytes().len();
                inside.then(|| self.bytes().slice(start..=end).into())
            }
            Content::Part(..) => None,
        }
    }

    /// The bytes, compressed now if need be. Must be called on a tokio runtime.
    pub async fn body(self: &Arc<Self>, content: Content) -> io::Result<Body> {
        if let Some(body) = self.body_now(content) {
            return Ok(body);
        }
        match content {
            Content::Whole(coding) => {
                let coded = self.coded(coding).await;
                coded
                    .map(Body::from)
                    .ok_or_else(|| io::Error::other("it could not be compressed"))
            }
            Content::Part(part, coding) => {
                let plain = self.body_now(Content::Part(part, Coding::Identity)).unwrap_or_default();
                Ok(compress_body(plain, coding, false))
            }
            Content::Nothing | Content::ErrorPage => Ok(Body::Empty),
        }
    }
}

impl LargeFile {
    /// The bytes, read and compressed as they are sent. Must be called on a tokio runtime.
    pub fn body(&self, content: Content) -> Body {
        let (start, len, coding) = match content {
            Content::Nothing | Content::ErrorPage => return Body::Empty,
            Content::Whole(coding) => (0, self.meta().size, coding),
            Content::Part(part, coding) => (part.start, part.size(), coding),
        };
        compress_body(Body::File(self.part(start, len)), coding, false)
    }
}

/// The bytes of an opened file; nothing for what is no file. Must be called on a tokio runtime.
pub async fn body_of(opened: &Opened, content: Content) -> io::Result<Body> {
    match opened {
        Opened::Hot(file) => file.body(content).await,
        Opened::Large(file) => Ok(file.body(content)),
        Opened::Missing | Opened::Directory | Opened::Unreadable => Ok(Body::Empty),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;

    use super::*;
    use crate::http::range::Part;
    use crate::source::file::{sanitize, FileStore, Limits, Mutability};

    async fn collect(mut body: Body) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(chunk) = body.chunk().await {
            all.extend_from_slice(&chunk.unwrap());
        }
        all
    }

    fn gunzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
        out
    }

    #[tokio::test]
    async fn hot_and_large_files_give_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let text: String = (0..50_000).map(|i| format!("{i},")).collect();
        fs::write(dir.path().join("a.txt"), &text).unwrap();
        let part = Part {
            start: 1000,
            end: 250_000,
        };
        for file in [1 << 20, 10] {
            let store = FileStore::new(Limits {
                file,
                ..Limits::default()
            });
            let root = store.root(dir.path(), Mutability::Changing);
            let opened = store.open(&root, &sanitize("/a.txt").unwrap()).await;
            assert_eq!(matches!(opened, Opened::Large(_)), file == 10);
            let opened = &opened;
            let get = |content| async move { collect(body_of(opened, content).await.unwrap()).await };
            assert_eq!(get(Content::Nothing).await, b"");
            assert_eq!(get(Content::Whole(Coding::Identity)).await, text.as_bytes());
            assert_eq!(gunzip(&get(Content::Whole(Coding::Gzip)).await), text.as_bytes());
            let want = &text.as_bytes()[1000..=250_000];
            assert_eq!(get(Content::Part(part, Coding::Identity)).await, want);
            assert_eq!(gunzip(&get(Content::Part(part, Coding::Gzip)).await), want);
        }
    }
}
