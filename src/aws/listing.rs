//! Lists that come in pages: where a list goes on, and when it is given up. A list that is given up is not whole, and
//! who asked for it is told why.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::body::bounds::LIST;
use super::body::{Piece, walk};

/// How much a whole list may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub items: usize,
    /// Bytes of all names.
    pub bytes: usize,
    pub pages: u32,
    /// Bytes of a token or marker.
    pub token: usize,
}

/// S3 documents at most 1024 for its own. A request with one of 22,000 has an address that no client can send.
const LONGEST_TOKEN: usize = 8 * 1024;

impl Most {
    /// AWS raises the quota of buckets to a million for an account. A page has a thousand; other servers send shorter ones.
    pub const BUCKETS: Self = Self { items: 1_000_000, bytes: 256 << 20, pages: 100_000, token: LONGEST_TOKEN };

    /// AWS raises the quota to 50,000 accounts for an organization, and pages have at most 20 entries. Tokens have at most
    /// 100,000 characters, and stand in the body of a request.
    pub const OF_ORGANIZATIONS: Self = Self { items: 200_000, bytes: 64 << 20, pages: 100_000, token: 100_000 };

    /// An export of S3 Storage Lens has a folder a day, and in it some files.
    pub const OBJECTS: Self = Self { items: 100_000, bytes: 64 << 20, pages: 10_000, token: LONGEST_TOKEN };
}

/// What earlier pages held. Memory does not grow with pages that hold nothing new.
#[derive(Debug)]
pub(super) struct Seen {
    most: Most,
    names: HashSet<Box<str>>,
    /// Of names.
    bytes: usize,
    /// Digests: tokens may be long.
    positions: HashSet<u64>,
    digests: RandomState,
    pages: u32,
    /// Pages in a row without an entry, …
    empty: u32,
    /// … and with entries that all stood in earlier pages.
    repeated: u32,
}

impl Seen {
    pub fn new(most: Most) -> Self {
        let digests = RandomState::new();
        Self {
            most,
            names: HashSet::new(),
            bytes: 0,
            positions: HashSet::new(),
            digests,
            pages: 0,
            empty: 0,
            repeated: 0,
        }
    }

    /// What no earlier page held, as far as there is room. The name of an entry tells it from others.
    pub fn new_of<T>(&mut self, page: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<T> {
        let is_empty = page.is_empty();
        let new: Vec<T> = page.into_iter().filter(|entry| self.is_new(name(entry))).collect();
        self.pages += 1;
        self.empty = if is_empty { self.empty + 1 } else { 0 };
        self.repeated = if !is_empty && new.is_empty() { self.repeated + 1 } else { 0 };
        new
    }

    fn is_new(&mut self, name: &str) -> bool {
        if self.is_full() || self.names.contains(name) {
            return false;
        }
        self.bytes += name.len();
        self.names.insert(name.into())
    }

    fn is_full(&self) -> bool {
        self.names.len() > self.most.items || self.bytes > self.most.bytes
    }

    /// Whether the last page had nothing that was new.
    pub fn is_barren(&self) -> bool {
        self.empty > 0 || self.repeated > 0
    }

    /// Why the list is given up, whether or not it goes on. `kept`: entries that are in memory.
    pub fn too_much(&self, kept: usize) -> Option<String> {
        let Most { items, bytes, .. } = self.most;
        match () {
            () if self.names.len().max(kept) > items => Some(format!("the list has more than {items} entries")),
            () if self.bytes > bytes => Some(format!("the names in the list have more than {} MiB", bytes >> 20)),
            () => None,
        }
    }

    /// Why a further page is not asked for: a server that repeats itself would be asked for ever.
    pub fn refuse(&mut self, position: &str) -> Option<String> {
        /// Organizations sends some, not this many in a row.
        const EMPTY_PAGES: u32 = 1000;
        /// Entries move between pages while a list is read, but not all of a page again and again.
        const REPEATED_PAGES: u32 = 10;
        let (bytes, longest) = (position.len(), self.most.token);
        if bytes > longest {
            return Some(format!("the list goes on at a token of {bytes} bytes, and AWS has none above {longest}"));
        }
        let is_new = self.positions.insert(self.digests.hash_one(position));
        match () {
            () if !is_new => Some("the list goes round in a circle".to_owned()),
            () if self.repeated > REPEATED_PAGES => Some("the list repeats the same entries without end".to_owned()),
            () if self.empty > EMPTY_PAGES => Some("the list has no end".to_owned()),
            () if self.pages >= self.most.pages => Some(format!("the list has more than {} pages", self.most.pages)),
            () => None,
        }
    }
}

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// What S3 calls a continuation token.
    Token(String),
    /// The last entry of the page before, which servers with the list of S3's first version want: Alibaba OSS, Huawei OBS and
    /// Tencent COS list buckets like this.
    Marker(String),
}

impl Position {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Token(text) | Self::Marker(text) => text,
        }
    }

    pub fn token(&self) -> Option<&str> {
        match self {
            Self::Token(token) => Some(token),
            Self::Marker(_) => None,
        }
    }

    pub fn marker(&self) -> Option<&str> {
        match self {
            Self::Marker(marker) => Some(marker),
            Self::Token(_) => None,
        }
    }
}

/// What a page of S3 says of the pages behind it. `ListBuckets` of S3 has only `ContinuationToken`; Cloudflare R2 sends
/// what `ListObjectsV2` has: `IsTruncated`, `NextContinuationToken`, and the request's own token as `ContinuationToken`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct PageEnd {
    truncated: Option<bool>,
    next_token: Option<String>,
    token: Option<String>,
    next_marker: Option<String>,
}

/// What is behind a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Behind {
    Page(Position),
    Nothing,
    /// More, which cannot be asked for: why.
    Broken(String),
}

impl PageEnd {
    /// From the body of an answer, whose elements the SDK reads only in part. An error tells what is not as documented.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let mut end = Self::default();
        let mut odd = None;
        let mut text = String::new();
        let walked = walk(body, LIST.elements, |path, piece| {
            let (parents, name) = path.rsplit_once('/').unwrap_or_default();
            let Some(field) = Field::of(name) else { return };
            match piece {
                Piece::Open => text.clear(),
                Piece::Text(piece) => text.push_str(piece),
                // Deeper than below the root an element of this name is one of an entry.
                Piece::Close if parents.rfind('/') != Some(0) => {}
                Piece::Close if name != field.name() => {
                    odd.get_or_insert_with(|| format!("{name} is written for {}", field.name()));
                }
                Piece::Close => {
                    if let Err(why) = end.set(field, text.trim()) {
                        odd.get_or_insert(why);
                    }
                }
            }
        });
        walked.map_err(|error| error.to_string())?;
        odd.map_or(Ok(end), Err)
    }

    fn set(&mut self, field: Field, text: &str) -> Result<(), String> {
        let place = match field {
            Field::IsTruncated => {
                let said = match text {
                    _ if text.eq_ignore_ascii_case("true") => true,
                    _ if text.eq_ignore_ascii_case("false") => false,
                    other => {
                        let other: String = other.chars().take(50).collect();
                        return Err(format!("IsTruncated is {other:?}, which is not documented"));
                    }
                };
                let before = self.truncated.replace(said);
                return if before.is_none_or(|before| before == said) { Ok(()) } else { Err(twice(field)) };
            }
            Field::NextContinuationToken => &mut self.next_token,
            Field::ContinuationToken => &mut self.token,
            Field::NextMarker => &mut self.next_marker,
        };
        let said = (!text.is_empty()).then(|| text.to_owned());
        if place.is_some() && *place != said {
            return Err(twice(field));
        }
        *place = said;
        Ok(())
    }

    /// What is behind the page that was asked for with `asked`. Where the answer contradicts itself, a page more is asked
    /// for: that costs a request, and hides nothing.
    pub fn behind(self, asked: Option<&Position>, seen: &mut Seen) -> Behind {
        if let Some(why) = seen.too_much(0) {
            return Behind::Broken(why);
        }
        let asked = asked.and_then(Position::token);
        let repeats = self.token.is_some() && self.token.as_deref() == asked;
        let token = self.next_token.or_else(|| self.token.filter(|_| !repeats));
        let marker = self.next_marker.filter(|_| self.truncated == Some(true));
        let position = token.map(Position::Token).or_else(|| marker.map(Position::Marker));
        match (self.truncated, position) {
            (Some(false), Some(_)) if seen.is_barren() => Behind::Nothing,
            (_, Some(position)) => match seen.refuse(position.as_str()) {
                Some(why) => Behind::Broken(why),
                None => Behind::Page(position),
            },
            (Some(true), None) => Behind::Broken(
                "the list is truncated (IsTruncated), and the answer does not say where it goes on".to_owned(),
            ),
            // S3 itself repeats no token.
            (None, None) if repeats => Behind::Broken("the list goes round in a circle".to_owned()),
            (Some(false) | None, None) => Behind::Nothing,
        }
    }

    /// The same where `ContinuationToken` is never more than the request's own, as in a list of objects.
    #[must_use]
    pub fn of_objects(self) -> Self {
        Self { token: None, ..self }
    }

    /// Whether the answer itself says that the list ends with it.
    pub fn says_whole(&self) -> bool {
        self.truncated == Some(false)
    }
}

fn twice(field: Field) -> String {
    format!("{} has two different values", field.name())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    IsTruncated,
    NextContinuationToken,
    ContinuationToken,
    NextMarker,
}

impl Field {
    const ALL: [Self; 4] = [Self::IsTruncated, Self::NextContinuationToken, Self::ContinuationToken, Self::NextMarker];

    fn name(self) -> &'static str {
        match self {
            Self::IsTruncated => "IsTruncated",
            Self::NextContinuationToken => "NextContinuationToken",
            Self::ContinuationToken => "ContinuationToken",
            Self::NextMarker => "NextMarker",
        }
    }

    /// In whatever case it is written.
    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(inside: &str) -> Result<PageEnd, String> {
        PageEnd::read(format!("<L><Buckets><Bucket><Name>b</Name></Bucket></Buckets>{inside}</L>").as_bytes())
    }

    /// What is behind a page with one new entry.
    fn behind(inside: &str, asked: Option<&str>) -> String {
        let mut seen = Seen::new(Most::BUCKETS);
        seen.new_of(vec!["b"], |name| name);
        let asked = asked.map(|token| Position::Token(token.to_owned()));
        match end(inside).expect("as documented").behind(asked.as_ref(), &mut seen) {
            Behind::Page(Position::Token(token)) => format!("token {token}"),
            Behind::Page(Position::Marker(marker)) => format!("marker {marker}"),
            Behind::Nothing => "nothing".to_owned(),
            Behind::Broken(why) => format!("broken: {why}"),
        }
    }

    const TRUE: &str = "<IsTruncated>true</IsTruncated>";
    const FALSE: &str = "<IsTruncated>false</IsTruncated>";
    const NEXT: &str = "<NextContinuationToken>n</NextContinuationToken>";
    const TOKEN: &str = "<ContinuationToken>t</ContinuationToken>";

    #[test]
    fn a_list_goes_on_where_the_page_says() {
        let no_place = "broken: the list is truncated (IsTruncated), and the answer does not say where it goes on";
        let circle = "broken: the list goes round in a circle";
        for (inside, first, behind_t) in [
            (String::new(), "nothing", "nothing"),
            (FALSE.to_owned(), "nothing", "nothing"),
            (TOKEN.to_owned(), "token t", circle),
            (format!("{TRUE}{TOKEN}"), "token t", no_place),
            (format!("{FALSE}{TOKEN}"), "token t", "nothing"),
            (format!("{TRUE}{NEXT}"), "token n", "token n"),
            (format!("{TRUE}{NEXT}{TOKEN}"), "token n", "token n"),
            (NEXT.to_owned(), "token n", "token n"),
            (format!("{FALSE}{NEXT}"), "token n", "token n"),
            (TRUE.to_owned(), no_place, no_place),
            (format!("{TRUE}<ContinuationToken/>"), no_place, no_place),
            (format!("{TRUE}<NextMarker>m</NextMarker>"), "marker m", "marker m"),
            ("<NextMarker>m</NextMarker>".to_owned(), "nothing", "nothing"),
            ("<IsTruncated>TRUE</IsTruncated>".to_owned(), no_place, no_place),
        ] {
            assert_eq!(behind(&inside, None), first, "{inside}");
            assert_eq!(behind(&inside, Some("t")), behind_t, "{inside} behind t");
        }
        let long = format!("<ContinuationToken>{}</ContinuationToken>", "t".repeat(LONGEST_TOKEN + 1));
        assert!(behind(&long, None).starts_with("broken: the list goes on at a token of 8193 bytes"));
    }

    #[test]
    fn what_is_not_documented_does_not_end_a_list() {
        for odd in [
            "<IsTruncated>perhaps</IsTruncated>",
            "<IsTruncated/>",
            "<isTruncated>true</isTruncated>",
            "<NextContinuationtoken>n</NextContinuationtoken>",
            &format!("{TRUE}{FALSE}"),
            &format!("{TOKEN}<ContinuationToken>u</ContinuationToken>"),
        ] {
            assert!(end(odd).is_err(), "{odd}");
        }
        assert_eq!(end(&format!("{TRUE}{TRUE}<Owner><IsTruncated>x</IsTruncated></Owner>")), end(TRUE));
    }

    #[test]
    fn a_list_without_end_is_given_up_and_memory_stays_flat() {
        let most = Most { items: 1000, bytes: 5000, pages: 50, token: 100 };
        let given_up = |page: &dyn Fn(u32) -> Vec<String>| {
            let mut seen = Seen::new(most);
            (0..2000).find_map(|number| {
                seen.new_of(page(number), String::as_str);
                assert!(seen.names.len() <= most.items + 1 && seen.bytes <= most.bytes + 100);
                seen.too_much(0).or_else(|| seen.refuse(&format!("token {number}")))
            })
        };
        let same = |_| vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(given_up(&same).as_deref(), Some("the list repeats the same entries without end"));
        let many = |page: u32| (0..100).map(|number| (page * 100 + number).to_string()).collect();
        assert_eq!(given_up(&many).as_deref(), Some("the list has more than 1000 entries"));
        let long = |page: u32| vec![format!("{page:0>100}"); 10];
        assert_eq!(given_up(&long).as_deref(), Some("the list has more than 50 pages"));
        let long = |page: u32| (0..10).map(|number| format!("{:0>100}", page * 10 + number)).collect();
        assert_eq!(given_up(&long).as_deref(), Some("the names in the list have more than 0 MiB"));
        let mut seen = Seen::new(Most { pages: u32::MAX, ..most });
        let empty = (0..2000).find_map(|number| {
            seen.new_of(Vec::<String>::new(), String::as_str);
            seen.refuse(&number.to_string())
        });
        assert_eq!(empty.as_deref(), Some("the list has no end"));
    }
}
