"""A store under siege: real processes publish, promote, roll back, build and clean up, and are killed.

``python -m torture`` runs it on both databases and prints what it did; its exit code is 1 if anything
was lost, halved, doubled or left behind.
"""
