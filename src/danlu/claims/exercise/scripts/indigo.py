"""The inputs have very different scales."""

from danlu.claims.exercise.exercise import Exercise

INDIGO = Exercise(
    id="indigo",
    level=1,
    data="wine",
    rules=("input-scale",),
    score=0.9,
    body="""
def build():
    return nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for _ in range(60):
        for index in torch.randperm(len(x)).split(16):
            loss = nn.functional.cross_entropy(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def predict(model, x):
    return model(x).argmax(1)
""",
)
