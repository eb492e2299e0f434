use super::*;
use crate::plan::BankPlan;

fn people() -> Vec<Person> {
    let plan = BankPlan::small();
    let bank = Bank::new(&plan);
    let city = &bank.organization.cities[0];
    (0..5_000).map(|customer| person(&bank, customer, city)).collect()
}

#[test]
fn the_check_digit_is_the_standards() {
    // The standard's own example: 11010519491231002X.
    assert_eq!(id_check_digit("11010519491231002"), 'X');
}

/// The check by the standard's other definition: weights 2^(i) mod 11 over all 18 digits sum
/// to 1 modulo 11.
#[test]
fn every_id_number_is_valid_and_agrees_with_birth_date_and_gender() {
    for person in people() {
        let Some(id) = person.id_number else { continue };
        assert_eq!(id.len(), 18);
        let value = |c: char| c.to_digit(10).unwrap_or(10);
        let weighted: u32 = id
            .chars()
            .zip((0..18).rev())
            .map(|(c, power)| value(c) * (2_u32.pow(power) % 11))
            .sum();
        assert_eq!(weighted % 11, 1, "a check digit is wrong");
        assert_eq!(id[6..14], person.dates.born.format("%Y%m%d").to_string());
        let odd = id.as_bytes()[16] % 2 == 1;
        assert!(person.gender.is_none_or(|gender| (gender == "M") == odd));
    }
}

#[test]
fn names_are_four_fifths_chinese_with_compound_and_dotted_ones_among_them() {
    let names: Vec<String> = people().into_iter().map(|person| person.name).collect();
    let chinese = names.iter().filter(|name| !name.is_ascii() && !name.contains(' ')).count();
    assert!((3_850..4_150).contains(&chinese), "{chinese}");
    let compound =
        |name: &&String| words::COMPOUND_SURNAMES.iter().any(|surname| name.starts_with(surname));
    assert!(names.iter().filter(compound).count() > 5);
    assert!(names.iter().any(|name| name.contains('·')));
}

#[test]
fn nobody_comes_to_the_bank_before_eighteen_or_after_the_history_began() {
    let plan = BankPlan::small();
    let bank = Bank::new(&plan);
    for customer in 0..5_000 {
        let dates = dates(&bank, customer);
        let adult = dates.born.checked_add_months(Months::new(ADULT_MONTHS)).unwrap();
        assert!(adult <= dates.opened);
        assert!(dates.opened < plan.first_day());
    }
}

#[test]
fn some_values_are_missing_and_most_are_not() {
    let people = people();
    let missing = |of: fn(&Person) -> bool| people.iter().filter(|person| of(person)).count();
    for count in [
        missing(|p| p.id_number.is_none()),
        missing(|p| p.mobile.is_none()),
        missing(|p| p.address.is_none()),
        missing(|p| p.gender.is_none()),
    ] {
        assert!((1..500).contains(&count), "{count}");
    }
}
