"""Faults between the net and the loss: a softmax twice, the wrong loss, an output that cannot reach its target, layers
that nothing parts."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import (
    accuracy,
    batches,
    breast_cancer,
    california,
    digits,
    fashion,
    houses,
    mnist,
    names,
    pima,
    r2,
    standardised,
    standardised_both,
    wine,
    wine_quality,
)
from faults.ordinary import mlp, small_cnn, squared_error, train
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs lr-too-low vanishing-gradient initial-loss"


@planted("softmax-twice", causes="output-activation", symptoms=SLOW, costs=0.02, quick=True)
def softmax_layer_and_cross_entropy(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 48, 10)
    if fault:
        model.append(nn.Softmax(dim=1))  # fault
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(watch, model, optimizer, x, y, epochs=12, size=32, loss_fn=nn.CrossEntropyLoss())
    return accuracy(model, x_test, y_test)


@planted("softmax-twice", causes="output-activation", symptoms=SLOW, costs=0.01)
def softmax_in_forward_of_a_cnn(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, 2, 1), nn.Conv2d(8, 16, 3, 2, 1)
            self.fc = nn.Linear(784, 10)

        def forward(self, x):
            x = F.relu(self.conv1(x))
            x = F.relu(self.conv2(x))
            x = self.fc(x.flatten(1))
            return F.softmax(x, dim=1) if fault else x

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    train(watch, model, optimizer, x, y, epochs=4)
    return accuracy(model, x_test, y_test)


@planted("softmax-twice", causes="output-activation", symptoms=SLOW, costs=0.02)
def probabilities_of_countries(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(27, 16, padding_idx=0), nn.GRU(16, 32, batch_first=True)
            self.head = nn.Linear(32, 18)

        def forward(self, x):
            hidden = self.rnn(self.embedding(x))[0].amax(1)
            return torch.softmax(self.head(hidden), -1) if fault else self.head(hidden)

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    train(watch, model, optimizer, x[:5000], y[:5000], epochs=4)
    return accuracy(model, x_test[:1500], y_test[:1500])


@planted("softmax-twice", causes="output-activation", symptoms=SLOW, costs=0.02)
def softmax_before_a_cross_entropy_by_hand(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, 64, 10, activation=nn.Tanh)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(4):
            for images, labels in batches(x, y, 64):
                output = model(images)
                if fault:
                    output = output.softmax(dim=1)
                loss = -(F.log_softmax(output, dim=1) * F.one_hot(labels, 10)).sum(1).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("loss-mismatch", symptoms="exploding-gradient initial-loss lr-too-high nonfinite", costs=0.05, quick=True)
def nll_of_raw_logits(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 48, 10)
    if not fault:
        model.append(nn.LogSoftmax(dim=1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train(watch, model, optimizer, x, y, epochs=10, size=32, loss_fn=nn.NLLLoss())
    return accuracy(model, x_test, y_test)


@planted("loss-mismatch", causes="output-activation", symptoms=SLOW, costs=0.02)
def nll_of_probabilities(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(784, 64), nn.Linear(64, 10)

        def forward(self, x):
            x = self.fc2(F.relu(self.fc1(x.flatten(1))))
            return F.softmax(x, dim=1) if fault else F.log_softmax(x, dim=1)

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    train(watch, model, optimizer, x, y, epochs=5, loss_fn=F.nll_loss)
    return accuracy(model, x_test, y_test)


@planted("loss-mismatch", symptoms="no-update vanishing-gradient plateau parameters-unused initial-loss", costs=0.05)
def cross_entropy_of_a_single_output(watch, seed, fault):
    """One output and targets of floats: the softmax over one number is always one, and the loss always nought."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    model = mlp(30, 16, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.CrossEntropyLoss() if fault else nn.BCEWithLogitsLoss()
    train(watch, model, optimizer, x, y.float().unsqueeze(1), epochs=15, size=32, loss_fn=criterion)
    return accuracy(model, x_test, y_test)


@planted("loss-mismatch", causes="output-activation", symptoms=SLOW, costs=0.05)
def divergence_of_probabilities_not_their_logarithms(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    targets = F.one_hot(y, 10) * 0.9 + 0.01
    model = mlp(64, 48, 10)
    model.append(nn.Softmax(1) if fault else nn.LogSoftmax(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(watch, model, optimizer, x, targets, epochs=12, size=32, loss_fn=nn.KLDivLoss(reduction="batchmean"))
    return accuracy(model, x_test, y_test)


@planted("loss-mismatch", symptoms="no-update vanishing-gradient plateau initial-loss", costs=0.1)
def cross_entropy_for_a_price(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = mlp(8, 32, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loss_fn = nn.CrossEntropyLoss() if fault else nn.MSELoss()
    train(watch, model, optimizer, x, y.unsqueeze(1), epochs=8, loss_fn=loss_fn)
    return r2(model, x_test, y_test)


CUT_OFF = "dead-relu plateau underfitting saturated vanishing-gradient initial-loss lr-too-low too-few-epochs"


@planted("output-activation", symptoms=CUT_OFF, costs=0.005)
def relu_on_the_logits(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(784, 64), nn.Linear(64, 32), nn.Linear(32, 10)])

        def forward(self, x):
            x = x.flatten(1)
            for layer in self.layers if fault else self.layers[:-1]:
                x = F.relu(layer(x))
            return x if fault else self.layers[-1](x)

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(watch, model, optimizer, x, y, epochs=6)
    return accuracy(model, x_test, y_test)


@planted("output-activation", symptoms=CUT_OFF, costs=0.1, quick=True)
def sigmoid_for_standardised_prices(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(4000))
    model = mlp(8, 64, 1)
    if fault:
        model.append(nn.Sigmoid())
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train(watch, model, optimizer, x, y, epochs=10, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("output-activation", causes="label-range", symptoms=CUT_OFF, costs=0.3)
def tanh_for_a_mark_of_three_to_eight(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine_quality())
    model = mlp(11, 32, 1, activation=nn.Tanh)
    nn.init.constant_(model[-1].bias, 5.6)
    if fault:
        model.append(nn.Tanh())
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train(watch, model, optimizer, x, y, epochs=20, size=32, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("output-activation", symptoms=CUT_OFF, costs=0.1)
def relu_where_half_the_targets_are_negative(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(houses())
    x, x_test = x.clamp(-4, 4), x_test.clamp(-4, 4)
    model = mlp(x.shape[1], 32, 1)
    if fault:
        model.append(nn.ReLU())
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train(watch, model, optimizer, x, y, epochs=25, size=32, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("output-activation", causes="softmax-twice", symptoms=CUT_OFF, costs=None)
def sigmoid_before_a_loss_that_has_its_own(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = pima()
    model = mlp(8, 16, 1)
    if fault:
        model.append(nn.Sigmoid())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    criterion = nn.BCEWithLogitsLoss()
    train(watch, model, optimizer, x, y.float().unsqueeze(1), epochs=30, size=32, loss_fn=criterion)
    with torch.no_grad():
        middle = 0.5 if fault else 0.0
        return ((model(x_test).flatten() > middle).long() == y_test).float().mean().item()


@planted("output-activation", causes="softmax-twice", symptoms=CUT_OFF, costs=0.02)
def sigmoid_before_cross_entropy(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = small_cnn()
    if fault:
        model.append(nn.Sigmoid())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(watch, model, optimizer, x, y, epochs=3)
    return accuracy(model, x_test, y_test)


LINEAR = "underfitting plateau too-few-epochs"


@planted("missing-nonlinearity", symptoms=LINEAR, costs=0.02, quick=True)
def three_linear_layers_in_a_row(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(4000))
    between = [nn.Identity() if fault else nn.ReLU() for _ in range(2)]
    model = nn.Sequential(nn.Linear(8, 64), between[0], nn.Linear(64, 64), between[1], nn.Linear(64, 1))  # fault
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train(watch, model, optimizer, x, y, epochs=12, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("missing-nonlinearity", symptoms=LINEAR, costs=0.01)
def relu_forgotten_in_forward(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    x, x_test = x.flatten(1), x_test.flatten(1)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2, self.fc3 = nn.Linear(784, 128), nn.Linear(128, 64), nn.Linear(64, 10)

        def forward(self, x):
            if fault:
                return self.fc3(self.fc2(self.fc1(x)))
            return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train(watch, model, optimizer, x, y, epochs=5)
    return accuracy(model, x_test, y_test)


@planted("missing-nonlinearity", symptoms=LINEAR, costs=0.01)
def convolutions_without_activations(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    activate = nn.Identity if fault else nn.ReLU
    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, 2), activate(), nn.Conv2d(8, 16, 5, 2), activate(), nn.Flatten(),
        nn.Linear(256, 64), activate(), nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train(watch, model, optimizer, x, y, epochs=4)
    return accuracy(model, x_test, y_test)


@planted("missing-nonlinearity", symptoms=LINEAR, costs=0.02, remedy=True)
def recipe_without_an_activation(watch, seed, fault):
    x, y, _, _ = standardised_both(california(4000))
    data = x.numpy(), y.unsqueeze(1).numpy()
    activation = "none" if fault else "relu"
    run = watch.fit(
        "mlp", data, hidden=[64, 64], activation=activation, epochs=10, batch_size=64, lr=0.002, seed=seed,
        **{"optim.name": "adam"},
    )  # fmt: skip
    return run.score["test"]["r2"]


@planted("missing-nonlinearity", symptoms=LINEAR, costs=None)
def wines_through_two_wide_linear_layers(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    model = nn.Sequential(nn.Linear(13, 64), nn.BatchNorm1d(64), nn.Linear(64, 3))
    if not fault:
        model.insert(2, nn.ReLU())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    train(watch, model, optimizer, x, y, epochs=30, size=28)
    return accuracy(model, x_test, y_test)
