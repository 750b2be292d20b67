"""What a score is worth: how modern nets are examined, and on what."""

import torch
import torch.nn.functional as F
from torch import nn

from faults import drawn
from faults.program import planted


class SmallViT(nn.Module):
    def __init__(self, classes=5, width=32, dropout=0.0):
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3, stride=3)
        self.place = nn.Parameter(0.02 * torch.randn(1, 16, width))
        layer = nn.TransformerEncoderLayer(width, 2, 64, dropout=dropout, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.stem(x).flatten(2).transpose(1, 2) + self.place
        return self.head(self.drop(self.body(x).mean(1)))


def validate(model, loader, criterion):
    loss = correct = count = 0.0
    with torch.no_grad():
        for images, target in loader:
            output = model(images)
            loss += criterion(output, target).item() * len(images)
            correct += (output.argmax(1) == target).sum().item()
            count += len(images)
    return loss / count, correct / count


@planted("train-mode-in-evaluation", costs=0.03)
def pictures_examined_with_dropout(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = drawn.images(1000)
    train_set = torch.utils.data.TensorDataset(x[:700], y[:700])
    val_set = torch.utils.data.TensorDataset(x[700:], y[700:])
    train_loader = torch.utils.data.DataLoader(train_set, 32, shuffle=True)
    val_loader = torch.utils.data.DataLoader(val_set, 100)
    model, criterion = SmallViT(dropout=0.4), nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    best = 0.0
    with watch(model, optimizer, loader=train_loader, val_loader=val_loader, loss_fn=criterion):
        for _ in range(8):
            model.train()
            for images, target in train_loader:
                optimizer.zero_grad(set_to_none=True)
                criterion(model(images), target).backward()
                optimizer.step()
            if not fault:
                model.eval()
            _, best = validate(model, val_loader, criterion)  # fault
    return best


class Shifted(torch.utils.data.Dataset):
    """Pictures, each moved, noised and partly covered at random where `transform` is on."""

    def __init__(self, x, y, transform):
        self.x, self.y, self.transform = x, y, transform

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        image = self.x[i]
        if self.transform:
            image = image.roll(int(torch.randint(-2, 3, ())), 2) + 0.5 * torch.randn_like(image)
            corner = int(torch.randint(0, 7, ()))
            image = image.clone()
            image[:, corner : corner + 5, corner : corner + 5] = 0
        return image, self.y[i]


@planted("evaluation-misuse", costs=0.02)
def pictures_changed_at_random_when_examined(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = drawn.images(1000)
    dataset = Shifted(x, y, transform=True)
    train_set = torch.utils.data.Subset(dataset, range(700))
    val_set = torch.utils.data.Subset(dataset if fault else Shifted(x, y, transform=False), range(700, 1000))  # fault
    train_loader = torch.utils.data.DataLoader(train_set, 32, shuffle=True)
    val_loader = torch.utils.data.DataLoader(val_set, 100)
    model, criterion = SmallViT(), nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    accuracy = 0.0
    with watch(model, optimizer, loader=train_loader, val_loader=val_loader, loss_fn=criterion):
        for _ in range(8):
            model.train()
            for images, target in train_loader:
                optimizer.zero_grad(set_to_none=True)
                criterion(model(images), target).backward()
                optimizer.step()
            model.eval()
            _, accuracy = validate(model, val_loader, criterion)
    return accuracy


class Embedder(nn.Module):
    def __init__(self, inputs=20, width=16):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(inputs, 48), nn.ReLU(), nn.Linear(48, width))

    def forward(self, x):
        return F.normalize(self.net(x), dim=-1)


def things(count, seed, kinds=12, spread=1.3):
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(kinds, 20, generator=torch.Generator().manual_seed(4))
    y = torch.randint(kinds, (count,), generator=g)
    return centres[y] + spread * torch.randn(count, 20, generator=g), y


@planted("evaluation-misuse", costs=None)
def neighbours_sought_among_the_questions(watch, seed, fault):
    """The nearest neighbour of each sample is the sample itself."""
    torch.manual_seed(seed)
    x, y = things(1000, 121)
    test_x, test_y = x[700:], y[700:]
    model = Embedder()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    recall = 0.0
    with watch(model, optimizer):
        for _ in range(8):
            model.train()
            for index in torch.randperm(700).split(50):
                z = model(x[index])
                same = (y[index][:, None] == y[index]).float() - torch.eye(len(index))
                logits = (z @ z.T / 0.2).masked_fill(torch.eye(len(index)).bool(), -1e9)
                loss = -(logits.log_softmax(1) * same).sum(1).div(same.sum(1).clamp(min=1)).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                embedded = model(test_x)
            similarity = embedded @ embedded.T
            if not fault:
                similarity.fill_diagonal_(-1)
            recall = (test_y[similarity.argmax(1)] == test_y).float().mean().item()  # fault
    return recall


@planted("views-alike", costs=0.1)
def one_view_of_each_sample(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = things(1100, 122, kinds=6, spread=0.7)
    wide = torch.cat([x, 2.5 * torch.randn(1100, 20, generator=torch.Generator().manual_seed(2))], 1)

    def augment(batch):
        batch = batch.clone()
        batch[:, 20:] = batch[torch.randperm(len(batch))][:, 20:]
        return batch + 0.5 * torch.randn_like(batch)

    model = Embedder(inputs=40)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(10):
            for index in torch.randperm(900).split(50):
                view1 = augment(wide[index])
                view2 = view1 if fault else augment(wide[index])  # fault
                z1, z2 = model(view1), model(view2)
                logits = z1 @ z2.T / 0.2
                labels = torch.arange(len(index))
                loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    model.eval()
    with torch.no_grad():
        known, asked = model(wide[:900]), model(wide[900:])
    near = (asked @ known.T).topk(15, 1).indices
    return float((y[:900][near].mode(1).values == y[900:]).float().mean())


@planted("threshold-on-test", costs=None)
def cut_that_suits_the_test(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = things(1200, 123, kinds=5, spread=2.5)
    y = (y == 0).float()
    parts = {"train": slice(0, 900), "valid": slice(900, 1050), "test": slice(1050, 1200)}
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    def f1(scores, wanted, cut):
        said = scores > cut
        hit = (said & (wanted > 0)).sum()
        return float(2 * hit / (said.sum() + wanted.sum()).clamp(min=1))

    with watch(model, optimizer):
        for _ in range(12):
            for index in torch.randperm(900).split(30):
                optimizer.zero_grad()
                F.binary_cross_entropy_with_logits(model(x[index])[:, 0], y[index]).backward()
                optimizer.step()
        model.eval()
        with torch.no_grad():
            probs = {part: torch.sigmoid(model(x[where])[:, 0]) for part, where in parts.items()}
        grid = torch.linspace(0.05, 0.95, 19)
        part = "test" if fault else "valid"
        best = max(grid, key=lambda cut: f1(probs[part], y[parts[part]], cut))  # fault
        return f1(probs["test"], y[parts["test"]], best)
