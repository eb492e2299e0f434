//! What is concluded from many answers that are each allowed.

use super::Comes::{Answered, Refused, ToNothing, ToUnknown};
use super::attack;

/// SQL Server's own warning about masks at the result: a range probed by halves gives the value.
/// Here the comparison sees the mask.
#[test]
fn ranges_of_a_masked_column_are_probed() {
    attack(
        Answered,
        &[
            "SELECT count(*) FROM customer WHERE balance > '100000'",
            "SELECT count(*) FROM customer WHERE balance >= '10k-50k' AND balance < '50k-200k'",
            "SELECT count(*) FROM customer WHERE birth_date BETWEEN 1980 AND 1985",
            "SELECT balance, count(*) AS n FROM customer GROUP BY balance ORDER BY n, balance",
            "SELECT count(*) FROM customer WHERE wealth < credit_limit",
        ],
    );
}

/// An index over the raw values of a masked column answers a condition on the mask.
#[test]
fn an_index_of_raw_values_answers() {
    attack(
        Answered,
        &[
            "SELECT count(*) FROM customer WHERE mobile LIKE '138%'",
            "SELECT count(*) FROM customer WHERE name LIKE '%a%' OR address LIKE '%路%'",
            "SELECT count(*) FROM customer WHERE id_number > '3' OR card < '5'",
            "SELECT count(DISTINCT id_number), count(DISTINCT mobile), count(DISTINCT balance) FROM customer",
            "SELECT mobile, count(*) AS n FROM customer GROUP BY mobile",
        ],
    );
    attack(
        ToNothing,
        &["SELECT customer_id FROM customer WHERE email LIKE '%_@_%.com' AND email NOT LIKE '%*%'"],
    );
}

/// Tokens of a list of one's own would turn all tokens back into values.
#[test]
fn tokens_are_made_of_ones_own_list() {
    attack(
        Refused,
        &[
            "SELECT token('110101199003070011')",
            "SELECT mask('name', 'x')",
            "SELECT count(*) FROM customer WHERE tax_id = token('tax', 'x')",
        ],
    );
    attack(
        Answered,
        &[
            "SELECT count(*) FROM customer c JOIN entry e ON c.tax_id = e.customer_tax",
            "SELECT count(*) FROM customer WHERE tax_id = ref_id",
        ],
    );
}

/// The rows that two principals see together must not be had by one who holds both roles: where
/// roles differ about a class, no role alone decides.
#[test]
fn one_role_shows_what_another_hides() {
    attack(
        ToUnknown { forbidden: "hush", missing: "hvsh" },
        &["SELECT hush FROM customer", "SELECT count(*) FROM customer WHERE hush IS NULL"],
    );
    attack(Answered, &["SELECT fax, pager, count(*) AS n FROM customer GROUP BY fax, pager"]);
    attack(Refused, &["SELECT a.name FROM customer a NATURAL JOIN payroll b"]);
}
