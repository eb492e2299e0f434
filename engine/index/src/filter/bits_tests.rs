use super::Bits;

fn rows(bits: &Bits) -> Vec<u16> {
    let is_set = |row: &u16| bits.words()[usize::from(*row) / 64] >> (row % 64) & 1 == 1;
    (0..=u16::MAX).filter(is_set).collect()
}

#[test]
fn a_range_sets_every_bit_from_its_first_to_its_last() {
    let ranges =
        [(0, 0), (0, 63), (63, 64), (5, 70), (64, 127), (1, 65_535), (65_535, 65_535), (100, 400)];
    for (first, last) in ranges {
        let mut bits = Bits::none();
        bits.set_from_to(first, last);
        assert_eq!(rows(&bits), (first..=last).collect::<Vec<u16>>(), "{first}..={last}");
    }
    let mut bits = Bits::none();
    bits.set_from_to(9, 8);
    assert_eq!(rows(&bits).len(), 0);
}

#[test]
fn sets_are_joined_and_taken_apart() {
    let (mut left, mut right) = (Bits::none(), Bits::none());
    left.set_from_to(0, 100);
    right.set_from_to(90, 300);
    let mut both = left.clone();
    assert!(both.and(&right));
    assert_eq!(rows(&both), (90..=100).collect::<Vec<u16>>());
    let mut rest = left.clone();
    assert!(rest.minus(&right));
    assert_eq!(rows(&rest), (0..90).collect::<Vec<u16>>());
    assert!(!rest.and(&right));
    left.or(&right);
    left.invert();
    assert_eq!(rows(&left).first(), Some(&301));
    assert!(!left.clone().minus(&left));
}
