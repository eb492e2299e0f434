//! What Arrow leaves in buffers beside the values that are shown: every answer of these tests is
//! searched for it, here are the ways that are known to leave it.

use super::Comes::{Answered, ToEither};
use super::attack;

/// arrow-rs #7185, #10800: a filter that keeps most rows keeps the whole buffer of a view array.
#[test]
fn a_filter_keeps_the_buffers_of_the_rows_it_drops() {
    attack(
        Answered,
        &[
            "SELECT * FROM customer WHERE customer_id % 10 < 9",
            "SELECT txt, code, name FROM customer WHERE customer_id % 2 > 0",
            "SELECT note, counter FROM entry WHERE points > 0",
        ],
    );
}

/// arrow-rs #5525: first rows, slices and limits share the buffers of all others.
#[test]
fn first_rows_keep_the_buffers_of_all() {
    attack(
        Answered,
        &[
            "SELECT * FROM customer ORDER BY customer_id LIMIT 5",
            "SELECT txt, name FROM customer ORDER BY txt DESC, customer_id LIMIT 7 OFFSET 2",
            "SELECT note FROM entry ORDER BY entry_id DESC LIMIT 3",
        ],
    );
}

/// Arrow C++ CVE-2019-12408: the slot of a null holds what stood there before.
#[test]
fn a_null_keeps_the_value_under_it() {
    attack(
        Answered,
        &[
            "SELECT nullif(txt, code), nullif(big, 3), nullif(amount, 1.5) FROM customer",
            "SELECT CASE WHEN z > 3 THEN txt END, CASE WHEN z > 3 THEN name ELSE NULL END FROM customer",
            "SELECT c.name, c.big, e.note FROM entry e LEFT JOIN customer c ON c.customer_id = e.customer_id AND c.z > 2",
        ],
    );
}

/// Functions that cut a text and share its bytes; dictionaries, lists and structs with parts that
/// nobody refers to.
#[test]
fn a_part_keeps_the_whole() {
    attack(
        Answered,
        &[
            "SELECT substr(txt, 1, 2), left(address, 6), split_part(email, '@', 1), rtrim(code) FROM customer",
            "SELECT outlet, kind, count(*) AS n FROM entry GROUP BY outlet, kind",
            "SELECT DISTINCT outlet, segment FROM customer WHERE z > 1",
        ],
    );
    attack(
        ToEither,
        &[
            "SELECT make_array(txt, name) FROM customer WHERE z > 2",
            "SELECT named_struct('t', txt, 'n', nullif(name, 'x')) FROM customer WHERE z > 2",
            "SELECT arrow_cast(outlet, 'Dictionary(Int32, Utf8)') FROM customer WHERE z > 2",
        ],
    );
}
