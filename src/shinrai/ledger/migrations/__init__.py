"""How the tables came to be as they are: one file in ``versions`` for each step, up and down, run by Alembic.

A step is never changed once it was released; what it says is what ledgers out there have.
"""
