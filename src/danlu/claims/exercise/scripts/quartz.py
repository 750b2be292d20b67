"""The gradient explodes through a recurrent layer, and nothing clips it."""

from danlu.claims.exercise.exercise import Exercise

QUARTZ = Exercise(
    id="quartz",
    level=3,
    data="digits",
    rules=("exploding-gradient", "nonfinite", "lr-too-high"),
    score=0.75,
    body="""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(8, 64, batch_first=True, nonlinearity="relu")
        self.head = nn.Linear(64, 10)
        nn.init.eye_(self.rnn.weight_hh_l0)
        self.rnn.weight_hh_l0.data *= 1.4

    def forward(self, x):
        return self.head(self.rnn(x.view(-1, 8, 8))[0][:, -1])


def build():
    return Net()


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(20):
        for index in torch.randperm(len(x)).split(32):
            loss = nn.functional.cross_entropy(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def predict(model, x):
    return model(x).argmax(1)
""",
)
