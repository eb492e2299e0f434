//! One record's text to its fields, strictly: a record that is not well formed is refused with
//! the field and the reason, never patched.
//!
//! Owns the rules of delimiter and quote (RFC 4180, with any character for either). A quote
//! inside a field that does not begin with one is an ordinary character.

use crate::reason::Reason;

/// One field as it stands in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// Without its quotes, doubled quotes made single.
    pub(crate) text: &'a str,
    pub(crate) quoted: bool,
}

/// The fields of one record; kept between records, so that splitting allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    spans: Vec<Span>,
    /// Texts that differ from the record's because of doubled quotes.
    unescaped: String,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Quoted,
    /// Quoted, and to be found in the unescaped texts.
    Unescaped,
}

impl Fields {
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The field at a position below `len`, of the record that was split last.
    pub(crate) fn get<'a>(&'a self, position: usize, record: &'a str) -> Field<'a> {
        let span = self.spans[position];
        let within = if span.form == Form::Unescaped { &self.unescaped } else { record };
        Field { text: &within[span.start..span.end], quoted: span.form != Form::Plain }
    }

    fn clear(&mut self) {
        self.spans.clear();
        self.unescaped.clear();
    }

    fn push(&mut self, start: usize, end: usize, form: Form) {
        self.spans.push(Span { start, end, form });
    }
}

/// Why a record could not be split, and at which field (from 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Torn {
    pub(crate) field: usize,
    pub(crate) reason: Reason,
}

/// Splits records of one dialect.
#[derive(Debug, Clone)]
pub(crate) struct Splitter {
    delimiter: Mark,
    quote: Option<Mark>,
}

/// A character, ready to be searched for.
#[derive(Debug, Clone, Copy)]
struct Mark {
    bytes: [u8; 4],
    length: usize,
}

impl Mark {
    fn new(character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// UTF-8 is self-synchronising, so a found byte sequence is a found character.
    fn find(&self, text: &[u8]) -> Option<usize> {
        match self.length {
            1 => memchr::memchr(self.bytes[0], text),
            _ => memchr::memmem::find(text, self.as_bytes()),
        }
    }

    fn starts(&self, text: &[u8]) -> bool {
        text.starts_with(self.as_bytes())
    }
}

impl Splitter {
    pub(crate) fn new(delimiter: char, quote: Option<char>) -> Self {
        Self { delimiter: Mark::new(delimiter), quote: quote.map(Mark::new) }
    }

    /// Splits a record into `into`, whose former content is dropped.
    pub(crate) fn split(&self, record: &str, into: &mut Fields) -> Result<(), Torn> {
        into.clear();
        match &self.quote {
            Some(quote) if quote.find(record.as_bytes()).is_some() => {
                self.split_quoted(record.as_bytes(), quote, into)
            }
            _ => {
                self.split_plain(record.as_bytes(), into);
                Ok(())
            }
        }
    }

    fn split_plain(&self, record: &[u8], into: &mut Fields) {
        let mut start = 0;
        if self.delimiter.length == 1 {
            for at in memchr::memchr_iter(self.delimiter.bytes[0], record) {
                into.push(start, at, Form::Plain);
                start = at + 1;
            }
        } else {
            for at in memchr::memmem::find_iter(record, self.delimiter.as_bytes()) {
                into.push(start, at, Form::Plain);
                start = at + self.delimiter.length;
            }
        }
        into.push(start, record.len(), Form::Plain);
    }

    fn split_quoted(&self, record: &[u8], quote: &Mark, into: &mut Fields) -> Result<(), Torn> {
        let mut at = 0;
        loop {
            if quote.starts(&record[at..]) {
                let torn = |into: &Fields, reason| Torn { field: into.len(), reason };
                let field = into.len();
                at = take_quoted(record, at + quote.length, quote, into)
                    .ok_or_else(|| torn(into, Reason::UnclosedQuote))?;
                if at == record.len() {
                    return Ok(());
                }
                if !self.delimiter.starts(&record[at..]) {
                    return Err(Torn { field, reason: Reason::TextAfterQuote });
                }
                at += self.delimiter.length;
            } else if let Some(length) = self.delimiter.find(&record[at..]) {
                into.push(at, at + length, Form::Plain);
                at += length + self.delimiter.length;
            } else {
                into.push(at, record.len(), Form::Plain);
                return Ok(());
            }
        }
    }

    /// Whether a quote is open at the end of a line that began inside or outside of quotes.
    pub(crate) fn is_inside_after(&self, line: &str, was_inside: bool) -> bool {
        let Some(quote) = &self.quote else { return false };
        let line = line.as_bytes();
        let mut at = 0;
        let mut quoted = was_inside;
        loop {
            if quoted || quote.starts(&line[at..]) {
                let opened = if quoted { at } else { at + quote.length };
                match closing(line, opened, quote) {
                    Some(behind) => at = behind,
                    None => return true,
                }
                quoted = false;
            }
            match self.delimiter.find(&line[at..]) {
                Some(length) => at += length + self.delimiter.length,
                None => return false,
            }
        }
    }
}

/// The place behind the quote that closes the one opened before `at`; doubled ones are passed.
fn closing(text: &[u8], mut at: usize, quote: &Mark) -> Option<usize> {
    loop {
        at += quote.find(&text[at..])? + quote.length;
        if !quote.starts(&text[at..]) {
            return Some(at);
        }
        at += quote.length;
    }
}

/// Adds the quoted field whose text begins at `start`; gives the place behind its last quote.
fn take_quoted(record: &[u8], start: usize, quote: &Mark, into: &mut Fields) -> Option<usize> {
    let behind = closing(record, start, quote)?;
    let end = behind - quote.length;
    let text = &record[start..end];
    if quote.find(text).is_none() {
        into.push(start, end, Form::Quoted);
        return Some(behind);
    }
    let unescaped_start = into.unescaped.len();
    let mut rest = text;
    while let Some(at) = quote.find(rest) {
        let kept = at + quote.length;
        into.unescaped.push_str(std::str::from_utf8(&rest[..kept]).ok()?);
        rest = &rest[kept + quote.length..];
    }
    into.unescaped.push_str(std::str::from_utf8(rest).ok()?);
    into.push(unescaped_start, into.unescaped.len(), Form::Unescaped);
    Some(behind)
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
