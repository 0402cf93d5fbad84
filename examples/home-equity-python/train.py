"""Retrains the home-equity model on an on-field snapshot with TensorFlow. Exit 0 registered, 10 refused by the gate, 1 failed.

MLFLOW_TRACKING_URI names where the run is logged; REGISTER is `mlflow` (default) or `sas`, and `sas` needs SAS_URL, SAS_TOKEN
and SAS_PROJECT. CHAMPION_URI overrides where the champion's SavedModel is (`models:/<model>/<champion version>`).
"""

import os
import sys
import tempfile
import zipfile

from contract import FAILED, GATE_REFUSED, REGISTERED, ContractError, auc, passes_gate, read_job, read_snapshot, split

TARGET, PROBABILITY = "BAD", "P_BAD1"
NUMERIC = ["LOAN", "MORTDUE", "VALUE", "YOJ", "DEROG", "DELINQ", "CLAGE", "NINQ", "CLNO", "DEBTINC"]
CATEGORICAL = {"REASON": ["DebtCon", "HomeImp"], "JOB": ["Mgr", "Office", "Other", "ProfExe", "Sales", "Self"]}


def tensors(rows):
    """One column tensor of shape (rows, 1) for each input; a missing number is NaN, a missing text is empty."""
    import tensorflow as tf

    number = lambda text: float(text) if text else float("nan")
    found = {name: tf.constant([[number(row[name])] for row in rows], tf.float32) for name in NUMERIC}
    found.update({name: tf.constant([[row[name].strip()] for row in rows], tf.string) for name in CATEGORICAL})
    return found


def build(train):
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
    output = tf.keras.layers.Dense(1, activation="sigmoid", name=PROBABILITY)(hidden)
    model = tf.keras.Model(inputs, output)
    model.compile(optimizer=tf.keras.optimizers.Adam(1e-3), loss="binary_crossentropy")
    return model


def standardise(value, mean, deviation):
    import tensorflow as tf

    is_missing = tf.math.is_nan(value)
    number = tf.where(is_missing, tf.zeros_like(value), (value - mean) / deviation)
    return tf.concat([number, tf.cast(is_missing, tf.float32)], axis=1)


def export(model, folder):
    """A SavedModel whose serving_default takes the inputs by name and answers P_BAD1, as Fairway's manifests serve it."""
    import tensorflow as tf

    specs = {name: tf.TensorSpec((None, 1), tf.float32, name=name) for name in NUMERIC}
    specs.update({name: tf.TensorSpec((None, 1), tf.string, name=name) for name in CATEGORICAL})

    @tf.function(input_signature=[specs])
    def serve(inputs):
        return {PROBABILITY: model(inputs)}

    tf.saved_model.save(model, folder, signatures={"serving_default": serve})


def champion_scores(job, rows):
    """What the champion says of the same rows."""
    import mlflow
    import tensorflow as tf

    uri = os.environ.get("CHAMPION_URI", f"models:/{job.model}/{job.champion}")
    root = mlflow.artifacts.download_artifacts(artifact_uri=uri)
    folder = next((at for at, _, files in os.walk(root) if "saved_model.pb" in files), None)
    if folder is None:
        raise ContractError(f"{uri} holds no SavedModel; set CHAMPION_URI to where the champion is.")
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    return serve(**tensors(rows))[PROBABILITY].numpy().ravel().tolist()


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


def register_in_sas(job, folder):
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
            {"name": name, "properties": properties}, os.environ["SAS_PROJECT"], function="classification", tool="TensorFlow"
        )
        with open(archive, "rb") as file:
            repository.add_model_content(model, file, "model.zip")


def run(job):
    import mlflow
    import tensorflow as tf

    target = os.environ.get("REGISTER", "mlflow")
    if target not in ("mlflow", "sas"):
        raise ContractError(f"REGISTER is {target!r}; use mlflow or sas.")
    if target == "mlflow" and already_registered(job):
        return REGISTERED
    train, held_out = split(read_snapshot(job.snapshot, job.sha256))
    labels = lambda rows: [int(row[TARGET]) for row in rows]
    if len(set(labels(train))) < 2 or len(set(labels(held_out))) < 2:
        raise ContractError("The snapshot holds one class only; wait for more labels.")
    tf.keras.utils.set_random_seed(job.seed)
    with mlflow.start_run(run_name=f"retrain-{job.change}") as active, tempfile.TemporaryDirectory() as folder:
        mlflow.set_tags({"fairwayChange": job.change, "fairwaySnapshot": job.sha256})
        model = build(train)
        model.fit(tensors(train), tf.constant([[label] for label in labels(train)], tf.float32), epochs=40, batch_size=128, verbose=0)
        candidate = auc(model.predict(tensors(held_out), verbose=0).ravel().tolist(), labels(held_out))
        champion = auc(champion_scores(job, held_out), labels(held_out))
        mlflow.log_metrics({"candidate_auc": candidate, "champion_auc": champion, "gate_margin": job.margin})
        if not passes_gate(candidate, champion, job.margin):
            print(f"AUC {candidate:.4f} does not exceed {champion:.4f} of version {job.champion} by {job.margin}; the champion stays.")
            return GATE_REFUSED
        export(model, folder)
        mlflow.log_artifacts(folder, "model")
        if target == "sas":
            register_in_sas(job, folder)
        else:
            register_in_mlflow(job, active.info.run_id)
    return REGISTERED


if __name__ == "__main__":
    try:
        sys.exit(run(read_job(os.environ)))
    except (ContractError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(FAILED)
