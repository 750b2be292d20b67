"""Nets and losses beside each other: adversarial pairs, adapters, teachers, two views, two losses."""

import warnings

import torch
import torch.nn.functional as F
from torch import nn

from faults.drawn import batches_of, blobs, images, markov, shapes, tabular
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "parameters-unused train-test-overlap unshuffled input-scale initial-loss output-collapsed"
)


def gan_parts():
    maker = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
    judge = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    return maker, judge


@planted("gradients-accumulate", symptoms=AFTERWARDS, costs=None)
def gan_discriminator_not_detached(watch, seed, fault):
    torch.manual_seed(seed)
    maker, judge = gan_parts()
    og, od = (
        torch.optim.Adam(maker.parameters(), 2e-4, (0.5, 0.99)),
        torch.optim.Adam(judge.parameters(), 2e-4, (0.5, 0.99)),
    )
    bce = nn.BCEWithLogitsLoss()
    with watch([maker, judge], [og, od]):
        for _step in range(400):
            og.zero_grad()
            od.zero_grad()
            real = torch.randn(64, 2) * 0.5 + torch.tensor([2.0, 1.0])
            fake = maker(torch.randn(64, 8))
            d_loss = bce(judge(real), torch.ones(64, 1)) + bce(
                judge(fake if fault else fake.detach()), torch.zeros(64, 1)
            )
            d_loss.backward()
            od.step()
            g_loss = bce(judge(maker(torch.randn(64, 8))), torch.ones(64, 1))
            g_loss.backward()
            og.step()
    return 0.0


@planted("parameters-unused", causes="no-update", symptoms=AFTERWARDS, costs=None)
def gan_generator_detached(watch, seed, fault):
    torch.manual_seed(seed)
    maker, judge = gan_parts()
    og, od = (
        torch.optim.Adam(maker.parameters(), 2e-4, (0.5, 0.99)),
        torch.optim.Adam(judge.parameters(), 2e-4, (0.5, 0.99)),
    )
    bce = nn.BCEWithLogitsLoss()
    with watch([maker, judge], [og, od]):
        for _step in range(400):
            real = torch.randn(64, 2) * 0.5 + torch.tensor([2.0, 1.0])
            fake = maker(torch.randn(64, 8))
            od.zero_grad()
            (bce(judge(real), torch.ones(64, 1)) + bce(judge(fake.detach()), torch.zeros(64, 1))).backward()
            od.step()
            og.zero_grad()
            out = judge(fake.detach() if fault else fake)
            bce(out, torch.ones(64, 1)).backward()
            og.step()
    return 0.0


class LoRALinear(nn.Module):
    def __init__(self, base, r=4):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.randn(r, base.in_features) * 0.02)
        self.B = nn.Parameter(torch.zeros(base.out_features, r))

    def forward(self, x):
        return self.base(x) + x @ self.A.T @ self.B.T


@planted("parameters-unused", symptoms=AFTERWARDS, costs=None)
def lora_under_reentrant_checkpoint(watch, seed, fault):
    warnings.simplefilter("ignore")
    from torch.utils.checkpoint import checkpoint

    torch.manual_seed(seed)
    row, v = markov(4000, seed)

    class LM(nn.Module):
        def __init__(self):
            super().__init__()
            w = 32
            self.wte, self.wpe = nn.Embedding(v, w).requires_grad_(False), nn.Embedding(32, w).requires_grad_(False)
            self.layers = nn.ModuleList(
                nn.Sequential(LoRALinear(nn.Linear(w, 2 * w)), nn.GELU(), LoRALinear(nn.Linear(2 * w, w)))
                for _ in range(3)
            )
            self.lm_head = nn.Linear(w, v)

        def forward(self, input_ids, labels):
            h = self.wte(input_ids) + self.wpe(torch.arange(input_ids.shape[1]))
            for layer in self.layers:
                h = h + checkpoint(layer, h, use_reentrant=fault)  # fault
            logits = self.lm_head(h)
            return {"loss": F.cross_entropy(logits[:, :-1].reshape(-1, v), labels[:, 1:].reshape(-1)), "logits": logits}

    model = LM()
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.AdamW(params, lr=2e-3)
    with watch(model, opt):
        model.train()
        for _step in range(300):
            ids = torch.stack([row[i : i + 24] for i in torch.randint(len(row) - 24, (16,))])
            out = model(input_ids=ids, labels=ids)
            out["loss"].backward()
            nn.utils.clip_grad_norm_(params, 1.0)
            opt.step()
            opt.zero_grad()
    return 0.0


@planted("temperature-mismatch", symptoms=AFTERWARDS, costs=None)
def distillation_temperature(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=21)
    teacher = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 4))
    to = torch.optim.Adam(teacher.parameters(), 3e-3)
    for _ in range(200):
        i = torch.randint(len(x), (64,))
        to.zero_grad()
        F.cross_entropy(teacher(x[i]), y[i]).backward()
        to.step()
    teacher.eval()
    student = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4))
    opt = torch.optim.Adam(student.parameters(), 2e-3)
    temp, alpha = 4.0, 0.7
    with watch(student, opt):
        for _epoch in range(8):
            for index in torch.randperm(len(x)).split(32):
                with torch.no_grad():
                    t_logits = teacher(x[index])
                s_logits = student(x[index])
                soft = F.softmax(t_logits, dim=1) if fault else F.softmax(t_logits / temp, dim=1)
                kd = F.kl_div(F.log_softmax(s_logits / temp, dim=1), soft, reduction="batchmean") * temp * temp
                loss = alpha * kd + (1 - alpha) * F.cross_entropy(s_logits, y[index])
                opt.zero_grad()
                loss.backward()
                opt.step()
    return 0.0


@planted("temperature-mismatch", symptoms=AFTERWARDS, costs=None)
def student_sees_hard_teacher(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = tabular(1200, seed)
    teacher = nn.Sequential(nn.Linear(20, 96), nn.ReLU(), nn.Linear(96, 3))
    o = torch.optim.Adam(teacher.parameters(), 4e-3)
    for _ in range(200):
        i = torch.randint(1200, (64,))
        o.zero_grad()
        F.cross_entropy(teacher(x[i]), y[i]).backward()
        o.step()
    student = nn.Sequential(nn.Linear(20, 12), nn.ReLU(), nn.Linear(12, 3))
    opt = torch.optim.SGD(student.parameters(), 0.05, momentum=0.9)
    kl = nn.KLDivLoss(reduction="batchmean")
    temperature = 5.0
    with watch(student, opt):
        for _epoch in range(10):
            for i in torch.randperm(1200).split(48):
                with torch.no_grad():
                    target = teacher(x[i])
                if not fault:
                    target = target / temperature
                p, q = torch.softmax(target, -1), torch.log_softmax(student(x[i]) / temperature, -1)
                loss = 0.5 * temperature**2 * kl(q, p) + 0.5 * F.cross_entropy(student(x[i]), y[i])
                opt.zero_grad()
                loss.backward()
                opt.step()
    return 0.0


@planted("temperature-mismatch", symptoms=AFTERWARDS, costs=None, quick=True)
def teacher_softened_alone(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=34)
    teacher, student = (nn.Sequential(nn.Linear(16, width), nn.ReLU(), nn.Linear(width, 4)) for width in (64, 12))
    optimizer = torch.optim.Adam(student.parameters(), 2e-3)
    temperature = 3.0

    def distil(given, wanted, labels):
        answers = given if fault else given / temperature
        soft = F.kl_div(answers.log_softmax(1), (wanted / temperature).softmax(1), reduction="batchmean")  # fault
        return temperature**2 * soft + F.cross_entropy(given, labels)

    with watch(student, optimizer):
        for index in batches_of(len(x), 5):
            with torch.no_grad():
                wanted = teacher(x[index])
            loss = distil(student(x[index]), wanted, y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("losses-unbalanced", symptoms=AFTERWARDS, costs=None, quick=True)
def scales_apart(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=22)
    price = (x[:, :4].sum(1) + 0.1 * torch.randn(len(x))) * (40 if fault else 1)

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(16, 64), nn.ReLU())
            self.cls, self.reg = nn.Linear(64, 4), nn.Linear(64, 1)

        def forward(self, x):
            h = self.body(x)
            return {"cls": self.cls(h), "reg": self.reg(h).squeeze(1)}

    model = Two()
    opt = torch.optim.Adam(model.parameters(), 2e-3)
    with watch(model, opt):
        for _epoch in range(8):
            for index in torch.randperm(len(x)).split(32):
                out = model(x[index])
                loss = F.cross_entropy(out["cls"], y[index]) + F.mse_loss(out["reg"], price[index])  # fault
                opt.zero_grad()
                loss.backward()
                opt.step()
    return 0.0


@planted("losses-unbalanced", symptoms=AFTERWARDS, costs=None)
def boxes_in_pixels_beside_classes(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = shapes(700, seed)
    boxes = torch.rand(700, 4) * (400 if fault else 1)

    class Detector(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.AdaptiveMaxPool2d(4), nn.Flatten())
            self.c, self.b = nn.Linear(256, 3), nn.Linear(256, 4)

        def forward(self, x):
            h = self.f(x)
            return self.c(h), self.b(h)

    net = Detector()
    opt = torch.optim.Adam(net.parameters(), 1e-3)
    ce, mse = nn.CrossEntropyLoss(), nn.MSELoss()
    with watch(net, opt):
        for _ in range(15):
            for i in torch.randperm(700).split(35):
                c, b = net(x[i])
                loss = ce(c, y[i]) + mse(b, boxes[i])
                opt.zero_grad()
                loss.backward()
                opt.step()
    return 0.0


@planted("losses-unbalanced", symptoms=AFTERWARDS, costs=None)
def years_beside_a_flag(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=35)
    years = x[:, :3].sum(1, keepdim=True) * (30 if fault else 1)
    body, flag, year = nn.Linear(16, 48), nn.Linear(48, 1), nn.Linear(48, 1)
    model = nn.ModuleList([body, flag, year])
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    with watch(model, optimizer):
        for index in batches_of(len(x), 5):
            hidden = torch.relu(body(x[index]))
            sorts = F.binary_cross_entropy_with_logits(flag(hidden), (y[index, None] > 1).float())
            loss = sorts + F.mse_loss(year(hidden), years[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("views-alike", symptoms=AFTERWARDS, costs=None)
def simclr_one_view(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = images()
    enc = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(144, 32))
    opt = torch.optim.Adam(enc.parameters(), 1e-3)

    def aug(b):
        return b + 0.4 * torch.randn_like(b)

    with watch(enc, opt):
        for _step in range(300):
            b = x[torch.randint(len(x), (48,))]
            v1 = aug(b)
            v2 = v1 if fault else aug(b)
            z = F.normalize(enc(torch.cat([v1, v2])), dim=1)
            sim = z @ z.T / 0.2
            sim.fill_diagonal_(-1e9)
            target = torch.arange(96).roll(48)
            loss = F.cross_entropy(sim, target)
            opt.zero_grad()
            loss.backward()
            opt.step()
    return 0.0


@planted("views-alike", symptoms=AFTERWARDS, costs=None)
def two_views_from_one_call(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = shapes(600, seed)

    class SimCLR(nn.Module):
        def __init__(self):
            super().__init__()
            self.enc = nn.Sequential(nn.Conv2d(1, 16, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(784, 64))
            self.proj = nn.Sequential(nn.ReLU(), nn.Linear(64, 16))

        def forward(self, x):
            return F.normalize(self.proj(self.enc(x)), dim=-1)

    def augment(b):
        return torch.roll(b, int(torch.randint(-3, 4, ())), 3) + 0.3 * torch.randn_like(b)

    def nt_xent(a, b, t=0.3):
        s = a @ b.T / t
        n = torch.arange(len(a))
        return 0.5 * (F.cross_entropy(s, n) + F.cross_entropy(s.T, n))

    net = SimCLR()
    opt = torch.optim.Adam(net.parameters(), 1e-3)
    with watch(net, opt):
        for _ in range(300):
            b = x[torch.randint(600, (40,))]
            one = augment(b)
            two = one.clone() if fault else augment(b)
            loss = nt_xent(net(one), net(two))
            opt.zero_grad()
            loss.backward()
            opt.step()
    return 0.0


@planted("views-alike", symptoms=AFTERWARDS, costs=None, quick=True)
def one_augmented_batch_for_both_sides(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = blobs(seed=36)

    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 12))

        def forward(self, left, right):
            return F.normalize(self.encoder(left), dim=1), F.normalize(self.encoder(right), dim=1)

    model = Pair()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    with watch(model, optimizer):
        for index in batches_of(len(x), 4):
            left = x[index] + 0.3 * torch.randn(len(index), 16)
            right = left + 0 if fault else x[index] + 0.3 * torch.randn(len(index), 16)
            one, other = model(left, right)
            loss = F.cross_entropy(one @ other.T / 0.2, torch.arange(len(index)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()
