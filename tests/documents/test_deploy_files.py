"""Tests of deploy/: every file that a tool can check without a container engine is checked."""

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from compose_spec.models import ComposeSpecification
from sqlalchemy import text

from forecasting.storage.db.database import create_engine
from forecasting.storage.db.dumps import program
from forecasting.storage.db.embedded import running_server

DEPLOY = Path("deploy")


def output_of(*command: str | Path) -> str:
    """Run a program of this environment, and return what it complains about."""
    name, *arguments = map(str, command)
    found = Path(sys.executable).parent / name
    program = str(found) if found.exists() else shutil.which(name)
    assert program is not None
    answer = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return answer.stdout + answer.stderr


def test_the_dockerfile_and_the_scripts_are_clean() -> None:
    """Hadolint and ShellCheck have nothing to say."""
    assert output_of("hadolint", DEPLOY / "Dockerfile") == ""
    assert output_of("shellcheck", DEPLOY / "with-secrets", DEPLOY / "databases.sh") == ""


def test_compose_follows_its_specification() -> None:
    """The file is valid, every image has a version, and every service of ours is as confined as it can be."""
    compose: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    ComposeSpecification.model_validate(compose)

    services = compose["services"]
    assert set(services) == {"database", "server", "migration", "worker"}
    for name, service in services.items():
        version = service["image"].partition(":")[2]
        assert version[:1].isdigit(), f"{name}: {service['image']}"
        if name != "database":
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        secret_values = [key for key in service["environment"] if key.endswith(("URL", "STRING", "PASSWORD"))]
        assert set(secret_values) <= {"PREFECT_API_URL", "PREFECT_UI_API_URL"}, name
    assert [service["ports"] for service in services.values() if "ports" in service] == [["127.0.0.1:4200:4200"]]
    assert all("file" in secret for secret in compose["secrets"].values())


@pytest.mark.parametrize("unit", ["milkrun-server.service", "milkrun-worker.service"])
def test_systemd_units_are_valid_and_confined(unit: str, tmp_path: Path) -> None:
    """`systemd-analyze verify` finds no mistake, and its rating of exposure is low."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = (DEPLOY / unit).read_text().replace("/opt/milkrun/bin/", f"{Path(sys.executable).parent}/")
    (tmp_path / unit).write_text(text)

    complaints = [line for line in output_of("systemd-analyze", "verify", tmp_path / unit).splitlines() if unit in line]
    rating = output_of("systemd-analyze", "security", "--offline=true", tmp_path / unit)

    assert complaints == []
    assert float(rating.rpartition(f"{unit}: ")[2].split()[0]) < 2.5


def test_with_secrets_reads_files_and_passes_the_command_on(tmp_path: Path) -> None:
    """A secret from a file arrives as its variable, the file's name does not, and the exit code is the command's."""
    (tmp_path / "url").write_text("postgresql://somewhere\n")
    environment = {"DATABASE_URL_FILE": str(tmp_path / "url"), "PATH": "/usr/bin:/bin"}
    command = [str(DEPLOY.resolve() / "with-secrets"), "sh", "-c", "env | grep DATABASE; exit 3"]

    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (answer.stdout, answer.returncode) == ("DATABASE_URL=postgresql://somewhere\n", 3)


def test_the_databases_of_compose_get_the_passwords_that_their_addresses_encode(tmp_path: Path) -> None:
    """The script runs on a real server: a password with special characters is percent-encoded in the address alone."""
    passwords = {"milkrun": "p@ss:w/rd %41\\x'$", "prefect": "plain"}
    for name, file in (("milkrun", "database_url"), ("prefect", "prefect_database_url")):
        (tmp_path / file).write_text(f"postgresql://{name}:{quote(passwords[name], safe='')}@database:5432/{name}\n")
    script = tmp_path / "databases.sh"
    script.write_text((DEPLOY / "databases.sh").read_text().replace("/run/secrets", str(tmp_path)))
    with tempfile.TemporaryDirectory(prefix="milkrun-compose-") as home:
        Path(home).chmod(0o755)
        with running_server(Path(home)) as url:
            path = f"{Path(program('psql')).parent}:{os.environ['PATH']}"
            subprocess.run(
                ["bash", script],  # noqa: S607 - wherever the system has it
                env={**os.environ, "PATH": path, "PGHOST": str(url.query["host"])},
                capture_output=True,
                check=False,  # the extension pg_trgm does not come with this server
            )
            with create_engine(url).connect() as connection:
                verifiers = dict(
                    map(tuple, connection.execute(text("SELECT rolname, rolpassword FROM pg_authid")).all())
                )
    for name, password in passwords.items():
        _, parameters, keys = verifiers[name].split("$")
        rounds, salt = parameters.split(":")
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        assert keys.split(":")[1] == base64.b64encode(server_key).decode()
