"""What the figures rest on: the comparison of answers, the reading of questions, the sums.

Run: PYTHONPATH=benchmarks python -m unittest compare.test_compare
"""

import contextlib
import io
import json
import pathlib
import types
import unittest

from compare import answers, guard, paths, report, runner, summary, targets, workload

RESULTS = pathlib.Path(__file__).resolve().parents[1] / "results"


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


class Child:
    def note_memory(self):
        pass


class Scripted:
    """An engine that answers with these times, and writes down when it was asked; None is an error."""

    dialect, can, child = "", frozenset(), Child()

    def __init__(self, name, times, log):
        self.name, self.times, self.log = name, list(times), log

    def ask(self, question, _timeout):
        self.log.append(self.name)
        time = self.times.pop(0)
        if time is None:
            return {"ok": False, "error": "broken"}
        return {"ok": True, "first_ms": time, "times_ms": [time] * question["runs"], "rows_out": 1, "types": ["Int64"],
                "rows": [["1"]]}


class Turns(unittest.TestCase):
    def asked(self, turns, one, two):
        of = next(of for of in workload.classes() if of.name == "grouped")
        query = workload.Query(of, "q", "How many?", "", ["researcher"], 0.0, {"": "SELECT 1"})
        options = types.SimpleNamespace(runs=3, timeout=1.0, cold=False)
        log = []
        engines = [Scripted("a", one, log), Scripted("b", two, log)]
        with contextlib.redirect_stderr(io.StringIO()):
            return runner.measure(engines, [query], {}, options, turns), "".join(log)

    def test_engines_take_turns_by_questions_or_by_runs(self):
        times = ([9.0, 1.0, 3.0, 2.0], [9.0, 5.0, 4.0, 6.0])
        for turns, order in (("questions", "aaaabbbb"), ("runs", "ababbaab")):
            entries, log = self.asked(turns, *times)
            self.assertEqual(log, order)
            self.assertEqual([(entry["median_ms"], entry["first_ms"]) for entry in entries], [(2.0, 9.0), (5.0, 9.0)])
            self.assertTrue(all(entry["agrees"] and entry["runs"] == 3 for entry in entries))

    def test_one_that_fails_is_not_asked_again_and_the_other_is(self):
        for turns in ("questions", "runs"):
            (failed, other), log = self.asked(turns, [9.0, 1.0, None], [9.0, 5.0, 4.0, 6.0])
            self.assertEqual((failed["error"], log.count("a"), log.count("b")), ("broken", 3, 4))
            self.assertNotIn("median_ms", failed)
            self.assertEqual(other["median_ms"], 5.0)

    def test_slow_questions_are_timed_less_often(self):
        (slow, quick), log = self.asked("runs", [20_000.0, 20_000.0], [9.0, 5.0, 4.0, 6.0])
        self.assertEqual((slow["runs"], quick["runs"], log), (1, 3, "ababbb"))


class Paths(unittest.TestCase):
    def summarized(self, *questions):
        """Of questions by their medians, in the order of the paths; none where a path did not answer."""
        entries = []
        for number, times in enumerate(questions):
            of = {"class": "grouped", "query": f"q{number}", "group": "", "principal": "researcher"}
            for path, ms in zip((paths.RULE, *paths.FORCED), times):
                said = {"error": "no answer"} if ms is None else {"median_ms": ms, "agrees": True}
                entries.append({**of, "engine": "martlet", "path": path, **said})
        return paths.summarize({"at_most": 1.2, "noise": paths.NOISE, "entries": entries})

    def verdicts(self, *questions):
        return [row["verdict"] for row in self.summarized(*questions)["questions"]]

    def test_the_rule_is_held_against_the_best_forced_path(self):
        found = self.summarized((12.0, 10.0, 50.0, 90.0), (30.0, 31.0, 20.0, 90.0), (5.0, 10.0, 50.0, 90.0))
        self.assertEqual([row["verdict"] for row in found["questions"]], ["reached", "missed", "reached"])
        self.assertEqual([row["best"] for row in found["questions"]], ["totals", "gather", "totals"])
        (row,) = found["classes"]
        self.assertEqual((row["verdict"], row["missed"]), ("missed: 1", ["q1"]))
        self.assertEqual(row["worst"], {"query": "q1", "times": 1.5, "best": "gather"})

    def test_what_the_clock_cannot_tell_apart_is_no_miss(self):
        self.assertEqual(self.verdicts((1.9, 1.0, 5.0, 9.0), (2.4, 1.95, 5.0, 9.0)), ["within noise"] * 2)
        self.assertEqual(self.verdicts((2.1, 1.5, 5.0, 9.0), (200.0, 160.0, 500.0, 900.0)), ["missed"] * 2)
        (row,) = self.summarized((1.9, 1.0, 5.0, 9.0), (30.0, 40.0, 50.0, 60.0))["classes"]
        self.assertEqual((row["verdict"], row["within_noise"]), ("reached", ["q0"]))
        self.assertEqual((row["worst"]["query"], row["worst_within_noise"]["times"]), ("q1", 1.9))

    def test_a_path_that_gives_up_is_no_choice_but_the_rule_must_answer(self):
        self.assertEqual(self.verdicts((10.0, 9.0, None, None), (None, 9.0, None, None)), ["reached", "unanswered"])
        (row,) = self.summarized((10.0, 9.0, 9.0, 9.0), (None, 9.0, None, None))["classes"]
        self.assertEqual(row["verdict"], "1 unanswered")
        self.assertEqual(self.verdicts((10.0, None, None, None)), ["unanswered"])

    def test_a_path_with_another_answer_is_never_a_success(self):
        found = self.summarized((1.0, 9.0, 9.0, 9.0))
        found["entries"][2]["agrees"] = False
        (row,) = paths.summarize(found)["classes"]
        self.assertEqual(row["verdict"], "1 wrong")

    def test_the_report_tells_the_worst_question_and_the_target(self):
        result = json.loads((RESULTS / "latest.json").read_text(encoding="utf-8"))
        result["paths"] = self.summarized((12.0, 10.0, 50.0, 90.0), (30.0, 31.0, 20.0, None))
        told = report.markdown(result)
        self.assertIn("| 2 | 1.50 q1 (gather) | q1 |  | 1.2 | missed: 1 |", told)
        self.assertIn("| grouped/q1 | researcher | 30.0 | 31.0 | **20.0** | failed | 1.50 | missed |", told)
        line = targets.rows(result)[-1]
        self.assertEqual((line["measured"], line["at_most"], line["reached"]), (1.5, 1.2, False))


class Guard(unittest.TestCase):
    def found(self, *questions, agrees=True):
        """Of questions by the guarded and the copy's medians; none where the guarded one was refused."""
        entries = []
        for number, (guarded, copy) in enumerate(questions):
            for engine, ms in ((guard.GUARDED, guarded), (guard.COPY, copy)):
                said = {"error": "refused"} if ms is None else {"median_ms": ms, "agrees": agrees}
                entries.append({"class": "grouped", "query": f"q{number}", "principal": "manager", "engine": engine, **said})
        slices = [{"query": "q0", "principal": who, "median_ms": ms} for who, ms in ((guard.HEAD, 60.0), (guard.BRANCH, 2.0))]
        return guard.summarize({"at_most": 1.05, "faster_at_least": 20.0, "entries": entries, "slices": slices})

    def test_the_mean_is_of_what_both_answered(self):
        row = self.found((4.0, 2.0), (1.0, 2.0), (None, None))["principals"][0]
        self.assertEqual((row["questions"], row["mean"], row["verdict"]), (2, 1.0, "reached"))
        self.assertEqual((row["worst"], row["worst_times"], row["not_granted"]), ("grouped/q0", 2.0, ["grouped/q2"]))

    def test_a_slower_mean_misses_and_another_answer_is_wrong(self):
        self.assertEqual(self.found((4.0, 2.0))["principals"][0]["verdict"], "missed")
        self.assertEqual(self.found((1.0, 2.0), agrees=False)["principals"][0]["verdict"], "wrong")
        self.assertEqual(self.found((1.0, 2.0))["principals"][1]["verdict"], "unanswered")

    def test_a_branch_is_held_against_head_office(self):
        found = self.found((4.0, 4.0))
        self.assertAlmostEqual(found["slice"]["mean"], 30.0)
        self.assertEqual(found["slice"]["verdict"], "reached")
        self.assertIn("**30.00** times faster", guard.markdown(found))


class Reports(unittest.TestCase):
    def test_the_kept_reports_are_what_their_figures_say(self):
        for figures in RESULTS.rglob("latest.json"):
            told = report.markdown(json.loads(figures.read_text(encoding="utf-8")))
            self.assertEqual(told, figures.with_suffix(".md").read_text(encoding="utf-8"), figures)


if __name__ == "__main__":
    unittest.main()
