#!/usr/bin/env python3
"""Runs the Autobahn test suite against our server's /ws/echo, or against our client, and judges the report.

    tests/autobahn/run.py --wstest FOLDER --server target/release/wiretail
    tests/autobahn/run.py --wstest FOLDER --client target/release/examples/autobahn_client
    tests/autobahn/run.py --wstest FOLDER --url ws://127.0.0.1:9001/echo    any echo server that runs already

FOLDER is what tests/autobahn/install made. Without --sections, all that expected.json knows of. --jobs of them, or of
their subsections where they are long, run at once; within each, one case after the other, a connection each.
"""

import argparse
import concurrent.futures
import contextlib
import functools
import json
import os
import pathlib
import shutil
import signal
import sys
import time

from suite import CannotRun, Suite, our_server
from verdict import judge, merge, table

HERE = pathlib.Path(__file__).resolve().parent
# The sections that take minutes, the longest first, and how many subsections they can be split into. Were there more,
# they would be missing in the report, and the verdict would say so.
SPLIT = {"12": 5, "13": 7}


def main():
    arguments = parse_arguments()
    role = "client" if arguments.client else "server"
    expected = json.loads((HERE / "expected.json").read_text())[role]
    sections = arguments.sections or sorted(expected["sections"], key=int)
    report = (arguments.report or HERE.parent / ".cache" / f"autobahn-report-{role}").resolve()
    shutil.rmtree(report, ignore_errors=True)

    start = time.monotonic()
    try:
        results, doubled = run(arguments, parts(sections), report)
    except CannotRun as why:
        print(f"FAILED: {why}")
        return 1
    (report / "index.json").write_text(json.dumps(results, indent=1))

    print("\n".join(table(results)))
    took, times = time.monotonic() - start, os.times()
    computed = times.children_user + times.children_system
    print(f"{len(results)} cases with our {role} in {took:.0f} s, with {computed:.0f} s of computing")
    print(f"each is explained in {report}/*/index.html")
    worse, better = judge(results, expected, sections)
    for sentence in better:
        print(f"better: {sentence} (expected.json can ask for it now)")
    for sentence in doubled + worse:
        print(f"WORSE: {sentence}")
    return 1 if doubled + worse else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    peer = parser.add_mutually_exclusive_group(required=True)
    peer.add_argument("--server", type=pathlib.Path, help="the wiretail program to start")
    peer.add_argument("--client", type=pathlib.Path, help="the client to start; it is told HOST:PORT")
    peer.add_argument("--url", help="an echo server that runs already")
    parser.add_argument("--wstest", type=pathlib.Path, required=True, help="what tests/autobahn/install made")
    parser.add_argument("--sections", type=numbers, help="such as 1-7,9")
    processors = len(os.sched_getaffinity(0))
    parser.add_argument("--jobs", type=int, default=min(processors, 4), help="how many at once (%(default)s)")
    parser.add_argument("--report", type=pathlib.Path, help="(tests/.cache/autobahn-report-ROLE)")
    return parser.parse_args()


def numbers(text):
    """`1-3,9` as ["1", "2", "3", "9"]."""
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += [str(number) for number in range(int(first), int(last or first) + 1)]
    return found


def parts(sections):
    """Which parts these sections are run in, the longest first: whoever is done takes the next, so that all are done
    at about the same time."""
    split = [f"{name}.{number}" for name, count in SPLIT.items() if name in sections for number in range(1, count + 1)]
    return split + [name for name in sorted(sections, key=int, reverse=True) if name not in SPLIT]


def run(arguments, parts, report):
    """Runs the parts, several at once, each with a folder of its own in `report`; see `merge` for what is returned."""
    suite = Suite(arguments.wstest)
    # Or whoever ends us would leave all of them behind.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: suite.stop())
    with contextlib.ExitStack() as stack:
        if arguments.client:
            test = functools.partial(suite.test_client, arguments.client)
        else:
            url = arguments.url or stack.enter_context(our_server(arguments.server))
            test = functools.partial(suite.test_server, url)
        workers = stack.enter_context(concurrent.futures.ThreadPoolExecutor(arguments.jobs))
        try:
            return merge(dict(workers.map(functools.partial(run_part, test, report), parts)))
        except CannotRun:
            workers.shutdown(cancel_futures=True)
            raise


def run_part(test, report, part):
    folder = report / part
    folder.mkdir(parents=True)
    start = time.monotonic()
    results = test([f"{part}.*"], folder)
    print(f"{part:>5}: {len(results)} cases in {time.monotonic() - start:.1f} s", flush=True)
    return part, results


if __name__ == "__main__":
    sys.exit(main())
