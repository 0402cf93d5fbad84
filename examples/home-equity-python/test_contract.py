"""python3 -m unittest test_contract: the parts that need the standard library alone."""

import contextlib
import gzip
import hashlib
import io
import math
import os
import tempfile
import unittest

from contract import Compared, ContractError, Target, compare, compare_classes, compare_errors, passes_gate, read_job, read_snapshot, read_target, refusal, split
from train import beats_champion

ENV = {
    "FAIRWAY_MODEL": "home-equity",
    "FAIRWAY_CHANGE": "c" * 20,
    "FAIRWAY_SNAPSHOT": "/snapshots/s.csv.gz",
    "FAIRWAY_SNAPSHOT_SHA256": "a" * 64,
    "FAIRWAY_CHAMPION_VERSION": "3",
    "FAIRWAY_GATE_MARGIN": "0.01",
    "FAIRWAY_SEED": "7",
}


class Contract(unittest.TestCase):
    def test_reads_the_environment(self):
        job = read_job(ENV)
        self.assertEqual((job.champion, job.margin, job.seed), ("3", 0.01, 7))

    def test_names_everything_that_is_missing(self):
        with self.assertRaisesRegex(ContractError, "FAIRWAY_CHANGE, FAIRWAY_SEED"):
            read_job({**ENV, "FAIRWAY_CHANGE": "", "FAIRWAY_SEED": ""})

    def test_refuses_other_bytes(self):
        data = b"id,time,BAD\na,2026-01-01T00:00:00.000Z,1\n"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "s.csv.gz")
            with gzip.open(path, "wb") as file:
                file.write(data)
            self.assertEqual(read_snapshot(path, hashlib.sha256(data).hexdigest())[0]["BAD"], "1")
            with self.assertRaisesRegex(ContractError, "not the approved"):
                read_snapshot(path, "0" * 64)

    def test_holds_out_new_rows_only_and_never_trains_on_them(self):
        rows = [{"id": str(n), "time": f"2026-{1 + n % 12:02d}-01T00:00:00.000Z"} for n in range(2400)]
        train, held_out = split(rows)
        self.assertFalse({row["id"] for row in train} & {row["id"] for row in held_out})
        self.assertTrue(all(row["time"] >= "2026-09" for row in held_out))
        self.assertGreater(len(held_out), 100)

    def test_auc_counts_ties_one_half(self):
        found = compare([0.1, 0.4, 0.35, 0.8], [0.5, 0.5, 0.5, 0.5], [0, 0, 1, 1])
        self.assertAlmostEqual(found.champion, 0.75)
        self.assertAlmostEqual(found.candidate, 0.5)
        self.assertIsNone(compare([0.1, 0.2], [0.1, 0.2], [1, 1]))
        self.assertIsNone(compare([0.1, 0.2], [0.1, 0.2], [0, 1]).error)

    def test_a_model_that_has_come_to_say_nan_is_compared_with_nothing(self):
        for champion, candidate in ([0.1, math.nan], [0.1, 0.2]), ([0.1, 0.2], [math.nan, math.nan]):
            self.assertIsNone(compare(champion, candidate, [0, 1]))

    def test_the_difference_knows_that_both_met_the_same_rows(self):
        # Worked by hand: the gaps of the placements have variances 7/108 and 16/108, three rows each.
        labels = [1, 1, 1, 0, 0, 0]
        found = compare([0.9, 0.7, 0.4, 0.6, 0.3, 0.2], [0.8, 0.5, 0.5, 0.5, 0.6, 0.1], labels)
        self.assertAlmostEqual(found.difference, -2 / 9)
        self.assertAlmostEqual(found.error, 23**0.5 / 18)

    def test_numbers_are_compared_by_how_far_off_they_are(self):
        # Absolute errors 2, 4, 6 against 1, 1, 4: gaps 1, 3, 2, which are 1/4, 3/4, 1/2 of the champion's mean of 4.
        found = compare_errors([12, 16, 36], [11, 21, 26], [10, 20, 30])
        self.assertAlmostEqual(found.champion, 4)
        self.assertAlmostEqual(found.candidate, 2)
        self.assertAlmostEqual(found.difference, 0.5)
        self.assertAlmostEqual(found.error, (0.0625 / 3) ** 0.5)
        self.assertTrue(passes_gate(found, 0.02, 1.96))
        worse = compare_errors([11, 21, 26], [12, 16, 36], [10, 20, 30])
        self.assertAlmostEqual(worse.difference, -1)
        self.assertFalse(passes_gate(worse, 0.0))

    def test_numbers_that_tell_nothing_are_no_pass(self):
        self.assertIsNone(compare_errors([], [], []))
        self.assertIsNone(compare_errors([1, 2], [1, 2], [1, 2]))
        self.assertIsNone(compare_errors([1], [2], [3]).error)

    def test_classes_are_compared_by_how_often_they_are_right(self):
        # Right: 1 1 0 0 against 1 1 1 0. Gaps 0 0 1 0: mean 1/4, variance 1/4.
        found = compare_classes([0, 1, 0, 0], [0, 1, 2, 0], [0, 1, 2, 2])
        self.assertEqual(found, Compared(0.5, 0.75, 0.25, 0.25))
        self.assertFalse(passes_gate(found, 0.1, 1.96))
        self.assertIsNone(compare_classes([], [], []))
        self.assertIsNone(compare_classes([0], [1], [1]).error)

    def test_a_target_knows_its_labels_and_says_what_is_none(self):
        self.assertEqual(read_target({}), Target("event", "BAD", "P_BAD1"))
        classes = read_target({"TARGET_KIND": "class", "TARGET_CLASSES": "oak, fir", "TARGET_COLUMN": "tree"})
        self.assertEqual(classes.label({"tree": " fir "}), 1)
        for target, text, words in (
            (classes, "ash", "TARGET_CLASSES are oak, fir"),
            (Target("event", "tree", ""), "2", "0 or 1"),
            (Target("number", "tree", ""), "inf", "finite number"),
            (Target("number", "tree", ""), "", "finite number"),
        ):
            with self.assertRaisesRegex(ContractError, words):
                target.label({"tree": text})
        for env in {"TARGET_KIND": "price"}, {"TARGET_KIND": "class"}, {"TARGET_CLASSES": "a,b"}:
            with self.assertRaisesRegex(ContractError, "TARGET_"):
                read_target(env)

    def test_the_gate_compares_by_what_is_predicted(self):
        job = read_job({**ENV, "FAIRWAY_GATE_MARGIN": "0.02"})
        for kind, figure, champion, candidate, observed in (
            ("event", "auc", [0.2, 0.1, 0.3], [0.1, 0.2, 0.3], [0, 0, 1]),
            ("number", "mae", [11, 21, 26], [12, 16, 36], [10, 20, 30]),
            ("class", "accuracy", [0, 1, 1], [0, 1, 0], [0, 1, 1]),
        ):
            logged, printed = {}, io.StringIO()
            with contextlib.redirect_stdout(printed):
                self.assertFalse(beats_champion(job, Target(kind, "y", "p"), champion, candidate, observed, logged.update))
            self.assertIn(f"candidate_{figure}", logged)
            self.assertRegex(printed.getvalue(), f"^{figure} .* the champion stays")
            self.assertNotRegex(printed.getvalue(), r"(better|worse) by -")
        logged = {}
        self.assertTrue(beats_champion(job, Target("number", "y", "p"), [12, 16, 36], [11, 21, 26], [10, 20, 30], logged.update))
        self.assertEqual((logged["candidate_mae"], logged["champion_mae"], logged["mae_difference"]), (2, 4, 0.5))

    def test_a_refusal_says_worse_of_what_is_worse(self):
        job = read_job({**ENV, "FAIRWAY_GATE_MARGIN": "0.02", "FAIRWAY_GATE_Z": "1.96"})
        for found, kind, words in (
            (Compared(0.8, 0.79, -0.01, 0.005), "event", "^auc 0.7900 is worse by 0.0100 than 0.8000 of version 3 .standard error 0.0050.;"),
            (Compared(4, 3.96, 0.01, None), "number", "^mae 3.9600 is better by 0.0100 of it than 4.0000 of version 3; asked for was a difference of at least 0.02, 1.96"),
            (Compared(0.5, 0.5, 0, None), "class", "^accuracy 0.5000 is no better than 0.5000 of version 3;"),
        ):
            self.assertRegex(refusal(found, Target(kind, "y", "p"), job), words)

    def test_gate(self):
        self.assertTrue(passes_gate(Compared(0.75, 0.8, 0.05, None), 0.05))
        self.assertFalse(passes_gate(Compared(0.75, 0.79, 0.04, 0.01), 0.05))
        self.assertFalse(passes_gate(None, 0.0))
        self.assertTrue(passes_gate(Compared(0.75, 0.8, 0.05, 0.02), 0.01, 1.96))
        self.assertFalse(passes_gate(Compared(0.75, 0.8, 0.05, 0.03), 0.01, 1.96))
        self.assertFalse(passes_gate(Compared(0.75, 0.8, 0.05, None), 0.01, 1.96))

    def test_reads_the_evidence_asked_for(self):
        self.assertIsNone(read_job(ENV).z)
        self.assertEqual(read_job({**ENV, "FAIRWAY_GATE_Z": "1.96"}).z, 1.96)


if __name__ == "__main__":
    unittest.main()
