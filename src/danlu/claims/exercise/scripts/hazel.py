"""Inputs and labels are shuffled apart."""

from danlu.claims.exercise.exercise import Exercise

HAZEL = Exercise(
    id="hazel",
    level=2,
    data="digits",
    rules=("underfitting", "plateau"),
    score=0.93,
    body="""
def build():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def train(model, x, y):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(15):
        images, labels = x[torch.randperm(len(x))], y[torch.randperm(len(y))]
        for start in range(0, len(x), 32):
            loss = nn.functional.cross_entropy(model(images[start : start + 32]), labels[start : start + 32])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def predict(model, x):
    return model(x).argmax(1)
""",
)
