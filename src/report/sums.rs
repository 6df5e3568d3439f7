//! `SHA256SUMS`, as `sha256sum` writes and checks it: the files of a report, and whether they are as it wrote them. It
//! shows accidents. Whoever can change a file can change its sum too.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::files::SUMS;
use super::folder::hexadecimal;
use crate::run_folder::{Directory, LARGEST_SUMS};

/// By name; empty where there is none, or it cannot be read.
pub fn sums(folder: &Directory) -> BTreeMap<String, String> {
    let text = folder.read(SUMS, LARGEST_SUMS).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let listed = text.lines().filter_map(listed).map(|(sum, name)| (name.to_owned(), sum.to_ascii_lowercase()));
    listed.collect()
}

/// Sum and name of a line: 64 hexadecimal digits, two spaces, the name.
pub(super) fn listed(line: &str) -> Option<(&str, &str)> {
    let (sum, name) = line.split_once("  ")?;
    (sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some((sum, name))
}

/// In lower-case hexadecimal digits.
pub fn sha256(mut file: &File) -> io::Result<String> {
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(&digest.finalize())),
            length => digest.update(&buffer[..length]),
        }
    }
}
