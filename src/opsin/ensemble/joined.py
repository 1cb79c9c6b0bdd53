"""What ``opsin ensemble`` answers: who takes part, how good all are together, what that adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsin.ensemble.diversity import Diversity
from opsin.figures import Measures, Metric
from opsin.model import Model
from opsin.report.axis import fit

NAME = 48  # letters of a member's name that a table shows


@dataclass(frozen=True, eq=False)
class Seat:
    """Is one member: its name, net and seed, its votes, and its score on each part."""

    name: str
    net: str
    seed: int
    votes: float
    scores: Mapping[str, Metric]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "name": self.name,
            "net": self.net,
            "seed": self.seed,
            "votes": self.votes,
            "scores": {part: metric.to_dict() for part, metric in self.scores.items()},
        }


@dataclass(frozen=True, eq=False)
class Judged:
    """Is what one part of the pictures says: all together, how they differ, the lead on the best.

    ``lead`` is how much better all are than the best member (chosen on validation pictures where
    there are any), in the task's metric, paired picture by picture.
    """

    measures: Measures
    diversity: Diversity
    lead: Metric

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "metrics": {name: each.to_dict() for name, each in self.measures.metrics.items()},
            "diversity": self.diversity.to_dict(),
            "lead": self.lead.to_dict(),
        }


@dataclass(frozen=True, eq=False)
class Joined:
    """Is a model made of several, and what is known of it; ``best`` names the best member."""

    model: Model
    vote: str
    seats: Sequence[Seat]
    judged: Mapping[str, Judged]
    best: str

    @property
    def right(self) -> tuple[str, ...]:
        """Return the columns of numbers."""
        return "seed", "votes"

    def to_dict(self) -> dict[str, Any]:
        """Return what ``opsin ensemble --json`` prints."""
        return {
            "model": str(self.model.path),
            "net": self.model.net_name,
            "task": self.model.header()["task"],
            "vote": self.vote,
            "classes": list(self.model.classes),
            "members": [seat.to_dict() for seat in self.seats],
            "best": self.best,
            "metrics": self.model.about["metrics"],
            "parts": {name: each.to_dict() for name, each in self.judged.items()},
        }

    def table(self, width: int) -> list[dict[str, str]]:
        """Return a row for each member, and one for all together."""
        better = self.model.task.better
        rows = [
            {
                "member": fit(seat.name, min(NAME, max(12, width // 3))),
                "net": seat.net,
                "seed": str(seat.seed),
                "votes": f"{seat.votes:.4g}",
                **{f"{part} {better}": metric.short() for part, metric in seat.scores.items()},
            }
            for seat in self.seats
        ]
        together = {
            f"{part} {better}": each.measures.metrics[better].short()
            for part, each in self.judged.items()
        }
        return [*rows, {"member": "all together", "net": self.vote} | together]

    def notes(self) -> list[str]:
        """Return what the table cannot say."""
        told = [""]
        for part, each in self.judged.items():
            told.append(
                f"On {each.lead.n:,} {part} pictures, all together are {self._against(each)}."
            )
            if words := each.diversity.words():
                told.append(f"  How differently they err: {words}.")
        return [*told, f"model: {self.model.path}"]

    def _against(self, each: Judged) -> str:
        """Return in words how much all are ahead of the best member."""
        lead, than = each.lead, f"{self.best}, the best member"
        low, high = sorted((abs(lead.low), abs(lead.high)))
        if lead.low > 0:
            return f"ahead of {than}, by {lead.value:.4f} ({low:.4f} to {high:.4f})"
        if lead.high < 0:
            return f"behind {than}, by {-lead.value:.4f} ({low:.4f} to {high:.4f})"
        bounds = f"{lead.value:+.4f} ({lead.low:+.4f} to {lead.high:+.4f})"
        return f"neither clearly ahead of {than}, nor behind: {bounds}"
