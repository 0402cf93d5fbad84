"""Retrains the home-equity model on an on-field snapshot with TensorFlow. Exit 0 registered, 10 refused by the gate, 1 failed.

MLFLOW_TRACKING_URI names where the run is logged; REGISTER is `mlflow` (default) or `sas`, and `sas` needs SAS_URL, SAS_TOKEN
and SAS_PROJECT. CHAMPION_URI overrides where the champion's SavedModel is (`models:/<model>/<champion version>`).
TARGET_KIND, TARGET_COLUMN, TARGET_OUTPUT and TARGET_CLASSES say what is predicted (contract.read_target): the default event BAD.
"""

import os
import statistics
import sys
import tempfile
import zipfile

from contract import FAILED, GATE_REFUSED, REGISTERED, ContractError, passes_gate, read_job, read_snapshot, read_target, refusal, split

NUMERIC = ["LOAN", "MORTDUE", "VALUE", "YOJ", "DEROG", "DELINQ", "CLAGE", "NINQ", "CLNO", "DEBTINC"]
CATEGORICAL = {"REASON": ["DebtCon", "HomeImp"], "JOB": ["Mgr", "Office", "Other", "ProfExe", "Sales", "Self"]}


def tensors(rows):
    """One column tensor of shape (rows, 1) for each input; a missing number is NaN, a missing text is empty."""
    import tensorflow as tf

    number = lambda text: float(text) if text else float("nan")
    found = {name: tf.constant([[number(row[name])] for row in rows], tf.float32) for name in NUMERIC}
    found.update({name: tf.constant([[row[name].strip()] for row in rows], tf.string) for name in CATEGORICAL})
    return found


def build(train, target):
    """A network over standardised numbers, an is-missing flag for each, and one-hot texts."""
    import tensorflow as tf

    given = tensors(train)
    inputs = {name: tf.keras.Input((1,), name=name, dtype=tf.float32) for name in NUMERIC}
    inputs.update({name: tf.keras.Input((1,), name=name, dtype=tf.string) for name in CATEGORICAL})
    parts = []
    for name in NUMERIC:
        known = tf.boolean_mask(given[name], ~tf.math.is_nan(given[name]))
        mean, deviation = float(tf.reduce_mean(known)), max(float(tf.math.reduce_std(known)), 1e-6)
        parts.append(tf.keras.layers.Lambda(standardise, arguments={"mean": mean, "deviation": deviation})(inputs[name]))
    for name, categories in CATEGORICAL.items():
        lookup = tf.keras.layers.StringLookup(vocabulary=categories, output_mode="one_hot")
        parts.append(lookup(inputs[name]))
    hidden = tf.keras.layers.Dense(32, activation="relu")(tf.keras.layers.Concatenate()(parts))
    hidden = tf.keras.layers.Dense(16, activation="relu")(hidden)
    model = tf.keras.Model(inputs, head(hidden, target, [target.label(row) for row in train]))
    losses = {"event": "binary_crossentropy", "number": "mean_absolute_error", "class": "sparse_categorical_crossentropy"}
    model.compile(optimizer=tf.keras.optimizers.Adam(1e-3), loss=losses[target.kind])
    return model


def head(hidden, target, labels):
    """The last layer: a probability, a number in the unit of the labels, or a probability for each class."""
    import tensorflow as tf

    if target.kind == "event":
        return tf.keras.layers.Dense(1, activation="sigmoid", name=target.output)(hidden)
    if target.kind == "class":
        return tf.keras.layers.Dense(len(target.classes), activation="softmax", name=target.output)(hidden)
    scale = max(statistics.pstdev(labels), 1e-6)
    return tf.keras.layers.Rescaling(scale, statistics.fmean(labels), name=target.output)(tf.keras.layers.Dense(1)(hidden))


def standardise(value, mean, deviation):
    import tensorflow as tf

    is_missing = tf.math.is_nan(value)
    number = tf.where(is_missing, tf.zeros_like(value), (value - mean) / deviation)
    return tf.concat([number, tf.cast(is_missing, tf.float32)], axis=1)


def export(model, folder, target):
    """A SavedModel whose serving_default takes the inputs by name and answers the output, as Fairway's manifests serve it."""
    import tensorflow as tf

    specs = {name: tf.TensorSpec((None, 1), tf.float32, name=name) for name in NUMERIC}
    specs.update({name: tf.TensorSpec((None, 1), tf.string, name=name) for name in CATEGORICAL})

    @tf.function(input_signature=[specs])
    def serve(inputs):
        return {target.output: model(inputs)}

    tf.saved_model.save(model, folder, signatures={"serving_default": serve})


def predictions(values, target):
    """One prediction a row: a probability, a number, or the index of the likeliest class."""
    return values.argmax(axis=1).tolist() if target.kind == "class" else values.ravel().tolist()


def champion_predictions(job, rows, target):
    """What the champion says of the same rows."""
    import mlflow
    import tensorflow as tf

    uri = os.environ.get("CHAMPION_URI", f"models:/{job.model}/{job.champion}")
    root = mlflow.artifacts.download_artifacts(artifact_uri=uri)
    folder = next((at for at, _, files in os.walk(root) if "saved_model.pb" in files), None)
    if folder is None:
        raise ContractError(f"{uri} holds no SavedModel; set CHAMPION_URI to where the champion is.")
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    return predictions(serve(**tensors(rows))[target.output].numpy(), target)


def already_registered(job):
    """The same change twice registers one version."""
    import mlflow

    filter_string = f"name = '{job.model}' and tags.fairwayChange = '{job.change}'"
    return len(mlflow.MlflowClient().search_model_versions(filter_string)) > 0


def register_in_mlflow(job, run_id):
    import mlflow

    client = mlflow.MlflowClient()
    try:
        client.create_registered_model(job.model)
    except mlflow.exceptions.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {"fairwayChange": job.change, "fairwaySnapshot": job.sha256}
    client.create_model_version(job.model, f"runs:/{run_id}/model", run_id, tags=tags)


def register_in_sas(job, folder, target):
    """A model of the project in SAS Model Manager, with the SavedModel as a zip; its name carries the change, once."""
    from sasctl import Session
    from sasctl.services import model_repository as repository

    name = f"{job.model}-{job.change}"
    with Session(os.environ["SAS_URL"], token=os.environ["SAS_TOKEN"]), tempfile.TemporaryDirectory() as scratch:
        if repository.get_model(name) is not None:
            return
        archive = os.path.join(scratch, "model.zip")
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for at, _, files in os.walk(folder):
                for file in files:
                    path = os.path.join(at, file)
                    packed.write(path, os.path.relpath(path, folder))
        properties = [{"name": "fairwayChange", "value": job.change}, {"name": "fairwaySnapshot", "value": job.sha256}]
        model = repository.create_model(
            {"name": name, "properties": properties}, os.environ["SAS_PROJECT"], function="prediction" if target.kind == "number" else "classification", tool="TensorFlow"
        )
        with open(archive, "rb") as file:
            repository.add_model_content(model, file, "model.zip")


def run(job, target):
    import mlflow
    import tensorflow as tf

    registry = os.environ.get("REGISTER", "mlflow")
    if registry not in ("mlflow", "sas"):
        raise ContractError(f"REGISTER is {registry!r}; use mlflow or sas.")
    if registry == "mlflow" and already_registered(job):
        return REGISTERED
    train, held_out = split(read_snapshot(job.snapshot, job.sha256))
    labels, observed = ([target.label(row) for row in rows] for rows in (train, held_out))
    if not (target.can_learn(labels) and target.can_learn(observed)):
        raise ContractError("All outcomes of the snapshot are the same; wait for more labels.")
    tf.keras.utils.set_random_seed(job.seed)
    with mlflow.start_run(run_name=f"retrain-{job.change}") as active, tempfile.TemporaryDirectory() as folder:
        mlflow.set_tags({"fairwayChange": job.change, "fairwaySnapshot": job.sha256})
        model = build(train, target)
        model.fit(tensors(train), tf.constant([[label] for label in labels], tf.float32), epochs=40, batch_size=128, verbose=0)
        candidate = predictions(model.predict(tensors(held_out), verbose=0), target)
        if not beats_champion(job, target, champion_predictions(job, held_out, target), candidate, observed, mlflow.log_metrics):
            return GATE_REFUSED
        export(model, folder, target)
        mlflow.log_artifacts(folder, "model")
        if registry == "sas":
            register_in_sas(job, folder, target)
        else:
            register_in_mlflow(job, active.info.run_id)
    return REGISTERED


def beats_champion(job, target, champion, candidate, observed, log_metrics):
    """The gate; logs what it compares, and prints why the champion stays."""
    found = target.compare(champion, candidate, observed)
    if found is None:
        print(f"Version {job.champion} and the candidate cannot be compared on {len(observed)} rows; the champion stays.")
        return False
    name = target.figure
    log_metrics({f"candidate_{name}": found.candidate, f"champion_{name}": found.champion, "gate_margin": job.margin})
    if found.error is not None:
        log_metrics({f"{name}_difference": found.difference, f"{name}_difference_error": found.error})
    if passes_gate(found, job.margin, job.z):
        return True
    print(refusal(found, target, job))
    return False


if __name__ == "__main__":
    try:
        sys.exit(run(read_job(os.environ), read_target(os.environ)))
    except (ContractError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(FAILED)
