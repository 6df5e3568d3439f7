//! Bodies in XML.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::BodyError;
use super::bounds::{Bounds, LONGEST_NAME, LONGEST_TAG, MOST_ATTRIBUTES, MOST_DEPTH, tag_too_long, too_many};

/// Well-formed, closed, one root element of this name, and no more than so many elements.
pub fn check_xml(body: &[u8], root: &'static str, elements: usize) -> Result<(), BodyError> {
    let mut met = [false; DECIDING.len()];
    let mut odd = None;
    let found = walk(body, elements, |path, piece| {
        if odd.is_none() && piece == Piece::Open && decides(path) {
            match DECIDING.iter().position(|element| *element == path) {
                Some(place) if !met[place] => met[place] = true,
                Some(_) | None => odd = Some(path.to_owned()),
            }
        }
    })?;
    match odd {
        _ if found != root => Err(BodyError::OtherDocument { found, expected: root }),
        Some(path) => Err(BodyError::Undocumented(path)),
        None => Ok(()),
    }
}

/// The elements of `VersioningConfiguration` on which everything hangs.
const DECIDING: [&str; 2] = ["/VersioningConfiguration/Status", "/VersioningConfiguration/MfaDelete"];

/// Whether an element goes by one of their names, in whatever case and depth. The SDK passes over a server's
/// `MFADelete`, which would then be "never configured", and takes the last of two that contradict each other.
fn decides(path: &str) -> bool {
    let last = |path: &'static str| path.rsplit('/').next().unwrap_or_default();
    path.starts_with("/VersioningConfiguration/")
        && path.rsplit('/').next().is_some_and(|name| DECIDING.map(last).iter().any(|it| it.eq_ignore_ascii_case(name)))
}

/// What an S3 or STS error body says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ErrorBody {
    pub code: Option<String>,
    pub message: Option<String>,
    /// The bucket's Region, in some wrong-Region answers.
    pub region: Option<String>,
}

/// `None` unless the body is a whole, well-formed error document.
pub fn error_body(body: &[u8]) -> Option<ErrorBody> {
    // Most bodies are none: to see it is much cheaper than to read them.
    if !body.windows(5).any(|letters| letters == b"Error") {
        return None;
    }
    let mut error = ErrorBody::default();
    let root = walk(body, Bounds::of_error().elements, |path, piece| {
        let Piece::Text(text) = piece else { return };
        let field = match path.strip_prefix("/ErrorResponse").unwrap_or(path) {
            "/Error/Code" => &mut error.code,
            "/Error/Message" => &mut error.message,
            "/Error/Region" => &mut error.region,
            _ => return,
        };
        field.get_or_insert_default().push_str(text);
    })
    .ok()?;
    (root == "Error" || root == "ErrorResponse").then_some(error)
}

/// What a document is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Open,
    Text(&'a str),
    Close,
}

/// Reads a whole document of at most so many elements, gives every piece with the path of its element (`/Error/Code`), and
/// returns the root element's local name.
pub(crate) fn walk(body: &[u8], elements: usize, mut see: impl FnMut(&str, Piece<'_>)) -> Result<String, BodyError> {
    let broken = |why: &str| BodyError::Broken(why.to_owned());
    let body = std::str::from_utf8(body).map_err(|error| BodyError::Broken(error.to_string()))?;
    let mut reader = Reader::from_str(body.strip_prefix('\u{feff}').unwrap_or(body));
    let mut entered = Entered { path: String::new(), root: None, depth: 0, elements: 0, most: elements };
    loop {
        let event = reader.read_event().map_err(|error| BodyError::Broken(error.to_string()))?;
        let outside = entered.depth == 0;
        match event {
            Event::Start(element) => {
                entered.enter(&element)?;
                see(&entered.path, Piece::Open);
            }
            Event::Empty(element) => {
                entered.enter(&element)?;
                see(&entered.path, Piece::Open);
                see(&entered.path, Piece::Close);
                entered.leave();
            }
            // quick-xml has compared the names of opening and closing tag
            Event::End(_) => {
                see(&entered.path, Piece::Close);
                entered.leave();
            }
            Event::Text(piece) => {
                let piece = piece.xml_content(XmlVersion::Implicit1_0);
                if !outside {
                    see(&entered.path, Piece::Text(&piece));
                } else if !piece.trim().is_empty() {
                    return Err(broken("text outside the root element"));
                }
            }
            Event::CData(_) | Event::GeneralRef(_) if outside => return Err(broken("text outside the root element")),
            Event::CData(piece) => see(&entered.path, Piece::Text(&piece.xml_content(XmlVersion::Implicit1_0))),
            Event::GeneralRef(reference) => see(&entered.path, Piece::Text(&resolve(&reference)?)),
            Event::DocType(_) => return Err(broken("a document type")),
            Event::Comment(piece) if piece.len() > LONGEST_TAG => return Err(tag_too_long()),
            Event::PI(piece) if piece.len() > LONGEST_TAG => return Err(tag_too_long()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if !outside => return Err(broken("it ends inside an element")),
            Event::Eof => return entered.root.ok_or_else(|| broken("it is empty")),
        }
    }
}

/// Where the walk is.
struct Entered {
    path: String,
    root: Option<String>,
    depth: usize,
    elements: usize,
    /// Elements of such an answer.
    most: usize,
}

impl Entered {
    fn enter(&mut self, element: &BytesStart<'_>) -> Result<(), BodyError> {
        let name = element.local_name().into_inner();
        if element.name().as_ref().len() > LONGEST_NAME {
            return Err(BodyError::TooMuch(format!("an element name of more than {LONGEST_NAME} bytes")));
        }
        if element.len() > LONGEST_TAG {
            return Err(tag_too_long());
        }
        for (number, attribute) in element.attributes().enumerate() {
            attribute.map_err(|error| BodyError::Broken(error.to_string()))?;
            if number >= MOST_ATTRIBUTES {
                return Err(BodyError::TooMuch(format!("more than {MOST_ATTRIBUTES} attributes in an element")));
            }
        }
        match (&self.root, self.depth) {
            (Some(_), 0) => return Err(BodyError::Broken("a second root element".to_owned())),
            (_, MOST_DEPTH..) => {
                return Err(BodyError::TooMuch(format!("more than {MOST_DEPTH} elements within each other")));
            }
            (Some(_), _) => {}
            (None, _) => self.root = Some(name.to_owned()),
        }
        self.elements += 1;
        if self.elements > self.most {
            return Err(too_many(self.most));
        }
        self.depth += 1;
        self.path.push('/');
        self.path.push_str(name);
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.path.truncate(self.path.rfind('/').unwrap_or(0));
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, BodyError> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.to_string()),
        Ok(None) => resolve_xml_entity(reference)
            .map(str::to_owned)
            .ok_or_else(|| BodyError::Broken("an unknown entity".to_owned())),
        Err(error) => Err(BodyError::Broken(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONING: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>"#;

    #[test]
    fn a_whole_document_passes() {
        assert_eq!(check_xml(VERSIONING.as_bytes(), "VersioningConfiguration", 100), Ok(()));
        assert_eq!(check_xml(b"<VersioningConfiguration/>\n", "VersioningConfiguration", 100), Ok(()));
        assert_eq!(check_xml(b"<s3:VersioningConfiguration xmlns:s3='x'/>", "VersioningConfiguration", 100), Ok(()));
    }

    #[test]
    fn a_document_cut_anywhere_does_not() {
        for end in 0..VERSIONING.len() {
            let cut = check_xml(&VERSIONING.as_bytes()[..end], "VersioningConfiguration", 100);
            assert!(matches!(cut, Err(BodyError::Broken(_))), "cut at {end}: {cut:?}");
        }
    }

    #[test]
    fn another_document_does_not() {
        let moto = check_xml(b"<GetBucketVersioningResponse/>", "VersioningConfiguration", 100);
        assert!(matches!(moto, Err(BodyError::OtherDocument { .. })), "{moto:?}");
    }

    #[test]
    fn elements_that_decide_stand_where_they_are_documented_and_once() {
        let checked = |inside: &str| {
            let body = format!("<VersioningConfiguration>{inside}</VersioningConfiguration>");
            check_xml(body.as_bytes(), "VersioningConfiguration", 100)
        };
        assert_eq!(checked("<Status>Enabled</Status><ExcludeFolders>true</ExcludeFolders>"), Ok(()));
        assert_eq!(checked("<Status>Ena&#98;led</Status>"), Ok(()));
        for odd in [
            "<Status>Enabled</Status><MFADelete>Enabled</MFADelete>",
            "<status>Enabled</status>",
            "<Status>Suspended</Status><Status>Enabled</Status>",
            "<MfaDelete>Disabled</MfaDelete><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>",
            "<X><Status>Enabled</Status></X>",
            "<Status/><Status>Enabled</Status>",
        ] {
            assert!(matches!(checked(odd), Err(BodyError::Undocumented(_))), "{odd}");
        }
    }

    #[test]
    fn what_is_more_than_an_answer_can_be_is_none() {
        let inside = |inside: &str| check_xml(format!("<A>{inside}</A>").as_bytes(), "A", 100);
        let deep = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
        let named = |length: usize| format!("<{}/>", "n".repeat(length));
        let comment = |length: usize| format!("<!--{}-->", "-x".repeat(length / 2));
        let tag = |count: usize| (0..count).fold("<a".to_owned(), |tag, number| tag + &format!(" a{number}=''")) + "/>";
        for good in [
            deep(MOST_DEPTH - 1),
            named(LONGEST_NAME),
            comment(LONGEST_TAG),
            tag(MOST_ATTRIBUTES),
            "<b/>".repeat(99),
            "t".repeat(100_000),
        ] {
            assert_eq!(inside(&good), Ok(()));
        }
        for more in [
            deep(MOST_DEPTH),
            deep(100_000),
            named(LONGEST_NAME + 1),
            named(1_500_000),
            comment(LONGEST_TAG + 2),
            comment(LONGEST_TAG + 2).replace("<!--", "<?p ").replace("-->", "?>"),
            tag(MOST_ATTRIBUTES + 1),
            format!("<a b=\"{}\"/>", "v".repeat(LONGEST_TAG)),
            format!("<a xmlns:b=\"{}\"/>", "v".repeat(LONGEST_TAG)),
            "<b/>".repeat(100),
            "<b></b>".repeat(40_000),
        ] {
            let checked = inside(&more);
            assert!(matches!(checked, Err(BodyError::TooMuch(_))), "{checked:?}");
        }
        let words = inside(&deep(MOST_DEPTH)).expect_err("too deep").to_string();
        assert_eq!(words, "the answer has more than 16 elements within each other");
    }

    #[test]
    fn nonsense_does_not() {
        for nonsense in [
            "",
            "   ",
            "Enabled",
            "<A/><A/>",
            "<A></B>",
            "<A/>x",
            "x<A/>",
            "<A>&nonsense;</A>",
            "<A b=c/>",
            "<A",
            "<!DOCTYPE A><A/>",
            "<A/>&amp;",
            "<A b='1' b='2'/>",
            "<A/></A>",
            "{}",
        ] {
            let checked = check_xml(nonsense.as_bytes(), "A", 100);
            assert!(matches!(checked, Err(BodyError::Broken(_))), "{nonsense:?}: {checked:?}");
        }
        assert!(check_xml(b"<A>\xff</A>", "A", 100).is_err());
    }

    #[test]
    fn error_bodies_of_s3_and_sts_are_read() {
        let s3 = b"<Error><Code>AuthorizationHeaderMalformed</Code><Message>a &amp; b</Message><Region>eu-west-1</Region></Error>";
        let read = error_body(s3).expect("whole");
        assert_eq!(read.code.as_deref(), Some("AuthorizationHeaderMalformed"));
        assert_eq!(read.message.as_deref(), Some("a & b"));
        assert_eq!(read.region.as_deref(), Some("eu-west-1"));
        let sts =
            b"<ErrorResponse xmlns='x'><Error><Type>Sender</Type><Code>AccessDenied</Code></Error></ErrorResponse>";
        assert_eq!(error_body(sts).expect("whole").code.as_deref(), Some("AccessDenied"));
        for end in 0..s3.len() {
            assert_eq!(error_body(&s3[..end]), None, "cut at {end}");
        }
        assert_eq!(error_body(b"<html><Code>NoSuchBucket</Code></html>"), None);
    }
}
