"""What other harnesses cost for the same trials: same mock endpoint, same run.

Each answers "question n" and is scored by whether the reply includes a word, with at most 64 calls at a time. CPU is
user and system time of the whole process with its children; what one trial costs is what is left of it when the cost
of a run with a single trial is taken off. Start-up is that of the single trial.

A peer lives in a folder of its own under the one that ``BENCH_PEERS`` names (``.peers`` where it names none), and is
`not there` otherwise: nothing of this is a dependency. ``python -m bench.peers --make`` fetches them with uv and npm.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.engine import LATENCIES, _endpoint, undecided

SIZES = (2_000, 10_000)
IN_FLIGHT = 64
HOME = Path(os.environ.get("BENCH_PEERS", ".peers")).resolve()

_INSPECT = """
import sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate
url, trials, most, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
samples = [Sample(input=f"question {n}", target="ordinary", id=n + 1) for n in range(trials)]
model = get_model("openai/m", base_url=url, api_key="none", responses_api=False)
[log] = eval(Task(dataset=samples, solver=generate(), scorer=includes()), model=model, display="none",
             max_connections=most, max_samples=most, log_dir=folder)
assert log.status == "success" and log.results.scores[0].metrics["accuracy"].value == 1.0
"""

_DEEPEVAL = """
import asyncio, os, sys
os.environ["DEEPEVAL_TELEMETRY_OPT_OUT"] = "YES"
url, trials, most, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.environ["DEEPEVAL_RESULTS_FOLDER"] = folder
from deepeval import evaluate
from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase
from openai import AsyncOpenAI

class Includes(BaseMetric):
    threshold, async_mode = 1.0, True
    def measure(self, case, *_given, **_named):
        self.score = float("ordinary" in case.actual_output); self.success = bool(self.score); return self.score
    async def a_measure(self, case, *_given, **_named):
        return self.measure(case)
    def is_successful(self):
        return self.success
    @property
    def __name__(self):
        return "Includes"

async def replies():
    turn, client = asyncio.Semaphore(most), AsyncOpenAI(base_url=url, api_key="none")
    async def one(n):
        async with turn:
            text = f"question {n}"
            found = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
            return LLMTestCase(input=text, actual_output=found.choices[0].message.content)
    return await asyncio.gather(*(one(n) for n in range(trials)))

result = evaluate(asyncio.run(replies()), [Includes()], async_config=AsyncConfig(max_concurrent=most),
                  cache_config=CacheConfig(write_cache=False),
                  display_config=DisplayConfig(show_indicator=False, print_results=False))
assert len(result.test_results) == trials and all(one.success for one in result.test_results)
"""

_LM_EVAL = """
import json, sys
from pathlib import Path
url, trials, most, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
(folder / "data.jsonl").write_text("".join(json.dumps({"q": f"question {n}"}) + "\\n" for n in range(trials)))
(folder / "mock.yaml").write_text(f'''task: mock
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{folder}/data.jsonl"}}, cache_dir: "{folder}/cache"}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{q}}}}"
doc_to_target: ".*ordinary.*"
generation_kwargs: {{until: [], max_gen_toks: 16}}
metric_list:
  - metric: exact_match
    regexes_to_ignore: ["A short and ", " reply."]
    aggregation: mean
    higher_is_better: true
''')
from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager
found = simple_evaluate(model="local-chat-completions", tasks=["mock"], apply_chat_template=True, log_samples=True,
    model_args=f"model=m,base_url={url}/chat/completions,num_concurrent={most},max_retries=3,tokenized_requests=False",
    task_manager=TaskManager(include_path=str(folder)), bootstrap_iters=0)
(folder / "results.json").write_text(json.dumps(found["samples"], default=str))
assert len(found["samples"]["mock"]) == trials
"""

_PROMPTFOO = {
    "prompts": ["question {{n}}"],
    "defaultTest": {"assert": [{"type": "contains", "value": "ordinary"}]},
    "sharing": False,
}


def rows() -> list[tuple[str, str, str]]:
    """Measure, as (what, figure, against)."""
    return [row for latency in LATENCIES for row in _with_replies_after(latency)]


def _with_replies_after(latency: float) -> list[tuple[str, str, str]]:
    told = []
    with _endpoint(latency) as url:
        bare = _figures("bare", url)
        for name in ("shinrai", *_PEERS):
            found = _figures(name, url)
            for trials in SIZES:
                what = f"{name}, {trials:,} trials, replies after {1000 * latency:.0f} ms"
                told.append((what, _said(found.get(trials)), _beside(found.get(trials), bare.get(trials))))
    return told


def _said(one: dict[str, float] | None) -> str:
    if one is None:
        return "not there"
    return (
        f"{one['each']:.2f} ms of CPU a trial; {one['memory']:.0f} MB; {one['disk']:,.0f} bytes on disk a trial; "
        f"start-up {one['start']:.1f} s of CPU"
    )


def _beside(one: dict[str, float] | None, bare: dict[str, float] | None) -> str:
    if one is None or bare is None:
        return "–"
    return f"{one['each'] / bare['each']:.1f}x of a bare loop ({bare['each']:.2f} ms, {bare['start']:.1f} s)"


def _figures(name: str, url: str) -> dict[int, dict[str, float]]:
    """Measure one harness at every size; nothing where it is not there."""
    command = _command(name)
    if command is None:
        return {}
    start = _in_a_process(command, url, 1)["cpu"]
    found = {}
    for trials in SIZES:
        many = _in_a_process(command, url, trials)
        each = 1000 * (many["cpu"] - start) / (trials - 1)
        found[trials] = {"each": each, "start": start, "memory": many["memory"], "disk": many["disk"] / trials}
    return found


def _command(name: str) -> list[str] | None:
    if name in {"bare", "shinrai"}:
        return [sys.executable, "-m", "bench.peers", name]
    if name == "promptfoo":
        program = HOME / "promptfoo/node_modules/.bin/promptfoo"
        return [sys.executable, "-m", "bench.peers", name] if program.is_file() else None
    python = HOME / name / "bin/python"
    return [str(python), "-c", _PEERS[name][1]] if python.is_file() else None


def _in_a_process(command: list[str], url: str, trials: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        quiet = {"DEEPEVAL_TELEMETRY_OPT_OUT": "YES", "PROMPTFOO_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
        environment = {**os.environ, **quiet, "OPENAI_API_KEY": "none", "HOME": folder}
        process = subprocess.Popen(
            [*command, url, str(trials), str(IN_FLIGHT), folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=Path.cwd() if command[0] == sys.executable else folder,
        )
        errors = process.stderr.read() if process.stderr else b""
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {errors[-2000:].decode()}")
        disk = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return {"cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss / 1024, "disk": disk}


# ---- what runs in a process of its own


def _bare(url: str, trials: int, _folder: Path) -> None:
    from bench.engine import _bare as loop  # noqa: PLC0415 - imports only what it measures

    loop(url, trials)


def _shinrai(url: str, trials: int, folder: Path) -> None:
    from shinrai.check import check  # noqa: PLC0415 - imports only what it measures
    from shinrai.records import Budget  # noqa: PLC0415 - as above
    from tests.check.town import HERE, found  # noqa: PLC0415 - as above

    town = found(folder / "town")
    undecided(town, url, trials)
    [verdict] = check(town.root, town.ledger, budget=Budget(calls=trials), allowed_hosts=HERE)
    assert verdict.counts.total == trials, verdict
    town.ledger.close()


def _promptfoo(url: str, trials: int, folder: Path) -> None:
    provider = {"id": "openai:chat:m", "config": {"apiBaseUrl": url, "apiKey": "none"}}
    tests = [{"vars": {"n": number}} for number in range(trials)]
    (folder / "config.json").write_text(json.dumps({**_PROMPTFOO, "providers": [provider], "tests": tests}))
    program = HOME / "promptfoo/node_modules/.bin/promptfoo"
    options = ["--no-cache", "--no-progress-bar", "--no-table", "-j", str(IN_FLIGHT), "-o", str(folder / "out.json")]
    environment = {**os.environ, "PROMPTFOO_CONFIG_DIR": str(folder / "home"), "PROMPTFOO_DISABLE_UPDATE": "1"}
    subprocess.run([program, "eval", "-c", folder / "config.json", *options], env=environment, check=True)
    found = json.loads((folder / "out.json").read_text())["results"]["stats"]
    assert found["successes"] == trials, found


_PEERS = {
    "inspect": (("inspect-ai", "openai"), _INSPECT),
    "promptfoo": ((), ""),
    "deepeval": (("deepeval",), _DEEPEVAL),
    "lm-eval": (("lm-eval[api]",), _LM_EVAL),
}


def _make() -> None:
    """Fetch what is not there yet, each into a folder of its own."""
    HOME.mkdir(exist_ok=True)
    for name, (packages, _script) in _PEERS.items():
        if packages and not (HOME / name).exists():
            subprocess.run(["uv", "venv", "--python", sys.executable, HOME / name], check=True)
            subprocess.run(["uv", "pip", "install", "--python", HOME / name / "bin/python", *packages], check=True)
    if not (HOME / "promptfoo").exists():
        (HOME / "promptfoo").mkdir()
        (HOME / "promptfoo/package.json").write_text('{"private": true}')
        subprocess.run(["npm", "install", "promptfoo"], cwd=HOME / "promptfoo", check=True)


if __name__ == "__main__":
    if len(sys.argv) > 4:
        run = {"bare": _bare, "shinrai": _shinrai, "promptfoo": _promptfoo}[sys.argv[1]]
        run(sys.argv[2], int(sys.argv[3]), Path(sys.argv[5]))
    elif sys.argv[1:] == ["--make"]:
        _make()
    else:
        for what, figure, against in rows():
            print(f"{what:<12} {figure:<90} {against}")
