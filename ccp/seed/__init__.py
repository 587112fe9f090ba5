"""A world of any size, made in bulk and the same for the same seed.

Unlike the demonstration, whose story the services tell, its rows are written directly: people,
roles, groups, relationships and requests of every state, assignments, declarations, and the history
of it all. `check_invariants` and `verify_history` hold it to the rules that the services keep.
"""
