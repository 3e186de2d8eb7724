"""Settings: what an operator writes is taken as written, or refused with the place and what it takes."""

from pathlib import Path

import pytest
from msgspec import inspect

from gateway.errors import SettingsInvalid
from gateway.settings import Settings, load_settings, worker_environment


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str | bytes) -> Path:
        path = tmp_path / "canongate.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return written


def refused(path: Path | None = None, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsInvalid) as stopped:
        load_settings(path, environment or {})
    assert stopped.value.code == "settings_invalid"
    return stopped.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nallowed_hosts = ['a.example', 'CHAT example']\n", "server.allowed_hosts[1] takes a name in small"),
        ("[upstream]\nprompts = 'talk'\n", "upstream.prompts takes chat, text or tokens."),
        ("[[model.adapters]]\nassistant = 'a'\npath = 'p'\nsha256 = 'x'\n", "model.adapters[0].sha256 takes 64 hex"),
    ],
)
def test_what_a_pattern_takes_is_said_in_words(write, text: str, said: str) -> None:
    assert said in refused(write(text))


def test_the_variable_that_names_the_file_is_no_setting() -> None:
    assert load_settings(None, {"CANONGATE_CONFIG": "/etc/canongate/canongate.toml"}) == Settings()


def test_every_pattern_has_words() -> None:
    def patterns(kind: object) -> list[object]:
        if isinstance(kind, inspect.StructType):
            return [found for field in kind.fields for found in patterns(field.type)]
        if isinstance(kind, inspect.Metadata) and getattr(kind.type, "pattern", None):
            assert (kind.extra_json_schema or {}).get("description"), kind.type
            return [kind.type]
        assert not getattr(kind, "pattern", None), f"{kind} has no words"
        inner = [getattr(kind, name, None) for name in ("type", "item_type", "key_type", "value_type")]
        return [found for one in (*inner, *getattr(kind, "types", ())) if one is not None for found in patterns(one)]

    assert len(patterns(inspect.type_info(Settings))) > 10


def test_without_a_file_and_variables_everything_has_its_default():
    assert load_settings(None, {}) == Settings()


def test_the_default_listens_on_loopback_alone():
    assert load_settings(None, {}).server.host == "127.0.0.1"


def test_a_file_sets_what_it_names_and_nothing_else(write):
    settings = load_settings(write("[server]\nport = 9000\n[limits]\ndeadline_s = 5\n"), {})
    assert (settings.server.port, settings.limits.deadline_s) == (9000, 5.0)
    assert settings.model == Settings().model


def test_a_variable_wins_over_the_file(write):
    path = write("[server]\nport = 9000\nhost = '::1'\n")
    settings = load_settings(path, {"CANONGATE_SERVER__PORT": "9001"})
    assert (settings.server.port, settings.server.host) == (9001, "::1")


def test_a_variable_reaches_a_section_that_the_file_does_not_have(write):
    settings = load_settings(write("[server]\nport = 9000\n"), {"CANONGATE_RAILS__STAGE_S": "1.5"})
    assert settings.rails.stage_s == 1.5


def test_other_variables_are_not_settings():
    assert load_settings(None, {"PATH": "/bin", "CANON": "x", "canongate_server__port": "1"}) == Settings()


def test_the_process_environment_is_read_when_none_is_given(monkeypatch):
    monkeypatch.setenv("CANONGATE_MODEL__NAME", "none")
    assert load_settings().model.name == "none"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server]\nprot = 1\n", "prot"),
        ("[sever]\nport = 1\n", "sever"),
        ("[server]\nport = 'many'\n", "server.port"),
        ("[server]\nport = 65536\n", "server.port"),
        ("[server]\nport = -1\n", "server.port"),
        ("server = 3\n", "server"),
        ("[model]\ncontext_tokens = 255\n", "model.context_tokens"),
        ("[limits]\ndeadline_s = 0\n", "limits.deadline_s"),
        ("[limits]\ndeadline_s = nan\n", "limits.deadline_s"),
        ("[limits]\ndeadline_s = inf\n", "limits.deadline_s"),
        ("[limits]\nconcurrent = -1\n", "limits.concurrent"),
        ("[limits]\nconcurrent = 1.5\n", "limits.concurrent"),
        ("[rails]\nrail_s = -1\n", "rails.rail_s"),
        ("[rails]\nstage_s = 61\n", "rails.stage_s"),
        ("[rails]\nrail_s = 3\n", "rails.rail_s (3) must not be above rails.stage_s (2)"),
        ("[rails]\nstage_s = 0.1\n", "rails.rail_s (0.5) must not be above rails.stage_s (0.1)"),
        ("[embedder]\nsha256 = 'a'\n", "embedder.path, which is not set"),
        ("[server]\nhost = ''\n", "server.host"),
        ("[data]\ndirectory = ''\n", "data.directory"),
        ('[data]\ndirectory = "a\\u0000b"\n', "data.directory"),
        ("[log]\nlevel = 'loud'\n", "log.level"),
        ("[log]\nformat = 'json '\n", "log.format"),
    ],
)
def test_what_is_not_a_setting_or_out_of_bounds_is_refused_by_name(write, text, words):
    message = refused(write(text))
    assert words in message
    assert "docs/configuration.md" in message


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"CANONGATE_SERVER__PROT": "1"}, "prot"),
        ({"CANONGATE_SERVER__PORT": "many"}, "server.port"),
        ({"CANONGATE_SERVER__PORT": ""}, "server.port"),
        ({"CANONGATE_LIMITS__MATCH_S": "nan"}, "limits.match_s"),
        ({"CANONGATE_PORT": "1"}, "CANONGATE_SECTION__FIELD"),
        ({"CANONGATE_SERVER__": "1"}, "CANONGATE_SERVER__PORT"),
        ({"CANONGATE___PORT": "1"}, "unknown field"),
    ],
)
def test_a_variable_that_means_nothing_is_refused_and_not_ignored(variables, words):
    assert words in refused(environment=variables)


def test_a_section_that_is_no_table_cannot_be_added_to(write):
    assert "[server] in the settings file must be a table" in refused(
        write("server = 3\n"), {"CANONGATE_SERVER__PORT": "1"}
    )


@pytest.mark.parametrize("text", ["[server\n", "port == 3", b"\xff\xfe[server]"])
def test_what_is_no_toml_is_refused_with_the_file(write, text):
    path = write(text)
    message = refused(path)
    assert str(path) in message
    assert "not valid TOML" in message


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert "No such file" in refused(tmp_path / "none.toml")
    assert "cannot read the settings file" in refused(tmp_path)


def test_the_data_folder_is_absolute_and_holds_the_database_unless_another_is_named(tmp_path):
    settings = load_settings(None, {"CANONGATE_DATA__DIRECTORY": str(tmp_path / "a" / ".." / "b")})
    assert settings.data_directory == tmp_path / "b"
    assert settings.database_url == f"sqlite:///{tmp_path / 'b' / 'canongate.db'}"
    named = load_settings(None, {"CANONGATE_DATA__DATABASE_URL": "postgresql+psycopg://there/db"})
    assert named.database_url == "postgresql+psycopg://there/db"


def test_the_home_folder_may_be_written_with_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings(None, {"CANONGATE_DATA__DIRECTORY": "~/cg"}).data_directory == tmp_path / "cg"


def test_a_home_folder_of_nobody_is_refused():
    settings = load_settings(None, {"CANONGATE_DATA__DIRECTORY": "~nobody-at-all/cg"})
    with pytest.raises(SettingsInvalid, match=r"data\.directory"):
        settings.data_directory.exists()


def test_one_rail_may_take_as_long_as_its_stage():
    settings = load_settings(None, {"CANONGATE_RAILS__RAIL_S": "1", "CANONGATE_RAILS__STAGE_S": "1"})
    assert settings.rails.rail_s == settings.rails.stage_s


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(AttributeError):
        Settings().server.port = 1


def test_an_assistant_has_one_adapter(tmp_path):
    path = tmp_path / "canongate.toml"
    one = f'[[model.adapters]]\nassistant = "desk"\npath = "a.gguf"\nsha256 = "{"0" * 64}"\n'
    path.write_text(one + one)
    assert "desk has several adapters" in refused(path)


def test_the_worker_gets_the_variables_that_are_named_and_no_others(tmp_path):
    around = {"CUDA_VISIBLE_DEVICES": "1", "PATH": "/bin", "HSA_OVERRIDE": "x"}
    assert worker_environment(load_settings(environment={}), around) == {"CUDA_VISIBLE_DEVICES": "1"}
    path = tmp_path / "settings.toml"
    path.write_text('[model]\nenvironment = ["HSA_OVERRIDE", "NOT_SET"]\n')
    assert worker_environment(load_settings(path, {}), around) == {"HSA_OVERRIDE": "x"}


@pytest.mark.parametrize("name", ["CANONGATE_UPSTREAM__KEY", "canongate_upstream__key", "A=B", ""])
def test_no_variable_of_ours_reaches_the_worker(tmp_path, name):
    path = tmp_path / "settings.toml"
    path.write_text(f'[model]\nenvironment = ["{name}"]\n')
    assert "environment" in refused(path)


def test_a_variable_may_hold_a_list_as_toml_writes_it():
    read = load_settings(
        None,
        {
            "CANONGATE_SERVER__TRUSTED_PROXIES": '["10.0.0.0/24", "192.0.2.7"]',
            "CANONGATE_SERVER__ALLOWED_HOSTS": '["chat.example"]',
            "CANONGATE_SERVER__ADMIN_LISTEN": "[::1]:8081",
        },
    ).server
    assert read.trusted_proxies == ("10.0.0.0/24", "192.0.2.7")
    assert read.allowed_hosts == ("chat.example",)
    assert read.admin_address == ("::1", 8081)
