"""Starts what a run needs: `wstest` in either mode, our server for it, or our client.

`wstest` is one thread of Python and slower than what it tests, so a run is split into parts, each with a wstest of its
own. Knows how to run a part and where its report is; not what a good report is.
"""

import contextlib
import json
import pathlib
import queue
import signal
import socket
import subprocess
import tempfile
import threading
import time

AGENT = "wiretail"
# The longest a part may take, in seconds: below the limit that tests/run has for all of them.
LONGEST_PART = 1200


class CannotRun(Exception):
    """There is no report to be judged, and this is why."""


class Suite:
    """The Autobahn test suite, as tests/autobahn/install put it into `folder`."""

    def __init__(self, folder):
        self.binaries = folder.resolve() / "venv" / "bin"
        self.children = []
        self.told_to_stop = False

    def stop(self):
        """Ends what runs and starts nothing more: every part that is under way says that it cannot run."""
        self.told_to_stop = True
        for child in self.children:
            child.kill()

    def test_server(self, url, patterns, report):
        """Runs the cases against the server at `url`, one connection each; returns {case: result}."""
        config = {"servers": [{"agent": AGENT, "url": url}]}
        with (report / "wstest.log").open("w") as log:
            child = self.start_wstest("fuzzingclient", config, patterns, report, log)
            status = status_of(child, f"wstest with {patterns}")
        if status != 0:
            raise CannotRun(f"wstest ended with {status}:\n{end_of(report / 'wstest.log')}")
        return results(report)

    def test_client(self, program, patterns, report):
        """Lets `program HOST:PORT` be tested by a server of the suite; returns {case: result}."""
        log = report / "client.log"
        with self.server(patterns, report) as address, log.open("w") as output:
            child = self.start([program.resolve(), address], report, output)
            status = status_of(child, f"{program} with {patterns}")
        if status != 0:
            raise CannotRun(f"{program} ended with {status}:\n{end_of(log)}{end_of(report / 'wstest.log')}")
        return results(report)

    @contextlib.contextmanager
    def server(self, patterns, report):
        """A server of the suite; gives its `HOST:PORT`."""
        for _ in range(5):
            # wstest cannot be asked which port it got, so it is told one. Should somebody else take it meanwhile,
            # wstest ends, and another port is tried.
            port = free_port()
            with (report / "wstest.log").open("w") as log:
                config = {"url": f"ws://127.0.0.1:{port}"}
                child = self.start_wstest("fuzzingserver", config, patterns, report, log)
                try:
                    if listens(child, port):
                        yield f"127.0.0.1:{port}"
                        return
                finally:
                    stop(child)
        raise CannotRun(f"wstest does not listen:\n{end_of(report / 'wstest.log')}")

    def start_wstest(self, mode, config, patterns, report, log):
        # `.` is literal and `*` any text, and a pattern need only match the beginning: `1.*` does not take 10.1.1, as
        # there is no point behind its 1.
        config |= {"outdir": str(report), "cases": patterns, "exclude-cases": [], "exclude-agent-cases": {}}
        spec = report / f"{mode}.json"
        spec.write_text(json.dumps(config, indent=2))
        python = [self.binaries / "python", "-W", "ignore"]
        return self.start([*python, self.binaries / "wstest", "-m", mode, "-u", "0", "-s", spec], report, log)

    def start(self, command, folder, log):
        if self.told_to_stop:
            raise CannotRun("told to stop")
        child = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        self.children.append(child)
        if self.told_to_stop:
            child.kill()
        return child


@contextlib.contextmanager
def our_server(program):
    """wiretail on a free port, with an empty log; gives the URL of its echo."""
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
                raise CannotRun(f"the first line of {program} is no URL: {line!r}")
            yield f"ws://{rest.split('/')[0]}/ws/echo"
            if child.poll() is not None:
                raise CannotRun(f"{program} ended during the run, with {child.returncode}")
            child.send_signal(signal.SIGTERM)
            if child.wait(timeout=10) != 0:
                raise CannotRun(f"{program} ended with {child.returncode} when it was told to stop")
        except queue.Empty:
            raise CannotRun(f"{program} printed no line within 10 s") from None
        finally:
            child.kill()
            child.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(child, port):
    """Waits until `child` takes connections on `port`; false if it ends instead."""
    deadline = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10):
            return child.poll() is None
        time.sleep(0.05)
    return False


def status_of(child, what):
    """Waits for its end, but not for ever."""
    try:
        return child.wait(timeout=LONGEST_PART)
    except subprocess.TimeoutExpired:
        raise CannotRun(f"{what} took more than {LONGEST_PART} s") from None
    finally:
        stop(child)


def stop(child):
    child.terminate()
    try:
        child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def results(report):
    index = report / "index.json"
    if not index.exists():
        raise CannotRun(f"wstest wrote no report:\n{end_of(report / 'wstest.log')}")
    return json.loads(index.read_text()).get(AGENT, {})


def end_of(log):
    return log.read_text(errors="replace")[-4000:]
