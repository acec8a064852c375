"""The commands about models and the machine: models list, use, pull, plan; doctor."""

import argparse
import sys
from dataclasses import asdict, replace

from unabridged import catalogue
from unabridged.console import Progress, print_json
from unabridged.errors import DoesNotFit
from unabridged.home import open_home
from unabridged.offered_models import OFFERED
from unabridged.settings import load_settings, save_settings
from unabridged.workspace import Workspace

GIB = 1 << 30


def list_models(options: argparse.Namespace) -> int:
    listed = catalogue.models(load_settings(open_home()))
    if options.json:
        print_json({"models": [{**asdict(model), "path": str(model.path)} for model in listed]})
        return 0
    for model in listed:
        size = "missing" if model.missing else f"{model.size_bytes / 1e6:,.0f} MB"
        sys.stdout.write(f"{'*' if model.used else ' '} {model.name}  {size}  {model.path}\n")
    sys.stdout.write("* answers now. The starter finds and quotes; a general model in GGUF format reasons, too.\n")
    sys.stdout.write("\nTo fetch with unabridged models pull NAME (from huggingface.co, only then):\n")
    for item in OFFERED:
        sys.stdout.write(f"  {item.name}  {item.size_gb:.1f} GB  window {item.trained_window:,} tokens  {item.licence}\n")
    return 0


def pull(options: argparse.Namespace) -> int:
    """`models pull NAME`: fetch an offered model, or go on with it; then it can be used. Opens a connection to the hub."""
    progress = Progress(sys.stderr)
    with Workspace(open_home()) as workspace:
        try:
            path = progress.follow(workspace.model.fetch(options.model, workspace.network_log))
        except KeyboardInterrupt:
            sys.stderr.write("\nStopped. What was fetched is kept: the same command goes on from there.")
            raise
        workspace.model.choose(str(path))
    sys.stdout.write(f"{path} is whole and answers from now on.\n")
    return 0


def use(options: argparse.Namespace) -> int:
    home = open_home()
    settings = catalogue.use(load_settings(home), options.model)
    save_settings(home, settings)
    sys.stdout.write(f"{settings.model} answers from now on.\n")
    return 0


def plan(options: argparse.Namespace) -> int:
    """Status 4 where the window asked for does not fit."""
    from unabridged.models.plan import as_json, plan_model

    path = catalogue.model_path(replace(load_settings(open_home()), model=options.model))
    catalogue.check(path)
    made = plan_model(path, window=options.window, kv_type=options.kv_type, timed=not options.quick)
    if options.json:
        print_json(as_json(made))
        return 0 if made.fits else DoesNotFit.exit_status
    sys.stdout.write(f"{made.name} ({made.architecture}), KV cache in {made.kv_type}, window {made.window:,} tokens\n")
    if made.gpus:
        experts = ", experts on the host" if made.experts_on_host else ""
        sys.stdout.write(f"On {' and '.join(made.gpus)}: {made.gpu_layers} of {made.layers} layers{experts}\n")
    for line in made.lines:
        where = f"{line.where}: " if made.gpus else ""
        sys.stdout.write(f"{line.size_bytes / GIB:9.2f} GiB  {where}{line.what}: {line.why}\n")
    verdict = "fits" if made.fits else "does not fit"
    free = f"{made.free_bytes / GIB:,.2f} GiB" + (f" and {made.gpu_free_bytes / GIB:,.2f} GiB on the GPU" if made.gpus else "")
    sys.stdout.write(
        f"{made.needed_bytes / GIB:9.2f} GiB  in all; {free} are free: it {verdict}. "
        f"Largest window {made.largest_window:,} tokens, trained for {made.trained_window:,}.\n"
    )
    if made.timed:
        takes = f"about {made.prefill_seconds:,.0f} s" if made.prefill_seconds else "a time that is not known"
        sys.stdout.write(f"Reading {made.window:,} tokens takes {takes} ({made.timed}).\n")
    for advice in made.advice:
        sys.stdout.write(f"  {advice}\n")
    return 0 if made.fits else DoesNotFit.exit_status


def doctor(options: argparse.Namespace) -> int:
    from unabridged.doctor import examine

    checks = examine()
    if options.json:
        print_json({"checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            sys.stdout.write(f"{check.state:8}{check.name}: {check.detail}\n")
            if check.hint:
                sys.stdout.write(f"        {check.hint}\n")
    return 5 if any(check.state == "bad" for check in checks) else 0
