//! Compiles the settings of the allocator, which reads them before any code of ours runs.

fn main() {
    println!("cargo:rerun-if-changed=allocator.c");
    // The whole archive, since jemalloc asks for its settings only weakly.
    cc::Build::new().file("allocator.c").link_lib_modifier("+whole-archive").compile("allocator");
}
