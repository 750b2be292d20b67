"""Probabilities go into a loss that takes logits."""

from danlu.claims.exercise.exercise import Exercise

BASIL = Exercise(
    id="basil",
    level=1,
    data="digits",
    rules=("softmax-twice",),
    score=0.93,
    body="""
def build():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(dim=1))


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
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
