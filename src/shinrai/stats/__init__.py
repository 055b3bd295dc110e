"""Anytime-valid inference: verdicts that may be looked at after every observation. Usable on its own.

============================ =========================================================
the claim is about           use
============================ =========================================================
a failure rate, at most      `ProportionTest`; before the run `plan_proportion`
a rate inside a band         `BandTest`
a mean score, at least       `MeanTest`
the ratio of two groups      `RatioTest`
the difference of two groups `DifferenceTest`
one look at a fixed n        `binomial_interval`
============================ =========================================================

`shinrai.stats.sequential` holds what they have in common, and how they treat missing outcomes.
"""

from shinrai.stats.band import BandTest
from shinrai.stats.contrast import DifferenceTest, RatioTest
from shinrai.stats.fixed import binomial_interval, fixed_sample_size
from shinrai.stats.mean import MeanTest
from shinrai.stats.planner import ProportionPlan, plan_proportion
from shinrai.stats.proportion import ProportionTest, StoppingTable, smallest_clean_sample, stopping_table
from shinrai.stats.sequential import Decision, GroupedTest, Interval, ScoreTest, SequentialTest, TracePoint

__all__ = [
    "BandTest",
    "Decision",
    "DifferenceTest",
    "GroupedTest",
    "Interval",
    "MeanTest",
    "ProportionPlan",
    "ProportionTest",
    "RatioTest",
    "ScoreTest",
    "SequentialTest",
    "StoppingTable",
    "TracePoint",
    "binomial_interval",
    "fixed_sample_size",
    "plan_proportion",
    "smallest_clean_sample",
    "stopping_table",
]
