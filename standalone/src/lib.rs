//! All services around one store, one queue and one cache, in one process.

pub mod company;
pub mod demo;
pub mod house;

pub use company::Company;
pub use house::House;
