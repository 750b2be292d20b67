"""Loops as people write them: accumulation, autocast, closures, two losses, early stops, parts that rest at times."""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, batches, breast_cancer, digits, fashion, mnist, standardised
from faults.program import healthy


def mlp(width_in=784, width=64, classes=10):
    return nn.Sequential(nn.Flatten(), nn.Linear(width_in, width), nn.ReLU(), nn.Linear(width, classes))


@healthy(at_least=0.85)
def gradients_of_four_batches_accumulated(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(8):
            optimizer.zero_grad()
            for step, (images, labels) in enumerate(batches(x, y, 16)):
                loss = F.cross_entropy(model(images), labels) / 4
                loss.backward()
                if (step + 1) % 4 == 0:
                    optimizer.step()
                    optimizer.zero_grad()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.75)
def autocast_to_bfloat16(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = mlp(784, 128)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(4):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad(set_to_none=True)
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    loss = F.cross_entropy(model(images), labels)
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def double_precision(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, x_test = x.double(), x_test.double()
    model = mlp(64).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(15):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90, quick=True)
def compiled(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    net = mlp(64)
    model = torch.compile(net, backend="eager")
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(12):
            for images, labels in DataLoader(TensorDataset(x, y), 32, shuffle=True, drop_last=True):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@healthy(at_least=0.90)
def lbfgs_on_a_small_net(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    model = nn.Sequential(nn.Linear(30, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)
    with watch(model, optimizer):
        for _ in range(8):

            def closure():
                optimizer.zero_grad()
                weights = sum(p.square().sum() for p in model.parameters())
                loss = F.cross_entropy(model(x), y) + 1e-3 * weights
                loss.backward()
                return loss

            optimizer.step(closure)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.88)
def full_batch_for_hundreds_of_steps(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(150):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.85)
def one_sample_at_a_time(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 32)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    with watch(model, optimizer):
        for _ in range(3):
            for k in torch.randperm(len(x)).tolist():
                optimizer.zero_grad()
                F.cross_entropy(model(x[k : k + 1]), y[k : k + 1]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.93)
def stops_early_and_takes_the_best(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, y, x_valid, y_valid = x[:1200], y[:1200], x[1200:], y[1200:]
    model = mlp(64)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train, valid = DataLoader(TensorDataset(x, y), 32, shuffle=True), DataLoader(TensorDataset(x_valid, y_valid), 128)
    best, best_state, patience = float("inf"), None, 0
    with watch(model, optimizer, loader=train, val_loader=valid):
        for _ in range(60):
            model.train()
            for images, labels in train:
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                loss = sum(F.cross_entropy(model(a), b, reduction="sum").item() for a, b in valid) / len(x_valid)
            if loss < best - 1e-3:
                best, best_state, patience = loss, copy.deepcopy(model.state_dict()), 0
            else:
                patience += 1
                if patience == 3:
                    break
    model.load_state_dict(best_state)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.85)
def very_few_samples_learned_by_heart_on_purpose(watch, seed):
    """The first advice of every recipe: take one batch, and see that the net can learn it."""
    torch.manual_seed(seed)
    x, y, _, _ = mnist(32)
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(100):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
    return accuracy(model, x, y)


@healthy(at_least=0.85)
def a_trainer_with_methods(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()

    class Trainer:
        def __init__(self, model):
            self.model, self.history = model, []
            self.optimizer = torch.optim.NAdam(model.parameters(), lr=2e-3)

        def training_step(self, batch):
            images, labels = batch
            return F.cross_entropy(self.model(images), labels)

        def fit(self, epochs):
            for _ in range(epochs):
                self.model.train()
                for batch in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                    loss = self.training_step(batch)
                    for parameter in self.model.parameters():
                        parameter.grad = None
                    loss.backward()
                    nn.utils.clip_grad_value_(self.model.parameters(), 1.0)
                    self.optimizer.step()
                    self.history.append(loss.item())
                self.model.eval()
                with torch.inference_mode():
                    self.model(x_test)

    trainer = Trainer(mlp())
    with watch(trainer.model, trainer.optimizer):
        trainer.fit(5)
    return accuracy(trainer.model, x_test, y_test)


@healthy(at_least=0.85)
def evaluated_every_few_steps(watch, seed):
    """Evaluation passes come between steps, in the middle of an epoch, each on a part of the test set."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    with watch(model, optimizer):
        for _ in range(6):
            for images, labels in batches(x, y, 64):
                model.train()
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
                step += 1
                if step % 20 == 0:
                    model.eval()
                    with torch.no_grad():
                        part = torch.randperm(len(x_test))[:200]
                        F.cross_entropy(model(x_test[part]), y_test[part]).item()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.88)
def training_part_scored_too(watch, seed):
    """After each epoch the training part is scored as well as the test part, to see how far they are apart."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    test = DataLoader(TensorDataset(x_test, y_test), batch_size=100)

    def score(loader):
        model.eval()
        with torch.no_grad():
            right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in loader)
        return right / len(loader.dataset)

    with watch(model, optimizer):
        for _ in range(8):
            model.train()
            for images, labels in train:
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            score(train), score(test)
    return score(test)
