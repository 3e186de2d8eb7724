"""The files that containers are made and run from: linters read them, and what they promise is checked."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate import validate

from gateway.errors import SettingsInvalid
from gateway.settings import Settings, load_settings

DEPLOY = Path(__file__).parents[2] / "deploy"
CONTAINER, KUBERNETES = DEPLOY / "container", DEPLOY / "kubernetes"
KEYS = {"pepper", "audit-key", "access-key", "checkpoint-key"}
KUBERNETES_VERSION = "1.32"
OF_EVERY_BASE = (
    "linux-vdso.",
    "/lib64/ld-linux",
    *("libc.", "libm.", "libdl.", "libpthread.", "librt.", "libstdc++.", "libgcc_s."),
)
"""Beginnings of the names of what every Debian and Ubuntu image has."""


def manifests() -> list[dict[str, Any]]:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    files = {path.name for path in KUBERNETES.glob("*.yaml")}
    assert set(listed) == files - {"kustomization.yaml", "restore.yaml"}
    return [one for name in listed for one in yaml.safe_load_all((KUBERNETES / name).read_text())]


def restoring() -> dict[str, Any]:
    return yaml.safe_load((KUBERNETES / "restore.yaml").read_text())


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = [one for one in manifests() if one["kind"] == kind]
    return found


def settings_of(gateway: dict[str, Any]) -> Settings:
    given = {one["name"]: one.get("value", "postgresql://canongate@db/canongate") for one in gateway["env"]}
    return load_settings(None, given)


def compose() -> dict[str, Any]:
    return yaml.safe_load((CONTAINER / "compose.yaml").read_text())


def final_stage() -> str:
    return (CONTAINER / "Containerfile").read_text().rpartition("\nFROM ")[2]


def test_the_image_has_what_the_models_library_is_linked_with_and_its_build_tries_it():
    """The libraries of this installation are made by the same package as those of the image."""
    libraries = Path(find_spec("llama_cpp").origin).with_name("lib")
    linked = [
        subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607 - our own
        for path in libraries.glob("*.so")
    ]
    needed = {line.split()[0] for text in linked for line in text.splitlines()}
    beyond_the_base = {one for one in needed if not one.startswith(OF_EVERY_BASE) and not (libraries / one).exists()}
    assert beyond_the_base == {"libgomp.so.1"}
    stage = final_stage()
    assert " libgomp1 " in stage
    assert 'python -c "import faiss, llama_cpp"' in stage.partition("\nUSER ")[0]


def test_the_image_backs_up_the_server_of_compose():
    """PostgreSQL's own programs refuse a server that is newer than they are."""
    written = (CONTAINER / "Containerfile").read_text()
    client = int(re.search(r"^ARG POSTGRESQL=(\d+)$", written, re.MULTILINE)[1])
    server = int(re.fullmatch(r".*postgres:(\d+)-alpine", compose()["services"]["database"]["image"])[1])
    assert client >= server
    stage = final_stage()
    assert '"postgresql-client-${POSTGRESQL}"' in stage
    assert "/usr/lib/postgresql/${POSTGRESQL}/bin:" in stage


def test_the_linter_of_container_files_finds_nothing():
    program = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([program, str(CONTAINER / "Containerfile")], capture_output=True, text=True, check=False)  # noqa: S603 - our own file
    assert (found.returncode, found.stdout) == (0, "")
    broken = subprocess.run(  # noqa: S603 - as above
        [program, "-"], input="FROM debian\nRUN apt-get install x\n", capture_output=True, text=True, check=False
    )
    assert broken.returncode != 0, "the linter finds what is wrong"


@pytest.mark.parametrize("manifest", manifests(), ids=lambda one: one["kind"])
def test_manifests_have_the_form_that_kubernetes_takes(manifest):
    validate(manifest, KUBERNETES_VERSION, strict=True)


def test_pods_have_no_rights_that_they_do_not_need():
    pod = of_kind("StatefulSet")["spec"]["template"]["spec"]
    (gateway,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert gateway["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    probes = {name: gateway[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert probes == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}


def test_services_put_no_variables_beside_the_settings():
    """Kubernetes names them after services, and the gateway takes no variable of ours that is no setting."""
    with pytest.raises(SettingsInvalid, match="CANONGATE_PORT"):
        load_settings(None, {"CANONGATE_PORT": "tcp://10.0.0.1:80"})
    pods = [one["spec"]["template"]["spec"] for one in manifests() if "template" in one.get("spec", {})]
    assert [pod["enableServiceLinks"] for pod in pods] == [False]


def test_balancers_look_several_times_before_a_gateway_that_ends_takes_no_more():
    pod = of_kind("StatefulSet")["spec"]["template"]["spec"]
    (gateway,) = pod["containers"]
    server = settings_of(gateway).server
    ready, start = gateway["readinessProbe"], gateway["startupProbe"]
    assert 2 * ready["periodSeconds"] * ready["failureThreshold"] < server.drain_delay_s
    assert server.drain_delay_s + server.drain_s + 10 <= pod["terminationGracePeriodSeconds"]
    assert start["periodSeconds"] * start["failureThreshold"] >= 1800


def test_visitors_have_no_way_to_administration_and_metrics():
    (gateway,) = of_kind("StatefulSet")["spec"]["template"]["spec"]["containers"]
    ports = {one["name"]: one["containerPort"] for one in gateway["ports"]}
    server = settings_of(gateway).server
    assert (server.port, server.admin_address[1]) == (ports["http"], ports["admin"])
    assert ports["http"] != ports["admin"]
    services = {one["metadata"]["name"]: one["spec"]["ports"] for one in manifests() if one["kind"] == "Service"}
    leads_to = {name: [port["targetPort"] for port in found] for name, found in services.items()}
    assert leads_to == {"canongate": ["http"], "canongate-admin": ["admin"]}
    open_to = {rule["ports"][0]["port"]: rule.get("from") for rule in of_kind("NetworkPolicy")["spec"]["ingress"]}
    assert open_to[ports["http"]] is None
    assert open_to[ports["admin"]]


def test_nothing_but_the_database_and_names_may_be_called():
    policy = of_kind("NetworkPolicy")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert [[port["port"] for port in rule["ports"]] for rule in policy["egress"]] == [[5432], [53, 53]]
    assert all(rule["to"] for rule in policy["egress"]), "a rule without `to` allows every address"


def test_selectors_find_the_pods_and_nothing_writes_into_them():
    """With `includeSelectors` kustomize writes labels into what a policy lets be called as well."""
    kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    assert "commonLabels" not in kustomization
    assert not [one for one in kustomization["labels"] if one.get("includeSelectors")]
    labels = of_kind("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    specs = {(one["kind"], one["metadata"]["name"]): one.get("spec", {}) for one in manifests()}
    selectors = {
        name: spec.get("podSelector") or spec["selector"]
        for name, spec in specs.items()
        if spec.keys() & {"podSelector", "selector"}
    }
    assert len(selectors) == 5
    for name, selector in selectors.items():
        assert selector.get("matchLabels", selector).items() <= labels.items(), name


def test_visitors_behind_the_ingress_have_addresses_of_their_own():
    (gateway,) = of_kind("StatefulSet")["spec"]["template"]["spec"]["containers"]
    assert settings_of(gateway).server.trusted_proxies


def test_the_image_comes_from_a_registry_of_the_operators():
    (image,) = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["images"]
    (gateway,) = of_kind("StatefulSet")["spec"]["template"]["spec"]["containers"]
    assert gateway["image"] == image["name"]
    assert image["newName"] == f"registry.example/{image['name']}", "a name alone is somebody's at a public registry"
    pushed = f"{image['newName']}:{image['newTag']}"
    assert f"docker push {pushed}\n" in (DEPLOY.parent / "docs" / "operating" / "install.md").read_text()


def test_the_pod_for_restoring_is_a_gateway_that_does_not_serve():
    pod, gateway = restoring(), of_kind("StatefulSet")["spec"]["template"]
    validate(pod, KUBERNETES_VERSION, strict=True)
    (image,) = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["images"]
    (mine,), (theirs,) = pod["spec"]["containers"], gateway["spec"]["containers"]
    assert mine["image"] == f"{image['newName']}:{image['newTag']}"
    assert pod["metadata"]["labels"] == gateway["metadata"]["labels"], "the policy lets it call the database"
    assert "ports" not in mine, "no service leads to it"
    assert pod["spec"]["securityContext"] == gateway["spec"]["securityContext"]
    assert [mine[name] for name in ("securityContext", "volumeMounts")] == [
        theirs[name] for name in ("securityContext", "volumeMounts")
    ]
    assert mine["env"] == [one for one in theirs["env"] if one["name"] == "CANONGATE_DATA__DATABASE_URL"]
    (claim,) = of_kind("StatefulSet")["spec"]["volumeClaimTemplates"]
    data, *others = pod["spec"]["volumes"]
    assert data["persistentVolumeClaim"] == {"claimName": f"{claim['metadata']['name']}-canongate-0"}
    assert others == gateway["spec"]["volumes"]


def test_one_gateway_stays_when_nodes_are_drained():
    assert of_kind("PodDisruptionBudget")["spec"]["minAvailable"] < of_kind("StatefulSet")["spec"]["replicas"]


def test_compose_runs_two_gateways_alike_that_reach_nothing_outside():
    file = compose()
    gateways = [file["services"][name] for name in ("gateway-1", "gateway-2")]
    for one in gateways:
        assert (one["read_only"], one["cap_drop"], one["networks"]) == (True, ["ALL"], ["inside"])
        assert set(one["secrets"]) >= KEYS
    assert gateways[0]["volumes"] != gateways[1]["volumes"], "each has its own data folder"
    assert file["networks"]["inside"]["internal"]
    assert {one for service in file["services"].values() for one in service.get("secrets", ())} == set(file["secrets"])


def test_settings_in_the_files_are_settings_of_the_gateway():
    pod = of_kind("StatefulSet")["spec"]["template"]["spec"]["containers"][0]
    given = compose()["x-gateway"]["environment"]  # all of it: `exec` starts commands with it, past the start
    for settings in (settings_of(pod), load_settings(None, given)):
        assert settings.replicas.superseded_s == 2.0


def test_the_start_puts_keys_into_the_data_folder_and_becomes_the_gateway(tmp_path):
    """Runs the start itself, with a data folder and a gateway of the test's."""
    text = (CONTAINER / "start").read_text()
    data, keys, prepared, programs = (tmp_path / name for name in ("data", "keys", "prepared", "bin"))
    for folder in (data, keys, prepared, programs):
        folder.mkdir()
    for name in KEYS:
        (keys / name).write_bytes(name.encode())
    (prepared / "embedder").mkdir()
    (prepared / "embedder" / "model.onnx").write_text("weights")
    (data / "pepper").write_text("an older one")
    (programs / "canongate").write_text('#!/bin/sh\necho "canongate $* ${SHARED_KEYS-unset}"\n')
    (programs / "canongate").chmod(0o755)
    script = tmp_path / "start"
    script.write_text(text.replace("/data/", f"{data}/").replace("/opt/canongate/prepared", str(prepared)))
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "SHARED_KEYS": str(keys)}
    for _ in range(2):
        done = subprocess.run(  # noqa: S603 - our own script
            ["/bin/sh", str(script), "serve"], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout == "canongate serve unset\n"
    assert {path.name for path in data.iterdir()} == {*KEYS, "embedder"}
    for name in KEYS:
        assert ((data / name).read_text(), (data / name).stat().st_mode & 0o777) == (name, 0o600)
    assert (data / "embedder" / "model.onnx").read_text() == "weights"
