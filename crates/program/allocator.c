/* How jemalloc keeps memory: see docs/adr/0005-allocator.md. */
const char *malloc_conf = "narenas:2,dirty_decay_ms:200,muzzy_decay_ms:0,lg_tcache_max:12";
