"""Predictions are made in training mode."""

from danlu.claims.exercise.exercise import Exercise

JUNIPER = Exercise(
    id="juniper",
    level=2,
    data="digits",
    rules=("train-mode-in-evaluation",),
    score=0.93,
    pieces=40,
    body="""
def build():
    return nn.Sequential(
        nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.4), nn.Linear(64, 10)
    )


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(15):
        for index in torch.randperm(len(x)).split(32):
            loss = nn.functional.cross_entropy(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def predict(model, x):
    with torch.no_grad():
        return model(x).argmax(1)
""",
)
