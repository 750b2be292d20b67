"""In a distributed training rank 0 watches, and no other process says anything."""

import json
import socket
from pathlib import Path

import pytest
import torch

import preloaded

SCRIPT = """
import json, sys
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

import danlu

rank, port = int(sys.argv[1]), sys.argv[2]
distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
torch.manual_seed(rank)
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(dim=1))
model = DistributedDataParallel(net)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with danlu.watch(model, optimizer, shown=False) as watch:
    for _ in range(20):
        x = torch.randn(16, 8)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), x[:, :3].argmax(1)).backward()
        optimizer.step()
rules = [finding.rule for finding in watch.findings]
print(json.dumps({"rules": rules, "step": watch.measured.step, "layers": list(watch.measured.layers)}))
distributed.destroy_process_group()
"""


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this torch has no gloo")
def test_rank_0_reports(tmp_path: Path) -> None:
    script = tmp_path / "two.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    processes = [preloaded.Process([str(script), str(rank), port]) for rank in (0, 1)]
    first, second = (json.loads(process.communicate(timeout=240)[0].splitlines()[-1]) for process in processes)
    assert first["rules"][0] == "softmax-twice"
    assert first["step"] == 20
    assert first["layers"] == ["0", "2"]
    assert second == {"rules": [], "step": 0, "layers": []}
