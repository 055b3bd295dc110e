"""The ministries' annual project reviews (行政事業レビュー): a national logic model, published as CSV."""

from __future__ import annotations

from shinrai.do.reviews.importing import Reviews, no_collection, read_reviews
from shinrai.do.reviews.keeping import Kept, keep_projects
from shinrai.do.reviews.notices import Kind, Notice, Notices
from shinrai.do.reviews.plans import Project, projects

__all__ = [
    "Kept",
    "Kind",
    "Notice",
    "Notices",
    "Project",
    "Reviews",
    "keep_projects",
    "no_collection",
    "projects",
    "read_reviews",
]
