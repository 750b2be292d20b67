"""A column of predictions minus a row of targets is a table."""

from danlu.claims.exercise.exercise import Exercise

POPPY = Exercise(
    id="poppy",
    level=2,
    data="diabetes",
    rules=("loss-broadcast",),
    score=0.3,
    body="""
def build():
    return nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 1))


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(60):
        for index in torch.randperm(len(x)).split(16):
            loss = ((model(x[index]) - y[index]) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def predict(model, x):
    with torch.no_grad():
        return model(x).squeeze(1)
""",
)
