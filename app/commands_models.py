"""The commands about models and the machine: models list, models use, doctor."""

import argparse
import sys
from dataclasses import asdict

from unabridged import catalogue
from unabridged.console import print_json
from unabridged.home import open_home
from unabridged.settings import load_settings, save_settings


def list_models(options: argparse.Namespace) -> int:
    listed = catalogue.models(load_settings(open_home()))
    if options.json:
        print_json({"models": [{**asdict(model), "path": str(model.path)} for model in listed]})
        return 0
    for model in listed:
        size = "missing" if model.missing else f"{model.size_bytes / 1e6:,.0f} MB"
        sys.stdout.write(f"{'*' if model.used else ' '} {model.name}  {size}  {model.path}\n")
    sys.stdout.write("* answers now. The starter finds and quotes; a general model in GGUF format reasons, too.\n")
    return 0


def use(options: argparse.Namespace) -> int:
    home = open_home()
    settings = catalogue.use(load_settings(home), options.model)
    save_settings(home, settings)
    sys.stdout.write(f"{settings.model} answers from now on.\n")
    return 0


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
