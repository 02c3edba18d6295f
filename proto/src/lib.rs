//! Everything that crosses a process: messages, their conversions to the domain, and [`Link`], the
//! way to a peer in this process or across the network.

mod asker;
pub mod convert;
mod link;
mod pass;
pub mod serve;
mod there;
mod workflow;

pub use asker::asker;
pub use link::Link;
pub use pass::Pass;
pub use prost::Message;
pub use there::away;

/// What `protox` and `tonic` make of the `.proto` files.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    reason = "generated; the comments are in the .proto files"
)]
pub mod v1 {
    tonic::include_proto!("pulse.v1");
}
