"""The curves of a run as TensorBoard reads them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from opsin.events import Epoch, Event


class Curves:
    """Writes every number of every epoch into a TensorBoard event file in ``folder``.

    The file is opened at the first epoch, so that a probe, which has none, leaves no empty one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer: Any = None

    def watch(self, event: Event) -> None:
        """Write the terms of an epoch; other events are not for curves."""
        if not isinstance(event, Epoch):
            return
        from tensorboard.compat.proto.event_pb2 import Event as Row
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if self._writer is None:
            self._writer = EventFileWriter(str(self.folder))
        values = [
            Summary.Value(tag=f"{event.policy}/{name}", simple_value=value)
            for name, value in event.terms.items()
        ]
        row = Row(wall_time=time.time(), step=event.epoch, summary=Summary(value=values))
        self._writer.add_event(row)

    def close(self) -> None:
        """Write what is still held back."""
        if self._writer is not None:
            self._writer.close()
