//! Which strings deserve a code: those that save the most bytes over a sample of the column.
//!
//! A few generations, each of which writes the sample in the strings of the one before and
//! counts the strings and the neighbours; the best of them and of their unions go on. So strings
//! grow from single bytes to eight. The same column always gives the same strings.

use std::cmp::Reverse;
use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::symbols::{Encoder, SYMBOLS_MAX, Symbol, Token};

/// As the strings double at most in each, one more than it takes to reach eight bytes, twice.
const GENERATIONS: usize = 7;

/// What a byte that no string covers costs: itself and the escape. So bytes that stand alone are
/// kept although they save but one.
const BYTE_WEIGHT: u64 = 4;

type Counts = HashMap<Symbol, u64, FixedState>;

/// The strings for texts like these.
pub(super) fn train(sample: &[&[u8]]) -> Encoder {
    let mut encoder = Encoder::new(&[]);
    for _ in 0..GENERATIONS {
        encoder = Encoder::new(&best(&gains(&encoder, sample)));
    }
    encoder
}

/// What each string in the sample, and each union of two neighbours, would save.
fn gains(encoder: &Encoder, sample: &[&[u8]]) -> Counts {
    let mut counts = Counts::default();
    let mut neighbours: HashMap<(Symbol, Symbol), u64, FixedState> = HashMap::default();
    for text in sample {
        let mut before: Option<Symbol> = None;
        encoder.tokens(text, |token| {
            let symbol = match token {
                Token::Code(code) => encoder.symbols()[usize::from(code)],
                Token::Byte(byte) => Symbol::of_byte(byte),
            };
            *counts.entry(symbol).or_insert(0) += 1;
            if let Some(before) = before {
                *neighbours.entry((before, symbol)).or_insert(0) += 1;
            }
            before = Some(symbol);
        });
    }
    let mut gains = Counts::default();
    for (symbol, count) in counts {
        let weight = if symbol.length == 1 { BYTE_WEIGHT } else { u64::from(symbol.length) };
        *gains.entry(symbol).or_insert(0) += count * weight;
    }
    for ((first, second), count) in neighbours {
        if let Some(union) = first.and(second) {
            *gains.entry(union).or_insert(0) += count * u64::from(union.length);
        }
    }
    gains
}

fn best(gains: &Counts) -> Vec<Symbol> {
    let mut symbols: Vec<(u64, Symbol)> =
        gains.iter().map(|(symbol, gain)| (*gain, *symbol)).collect();
    let order = |(gain, symbol): &(u64, Symbol)| Reverse((*gain, *symbol));
    if symbols.len() > SYMBOLS_MAX {
        symbols.select_nth_unstable_by_key(SYMBOLS_MAX, order);
        symbols.truncate(SYMBOLS_MAX);
    }
    symbols.sort_unstable_by_key(order);
    symbols.into_iter().map(|(_, symbol)| symbol).collect()
}
