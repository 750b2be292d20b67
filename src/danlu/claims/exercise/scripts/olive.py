"""The optimiser gets the head"s parameters alone."""

from danlu.claims.exercise.exercise import Exercise

OLIVE = Exercise(
    id="olive",
    level=2,
    data="digits",
    rules=("parameters-not-optimized",),
    score=0.85,
    body="""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU())
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.features(x))


def build():
    return Net()


def train(model, x, y):
    optimizer = torch.optim.SGD(model.head.parameters(), lr=0.05, momentum=0.9)
    for _ in range(15):
        for index in torch.randperm(len(x)).split(32):
            loss = nn.functional.cross_entropy(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def predict(model, x):
    return model(x).argmax(1)
""",
)
