"""Two nets against each other, in cells of a notebook and in functions."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.planted.generators import dense, likeness, ring
from faults.planted.latest_losses import AFTERWARDS
from faults.program import planted


def d_hinge(real, fake):
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def play_round(G, D, opt_g, opt_d, real):
    z = torch.randn(len(real), 4)
    fake = G(z)
    d_loss = d_hinge(D(real), D(fake.detach()))
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()
    g_loss = -D(fake).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    return d_loss.item(), g_loss.item()


def play_round_frugally(G, D, opt_g, opt_d, real):
    z = torch.randn(len(real), 4)
    with torch.no_grad():
        fake = G(z)  # fault: samples-made-without-a-graph
    d_loss = d_hinge(D(real), D(fake))
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()
    g_loss = -D(fake).mean()  # fault: samples-made-without-a-graph
    opt_g.zero_grad()
    g_loss.backward()  # fault: samples-made-without-a-graph
    opt_g.step()  # fault: samples-made-without-a-graph
    return d_loss.item(), g_loss.item()


@planted("parameters-unused", causes="no-update", symptoms=AFTERWARDS + " gradients-accumulate", costs=0.3)
def samples_made_without_a_graph(watch, seed, fault):
    torch.manual_seed(seed)
    G, D = dense(4, 64, 64, 2), dense(2, 64, 64, 1)
    opt_g = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.0, 0.9))
    opt_d = torch.optim.Adam(D.parameters(), 2e-3, betas=(0.0, 0.9))
    play = play_round_frugally if fault else play_round
    with watch([G, D], [opt_g, opt_d]):
        for _ in range(500):
            play(G, D, opt_g, opt_d, ring(128))
    return likeness(G)


@planted("parameters-not-optimized", causes="no-update", symptoms=AFTERWARDS + " gradients-accumulate", costs=0.3)
def optimizer_copied_from_the_cell_above(watch, seed, fault):
    torch.manual_seed(seed)
    bs, nz, lr = 128, 4, 1e-3
    netG, netD = dense(nz, 64, 64, 2), dense(2, 64, 64, 1)
    bce = nn.BCEWithLogitsLoss()
    optimizerG = torch.optim.Adam(netG.parameters(), lr=lr, betas=(0.5, 0.999))
    if fault:
        optimizerD = torch.optim.Adam(netG.parameters(), lr=lr, betas=(0.5, 0.999))  # fault
    else:
        optimizerD = torch.optim.Adam(netD.parameters(), lr=lr, betas=(0.5, 0.999))
    ones, zeros = torch.ones(bs, 1), torch.zeros(bs, 1)
    with watch([netG, netD], [optimizerG, optimizerD]):
        for _ in range(500):
            netD.zero_grad()
            fake = netG(torch.randn(bs, nz))
            lossD = bce(netD(ring(bs)), ones) + bce(netD(fake.detach()), zeros)
            lossD.backward()
            optimizerD.step()
            netG.zero_grad()
            lossG = bce(netD(netG(torch.randn(bs, nz))), ones)
            lossG.backward()
            optimizerG.step()
    return likeness(netG)
