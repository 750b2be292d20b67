"""Convolutional nets: from LeNet as it was in 1998 to small residual, dense and inception nets."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, batches, cifar, digits, fashion, mnist
from faults.program import healthy


@healthy(at_least=0.80)
def lenet_with_sigmoids(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(3000)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10),
    )  # fmt: skip
    for layer in model:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.88)
def lenet_with_tanh_as_published(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(3000)
    x, x_test = (x - 0.1307) / 0.3081, (x_test - 0.1307) / 0.3081
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    with watch(model, optimizer, loader=loader):
        for _ in range(4):
            for images, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.89)
def the_tutorials_mnist_net(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    x, x_test = (x - 0.1307) / 0.3081, (x_test - 0.1307) / 0.3081

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
            self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
            self.conv2_drop = nn.Dropout2d()
            self.fc1 = nn.Linear(320, 50)
            self.fc2 = nn.Linear(50, 10)

        def forward(self, x):
            x = F.relu(F.max_pool2d(self.conv1(x), 2))
            x = F.relu(F.max_pool2d(self.conv2_drop(self.conv2(x)), 2))
            x = x.view(-1, 320)
            x = F.relu(self.fc1(x))
            x = F.dropout(x, training=self.training)
            return F.log_softmax(self.fc2(x), dim=1)

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.5)
    with watch(model, optimizer):
        for _ in range(8):
            model.train()
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.nll_loss(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.78)
def vgg_blocks_with_batch_norm(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)

    def block(a, b):
        return [nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True), nn.MaxPool2d(2)]

    model = nn.Sequential(*block(1, 8), *block(8, 16), *block(16, 32), nn.Flatten(), nn.Linear(288, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(5):
            model.train()
            for images, labels in batches(x, y, 50):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


class Residual(nn.Module):
    def __init__(self, width_in, width, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.short = nn.Sequential()
        if stride > 1 or width_in != width:
            self.short = nn.Sequential(nn.Conv2d(width_in, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.short(x))


@healthy(at_least=0.36)
def residual_net_one_cycle_augmented(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = cifar(2000)
    mean, std = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True)
    x, x_test = (x - mean) / std, (x_test - mean) / std
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        Residual(8, 8), Residual(8, 16, 2), Residual(16, 32, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip
    nn.init.zeros_(model[3].bn2.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=7 * 32)
    with watch(model, optimizer):
        for _ in range(7):
            model.train()
            for images, labels in batches(x, y, 64):
                seen = images.flip(3) if torch.rand(()) < 0.5 else images
                optimizer.zero_grad()
                F.cross_entropy(model(seen), labels).backward()
                optimizer.step()
                scheduler.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.74)
def dense_connections(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)

    class Dense(nn.Module):
        def __init__(self, width, growth=8, layers=3):
            super().__init__()
            self.layers = nn.ModuleList(
                nn.Sequential(
                    nn.BatchNorm2d(width + i * growth), nn.ReLU(), nn.Conv2d(width + i * growth, growth, 3, padding=1)
                )
                for i in range(layers)
            )

        def forward(self, x):
            for layer in self.layers:
                x = torch.cat([x, layer(x)], dim=1)
            return x

    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1), Dense(8), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 16, 1), nn.AvgPool2d(2),
        Dense(16), nn.BatchNorm2d(40), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(40, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, epochs=6, steps_per_epoch=40)
    with watch(model, optimizer):
        for _ in range(6):
            model.train()
            for images, labels in batches(x, y, 50):
                loss = F.cross_entropy(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                scheduler.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.85)
def inception_branches(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)

    class Inception(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.one = nn.Conv2d(width, 8, 1)
            self.three = nn.Sequential(nn.Conv2d(width, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 3, padding=1))
            self.five = nn.Sequential(nn.Conv2d(width, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 5, padding=2))
            self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(width, 8, 1))

        def forward(self, x):
            return F.relu(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1))

    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, 2, 2), nn.ReLU(), Inception(8), nn.MaxPool2d(2), Inception(32),
        nn.AdaptiveMaxPool2d(2), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(5):
            for images, labels in batches(x, y, 50):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.70)
def depthwise_separable_with_group_norm(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)

    def block(a, b):
        return [nn.Conv2d(a, a, 3, 2, 1, groups=a), nn.Conv2d(a, b, 1), nn.GroupNorm(4, b), nn.ReLU6()]

    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU6(), *block(16, 32), *block(32, 64),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(256, 10),
    )  # fmt: skip
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(10):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.89)
def tiny_images_in_batches_of_eight(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, x_test = x.view(-1, 1, 8, 8), x_test.view(-1, 1, 8, 8)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with watch(model, optimizer):
        for _ in range(10):
            for images, labels in batches(x, y, 8):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.93)
def only_convolutions_fully_averaged(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, x_test = x.view(-1, 1, 8, 8), x_test.view(-1, 1, 8, 8)
    model = nn.Sequential(
        nn.Conv2d(1, 24, 3, padding=1), nn.BatchNorm2d(24), nn.Mish(), nn.Conv2d(24, 32, 3, 2, 1), nn.BatchNorm2d(32),
        nn.Mish(), nn.Conv2d(32, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for images, labels in batches(x, y, 48):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            schedule.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.80)
def pixels_told_apart_with_dice(watch, seed):
    """Segmentation: which pixels of a piece of clothing are bright, from a noisy picture of it."""
    torch.manual_seed(seed)
    x, _, x_test, _ = fashion(600)
    masks, masks_test = (x > 0.5).float(), (x_test[:200] > 0.5).float()

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.down1, self.down2 = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, 2, 1)
            self.up, self.out = nn.ConvTranspose2d(16, 8, 2, 2), nn.Conv2d(16, 1, 3, padding=1)

        def forward(self, x):
            first = F.relu(self.down1(x))
            second = F.relu(self.up(F.relu(self.down2(first))))
            return self.out(torch.cat([first, second], 1))

    model = UNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for images, wanted in batches(x, masks, 20):
                logits = model(images + 0.2 * torch.randn_like(images))
                guessed = torch.sigmoid(logits)
                dice = 1 - (2 * (guessed * wanted).sum() + 1) / (guessed.sum() + wanted.sum() + 1)
                loss = F.binary_cross_entropy_with_logits(logits, wanted) + dice
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        guessed = (model(x_test[:200] + 0.2 * torch.randn_like(x_test[:200])) > 0).float()
    return ((guessed * masks_test).sum() * 2 / (guessed.sum() + masks_test.sum())).item()
