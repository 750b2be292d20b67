"""After the first validation it trains in evaluation mode."""

from danlu.claims.exercise.exercise import Exercise

LINDEN = Exercise(
    id="linden",
    level=2,
    data="digits",
    rules=("eval-mode-in-training",),
    score=0.93,
    body="""
def build():
    return nn.Sequential(
        nn.BatchNorm1d(64), nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)
    )


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    best, kept = 0.0, model.state_dict()
    for _ in range(20):
        for index in torch.randperm(len(x) - 200).split(32):
            loss = nn.functional.cross_entropy(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        right = (predict(model, x[-200:]) == y[-200:]).float().mean()
        if right > best:
            best, kept = right, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)


def predict(model, x):
    model.eval()
    with torch.no_grad():
        return model(x).argmax(1)
""",
)
