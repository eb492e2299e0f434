use super::*;

#[test]
fn the_check_digit_is_luhns() {
    // ISO/IEC 7812-1's way, on the number that every text book uses: 7992739871 -> 3.
    assert_eq!(luhn_check_digit(7_992_739_871), 3);
    assert_eq!(luhn_check_digit(411_111_111_111_111), 1);
}

#[test]
fn card_numbers_have_sixteen_digits_and_never_repeat() {
    let numbers: std::collections::HashSet<u64> =
        (0..50_000).map(|index| card_number(DEBIT_PREFIX, index)).collect();
    assert_eq!(numbers.len(), 50_000);
    assert!(numbers.iter().all(|number| number.to_string().len() == 16));
}
