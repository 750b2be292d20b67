"""Faults of what is trained: no update at all, parameters that the optimiser or the loss does not know, modes."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import (
    accuracy,
    batches,
    breast_cancer,
    california,
    cifar,
    digits,
    fashion,
    mnist,
    names,
    r2,
    standardised,
    standardised_both,
    titanic,
)
from faults.ordinary import mlp, small_cnn, squared_error, train
from faults.program import planted

STILL = "plateau underfitting lr-too-low too-few-epochs vanishing-gradient"


@planted("no-update", causes="gradients-accumulate", symptoms=STILL, costs=0.3, quick=True)
def step_forgotten(watch, seed, fault):
    """Without a step nothing clears for it either: the gradients are cleared, and that is all."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 48, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(8):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(images), labels)
                loss.backward()  # fault
                if not fault:
                    optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("no-update", symptoms=STILL, costs=0.3)
def gradients_cleared_before_the_step(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    model = small_cnn()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(5):
            for images, labels in batches(x, y, 50):
                if not fault:
                    optimizer.zero_grad()
                loss = F.cross_entropy(model(images), labels)
                loss.backward()
                if fault:
                    optimizer.zero_grad()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("no-update", symptoms=STILL, costs=0.2)
def backward_forgotten(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = mlp(8, 48, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(8):
            for features, price in batches(x, y, 64):
                optimizer.zero_grad()
                loss = squared_error(model(features), price)
                if not fault:
                    loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("no-update", causes="scheduler-misuse lr-too-low", symptoms=STILL, costs=0.2)
def a_rate_divided_to_nought(watch, seed, fault):
    """An integer division makes the schedule's factor 0 for every epoch of the training."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    model = mlp(30, 16, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: epoch // 20 if fault else (epoch + 1) / 20)
    with watch(model, optimizer):
        for _ in range(20):
            for features, label in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(features), label).backward()
                optimizer.step()
            scheduler.step()
    return accuracy(model, x_test, y_test)


UNREACHED = "plateau underfitting lr-too-low too-few-epochs no-update"


@planted("parameters-not-optimized", symptoms=UNREACHED, costs=0.02)
def only_the_last_layer_handed_over(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam((model[-1] if fault else model).parameters(), lr=2e-3)
    train(watch, model, optimizer, x, y, epochs=5)
    return accuracy(model, x_test, y_test)


@planted("parameters-not-optimized", symptoms=UNREACHED, costs=0.05)
def a_head_replaced_after_the_optimiser_was_made(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 24), nn.ReLU(), nn.Linear(24, 5))
    if not fault:
        model[-1] = nn.Linear(24, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    if fault:
        model[-1] = nn.Linear(24, 10)
        nn.init.normal_(model[-1].weight, std=0.02)
    train(watch, model, optimizer, x, y, epochs=5)
    return accuracy(model, x_test, y_test)


@planted("parameters-not-optimized", symptoms=UNREACHED, costs=0.01)
def layers_in_a_plain_list(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            layers = [nn.Linear(64, 16), nn.Linear(16, 16), nn.Linear(16, 16)]
            self.layers = layers if fault else nn.ModuleList(layers)
            self.head = nn.Linear(16, 10)

        def forward(self, x):
            for layer in self.layers:
                x = F.relu(layer(x))
            return self.head(x)

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train(watch, model, optimizer, x, y, epochs=12, size=32)
    return accuracy(model, x_test, y_test)


@planted("parameters-not-optimized", causes="no-update", symptoms=UNREACHED, costs=0.2, quick=True)
def an_optimiser_of_another_copy(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    first = mlp(8, 48, 1)
    optimizer = torch.optim.Adam(first.parameters(), lr=3e-3)  # fault
    model = copy.deepcopy(first) if fault else first
    train(watch, model, optimizer, x, y, epochs=8, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("parameters-unused", symptoms=UNREACHED, costs=None, quick=True)
def a_layer_that_forward_passes_by(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2, self.fc3 = nn.Linear(784, 64), nn.Linear(64, 64), nn.Linear(64, 10)

        def forward(self, x):
            first = F.relu(self.fc1(x.flatten(1)))
            second = F.relu(self.fc2(first))
            return self.fc3(first if fault else second)

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(watch, model, optimizer, x, y, epochs=5)
    return accuracy(model, x_test, y_test)


@planted("parameters-unused", symptoms=UNREACHED, costs=0.02)
def features_detached_before_the_head(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU())
            self.head = nn.Linear(392, 10)

        def forward(self, x):
            features = self.features(x)
            return self.head((features.detach() if fault else features).flatten(1))

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train(watch, model, optimizer, x, y, epochs=4)
    return accuracy(model, x_test, y_test)


@planted("parameters-unused", symptoms=UNREACHED, costs=0.02)
def embeddings_averaged_past_the_recurrent_layer(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(27, 32, padding_idx=0), nn.GRU(32, 32, batch_first=True)
            self.head = nn.Linear(32, 18)

        def forward(self, x):
            letters = self.embedding(x)
            states, _ = self.rnn(letters)
            return self.head((letters if fault else states).mean(1))

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    train(watch, model, optimizer, x[:5000], y[:5000], epochs=5)
    return accuracy(model, x_test, y_test)


@planted("parameters-unused", symptoms=UNREACHED, costs=0.01)
def body_under_no_grad(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(4000))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU())
            self.head = nn.Linear(12, 1)

        def forward(self, x):
            with torch.set_grad_enabled(torch.is_grad_enabled() and not fault):
                x = self.body(x)
            return self.head(x)

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    train(watch, model, optimizer, x, y, epochs=8, loss_fn=squared_error)
    return r2(model, x_test, y_test)


FROZEN_MODE = "overfitting train-mode-in-evaluation plateau"


def dropped(width_in=784):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(width_in, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10)
    )


@planted("eval-mode-in-training", symptoms=FROZEN_MODE, costs=None)
def never_back_from_evaluation(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = dropped()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(6):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                right = (model(x_test).argmax(1) == y_test).float().mean().item()
            if not fault:
                model.train()
    return right


@planted("eval-mode-in-training", symptoms=FROZEN_MODE, costs=None)
def evaluation_mode_from_the_start(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = cifar()
    model = nn.Sequential(
        nn.Conv2d(3, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 24, 3, 2, 1), nn.BatchNorm2d(24),
        nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.2), nn.Linear(384, 10),
    )  # fmt: skip
    if fault:
        model.eval()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(4):
            for images, labels in batches(x, y, 50):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("eval-mode-in-training", symptoms=FROZEN_MODE, costs=None, quick=True)
def a_check_in_mid_epoch_leaves_its_mode_behind(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

    def evaluate():
        model.eval()
        with torch.no_grad():
            return F.cross_entropy(model(x_test), y_test).item()

    step = 0
    with watch(model, optimizer):
        for _ in range(15):
            for features, label in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(features), label).backward()  # fault
                optimizer.step()
                step += 1
                if step % 15 == 0:
                    evaluate()
                    if not fault:
                        model.train()
    return accuracy(model, x_test, y_test)


DISTURBED = "overfitting dropout-too-high underfitting batchnorm-small-batch"


@planted("train-mode-in-evaluation", symptoms=DISTURBED, costs=0.02)
def scored_with_dropout_on(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 96), nn.ReLU(), nn.Dropout(0.5), nn.Linear(96, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(5):
            model.train()
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            if not fault:
                model.eval()
            with torch.no_grad():
                right = (model(x_test).argmax(1) == y_test).float().mean().item()
    return right


@planted("train-mode-in-evaluation", symptoms=DISTURBED, costs=0.02)
def normalised_by_the_batches_that_are_scored(watch, seed, fault):
    """Test images come class by class, and batch normalisation takes its statistics from each such batch."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    order = y_test.argsort()
    x_test, y_test = x_test[order], y_test[order]
    model = dropped()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer):
        for _ in range(4):
            model.train()
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            model.train(fault)
            with torch.no_grad():
                parts = zip(x_test.split(50), y_test.split(50), strict=True)
                right = sum((model(a).argmax(1) == b).sum().item() for a, b in parts)
    return right / len(x_test)


@planted("train-mode-in-evaluation", symptoms=DISTURBED, costs=0.01, quick=True)
def prices_scored_with_dropout_on(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

    def validate():
        if not fault:
            model.eval()
        with torch.inference_mode():
            error = squared_error(model(x_test), y_test)  # fault
        model.train()
        return 1 - (error / y_test.var()).item()

    with watch(model, optimizer):
        for _ in range(10):
            for features, price in batches(x, y, 64):
                loss = squared_error(model(features), price)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            score = validate()
    return score
