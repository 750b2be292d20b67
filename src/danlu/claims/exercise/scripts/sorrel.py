"""Every batch gets a new optimiser, which remembers nothing."""

from danlu.claims.exercise.exercise import Exercise

SORREL = Exercise(
    id="sorrel",
    level=3,
    data="digits",
    rules=("optimizer-recreated",),
    score=0.93,
    body="""
def build():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def train(model, x, y):
    for _ in range(15):
        for index in torch.randperm(len(x)).split(32):
            optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
            loss = nn.functional.cross_entropy(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def predict(model, x):
    return model(x).argmax(1)
""",
)
