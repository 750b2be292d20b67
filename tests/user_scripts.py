"""Scripts as people write them, run with and without danlu: each prints a hash of the weights that it ends with."""

_HEAD = """
import hashlib, sys
import torch, torch.nn.functional as F
from torch import nn

def digest(*nets):
    tensors = [tensor for net in nets for tensor in net.state_dict().values()]
    return hashlib.sha256(b"".join(one.detach().float().numpy().tobytes() for one in tensors)).hexdigest()
"""

_MLP = (
    _HEAD
    + """
torch.manual_seed(0)
x = torch.randn(512, 8)
y = (x[:, 0] > 0).long()
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
)
_EPOCHS = """
for epoch in range({epochs}):
    for i in range(0, 512, 32):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[i:i + 32]), y[i:i + 32])
        loss.backward()
        optimizer.step()
print(digest(model))
"""

TRAININGS: dict[str, str] = {
    "a generative adversarial net": _HEAD + """
torch.manual_seed(0)
netG = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
netD = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
optG = torch.optim.Adam(netG.parameters(), lr=1e-3)
optD = torch.optim.Adam(netD.parameters(), lr=1e-3)
bce = nn.BCEWithLogitsLoss()
for step in range(60):
    real, fake = torch.randn(64, 2) * 0.5 + 1, netG(torch.randn(64, 8))
    optD.zero_grad()
    loss = bce(netD(real), torch.ones(64, 1)) + bce(netD(fake.detach()), torch.zeros(64, 1))
    loss.backward()
    optD.step()
    optG.zero_grad()
    bce(netD(fake), torch.ones(64, 1)).backward()
    optG.step()
print(digest(netG, netD))
""",
    "a DQN with a replay memory": _HEAD + """
import copy, random
torch.manual_seed(0); random.seed(0)
q = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
target = copy.deepcopy(q)
memory, state = [], torch.randn(4)
opt = torch.optim.Adam(q.parameters(), lr=1e-3)
for step in range(200):
    with torch.no_grad():
        action = q(state).argmax().item() if random.random() > 0.2 else random.randrange(2)
    following, reward = torch.randn(4), float(state[0] > 0) * action
    memory.append((state, action, reward, following)); state = following
    if len(memory) > 32:
        s, a, r, n = zip(*random.sample(memory, 32))
        with torch.no_grad():
            goal = torch.tensor(r) + 0.9 * target(torch.stack(n)).max(1).values
        loss = F.smooth_l1_loss(q(torch.stack(s)).gather(1, torch.tensor(a)[:, None])[:, 0], goal)
        opt.zero_grad(); loss.backward(); opt.step()
    if step % 50 == 0:
        target.load_state_dict(q.state_dict())
print(digest(q))
""",
    "a transformer in bfloat16 that accumulates": _HEAD + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.head = nn.Linear(16, 20)
    def forward(self, tokens):
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        return self.head(self.layer(self.embed(tokens), src_mask=mask, is_causal=True))

torch.manual_seed(0)
text = torch.randint(0, 20, (64, 13))
model = Net()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for micro in range(60):
    batch = text[torch.randint(0, 64, (8,))]
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(batch[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten()) / 2
    loss.backward()
    if micro % 2:
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
print(digest(model))
""",
    "a loader with workers, and validation": _HEAD + """
from torch.utils.data import DataLoader, TensorDataset

def main():
    torch.manual_seed(0)
    x = torch.randn(256, 8)
    data = TensorDataset(x, (x[:, 0] > 0).long())
    loader = DataLoader(data, batch_size=32, shuffle=True, num_workers=2)
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.9)
    for epoch in range(2):
        model.train()
        for a, b in loader:
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(model(a), b).backward()
            optimizer.step()
        scheduler.step()
        model.eval()
        with torch.no_grad():
            F.cross_entropy(model(x), data.tensors[1])
    print(digest(model))

if __name__ == "__main__":
    main()
""",
    "a child process that is spawned": _MLP + """
import multiprocessing

def work(queue):
    queue.put(__name__)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    child = context.Process(target=work, args=(queue,))
    child.start(); print(queue.get()); child.join()
""" + _EPOCHS.format(epochs=1).replace("\n", "\n    ").replace("    for epoch", "    for epoch", 1),
    "three folds one after the other": _HEAD + """
nets = []
for fold in range(3):
    torch.manual_seed(fold)
    net = nn.Linear(4, 1); nets.append(net)
    sgd = torch.optim.SGD(net.parameters(), lr=0.01)
    for step in range(12):
        x = torch.randn(16, 4)
        sgd.zero_grad()
        F.mse_loss(net(x)[:, 0], x.sum(1)).backward()
        sgd.step()
print(digest(*nets))
""",
    "layers that are called one by one": _MLP + """
for step in range(40):
    optimizer.zero_grad()
    h = x[:64]
    for layer in model:
        h = layer(h)
    F.cross_entropy(h, y[:64]).backward()
    optimizer.step()
print(digest(model))
""",
}  # fmt: skip
"""Scripts that train and end with 0."""

WATCHED: dict[str, int] = {"three folds one after the other": 3}
"""How many trainings are watched, where it is not one."""

ENDINGS: dict[str, tuple[str, list[str], int]] = {
    "sys.exit with a number": ("import sys\nprint('a'); sys.exit(7)", [], 7),
    "sys.exit with a sentence": ("import sys\nsys.exit('no data')", [], 1),
    "an exception in a function": (
        ("def f(n):\n    if n:\n        return f(n - 1)\n    raise ValueError('bad')\n\n"
         "try:\n    f(2)\nexcept ValueError as error:\n    raise RuntimeError('worse') from error\n"), [], 1,
    ),
    "an error of syntax": ("print('a'\n", [], 1),
    "arguments that look like danlu's": (
        "import sys, os\nprint(sys.argv, __name__, __file__, __package__, __spec__, os.getcwd(), sys.path[0])",
        ["--json", "--lang", "zh", "-m", "--folder"], 0,
    ),
    "a hook of its own": (
        "import sys\nsys.excepthook = lambda kind, error, trace: print('hooked', kind, trace.tb_lineno)\n1 / 0", [], 1,
    ),
    "something to do at exit": (
        "import atexit\natexit.register(print, 'bye')\nclass A: pass\nraise KeyError(A)", [], 1,
    ),
    "the main module found again": (
        ("import sys, pickle\nclass A: pass\n"
         "print(sys.modules['__main__'].A is A, type(pickle.loads(pickle.dumps(A()))))"),
        [], 0,
    ),
    "an exception in a training": (
        _MLP + "\ndef forward(x):\n    return model(x)\n\nfor step in range(9):\n    optimizer.zero_grad()\n"
        "    F.cross_entropy(forward(x), y + (step > 6) * 9).backward()\n    optimizer.step()\n", [], 1,
    ),
}  # fmt: skip
"""How programs end: source, arguments, exit code."""

UNHEALTHY = _MLP.replace("nn.Linear(16, 2))", "nn.Linear(16, 2), nn.Softmax(1))") + _EPOCHS.format(epochs=3)
