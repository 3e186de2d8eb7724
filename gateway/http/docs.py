"""The pages for integrators: `/docs` with the reference, and the guides. They are public, as `/openapi.json` is."""

from typing import Any

from litestar import Request, Response, get

from gateway.errors import InvalidRequest
from gateway.guides import load_guides
from gateway.http.static import address_of, script_of
from gateway.http.templates import load_templates

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_REFERENCE_POLICY = (
    # Swagger UI writes HTML of its own, and its pictures are in its style sheet as `data:` addresses.
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_templates = load_templates()


@get("/docs", operation_id="docs")
async def docs_page() -> Response[str]:
    """Lists the guides and shows the reference: every operation, to be tried with a key of one's own."""
    scripts = (script_of("swagger-ui-bundle.js"), script_of("reference.js"))
    style = script_of("swagger-ui.css")
    is_here = style is not None and None not in scripts
    return _page(
        "docs.html",
        _REFERENCE_POLICY if is_here else _POLICY,
        guides=load_guides().values(),
        scripts=scripts if is_here else (),
        reference_style=style if is_here else None,
    )


@get("/docs/guides/{name:str}", operation_id="guide")
async def guide_page(request: Request[Any, Any, Any]) -> Response[str]:
    """Shows a guide."""
    guides = load_guides()
    guide = guides.get(request.path_params["name"])
    if guide is None:
        raise InvalidRequest("not_found", "There is no such guide. /docs lists them.")
    return _page("guide.html", _POLICY, guides=guides.values(), guide=guide)


def _page(template: str, policy: str, **values: Any) -> Response[str]:
    html = _templates.get_template(template).render(
        tokens=address_of("tokens.css"), style=address_of("docs.css"), favicon=address_of("icon.svg"), **values
    )
    headers = {"content-security-policy": policy, "cross-origin-opener-policy": "same-origin"}
    return Response(html, media_type="text/html", headers=headers)
