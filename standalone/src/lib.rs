//! All services around one store, one queue and one cache, in one process.

pub mod demo;
pub mod house;

pub use house::House;
