//! Threads that give way.
//!
//! In: the calling thread, whose work can wait. Out: the same with less of a claim to a core.

/// Asks for a core so much less often than others while it is wanted (`nice`; 19 is the most). On Linux this is the priority of the
/// calling thread alone. Where it is not allowed, and on Windows, everything works the same.
pub fn lower(nice: i32) {
    #[cfg(unix)]
    let _ = rustix::process::setpriority_process(None, nice);
    #[cfg(not(unix))]
    let _ = nice;
}
