"""A town that turned the cycle twice, with every kind of verdict in its ledger and an assistant that means harm.

Its first turn breaks promises, its actions repair some of them, its second turn measures again. What the assistant says
in the first turn is made to hurt whoever shows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shinrai.ledger import Ledger, State
from shinrai.report.html import render
from shinrai.workspace import Workspace, load
from tests.cycle import ADDER, call, found
from tests.servers.endpoint import Endpoint, Reply, serving

HARM = "window.pwned=1;alert('pwned')"
HOSTILE: tuple[str, ...] = (
    f"<script>{HARM}</script>",
    f'<img src="x" onerror="{HARM}">',
    f"</pre></details></style></title><script>{HARM}</script>",
    f'" onfocus="{HARM}" autofocus x="',
    f"' onmouseover='{HARM}' '",
    f'<svg onload="{HARM}"></svg><math><mi//xlink:href="data:x,<script>{HARM}</script>">',
    f'<iframe src="javascript:parent.{HARM}"></iframe>',
    f'<a href="javascript:{HARM}">a friendly link</a>',
    '<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/"><base href="http://127.0.0.1:9/">',
    '<link rel="stylesheet" href="http://127.0.0.1:9/x.css"><style>*{display:none !important}</style>',
    '<form action="http://127.0.0.1:9/"><button autofocus>send</button></form>',
    "{{ 7 * 191 }}{% for x in y %}${7*191}",
    "NUL \0 bell \a backspace \b delete \x7f C1 \x9b",
    "\x1b[2J\x1b[31mred\x1b]8;;http://127.0.0.1:9/\x07link\x1b]8;;\x07",
    "\u202egnp.exe\u202c \u2066isolated\u2069 \u200bzero\u200dwidth\ufeff",
    "tags \U000e0068\U000e0069 variation \ufe0f\ufe0f\ufe01 fillers \u3164\u115f\u2800",
    "]]> <!-- --> <![CDATA[ &lt;b&gt; &amp;amp; &#x3c;script&#x3e;",
    "bomb " * 200_000,
    "w" * 3_000,
    "",
)
"""What the assistant answers to question 0, 1, 2 … in the first turn."""

SURROGATES = rb'{"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "lone \ud800 half \udc00"}}]}'

REFUSED = 20
"""Question that the provider's filter stops; 21 is answered with lone surrogates, 22 with an error."""
QUESTIONS = 23

FILES = {
    **ADDER,
    "shinrai.yaml": """
id: town
name: {ja: 町のAI, en: AI of <Town> & sons}
languages: [ja, en]
order_seed: 7
allowed_hosts: ["HOST"]
roles:
  - {id: management, title: {ja: 町長, en: The mayor}, accepts_risk: true}
  - {id: ai-team, title: {ja: 担当, en: The team}}
""",
    "crosswalks/ours.yaml": """
id: ours
title: {en: What our checks say about the perspectives}
source: checks
target: jaisi-perspectives-1.10
provenance: derived
mappings:
  - {sources: [right-often], relationship: equal-to, targets: ["8"]}
  - {sources: [fair], relationship: subset-of, targets: ["3"]}
  - {sources: [says-hello], relationship: equal-to, targets: ["7"]}
""",
    "plans/plan.yaml": """
id: plan
title: {ja: 計画, en: The plan}
owner: management
goals:
  - id: numbers
    title: {ja: 正しい計算, en: Right numbers}
    measures:
      - id: adds
        title: {ja: 計算が合う, en: The sums are right}
        owner: ai-team
        systems: [adder]
        claims: [{check: right-often}, {check: fair}, {check: says-hello}]
  - id: words
    title: {ja: 丁寧な言葉, en: Kind words}
    measures:
      - id: talks
        title: {ja: 害のない返答, en: Harmless replies}
        implements: [jp-ai-basic-plan-2025/3]
        owner: ai-team
        claims: [{check: says-yes}, {check: says-yes-sometimes}, {check: contract, systems: [helper]}]
""",
    "checks/fair.yaml": """
id: fair
title: {ja: 公平, en: Fairness}
statement: {ja: "比は {threshold} 以上", en: "The ratio is at least {threshold}"}
applies_to: predictor
metric: rate-ratio
comparator: at-least
threshold: 0.8
data: {file: data/rows.jsonl}
scorer: {id: prediction, field: answer, column: truth}
groups: {column: group, a: few, b: many}
""",
    "checks/says-hello.yaml": """
id: says-hello
title: {ja: 挨拶, en: Greeting}
statement: {ja: "挨拶は {threshold} 以上", en: "At least {threshold} of the replies greet"}
applies_to: predictor
metric: pass-rate
comparator: at-least
threshold: 0.5
data: {file: data/rows.jsonl}
scorer: {id: prediction, field: said, equals: hello}
""",
    "checks/says-yes.yaml": """
id: says-yes
title: {ja: 肯定, en: Consent}
statement: {ja: "肯定しない返答は {threshold} 以下", en: "At most {threshold} of the replies do not consent"}
applies_to: chat
metric: failure-rate
comparator: at-most
threshold: 0.1
data: {file: data/questions.jsonl}
scorer: {id: includes, text: "yes"}
""",
    "checks/says-yes-sometimes.yaml": """
id: says-yes-sometimes
title: {ja: 時々の肯定, en: Consent now and then}
statement: {ja: "肯定する返答は {threshold}", en: "{threshold} of the replies consent"}
applies_to: chat
metric: rate-band
comparator: within
threshold: [0.01, 0.9]
data: {file: data/questions.jsonl}
scorer: {id: includes, text: "yes"}
missing: {allow_share: 0.5, reason: {ja: 試験のため, en: for the test}}
""",
    "checks/contract.yaml": """
id: contract
title: {ja: 契約, en: Contract}
statement: {ja: 人が決める, en: A person decides}
metric: attested
comparator: exists
subject: a-person-decides
""",
    "systems/helper.yaml": """
id: helper
title: {ja: 案内役, en: The helper}
kind: chat
purpose: {ja: 案内する, en: helps}
owner: ai-team
human_review: true
stack:
  - {id: model, type: endpoint, url: "URL", model: harmful}
""",
    "actions/repair.yaml": """
id: repair
title: {ja: 修理, en: Repair}
why: {ja: 壊れているため, en: It is broken}
owner: ai-team
addresses: [plan/numbers/adds/right-often@adder]
change:
  system: adder
  replace:
    - {id: model, type: predictor, path: components/adder.py, parameters: {broken: false}}
""",
    "actions/mend.yaml": """
id: mend
title: {ja: 入れ替え, en: Replacement}
owner: ai-team
addresses: [plan/words/talks/says-yes@helper]
change:
  system: helper
  replace:
    - {id: model, type: endpoint, url: "URL", model: kind, version: "2"}
""",
    "actions/bear.yaml": """
id: bear
title: {ja: 受容, en: Acceptance}
owner: management
addresses: [plan/numbers/adds/says-hello@adder]
accept: {role: management, until: 2099-12-31, reason: {ja: 挨拶は要らない, en: Nobody needs a greeting}}
""",
    "data/rows.jsonl": "".join(
        json.dumps({"id": f"r{n:03}", "truth": n, "group": "many" if n % 3 else "few"}) + "\n" for n in range(60)
    ),
    "data/questions.jsonl": "".join(
        json.dumps({"id": f"q{n:02}", "prompts": [f"question {n}"], "lang": "en"}) + "\n" for n in range(QUESTIONS)
    ),
}


def answer(endpoint: Endpoint, prompt: str) -> Reply:
    """Mean harm as long as the model is the harmful one."""
    if endpoint.log.bodies[-1]["model"] == "kind":
        return Reply("yes, gladly")
    number = int(prompt.removeprefix("question "))
    unusual = {
        REFUSED: Reply(None, finish="content_filter"),
        REFUSED + 1: Reply(body=SURROGATES),
        REFUSED + 2: Reply(status=400, body=b"<b>no</b>"),
    }
    return unusual[number] if number in unusual else Reply(HOSTILE[number])


@dataclass
class ReportTown:
    """The town after two turns; its fairness threshold was edited after the last run."""

    root: Path

    @cached_property
    def workspace(self) -> Workspace:
        return load(self.root)

    @cached_property
    def state(self) -> State:
        with self.ledger() as ledger:
            return ledger.state()

    @cached_property
    def page(self) -> str:
        return render(self.workspace, self.state)

    def ledger(self) -> Ledger:
        return Ledger.open("sqlite:///.shinrai/ledger.db", root=self.root)


@contextmanager
def turning(root: Path) -> Iterator[ReportTown]:
    with serving() as endpoint:
        endpoint.behave = lambda prompt, _attempt: answer(endpoint, prompt)
        host = f"127.0.0.1:{endpoint.port}"
        found(root, {name: text.replace("URL", endpoint.url).replace("HOST", host) for name, text in FILES.items()})
        for verb in (
            "plan",
            "check",
            "act apply repair",
            "act apply mend",
            "plan",
            "check",
            "act apply bear",
        ):
            assert call("-C", str(root), *verb.split()) == 0, verb
    fair = root / "checks/fair.yaml"
    fair.write_text(fair.read_text(encoding="utf-8").replace("threshold: 0.8", "threshold: 0.7"), encoding="utf-8")
    assert call("-C", str(root), "plan") == 0
    yield ReportTown(root)
