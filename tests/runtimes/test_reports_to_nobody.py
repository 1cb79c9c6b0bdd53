"""What OpenVINO would tell its maker, it tells nobody: no process is forked to do so."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os
os.fork = lambda: os._exit(7)  # whoever forks ends the process
import numpy as np
from opsin import nets, runtimes
from opsin.data.preprocess import Preprocessing

pre = Preprocessing((28, 28), crop=1.0, mean=(0.5,), std=(0.5,))
net = nets.build("lenet5", outputs=2, channels=1).eval()
runtime = runtimes.load("openvino", net, pre, device="cpu")
print(runtime.run(np.zeros((1, 1, 28, 28), np.uint8)).shape)
"""


def test_loading_and_running_a_net_forks_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "(1, 2)\n"), done.stderr
