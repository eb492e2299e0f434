//! The numbers of texts stand for the texts.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn heads_order_texts(texts in prop::collection::vec("[\u{0}aé]{0,20}", 1..12)) {
        let array = StringArray::from(texts.clone());
        // A slice begins within the bytes of another array.
        let array = array.slice(1, texts.len() - 1);
        let (heads, texts) = (TextHeads::of(&array), &texts[1..]);
        for (left, one) in texts.iter().enumerate() {
            prop_assert_eq!(heads.headed(left).text(), one);
            for (right, other) in texts.iter().enumerate() {
                let is_below = heads.headed(left).is_below(&heads.headed(right));
                prop_assert_eq!(is_below, one < other);
            }
        }
    }

    #[test]
    fn keys_are_short_texts(texts in prop::collection::vec("[\u{0}a-cé]{0,16}", 1..12)) {
        let array = StringArray::from(texts.clone());
        let heads = TextHeads::of(&array);
        prop_assert_eq!(heads.have_keys(), texts.iter().all(|text| text.len() <= 15));
        if heads.have_keys() {
            for (left, one) in texts.iter().enumerate() {
                prop_assert_eq!(&with_text_of(heads.key(left), str::to_owned), one);
                for (right, other) in texts.iter().enumerate() {
                    prop_assert_eq!(heads.key(left).cmp(&heads.key(right)), one.cmp(other));
                }
            }
        }
    }
}
