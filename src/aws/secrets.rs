//! What the program holds in confidence, and what is done where a server repeats it.
//!
//! Servers repeat what they are told: an access key id in an error, a token in a request id. [`hold`] and its kind keep
//! every secret of the process from the moment at which it is known. There are two places at which an answer's text
//! enters, and both look for them:
//!
//! - a success of which something is kept is not believed where it holds a secret ([`are_repeated`], in
//!   [`super::body`]): to blank a name in it would make another name of it;
//! - the words of a failure are blanked ([`blank`], in [`super::failure`]): code, message and request id.
//!
//! Secrets are also found where they are encoded: as base64, in hexadecimal digits, with escapes of XML, JSON or URLs
//! and, in failures, with white space between their characters.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard};

use aws_credential_types::Credentials;
use aws_smithy_types::base64;

use super::body::{Piece, walk};
use crate::model::{AccountId, Operation};

/// What stands in a secret's place.
const BLANK: &str = "***";

/// What is shorter is found in other words too, which could not be read any more.
const SHORTEST: usize = 6;

/// What is shorter, or is a word, may be part of an honest answer: the demo keys of some servers are names of users.
const SHORTEST_OF_ALL_ANSWERS: usize = 12;

/// Secrets are looked up by so many of their first bytes.
const KEY: usize = 8;

static HELD: LazyLock<RwLock<Held>> = LazyLock::new(RwLock::default);

/// How much is done for a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Successes that repeat it are not believed.
    Answers,
    /// It is blanked in failures only.
    Failures,
}

/// A secret access key, a session token, a bearer token, a password.
pub fn hold(secret: &str) {
    let weight = if secret.len() < SHORTEST_OF_ALL_ANSWERS { Weight::Failures } else { Weight::Answers };
    add(secret, weight);
}

/// All parts of credentials.
pub fn hold_credentials(credentials: &Credentials) {
    hold_access_key_id(credentials.access_key_id());
    hold(credentials.secret_access_key());
    hold(credentials.session_token().unwrap_or_default());
}

/// No secret by itself, and told to nobody all the same. Some servers take the id of the account, or a word.
pub fn hold_access_key_id(id: &str) {
    if AccountId::parse(id).is_err() {
        let is_random = id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        add(id, if is_random { Weight::Answers } else { Weight::Failures });
    }
}

/// What stands before the host of a URL.
pub fn hold_password_of(url: &str) {
    let authority =
        url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((user, _)) = authority.rsplit_once('@') {
        let password = user.split_once(':').map_or(user, |(_, password)| password);
        for secret in [user, password, &percent_decoded(user), &percent_decoded(password)] {
            hold(secret);
        }
    }
}

/// What the owner of a role asks for beside credentials. People may choose a word that is a name of theirs, too.
pub fn hold_external_id(id: &str) {
    let is_random = id.len() >= 16 && id.bytes().any(|byte| byte.is_ascii_digit());
    add(id, if is_random { Weight::Answers } else { Weight::Failures });
}

/// Six digits may be part of any number.
pub fn hold_mfa_code(code: &str) {
    add(code, Weight::Failures);
}

fn add(secret: &str, weight: Weight) {
    if secret.len() < SHORTEST || held().knows(secret) {
        return;
    }
    let mut held = HELD.write().unwrap_or_else(PoisonError::into_inner);
    for text in encodings(secret) {
        held.add(text, weight);
    }
}

fn held() -> RwLockReadGuard<'static, Held> {
    HELD.read().unwrap_or_else(PoisonError::into_inner)
}

/// The text without secrets: the whole is blanked where one is in it in pieces or behind escapes.
pub fn blank(text: &str) -> Cow<'_, str> {
    let held = held();
    if held.is_empty() {
        return Cow::Borrowed(text);
    }
    let blanked = held.blanked(text);
    let is_hidden = views(&blanked).iter().any(|view| held.has(view, false));
    if is_hidden { Cow::Borrowed(BLANK) } else { blanked }
}

/// The same for a line that holds more than the text of one server: only what stands there as it is.
pub fn blank_in_line(line: &str) -> Cow<'_, str> {
    held().blanked(line)
}

/// Whether something of this answer that may be kept holds a secret.
pub(super) fn are_repeated(operation: Operation, body: &[u8]) -> bool {
    let held = held();
    // It brings secrets, of which nothing else is kept.
    if held.is_empty() || operation == Operation::AssumeRole {
        return false;
    }
    let escapes = |byte: &u8| matches!(byte, b'&' | b'\\' | b'%');
    let is_escaped = body.iter().any(escapes) || body.windows(2).skip(1).any(|two| two == b"<!" || two == b"<?");
    (is_escaped || held.has_in(body))
        && texts(body).iter().any(|text| {
            held.has_in(text.as_bytes()) || (text.contains('%') && held.has_in(percent_decoded(text).as_bytes()))
        })
}

/// Whether a header that is read holds a secret.
pub(super) fn are_in(text: &str) -> bool {
    held().has(text, true)
}

/// Looks for secrets in what comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Watch(Vec<u8>);

impl Watch {
    /// Whether this piece, or what it has of one that began before, holds a secret.
    pub fn meets(&mut self, piece: &[u8]) -> bool {
        /// No secret is longer.
        const LONGEST: usize = 4096;
        let held = held();
        if held.is_empty() {
            return false;
        }
        self.0.extend_from_slice(piece);
        let found = held.has_in(&self.0);
        self.0.drain(..self.0.len().saturating_sub(LONGEST));
        found
    }
}

/// The texts of an answer that may be kept, as whoever reads it sees them.
fn texts(body: &[u8]) -> Vec<String> {
    /// Some servers name the owner, or the user, by the access key id. Nobody reads it.
    const PASSED_OVER: [&str; 4] = ["/Owner/ID", "/Owner/DisplayName", "/GetCallerIdentityResult/UserId", "/RequestId"];
    let (mut texts, mut open) = (Vec::new(), String::new());
    let walked = walk(body, usize::MAX, |path, piece| match piece {
        Piece::Text(text) if !PASSED_OVER.iter().any(|end| path.ends_with(end)) => open.push_str(text),
        Piece::Text(_) => {}
        Piece::Open | Piece::Close => texts.push(std::mem::take(&mut open)),
    });
    match (walked, serde_json::from_slice(body)) {
        (Ok(_), _) => texts,
        (Err(_), Ok(json)) => strings(json),
        (Err(_), Err(_)) => vec![String::from_utf8_lossy(body).into_owned()],
    }
}

fn strings(json: serde_json::Value) -> Vec<String> {
    use serde_json::Value;
    match json {
        Value::String(text) => vec![text],
        Value::Array(items) => items.into_iter().flat_map(strings).collect(),
        Value::Object(members) => {
            members.into_iter().flat_map(|(key, value)| strings(value).into_iter().chain([key])).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// What a text says to whoever takes escapes for what they stand for, or passes over what is between letters and digits.
fn views(text: &str) -> Vec<String> {
    let unescaped = [percent_decoded(text), xml_unescaped(text), json_unescaped(text)];
    let changed = unescaped.into_iter().filter(|view| view != text);
    let mut views: Vec<String> = changed.collect();
    let signs = |c: char| c.is_alphanumeric() || "+/=".contains(c);
    let joined: Vec<String> = views
        .iter()
        .map(String::as_str)
        .chain([text])
        .map(|view| view.chars().filter(|c| signs(*c)).collect())
        .collect();
    views.extend(joined);
    views
}

pub(super) fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        if let Some(value) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(value);
            at += 3;
        } else {
            decoded.push(*byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn xml_unescaped(text: &str) -> String {
    quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), Cow::into_owned)
}

fn json_unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    serde_json::from_str(&format!("\"{}\"", text.replace('"', "\\\""))).unwrap_or_else(|_| text.replace('\\', ""))
}

/// The secret itself, and as it looks in base64, wherever it begins there, and in hexadecimal digits.
fn encodings(secret: &str) -> Vec<String> {
    let mut all = vec![secret.to_owned()];
    for before in 0..3 {
        let bytes = [&[0; 3][..before], secret.as_bytes()].concat();
        // Of the first and last characters some bits belong to what stands beside it.
        let (first, last) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        let text = base64::encode(&bytes)[first..last].to_owned();
        if text.contains(['+', '/']) {
            all.push(text.replace('+', "-").replace('/', "_"));
        }
        all.push(text);
    }
    let digits = secret.bytes().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
    all.extend([digits.to_uppercase(), digits]);
    all.retain(|text| text.len() >= SHORTEST);
    all
}

#[derive(Debug)]
struct Held {
    /// By their first bytes.
    of_answers: HashMap<u64, Vec<Secret>>,
    /// A bit for what may be among the keys: most of what is looked up is not.
    bits: Vec<u64>,
    of_failures: Vec<String>,
}

/// Its beginning is enough to know it by, and takes little memory: a session token has a thousand characters.
#[derive(Debug)]
struct Secret {
    start: Box<str>,
    length: usize,
}

impl Secret {
    fn of(text: &str) -> Self {
        const KNOWN_BY: usize = 32;
        Self { start: text[..text.floor_char_boundary(KNOWN_BY)].into(), length: text.len() }
    }

    fn covers(&self, other: &Self) -> bool {
        self.start == other.start && self.length >= other.length
    }
}

impl Default for Held {
    fn default() -> Self {
        Self { of_answers: HashMap::new(), bits: vec![0; 1 << (Self::BITS - 6)], of_failures: Vec::new() }
    }
}

impl Held {
    /// So many bits, as a power of two.
    const BITS: u32 = 18;

    fn is_empty(&self) -> bool {
        self.of_answers.is_empty() && self.of_failures.is_empty()
    }

    fn knows(&self, secret: &str) -> bool {
        self.of_failures.iter().any(|held| held == secret)
            || key(secret.as_bytes())
                .and_then(|key| self.of_answers.get(&key))
                .is_some_and(|same| same.iter().any(|held| held.covers(&Secret::of(secret))))
    }

    fn add(&mut self, text: String, weight: Weight) {
        match key(text.as_bytes()).filter(|_| weight == Weight::Answers) {
            Some(key) => {
                let (word, bit) = Self::place(key);
                self.bits[word] |= bit;
                let (secret, same) = (Secret::of(&text), self.of_answers.entry(key).or_default());
                // Session tokens begin alike.
                match same.iter_mut().find(|held| held.start == secret.start) {
                    Some(held) => held.length = held.length.max(secret.length),
                    None => same.push(secret),
                }
            }
            None => self.of_failures.push(text),
        }
    }

    fn place(key: u64) -> (usize, u64) {
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - Self::BITS);
        (usize::try_from(hash >> 6).unwrap_or_default(), 1 << (hash & 63))
    }

    /// Where the first secret of those for all answers begins and ends.
    fn first_in(&self, bytes: &[u8]) -> Option<(usize, usize)> {
        bytes.windows(KEY).enumerate().find_map(|(at, window)| {
            let key = key(window)?;
            let (word, bit) = Self::place(key);
            if self.bits[word] & bit == 0 {
                return None;
            }
            let same = self.of_answers.get(&key)?;
            let found = same.iter().find(|held| bytes[at..].starts_with(held.start.as_bytes()));
            found.map(|held| (at, bytes.len().min(at + held.length)))
        })
    }

    fn has_in(&self, bytes: &[u8]) -> bool {
        self.first_in(bytes).is_some()
    }

    fn has(&self, text: &str, of_answers_only: bool) -> bool {
        self.has_in(text.as_bytes()) || (!of_answers_only && self.of_failures.iter().any(|held| text.contains(held)))
    }

    fn blanked<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut blanked = Cow::Borrowed(text);
        while let Some((start, end)) = self.first_in(blanked.as_bytes()) {
            let end = blanked.ceil_char_boundary(end);
            blanked.to_mut().replace_range(start..end, BLANK);
        }
        for held in &self.of_failures {
            if blanked.contains(held.as_str()) {
                blanked = Cow::Owned(blanked.replace(held.as_str(), BLANK));
            }
        }
        blanked
    }
}

fn key(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk::<KEY>().map(|first| u64::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzSECRETKEY";

    /// Every character of the secret, written so.
    fn each(written: impl Fn(u8) -> String) -> String {
        SECRET.bytes().map(written).collect::<Vec<_>>().concat()
    }

    #[test]
    fn words_of_failures_are_blanked_however_a_secret_is_written() {
        hold(SECRET);
        hold_mfa_code("483920");
        assert_eq!(blank(&format!("key {SECRET} is wrong")), "key *** is wrong");
        assert_eq!(blank("code 483920, again 483920"), "code ***, again ***");
        let base64 = |before: &str| base64::encode(format!("{before}{SECRET}, and more").as_bytes());
        let percent = each(|byte| format!("%{byte:02x}"));
        let xml = each(|byte| format!("&#{byte};"));
        let json = each(|byte| format!("\\u{byte:04x}"));
        let spaced: String = SECRET.chars().flat_map(|c| [c, ' ']).collect();
        let hexadecimal = each(|byte| format!("{byte:02X}"));
        for told in [base64(""), base64("x"), base64("xy"), percent, xml, json, spaced, hexadecimal] {
            let blanked = blank(&format!("it says {told} to you")).into_owned();
            assert!(blanked.contains(BLANK) && blanked.len() < 40, "{told}: {blanked}");
        }
        for told in ["48 39 20", "4-8-3-9-2-0", "%34%38%33%39%32%30", "&#52;83920", "NDgzOTIw"] {
            assert!(!blank(&format!("it was {told}!")).contains(told), "{told}");
        }
        for other in ["", "Access Denied", "request 4442587FB7D0A2F9", "100% of \\ & <b>", "48391 and 0"] {
            assert_eq!(blank(other), other);
        }
        assert_eq!(blank_in_line(&format!("reason={SECRET} \\n 4 8 3")), "reason=*** \\n 4 8 3");
    }

    #[test]
    fn answers_that_repeat_a_secret_are_found_however_it_is_written() {
        hold(SECRET);
        let list = |name: &str| {
            format!("<ListAllMyBucketsResult><Buckets><Name>{name}</Name></Buckets></ListAllMyBucketsResult>")
        };
        let xml = each(|byte| format!("&#{byte};"));
        let (start, end) = SECRET.split_at(9);
        let percent = SECRET.replace('/', "%2F").replace('w', "%77");
        for name in [SECRET, &xml, &percent, &format!("<![CDATA[{start}]]>{end}"), &format!("{start}<!-- -->{end}")] {
            assert!(are_repeated(Operation::ListBuckets, list(name).as_bytes()), "{name}");
        }
        let json = SECRET.replace('/', "\\/").replace('w', "\\u0077");
        for body in [format!("{{\"Name\": [\"{json}\"]}}"), format!("{{\"{json}\": 1}}"), SECRET.to_owned()] {
            assert!(are_repeated(Operation::ListAccounts, body.as_bytes()), "{body}");
        }
        let owner = |path: &str| format!("<R><Owner><{path}>{SECRET}</{path}></Owner></R>");
        assert!(!are_repeated(Operation::ListBuckets, owner("ID").as_bytes()), "nobody reads it");
        assert!(are_repeated(Operation::ListBuckets, owner("Name").as_bytes()));
        assert!(!are_repeated(Operation::AssumeRole, SECRET.as_bytes()), "it brings secrets");
        let mut watch = Watch::default();
        let found = [&[b'x'; 5000][..], start.as_bytes(), end.as_bytes()].map(|piece| watch.meets(piece));
        assert_eq!(found, [false, false, true]);
        assert!(!are_repeated(Operation::ListBuckets, list("orders &amp; <b/>100%").as_bytes()));
    }

    #[test]
    fn words_that_honest_answers_have_are_believed() {
        hold("minioadmin");
        hold_access_key_id("backup-service-user-1");
        hold_access_key_id("444444444444");
        hold_external_id("our-own-auditors");
        for word in ["minioadmin", "backup-service-user-1", "444444444444", "our-own-auditors"] {
            assert!(!are_repeated(Operation::ListBuckets, format!("<R><Name>{word}</Name></R>").as_bytes()), "{word}");
        }
        assert_eq!(blank("user minioadmin of 444444444444"), "user *** of 444444444444");
        hold_password_of("http://me:open%2Fsesame1@proxy.example:3128/");
        assert_eq!(blank("open/sesame1, open%2Fsesame1, proxy.example"), "***, ***, proxy.example");
        hold_external_id("sesame-0815-sesame");
        assert!(are_repeated(Operation::ListBuckets, b"<R><Name>sesame-0815-sesame</Name></R>"));
    }
}
