#!/usr/bin/python3
"""Schemes that come to the same thing give the same bits: peers that do not teach each other and the student alone, equal peers,
targets without anything remembered and labels, an average of the last step alone and the student; one thread and several."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scheme_case  # noqa: E402
from retort import expect, finish, run  # noqa: E402
from run_folder import weights  # noqa: E402
from scheme_case import distil, metrics, recipe, side_by_side, write  # noqa: E402

SEEDS = (0, 1)


def same(folder, a, b, what):
    for seed in SEEDS:
        expect(weights(folder, f"{a}-{seed}") == weights(folder, f"{b}-{seed}"), f"{folder}, seed {seed}: {what}")


def other(folder, a, b, what):
    for seed in SEEDS:
        expect(weights(folder, f"{a}-{seed}") != weights(folder, f"{b}-{seed}"), f"{folder}, seed {seed}: {what}")


def made(scheme, options, folder, **how):
    distil(write(f"{folder}.yaml", recipe(scheme, options, more="seeds: [0, 1]\n", **how)), folder)


def check_peers():
    def without_lessons(network, scheme, options):
        folder = f"{scheme}-{network}-{len(options)}"
        made(scheme, f"{options}, peer_seeds: [0, 0]", folder, network=scheme_case.NETWORKS[network])
        same(folder, "distilled", "alone", "without the others' lessons the student is the one alone")
        same(folder, "peer-1", "alone", "and so is a peer of the same initial values")
    side_by_side(without_lessons, *((network, *how) for network in scheme_case.NETWORKS for how in (
        ("dml", "weight: 0"), ("kdcl", "weight: 0"), ("codistillation", "weight: 0, burn_in: 0, exchange: 3"), ("codistillation", "burn_in: 9"))))
    made("dml", "weight: 0", "unequal")
    same("unequal", "distilled", "alone", "whoever learns beside it")
    other("unequal", "peer-1", "alone", "other initial values, another network")
    made("dml", "", "taught")
    other("taught", "distilled", "alone", "with the lessons it is another network")
    for peers in (2, 3):
        made("dml", f"peers: {peers}, peer_seeds: {[0] * peers}", f"equal-{peers}")
        for peer in range(1, peers):
            same(f"equal-{peers}", f"peer-{peer}", "distilled", "equal peers stay equal")


def check_nothing_remembered():
    made("ps-kd", "", "ps-kd", train="epochs: 3, batch: 32")
    made("dlb", "", "dlb")
    for seed in SEEDS:
        taught, alone = (metrics("ps-kd", f"{role}-{seed}", "loss") for role in ("distilled", "alone"))
        epoch = len(alone) // 3
        expect(len(taught) == len(alone) == 3 * epoch > 30, "steps")
        expect(taught[:epoch] == alone[:epoch], "ps-kd, first epoch: the losses of the student alone, bit for bit")
        expect(all(a != b for a, b in zip(taught[epoch:], alone[epoch:])), "ps-kd, then others")
        losses, labels, kd = (metrics("dlb", f"distilled-{seed}", name) for name in ("loss", "labels", "kd"))
        expect(losses[0] == labels[0] and kd[0] == 0, f"dlb, first step: the labels alone, found {losses[0]}, {labels[0]}, {kd[0]}")
        expect(min(kd[1:]) > 0, "dlb, then from the step before")
    made("ps-kd", "alpha: 0", "ps-kd-0")
    same("ps-kd-0", "distilled", "alone", "ps-kd that remembers nothing is the student alone")


def check_averages():
    made("ema", "decay: 0", "ema-0")
    same("ema-0", "average", "distilled", "the average of the last step alone is the student")
    other("ema-0", "distilled", "alone", "which it teaches in evaluation mode, without dropout")
    made("ema", "weight: 0", "ema-weight-0")
    same("ema-weight-0", "distilled", "alone", "a teacher without weight teaches nothing")
    other("ema-weight-0", "average", "distilled", "and is the average all the same")


def check_threads():
    """Networks large enough that each has a thread of its own (graph/lanes.c)."""
    def on_each(scheme, options):
        text = recipe(scheme, options, network="{name: cnn, widths: [24, 32], dropout: 0.1}", train="steps: 30, batch: 64",
                      more="seeds: [0]\nbaseline: false\n")
        made = [f"{scheme}-{len(options)}-threads-{threads}" for threads in (1, 2)]
        for threads, folder in enumerate(made, 1):
            done = run("distill", write(f"{folder}.yaml", text), "-o", folder, "--threads", str(threads))
            expect(done.status == 0, f"{folder} runs", done)
            expect(("2 networks side by side" in done.err) == (threads == 2), f"{folder}: side by side on two threads", done)
        names = [name for name in os.listdir(f"{made[0]}/models") if name.endswith("-0.safetensors")]
        expect(names, f"{scheme}: models")
        for name in names:
            one, two = (weights(folder, name[:-len(".safetensors")]) for folder in made)
            expect(one == two, f"{scheme} {options}, {name}: the same bits on one thread and on two")
    side_by_side(on_each, ("dml", ""), ("dml", "peers: 3"), ("kdcl", "ensemble: linear"), ("codistillation", "exchange: 4, burn_in: 0"),
                 ("ema", "ramp: 0"), ("born-again", ""))


def main():
    scheme_case.usual_data()
    check_peers()
    check_nothing_remembered()
    check_averages()
    check_threads()
    finish()


main()
