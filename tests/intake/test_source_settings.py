"""Tests of sources as configuration: what their files say, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.errors import InputError
from forecasting.domain.settings_files import as_toml, write_settings
from forecasting.domain.url_names import find_url_in_environment
from forecasting.domain.vocabulary import Aggregate
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.source_settings import SourceSettings, find_source, read_source, read_sources

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(
    query=TEXTS,
    unit=st.none() | TEXTS,
    where=st.dictionaries(TEXTS, TEXTS, max_size=3),
    required=st.booleans(),
    overlap=st.integers(1, 500),
    aggregate=st.none() | st.sampled_from(list(Aggregate)),
)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory,
    query: str,
    unit: str | None,
    where: dict[str, str],
    required: bool,
    overlap: int,
    aggregate: Aggregate | None,
) -> None:
    """Any text survives: quotes, line breaks, control characters, other scripts."""
    source = SourceSettings(
        "sales",
        url_from="SALES_URL",
        query=query,
        roles=ColumnRoles(unit=unit, where=tuple(where.items()), aggregate=aggregate),
        required=required,
        overlap=overlap,
    )
    file = tmp_path_factory.mktemp("sources") / "sales.toml"
    file.write_bytes(as_toml(source.as_json()).encode())

    assert read_source(file) == source


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    """A query may hold what is nobody else's business."""
    write_settings({"path": "/x.csv"}, tmp_path / "sales.toml", "source")

    assert (tmp_path / "sales.toml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("table = 'sales'", "give either url_from, for a database, or path, for files"),
        ("url_from = 'URL'\npath = '/x.csv'", "give either url_from"),
        ("url_from = 'URL'", "give either table or query"),
        ("url_from = 'postgresql://ada:s3cret@host/shop'\ntable = 't'", "may hold a password"),
        ("path = '/x.csv'\ntable = 't'", "go with url_from"),
        ("path = '/x.csv'\noverlap = 0", "overlap must be from 1"),
        ("path = '/x.csv'\noverlap = true", "overlap is True; write it as a whole number"),
        ("path = '/x.csv'\nrequired = 'yes'", "required is 'yes'; write it as true or false"),
        ("path = '/x.csv'\naggregate = 'median'", "aggregate must be sum, mean, last or first"),
        ("path = '/x.csv'\ntime_zone = 'Mars/Olympus'", "no time zone 'Mars/Olympus'"),
        ("path = '/x.csv'\npasswort = 'x'", "there is no setting 'passwort'"),
        ("path = '/x.csv'\nwhere = { region = 1 }", "where pairs columns with texts"),
        ("path = ", "is not TOML"),
        ("path = 'x.csv'", "path must be absolute, or a URL"),
        ("path = ''", "path must be absolute, or a URL"),
        ("path = 'https://ada:s3cret@host/x.csv'", "path must hold no user, no password"),
        ("path = 'https://host/x.csv?token=s3cret'", "path must hold no user, no password"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, lines: str, words: str) -> None:
    """The message names the source or its file, the setting and the remedy, and shows no password."""
    file = tmp_path / "sales.toml"
    file.write_text(lines)

    with pytest.raises(InputError) as refusal:
        read_source(file)

    assert words in str(refusal.value)
    assert "sales" in str(refusal.value)
    assert "s3cret" not in str(refusal.value)


def test_sources_are_listed_by_name_and_never_overwritten(tmp_path: Path) -> None:
    """A folder that is not there has no source; a name has one file; a name that leads elsewhere is none."""
    folder = tmp_path / "sources"
    assert read_sources(folder) == []
    for name in ("b", "a"):
        write_settings(SourceSettings(name, path="/x.csv").as_json(), folder / f"{name}.toml", "source")

    assert [source.name for source in read_sources(folder)] == ["a", "b"]
    with pytest.raises(InputError, match="There is a source a already"):
        write_settings(SourceSettings("a", path="/y.csv").as_json(), folder / "a.toml", "source")
    for name in ("c", "../a", "A", ""):
        with pytest.raises(InputError, match=r"there are: a, b"):
            find_source(name, folder)
    with pytest.raises(InputError, match="lowercase letters"):
        SourceSettings("../a", path="/x.csv")


def test_a_variable_without_a_url_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty and missing are the same; a block needs a flow."""
    monkeypatch.setenv("SALES_URL", "")
    with pytest.raises(InputError, match="SALES_URL is empty"):
        find_url_in_environment("SALES_URL")
    with pytest.raises(InputError, match="secret/sales is a Prefect block"):
        find_url_in_environment("secret/sales")
