"""Show it: the tree for the terminal and the page for everybody."""
