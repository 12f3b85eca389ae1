"""Sixty smoke runs of notebook 05, undisturbed, and then with three kills: are the results the same, and none twice?

    python tests/faults/sweep_of_sixty.py [--runs 60] [--folder runs/sweep_of_sixty]

It takes about a quarter of an hour on two cores, so it is no test of `make test`. It kills (SIGKILL) the runner, the
process that executes a notebook, and a kernel, each in the middle of the work, and starts the same command again until
it has nothing left to do. It prints what was lost and the runner's overhead and memory, and ends with 1 if any number
differs or any finished run was executed again.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

TEMPERATURES, LEARNING_RATES = [0.1, 0.2, 0.3, 0.5, 1.0], [0.02, 0.05, 0.1, 0.2]
WORKERS = 2
VICTIMS = ("runner", "worker", "kernel")


@dataclass
class Sweep:
    """One sweep in a folder of its own."""

    folder: Path
    num_runs: int
    seconds: float = 0.0
    memory: list[int] = field(default_factory=list)  # bytes of the runner, once a second

    @property
    def command(self) -> list[str]:
        spec = self.folder.with_suffix(".json")
        seeds = range(max(1, self.num_runs // (len(TEMPERATURES) * len(LEARNING_RATES))))
        grid = {"TEMPERATURE": TEMPERATURES, "LEARNING_RATE": LEARNING_RATES}
        spec.write_text(json.dumps({"notebook": "05", "profile": "smoke", "grid": grid, "seeds": list(seeds)}))
        size = ["--workers", str(WORKERS), "--threads", "1"]
        return [sys.executable, "-m", "course_utils", "sweep", str(spec), "--name", str(self.folder), *size]

    def go(self, kill: Callable[[subprocess.Popen[str]], bool] | None = None) -> int:
        """Start the sweep's command; `kill` is asked once a second and returns whether it has done its work."""
        started = time.monotonic()
        with self.folder.with_suffix(".log").open("a") as log:
            process = subprocess.Popen(self.command, stdout=log, stderr=subprocess.STDOUT, text=True)
            while process.poll() is None:
                with suppress(psutil.Error):  # a process that ends while it is looked at
                    self.memory.append(psutil.Process(process.pid).memory_info().rss)
                    if kill is not None and kill(process):
                        kill = None
                time.sleep(1)
        self.seconds += time.monotonic() - started
        return process.returncode

    def summaries(self) -> dict[str, Path]:
        """Return the summary of each run, by the run's folder."""
        return {path.parent.name: path for path in sorted(self.folder.glob("*/summary.json"))}

    def results(self) -> dict[str, dict[str, float]]:
        """Return what each run measured, times left out."""
        read = {name: json.loads(path.read_text()) for name, path in self.summaries().items()}
        return {
            name: {key: value for key, value in one["notebooks"][0]["metrics"].items() if "second" not in key}
            for name, one in read.items()
            if one["notebooks"][0]["status"] == "ok"
        }

    def own_seconds(self) -> float:
        """Return the time of the notebooks themselves, one after the other."""
        read = [json.loads(path.read_text()) for path in self.summaries().values()]
        return sum(one["notebooks"][0]["seconds"] for one in read)


def killer(sweep: Sweep, victim: str, after: int) -> Callable[[subprocess.Popen[str]], bool]:
    """Return what kills the victim once so many runs are finished and another is under way."""

    def kill(process: subprocess.Popen[str]) -> bool:
        if len(sweep.summaries()) < after:
            return False
        runner = psutil.Process(process.pid)
        word = {"worker": "running.worker", "kernel": "ipykernel"}.get(victim, "")
        below = [child for child in runner.children(recursive=True) if word in " ".join(child.cmdline())]
        found = [runner] if victim == "runner" else below
        if not found:
            return False
        found[0].kill()
        print(f"killed a {victim} when {len(sweep.summaries())} runs were finished", flush=True)
        return True

    return kill


def main() -> int:
    """Run both sweeps and compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=60, help="a multiple of 20")
    parser.add_argument("--folder", type=Path, default=Path("runs/sweep_of_sixty"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=False)
    quiet = Sweep(options.folder / "undisturbed", options.runs)
    code = quiet.go()
    print(f"undisturbed: {len(quiet.results())} results, exit code {code}, {quiet.seconds:.0f} s", flush=True)

    disturbed = Sweep(options.folder / "disturbed", options.runs)
    repeated: set[str] = set()
    for number, victim in enumerate((*VICTIMS, None), 1):
        before = {
            name: path.stat().st_mtime_ns for name, path in disturbed.summaries().items() if name in disturbed.results()
        }
        disturbed.go(killer(disturbed, victim, number * options.runs // 5) if victim else None)
        after = disturbed.summaries()
        repeated |= {name for name, written in before.items() if after[name].stat().st_mtime_ns != written}

    wanted, got = quiet.results(), disturbed.results()
    differ = [name for name in wanted if got.get(name) != wanted[name]]
    share = quiet.seconds * WORKERS / quiet.own_seconds() - 1
    flat = [max(quiet.memory[len(quiet.memory) * part // 4 : len(quiet.memory) * (part + 1) // 4]) for part in range(4)]
    print(f"disturbed: {len(got)} results of {len(wanted)}; {len(differ)} differ; {len(repeated)} executed twice")
    print(
        f"overhead of the runner: {share:.1%} over the notebooks' own {quiet.own_seconds():.0f} s on {WORKERS} workers"
    )
    print(f"its memory, by quarters of the time: {', '.join(f'{part / 2**20:.0f} MiB' for part in flat)}")
    return int(bool(differ or repeated or len(got) != options.runs))


if __name__ == "__main__":
    sys.exit(main())
