"""docs/errors.md and docs/errors.ja.md, from the source: ``python -m tests.docs.errors_page`` writes both.

Every call and every row of a table that carries an error code is found in the syntax trees of the source, with the
texts that stand beside the code: what happened, what was expected, the hint. Texts that are put into a variable, made
by a function or handed in by a caller are followed to where they are written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shinrai.i18n import Language, translate
from tests.docs import messages

ROOT = Path(__file__).parents[2]
PAGES: dict[Language, Path] = {"en": ROOT / "docs/errors.md", "ja": ROOT / "docs/errors.ja.md"}

HEAD: dict[Language, str] = {
    "en": """# Errors

Every error has a stable code, one sentence on what happened, and a hint where there is a way out. Exit codes: 2 the
command or a file is wrong · 3 could not be measured · 4 the evidence does not verify. The code stands first:
`error[ledger.locked]: …`. What stands for “…” below, the message says. · [日本語](errors.ja.md)
""",
    "ja": """# エラーと対処

どのエラーにも、変わらないコード、何が起きたかの一文、抜け道があればその手がかりがあります。終了コードは、
2 が命令またはファイルの誤り、3 が測定不能、4 が証拠の不一致です。コードは先頭に出ます（`エラー[ledger.locked]: …`）。
下の表の「…」の部分は、実際の表示でわかります。
· [English](errors.md)
""",
}
TITLES: dict[Language, tuple[str, str, str]] = {
    "en": ("code", "what happened", "what to do"),
    "ja": ("コード", "何が起きたか", "どうするか"),
}
ROOMS: dict[str, dict[Language, str]] = {
    "source": {
        "en": (
            "Who acts: the author of a file. The file cannot be read as what it should be. The message names"
            " file, line and column, what was found, what was expected and the nearest valid name. Nothing "
            "is half-loaded."
        ),
        "ja": (
            "対処する人：ファイルの作成者。ファイルを本来のものとして読めません。ファイル名・行・列、実際の内容、"
            "期待される内容、最も近い正しい名前を示します。途中まで読み込むことはありません。"
        ),
    },
    "workspace": {
        "en": (
            "Who acts: the author of the workspace. Files are readable, but do not fit together: a name that"
            " nothing carries, a column that the data lack, a threshold that does not go with its metric, a "
            "role that may not do this."
        ),
        "ja": (
            "対処する人：ワークスペースの作成者。ファイルは読めますが、互いに合いません。どこにもない名前、"
            "データにない列、指標に合わないしきい値、その権限のない役割などです。"
        ),
    },
    "catalog": {
        "en": "Who acts: the author of the workspace. A `catalog:` path that Shinrai does not ship.",
        "ja": "対処する人：ワークスペースの作成者。Shinrai に含まれない `catalog:` のパスです。",
    },
    "data": {
        "en": (
            "Who acts: the author of the check. It names a column that the data do not have. Nothing is "
            "bound to the nearest name by itself."
        ),
        "ja": "対処する人：検査の作成者。データにない列を指しています。近い名前に自動で結びつけることはありません。",
    },
    "bom": {
        "en": (
            "Who acts: whoever has the document. A bill of materials, model card or data card that cannot be "
            "used. The message names line and column; nothing of it is kept."
        ),
        "ja": (
            "対処する人：文書を持つ人。部品表・モデルカード・データカードが使えません。行と列を示します。"
            "何も保存しません。"
        ),
    },
    "stack": {
        "en": (
            "Who acts: the person at the keyboard. There is no component of that name, "
            "or a document about one cannot be used."
        ),
        "ja": "対処する人：操作している人。その名前の構成要素がないか、構成要素についての文書が使えません。",
    },
    "system": {
        "en": "Who acts: the owner of the system. An action changes what its file no longer says.",
        "ja": "対処する人：システムの責任者。是正措置が変えようとする内容が、もうシステムのファイルにありません。",
    },
    "plan": {
        "en": (
            "Who acts: the owner of the plan. What the plan asks cannot be tested, or can never be met with "
            "the data there are; or a note on what is waiting or overdue."
        ),
        "ja": (
            "対処する人：計画の責任者。計画の求めることが検定できないか、いまのデータでは決して満たせません。"
            "待っているもの、期限を過ぎたものの知らせもあります。"
        ),
    },
    "do": {
        "en": (
            "Who acts: whoever brings the facts. A document, value or log that cannot be taken as it is. "
            "Every mistake in a file is listed; nothing of it is imported."
        ),
        "ja": (
            "対処する人：事実を持ち込む人。文書・値・記録が、そのままでは受け取れません。ファイルの誤りをすべて示し、"
            "何も取り込みません。"
        ),
    },
    "plugin": {
        "en": (
            "Who acts: the author of a plug-in, or whoever named it. The message names the file and its line. What "
            "needs the plug-in is not measured; everything else is."
        ),
        "ja": (
            "対処する人：プラグインの作成者、またはその名前を書いた人。ファイルと行を示します。"
            "プラグインを使うものは測定せず、ほかはすべて測定します。"
        ),
    },
    "new": {
        "en": "Who acts: the person at the keyboard. Nothing was written.",
        "ja": "対処する人：操作している人。何も書き込んでいません。",
    },
    "check": {
        "en": (
            "Who acts: the engineer. What is committed and what is on disk differ (run `shinrai plan`), or "
            "the run was asked for something that is not committed."
        ),
        "ja": (
            "対処する人：技術者。確定した内容とディスク上の内容が違う（`shinrai plan` を実行してください）か、"
            "確定していないものを測ろうとしています。"
        ),
    },
    "scorer": {
        "en": "Who acts: the author of a check. A scorer with parameters it cannot work with.",
        "ja": "対処する人：検査の作成者。採点規則が、与えられたパラメータでは働きません。",
    },
    "labels": {
        "en": "Who acts: whoever labels. A file of labels does not fit the replies; nothing of it is taken.",
        "ja": "対処する人：ラベルを付ける人。ラベルのファイルが応答に合いません。その内容は一切取り込みません。",
    },
    "compare": {
        "en": "Who acts: the person at the keyboard. There is no such version, or it can no longer be asked.",
        "ja": "対処する人：操作している人。その版がないか、もう尋ねられません。",
    },
    "target": {
        "en": (
            "Who acts: the owner of the system. The system under test cannot be opened: key, package, "
            "weights or component file."
        ),
        "ja": (
            "対処する人：システムの責任者。対象のシステムを開けません。鍵、パッケージ、重み、"
            "部品のファイルを確かめてください。"
        ),
    },
    "run": {
        "en": (
            "Who acts: whoever can explain the change. A run file is missing, was changed, or could not be written."
        ),
        "ja": "対処する人：変更を説明できる人。実行ファイルがないか、変更されたか、書き込めませんでした。",
    },
    "show": {
        "en": "Who acts: the person at the keyboard. There is no run, claim or item of that name.",
        "ja": "対処する人：操作している人。その名前の実行・主張・項目がありません。",
    },
    "ledger": {
        "en": ("Who acts: the operator. The ledger cannot be opened or written, or does not verify (exit code 4)."),
        "ja": "対処する人：運用者。台帳を開けないか、書き込めないか、検証に通りません（終了コード 4）。",
    },
    "act": {
        "en": ("Who acts: the role whose move it is. An action or acceptance that cannot be carried out as it stands."),
        "ja": "対処する人：次に動く役割の人。是正措置または受容が、そのままでは実施できません。",
    },
    "export": {
        "en": (
            "Who acts: the person at the keyboard. There is no such format, system or rule book, or nothing to write."
        ),
        "ja": "対処する人：操作している人。その形式・システム・枠組みがないか、書き出すものがありません。",
    },
    "frameworks": {
        "en": (
            "Who acts: the person at the keyboard. There is no rule book, requirement or claim of that name to "
            "answer here."
        ),
        "ja": "対処する人：操作している人。その名前の枠組み・要求事項・主張は、ここにはありません。",
    },
    "demo": {
        "en": "Who acts: the person at the keyboard. The demo cannot build its town.",
        "ja": "対処する人：操作している人。デモの町を作れません。",
    },
}

PASSED_ON = (
    *(ast.YieldFrom, ast.ListComp, ast.GeneratorExp, ast.comprehension, ast.NamedExpr),
    *(ast.BinOp, ast.BoolOp, ast.JoinedStr, ast.FormattedValue, ast.List),
)
"""What gives the texts of its parts."""
CODE = re.compile(r"([a-z]+)\.[a-z0-9-]+")


@dataclass
class Row:
    """What stands beside a code, in English, each text once and in the order of the source."""

    happened: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def add(self, happened: Sequence[str], expected: Sequence[str], hints: Sequence[str]) -> None:
        for kept, new in ((self.happened, happened), (self.expected, expected), (self.hints, hints)):
            kept += [text for text in dict.fromkeys(new) if text not in kept]


# Codes that a function gives by the kind of a validation error, with that function's neighbours' texts.
BY_KIND = {
    "source.unknown-key": Row(['the key "{name}" is not known here'], ["one of: {names}"], ["did you mean {name}?"]),
    "source.missing-key": Row(['the key "{name}" is missing']),
    "source.rule": Row(),
    "source.type": Row(["{name}: found {found}"]),
    "source.value": Row(["{name}: found {found}"], [], ["did you mean {name}?"]),
}

RULE: dict[Language, str] = {
    "en": "what stands there breaks a rule of its record; the message says which",
    "ja": "書かれている内容が、その記録の規則に反しています。どの規則かは、表示でわかります",
}
"""For ``source.rule``, whose sentences are the records' own."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Giving = ast.Assign | ast.For | ast.NamedExpr


class Source:
    """The syntax trees of all modules."""

    def __init__(self, root: Path) -> None:
        self.trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in sorted(root.rglob("*.py"))}
        self.above: dict[ast.AST, ast.AST] = {}
        self.functions: dict[str, list[Function]] = {}
        self.calls: dict[tuple[ast.AST, str], list[ast.Call]] = {}
        for tree in self.trees.values():
            for node in ast.walk(tree):
                for below in ast.iter_child_nodes(node):
                    self.above[below] = node
                if isinstance(node, Function):
                    self.functions.setdefault(node.name, []).append(node)
                if isinstance(node, ast.Call) and (name := _called(node)):
                    self.calls.setdefault((tree, name), []).append(node)
        self._known: dict[tuple[ast.AST, int | None], list[str]] = {}

    def rows(self) -> dict[str, Row]:
        found = {code: Row(list(row.happened), list(row.expected), list(row.hints)) for code, row in BY_KIND.items()}
        for tree in self.trees.values():
            for node in ast.walk(tree):
                parts = _parts(node)
                for place, part in enumerate(parts):
                    code = part.value if isinstance(part, ast.Constant) else None
                    if isinstance(code, str) and (match := CODE.fullmatch(code)) and match[1] in ROOMS:
                        found.setdefault(code, Row()).add(*self._beside(node, parts[place + 1 :]))
        return dict(sorted(found.items()))

    def _beside(self, node: ast.AST, rest: Sequence[ast.expr]) -> tuple[list[str], list[str], list[str]]:
        """Message, expectation and hint from the arguments that follow a code."""
        cells = [cell for part in rest for cell in self._cells(part)]
        first = next((place for place, texts in enumerate(cells) if texts), len(cells))
        happened, expected, hints = [*cells, [], [], []][first : first + 3]
        if isinstance(node, ast.Tuple):
            expected, hints = [], expected  # a table's rows hold code, message and hint
        named = (
            {keyword.arg: self.texts(keyword.value) for keyword in node.keywords} if isinstance(node, ast.Call) else {}
        )
        return (
            happened or named.get("message", []),
            [*expected, *named.get("expected", [])],
            [*hints, *named.get("hint", [])],
        )

    def _cells(self, part: ast.expr) -> Iterator[list[str]]:
        if isinstance(part, ast.Starred):
            yield from (self.texts(part.value, place) for place in range(3))
        else:
            yield self.texts(part)

    def texts(self, node: ast.AST, place: int | None = None) -> list[str]:
        """All texts that an expression can give; of a tuple, those at one place."""
        if (node, place) not in self._known:
            self._known[node, place] = []  # what leads back to itself adds nothing
            self._known[node, place] = list(dict.fromkeys(self._texts(node, place)))
        return self._known[node, place]

    def _texts(self, node: ast.AST, place: int | None) -> Iterator[str]:
        if isinstance(node, ast.Call):
            yield from self._of_call(node, place)
        elif isinstance(node, ast.Name):
            yield from self._of_name(node, place)
        elif isinstance(node, ast.Tuple) and place is not None:
            yield from self.texts(node.elts[place]) if place < len(node.elts) else []
        elif isinstance(node, ast.IfExp):
            yield from [*self.texts(node.body, place), *self.texts(node.orelse, place)]
        elif isinstance(node, PASSED_ON):
            for below in ast.iter_child_nodes(node):
                yield from self.texts(below, place)

    def _of_call(self, node: ast.Call, place: int | None) -> Iterator[str]:
        name = _called(node)
        if name in {"_", "N_"} and node.args and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value)
            return
        if isinstance(node.func, ast.Attribute) and name == "format":
            yield from self.texts(node.func.value, place)
            return
        given = [text for argument in node.args for text in self.texts(argument)]
        functions = self.functions.get(name or "", [])
        if given or len(functions) != 1:
            yield from given if place in {None, 0} else []
            return
        for below in ast.walk(functions[0]):
            if isinstance(below, ast.Return | ast.Yield | ast.YieldFrom) and below.value is not None:
                yield from self.texts(below.value, place)

    def _of_name(self, node: ast.Name, place: int | None) -> Iterator[str]:
        function = next((up for up in self._chain(node) if isinstance(up, Function)), None)
        if function is None:
            return
        given = [
            one
            for one in ast.walk(function)
            if isinstance(one, Giving) and _gives(one, node.id) and one.lineno <= node.lineno
        ]
        if given:
            for one in self._alternatives(given, node):
                at = _place_in(one, node.id, place)
                yield from self.texts(one.iter if isinstance(one, ast.For) else one.value, at)
            return
        names = [argument.arg for argument in function.args.posonlyargs + function.args.args]
        if node.id in names:
            position = names.index(node.id) - (names[0] in {"self", "cls"})
            module = list(self._chain(node))[-1]
            public = len(self.functions[function.name]) == 1 and not function.name.startswith("_")
            modules = self.trees.values() if public else [module]
            for call in (call for one in modules for call in self.calls.get((one, function.name), [])):
                handed = [word.value for word in call.keywords if word.arg == node.id] or call.args[
                    position : position + 1
                ]
                yield from (text for one in handed for text in self.texts(one, place))

    def _alternatives(self, given: list[Giving], node: ast.AST) -> list[Giving]:
        """Find the last assignment before a use, with those in other branches of the same decision."""
        last = max(given, key=lambda one: getattr(one, "lineno", 0))
        around: ast.AST = last
        use = set(self._chain(node))
        while (up := self.above.get(around)) is not None and up not in use:
            around = up
        within = set(ast.walk(around))
        return [one for one in given if one in within]

    def _chain(self, node: ast.AST) -> Iterator[ast.AST]:
        while (up := self.above.get(node)) is not None:
            yield up
            node = up


def _parts(node: ast.AST) -> list[ast.expr]:
    """Give what may hold a code: the arguments of a call, or the cells of a table's row."""
    if isinstance(node, ast.Call) and _called(node) != "Path":
        return node.args
    return node.elts if isinstance(node, ast.Tuple) else []


def _called(node: ast.Call) -> str | None:
    return getattr(node.func, "id", None) or getattr(node.func, "attr", None)


def _gives(node: ast.AST, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(one, ast.Name) and one.id == name for target in targets if target for one in ast.walk(target))


def _place_in(node: ast.AST, name: str, place: int | None) -> int | None:
    """At which place of the value a name is unpacked from it."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        if isinstance(target, ast.Tuple):
            return next(
                (at for at, one in enumerate(target.elts) if isinstance(one, ast.Name) and one.id == name), place
            )
    return place


# ---- writing


def _said(text: str, language: Language) -> str:
    """One cell's text: in a language, with … for what the real message says."""
    said = re.sub(r"{\w*[^}]*}", "…", translate(text, language))
    return " ".join(said.split()).replace("|", "\\|").replace("<", "&lt;")


def page(rows: dict[str, Row], language: Language) -> str:
    """Write the page in a language."""
    parts = [HEAD[language]]
    for room, who in ROOMS.items():
        codes = {code: row for code, row in rows.items() if code.startswith(f"{room}.")}
        if not codes:
            continue
        code_title, happened_title, todo_title = TITLES[language]
        lines = [
            f"## {room}",
            "",
            who[language],
            "",
            f"| {code_title} | {happened_title} | {todo_title} |",
            "|---|---|---|",
        ]
        for code, row in codes.items():
            said = [_said(text, language) for text in row.happened] or [RULE[language]]
            happened = "<br>".join(said)
            todo = [_said(text, language) for text in row.hints]
            todo += [f"{translate('expected', language)}: {_said(text, language)}" for text in row.expected]
            lines.append(f"| `{code}` | {happened} | {'<br>'.join(todo) or '–'} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def pages() -> dict[Language, str]:
    """Write both pages from the source as it is."""
    rows = Source(messages.SOURCE).rows()
    return {language: page(rows, language) for language in PAGES}


if __name__ == "__main__":
    for language, text in pages().items():
        PAGES[language].write_text(text, encoding="utf-8")
