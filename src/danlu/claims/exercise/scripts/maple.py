"""Eight sigmoid layers in a row."""

from danlu.claims.exercise.exercise import Exercise

MAPLE = Exercise(
    id="maple",
    level=2,
    data="digits",
    rules=("vanishing-gradient",),
    score=0.9,
    body="""
def build():
    layers = [nn.Linear(64, 32), nn.Sigmoid()]
    for _ in range(7):
        layers += [nn.Linear(32, 32), nn.Sigmoid()]
    return nn.Sequential(*layers, nn.Linear(32, 10))


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    for _ in range(25):
        for index in torch.randperm(len(x)).split(32):
            loss = nn.functional.cross_entropy(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def predict(model, x):
    return model(x).argmax(1)
""",
)
