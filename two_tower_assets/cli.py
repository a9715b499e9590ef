"""`two-tower …`: the command line. Every command is a few calls into the package; errors are one paragraph."""

from __future__ import annotations

import json
import os
import resource
import shlex
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from two_tower_assets.environment import read_environment
from two_tower_assets.errors import TwoTowerError
from two_tower_assets.home import write_text
from two_tower_assets.retries import silence_retries
from two_tower_assets.settings import as_toml, load_settings
from two_tower_assets.settings.script_pipeline import to_toml

_CONSOLE: dict[str, Any] = {"loggers": {"console": {}}}
# The check that examples see no future compares them in the normalizer's space.
_FITTED = '+key:"training/evaluated_checkpoint" or +key:"features/normalizer"'
_EVALUATION = '+key:"evaluation/page" or +key:"features/normalizer"'

_PUBLISHED = 'key:"publishing/*"'
_STAGED = f'{_PUBLISHED} and not key:"publishing/release"'


class _FriendlyGroup(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except TwoTowerError as error:
            raise click.ClickException(f"{error} ({error.code})") from None


@click.group(cls=_FriendlyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """From decisions in Postgres to a verified, reversible release of a two-tower model."""
    silence_retries()


_data = click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of rows (TWO_TOWER_DATA)."
)


@main.command()
@_data
@click.option("--select", default="*", show_default=True, help="Assets to materialize, as Dagster selects them.")
@click.option(
    "--profile", is_flag=True, help="Leave a flame graph of each asset in <home>/profiles and in its metadata."
)
def run(data: Path | None, select: str, *, profile: bool) -> None:
    """Materialize the graph and say what was made, where, and how good it is."""
    from two_tower_assets.defs.profiles import VARIABLE
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.summary import print_summary

    started_at = datetime.now(UTC)
    if profile:
        os.environ[VARIABLE] = "1"
    site = open_site(data_folder=data)
    _materialize(select, data)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print_summary(site, started_at=started_at, peak_mib=peak)


@main.command()
@_data
@click.option(
    "--preset", type=click.Choice(["content", "hybrid"]), help="Preset of the features, for this evaluation."
)
def evaluate(data: Path | None, preset: str | None) -> None:
    """Fit and evaluate without releasing: tables with intervals, the gate's verdict, and the report's page."""
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.summary import print_evaluation

    if preset:
        _use_preset(preset)
    site = open_site(data_folder=data)
    _materialize(_EVALUATION, data)
    print_evaluation(site)


@main.command()
@_data
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="Fits of each variant.")
@click.option(
    "--trial", default="per_user", show_default=True, type=click.Choice(["global", "per_user", "new_videos"])
)
@click.option("--only", multiple=True, metavar="VARIANT", help="Some variants alone; may be repeated.")
def ablation(data: Path | None, seeds: int, trial: str, only: tuple[str, ...]) -> None:
    """Show what each ingredient of the recipe gives, over several seeds."""
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.variants import print_ablation

    site = open_site(data_folder=data)
    _materialize(_FITTED, data)
    print_ablation(site, trial, seeds, only)


@main.command()
@_data
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1), help="Fits of the recipe.")
def seeds(data: Path | None, seeds: int) -> None:
    """Show how much the recipe's figures vary from seed to seed, in every trial."""
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.variants import print_seeds

    site = open_site(data_folder=data)
    _materialize(_FITTED, data)
    print_seeds(site, seeds)


@main.command()
@_data
@click.option("--trials", type=click.IntRange(1), help="Points of the study, those of earlier runs included.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="After so long no further point is begun.")
@click.option("--workers", type=click.IntRange(1), help="Points side by side, each in a process of its own.")
def tune(data: Path | None, trials: int | None, minutes: float | None, workers: int | None) -> None:
    """Search better settings, and write what the best would change for review; nothing is applied.

    A study of the same rows that was ended goes on where it was. What is not said is as the table [tuning] of the
    settings says. Needs the extra `tuning`.
    """
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.tuning.making import require_optuna
    from two_tower_assets.defs.tuning.printing import print_study

    require_optuna()
    site = open_site(data_folder=data)
    _materialize('group:"sources"', data)
    said = {"trials": trials, "minutes": minutes, "workers": workers}
    config = {name: value for name, value in said.items() if value is not None}
    _execute("tune", {"search_settings": {"config": config}}, data)
    print_study(site)


@main.command("gate-simulation")
@click.option("--replications", default=2000, show_default=True, type=click.IntRange(10), help="Evaluations a cell.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the rates here as well.")
def gate_simulation(replications: int, file: Path | None) -> None:
    """Show how often the gate is wrong about a truly equal and a truly 5 % worse model, by the number of users."""
    from two_tower_assets.defs.simulation import print_simulation

    print_simulation(load_settings(read_environment().settings_file), replications, file)


@main.group("experiment", cls=_FriendlyGroup)
def experiment() -> None:
    """A/B tests: whether what is shown to some users is better for them."""


@experiment.command("create")
@click.argument("name")
@click.option(
    "--arm",
    "arms",
    multiple=True,
    metavar="ARM=VERSION",
    help="The control first; `live` is whatever is live. Repeated.",
)
@click.option(
    "--weight", "weights", multiple=True, metavar="ARM=SHARE", help="Of its users; by default all the same."
)
@click.option(
    "--ranking",
    multiple=True,
    metavar="ARM.SETTING=NUMBER",
    help="A setting of an arm's list: candidates, diversity_lambda, explore_share, rerank.recency_weight …",
)
@click.option("--interleaving", is_flag=True, help="Show everybody in it both rankings as one list.")
@click.option("--metric", help="That decides: like_rate (by default), likes_per_user or decisions_per_user.")
@click.option("--guardrail", "guardrails", multiple=True, help="A metric that must not get worse. Repeated.")
@click.option("--users", required=True, type=int, help="Planned, in all arms together.")
@click.option("--attribution-hours", default=24, show_default=True, help="How long a list counts for a decision.")
@click.option("--before-days", default=28, show_default=True, help="Days before that users are compared by.")
@click.option("--salt", help="By default the name; another one shuffles users into arms anew.")
@click.option("--note", help="Kept in the experiment log.")
@_data
def create_experiment(name: str, data: Path | None, note: str | None, **asked: Any) -> None:
    """Write down what is to be compared; nobody is served by it yet."""
    from two_tower_assets.defs.experimenting.changing import create
    from two_tower_assets.defs.site import open_site

    click.echo(create(open_site(data_folder=data).serving_url, name, note=note, **asked))


@experiment.command("start")
@click.argument("name")
@click.option("--share", required=True, help="Of all users: 0.1 is every tenth.")
@click.option("--from", "at", help="Where its slice of the users begins; by default where most is free.")
@click.option("--note", help="Kept in the experiment log.")
@_data
def start_experiment(name: str, share: str, at: str | None, note: str | None, data: Path | None) -> None:
    """Serve a draft's arms to a share of all users, from now on."""
    from two_tower_assets.defs.experimenting.changing import start
    from two_tower_assets.defs.site import open_site

    click.echo(start(open_site(data_folder=data).serving_url, name, share, at, note=note))


@experiment.command("ramp")
@click.argument("name")
@click.option("--share", required=True, help="Of all users, more than before.")
@click.option("--note", help="Kept in the experiment log.")
@_data
def ramp_experiment(name: str, share: str, note: str | None, data: Path | None) -> None:
    """Give a running experiment more users; who is in stays in, in the same arm."""
    from two_tower_assets.defs.experimenting.changing import ramp
    from two_tower_assets.defs.site import open_site

    click.echo(ramp(open_site(data_folder=data).serving_url, name, share, note=note))


@experiment.command("stop")
@click.argument("name")
@click.option("--note", help="Kept in the experiment log.")
@_data
def stop_experiment(name: str, note: str | None, data: Path | None) -> None:
    """End a running experiment at once: everybody is served by the live release from the next request on."""
    from two_tower_assets.defs.experimenting.changing import stop
    from two_tower_assets.defs.site import open_site

    click.echo(stop(open_site(data_folder=data).serving_url, name, note=note))


@experiment.command("discard")
@click.argument("name")
@click.option("--note", help="Kept in the experiment log.")
@_data
def discard_experiment(name: str, note: str | None, data: Path | None) -> None:
    """Take a draft away; what was started stays on record."""
    from two_tower_assets.defs.experimenting.changing import discard
    from two_tower_assets.defs.site import open_site

    click.echo(discard(open_site(data_folder=data).serving_url, name, note=note))


@experiment.command("promote")
@click.argument("name")
@click.option("--arm", required=True, help="Of a stopped experiment.")
@click.option("--note", help="Kept in both logs.")
@_data
def promote_arm(name: str, arm: str, note: str | None, data: Path | None) -> None:
    """Make an arm's release live, and say which settings to change."""
    from two_tower_assets.defs.experimenting.promoting import promote
    from two_tower_assets.defs.site import open_site

    click.echo(promote(open_site(data_folder=data).target, name, arm, note=note))


@experiment.command("status")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of objects.")
@_data
def experiment_status(name: str | None, *, as_json: bool, data: Path | None) -> None:
    """Show experiments: state, users, arms, and how many were served so far. All of them by default."""
    from two_tower_assets.defs.experimenting.printing import print_status
    from two_tower_assets.defs.site import open_site

    print_status(open_site(data_folder=data).serving_url, name, as_json=as_json)


@experiment.command("simulate")
@click.option("--experiments", default=2000, show_default=True, type=click.IntRange(100), help="Of each question.")
@_data
def simulate_experiments(experiments: int, data: Path | None) -> None:
    """Put questions with known answers to simulated experiments: false alarms, power, what is caught.

    With a folder of rows, its users take part as well.
    """
    from two_tower_assets.defs.experiment_simulation import print_answers

    if not print_answers(experiments, data):
        sys.exit(1)


@experiment.command("readout")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The whole readout as one JSON document.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write it here as a page, too.")
@_data
def experiment_readout(name: str, *, as_json: bool, page: Path | None, data: Path | None) -> None:
    """Say what an experiment shows: figures of each arm, lifts with bounds, and a verdict in plain words.

    Looking often is safe: the bounds hold at all looks together.
    """
    from two_tower_assets.defs.experimenting.reading_out import print_readout
    from two_tower_assets.defs.site import open_site

    print_readout(open_site(data_folder=data), name, as_json=as_json, page=page)


@experiment.command("value")
@click.argument("chances", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--hours", default=24, show_default=True, type=click.IntRange(1, 720), help="A LIKE counts so long.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@_data
def experiment_value(chances: Path, hours: int, *, as_json: bool, data: Path | None) -> None:
    """Say what a ranking that nobody was shown would have earned, from lists served with known chances.

    CHANCES is a .parquet or .csv file: list_id, video_id, and the chance with which the ranking shows that video at
    that place of that list, given the places before it.
    """
    from two_tower_assets.defs.experimenting.valuing import print_value
    from two_tower_assets.defs.site import open_site

    print_value(open_site(data_folder=data), chances, hours=hours, as_json=as_json)


@main.group("monitor", cls=_FriendlyGroup, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@_data
@click.pass_context
def monitor(context: click.Context, data: Path | None, *, as_json: bool) -> None:
    """Say whether what comes in has drifted from what the live release knows, and how it is liked."""
    if context.invoked_subcommand is None:
        from two_tower_assets.defs.monitor import print_state
        from two_tower_assets.defs.site import open_site

        print_state(open_site(data_folder=data), as_json=as_json)


@monitor.command("simulate")
@click.option("--worlds", default=40, show_default=True, type=click.IntRange(2), help="Each gives seven quiet weeks.")
@_data
def simulate_monitoring(worlds: int, data: Path | None) -> None:
    """Count false alarms in quiet weeks, and the days until planted drifts are found.

    With a folder of rows, its users live in the worlds.
    """
    from two_tower_assets.defs.monitor import print_simulation

    if not print_simulation(worlds, data):
        sys.exit(1)


@main.command("nightly-replay")
@_data
@click.option("--nights", default=30, show_default=True, type=click.IntRange(1), help="Consecutive nights.")
@click.option(
    "--last-day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day after the last night (UTC); by default that of the last decision.",
)
@click.option("--full", is_flag=True, help="The recipe as it is set, which takes many times as long.")
def nightly_replay(data: Path | None, nights: int, last_day: datetime | None, *, full: bool) -> None:
    """Replay nightly retrains on rows as they had arrived, and measure what was live on the day after each.

    Every night is the job `release`, in a home and a Postgres of its own that no project hears of. A replay that was
    ended goes on where it was.
    """
    from two_tower_assets.definitions import build_defs
    from two_tower_assets.defs.nightly.printing import print_replay
    from two_tower_assets.defs.site import open_site

    day = last_day.date() if last_day else None
    print_replay(open_site(data_folder=data), build_defs, nights=nights, last_day=day, full=full)


@main.command()
@click.option("--port", default=3000, show_default=True, help="Port of the UI on 127.0.0.1.")
def ui(port: int) -> None:
    """Open the Dagster UI on the same instance, with the history of earlier runs."""
    from two_tower_assets.local.instance import workspace_file

    arguments = ["dev", "-w", str(workspace_file()), "-h", "127.0.0.1", "-p", str(port)]
    os.execvpe(sys.executable, [sys.executable, "-m", "dagster", *arguments], _instance_environment())


@main.command()
def env() -> None:
    """Start what is needed and print the variables that `dagster` and `dg` read, for eval "$(two-tower env)"."""
    from two_tower_assets.local.instance import prepare_instance

    environment = read_environment()
    for name, value in prepare_instance(environment.home, environment.dagster_url).items():
        click.echo(f"export {name}={shlex.quote(value)}")


@main.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Of SUPABASE_URL; by default the last one, or a free one."
)
@click.option("--detach", is_flag=True, help="Leave it running and return; `two-tower down` stops it.")
@_data
def up(*, port: int | None, detach: bool, data: Path | None) -> None:
    """Serve what was released: Postgres, PostgREST, the Edge Functions and their files at one SUPABASE_URL."""
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.stack import bring_up

    bring_up(open_site(data_folder=data), port=port, detach=detach)


@main.command()
def down() -> None:
    """Stop the local stack and the embedded Postgres; nothing is lost."""
    from two_tower_assets.defs.stack import bring_down

    bring_down(read_environment().home)


@main.command()
@click.option("--dry-run", is_flag=True, help="Say what would be applied and change nothing.")
@click.option("--url", envvar="TWO_TOWER_DATABASE_URL", help="Postgres to migrate; the pipeline's own by default.")
@click.option("--serving", is_flag=True, help="Migrate the one that SUPABASE_DB_URL names.")
def migrate(*, dry_run: bool, url: str | None, serving: bool) -> None:
    """Bring a Postgres up to date with the SQL of this version."""
    from two_tower_assets.database.migrate import migrate as apply
    from two_tower_assets.defs.site import open_site

    target = read_environment().required_serving_url if serving else url or open_site().pipeline_url
    applied = apply(target, dry_run=dry_run)
    for migration in applied:
        click.echo(f"{'would apply' if dry_run else 'applied'} {migration}")
    if not applied:
        click.echo("up to date")


@main.command()
@click.option("--dry-run", is_flag=True, help="Count what would be inserted, changed and deleted; change no row.")
def sync(*, dry_run: bool) -> None:
    """Bring the rows of the Supabase project into the pipeline's own Postgres: new, changed and deleted ones.

    Reads SUPABASE_URL with its service role key, or SUPABASE_DB_URL where it is set.
    """
    from two_tower_assets.defs.syncing import print_sync

    print_sync(dry_run=dry_run)


@main.command()
def connect() -> None:
    """Log in to the project's Postgres, and export SUPABASE_DB_URL to later steps of a GitHub job.

    Reads SUPABASE_DB_URL; where it is not set, SUPABASE_PROJECT_ID, SUPABASE_DB_PASSWORD and SUPABASE_ACCESS_TOKEN,
    with which Supabase says where the project's pooler is.
    """
    from two_tower_assets.defs.connecting import print_connection

    print_connection(read_environment())


@main.command()
@click.option("--markdown", is_flag=True, help="For GitHub's step summary, with plots.")
@_data
def summary(*, markdown: bool, data: Path | None) -> None:
    """Say how good the newest model is, what the gate says of it, and how far it was published."""
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.summary_page import print_page

    print_page(open_site(data_folder=data), markdown=markdown)


@main.command()
@click.option(
    "--from-yaml",
    "older",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Print the script pipeline's settings, config/default.yaml, in that form instead.",
)
def settings(older: Path | None) -> None:
    """Print the effective settings with their descriptions, in the form of the settings file."""
    if older:
        click.echo(to_toml(older.read_bytes(), where=str(older)))
    else:
        click.echo(as_toml(load_settings(read_environment().settings_file)))


@main.command()
@click.argument("user_id")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 500))
@_data
def recommend(user_id: str, limit: int, data: Path | None) -> None:
    """Recommend videos to a user: asks the local stack where it runs, and computes the answer here where not."""
    from two_tower_assets.defs.asking import recommend_to
    from two_tower_assets.defs.site import open_site

    recommend_to(open_site(data_folder=data), user_id, limit)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of objects.")
@_data
def releases(*, as_json: bool, data: Path | None) -> None:
    """List every release of the serving database, newest first."""
    from two_tower_assets.defs.release_list import print_releases
    from two_tower_assets.defs.site import open_site

    print_releases(open_site(data_folder=data), as_json=as_json)


@main.group()
def release() -> None:
    """Look at one release, or at two side by side."""


@release.command()
@click.argument("version", required=False)
@_data
def show(version: str | None, data: Path | None) -> None:
    """Show everything about VERSION: state, who, evidence, sizes, flips. The live one by default."""
    from two_tower_assets.defs.release_tables import print_release
    from two_tower_assets.defs.site import open_site

    print_release(open_site(data_folder=data), version)


@release.command()
@click.argument("before")
@click.argument("after", required=False)
@_data
def diff(before: str, after: str | None, data: Path | None) -> None:
    """Show what differs between two versions: figures, settings, data, files, videos. AFTER is the live one."""
    from two_tower_assets.defs.release_tables import print_release_diff
    from two_tower_assets.defs.site import open_site

    print_release_diff(open_site(data_folder=data), before, after)


@main.command()
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="[AFTER]", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@_data
def compare(before: str, after: str | None, data: Path | None, *, as_json: bool) -> None:
    """Ask two versions what people liked after both were trained, and say who wins for whom. AFTER is the live one.

    Both versions' folders are on this machine, and the latest snapshot holds decisions that came since.
    """
    from two_tower_assets.defs.comparing.printing import print_comparison
    from two_tower_assets.defs.site import open_site

    print_comparison(open_site(data_folder=data), before, after, as_json=as_json)


@main.command()
@click.option("--to", metavar="VERSION", help="Version to go back to; by default the one that was live before.")
@click.option("--note", help="Kept in the release log.")
@_data
def rollback(to: str | None, note: str | None, data: Path | None) -> None:
    """Make an earlier release live again by moving the pointer."""
    from two_tower_assets.defs.rolling_back import roll_back
    from two_tower_assets.defs.site import open_site

    click.echo(str(roll_back(open_site(data_folder=data).target, to=to, note=note)))


@main.command()
@click.option("--dry-run", is_flag=True, help="Say what would change: files, rows, SQL, target. Change nothing.")
@click.option("--stage-only", is_flag=True, help="Write and verify, and leave what is live: ready for an experiment.")
@_data
def publish(*, dry_run: bool, stage_only: bool, data: Path | None) -> None:
    """Publish the newest version that was trained: write beside, verify, flip."""
    from two_tower_assets.defs.publishing_tables import print_plan
    from two_tower_assets.defs.site import open_site

    if dry_run:
        print_plan(open_site(data_folder=data))
    else:
        _materialize(_STAGED if stage_only else _PUBLISHED, data)


@main.command()
@click.option(
    "--functions", "url", metavar="URL", help="Look at a deployment instead: SUPABASE_URL or /functions/v1."
)
@_data
@click.pass_context
def verify(context: click.Context, data: Path | None, url: str | None) -> None:
    """Read the live release again wherever it lies, and say what differs; exits with 1 when anything does.

    With --functions both Edge Functions of a deployment are called: they must answer with the live version, give
    its golden vectors and a real user's vector, and refuse whom they must. Reads SUPABASE_SERVICE_ROLE_KEY and, where
    set, SUPABASE_ANON_KEY, SUPABASE_JWT_SECRET or SUPABASE_USER_TOKEN, MODEL_ARTIFACT_BASE_URL.
    """
    if url:
        from two_tower_assets.defs.deployment_table import print_deployment

        whole = print_deployment(read_environment(), url)
    else:
        from two_tower_assets.defs.publishing_tables import print_inspection
        from two_tower_assets.defs.site import open_site

        whole = print_inspection(open_site(data_folder=data))
    if not whole:
        context.exit(1)


@main.command()
@click.option("--fix", is_flag=True, help="Mend what can be mended safely, and say what was done.")
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of objects.")
@_data
@click.pass_context
def doctor(context: click.Context, data: Path | None, *, fix: bool, as_json: bool) -> None:
    """Look at everything that a set-up needs, and say what is wrong and what to do; exits with 1 on a problem."""
    from two_tower_assets.defs.doctor.printing import print_examination

    if not print_examination(data, fix=fix, as_json=as_json):
        context.exit(1)


@main.command("upsert-embeddings")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--batch", default=500, show_default=True, type=click.IntRange(1, 1000), help="Rows of a request.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent where, and change nothing.")
def upsert_embeddings(file: Path | None, *, batch: int, dry_run: bool) -> None:
    """Upsert a video_embeddings.parquet over REST, for those who have no Postgres URL.

    FILE lies beside its manifest; by default it is the file of the version that is live there. Reads SUPABASE_URL
    and SUPABASE_SERVICE_ROLE_KEY.
    """
    from two_tower_assets.defs.upsert import print_upsert

    print_upsert(read_environment(), file, batch=batch, dry_run=dry_run)


def _use_preset(preset: str) -> None:
    """Let this command and what it starts read the settings with another preset."""
    environment = read_environment()
    settings = load_settings(environment.settings_file)
    features = settings.features.model_copy(update={"preset": preset})
    path = environment.home.root / f"settings.{preset}.toml"
    write_text(path, as_toml(settings.model_copy(update={"features": features})))
    os.environ["TWO_TOWER_SETTINGS"] = str(path)


def _materialize(select: str, data: Path | None) -> None:
    config = ("--config-json", json.dumps(_CONSOLE))
    _dagster("asset", "materialize", "--select", select, *config, data=data, at="at which asset and what to do")


def _execute(job: str, ops: dict[str, Any], data: Path | None) -> None:
    # This command of Dagster's reads its configuration from a file; JSON is YAML.
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump({**_CONSOLE, "ops": ops}, file)
        file.flush()
        _dagster("job", "execute", "-j", job, "-c", file.name, data=data, at="why and what to do")


def _dagster(*words: str, data: Path | None, at: str) -> None:
    """Run one of Dagster's own commands on this code location and instance."""
    environment = {**_instance_environment(), "PYTHONWARNINGS": "ignore"}
    if data:
        environment["TWO_TOWER_DATA"] = str(data.resolve())
    command = [sys.executable, "-m", "dagster", *words, "-m", "two_tower_assets.definitions"]
    if subprocess.run(command, env=environment, check=False).returncode:
        raise click.ClickException(f"The run stopped; the lines above say {at}.")


def _instance_environment() -> dict[str, str]:
    from two_tower_assets.local.instance import prepare_instance

    environment = read_environment()
    return {**os.environ, **prepare_instance(environment.home, environment.dagster_url)}


if __name__ == "__main__":
    main()
