"""Anytime-valid inference: verdicts that may be looked at after every observation. Usable on its own.

============================ ====================================================================================
the claim is about           use
============================ ====================================================================================
a failure rate, at most      `ProportionTest`; before the run `plan_proportion`
the same of one data set     `FinitePopulationTest`; before the run `plan_finite_population`
a rate inside a band         `BandTest`
a mean score, at least       `MeanTest`; of one data set `FinitePopulationMeanTest`
the ratio of two groups      `RatioTest`; of more `GroupRatioTest`
the difference of two groups `DifferenceTest`; of more `GroupDifferenceTest`
items that come in clusters  `breadth_first_order`, or `cluster_mean` with `MeanTest`
two versions, same items     `PairedTest`; "not worse by more than" `PairedTest.non_inferiority`
what people would say        `JudgedRateTest`, `JudgedMeanTest`; to prove a violation only, `ConfirmedFlagsTest`
how two labellers agree      `cohen_kappa`
all of several claims        `decide_gate`
each of several claims       `decide_table`
a promise in operation       `RateMonitor`, `MeanMonitor`
one look at a fixed n        `FixedProportionTest`, `FixedBandTest`, `FixedContrastTest`; the interval alone
                             `binomial_interval`, `hypergeometric_interval`
============================ ====================================================================================

`shinrai.stats.sequential` holds what they have in common, and how they treat missing outcomes.
"""

from shinrai.stats.agreement import Agreement, cohen_kappa
from shinrai.stats.band import BandTest
from shinrai.stats.change import MeanMonitor, MonitorState, RateMonitor
from shinrai.stats.clusters import breadth_first_order, cluster_mean, fresh_items
from shinrai.stats.contrast import DifferenceTest, GroupDifferenceTest, GroupRatioTest, RatioTest
from shinrai.stats.finite import FinitePopulationTest, finite_stopping_table
from shinrai.stats.finite_mean import FinitePopulationMeanTest
from shinrai.stats.fixed import binomial_interval, fixed_sample_size, hypergeometric_interval
from shinrai.stats.fixed_tests import FixedBandTest, FixedContrastTest, FixedProportionTest
from shinrai.stats.flags import ConfirmedFlagsTest, fewest_labels_to_pass
from shinrai.stats.judge import JudgedMeanTest, JudgedRateTest, fewest_clean_blocks
from shinrai.stats.mean import MeanTest
from shinrai.stats.multiple import anytime_p_value, decide_gate, decide_table, holm
from shinrai.stats.paired import PairedTest
from shinrai.stats.planner import ProportionPlan, plan_at_half, plan_finite_population, plan_proportion
from shinrai.stats.proportion import ProportionTest, borderline_range
from shinrai.stats.sequential import Decision, GroupedTest, Interval, ScoreTest, SequentialTest, TracePoint
from shinrai.stats.stopping import StoppingTable, smallest_clean_sample, stopping_table

__all__ = [
    "Agreement",
    "BandTest",
    "ConfirmedFlagsTest",
    "Decision",
    "DifferenceTest",
    "FinitePopulationMeanTest",
    "FinitePopulationTest",
    "FixedBandTest",
    "FixedContrastTest",
    "FixedProportionTest",
    "GroupDifferenceTest",
    "GroupRatioTest",
    "GroupedTest",
    "Interval",
    "JudgedMeanTest",
    "JudgedRateTest",
    "MeanMonitor",
    "MeanTest",
    "MonitorState",
    "PairedTest",
    "ProportionPlan",
    "ProportionTest",
    "RateMonitor",
    "RatioTest",
    "ScoreTest",
    "SequentialTest",
    "StoppingTable",
    "TracePoint",
    "anytime_p_value",
    "binomial_interval",
    "borderline_range",
    "breadth_first_order",
    "cluster_mean",
    "cohen_kappa",
    "decide_gate",
    "decide_table",
    "fewest_clean_blocks",
    "fewest_labels_to_pass",
    "finite_stopping_table",
    "fixed_sample_size",
    "fresh_items",
    "holm",
    "hypergeometric_interval",
    "plan_at_half",
    "plan_finite_population",
    "plan_proportion",
    "smallest_clean_sample",
    "stopping_table",
]
