"""What is settled without Ray: its settings, its environment, the folders of gateways, and that it is missing."""

import importlib.util
import os

import msgspec
import pytest

from gateway.credentials import load_secret
from gateway.errors import SettingsInvalid
from gateway.key_files import KEY_FILES
from gateway.model_settings import ModelSettings
from gateway.on_ray.environment import prepare
from gateway.on_ray.folders import absolute, folder_of_gateway, make_keys
from gateway.ray_settings import RaySettings
from gateway.settings import AuditSettings, DataSettings, Settings, load_settings
from models.files.registry import REGISTRY
from tests.gateway.command_line import CommandLine

VARIABLES = (
    "RAY_USAGE_STATS_ENABLED",
    "RAY_AUTH_MODE",
    "RAY_AUTH_TOKEN",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER",
    "FORWARDED_ALLOW_IPS",
)


@pytest.fixture
def environment(monkeypatch):
    """The variables, none of them set; as they were afterwards."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return lambda: {name: os.environ[name] for name in VARIABLES if name in os.environ}  # noqa: TID251 - what was set


@pytest.mark.parametrize("what", ["gateways", "embedders", "models"])
def test_the_least_is_not_above_the_most(what):
    with pytest.raises(SettingsInvalid, match=f"ray.least_{what}"):
        load_settings(None, {f"CANONGATE_RAY__LEAST_{what.upper()}": "2"})


def test_settings_survive_the_way_to_a_replica():
    settings = Settings(data=DataSettings(directory="elsewhere"), ray=RaySettings(most_models=3))
    assert msgspec.json.decode(msgspec.json.encode(settings), type=Settings) == settings


def test_places_are_the_models_own_or_those_of_ray():
    chosen = RaySettings(parallel=6)
    assert chosen.places_of(ModelSettings()) == 6
    assert chosen.places_of(ModelSettings(parallel=3)) == 3


def test_what_is_set_aside_is_for_the_least_replicas():
    chosen = RaySettings(least_models=3, most_models=9, model_cpus=2.0, gateway_cpus=1.0, embedder_cpus=0.5)
    assert chosen.least_cpus == 7.5


def test_a_ray_of_our_own_tells_nobody_and_takes_a_new_token_each_time(environment):
    prepare(RaySettings())
    first = environment()
    assert first["RAY_USAGE_STATS_ENABLED"] == "0"
    assert first["RAY_AUTH_MODE"] == "token"
    assert len(first["RAY_AUTH_TOKEN"]) == 64
    prepare(RaySettings())
    assert environment()["RAY_AUTH_TOKEN"] != first["RAY_AUTH_TOKEN"]


def test_of_a_ray_that_is_joined_the_token_is_its_owners(environment):
    prepare(RaySettings(address="10.0.0.5:6379"))
    assert environment() == {"RAY_USAGE_STATS_ENABLED": "0"}


def test_several_gateways_have_a_folder_each_and_the_same_keys(tmp_path):
    alone = Settings(data=DataSettings(directory=str(tmp_path)))
    assert folder_of_gateway(alone, 0) is alone
    several = msgspec.structs.replace(alone, ray=RaySettings(most_gateways=2))
    make_keys(several)
    gateways = [folder_of_gateway(absolute(several), rank) for rank in (0, 1)]
    folders = [one.data_directory for one in gateways]
    assert folders == [tmp_path / "gateway-0", tmp_path / "gateway-1"]
    for name in KEY_FILES:
        assert len({load_secret(folder / name) for folder in (tmp_path, *folders)}) == 1
    assert {one.checkpoint_file for one in gateways} == {several.checkpoint_file}


def test_several_gateways_know_the_models_that_were_registered(tmp_path):
    several = Settings(data=DataSettings(directory=str(tmp_path)), ray=RaySettings(most_gateways=2))
    make_keys(several)
    for text in ("the first", "and another"):
        (tmp_path / REGISTRY).write_text(text)
        assert (folder_of_gateway(several, 0).data_directory / REGISTRY).read_text() == text


def test_paths_are_whole_before_they_go_to_processes_with_other_working_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = absolute(Settings(data=DataSettings(directory="data"), audit=AuditSettings(checkpoints="proofs")))
    monkeypatch.chdir("/")
    assert settings.data_directory == tmp_path / "data"
    assert settings.checkpoint_file == tmp_path / "proofs"


def test_where_the_keys_are_missing_a_gateway_makes_none_of_its_own(tmp_path):
    several = Settings(data=DataSettings(directory=str(tmp_path)), ray=RaySettings(most_gateways=2))
    with pytest.raises(SettingsInvalid, match="Copy the four keys"):
        folder_of_gateway(several, 0)


@pytest.fixture
def command_line(tmp_path, monkeypatch, capsys):
    return CommandLine(tmp_path / "data", monkeypatch, capsys)


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_the_command_says_what_to_install(command_line, environment):
    done = command_line("serve", "--on-ray")
    assert done.status == 1
    assert "install --constraint requirements.lock --editable '.[ray]'" in done.err
    assert environment()["RAY_USAGE_STATS_ENABLED"] == "0"
