//! Compiles the `.proto` files without `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files =
        protox::compile(["pulse/v1/orchestrator.proto", "pulse/v1/metrics.proto"], ["proto"])?;
    // Maps in an order of their own, so that an answer reads the same each time.
    tonic_prost_build::configure().btree_map(".").compile_fds(files)?;
    Ok(())
}
