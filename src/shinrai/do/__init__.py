"""Do: bring facts in. Documents, observed values, and trials that happened elsewhere."""

from __future__ import annotations

from shinrai.do.answers import Given, answer
from shinrai.do.importing import import_file
from shinrai.do.labels import bring_labels
from shinrai.do.observing import observe_table
from shinrai.do.questionnaires import Questionnaire, questionnaire
from shinrai.do.questions import import_questions
from shinrai.do.statements import attest, observe

__all__ = [
    "Given",
    "Questionnaire",
    "answer",
    "attest",
    "bring_labels",
    "import_file",
    "import_questions",
    "observe",
    "observe_table",
    "questionnaire",
]
