//! What every queue and every cache promises, on each backend, and what outgoing requests endure.
//! `make test` sets the servers up.

// Without the attribute clippy takes the helpers for something else than tests.
#[cfg(test)]
mod platform {
    mod cache;
    mod proxy;
    mod queue;
    mod rabbitmq;
    mod redis;
    mod servers;
    mod shutdown;
    mod upstream;
}
