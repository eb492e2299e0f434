use proptest::prelude::*;

use super::*;
use crate::mask::Profile;
use crate::names::Purpose;

fn shown(mask: Mask) -> Sight {
    Sight::Shown(Access::Masked(mask))
}

fn token(purpose: &str) -> Sight {
    shown(Mask::Token(Purpose::new(purpose).unwrap()))
}

fn ladder() -> Vec<Sight> {
    vec![
        Sight::Shown(Access::Clear),
        Sight::Shown(Access::Unshown),
        token("a"),
        shown(Mask::Mobile(Profile::Doc)),
        shown(Mask::BalanceBand(Profile::Doc)),
        shown(Mask::Redact),
        shown(Mask::FreeText),
        Sight::Hidden,
    ]
}

#[test]
fn each_step_of_the_ladder_beats_all_below_it() {
    let ladder = ladder();
    for (high, strict) in ladder.iter().enumerate() {
        for mild in &ladder[..high] {
            let rivals = mild.leaves_a_part() && strict.leaves_a_part();
            let expected = if rivals { shown(Mask::Redact) } else { strict.clone() };
            assert_eq!(Sight::strictest([mild.clone(), strict.clone()]), expected);
            assert_eq!(Sight::strictest([strict.clone(), mild.clone()]), expected);
        }
    }
}

#[test]
fn nothing_said_is_hidden() {
    assert_eq!(Sight::strictest([]), Sight::Hidden);
}

#[test]
fn rivals_that_cannot_be_compared_show_neither() {
    assert_eq!(Sight::strictest([token("a"), token("b")]), shown(Mask::Redact));
    // A token of every row and a part of some must not become a part of every row.
    let partial = shown(Mask::Mobile(Profile::Doc));
    assert_eq!(Sight::strictest([token("a"), partial.clone()]), shown(Mask::Redact));
    // Conditions on every row of one role and a token of every row of the other likewise.
    assert_eq!(Sight::strictest([Sight::Shown(Access::Unshown), token("a")]), shown(Mask::Redact));
    // … unless something stricter than `***` was said.
    assert_eq!(
        Sight::strictest([token("a"), partial, shown(Mask::FreeText)]),
        shown(Mask::FreeText)
    );
}

proptest! {
    #[test]
    fn the_order_of_roles_does_not_matter(
        sights in prop::collection::vec(prop::sample::select(ladder()), 0..6).prop_shuffle()
    ) {
        let mut sorted = sights.clone();
        sorted.sort();
        prop_assert_eq!(Sight::strictest(sights), Sight::strictest(sorted));
    }
}
