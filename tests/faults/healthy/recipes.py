"""Trainings by danlu's own loop, from recipes."""

from faults.data import california, root
from faults.program import healthy


@healthy(at_least=0.92)
def recipe_lenet_on_digits(watch, seed):
    run = watch.fit("lenet5", "digits", epochs=12, lr=0.05, momentum=0.9, seed=seed)
    return run.score["test"]["accuracy"]


@healthy(at_least=0.92, quick=True)
def recipe_deep_mlp_with_batch_norm(watch, seed):
    run = watch.fit("mlp", "digits", hidden=[64, 64, 64], norm="batch", epochs=10, lr=0.02, momentum=0.9, seed=seed)
    return run.score["test"]["accuracy"]


@healthy(at_least=0.88)
def recipe_softmax_regression(watch, seed):
    run = watch.fit("softmax-regression", "digits", epochs=8, lr=0.1, seed=seed)
    return run.score["test"]["accuracy"]


@healthy(at_least=0.74)
def recipe_titanic(watch, seed):
    run = watch.fit("mlp", root() / "titanic.csv", target="Survived", epochs=15, seed=seed)
    return run.score["test"]["accuracy"]


@healthy(at_least=0.60)
def recipe_california_with_warm_up(watch, seed):
    settings = {"optim.name": "adam", "schedule.name": "cosine", "schedule.warmup": 30}
    x, y, _, _ = california(3000)
    scale = (x - x.mean(0)) / x.std(0), ((y - y.mean()) / y.std()).unsqueeze(1)
    run = watch.fit(
        "mlp",
        (scale[0].numpy(), scale[1].numpy()),
        hidden=[64],
        epochs=25,
        batch_size=64,
        lr=0.01,
        seed=seed,
        **settings,
    )
    return run.score["test"]["r2"]


@healthy(at_least=0.90)
def recipe_accumulating_clipping_averaging(watch, seed):
    settings = {"train.accumulate": 2, "train.clip_norm": 5.0, "train.ema": 0.98, "loss.label_smoothing": 0.1}
    run = watch.fit("mlp", "digits", hidden=[64], dropout=0.2, epochs=15, lr=0.1, momentum=0.9, seed=seed, **settings)
    return run.score["test"]["accuracy"]


@healthy(at_least=0.40)
def recipe_linear_regression_by_lbfgs(watch, seed):
    """A linear model of prices can do no better than this."""
    run = watch.fit(
        "linear-regression", root() / "california-housing.tgz", target="median_house_value", epochs=5,
        seed=seed, **{"optim.name": "lbfgs"},
    )  # fmt: skip
    return run.score["test"]["r2"]
