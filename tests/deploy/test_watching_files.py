"""What an operator watches with: alerts that fire in their scenes and in no others, a dashboard whose queries parse."""

import json
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
SCENES = Path(__file__).with_name("alerts.yaml")
VARIABLES = {"$assistant": "desk", "$__rate_interval": "5m", "$__range": "6h"}
OWN = ROOT / "var" / "tools" / "prometheus" / "usr" / "bin" / "promtool"
PROMTOOL = str(OWN) if OWN.exists() else shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not here; `make browser` fetches it")


def promtool(*words: str) -> None:
    call = [str(PROMTOOL), *words]
    done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603 -- our own words
    assert done.returncode == 0, done.stdout + done.stderr


def dashboard() -> dict[str, Any]:
    return json.loads((ROOT / "deploy" / "grafana" / "canongate.json").read_text())


@needs_promtool
def test_prometheus_takes_the_alerts():
    promtool("check", "rules", str(RULES))


@needs_promtool
def test_alerts_fire_in_their_scenes(tmp_path):
    shutil.copy(RULES, tmp_path / "alerts_in_use.yaml")
    shutil.copy(SCENES, tmp_path / "scenes.yaml")
    promtool("test", "rules", str(tmp_path / "scenes.yaml"))


def test_every_alert_that_pages_has_a_scene():
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    scenes = yaml.safe_load(SCENES.read_text())["tests"]
    played = {one["alertname"] for scene in scenes for one in scene["alert_rule_test"] if one.get("exp_alerts")}
    paging = {rule["alert"] for rule in rules if rule["labels"]["severity"] == "page"}
    assert paging - played == set()
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "ticket"}


@needs_promtool
def test_the_dashboards_queries_parse(tmp_path):
    queries = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    for name, value in VARIABLES.items():
        queries = [query.replace(name, value) for query in queries]
    assert not [query for query in queries if "$" in query]
    rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(queries)]
    written = tmp_path / "queries.yaml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(written))


def test_the_dashboard_has_what_grafana_wants_of_each_panel():
    """Grafana's own schema is not packaged for Python: these are the fields that it needs to draw a panel."""
    found = dashboard()
    assert {"title", "uid", "schemaVersion", "time", "templating", "panels"} <= set(found)
    names = {one["name"] for one in found["templating"]["list"]}
    assert names == {"source", "assistant"}
    panels = found["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["type"] in {"timeseries", "stat"}
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${source}"}
        assert panel["targets"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert all(target["expr"] and target["legendFormat"] for target in panel["targets"])
        assert panel["fieldConfig"]["defaults"]["unit"]
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        assert _are_apart(one, other), (one, other)
    assert all(place["gridPos"]["x"] + place["gridPos"]["w"] <= 24 for place in panels)


def test_the_dashboard_filters_by_assistant_whatever_is_counted_by_assistant():
    by_assistant = (
        "canongate_decisions_total",
        "canongate_decisions_failed_total",
        "canongate_decision_seconds_bucket",
    )
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            for name in by_assistant:
                assert target["expr"].count(name) == target["expr"].count(f'{name}{{assistant=~"$assistant"'), target


def _are_apart(one: dict[str, int], other: dict[str, int]) -> bool:
    is_beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    return is_beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
