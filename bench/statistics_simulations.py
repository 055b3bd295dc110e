"""The statistics by simulation, beside the figures of an independent program for the same situations.

Each figure carries its own Monte-Carlo error (one standard error); the reference has one too, from 20,000 runs for
error rates and 2,000 to 4,000 for means. Where a bet differs from the reference's, the row says so.
"""

import heapq
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from shinrai.stats import ConfirmedFlagsTest, RateMonitor, fixed_sample_size, holm, plan_proportion, stopping_table
from shinrai.stats.betting import gains_above, gains_below, log_wealth
from shinrai.stats.change import detector_step, rate_bets
from shinrai.stats.judge import TRUST, judged_gains, judged_log_evidence
from shinrai.stats.rates import log_evidence_above, log_evidence_below

ALPHA = 0.05
NEEDED = -math.log(ALPHA)
OTHER = "other bets for violated"
Row = tuple[str, str, str]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]


def rows() -> list[Row]:
    """Simulate, as (what, figure, reference)."""
    rng = np.random.default_rng(20260601)
    parts = (peeking, parallel, arrival, means, clusters, tables, judges, monitors)
    return [row for part in parts for row in part(rng)]


def share(flags: Flags) -> str:
    p = float(flags.mean())
    return f"{p:.3f} ± {math.sqrt(max(p * (1.0 - p), 1e-12) / flags.size):.3f}"


def mean(values: Floats | Counts) -> str:
    error = float(values.std()) / math.sqrt(values.size)
    return f"{float(values.mean()):,.0f} ± {error:,.0f}"


def first(reached: Flags, never: int) -> Counts:
    """Index, from 1, of the first that is true along the last axis; `never` where there is none."""
    return np.asarray(np.where(reached.any(axis=-1), reached.argmax(axis=-1) + 1, never))


def verdict_times(failed: Flags, limit: float) -> tuple[Flags, Flags, Counts]:
    """Run our proportion test: said "met", said "violated", trials used."""
    horizon = failed.shape[-1]
    table = stopping_table(limit, ALPHA, horizon)
    failures = np.cumsum(failed, axis=-1, dtype=np.int32)
    below = first(failures <= np.array(table.met[1:]), horizon + 1)
    above = first(failures >= np.array(table.violated[1:]), horizon + 1)
    return below < above, above < below, np.minimum(np.minimum(below, above), horizon)


def peeking(rng: np.random.Generator) -> Iterator[Row]:
    """Section 2.2: wrong verdicts exactly at the limit with a look after every trial."""
    reference = {0.02: ("0.045 / 0.029", "0.736 / 0.036"), 0.1: ("0.043 / 0.032", "0.411 / 0.130")}
    n = np.arange(1.0, 2001.0)
    for limit, (ours, naive) in reference.items():
        plan = plan_proportion(limit, ALPHA, 10 * fixed_sample_size(limit, ALPHA), limit)
        what = f"at the limit {limit:g}, a look after every trial: says met / violated"
        yield f"{what}, exact", f"{plan.met:.3f} / {plan.violated:.3f}", f"{ours} ({OTHER})"
        rate = np.cumsum(rng.random((2000, 2000), dtype=np.float32) < limit, axis=1) / n
        half = 1.96 * np.sqrt(rate * (1.0 - rate) / n)
        below, above = first((rate + half < limit)[:, 19:], 9999), first((rate - half > limit)[:, 19:], 9999)
        yield f"{what}, plain 95 % interval from trial 20 on", f"{share(below < above)} / {share(above < below)}", naive


def parallel(rng: np.random.Generator) -> Iterator[Row]:
    """Section 2.5: calls sent with 64 in flight, in fixed batches and in batches that could still matter."""
    limit, cap = 0.02, 64
    horizon = 10 * fixed_sample_size(limit, ALPHA)
    met = np.array(stopping_table(limit, ALPHA, horizon).met)
    reference = {0.0: (211, 256, 211), 0.25: (427, 462, 427), 0.5: (1100, 1133, 1100), 3.0: (162, 195, 195)}
    for multiple, (one, fixed, adaptive) in reference.items():
        failed = rng.random((1000, 6000), dtype=np.float32) < multiple * limit
        calls = verdict_times(failed, limit)[2]
        sent = np.array([batched(run, int(stop), met, cap) for run, stop in zip(failed, calls, strict=True)])
        what = f"limit {limit:g}, true rate {multiple:g} x limit: calls"
        note = f" ({OTHER})" if multiple > 1.0 else ""
        yield f"{what} one by one", mean(calls), f"{one}{note}"
        yield f"{what} in batches of {cap}", mean(np.ceil(calls / cap) * cap), f"{fixed}{note}"
        yield f"{what} in batches that matter, at most {cap}", mean(sent), f"{adaptive}{note}"


def batched(failed: Flags, stop: int, met: Counts, cap: int) -> int:
    """Send in batches as long as needed to complete "met" if all pass, until the batch that holds `stop`."""
    failures, sent = np.concatenate(([0], np.cumsum(failed))), 0
    while sent < stop:
        clean = int(np.argmax(met[sent + 1 : sent + 1 + cap] >= failures[sent])) + 1
        possible = met[sent + clean] >= failures[sent]
        sent += clean if possible else cap
    return sent


def arrival(rng: np.random.Generator) -> Iterator[Row]:
    """Section 2.5: replies folded in as they come back, 64 in flight."""
    for limit, slowdown, arrived, sent in ((0.02, 3.0, "0.152", "0.037"), (0.05, 10.0, "0.960", "0.041")):
        failed = rng.random((500, int(30 / limit))) < limit
        shuffled = np.stack([run[order_of_arrival(run, 64, slowdown, rng)] for run in failed])
        what = f"at the limit {limit:g}, failing replies {slowdown:g} x slower: says met"
        yield f"{what}, in order of arrival", share(verdict_times(shuffled, limit)[0]), arrived
        yield f"{what}, in committed order", share(verdict_times(failed, limit)[0]), sent


def order_of_arrival(failed: Flags, concurrency: int, slowdown: float, rng: np.random.Generator) -> list[int]:
    durations = (rng.exponential(1.0, failed.size) * np.where(failed, slowdown, 1.0)).tolist()
    running = [(durations[index], index) for index in range(concurrency)]
    heapq.heapify(running)
    order, following = [], concurrency
    while running:
        now, index = heapq.heappop(running)
        order.append(index)
        if following < failed.size:
            heapq.heappush(running, (now + durations[following], following))
            following += 1
    return order


def means(rng: np.random.Generator) -> Iterator[Row]:
    """Section 2.6: calls of the eight bets to "mean >= 0.7", and wrong verdicts at 0.7."""
    reference = {
        "rubric of five": {0.6: 49, 0.65: 175, 0.75: 165, 0.8: 51, 0.9: 21},
        "beta, sd 0.2": {0.6: 37, 0.65: 136, 0.75: 145, 0.8: 47, 0.9: 21},
        "beta, sd 0.06": {0.6: 18, 0.65: 35, 0.75: 72, 0.8: 37, 0.9: 19},
        "0 or 1": {0.6: 184, 0.65: 719, 0.75: 640, 0.8: 155, 0.9: 36},
    }
    errors = {"rubric of five": "0.029 / 0.034", "beta, sd 0.2": "0.028 / 0.033"}
    errors |= {"beta, sd 0.06": "0.017 / 0.026", "0 or 1": "0.033 / 0.034"}
    for name, calls in reference.items():
        for true, expected in calls.items():
            x = scores(rng, name, true, (500, min(5000, 8 * expected)))
            above, below = (log_wealth(gains) >= NEEDED for gains in _both(x))
            used = np.minimum(first(above, x.shape[1]), first(below, x.shape[1]))
            yield f"{name}, mean {true:g} against 0.7: calls", mean(used), f"{expected}"
        parts = [_both(scores(rng, name, 0.7, (500, 2000))) for _ in range(4)]
        above_at, below_at = (
            np.concatenate([first(log_wealth(side) >= NEEDED, 9999) for side in sides])
            for sides in zip(*parts, strict=True)
        )
        figure = f"{share(above_at < below_at)} / {share(below_at < above_at)}"
        yield f"{name}, at 0.7, 2,000 trials: says above / below", figure, f"{errors[name]} (5,000 trials)"


def _both(x: Floats) -> tuple[Floats, Floats]:
    return gains_above(x, 0.7, 0.0), gains_below(x, 0.7, 1.0)


def scores(rng: np.random.Generator, name: str, true: float, shape: tuple[int, int]) -> Floats:
    if name == "rubric of five":
        return np.asarray(rng.binomial(4, true, shape) / 4.0)
    if name == "0 or 1":
        return np.asarray((rng.random(shape) < true).astype(float))
    strength = 4.0 if name == "beta, sd 0.2" else 60.0
    return rng.beta(strength * true, strength * (1.0 - true), shape)


def clusters(rng: np.random.Generator) -> Iterator[Row]:
    """Section 2.8: items that share a template, 400 clusters; wrong verdicts at the limit."""
    reference = {
        (0.05, 5, 0.1): ("0.093 / 0.090", "0.029 / 0.023", "0.004 / 0.023"),
        (0.05, 20, 0.3): ("0.579 / 0.378", "0.029 / 0.024", "0.005 / 0.026"),
        (0.2, 5, 0.3): ("0.247 / 0.240", "0.041 / 0.032", "0.019 / 0.024"),
        (0.2, 20, 0.1): ("0.360 / 0.307", "0.039 / 0.029", "0.010 / 0.024"),
    }
    for (limit, size, correlation), (ignored, one, whole) in reference.items():
        strength = 1.0 / correlation - 1.0
        rates = rng.beta(limit * strength, (1.0 - limit) * strength, (1000, 400))
        failed = rng.random((1000, 400, size), dtype=np.float32) < rates[..., None]
        what = f"limit {limit:g}, clusters of {size}, correlation {correlation:g}: wrong met / violated"
        for name, items, against in (
            ("clusters ignored", failed.reshape(1000, -1), ignored),
            ("one of each", failed[..., 0], one),
        ):
            met, violated, _ = verdict_times(items, limit)
            yield f"{what}, {name}", f"{share(met)} / {share(violated)}", against
        averages = failed.mean(axis=2)
        low, high = (
            first(log_wealth(gains) >= NEEDED, 9999)
            for gains in (gains_below(averages, limit, 1.0), gains_above(averages, limit, 0.0))
        )
        yield f"{what}, means of clusters", f"{share(low < high)} / {share(high < low)}", whole


def tables(rng: np.random.Generator) -> Iterator[Row]:
    """Section 2.9: 20 claims with a limit of 5 % and 1,500 trials each."""
    limit, budget = 0.05, 1500
    situations = {
        "20 just above the limit": ([1.0001] * 20, (0.549, 1417), (0.034, 1497)),
        "10 just above, 10 at 0.3 x limit": ([1.0001] * 10 + [0.3] * 10, (0.330, 807), (0.024, 932)),
        "15 at 0.4 x limit, 5 at 2 x limit": ([0.4] * 15 + [2.0] * 5, (0.012, 261), (0.000, 432)),
    }
    n = np.arange(1, budget + 1)
    counts = np.arange(budget + 1)[:, None]
    below = log_evidence_below(n[None, :], np.minimum(counts[:260], n[None, :]), limit)
    above = log_evidence_above(n[None, :], np.minimum(counts[:260], n[None, :]), limit)
    for name, (multiples, alone, together) in situations.items():
        rates = limit * np.array(multiples)
        for rule, (any_wrong, spent) in (("each alone", alone), ("Holm", together)):
            wrong, calls = [], []
            for _ in range(12):
                failed = rng.random((25, 20, budget), dtype=np.float32) < rates[:, None]
                failures = np.minimum(np.cumsum(failed, axis=2), 259)
                met_at, violated_at = (
                    _times(np.maximum.accumulate(side[failures, n - 1], axis=2), rule, budget)
                    for side in (below, above)
                )
                wrong.append(np.where(rates > limit, met_at < violated_at, violated_at < met_at).any(axis=1))
                calls.append(np.minimum(np.minimum(met_at, violated_at), budget).mean(axis=1))
            apart = (
                " (the reference lets both kinds of verdict share)" if rule == "Holm" and max(multiples) > 1.5 else ""
            )
            yield f"{name}, {rule}: any wrong claim", share(np.concatenate(wrong)), f"{any_wrong:.3f}"
            yield f"{name}, {rule}: calls a claim", mean(np.concatenate(calls)), f"{spent:,}{apart}"
    plan = plan_proportion(limit, ALPHA, budget, limit)
    yield "gate, one claim at the limit, 19 perfect: passes (exact)", f"{plan.met:.4f}", "0.0413 (simulated)"
    kept = plan_proportion(limit, ALPHA, budget, 0.4 * limit).met ** 20
    yield "gate, 20 claims at 0.4 x limit: passes (exact)", f"{kept:.4f}", f"0.9986 ({OTHER})"


def _times(log_evidence: Floats, rule: str, budget: int) -> Counts:
    """When each claim is decided, shape (runs, claims)."""
    if rule == "each alone":
        return first(log_evidence >= NEEDED, budget + 1)
    # Holm at every fifth trial: adjusted p-values only fall, so the time is late by at most four.
    steps = np.swapaxes(log_evidence[..., 4::5], 1, 2)
    decided = np.swapaxes(holm(np.exp(np.clip(steps, 0.0, 600.0))) <= ALPHA, 1, 2)
    return np.minimum(first(decided, budget) * 5, budget + 1)


def judges(rng: np.random.Generator) -> Iterator[Row]:
    """Section 2.10: human labels with nine judge-only calls each."""
    situations = (
        ("mean >= 0.7, judge +0.05 and noise 0.10", 0.7, {0.66: (214, 133), 0.72: (817, 430), 0.75: (142, 130)}),
        ("pass rate >= 0.7, judge 0.90 / 0.85", 0.7, {0.65: (714, 386), 0.75: (659, 366), 0.8: (157, 104)}),
        ("rate <= 0.05, judge 0.85 / 0.97", 0.05, {0.025: (507, 400), 0.075: (773, 449), 0.1: (210, 138)}),
        ("rate <= 0.02, judge 0.85 / 0.97", 0.02, {0.01: (1274, 1144), 0.04: (571, 435)}),
    )
    for name, threshold, truths in situations:
        for true, (alone, with_judge) in truths.items():
            people, helped = [], []
            for _ in range(8):
                contrasts = judged(rng, name, true, (50, 6 * alone))
                sides = judged_gains(contrasts, threshold, 0.0, 1.0)
                never = contrasts.shape[-1]
                people.append(np.minimum(*(first(log_wealth(gains[0]) >= NEEDED, never) for gains in sides)))
                helped.append(np.minimum(*(first(judged_log_evidence(gains) >= NEEDED, never) for gains in sides)))
            yield f"{name}, truth {true:g}: labels, people only", mean(np.concatenate(people)), f"{alone:,}"
            yield f"{name}, truth {true:g}: labels, with the judge", mean(np.concatenate(helped)), f"{with_judge:,}"
    for limit, true, reference in ((0.05, 0.075, 233), (0.05, 0.1, 46), (0.02, 0.04, 72), (0.02, 0.06, 21)):
        labels = np.array([flags_to_violated(rng, limit, true) for _ in range(200)])
        what = f"rate {true:g} above {limit:g}: labels to confirm flags"
        yield what, mean(labels), f"{reference} (the eight bets)"


def judged(rng: np.random.Generator, name: str, true: float, shape: tuple[int, int]) -> Floats:
    """Contrasts of blocks of ten, shape (4, runs, blocks)."""
    size = (*shape, 10)
    if name.startswith("mean"):
        y = rng.beta(4.0 * true, 4.0 * (1.0 - true), size)
        f = np.clip(y + 0.05 + rng.normal(0.0, 0.1, size), 0.0, 1.0)
    else:
        sensitivity, false_alarm = (0.9, 0.15) if name.startswith("pass") else (0.85, 0.03)
        positive, draws = rng.random(size, dtype=np.float32) < true, rng.random(size, dtype=np.float32)
        y = positive.astype(np.float64)
        f = np.where(positive, draws < sensitivity, draws < false_alarm).astype(np.float64)
    difference = f[..., 0] - f[..., 1:].mean(axis=-1)
    return np.stack([y[..., 0] - eta * difference for eta in TRUST])


def flags_to_violated(rng: np.random.Generator, limit: float, true: float) -> int:
    test, labels = ConfirmedFlagsTest(limit, ALPHA), 0
    while test.decision is None and labels < 1500:
        failed, draw = rng.random() < true, rng.random()
        flagged = draw < (0.85 if failed else 0.03)
        labels += flagged
        test.update(failed and flagged, failed and flagged)
    return labels


def monitors(rng: np.random.Generator) -> Iterator[Row]:
    """Section 3: limit 2 %, healthy traffic at 1 %, then a jump."""
    times = alarm_times(rng, [(300_000, 0.02)], 10_000.0, 400)
    yield "monitor, A = 10,000: records to a false alarm at the limit", mean(times), "14,950"
    times = alarm_times(rng, [(10_000, 0.01)], 10_000.0, 2000)
    yield "monitor, A = 10,000: alarm within A at half the limit", share(times < 10_000), "0.013"
    delays = {10_000.0: {0.03: 1281, 0.04: 509, 0.06: 198, 0.1: 78, 0.2: 27}}
    delays[100_000.0] = {0.04: 827, 0.06: 293, 0.1: 108}
    for level, reference in delays.items():
        for rate, records in reference.items():
            times = alarm_times(rng, [(5000, 0.01), (20_000, rate)], level, 1000)
            yield (
                f"monitor, A = {level:,.0f}: records from a jump to {rate:g} to the alarm",
                mean(times),
                f"{records:,}",
            )
    for rate, records in {0.04: 663, 0.06: 290, 0.1: 148}.items():
        what = f"monitor, A = 10,000, batches of 100: records from a jump to {rate:g} to the alarm"
        yield what, mean(batch_delays(rng, rate, 300)), f"{records}"
    for past, records in {0: 156, 2000: 2085}.items():
        times = left_running(rng, past, 0.06, 400)
        what = f"evaluation test left running for {past:,} (+0..5,000) records, then 0.06: records to notice"
        yield what.replace("0 (+0..5,000)", "0") if not past else what, mean(times), f"{records:,}"


def alarm_times(rng: np.random.Generator, rates: Sequence[tuple[int, float]], level: float, runs: int) -> Floats:
    """Count the records of the last stretch until the alarm; earlier alarms restart a monitor."""
    limit = 0.02
    bets = rate_bets(limit)
    factors = np.log1p(np.stack([-bets, bets * (1.0 - limit) / limit]))
    wealth, live = np.zeros((runs, bets.size)), np.arange(runs)
    times = np.full(runs, float(rates[-1][0]))
    for stretch, (records, rate) in enumerate(rates):
        last = stretch == len(rates) - 1
        for record in range(1, records + 1):
            wealth = detector_step(wealth, factors[(rng.random(live.size) < rate).astype(np.intp)], 1)
            alarm = wealth.mean(axis=1) >= level
            if last:
                times[live[alarm]] = record
                live, wealth = live[~alarm], wealth[~alarm]
            else:
                wealth[alarm] = 0.0
            if not live.size:
                break
    return times


def batch_delays(rng: np.random.Generator, rate: float, runs: int) -> Floats:
    """Count the records from a jump in the middle of a micro-batch of 100 to the alarm at the end of a batch."""
    delays: list[float] = []
    while len(delays) < runs:
        monitor = RateMonitor(0.02, 10_000.0)
        for failures in rng.binomial(100, 0.01, 50).tolist():
            monitor.update_batch(100, failures)
        before = int(rng.integers(0, 100))
        change = monitor.n + before
        monitor.update_batch(100, int(rng.binomial(before, 0.01) + rng.binomial(100 - before, rate)))
        while monitor.alarm_at is None:
            monitor.update_batch(100, int(rng.binomial(100, rate)))
        if monitor.alarm_at > change:
            delays.append(float(monitor.alarm_at - change))
    return np.array(delays)


def left_running(rng: np.random.Generator, past: int, rate: float, runs: int) -> Floats:
    """Count the records until a never restarted test says "violated" after a healthy past."""
    bets = rate_bets(0.02)
    on_pass, on_failure = np.log1p(-bets), np.log1p(bets * 49.0)
    healthy = past + (rng.integers(0, 5000, runs) if past else 0)
    failures = rng.binomial(healthy, 0.01, runs)[:, None]
    start = failures * on_failure + (np.broadcast_to(healthy, runs)[:, None] - failures) * on_pass
    horizon = 12_000 if past else 3000
    times = np.empty(runs)
    for run in range(runs):
        steps = np.where((rng.random(horizon) < rate)[:, None], on_failure, on_pass)
        logs = start[run] + np.cumsum(steps, axis=0)
        largest = logs.max(axis=1)
        times[run] = first(largest + np.log(np.exp(logs - largest[:, None]).mean(axis=1)) >= NEEDED, horizon)
    return times


if __name__ == "__main__":
    for what, figure, reference in rows():
        print(f"{what:<100} {figure:>32}   {reference}")
