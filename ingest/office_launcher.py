"""Becomes LibreOffice under limits: `python -m unabridged.ingest.office_launcher PARENT LIMITS COMMAND…`.

Started by office_conversion. Limits of time, memory and file size, death with the parent, and no network where the kernel
lets anyone give it up.
"""

import json
import os
import resource
import sys

from unabridged.ingest.confinement import die_with_parent, leave_network, lower_limit
from unabridged.ingest.limits import Limits


def main() -> None:
    parent, limits, command = int(sys.argv[1]), Limits(**json.loads(sys.argv[2])), sys.argv[3:]
    die_with_parent(parent)
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.unpacked_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_AS, limits.memory_bytes),
    ):
        lower_limit(kind, most)
    leave_network()
    os.execv(command[0], command)  # noqa: S606  (no shell; the path comes from `which`)


if __name__ == "__main__":
    main()
