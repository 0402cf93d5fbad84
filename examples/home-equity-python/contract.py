"""The contract of Fairway's retrain Job (docs/retrain.md) with the standard library alone.

Nothing here knows of TensorFlow, MLflow or SAS: what a trainer must get right whatever it trains can be tested without them.
"""

import csv
import gzip
import hashlib
import io
import math
import statistics
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
    z: float | None = None


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
        values.update(z=float(env["FAIRWAY_GATE_Z"]) if env.get("FAIRWAY_GATE_Z") else None)
    except ValueError as error:
        raise ContractError(f"FAIRWAY_GATE_MARGIN, FAIRWAY_GATE_Z and FAIRWAY_SEED must be numbers: {error}.") from error
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


def placements(scores, labels):
    """Of each event the share of non-events below it, of each non-event the share of events above it; ties count one half."""
    order = sorted(range(len(scores)), key=lambda index: scores[index])
    events = sum(labels)
    others = len(labels) - events
    found = [0.0] * len(order)
    events_below = others_below = start = 0
    while start < len(order):
        end = start
        while end < len(order) and scores[order[end]] == scores[order[start]]:
            end += 1
        tied = sum(labels[index] for index in order[start:end])
        for index in order[start:end]:
            if labels[index]:
                found[index] = (others_below + (end - start - tied) / 2) / others
            else:
                found[index] = (events - events_below - tied / 2) / events
        events_below += tied
        others_below += end - start - tied
        start = end
    return found


@dataclass(frozen=True)
class Compared:
    """Two models on the same rows: their AUC, mean absolute error or accuracy. `difference` is above 0 where the candidate is better;
    `error` is its standard error (paired), None where it is not known."""

    champion: float
    candidate: float
    difference: float
    error: float | None


def compare(champion, candidate, labels):
    """AUCs by mid-ranks of both models' scores of the same rows. None with one class only, and where a score is NaN: it has no rank."""
    events = sum(labels)
    if events == 0 or events == len(labels) or any(map(math.isnan, [*champion, *candidate])):
        return None
    a, b = placements(champion, labels), placements(candidate, labels)
    gaps = [[y - x for x, y, label in zip(a, b, labels) if bool(label) is side] for side in (True, False)]
    areas = [statistics.fmean(x for x, label in zip(of, labels) if label) for of in (a, b)]
    known = min(map(len, gaps)) > 1
    error = math.sqrt(sum(statistics.variance(side) / len(side) for side in gaps)) if known else None
    return Compared(*areas, statistics.fmean(gaps[0]), error)


def compare_errors(champion, candidate, observed):
    """The same for models that predict a number: mean absolute errors on the same rows, and the share by which the candidate's is
    lower. Its standard error is that of the mean of the rows' own differences. None without rows, or where the champion is
    never wrong."""
    errors = [(abs(a - y), abs(b - y)) for a, b, y in zip(champion, candidate, observed)]
    if not any(a for a, _ in errors):
        return None
    of_champion, of_candidate = (statistics.fmean(side) for side in zip(*errors))
    gaps = [(a - b) / of_champion for a, b in errors]
    error = math.sqrt(statistics.variance(gaps) / len(gaps)) if len(gaps) > 1 else None
    return Compared(of_champion, of_candidate, statistics.fmean(gaps), error)


def compare_classes(champion, candidate, observed):
    """The same for models that predict one of several classes: accuracies on the same rows. Only rows where one model is right and
    the other wrong say how sure the difference is. None without rows; a prediction that is no class is never right."""
    right = [(a == y, b == y) for a, b, y in zip(champion, candidate, observed)]
    if not right:
        return None
    gaps = [int(b) - int(a) for a, b in right]
    error = math.sqrt(statistics.variance(gaps) / len(gaps)) if len(gaps) > 1 else None
    return Compared(*(statistics.fmean(side) for side in zip(*right)), statistics.fmean(gaps), error)


@dataclass(frozen=True)
class Target:
    """What a model predicts: an event (its probability), a number, or one of several classes."""

    kind: str
    column: str
    output: str
    classes: tuple = ()

    def label(self, row):
        """True outcome of a row, as the model learns it: 0 or 1, a number, the index of a class."""
        text = row[self.column].strip()
        try:
            if self.kind == "class":
                return self.classes.index(text)
            value = float(text)
        except ValueError:
            raise ContractError(f"{self.column} has the label {text!r}; {self._expected()}.") from None
        if self.kind == "event" and value not in (0, 1) or not math.isfinite(value):
            raise ContractError(f"{self.column} has the label {text!r}; {self._expected()}.")
        return int(value) if self.kind == "event" else value

    def _expected(self):
        return {"event": "it must be 0 or 1", "number": "it must be a finite number", "class": f"TARGET_CLASSES are {', '.join(self.classes)}"}[self.kind]

    def can_learn(self, labels):
        """Nothing is learned, and nothing compared, from outcomes that are all the same."""
        return len(set(labels)) > 1

    def compare(self, champion, candidate, labels):
        """Both models on the same rows, by the figure of this kind."""
        by_kind = {"event": compare, "number": compare_errors, "class": compare_classes}
        return by_kind[self.kind](champion, candidate, labels)

    @property
    def figure(self):
        return {"event": "auc", "number": "mae", "class": "accuracy"}[self.kind]


def read_target(env):
    """TARGET_KIND, TARGET_COLUMN, TARGET_OUTPUT and TARGET_CLASSES (by commas, in the order of the model's own indices)."""
    classes = tuple(name.strip() for name in env.get("TARGET_CLASSES", "").split(",") if name.strip())
    target = Target(env.get("TARGET_KIND", "event"), env.get("TARGET_COLUMN", "BAD"), env.get("TARGET_OUTPUT", "P_BAD1"), classes)
    if target.kind not in ("event", "number", "class"):
        raise ContractError(f"TARGET_KIND is {target.kind!r}; use event, number or class.")
    if (target.kind == "class") != (len(set(classes)) > 1):
        raise ContractError("TARGET_CLASSES names two classes or more where TARGET_KIND is class, and nothing elsewhere.")
    return target


def passes_gate(found, margin, z=None):
    """Whether the candidate beats the champion on the on-field data by the margin and, where `z` is given, by so many standard
    errors beyond chance; not knowing is no pass."""
    if found is None or not found.difference >= margin:
        return False
    return z is None or (found.error is not None and found.difference - z * found.error > min(0, margin))


def refusal(found, target, job):
    """Why the gate refused, as a sentence."""
    by = f"{abs(found.difference):.4f}" + (" of it" if target.kind == "number" else "")
    how = "no better than" if found.difference == 0 else f"{'better' if found.difference > 0 else 'worse'} by {by} than"
    known = "" if found.error is None else f" (standard error {found.error:.4f})"
    beyond = "" if job.z is None else f", {job.z} standard errors beyond chance"
    return (
        f"{target.figure} {found.candidate:.4f} is {how} {found.champion:.4f} of version {job.champion}{known};"
        f" asked for was a difference of at least {job.margin}{beyond}; the champion stays."
    )
