"""exact, includes, regex, json-schema, language, and the handling of missing calls that all scorers share."""

import time

import pytest
from pydantic import TypeAdapter

from shinrai.check.scorers import Context, explain, scorer
from shinrai.errors import UsageError
from shinrai.records import Call, Item, Score, ScorerUse

USE: TypeAdapter[ScorerUse] = TypeAdapter(ScorerUse)


def scored(use: dict[str, object], *replies: object, **fields: object) -> Score:
    rule = scorer(USE.validate_python(use), Context())
    return rule(Item("i", fields), ["q"] * len(replies), [Call(str(n), "ok", r) for n, r in enumerate(replies)])


def outcome(use: dict[str, object], *replies: object, **fields: object) -> str:
    return scored(use, *replies, **fields).outcome


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        ("東京１２", "pass"),
        ("  東京12\n", "pass"),
        ("東\u200b京12", "pass"),
        ("東京12。", "fail"),
        ("", "fail"),
        ("Tokyo", "fail"),
    ],
)
def test_exact(reply: str, result: str) -> None:
    assert outcome({"id": "exact", "expected": "東京12"}, reply) == result


def test_exact_minds_case_and_takes_its_text_from_the_item() -> None:
    assert outcome({"id": "exact", "field": "label"}, "Yes", label="yes") == "fail"
    assert outcome({"id": "exact", "field": "label"}, "yes", label="yes") == "pass"
    assert outcome({"id": "exact", "field": "label"}, "42", label=42) == "pass"
    assert outcome({"id": "exact", "field": "label"}, "", label=None) == "invalid"
    assert outcome({"id": "exact", "field": "label"}, "True", label=True) == "invalid"


@pytest.mark.parametrize(
    ("reply", "must", "result"),
    [
        ("Bring your RESIDENCE　card", "appear", "pass"),
        ("ｒｅｓｉｄｅｎｃｅ card", "appear", "pass"),
        ("bring cash", "appear", "fail"),
        ("", "appear", "fail"),
        ("bring cash", "not-appear", "pass"),
        ("the Residence Card", "not-appear", "fail"),
        (" ", "not-appear", "invalid"),
    ],
)
def test_includes(reply: str, must: str, result: str) -> None:
    assert outcome({"id": "includes", "text": "residence card", "must": must}, reply) == result


def test_includes_refuses_a_blank_text() -> None:
    with pytest.raises(UsageError, match="blank"):
        scored({"id": "includes", "text": "\u200b "}, "x")
    assert outcome({"id": "includes", "field": "word"}, "x", word="\u200b") == "invalid"


@pytest.mark.parametrize(
    ("pattern", "reply", "must", "result"),
    [
        (r"^\d{3}-\d{4}$", "100-0001", "match", "pass"),
        (r"^\d{3}-\d{4}$", "100-0001\n", "match", "fail"),
        (r"(?i)kanji|漢字", "この漢字は", "match", "pass"),
        (r"\p{Han}{2}", "かな", "match", "fail"),
        (r"<script", "<b>", "not-match", "pass"),
        (r"<script", "<script>", "not-match", "fail"),
        (r"<script", "", "not-match", "invalid"),
        (r"^$", "", "match", "pass"),
        ("\ufffd", "a\ud800b", "match", "pass"),
    ],
)
def test_regex(pattern: str, reply: str, must: str, result: str) -> None:
    assert outcome({"id": "regex", "pattern": pattern, "must": must}, reply) == result


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?=a)b", "(?<!a)b", "\ud800", "(((a{1,1000}){1,1000}){1,1000})"])
def test_a_pattern_without_a_bound_on_its_time_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError) as refused:
        scored({"id": "regex", "pattern": pattern}, "x")
    assert refused.value.code == "scorer.bad-pattern"


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)*c", r"(a|aa)+$", r"(.*)*x", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_patterns_that_explode_elsewhere_stay_linear(pattern: str) -> None:
    start = time.process_time()
    assert outcome({"id": "regex", "pattern": pattern}, "a" * 200_000 + "!") == "fail"
    assert time.process_time() - start < 1


SCHEMA = {
    "type": "object",
    "required": ["answer"],
    "properties": {"answer": {"enum": ["yes", "no"]}, "on": {"type": "string", "format": "date"}},
}


@pytest.mark.parametrize(
    ("reply", "result", "words"),
    [
        ('{"answer": "yes"}', "pass", ""),
        (' \n{"answer": "no", "on": "2026-04-01"}\n', "pass", ""),
        ('{"answer": "maybe"}', "fail", "/answer (enum)"),
        ('{"answer": "no", "on": "1 April"}', "fail", "/on (format)"),
        ("{}", "fail", "required"),
        ('```json\n{"answer": "yes"}\n```', "fail", "code fence"),
        ('Here you are: {"answer": "yes"}', "fail", "not JSON"),
        ('{"answer": "yes",}', "fail", "not JSON"),
        ("{'answer': 'yes'}", "fail", "not JSON"),
        ('{"answer": "no", "answer": "yes"}', "fail", "twice"),
        ('{"answer": NaN}', "fail", "NaN"),
        ('{"answer": 1e999}', "fail", "too large"),
        ('{"answer": ' + "9" * 5_000 + "}", "fail", "too long"),
        ('{"answer": "\\ud800"}', "fail", "surrogate"),
        ('{"\\ud800": 1}', "fail", "surrogate"),
        ('{"answer": "\ud800"}', "fail", "surrogate"),
        ("[" * 500 + "]" * 500, "fail", "too deep"),
        ("[" * 100_000, "fail", "too deep"),
        ("", "fail", "empty"),
    ],
)
def test_json_schema(reply: str, result: str, words: str) -> None:
    score = scored({"id": "json-schema", "schema": SCHEMA}, reply)
    assert score.outcome == result
    assert words in score.detail


def test_json_schema_compares_the_expected_fields() -> None:
    use: dict[str, object] = {"id": "json-schema", "schema": {}, "field": "wanted"}
    assert outcome(use, '{"a": 1.0, "b": [true], "c": {}}', wanted={"a": 1, "b": [True]}) == "pass"
    assert outcome(use, '{"a": true}', wanted={"a": 1}) == "fail"
    assert outcome(use, "{}", wanted={"a": None}) == "fail"
    assert outcome(use, "[]", wanted={"a": 1}) == "fail"
    assert outcome(use, "{}", wanted="a") == "invalid"
    assert outcome(use, "{}") == "invalid"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "bogus"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "file:///etc/hostname"},
        {"pattern": "(?=a)"},
        {"$schema": "http://nowhere.invalid/x"},
    ],
)
def test_json_schema_refuses_a_schema_it_cannot_use(schema: dict[str, object]) -> None:
    with pytest.raises(UsageError) as refused:
        scored({"id": "json-schema", "schema": schema}, "{}")
    assert refused.value.code == "scorer.bad-schema"


@pytest.mark.parametrize(
    ("reply", "expected", "result"),
    [
        ("住民票は窓口で取得できます。", "ja", "pass"),
        ("はい", "ja", "pass"),
        ("はい、マイナンバーカードがあればOKです。", "ja", "pass"),
        ("カード", "ja", "pass"),
        ("ﾏｲﾅﾝﾊﾞｰｶｰﾄﾞ", "ja", "pass"),
        ("詳しくは https://www.example.com/very/long/path をご覧ください。", "ja", "pass"),
        ("You can get it at the town hall.", "ja", "fail"),
        ("Please bring your 住民票 to the counter.", "ja", "fail"),
        ("您可以在市政厅的窗口申请居民证明书，请携带身份证件。", "ja", "fail"),
        ("東京都", "ja", "invalid"),
        ("주민등록등본은 시청에서 받을 수 있습니다.", "ja", "fail"),
        ("You can get it at the town hall.", "en", "pass"),
        ("OK", "en", "pass"),
        ("Café owners need a licence.", "en", "pass"),
        ("住民票は窓口で取得できます。", "en", "fail"),
        ("Please go to 市役所の窓口 now.", "en", "fail"),
        ("Пожалуйста", "en", "fail"),
        ("", "en", "fail"),
        (" \n", "ja", "fail"),
        ("42", "en", "invalid"),
        ("🙂", "ja", "invalid"),
    ],
)
def test_language(reply: str, expected: str, result: str) -> None:
    assert outcome({"id": "language", "expected": expected}, reply) == result
    assert outcome({"id": "language"}, reply, lang=expected) == result


def test_language_of_an_item_without_one_is_invalid() -> None:
    assert outcome({"id": "language"}, "Hello there") == "invalid"
    assert outcome({"id": "language"}, "Hello there", lang="fr") == "invalid"
    assert outcome({"id": "language"}, "Hello there", lang=["en"]) == "invalid"


ONE_OF_EACH: list[dict[str, object]] = [
    {"id": "exact", "expected": "x"},
    {"id": "includes", "text": "x"},
    {"id": "regex", "pattern": "x"},
    {"id": "json-schema", "schema": {}},
    {"id": "refusal"},
    {"id": "personal-data"},
    {"id": "language", "expected": "en"},
    {"id": "counterfactual"},
    {"id": "consistency", "compare": "text"},
    {"id": "prediction", "field": "approved", "equals": 1},
    {"id": "same-prediction", "field": "approved"},
    {"id": "column", "column": "c", "rule": "filled"},
]


@pytest.mark.parametrize("use", ONE_OF_EACH, ids=lambda use: str(use["id"]))
def test_a_missing_call_settles_the_trial_before_any_rule(use: dict[str, object]) -> None:
    rule = scorer(USE.validate_python(use), Context())
    good, blocked, failed = Call("a", "ok", "x"), Call("b", "blocked"), Call("c", "error", error="http-500")
    item = Item("i", {"c": "x"})
    assert rule(item, ["q"] * 3, [good, blocked, failed]) == Score("error", "http-500")
    assert rule(item, ["q"] * 2, [good, blocked]) == Score("blocked")
    assert rule(item, ["q"], [Call("d", "error")]).outcome == "error"


@pytest.mark.parametrize("use", ONE_OF_EACH[:-1], ids=lambda use: str(use["id"]))
@pytest.mark.parametrize("replies", [(), (None,), (None, None), ([], 3), ({}, {})])
def test_no_reply_or_one_of_another_kind_is_invalid(use: dict[str, object], replies: tuple[object, ...]) -> None:
    assert outcome(use, *replies) == "invalid"


def test_the_worst_reply_decides() -> None:
    use: dict[str, object] = {"id": "includes", "text": "bad", "must": "not-appear"}
    assert outcome(use, "good", "good") == "pass"
    assert outcome(use, "good", "") == "invalid"
    assert outcome(use, "good", "", "bad") == "fail"


def test_details_are_english_in_files_and_inert() -> None:
    score = scored({"id": "exact", "expected": "x"}, "\u202e\x1b[31m" + "y\u3000" * 100 + "\x07")
    assert score.detail.startswith("the reply is not the expected text: y")
    assert len(score.detail) < 120
    assert score.detail.isprintable()
    assert explain(score.detail, "en") == score.detail
    assert explain("", "en") == ""
    assert explain("http-500", "en") == "http-500"
