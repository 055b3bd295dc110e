"""Items that come in clusters: templates, documents, repeats of one prompt.

Items of one cluster tend to pass or fail together. A test that takes them for independent trials counts one piece of
news many times: at an intra-class correlation of 0.3 it is wrong in about half of all runs, whatever test it is. Two
ways are valid, when the clusters themselves are a random sample of what the claim is about:

- **Breadth first** (`breadth_first_order`): one fresh item of each cluster, clusters in random order. Each such item
  is an independent trial, and every test of this package applies. Stop at the number of clusters.
- **Cluster means** (`cluster_mean`): ask everything of a cluster and let its mean be one score of `MeanTest`. A cluster
  then counts like one trial, so this costs more calls; it is the way for repeats of one prompt, which say nothing new
  about other prompts.

Both are about the rate of a cluster drawn at random, in which a large cluster counts as much as a small one. A claim
about one finite data set (`FinitePopulationTest`) needs neither: there the items themselves are what the claim is
about, in an order that is random over items, and clusters do no harm.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from shinrai.stats.mean import require_score

__all__ = ["breadth_first_order", "cluster_mean", "fresh_items"]


def breadth_first_order(items: Sequence[str], clusters: Sequence[str], seed: int) -> list[int]:
    """Put items into an order in which no cluster comes again before every cluster has come.

    Parameters
    ----------
    items
        Id of each item, all different.
    clusters
        Id of the cluster of each item, same length.
    seed
        The committed seed.

    Returns
    -------
    list of int
        Positions in `items`: first one item of each cluster, then a second of each that has one, and so on. Which item
        of a cluster, and the order of the clusters in each round, follow from the SHA-256 of seed and ids: they can be
        recomputed by anybody, do not depend on the order of the input, and leaving out a cluster moves no other.

    Raises
    ------
    ValueError
        If the lengths differ or an item comes twice.
    """
    if len(items) != len(clusters):
        raise ValueError(f"there are {len(items)} items and {len(clusters)} clusters; each item needs one")
    if len(set(items)) != len(items):
        raise ValueError("an item comes twice; repeats of one prompt must have ids of their own")
    members: defaultdict[str, list[int]] = defaultdict(list)
    for position in sorted(range(len(items)), key=lambda position: _rank(seed, "item", items[position])):
        members[clusters[position]].append(position)
    placed = [
        (turn, _rank(seed, f"turn {turn}", cluster), position)
        for cluster, positions in members.items()
        for turn, position in enumerate(positions)
    ]
    return [position for _, _, position in sorted(placed)]


def fresh_items(clusters: Sequence[str]) -> int:
    """Count the trials at the start of an order before a cluster comes again.

    Only these are independent trials. In the order of `breadth_first_order` this is the number of clusters; in an order
    that goes depth first it is small, which a caller should warn about.

    Parameters
    ----------
    clusters
        Id of the cluster of each trial, in the order in which they are drawn.

    Returns
    -------
    int
        From 0 to the number of clusters.
    """
    seen: set[str] = set()
    for count, cluster in enumerate(clusters):
        if cluster in seen:
            return count
        seen.add(cluster)
    return len(clusters)


def cluster_mean(scores: Sequence[tuple[float, float]], lower: float = 0.0, upper: float = 1.0) -> tuple[float, float]:
    """Turn the observations of one cluster into one observation of its mean, for `MeanTest`.

    Parameters
    ----------
    scores
        Every observation of the cluster, each at least so much and at most so much; a missing one is the whole range.
        Leaving out the missing ones would be a selection.
    lower, upper
        Range of the score.

    Returns
    -------
    tuple of float
        The lowest and the highest value that the mean can have, ``lower <= low <= high <= upper``.

    Raises
    ------
    ValueError
        If there is no observation, or one does not lie in the range.
    """
    if not scores:
        raise ValueError("a cluster without any observation has no mean")
    for low, high in scores:
        require_score(low, high, lower, upper)
    lowest, highest = (sum(ends) / len(scores) for ends in zip(*scores, strict=True))
    return max(lower, lowest), min(upper, max(lowest, highest))


def _rank(seed: int, what: str, name: str) -> str:
    return hashlib.sha256(f"{seed}:{what}:{name}".encode()).hexdigest()
