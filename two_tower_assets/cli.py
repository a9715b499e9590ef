"""`two-tower …`: the command line. Every command is a few calls into the package; errors are one paragraph."""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from two_tower_assets.environment import read_environment
from two_tower_assets.errors import TwoTowerError
from two_tower_assets.home import write_text
from two_tower_assets.retries import silence_retries
from two_tower_assets.settings import as_toml, load_settings
from two_tower_assets.settings.script_pipeline import to_toml

_CONSOLE = '{"loggers": {"console": {}}}'
# The check that examples see no future compares them in the normalizer's space.
_FITTED = '+key:"training/evaluated_checkpoint" or +key:"features/normalizer"'
_EVALUATION = '+key:"evaluation/page" or +key:"features/normalizer"'


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
@_data
def publish(*, dry_run: bool, data: Path | None) -> None:
    """Publish the newest version that was trained: write beside, verify, flip."""
    from two_tower_assets.defs.publishing_tables import print_plan
    from two_tower_assets.defs.site import open_site

    if dry_run:
        print_plan(open_site(data_folder=data))
    else:
        _materialize('key:"publishing/*"', data)


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
    environment = {**_instance_environment(), "PYTHONWARNINGS": "ignore"}
    if data:
        environment["TWO_TOWER_DATA"] = str(data.resolve())
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "two_tower_assets.definitions"]
    finished = subprocess.run([*command, "--select", select, "--config-json", _CONSOLE], env=environment, check=False)
    if finished.returncode:
        raise click.ClickException("The run stopped; the lines above say at which asset and what to do.")


def _instance_environment() -> dict[str, str]:
    from two_tower_assets.local.instance import prepare_instance

    environment = read_environment()
    return {**os.environ, **prepare_instance(environment.home, environment.dagster_url)}


if __name__ == "__main__":
    main()
