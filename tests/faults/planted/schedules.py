"""Faults of what surrounds the step: schedules, decay, clipping, and an optimiser that is made anew."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import (
    accuracy,
    batches,
    breast_cancer,
    california,
    digits,
    fashion,
    mnist,
    r2,
    standardised,
    standardised_both,
    time_machine,
    titanic,
    windows,
)
from faults.ordinary import mlp, small_cnn, squared_error, train
from faults.program import planted

RATE_GONE = "lr-too-low lr-too-high plateau underfitting too-few-epochs no-update"


@planted("scheduler-misuse", symptoms=RATE_GONE, costs=0.05)
def an_epochs_schedule_stepped_every_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.1)
    with watch(model, optimizer):
        for _ in range(6):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
                if fault:
                    scheduler.step()
            if not fault:
                scheduler.step()
    return accuracy(model, x_test, y_test)


@planted("scheduler-misuse", symptoms=RATE_GONE, costs=0.05)
def one_cycle_that_never_leaves_its_start(watch, seed, fault):
    """Planned for every step, stepped every epoch."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 48, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.1, epochs=10, steps_per_epoch=45, div_factor=1000
    )
    with watch(model, optimizer):
        for _ in range(10):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
                if not fault:
                    scheduler.step()
            if fault:
                scheduler.step()
    return accuracy(model, x_test, y_test)


@planted("scheduler-misuse", symptoms=RATE_GONE, costs=0.02)
def exponential_decay_every_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = small_cnn()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)
    with watch(model, optimizer):
        for _ in range(5):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
                if fault:
                    scheduler.step()
            if not fault:
                scheduler.step()
    return accuracy(model, x_test, y_test)


@planted("scheduler-misuse", symptoms=RATE_GONE, costs=0.03, quick=True)
def a_plateau_of_the_wrong_sign(watch, seed, fault):
    """The schedule waits for the loss to rise: each epoch that improves it counts as a bad one."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(4000))
    model = mlp(8, 64, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    mode = "max" if fault else "min"
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode=mode, factor=0.1, patience=0)  # fault
    with watch(model, optimizer):
        for _ in range(15):
            total = 0.0
            for features, price in batches(x, y, 64):
                loss = squared_error(model(features), price)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item()
            scheduler.step(total)
    return r2(model, x_test, y_test)


SHRUNK = "underfitting plateau vanishing-gradient dead-relu lr-too-low saturated"


@planted("weight-decay-too-high", symptoms=SHRUNK, costs=0.1, quick=True)
def decay_of_a_half(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 64, 10)
    decay = 0.5 if fault else 1e-4
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=decay)  # fault
    train(watch, model, optimizer, x, y, epochs=12, size=32)
    return accuracy(model, x_test, y_test)


@planted("weight-decay-too-high", symptoms=SHRUNK, costs=0.05)
def adam_that_follows_the_decay(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = small_cnn()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1.0 if fault else 1e-4)
    train(watch, model, optimizer, x, y, epochs=4)
    return accuracy(model, x_test, y_test)


@planted("weight-decay-too-high", symptoms=SHRUNK, costs=0.1)
def adamw_that_takes_a_tenth_each_step(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = mlp(8, 48, 48, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=50.0 if fault else 0.01)
    train(watch, model, optimizer, x, y, epochs=10, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("weight-decay-too-high", symptoms=SHRUNK, costs=0.1, remedy=True)
def recipe_with_decay_of_one(watch, seed, fault):
    decay = {"optim.weight_decay": 1.0 if fault else 1e-4}
    run = watch.fit("mlp", "digits", hidden=[64], epochs=10, batch_size=32, lr=0.1, seed=seed, **decay)
    return run.score["test"]["accuracy"]


HELD = "lr-too-low plateau underfitting too-few-epochs no-update"


@planted("clip-too-tight", symptoms=HELD, costs=0.2)
def clipped_to_a_ten_thousandth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer):
        for _ in range(5):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                nn.utils.clip_grad_norm_(model.parameters(), max_norm=1e-4 if fault else 5.0)
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("clip-too-tight", symptoms=HELD, costs=0.2, quick=True)
def values_clipped_to_a_hundred_thousandth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = mlp(8, 64, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(8):
            for features, price in batches(x, y, 64):
                optimizer.zero_grad()
                squared_error(model(features), price).backward()
                nn.utils.clip_grad_value_(model.parameters(), 1e-5 if fault else 1.0)  # fault
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("clip-too-tight", symptoms=HELD, costs=0.2)
def recurrent_net_clipped_too_tightly(watch, seed, fault):
    torch.manual_seed(seed)
    text, vocabulary = time_machine()
    x, y = windows(text[:15000], 32, 500)
    rnn, head = nn.RNN(vocabulary, 64, batch_first=True), nn.Linear(64, vocabulary)
    model = nn.ModuleList([rnn, head])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    losses = []
    with watch(model, optimizer):
        for _ in range(10):
            for before, after in batches(x, y, 25):
                logits = head(rnn(F.one_hot(before, vocabulary).float())[0])
                loss = F.cross_entropy(logits.flatten(0, 1), after.flatten())
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1e-3 if fault else 1.0)
                optimizer.step()
                losses.append(loss.item())
    return -sum(losses[-10:]) / 10


@planted("clip-too-tight", symptoms=HELD, costs=0.2, remedy=True)
def recipe_clipped_too_tightly(watch, seed, fault):
    clip = {"train.clip_norm": 1e-4 if fault else 5.0}
    run = watch.fit("mlp", "digits", hidden=[64], epochs=8, batch_size=32, lr=0.1, seed=seed, **clip)
    return run.score["test"]["accuracy"]


AFRESH = "lr-too-high plateau no-update parameters-not-optimized"


@planted("optimizer-recreated", symptoms=AFRESH, costs=None, quick=True)
def adam_made_anew_for_every_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 64, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(10):
            for images, labels in batches(x, y, 32):
                if fault:
                    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)  # fault
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("optimizer-recreated", symptoms=AFRESH, costs=0.02)
def momentum_lost_at_every_step(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def update(optimizer, images, labels):
        if fault:
            optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    with watch(model, optimizer):
        for _ in range(5):
            for images, labels in batches(x, y, 64):
                update(optimizer, images, labels)
    return accuracy(model, x_test, y_test)


@planted("optimizer-recreated", symptoms=AFRESH, costs=None)
def a_new_optimiser_every_short_epoch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())
    model = mlp(8, 32, 2)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(25):
            if fault:
                optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, momentum=0.9)
            for features, label in batches(x, y, 128):
                optimizer.zero_grad()
                F.cross_entropy(model(features), label).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("optimizer-recreated", symptoms=AFRESH, costs=None)
def an_optimiser_inside_the_training_function(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    model = mlp(30, 16, 1)
    shared = torch.optim.Adam(model.parameters(), lr=2e-3)

    def train_one_batch(features, label):
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3) if fault else shared
        loss = F.binary_cross_entropy_with_logits(model(features).squeeze(1), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    with watch(model, shared):
        for _ in range(15):
            for features, label in batches(x, y.float(), 32):
                train_one_batch(features, label)
    return accuracy(model, x_test, y_test)
