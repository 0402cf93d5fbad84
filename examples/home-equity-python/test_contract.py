"""python3 -m unittest test_contract: the parts that need the standard library alone."""

import gzip
import hashlib
import os
import tempfile
import unittest

from contract import ContractError, auc, passes_gate, read_job, read_snapshot, split

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
        self.assertAlmostEqual(auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 0.75)
        self.assertAlmostEqual(auc([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1]), 0.5)
        self.assertIsNone(auc([0.1, 0.2], [1, 1]))

    def test_gate(self):
        self.assertTrue(passes_gate(0.8, 0.75, 0.05))
        self.assertFalse(passes_gate(0.79, 0.75, 0.05))
        self.assertFalse(passes_gate(None, 0.75, 0.0))


if __name__ == "__main__":
    unittest.main()
