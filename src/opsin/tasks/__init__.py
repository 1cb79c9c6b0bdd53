"""What can be asked of a net: one file a task, found by its name (see ``_task.py``)."""

from opsin.tasks._task import Head, Task, find, fitting, name_of, names

__all__ = ["Head", "Task", "find", "fitting", "name_of", "names"]
