"""A checker that lets a bad report pass is worse than none: `python3 -m unittest` in this folder."""

import json
import pathlib
import unittest

from run import SPLIT, numbers, parts
from verdict import judge, merge, table

EXPECTED = {
    "sections": {"1": 2, "7": 2, "10": 1},
    "exceptions": {
        "7.2": {"behavior": "INFORMATIONAL", "behaviorClose": "INFORMATIONAL", "why": "no verdict"},
    },
}


def result(behavior="OK", close="OK"):
    return {"behavior": behavior, "behaviorClose": close}


def report(**changes):
    """A report as it should be, but for `changes` (7_2 stands for 7.2; None takes the case out)."""
    cases = {case: result() for case in ["1.1", "1.2", "7.1", "10.1"]}
    cases["7.2"] = result("INFORMATIONAL", "INFORMATIONAL")
    for case, change in changes.items():
        cases[case.strip("c").replace("_", ".")] = change
    return {case: value for case, value in cases.items() if value}


class Judge(unittest.TestCase):
    def worse(self, results, sections=None):
        return judge(results, EXPECTED, sections)[0]

    def test_all_as_expected(self):
        self.assertEqual(judge(report(), EXPECTED), ([], []))

    def test_every_kind_of_worse_behavior(self):
        for behavior in ["NON-STRICT", "UNIMPLEMENTED", "FAILED", "INFORMATIONAL", "NEW WORD", None]:
            problems = self.worse(report(c1_2=result(behavior)))
            self.assertEqual(problems, [f"1.2: behavior is {behavior}, expected is OK"])

    def test_a_bad_close_behind_a_good_behavior(self):
        for close in ["UNCLEAN", "WRONG CODE", "FAILED BY CLIENT", "FAILED", None]:
            problems = self.worse(report(c7_1=result("OK", close)))
            self.assertEqual(problems, [f"7.1: behaviorClose is {close}, expected is OK"])

    def test_a_failure_where_no_verdict_is_expected(self):
        self.assertEqual(len(self.worse(report(c7_2=result("FAILED", "FAILED")))), 2)

    def test_a_run_that_stopped_in_the_middle(self):
        self.assertIn("section 1: 1 cases have a result, 2 are due", self.worse(report(c1_2=None)))
        self.assertIn("section 7: 1 cases have a result, 2 are due", self.worse(report(c7_2=None)))
        self.assertEqual(len(self.worse({})), 4, "three sections and a named case")

    def test_cases_that_nobody_counted(self):
        self.assertIn("section 1: 3 cases have a result, 2 are due", self.worse(report(c1_3=result())))
        self.assertIn("9.1: was not asked for", self.worse(report(c9_1=result())))

    def test_some_sections_only(self):
        only = {"1.1": result(), "1.2": result()}
        self.assertEqual(judge(only, EXPECTED, ["1"]), ([], []))
        self.assertIn("7.1: was not asked for", self.worse({**only, "7.1": result()}, ["1"]))
        self.assertIn("section 9: expected.json says nothing about it", self.worse(only, ["1", "9"]))

    def test_better_than_expected_is_told_and_is_no_failure(self):
        worse, better = judge(report(c7_2=result()), EXPECTED)
        self.assertEqual((worse, len(better)), ([], 2))

    def test_the_table_counts(self):
        lines = table(report(c1_2=result("OK", "UNCLEAN")))
        self.assertEqual(lines[0], "section  1: 1 OK, 1 OK / close UNCLEAN")
        self.assertEqual(lines[2], "section 10: 1 OK")


class Merge(unittest.TestCase):
    def test_every_case_of_every_part_and_where_it_is_explained(self):
        parts = {"12.1": {"12.1.1": {**result(), "reportfile": "a.json"}}, "1": {"1.1": result()}}
        results, doubled = merge(parts)
        self.assertEqual((list(results), doubled), (["12.1.1", "1.1"], []))
        self.assertEqual(results["12.1.1"], {**result(), "reportfile": "12.1/a.json"})

    def test_a_case_that_two_parts_have_run(self):
        results, doubled = merge({"1": {"1.1": result()}, "10": {"1.1": result("FAILED")}})
        self.assertEqual(doubled, ["1.1: was run in 10, too"])
        self.assertEqual(results["1.1"]["behavior"], "FAILED")


class Split(unittest.TestCase):
    def test_the_longest_first_and_nothing_twice(self):
        self.assertEqual(parts(["9", "12", "1"]), ["12.1", "12.2", "12.3", "12.4", "12.5", "9", "1"])
        everything = parts(numbers("1-7,9,10,12,13"))
        self.assertEqual((everything[4:6], len(everything)), (["12.5", "13.1"], 21))
        self.assertEqual(numbers("1-3,12"), ["1", "2", "3", "12"])

    def test_every_section_that_is_split_is_divided_evenly(self):
        self.assertEqual({name: 18 * count for name, count in SPLIT.items()}, {"12": 90, "13": 126})


class Expected(unittest.TestCase):
    """What is expected of us: strict, but for the three cases in which the suite has no opinion."""

    def test_the_committed_file(self):
        path = pathlib.Path(__file__).with_name("expected.json")
        expected = json.loads(path.read_text())
        self.assertEqual(set(expected), {"server", "client"})
        for role in expected.values():
            self.assertEqual(sum(role["sections"].values()), 517)
            self.assertEqual(set(role["exceptions"]), {"7.1.6", "7.13.1", "7.13.2"})
            for exception in role["exceptions"].values():
                self.assertEqual(exception["behavior"], "INFORMATIONAL")
                self.assertGreater(len(exception["why"]), 10)


if __name__ == "__main__":
    unittest.main()
