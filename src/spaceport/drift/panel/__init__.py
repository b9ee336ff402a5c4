"""The joint verdict: several tests under the same splits, effects, tolerance, and where it happened."""
