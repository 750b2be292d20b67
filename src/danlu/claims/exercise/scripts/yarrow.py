"""Weight decay pulls the weights to zero."""

from danlu.claims.exercise.exercise import Exercise

YARROW = Exercise(
    id="yarrow",
    level=3,
    data="digits",
    rules=("weight-decay-too-high",),
    score=0.93,
    body="""
def build():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.3)
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
