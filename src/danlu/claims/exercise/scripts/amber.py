"""The gradients of earlier batches stay."""

from danlu.claims.exercise.exercise import Exercise

AMBER = Exercise(
    id="amber",
    level=1,
    data="digits",
    rules=("gradients-accumulate",),
    score=0.93,
    body="""
def build():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(15):
        for index in torch.randperm(len(x)).split(32):
            loss = nn.functional.cross_entropy(model(x[index]), y[index])
            loss.backward()
            optimizer.step()


def predict(model, x):
    return model(x).argmax(1)
""",
)
