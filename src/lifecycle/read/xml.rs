//! XML to the tree: well-formed, one root, no document type, only the predefined entities. Names count without their
//! namespace.

use std::borrow::Cow;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::tree::{Content, Element};
use super::{Code, Fault, MAX_DEPTH, MAX_ELEMENTS, quoted};

pub(super) fn parse(text: &str) -> Result<Element<'_>, Fault> {
    let mut parser = Parser { text, open: Vec::new(), root: None, elements: 0 };
    let mut reader = Reader::from_str(text);
    loop {
        let at = offset(reader.buffer_position());
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => return Err(malformed(offset(reader.error_position()), &error.to_string())),
        };
        if matches!(event, Event::Eof) {
            return parser.end(at);
        }
        parser.event(at, event)?;
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn malformed(at: usize, what: &str) -> Fault {
    Fault::new(at, Code::MalformedXml, format!("it is not well-formed XML: {what}"))
}

struct Parser<'a> {
    text: &'a str,
    /// From the root inwards.
    open: Vec<Element<'a>>,
    root: Option<Element<'a>>,
    elements: usize,
}

impl<'a> Parser<'a> {
    fn event(&mut self, at: usize, event: Event<'a>) -> Result<(), Fault> {
        match event {
            Event::Start(start) => {
                let element = self.begin(at, &start)?;
                self.open.push(element);
                if self.open.len() > MAX_DEPTH {
                    return Err(Fault::new(
                        at,
                        Code::MalformedXml,
                        format!("more than {MAX_DEPTH} elements within each other"),
                    ));
                }
            }
            Event::Empty(start) => {
                let element = self.begin(at, &start)?;
                self.close(element);
            }
            // quick-xml has compared the names of opening and closing tag.
            Event::End(_) => {
                if let Some(element) = self.open.pop() {
                    self.close(element);
                }
            }
            Event::Text(piece) => self.append(at, piece.xml_content(XmlVersion::Implicit1_0))?,
            Event::CData(piece) => {
                self.inside(at)?;
                self.append(at, piece.xml_content(XmlVersion::Implicit1_0))?;
            }
            Event::GeneralRef(reference) => {
                self.inside(at)?;
                self.append(at, Cow::Owned(resolve(at, &reference)?))?;
            }
            Event::DocType(_) => {
                return Err(Fault::new(at, Code::MalformedXml, "a document type (<!DOCTYPE) has no place in it"));
            }
            Event::Decl(declaration) => only_utf8(at, &declaration)?,
            Event::Comment(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn end(self, at: usize) -> Result<Element<'a>, Fault> {
        match (self.open.last(), self.root) {
            (Some(open), _) => Err(malformed(at, &format!("it ends within the element {}", quoted(open.name)))),
            (None, Some(root)) => Ok(root),
            (None, None) => Err(malformed(at, "it has no element")),
        }
    }

    fn begin(&mut self, at: usize, start: &BytesStart<'a>) -> Result<Element<'a>, Fault> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(malformed(at, "a second root element"));
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(Fault::new(at, None, format!("it has more than {MAX_ELEMENTS} elements")));
        }
        for attribute in start.attributes() {
            attribute.map_err(|error| malformed(at, &error.to_string()))?;
        }
        // The tag's bytes follow its '<'; the event itself lives too short to borrow from.
        let length = start.name().into_inner().len();
        let name = self.text.get(at + 1..at + 1 + length).unwrap_or("");
        if name.is_empty() {
            return Err(malformed(at, "an element without a name"));
        }
        let local = name.rsplit(':').next().unwrap_or(name);
        Ok(Element::new(local, local, at, Content::Any))
    }

    fn close(&mut self, element: Element<'a>) {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn inside(&self, at: usize) -> Result<(), Fault> {
        if self.open.is_empty() { Err(malformed(at, "text outside of its root element")) } else { Ok(()) }
    }

    fn append(&mut self, at: usize, piece: Cow<'a, str>) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(element) if element.text.is_empty() => element.text = piece,
            Some(element) => element.text.to_mut().push_str(&piece),
            None if piece.trim().is_empty() => {}
            None => return self.inside(at),
        }
        Ok(())
    }
}

fn resolve(at: usize, reference: &BytesRef<'_>) -> Result<String, Fault> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.to_string()),
        Ok(None) => resolve_xml_entity(reference).map(str::to_owned).ok_or_else(|| {
            let message = format!("only XML's own five entities are known, not {}", quoted(reference));
            Fault::new(at, Code::MalformedXml, message)
        }),
        Err(error) => Err(malformed(at, &error.to_string())),
    }
}

fn only_utf8(at: usize, declaration: &BytesDecl<'_>) -> Result<(), Fault> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if ["utf-8", "utf8", "us-ascii"].contains(&name.to_ascii_lowercase().as_str()) => Ok(()),
        Some(Ok(name)) => Err(Fault::new(at, None, format!("only UTF-8 is read, it says {}", quoted(&name)))),
        Some(Err(error)) => Err(malformed(at, &error.to_string())),
    }
}
