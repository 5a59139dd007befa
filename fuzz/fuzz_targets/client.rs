//! See `bodies/client.rs`. Here its memory is measured, too.
#![no_main]

#[path = "../bodies/mod.rs"]
#[allow(dead_code, reason = "each target runs one of the bodies")]
mod bodies;

use bodies::client;

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    client::run(data);
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    client::only_listen(data);
    let (took, most) = (MEMORY.peak_usage() - before, client::most_memory(data));
    assert!(took <= most, "{took} bytes of memory instead of {most} at most");
});
