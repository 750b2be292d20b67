"""Linear layers follow each other without an activation."""

from danlu.claims.exercise.exercise import Exercise

TANSY = Exercise(
    id="tansy",
    level=2,
    data="rings",
    rules=("missing-nonlinearity",),
    score=0.9,
    body="""
def build():
    return nn.Sequential(nn.Linear(2, 32), nn.Linear(32, 32), nn.Linear(32, 2))


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(30):
        for index in torch.randperm(len(x)).split(32):
            loss = nn.functional.cross_entropy(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def predict(model, x):
    return model(x).argmax(1)
""",
)
