//! The thin binary; the program is the library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    bucketlens::cli::run(std::env::args_os()).into()
}
