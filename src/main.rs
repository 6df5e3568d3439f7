//! The thin binary; the program is the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    bucketlens::cli::run(std::env::args_os()).into()
}
