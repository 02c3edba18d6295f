//! What every program does before and after its own work: read the settings, start the telemetry,
//! open database, queue and cache, listen, tell how it does, and end in order.

pub mod health;
mod life;
mod listen;
mod outfit;
mod peers;
mod pulse;

pub use health::Health;
pub use life::{About, complain, main, on_runtime, start};
pub use listen::listen;
pub use outfit::Outfit;
pub use pulse::Pulse;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[cfg(test)]
mod tests {
    use tikv_jemalloc_ctl::opt;

    #[test]
    fn the_allocator_has_read_its_settings() {
        assert_eq!(opt::narenas::read().unwrap(), 2);
    }
}
