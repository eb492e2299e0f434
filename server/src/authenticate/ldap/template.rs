//! Texts of the operator with places in braces: `{name}` and `{dn}`.
//!
//! Owns finding the places. What is put there is the business of whoever knows the language around
//! it.

/// A part of such a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// It stands as it is.
    Text(String),
    /// A place, by its name.
    Place(String),
}

/// Takes a text apart; `known` are the places that may stand in it.
pub(super) fn parts(text: &str, known: &[&str]) -> Result<Vec<Part>, &'static str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}').ok_or("has a brace that is not closed")?;
        if !known.contains(&place) {
            return Err("has a place in braces that is not known here");
        }
        push_text(&mut parts, before)?;
        parts.push(Part::Place(place.to_owned()));
        rest = after;
    }
    push_text(&mut parts, rest)?;
    Ok(parts)
}

fn push_text(parts: &mut Vec<Part>, text: &str) -> Result<(), &'static str> {
    if text.contains('}') {
        return Err("has a brace that was not opened");
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}
