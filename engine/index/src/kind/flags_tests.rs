//! Every pattern of eight, and numbers that do not fill a block.

use super::*;

#[test]
fn eight_marks_become_eight_bits() {
    for byte in 0..=u8::MAX {
        let marks = std::array::from_fn(|bit| byte >> bit & 1);
        assert_eq!(gathered(marks), byte);
    }
}

#[test]
fn what_lies_behind_the_last_number_is_cleared() {
    let numbers: Vec<u32> = (0..13).collect();
    let mut flags = [0xFF; 4];
    set_flags::<32, u32>(&numbers, |number| number % 3 == 0, &mut flags);
    assert_eq!(flags, [0b0100_1001, 0b0001_0010, 0, 0]);
}
