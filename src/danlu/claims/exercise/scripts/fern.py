"""The first layer"s bias keeps its units silent."""

from danlu.claims.exercise.exercise import Exercise

FERN = Exercise(
    id="fern",
    level=2,
    data="digits",
    rules=("dead-relu",),
    score=0.93,
    body="""
def build():
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    nn.init.normal_(model[0].weight, std=0.1)
    nn.init.constant_(model[0].bias, -4.0)
    return model


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
