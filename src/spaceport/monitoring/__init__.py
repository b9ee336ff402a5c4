"""Watching a version in production: logs, windows, health, performance, what moved, alarms."""
