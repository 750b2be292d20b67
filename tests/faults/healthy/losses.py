"""Classification with losses other than the plain cross-entropy, and labels that are rare, many, soft or wrong."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from faults.data import accuracy, batches, breast_cancer, digits, fashion, mnist, pima, standardised, titanic, wine
from faults.program import healthy


@healthy(at_least=0.55)
def rare_class_weighted(watch, seed):
    """One digit against the other nine, one positive in ten, weighted in the loss; the score is the F1 of the rare."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    y, y_test = (y == 8).float(), (y_test == 8).float()
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([9.0]))
    with watch(model, optimizer):
        for _ in range(6):
            for images, labels in batches(x, y.unsqueeze(1), 64):
                optimizer.zero_grad()
                criterion(model(images), labels).backward()
                optimizer.step()
    with torch.no_grad():
        guessed = (model(x_test).squeeze(1) > 0).float()
    return (2 * (guessed * y_test).sum() / (guessed.sum() + y_test.sum())).item()


@healthy(at_least=0.70)
def uneven_classes_weighted_cross_entropy(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    keep = (y > 3) | (torch.arange(len(y)) % 8 == 0)
    x, y = x[keep], y[keep]
    counts = torch.bincount(y, minlength=10).float()
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss(weight=(counts.sum() / counts).clamp(max=40) / 10)
    with watch(model, optimizer):
        for _ in range(8):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                criterion(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.70)
def rare_classes_drawn_more_often(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    keep = (y > 3) | (torch.arange(len(y)) % 8 == 0)
    x, y = x[keep], y[keep]
    sampler = WeightedRandomSampler((1 / torch.bincount(y).float())[y], len(y))
    loader = DataLoader(TensorDataset(x, y), batch_size=64, sampler=sampler)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer, loader=loader):
        for _ in range(8):
            for images, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.85)
def several_labels_at_once(watch, seed):
    """Of each digit: is it even, is it prime, is it above four, has it a closed loop."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    table = torch.tensor([[d % 2 == 0, d in (2, 3, 5, 7), d > 4, d in (0, 6, 8, 9)] for d in range(10)]).float()
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 4))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.BCEWithLogitsLoss()
    with watch(model, optimizer, loss_fn=criterion):
        for _ in range(6):
            for images, labels in batches(x, table[y], 64):
                optimizer.zero_grad()
                criterion(model(images), labels).backward()
                optimizer.step()
    with torch.no_grad():
        return ((model(x_test) > 0).float() == table[y_test]).float().mean().item()


@healthy(at_least=0.90)
def focal_loss_by_hand(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    def focal(logits, labels, gamma=2.0):
        log_p = F.log_softmax(logits, dim=1).gather(1, labels.unsqueeze(1)).squeeze(1)
        return -((1 - log_p.exp()) ** gamma * log_p).mean()

    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(20):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                focal(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.85)
def a_quarter_of_the_labels_wrong(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    y = torch.where(torch.rand(len(y)) < 0.25, torch.randint(10, y.shape), y)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(10):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.93)
def tumours_with_bce_on_a_sigmoid(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(25):
            for features, label in batches(x, y.float(), 32):
                guessed = model(features).squeeze(1)
                loss = F.binary_cross_entropy(guessed, label)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return ((model(x_test).squeeze(1) > 0.5).long() == y_test).float().mean().item()


@healthy(at_least=0.74)
def survivors_of_the_titanic(watch, seed):
    """A hard, small problem: half of what could be known is not in the table, and the loss ends high."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(25):
            model.train()
            for features, label in batches(x, y, 16):
                optimizer.zero_grad()
                F.cross_entropy(model(features), label).backward()
                optimizer.step()
            reached = accuracy(model, x_test, y_test)
    return reached


@healthy(at_least=0.70)
def pima_with_dropout_and_decay(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = pima()
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.02)
    with watch(model, optimizer):
        for _ in range(40):
            model.train()
            for features, label in batches(x, y.float().unsqueeze(1), 64):
                optimizer.zero_grad()
                F.binary_cross_entropy_with_logits(model(features), label).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                F.binary_cross_entropy_with_logits(model(x_test), y_test.float().unsqueeze(1))
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.88)
def brier_score_of_a_softmax(watch, seed):
    """Squared error between a softmax and one-hot targets: a proper score, with the softmax where it belongs."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(dim=1))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for images, wanted in batches(x, F.one_hot(y, 10).float(), 32):
                optimizer.zero_grad()
                F.mse_loss(model(images), wanted).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.85)
def three_growers_and_few_wines(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    model = nn.Sequential(nn.Linear(13, 16), nn.Sigmoid(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    with watch(model, optimizer):
        for _ in range(150):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.75)
def a_bandit_that_learns_by_policy_gradient(watch, seed):
    """The net guesses a digit and is told only whether it was right: the loss says nothing, the reward does."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    baseline = 0.1
    with watch(model, optimizer):
        for _ in range(40):
            for images, labels in batches(x, y, 64):
                policy = torch.distributions.Categorical(logits=model(images))
                action = policy.sample()
                reward = (action == labels).float()
                loss = -(policy.log_prob(action) * (reward - baseline)).mean() - 0.01 * policy.entropy().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                baseline = 0.9 * baseline + 0.1 * reward.mean().item()
    return accuracy(model, x_test, y_test)
