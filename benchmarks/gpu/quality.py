"""Stage `quality`: Multi30k by its recipe on the GPU, a few seeds, each scored on the published test set.

What `make quality TASK=multi30k` does on a processor, with other seeds. `quality.json` adds to what every results file
says

    {"recipe", "tokenize": of BLEU,
     "runs": [{"seed", "minutes", "steps", "target_tokens", "target_tokens_per_second", "status": "scored" | "failed",
               "why": a sentence, "set", "beam", "bleu", "chrf", "signatures"}],
     "bleu": {"mean", "min", "max"} of those scored}
"""

import json
import lzma
import shutil
import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.gpu.context import Context
from benchmarks.gpu.processes import Ended, Job, run_job
from benchmarks.gpu.results import Json, ResultsFile
from benchmarks.questions.quality import (
    BEAM_SIZE,
    TASKS,
    Places,
    Task,
    evaluate_command,
    train_command,
    training_summary,
)

SEEDS = (1, 2, 3)
SCORING = 60.0  # seconds, at most
SHORTEST = 90.0  # seconds of training; with less, a seed is not begun
LAST_WORDS = 300  # characters of what a command that failed said


@dataclass(frozen=True)
class Plan:
    """What is trained on and scored, and where it lies."""

    task: Task
    data: Path
    limit: str  # options that end a run


def run(context: Context) -> None:
    context.work.mkdir(parents=True, exist_ok=True)
    plan = _toy(context) if context.toy else _published(context)
    file = ResultsFile(context, "quality", plan.task.title)
    recipe = plan.task.recipes[0]
    file.save(recipe=recipe.name, tokenize=plan.task.tokenize, runs=[], bleu=None)
    for number, seed in enumerate(SEEDS[:1] if context.toy else SEEDS):
        seconds = context.left() / (len(SEEDS) - number)
        if seconds < SHORTEST + SCORING and not context.toy:
            file.leave_out(f"seed {seed}")
            continue
        found = _one(context.within(max(seconds, SHORTEST)), plan, seed)
        file.record["runs"].append(found)
        file.save(bleu=_spread([one["bleu"] for one in file.record["runs"] if one["status"] == "scored"]))
        print(_line(found), flush=True)
    if failed := [one for one in file.record["runs"] if one["status"] == "failed"]:
        sys.exit("\n".join(_line(one) for one in failed))


def _published(context: Context) -> Plan:
    assert context.data is not None, "the stage needs data"
    return Plan(TASKS["multi30k"], context.data, "")


def _toy(context: Context) -> Plan:
    """Two updates on the demo's corpus: for rehearsals."""
    from mtcli.demo.corpus import write_demo_corpus

    folder = context.work / "demo"
    folder.mkdir(exist_ok=True)
    write_demo_corpus(folder)
    for file in folder.glob("*.*"):
        if file.suffix in (".ko", ".en"):
            file.with_name(f"{file.name}.xz").write_bytes(lzma.compress(file.read_bytes()))
    recipe = replace(TASKS["multi30k"].recipes[0], name="toy", options="--preset tiny --set data.vocab_size=1000")
    task = replace(
        TASKS["multi30k"],
        title="A rehearsal on the demo's corpus",
        folder="demo",
        src="ko",
        tgt="en",
        valid="valid",
        tests=("test",),
        recipes=(recipe,),
        prepared="",
    )
    return Plan(task, context.work, " --max-steps 2")


def _one(context: Context, plan: Plan, seed: int) -> Json:
    """Train with one seed and score."""
    recipe = replace(plan.task.recipes[0], model=f"quality-{seed}")
    minutes = (context.left() - SCORING) / 60
    device = f"--device {context.torch_device}"
    training = f"{train_command(plan.task, recipe)} --seed {seed} --max-minutes {minutes:.1f} {device}{plan.limit}"
    found: Json = {"seed": seed, "status": "failed", "why": None}
    shutil.rmtree(context.work / recipe.model, ignore_errors=True)  # an earlier run's may be of other options
    print(f"seed {seed}: training for {minutes:.1f} minutes at most", flush=True)
    ended = _mtcli(context, plan, training)
    if ended.failure:
        return found | {"why": f"training: {ended.failure} {ended.output[-LAST_WORDS:].strip()}"}
    found |= training_summary(context.work / recipe.model).model_dump()
    scoring = evaluate_command(plan.task, recipe.model, plan.task.tests[0])
    scored = _mtcli(context, plan, f"{scoring} --device {context.torch_device}")
    if scored.failure:
        return found | {"why": f"scoring: {scored.failure} {scored.output[-LAST_WORDS:].strip()}"}
    report: dict[str, Any]  # among what was said on stderr
    report, _ = json.JSONDecoder().raw_decode(scored.output, scored.output.index("{"))
    scores = {name: report[name] for name in ("bleu", "chrf", "signatures")}
    return found | {"status": "scored", "set": plan.task.tests[0], "beam": BEAM_SIZE} | scores


def _mtcli(context: Context, plan: Plan, command: str) -> Ended:
    """Run a command line of mtcli on the Python that runs this."""
    words = Places(plan.data, context.work).resolve_all(command)
    seconds = context.left() + SCORING
    return run_job(Job(command=[sys.executable, "-m", "mtcli", *words], seconds=seconds, cwd=context.root))


def _spread(scores: list[float]) -> Json | None:
    return {"mean": statistics.mean(scores), "min": min(scores), "max": max(scores)} if scores else None


def _line(found: Json) -> str:
    if found["status"] == "failed":
        return f"seed {found['seed']}: {found['why']}"
    return (
        f"seed {found['seed']}: BLEU {found['bleu']:.2f} after {found['minutes']:.1f} minutes, {found['steps']:,} steps"
    )
