"""Ways of learning, one file each, found by name (see ``_policy.py``)."""

from opsin.engine.policies._policy import Learnt, Part, Policy, Ready, Setting, find, names

__all__ = ["Learnt", "Part", "Policy", "Ready", "Setting", "find", "names"]
