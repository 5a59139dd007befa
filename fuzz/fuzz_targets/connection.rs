//! See `bodies/connection.rs`. Here its memory is measured, too.
#![no_main]

#[path = "../bodies/mod.rs"]
#[allow(dead_code, reason = "each target runs one of the bodies")]
mod bodies;

use bodies::connection;

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    connection::run(data);
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    connection::only_listen(data);
    let (took, most) = (MEMORY.peak_usage() - before, connection::most_memory(data));
    assert!(took <= most, "{took} bytes of memory instead of {most} at most");
});
