"""The contract of Fairway's retrain Job (docs/retrain.md) with the standard library alone.

Nothing here knows of TensorFlow, MLflow or SAS: what a trainer must get right whatever it trains can be tested without them.
"""

import csv
import gzip
import hashlib
import io
from dataclasses import dataclass
from datetime import datetime, timedelta

REGISTERED, FAILED, GATE_REFUSED = 0, 1, 10


class ContractError(Exception):
    """What is wrong and how to mend it, in a sentence."""


@dataclass(frozen=True)
class Job:
    """What the Job was asked to do, from its environment."""

    model: str
    change: str
    snapshot: str
    sha256: str
    champion: str
    margin: float
    seed: int


def read_job(env):
    """Reads the environment; every problem in one sentence."""
    names = {
        "model": "FAIRWAY_MODEL",
        "change": "FAIRWAY_CHANGE",
        "snapshot": "FAIRWAY_SNAPSHOT",
        "sha256": "FAIRWAY_SNAPSHOT_SHA256",
        "champion": "FAIRWAY_CHAMPION_VERSION",
        "margin": "FAIRWAY_GATE_MARGIN",
        "seed": "FAIRWAY_SEED",
    }
    missing = [name for name in names.values() if not env.get(name)]
    if missing:
        raise ContractError(f"Set {', '.join(missing)}: the retrain Job that Fairway renders does.")
    values = {field: env[name] for field, name in names.items()}
    try:
        values.update(margin=float(values["margin"]), seed=int(values["seed"]))
    except ValueError as error:
        raise ContractError(f"FAIRWAY_GATE_MARGIN and FAIRWAY_SEED must be numbers: {error}.") from error
    return Job(**values)


def read_snapshot(path, sha256):
    """Rows of the snapshot as dicts of texts, oldest first.

    Refuses other bytes than those that the pull request was merged for. An empty cell is a missing value.
    """
    with gzip.open(path, "rb") as file:
        data = file.read()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ContractError(f"{path} has sha256 {found}, not the approved {sha256}; restore the snapshot.")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))


def split(rows, id_column="id"):
    """Training rows and held-out rows of the newest 92 days, by a hash of the id: the same rows always fall the same way."""
    times = [datetime.fromisoformat(row["time"].replace("Z", "+00:00")) for row in rows]
    newest = max(times) - timedelta(days=92)
    train, held_out = [], []
    for row, time in zip(rows, times):
        is_held_out = int(hashlib.sha256(row[id_column].encode()).hexdigest()[:8], 16) % 10 < 3
        if is_held_out and time > newest:
            held_out.append(row)
        elif not is_held_out:
            train.append(row)
    return train, held_out


def auc(scores, labels):
    """Area under the ROC curve by mid-ranks: equal scores count one half. None with one class only."""
    order = sorted(range(len(scores)), key=lambda index: scores[index])
    ranks = 0.0
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and scores[order[end + 1]] == scores[order[start]]:
            end += 1
        middle = (start + end) / 2 + 1
        ranks += middle * sum(labels[index] for index in order[start : end + 1])
        start = end + 1
    events = sum(labels)
    others = len(labels) - events
    if events == 0 or others == 0:
        return None
    return (ranks - events * (events + 1) / 2) / (events * others)


def passes_gate(candidate, champion, margin):
    """Whether the candidate beats the champion on the on-field data by the margin; not knowing is no pass."""
    return candidate is not None and champion is not None and candidate >= champion + margin
