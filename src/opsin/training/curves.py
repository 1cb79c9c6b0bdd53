"""The curves of a run as TensorBoard reads them."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from opsin.events import Epoch, Event
from opsin.files import refusals_named


class Curves:
    """Writes every number of every epoch into a TensorBoard event file in ``folder``.

    The file is opened at the first epoch, so that a probe, which has none, leaves no empty one.
    TensorBoard's own writer hands rows to a thread, which a full disk ends with a traceback.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: IO[bytes] | None = None

    def watch(self, event: Event) -> None:
        """Write the terms of an epoch; other events are not for curves."""
        if not isinstance(event, Epoch):
            return
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [
            Summary.Value(tag=f"{event.policy}/{name}", simple_value=value)
            for name, value in event.terms.items()
        ]
        with refusals_named(self.folder):
            if self._file is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                name = f"events.out.tfevents.{time.time():.0f}.{os.getpid()}"
                self._file = (self.folder / name).open("ab")
                self._row(file_version="brain.Event:2")
            self._row(step=event.epoch, summary=Summary(value=values))
            self._file.flush()

    def _row(self, **content: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event as Row
        from tensorboard.summary.writer.record_writer import RecordWriter

        assert self._file is not None
        RecordWriter(self._file).write(Row(wall_time=time.time(), **content).SerializeToString())

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            with suppress(OSError):  # a full disk was told of when the row was written
                self._file.close()
