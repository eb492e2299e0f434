"""What the figures rest on: the comparison of answers, the reading of questions, the sums.

Run: PYTHONPATH=benchmarks python -m unittest compare.test_compare
"""

import unittest

from compare import answers, summary, targets, workload


def answer(types, rows):
    return answers.canonical({"types": types, "rows": rows})


class Answers(unittest.TestCase):
    def test_order_and_spelling_do_not_matter(self):
        one = answer(["Utf8", "Timestamp(µs)", "Boolean"], [["b", "2026-01-01T00:00:00", "true"], ["a", None, None]])
        two = answer(["string", "date32[day]", "bool"], [["a", None, None], ["b", "2026-01-01", "True"]])
        self.assertEqual(answers.difference(one, two, 0), "")

    def test_money_is_exact(self):
        one, two = answer(["Decimal128(38, 2)"], [["100000000000.01"]]), answer(["double"], [["100000000000.02"]])
        self.assertIn("against", answers.difference(one, two, 0))

    def test_averages_may_end_differently(self):
        one, two = answer(["Decimal128(22, 6)"], [["33.333333"]]), answer(["double"], [["33.333333333333336"]])
        self.assertEqual(answers.difference(one, two, 0), "")
        three = answer(["double"], [["33.3334"]])
        self.assertNotEqual(answers.difference(one, three, 0), "")

    def test_missing_rows_columns_and_nulls_are_told(self):
        one = answer(["Int64"], [["1"], ["2"]])
        self.assertEqual(answers.difference(one, answer(["int64"], [["1"]]), 0), "2 rows against 1")
        self.assertNotEqual(answers.difference(one, answer(["int64"], [["1"], [None]]), 0), "")
        self.assertNotEqual(answers.difference(one, answer(["int64", "int64"], [["1", "1"], ["2", "2"]]), 0), "")


class Questions(unittest.TestCase):
    def test_every_class_has_its_questions(self):
        for one in workload.classes():
            queries = workload.queries(one)
            self.assertGreaterEqual(len(queries), 22 if one.name == "tpch" else 8, one.name)
            for group in one.targets:
                self.assertGreaterEqual(sum(query.group == group for query in queries), 8, f"{one.name} {group}")
            for query in queries:
                self.assertIn(query.group, one.targets, query.name)
                self.assertTrue(query.question and query.texts[""], query.name)
                self.assertNotIn(";", query.texts[""], query.name)

    def test_a_dialect_takes_its_own_text(self):
        top = next(one for one in workload.classes() if one.name == "top_n")
        query = next(query for query in workload.queries(top) if query.name.startswith("04"))
        self.assertIn("quantileExact", query.sql("clickhouse", {}))
        self.assertIn("percentile_cont", query.sql("duckdb", {}))
        self.assertEqual(query.tolerance, 0.01)


class Sums(unittest.TestCase):
    def entries(self, martlet, duckdb, clickhouse):
        common = {"class": "segment_counts", "query": "q", "group": "", "principal": "researcher"}
        times = {"martlet": martlet, "duckdb": duckdb, "clickhouse": clickhouse}
        return [{**common, "engine": name, "median_ms": ms, "agrees": True} for name, ms in times.items()]

    def test_the_fastest_peer_counts(self):
        (row,) = summary.classes(self.entries(1.0, 30.0, 25.0))
        self.assertAlmostEqual(row["times_faster"], 25.0)
        self.assertEqual(row["verdict"], "reached")

    def test_one_slower_question_is_a_miss_where_none_may_be(self):
        slower = [{**entry, "query": "r"} for entry in self.entries(2.0, 1.0, 9.0)]
        faster = self.entries(0.001, 30.0, 25.0)
        (row,) = summary.classes(faster + slower)
        self.assertEqual(row["verdict"], "missed: 1 slower")
        self.assertEqual(row["least_query"], "r")

    def test_a_wrong_answer_is_never_a_success(self):
        entries = self.entries(1.0, 30.0, 25.0)
        entries[0]["agrees"] = False
        self.assertEqual(summary.classes(entries)[0]["verdict"], "1 wrong")

    def test_sizes_are_held_against_their_limits(self):
        load = {"dataset": "bank", "bytes_on_disk": 50, "bytes_without_indexes": 20, "text_bytes": 100, "seconds": 9.0}
        peers = {"dataset": "bank", "bytes_on_disk": 25, "seconds": 5.0}
        result = {"loads": [{**load, "engine": "martlet"}, {**peers, "engine": "duckdb"}], "growth": []}
        reached = [row["reached"] for row in targets.rows(result)]
        self.assertEqual(reached, [False, True, True, False])


if __name__ == "__main__":
    unittest.main()
