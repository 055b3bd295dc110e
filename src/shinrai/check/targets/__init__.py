"""Systems under test: how a call reaches each kind of them."""
