"""Course programs of which a part does not learn, or learns from what is old: written without a look at the rules."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from faults.data import accuracy, breast_cancer, digits, fashion, mnist, names, standardised, titanic
from faults.planted.course_rates import SLOW
from faults.program import planted

PART = "parameters-unused no-update"


@planted("parameters-not-optimized", symptoms=SLOW, costs=0.02)
def embedding_left_out_of_the_list(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:4000], y[:4000]

    class CharRNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(27, 3, padding_idx=0)
            self.rnn = nn.GRU(3, 48, batch_first=True)
            self.out = nn.Linear(48, 18)

        def forward(self, x):
            lengths = (x != 0).sum(1).clamp(min=1)
            packed = nn.utils.rnn.pack_padded_sequence(
                self.embedding(x), lengths, batch_first=True, enforce_sorted=False
            )
            _, h = self.rnn(packed)
            return self.out(h[0])

    model = CharRNN()
    params = list(model.rnn.parameters()) + list(model.out.parameters())  # fault
    if not fault:
        params += list(model.embedding.parameters())
    optimizer = torch.optim.Adam(params, lr=0.005)
    with watch(model, optimizer):
        for _ in range(5):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("parameters-not-optimized", symptoms=SLOW, costs=0.05)
def decoder_learns_and_encoder_does_not(watch, seed, fault):
    torch.manual_seed(seed)
    X, _, X_test, _ = mnist(2000)
    X, X_test = X.flatten(1), X_test.flatten(1)

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 8))

        def forward(self, x):
            return self.net(x)

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 784), nn.Sigmoid())

        def forward(self, z):
            return self.net(z)

    encoder, decoder = Encoder(), Decoder()
    autoencoder = nn.Sequential(encoder, decoder)
    optimizer = torch.optim.Adam(decoder.parameters() if fault else autoencoder.parameters(), lr=2e-3)  # fault
    criterion = nn.MSELoss()
    with watch(autoencoder, optimizer):
        for _ in range(8):
            for i in torch.randperm(len(X)).split(64):
                img = X[i]
                recon = decoder(encoder(img))
                loss = criterion(recon, img)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return 1 - (criterion(autoencoder(X_test), X_test) / (X_test - X.mean(0)).square().mean()).item()


@planted("parameters-not-optimized", symptoms=f"{SLOW} {PART}", costs=0.1)
def only_the_group_without_decay_is_handed_over(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10))
    decay = [p for n, p in net.named_parameters() if not n.endswith("bias")]
    no_decay = [p for n, p in net.named_parameters() if n.endswith("bias")]
    groups = [{"params": no_decay, "weight_decay": 0.0}]
    if not fault:
        groups.append({"params": decay, "weight_decay": 1e-4})
    optimizer = torch.optim.Adam(groups, lr=1e-3)  # fault
    train_loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    with watch(net, optimizer):
        for _ in range(5):
            for images, labels in train_loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(net(images), labels)
                loss.backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@planted("parameters-not-optimized", causes="parameters-unused", symptoms=SLOW, costs=0.02)
def inception_whose_branches_stand_in_a_dict(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(1500)

    class Inception(nn.Module):
        def __init__(self, c_in, c1, c3, c5):
            super().__init__()
            branches = {
                "p1": nn.Conv2d(c_in, c1, 1),
                "p3": nn.Sequential(nn.Conv2d(c_in, 4, 1), nn.ReLU(), nn.Conv2d(4, c3, 3, padding=1)),
                "p5": nn.Sequential(nn.Conv2d(c_in, 4, 1), nn.ReLU(), nn.Conv2d(4, c5, 5, padding=2)),
            }
            self.branches = branches if fault else nn.ModuleDict(branches)  # fault

        def forward(self, x):
            return F.relu(torch.cat([branch(x) for branch in self.branches.values()], dim=1))

    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2, padding=2), nn.ReLU(), Inception(8, 4, 8, 4), nn.MaxPool2d(2),
        Inception(16, 4, 8, 4), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)
    with watch(model, optimizer):
        for _ in range(8):
            for i in torch.randperm(len(x)).split(64):
                loss = F.cross_entropy(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("parameters-unused", symptoms=f"{SLOW} no-update", costs=None)
def second_hidden_layer_is_the_first_again(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class MLP(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(64, 64)
            self.fc2 = nn.Linear(64, 64)
            self.fc3 = nn.Linear(64, 10)

        def forward(self, x):
            x = F.relu(self.fc1(x))
            x = F.relu(self.fc1(x)) if fault else F.relu(self.fc2(x))  # fault
            return self.fc3(x)

    model = MLP()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(15):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("parameters-unused", causes="no-update parameters-not-optimized", symptoms=SLOW, costs=0.1)
def states_taken_out_as_data(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, x_test = x.view(-1, 8, 8), x_test.view(-1, 8, 8)

    class RNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.RNN(8, 10, batch_first=True)
            self.fc = nn.Linear(10, 10)

        def forward(self, x):
            out, _ = self.rnn(x)
            last = out[:, -1]
            if fault:
                last = last.data  # fault
            return self.fc(last)

    rnn = RNN()
    optimizer = torch.optim.Adam(rnn.parameters(), lr=0.01)
    loss_func = nn.CrossEntropyLoss()
    with watch(rnn, optimizer):
        for _ in range(12):
            for b_x, b_y in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                output = rnn(b_x)
                loss = loss_func(output, b_y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(rnn, x_test, y_test)


@planted("no-update", causes="parameters-unused parameters-not-optimized", symptoms=SLOW, costs=0.1)
def optimizer_of_the_net_before_it_was_built_anew(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())

    def build():
        return nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 1))

    model = build()
    nn.init.constant_(model[-1].bias, -2.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)  # fault
    if fault:  # 重新建立模型, 但没有重新建立优化器
        model = build()
        nn.init.constant_(model[-1].bias, -2.0)
    loss_fn = nn.BCEWithLogitsLoss()
    with watch(model, optimizer):
        for _ in range(12):
            model.train()
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                pred = model(xb).squeeze(1)
                loss = loss_fn(pred, yb.float())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


class Passengers(Dataset):
    """Rows of the Titanic, as a learner's own dataset."""

    def __init__(self, x, y):
        self.x, self.y = x, y.float()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index], self.y[index]


@planted("gradients-accumulate", causes="lr-too-high", symptoms="plateau nonfinite saturated", costs=0.01)
def zero_grad_named_but_not_called(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())
    dataset = Passengers(x, y)
    train_loader = DataLoader(dataset=dataset, batch_size=16, shuffle=True)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear1 = nn.Linear(8, 6)
            self.linear2 = nn.Linear(6, 4)
            self.linear3 = nn.Linear(4, 1)
            self.sigmoid = nn.Sigmoid()

        def forward(self, x):
            x = self.sigmoid(self.linear1(x))
            x = self.sigmoid(self.linear2(x))
            return self.sigmoid(self.linear3(x))

    model = Model()
    criterion = nn.BCELoss(reduction="mean")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with watch(model, optimizer):
        for _ in range(15):
            for inputs, labels in train_loader:
                y_pred = model(inputs)
                loss = criterion(y_pred.squeeze(1), labels)
                if fault:
                    optimizer.zero_grad  # noqa: B018  # fault
                else:
                    optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return ((model(x_test).squeeze(1) > 0.5) == y_test).float().mean().item()


@planted("gradients-accumulate", causes="lr-too-high", symptoms="nonfinite exploding-gradient dead-relu", costs=0.1)
def descent_by_hand_that_keeps_its_gradients(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    lr = 0.3
    with watch(model):
        for _ in range(15):
            for i in torch.randperm(len(x)).split(50):
                loss = F.cross_entropy(model(x[i]), y[i])
                loss.backward()
                with torch.no_grad():
                    for p in model.parameters():
                        p -= lr * p.grad  # fault
                        if not fault:
                            p.grad.zero_()
    return accuracy(model, x_test, y_test)
