#!/usr/bin/env python3
"""Runs the Autobahn test suite against the server's /ws/echo and judges the report.

    tests/autobahn/run.py --wstest FOLDER --server BINARY [--sections 1-7] [--report FOLDER]
    tests/autobahn/run.py --wstest FOLDER --url ws://127.0.0.1:9001/echo ...    any echo server that runs already

FOLDER is what tests/autobahn/install made. Without --sections, all that expected.json knows of. One case is one
connection, one after the other; sections 1 to 7 take about fifteen seconds, ten of which the suite waits on purpose.
"""

import argparse
import contextlib
import json
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from verdict import judge, table

HERE = pathlib.Path(__file__).resolve().parent
AGENT = "wiretail"


def main():
    arguments = parse_arguments()
    expected = json.loads((HERE / "expected.json").read_text())["server"]
    sections = arguments.sections or sorted(expected["sections"], key=int)
    report = arguments.report.resolve()
    shutil.rmtree(report, ignore_errors=True)
    report.mkdir(parents=True)

    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        url = arguments.url or stack.enter_context(server(arguments.server))
        fuzz(arguments.wstest, url, sections, report)
    index = json.loads((report / "index.json").read_text())
    results = index.get(AGENT, {})

    print("\n".join(table(results)))
    print(f"{len(results)} cases in {time.monotonic() - start:.0f} s; each of them is explained in {report}/index.html")
    worse, better = judge(results, expected, sections)
    for sentence in better:
        print(f"better: {sentence} (expected.json can ask for it now)")
    for sentence in worse:
        print(f"WORSE: {sentence}")
    return 1 if worse else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    peer = parser.add_mutually_exclusive_group(required=True)
    peer.add_argument("--server", type=pathlib.Path, help="the wiretail program to start")
    peer.add_argument("--url", help="an echo server that runs already")
    parser.add_argument("--wstest", type=pathlib.Path, required=True, help="what tests/autobahn/install made")
    parser.add_argument("--sections", type=numbers, help="such as 1-7,9")
    parser.add_argument("--report", type=pathlib.Path, default=HERE.parent / ".cache" / "autobahn-report")
    return parser.parse_args()


def numbers(text):
    """`1-3,9` as ["1", "2", "3", "9"]."""
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += [str(number) for number in range(int(first), int(last or first) + 1)]
    return found


@contextlib.contextmanager
def server(program):
    """The server on a free port, with an empty log; gives the URL of its echo."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "empty.log"
        log.touch()
        command = [program.resolve(), "--port", "0", log]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            lines = queue.Queue()
            threading.Thread(target=lambda: [lines.put(line) for line in child.stdout], daemon=True).start()
            line = lines.get(timeout=10).strip()
            scheme, _, rest = line.partition("://")
            if scheme != "http":
                sys.exit(f"the first line of {program} is no URL: {line!r}")
            yield f"ws://{rest.split('/')[0]}/ws/echo"
            if child.poll() is not None:
                sys.exit(f"{program} ended during the run, with {child.returncode}")
            child.send_signal(signal.SIGTERM)
            if child.wait(timeout=10) != 0:
                sys.exit(f"{program} ended with {child.returncode} when it was told to stop")
        except queue.Empty:
            sys.exit(f"{program} printed no line within 10 s")
        finally:
            child.kill()
            child.wait()


def fuzz(environment, url, sections, report):
    """Runs `wstest -m fuzzingclient` and shows what it says only when it could not run."""
    config = {
        "outdir": str(report),
        "servers": [{"agent": AGENT, "url": url}],
        # `.` is literal and `*` any text, so that `1.*` does not take 10.1.1.
        "cases": [f"{name}.*" for name in sections],
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    spec = report / "fuzzingclient.json"
    spec.write_text(json.dumps(config, indent=2))
    binaries = environment.resolve() / "venv" / "bin"
    command = [binaries / "python", "-W", "ignore", binaries / "wstest", "-m", "fuzzingclient", "-s", spec]
    log = report / "wstest.log"
    with log.open("w") as output:
        ended = subprocess.run(command, cwd=report, stdout=output, stderr=subprocess.STDOUT, timeout=5400)
    if ended.returncode != 0 or not (report / "index.json").exists():
        sys.exit(f"wstest ended with {ended.returncode} and said:\n{log.read_text()[-4000:]}")


if __name__ == "__main__":
    sys.exit(main())
