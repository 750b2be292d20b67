"""Multilayer perceptrons: every activation, norm and depth in use, on inputs of every usual scale."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, batches, digits, fashion, mnist, names, standardised
from faults.program import healthy


@healthy(at_least=0.93, quick=True)
def relu_mlp_with_adam(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss()
    with watch(model, optimizer):
        for _ in range(20):
            for images, labels in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                loss = criterion(model(images), labels)
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.76)
def tanh_mlp_with_momentum_and_evaluation(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.Tanh(), nn.Linear(128, 64), nn.Tanh(), nn.Linear(64, 10)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    train = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    test = DataLoader(TensorDataset(x_test, y_test), batch_size=200)
    with watch(model, optimizer, loader=train, val_loader=test, loss_fn=F.cross_entropy):
        for _ in range(8):
            model.train()
            for images, labels in train:
                loss = F.cross_entropy(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in test)
    return right / len(x_test)


@healthy(at_least=0.85)
def sigmoid_mlp_of_the_nineties(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    x, x_test = x.flatten(1), x_test.flatten(1)
    model = nn.Sequential(nn.Linear(784, 30), nn.Sigmoid(), nn.Linear(30, 10), nn.Sigmoid())
    optimizer = torch.optim.SGD(model.parameters(), lr=3.0)
    targets = F.one_hot(y, 10).float()
    with watch(model, optimizer):
        for _ in range(15):
            for images, wanted in batches(x, targets, 16):
                optimizer.zero_grad()
                loss = 0.5 * ((model(images) - wanted) ** 2).sum(1).mean()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.78)
def gelu_layernorm_adamw(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()

    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.norm = nn.LayerNorm(width)
            self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

        def forward(self, x):
            return x + self.down(F.gelu(self.up(self.norm(x))))

    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), Block(64), Block(64), nn.LayerNorm(64), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    with watch(model, optimizer):
        for _ in range(5):
            for images, labels in batches(x, y, 64):
                loss = F.cross_entropy(model(images), labels)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.92)
def deep_leaky_relu_with_he_initialisation(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    layers = [nn.Linear(64, 48), nn.LeakyReLU(0.1)]
    for _ in range(6):
        layers += [nn.Linear(48, 48), nn.LeakyReLU(0.1)]
    model = nn.Sequential(*layers, nn.Linear(48, 10))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=0.1)
            nn.init.zeros_(layer.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(20):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.92)
def self_normalising_selu(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(digits())
    layers = []
    for width_in, width_out in ((64, 64), (64, 64), (64, 64), (64, 64), (64, 10)):
        layers += [nn.Linear(width_in, width_out), nn.SELU(), nn.AlphaDropout(0.05)]
        nn.init.normal_(layers[-3].weight, std=width_in**-0.5)
        nn.init.zeros_(layers[-3].bias)
    model = nn.Sequential(*layers[:-2])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(15):
            model.train()
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.88)
def deep_batch_norm_relu(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    layers = [nn.Flatten(), nn.Linear(784, 64)]
    for _ in range(8):
        layers += [nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64, bias=False)]
    model = nn.Sequential(*layers, nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    with watch(model, optimizer):
        for _ in range(5):
            model.train()
            for images, labels in batches(x, y, 80):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(images), labels)
                loss.backward()
                optimizer.step()
            reached = accuracy(model, x_test, y_test)
    return reached


@healthy(at_least=0.86)
def half_of_the_units_dropped(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(6):
            model.train()
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(x_test), y_test).item()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.92)
def log_softmax_and_nll(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(64, 80), nn.Linear(80, 10)

        def forward(self, x):
            return F.log_softmax(self.fc2(torch.relu(self.fc1(x))), dim=1)

    model = Net()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(20):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.nll_loss(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def softmax_and_a_logarithm_by_hand(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 40), nn.Tanh(), nn.Linear(40, 10), nn.Softmax(dim=1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for images, labels in batches(x, y, 32):
                probabilities = model(images)
                loss = -torch.log(probabilities[torch.arange(len(labels)), labels] + 1e-9).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def log_softmax_before_cross_entropy_is_harmless(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 10), nn.LogSoftmax(dim=-1))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(12):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                nn.CrossEntropyLoss()(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.88)
def sparse_codes_mostly_zero(watch, seed):
    """A penalty keeps most hidden units at zero, on purpose: they answer rarely, but none is dead for good."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    encoder, head = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU()), nn.Linear(400, 10)
    model = nn.Sequential(encoder, head)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for images, labels in batches(x, y, 64):
                code = encoder(images)
                loss = F.cross_entropy(head(code), labels) + 1e-3 * code.sum(1).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.86)
def pixels_between_minus_one_and_one(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    x, x_test = (x - 0.5) / 0.5, (x_test - 0.5) / 0.5
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 100), nn.SiLU(), nn.Linear(100, 100), nn.SiLU(), nn.Linear(100, 10)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(5):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad(set_to_none=False)
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.55)
def letters_as_one_hot(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y, x_test, y_test = x[:8000], y[:8000], x_test[:1000], y_test[:1000]
    x, x_test = F.one_hot(x, 27).float().flatten(1), F.one_hot(x_test, 27).float().flatten(1)
    model = nn.Sequential(nn.Linear(12 * 27, 64), nn.PReLU(), nn.Linear(64, 18))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for letters, country in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(letters), country).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def mixed_up_images_with_soft_labels(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss()
    with watch(model, optimizer):
        for _ in range(20):
            for images, labels in batches(x, F.one_hot(y, 10).float(), 32):
                share = torch.distributions.Beta(0.4, 0.4).sample()
                other = torch.randperm(len(images))
                images = share * images + (1 - share) * images[other]
                labels = share * labels + (1 - share) * labels[other]
                optimizer.zero_grad()
                criterion(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def smoothed_labels_and_weight_decay(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(digits())
    model = nn.Sequential(nn.Linear(64, 64), nn.Hardswish(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    with watch(model, optimizer):
        for _ in range(15):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                criterion(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def weights_written_by_hand(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.w1, self.b1 = nn.Parameter(torch.randn(64, 50) * 0.1), nn.Parameter(torch.zeros(50))
            self.w2, self.b2 = nn.Parameter(torch.randn(50, 10) * 0.1), nn.Parameter(torch.zeros(10))

        def forward(self, x):
            return torch.clamp(x @ self.w1 + self.b1, min=0) @ self.w2 + self.b2

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    with watch(model, optimizer):
        for _ in range(15):
            for images, labels in batches(x, y, 32):
                loss = F.cross_entropy(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)
