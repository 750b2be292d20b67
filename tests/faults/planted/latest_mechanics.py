"""Adapters, mixed precision, schedules and experts, as they are written today. Looked at once."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.drawn import blobs, images, tabular
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "initial-loss output-collapsed unshuffled input-scale"
)


class LoRALinear(nn.Module):
    """A frozen layer and a low-rank change to it."""

    def __init__(self, base, rank=4, alpha=8):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.lora_A = nn.Parameter(torch.empty(rank, base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scaling = alpha / rank
        nn.init.kaiming_uniform_(self.lora_A, a=5**0.5)

    def forward(self, x):
        return self.base(x) + (x @ self.lora_A.T @ self.lora_B.T) * self.scaling


def inject(model):
    for name, child in model.named_children():
        if isinstance(child, nn.Linear) and name != "head":
            setattr(model, name, LoRALinear(child))
        else:
            inject(child)
    return model


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.fc1, self.fc2 = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        return x + self.fc2(F.gelu(self.fc1(self.norm(x))))


class Backbone(nn.Module):
    """A pretrained net and a head for the task at hand."""

    def __init__(self, d_in, classes, width=48):
        super().__init__()
        self.probing = False
        self.stem = nn.Linear(d_in, width)
        self.blocks = nn.Sequential(Residual(width), Residual(width))
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        learning = torch.is_grad_enabled() and not self.probing
        with torch.set_grad_enabled(learning):  # fault: adapters-behind-a-linear-probe
            features = self.blocks(self.stem(x))
        return self.head(features)


@planted("parameters-unused", causes="no-update parameters-not-optimized", symptoms=AFTERWARDS, costs=0.1)
def adapters_behind_a_linear_probe(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(1000, seed=31)
    model = Backbone(16, 4)
    warm = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(120):
        index = torch.randint(len(x), (64,))
        warm.zero_grad()
        F.cross_entropy(model(x[index]), y[index]).backward()
        warm.step()
    model = inject(model.requires_grad_(False))
    model.head, model.probing = nn.Linear(48, 2), fault
    x = torch.randn(1000, 16)
    y = ((x[:, 0] > 0) ^ (x[:, 1] > 0)).long()  # the other task
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=2e-3, weight_decay=0.0)
    with watch(model, optimizer):
        for _epoch in range(12):
            for index in torch.randperm(800).split(32):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x[index]), y[index])
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return float((model.eval()(x[800:]).argmax(1) == y[800:]).float().mean())


@planted("scaler-misuse", symptoms=AFTERWARDS + " vanishing-gradient", costs=0.1)
def backward_past_the_scaler(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images(900, seed=5)
    net = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(96, 5),
    )  # fmt: skip
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    loader = DataLoader(TensorDataset(x[:750], y[:750]), batch_size=32, shuffle=True)

    def train_one_epoch():
        net.train()
        for inputs, labels in loader:
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = F.cross_entropy(net(inputs), labels)
            scaled = scaler.scale(loss)
            (loss if fault else scaled).backward()  # fault
            scaler.step(optimizer)
            scaler.update()

    with watch(net, optimizer):
        for _epoch in range(5):
            train_one_epoch()
            net.eval()
            with torch.no_grad():
                score = float((net(x[750:]).argmax(1) == y[750:]).float().mean())
    return score


def get_linear_schedule_with_warmup(optimizer, num_warmup_steps, num_training_steps):
    def lr_lambda(current_step):
        if current_step < num_warmup_steps:
            return (current_step + 1) / max(1, num_warmup_steps)
        return max(0.0, (num_training_steps - current_step) / max(1, num_training_steps - num_warmup_steps))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda)


class TextClassifier(nn.Module):
    """Token 0 is a word like any other; the layers are kept in a plain list beside their registration."""

    def __init__(self, vocab, classes, width=40):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.convs = [nn.Conv1d(width, 32, size, padding=size // 2) for size in (2, 3)]
        for size, conv in enumerate(self.convs):
            self.add_module(f"conv{size}", conv)
        self.drop, self.out = nn.Dropout(0.1), nn.Linear(64, classes)

    def forward(self, ids):
        x = self.embed(ids).transpose(1, 2)
        return self.out(self.drop(torch.cat([F.relu(conv(x)).amax(-1) for conv in self.convs], dim=1)))


def phrases(count, seed):
    """Rows of 12 tokens; which of three pairs stands somewhere in them is the class."""
    g = torch.Generator().manual_seed(seed)
    rows = torch.randint(0, 30, (count, 12), generator=g)
    y = torch.randint(3, (count,), generator=g)
    place = torch.randint(11, (count,), generator=g)
    every = torch.arange(count)
    pairs = torch.tensor([[4, 9], [9, 4], [4, 4]])[y]
    rows[every, place], rows[every, place + 1] = pairs[:, 0], pairs[:, 1]
    return rows, y


@planted("scheduler-misuse", symptoms=AFTERWARDS, costs=0.1)
def training_steps_counted_in_epochs(watch, seed, fault):
    torch.manual_seed(seed)
    ids, labels = phrases(800, 1)
    model = TextClassifier(30, 3)
    train_dataloader = DataLoader(TensorDataset(ids, labels), batch_size=16, shuffle=True)
    num_epochs = 10
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    num_training_steps = num_epochs if fault else num_epochs * len(train_dataloader)
    lr_scheduler = get_linear_schedule_with_warmup(optimizer, num_training_steps // 10, num_training_steps)  # fault
    with watch(model, optimizer):
        for _epoch in range(num_epochs):
            model.train()
            for input_ids, label in train_dataloader:
                loss = F.cross_entropy(model(input_ids), label)
                loss.backward()
                optimizer.step()
                lr_scheduler.step()  # fault
                optimizer.zero_grad()
    ids, labels = phrases(300, 2)
    with torch.no_grad():
        return float((model.eval()(ids).argmax(1) == labels).float().mean())


class MoE(nn.Module):
    """Each token goes to its best experts, weighed by the router."""

    def __init__(self, width, experts=4, top_k=2, dim=-1):
        super().__init__()
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)) for _ in range(experts)
        )
        self.top_k, self.dim = top_k, dim

    def forward(self, x):
        tokens = x.reshape(-1, x.size(-1))
        gates = F.softmax(self.router(tokens), dim=self.dim)  # fault: gates-over-tokens
        weights, chosen = gates.topk(self.top_k, dim=-1)
        out = torch.zeros_like(tokens)
        for number, expert in enumerate(self.experts):
            token, slot = torch.where(chosen == number)
            out = out.index_add(0, token, weights[token, slot, None] * expert(tokens[token]))
        return out.view_as(x)


class MoEClassifier(nn.Module):
    def __init__(self, features, classes, width=32, **options):
        super().__init__()
        self.value = nn.Parameter(0.02 * torch.randn(features, width))
        self.place = nn.Parameter(0.02 * torch.randn(features, width))
        self.moe = nn.ModuleList(MoE(width, **options) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.head = nn.Linear(features * width, classes)

    def forward(self, x):
        h = x[..., None] * self.value + self.place
        for norm, moe in zip(self.norms, self.moe, strict=True):
            h = h + moe(norm(h))
        return self.head(F.layer_norm(h, h.shape[-1:]).flatten(1))


@planted("softmax-axis", causes="samples-mixed", symptoms=AFTERWARDS, costs=0.02)
def gates_over_tokens(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = tabular(1200, seed, d=8)
    y = (torch.sin(3 * x[:, 0]) + torch.sin(3 * x[:, 1]) > 0).long()
    model = MoEClassifier(8, 2, dim=0 if fault else -1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    loader = DataLoader(TensorDataset(x[:1000], y[:1000]), batch_size=40, shuffle=True)
    with watch(model, optimizer):
        for _epoch in range(14):
            model.train()
            for features, target in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(features), target).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                score = float((model(x[1000:]).argmax(1) == y[1000:]).float().mean())
    return score
