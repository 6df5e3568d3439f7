//! What all three services have in common on the wire: answers, errors, XML text, ids that are the same in every run.

use std::collections::BTreeMap;
use std::fmt::Write;

use time::OffsetDateTime;

/// A finished answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn ok(content_type: &'static str, body: String) -> Self {
        Self { status: 200, content_type, headers: Vec::new(), body }
    }
}

/// An error of a service, before it is written in that service's own way.
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    /// Further members of the error, in order.
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Fault {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), fields: Vec::new() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

pub(super) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A whole S3 document; S3 closes an empty root at once.
pub(super) fn root(name: &str, inner: &str) -> String {
    let open = format!("{DECLARATION}<{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"");
    if inner.is_empty() { format!("{open}/>") } else { format!("{open}>{inner}</{name}>") }
}

pub(super) fn open(out: &mut String, name: &str) {
    out.extend(["<", name, ">"]);
}

pub(super) fn close(out: &mut String, name: &str) {
    out.extend(["</", name, ">"]);
}

/// Appends `<name>text</name>`, or `<name/>` for an empty text.
pub(super) fn element(out: &mut String, name: &str, text: &str) {
    if text.is_empty() {
        out.extend(["<", name, "/>"]);
        return;
    }
    open(out, name);
    escape(out, text);
    close(out, name);
}

/// Control characters become references, as S3 writes them although XML 1.0 forbids them.
fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ if character.is_control() => {
                write!(out, "&#x{:x};", u32::from(character)).expect("a String takes any text");
            }
            _ => out.push(character),
        }
    }
}

/// The parameters of a query or of a form.
pub(super) fn parameters(text: &str) -> BTreeMap<String, String> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = |text: &str| percent_decode(&text.replace('+', " "));
            (decoded(name), decoded(value))
        })
        .collect()
}

/// Undoes percent-encoding; what is not an escape stands for itself.
pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| tail.first_chunk::<2>())
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) const HEX: &[u8] = b"0123456789abcdef";
pub(super) const LETTERS: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
pub(super) const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// FNV-1a and a final mix. Not `std`'s hasher, which may change between releases of Rust: reports show these ids.
pub(super) fn hash(parts: &[&str]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.join("\n").bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(state)
}

/// The finalizer of `SplitMix64`.
fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// A text that looks random and is always the same for the same parts.
pub(super) fn draw(parts: &[&str], length: usize, alphabet: &[u8]) -> String {
    let mut state = hash(parts);
    (0..length)
        .map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let [byte, ..] = mix(state).to_le_bytes();
            char::from(alphabet[usize::from(byte) % alphabet.len()])
        })
        .collect()
}

/// The ids of an answer, told by what was asked, so that a report that cites them can be made again.
pub(super) fn request_id(account: &str, operation: &str, resource: &str) -> String {
    draw(&[account, operation, resource], 16, LETTERS)
}

/// The form STS and Organizations give their ids.
pub(super) fn request_uuid(account: &str, operation: &str, resource: &str) -> String {
    let digits = draw(&[account, operation, resource], 32, HEX);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

/// A moment between 2015 and 2023 that is always the same for the same parts.
pub(super) fn moment(parts: &[&str]) -> OffsetDateTime {
    const FIRST: i64 = 1_420_070_400;
    const NINE_YEARS: u64 = 283_996_800;
    let after = i64::try_from(hash(parts) % NINE_YEARS).expect("fits, being under nine years");
    OffsetDateTime::from_unix_timestamp(FIRST + after).expect("a year of four digits")
}
