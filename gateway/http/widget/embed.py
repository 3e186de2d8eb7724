"""The widget's files, for pages of any origin, and a page of our own with the widget inside, for frames."""

from typing import Any

from anyio import to_thread
from litestar import Request, Response, get, route
from litestar.params import FromPath

from gateway.errors import InvalidRequest, NotServing
from gateway.http.static import FILES, address_of, script_of
from gateway.http.templates import load_templates
from gateway.http.widget.calls import Parts, chosen_language
from gateway.widget.release import VERSION
from store.errors import StoreUnavailable

CHAT_PAGE, FILE = "/embed/chat", "/embed/{version:str}/{name:str}"
SCRIPT, FRAME_SCRIPT = "widget.js", "frame.js"
_CHANNEL, _LOADER = "v1", "loader.js"
_IMMUTABLE = "public, max-age=31536000, immutable"
_SHORT = "public, max-age=300"
_ANYBODY = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
_THEMES = frozenset({"light", "dark"})
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; frame-ancestors "
)

_templates = load_templates()


@get(FILE, operation_id="embed_file")
async def embed_file(request: Request[Any, Any, Any], version: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """Returns the loader, or the widget: the one of a version never changes, the one of the channel is mended."""
    is_fixed = version == VERSION and name == SCRIPT
    if not is_fixed and not (version == _CHANNEL and name in (SCRIPT, _LOADER)):
        raise InvalidRequest("not_found", f"There is no such file. The widget is at /embed/{VERSION}/{SCRIPT}.")
    file = FILES.get(name)
    if file is None:
        raise InvalidRequest("not_found", f"{name} was not built on this machine. Run `make setup` where there is npm.")
    headers = {"cache-control": _IMMUTABLE if is_fixed else _SHORT, **_ANYBODY}
    return file.told(request.headers.get("accept-encoding", ""), headers)


embed_file_head = route(FILE, http_method=["HEAD"], operation_id="embed_file_head")(embed_file.fn)


@get(CHAT_PAGE, operation_id="embed_chat")
async def embed_chat(request: Request[Any, Any, Any], components: Parts) -> Response[str]:
    """Shows the widget alone, inside pages of the client's origins, of the gateway's own, and of no other."""
    if components.widget is None:
        raise NotServing("store_unavailable", "This gateway runs without its widget.")
    book = components.widget.book
    try:
        page = book.known()
        if page is None:
            page = await to_thread.run_sync(book.page)
    except StoreUnavailable as error:
        raise NotServing("store_unavailable", "The widget's clients cannot be read.") from error
    known = page.clients.get(request.query_params.get("client", ""))
    if known is None:
        raise InvalidRequest("not_found", "There is no such widget.")  # with frame-ancestors 'none', as every error
    client = known.client
    language = chosen_language(client.settings, request.query_params.get("lang", ""))
    theme = request.query_params.get("theme", "")
    html = _templates.get_template("embed.html").render(
        client=client,
        theme=theme if theme in _THEMES else "",
        language=language,
        direction="rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr",
        script=f"/embed/{VERSION}/{SCRIPT}",
        frame_script=script_of(FRAME_SCRIPT),
        style=address_of("embed.css"),
        icon=address_of("icon.svg"),
    )
    headers = {
        "content-security-policy": _POLICY
        + " ".join((*client.settings.origins, *sorted(components.widget.own_origins))),
        # With no-referrer, browsers would send `Origin: null` from here, which is in no list.
        "referrer-policy": "same-origin",
    }
    return Response(html, media_type="text/html", headers=headers)
