//! What takes long, on a thread that may be busy for long.

/// Does `work` where it holds nobody up: meanwhile the lease must be renewed and questions answered.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(broken) => std::panic::resume_unwind(broken.into_panic()),
    }
}
