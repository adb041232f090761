#!/usr/bin/env python3
"""Uploads the metrics of a run to Weights & Biases or MLflow.

  scripts/upload_metrics.py RUN_FOLDER --to wandb [--project NAME]
  scripts/upload_metrics.py RUN_FOLDER --to mlflow [--project NAME]
  scripts/upload_metrics.py RUN_FOLDER --to json      print what would be sent, one step a line

Where and as whom is up to those packages' own settings (WANDB_API_KEY, WANDB_MODE,
MLFLOW_TRACKING_URI). Can be repeated while a run goes on: the remote run has the id of the run
folder. To W&B go the lines that it has not got; MLflow gets all steps again with the same values.
"""

import argparse
import json
import pathlib
import sys

FILES = ("metrics.jsonl", "timing.jsonl")
LABELS = ("kind", "stage", "set", "step", "version", "at")


def numbers_of(line):
    """The finite numbers of one line, by curve: NAME, or NAME/SET for an evaluation."""
    suffix = "/" + line["set"] if line.get("set") else ""
    return {
        name + suffix: value
        for name, value in line.items()
        if name not in LABELS and isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def lines_of(path):
    """The lines of a file as objects; a torn last line is passed over."""
    if not path.exists():
        return []
    lines = []
    with path.open(encoding="utf-8") as stream:
        for text in stream:
            try:
                lines.append(json.loads(text))
            except ValueError:
                continue
    return lines


def steps_of(folder):
    """Pairs of step and numbers, in order of steps."""
    steps = {}
    for name in FILES:
        for line in lines_of(folder / name):
            steps.setdefault(line["step"], {}).update(numbers_of(line))
    return sorted(steps.items())


def to_wandb(folder, run_id, project):
    import wandb

    run = wandb.init(project=project, id=run_id, name=folder.name, resume="allow")
    # W&B drops what comes for a step before its newest one, as evaluations and timings may. So its
    # step counts the lines that it got, and ours is a value, which the charts have as x axis.
    run.define_metric("run_step")
    run.define_metric("*", step_metric="run_step")
    for name in FILES:
        lines = lines_of(folder / name)
        sent = f"sent_lines/{name}"
        for line in lines[run.summary.get(sent, 0):]:
            run.log({**numbers_of(line), "run_step": line["step"]})
        run.summary[sent] = len(lines)
    run.finish()


def to_mlflow(folder, run_id, project):
    import mlflow

    mlflow.set_experiment(project)
    found = mlflow.search_runs(
        filter_string=f"tags.ponder_run_id = '{run_id}'", output_format="list", max_results=1)
    known = found[0].info.run_id if found else None
    with mlflow.start_run(run_id=known, run_name=None if known else folder.name):
        mlflow.set_tag("ponder_run_id", run_id)
        for step, numbers in steps_of(folder):
            mlflow.log_metrics(numbers, step=step)


def to_json(folder, run_id, project):
    for step, numbers in steps_of(folder):
        print(json.dumps({"run": run_id, "project": project, "step": step, "values": numbers}))


def main():
    targets = {"wandb": to_wandb, "mlflow": to_mlflow, "json": to_json}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_folder", type=pathlib.Path)
    parser.add_argument("--to", choices=sorted(targets), required=True)
    parser.add_argument("--project", default="ponder", help="project or experiment there")
    arguments = parser.parse_args()
    identity = arguments.run_folder / "run.json"
    if not identity.exists():
        sys.exit(f"error: {arguments.run_folder} is no run folder: it has no run.json")
    run_id = json.loads(identity.read_text(encoding="utf-8"))["run_id"]
    try:
        targets[arguments.to](arguments.run_folder, run_id, arguments.project)
    except ImportError as error:
        sys.exit(f"error: {error}; install it with: python3 -m pip install {arguments.to}")


if __name__ == "__main__":
    main()
