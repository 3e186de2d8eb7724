"""Certificates are checked: nobody between the gateway and its upstream can pose as it."""

import http.server
import json
import shutil
import ssl
import subprocess
import threading

import pytest

from models.errors import ModelUnavailable
from models.upstream.model import UpstreamLimits, UpstreamModel
from models.upstream.target import UpstreamTarget
from tests.models.upstream.upstreams import ask

OPENSSL = shutil.which("openssl")

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl to make certificates with")


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.reply(b"{}", "application/json")

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        said = {"choices": [{"delta": {"content": "Yes."}, "finish_reason": "stop"}]}
        said["usage"] = {"prompt_tokens": 1, "completion_tokens": 1}
        self.reply(f"data: {json.dumps(said)}\n\ndata: [DONE]\n\n".encode(), "text/event-stream")

    def reply(self, body, kind):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """Says nothing about the clients that do not trust it."""


def made_certificate(folder, name):
    """Returns the path of a certificate for 127.0.0.1, and of its key, that nobody else signed."""
    folder.mkdir()
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(  # noqa: S603 - the program found above
        [
            *(OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={name}"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.fixture(scope="module")
def https(tmp_path_factory):
    """A server for 127.0.0.1: its port and its certificate."""
    certificate, key = made_certificate(tmp_path_factory.mktemp("tls") / "own", "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = QuietServer(("127.0.0.1", 0), Server)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, certificate
    server.shutdown()
    server.server_close()


def answered(port, certificate, host="127.0.0.1"):
    model = UpstreamModel(UpstreamTarget(f"https://{host}:{port}/v1", "m", ca_file=certificate), UpstreamLimits())
    model.start(5.0)
    try:
        return ask(model, timeout_s=5.0).text
    finally:
        model.close()


def test_a_certificate_that_is_trusted_is_accepted(https):
    assert answered(*https) == "Yes."


def test_a_certificate_that_nobody_vouches_for_is_not(https):
    with pytest.raises(ModelUnavailable, match="certificate is not trusted"):
        answered(https[0], None)


def test_another_ones_certificate_is_not(https, tmp_path):
    other, _ = made_certificate(tmp_path / "other", "IP:127.0.0.1")
    with pytest.raises(ModelUnavailable, match="certificate is not trusted"):
        answered(https[0], other)


def test_a_certificate_for_another_name_is_not(https):
    with pytest.raises(ModelUnavailable, match="certificate is not trusted"):
        answered(*https, host="localhost")
