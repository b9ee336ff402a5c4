"""What consumers do with a space, replayed: labels read off vectors, searches, commands."""

from spaceport.spaces.compatibility.tasks.base import Replay, Scores, Task, Through
from spaceport.spaces.compatibility.tasks.command import CommandTask
from spaceport.spaces.compatibility.tasks.labels import LabelsTask
from spaceport.spaces.compatibility.tasks.retrieval import RetrievalTask

__all__ = [
    "KINDS",
    "CommandTask",
    "LabelsTask",
    "Replay",
    "RetrievalTask",
    "Scores",
    "Task",
    "Through",
]

KINDS: dict[str, type[Task]] = {
    "labels": LabelsTask,
    "probe": LabelsTask,
    "retrieval": RetrievalTask,
    "command": CommandTask,
}
"""The class of a task by what its `kind` says."""
