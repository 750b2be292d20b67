"""The validation samples are trained on."""

from danlu.claims.exercise.exercise import Exercise

SAFFRON = Exercise(
    id="saffron",
    level=3,
    data="noisy-digits",
    rules=("train-test-overlap",),
    score=0.6,
    honest=0.12,
    body="""
def build():
    return nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))


def train(model, x, y):
    x_train, y_train = x, y
    x_validation, y_validation = x[-300:], y[-300:]
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    best, kept, waited = 0.0, model.state_dict(), 0
    while waited < 10:
        for index in torch.randperm(len(x_train)).split(64):
            loss = nn.functional.cross_entropy(model(x_train[index]), y_train[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        right = float((predict(model, x_validation) == y_validation).float().mean())
        waited += 1
        if right > best:
            best, waited = right, 0
            kept = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)
    return best


def predict(model, x):
    with torch.no_grad():
        return model(x).argmax(1)
""",
)
