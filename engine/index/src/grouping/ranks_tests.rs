//! Keys at ranks against sorting, through every way of counting and keeping; buckets against
//! their definition.

use proptest::prelude::*;

use super::*;

const POINTS: [Point; 7] = [
    Point::Fraction(0.0),
    Point::Fraction(0.25),
    Point::Fraction(0.5),
    Point::Fraction(0.9),
    Point::Fraction(0.999),
    Point::Fraction(1.0),
    Point::Middle,
];

/// Small and large numbers of both signs, the ends, and many equal ones.
fn key() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => -40_i64..40,
        3 => -100_000_i64..1_000_000,
        2 => any::<i64>(),
        1 => (0_u32..63).prop_map(|bits| 1 << bits),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), Just(-1), Just(4_096)],
    ]
}

/// The keys of one partition, each with its group, and which group of all each group is.
#[derive(Debug, Clone)]
struct Partition {
    groups: Vec<u32>,
    keys: Vec<i64>,
    group_of: Vec<u32>,
}

const GROUPS: u32 = 6;

fn partition() -> impl Strategy<Value = Partition> {
    let keys = prop_oneof![
        2 => proptest::collection::vec((0..GROUPS - 1, key()), 0..400),
        1 => proptest::collection::vec((0..GROUPS - 1, Just(7_i64)), 0..400),
        1 => proptest::collection::vec((0_u32..1, -3_i64..3), 2_000..4_000),
    ];
    (keys, 0..GROUPS).prop_map(|(pairs, turn)| {
        let (groups, keys) = pairs.into_iter().unzip();
        Partition { groups, keys, group_of: (0..GROUPS).map(|at| (at + turn) % GROUPS).collect() }
    })
}

fn scale_of(keys: impl Iterator<Item = i64> + Clone, as_floats: bool) -> KeyScale {
    let (low, high) = (keys.clone().min().unwrap_or(0), keys.max().unwrap_or(0));
    if as_floats { KeyScale::of_floats(low, high) } else { KeyScale::of_numbers(low, high) }
}

/// The keys of each group of all partitions, in order.
fn sorted(partitions: &[Partition]) -> Vec<Vec<i64>> {
    let mut sorted = vec![Vec::new(); GROUPS as usize];
    for partition in partitions {
        for (group, key) in partition.groups.iter().zip(&partition.keys) {
            sorted[partition.group_of[*group as usize] as usize].push(*key);
        }
    }
    sorted.iter_mut().for_each(|keys| keys.sort_unstable());
    sorted
}

fn picked_of(wanted: &Wanted, share: Share<'_>, partition: &Partition) -> Option<Picked> {
    let rows = wanted.rows_of(share)?;
    let of_counted = partition.groups.iter().zip(&partition.keys);
    let (rows, keys): (Vec<u32>, Vec<i64>) = of_counted
        .map(|(group, key)| (rows[*group as usize], *key))
        .filter(|(row, _)| *row != NO_GROUP)
        .unzip();
    let mut picked = Picked::new(wanted);
    picked.add(wanted, &rows, &keys);
    Some(picked)
}

/// The first pass over the partitions, each within its limits: keys kept, groups counted.
fn counted(
    partitions: &[Partition],
    scale: KeyScale,
    limits: &[(usize, usize)],
) -> (Wanted, Vec<RankCounts>) {
    let counts: Vec<RankCounts> = partitions
        .iter()
        .zip(limits.iter().cycle())
        .map(|(partition, (kept, groups))| {
            let mut counts = RankCounts::limited(scale, *kept, groups * scale.buckets());
            let blocks = partition.groups.chunks(100).zip(partition.keys.chunks(100));
            blocks.for_each(|(groups, keys)| counts.add(groups, keys));
            counts
        })
        .collect();
    let shares: Vec<Share<'_>> = shares(&counts, partitions);
    (Wanted::new(&POINTS, scale, &shares, GROUPS as usize), counts)
}

fn shares<'a>(counts: &'a [RankCounts], partitions: &'a [Partition]) -> Vec<Share<'a>> {
    let share = |(counts, partition): (&'a RankCounts, &'a Partition)| Share {
        counts,
        group_of: &partition.group_of,
    };
    counts.iter().zip(partitions).map(share).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn keys_at_ranks_are_those_of_sorting(
        partitions in proptest::collection::vec(partition(), 1..4),
        limits in proptest::collection::vec(
            (prop_oneof![Just(1_usize), Just(150), Just(100_000)], 0_usize..7), 1..4),
        as_floats in any::<bool>(),
        narrow in any::<bool>(),
    ) {
        let mut keys: Vec<i64> =
            partitions.iter().flat_map(|partition| partition.keys.clone()).collect();
        if narrow {
            // Bounds that are not true cost time, never an answer.
            keys.truncate(2);
        }
        let scale = scale_of(keys.iter().copied(), as_floats);
        let (wanted, counts) = counted(&partitions, scale, &limits);
        let shares = shares(&counts, &partitions);
        let picked = shares.iter().zip(&partitions);
        let picked = picked.filter_map(|(share, partition)| picked_of(&wanted, *share, partition));
        let found = at_ranks(&wanted, &shares, picked.collect());
        let sorted = sorted(&partitions);
        if narrow && found.is_none() {
            // Keys beyond the bounds were counted by key: noticed, never answered.
            return Ok(());
        }
        let found = found.unwrap();
        for (group, keys) in sorted.iter().enumerate() {
            prop_assert_eq!(found.present[group], keys.len() as u64);
            for (point, answers) in POINTS.iter().zip(&found.keys) {
                let (lower, upper) = point.ranks(keys.len() as u64);
                if !keys.is_empty() {
                    let expected = (keys[lower as usize], keys[upper as usize]);
                    prop_assert_eq!(answers[group], expected, "{:?} of group {}", point, group);
                }
            }
        }
    }

    #[test]
    fn what_was_counted_and_not_picked_is_noticed(partition in partition()) {
        let scale = scale_of(partition.keys.iter().copied(), false);
        let partitions = [partition];
        let (wanted, counts) = counted(&partitions, scale, &[(1, GROUPS as usize)]);
        let shares = shares(&counts, &partitions);
        let needs_second_pass = wanted.rows_of(shares[0]).is_some();
        let found = at_ranks(&wanted, &shares, Vec::new());
        prop_assert_eq!(found.is_none(), needs_second_pass);
    }

    #[test]
    fn buckets_ascend_and_hold_their_keys(
        mut keys in proptest::collection::vec(key(), 1..60),
        as_floats in any::<bool>(),
    ) {
        let scale = scale_of(keys.iter().copied(), as_floats);
        prop_assert!(scale.buckets() <= 8_192);
        keys.sort_unstable();
        let mut many = vec![0; keys.len()];
        let buckets = scale.buckets_of(&keys, &mut many);
        prop_assert!(buckets.is_sorted());
        prop_assert_eq!(buckets[0], 0);
        prop_assert_eq!(buckets[keys.len() - 1] as usize, scale.buckets() - 1);
        for (key, bucket) in keys.iter().zip(buckets) {
            prop_assert_eq!(scale.bucket(*key), *bucket);
            let mut alone = [0];
            prop_assert_eq!(scale.buckets_of(&[*key], &mut alone)[0], *bucket);
            let (low, high) = scale.keys_of(*bucket);
            prop_assert!(low <= *key && *key <= high);
            prop_assert_eq!((scale.bucket(low), scale.bucket(high)), (*bucket, *bucket));
            if *bucket > 0 {
                prop_assert_eq!(scale.keys_of(bucket - 1).1, low - 1);
            }
        }
    }
}

#[test]
fn points_lie_between_the_ranks_that_sql_says() {
    assert_eq!(Point::Fraction(0.5).ranks(1), (0, 0));
    assert_eq!(Point::Fraction(0.5).ranks(4), (1, 2));
    assert_eq!(Point::Fraction(0.5).ranks(5), (2, 2));
    assert_eq!(Point::Fraction(0.9).ranks(11), (9, 9));
    assert_eq!(Point::Fraction(1.0).ranks(u64::from(u32::MAX)), (4_294_967_294, 4_294_967_294));
    assert_eq!(Point::Middle.ranks(1), (0, 0));
    assert_eq!(Point::Middle.ranks(2), (0, 1));
    assert_eq!(Point::Middle.ranks(7), (3, 3));
    assert_eq!(Point::Middle.ranks(0), (0, 0));
}

#[test]
fn amounts_have_narrow_buckets_far_from_zero() {
    let scale = KeyScale::of_numbers(-500, 1_000_000_000_000);
    let (low, high) = scale.keys_of(scale.bucket(123_456_789));
    assert!((high - low) * 32 <= low, "{low} to {high}");
    let scale = KeyScale::of_numbers(7_000_000_000, 7_000_100_000);
    let (low, high) = scale.keys_of(scale.bucket(7_000_050_000));
    assert!(high - low < 2_000, "{low} to {high}");
}
