"""`canongate user`: the people who may sign in, for whoever runs the gateway."""

import json
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.access.users import Invited
from gateway.commands.options import config_option, json_option, settings_from
from gateway.opening import open_access
from store.accounts import User
from store.people import OPERATOR, Grant, Role

_PAGE = 200


@click.group()
def user() -> None:
    """Make people who may sign in, give them roles, keep them out.

    \b
    Example:
      canongate user create ada --role approver:it,hr
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


def _grant(_: click.Context, parameter: click.Parameter, value: str | tuple[str, ...]) -> tuple[Grant, ...]:
    """Reads `ROLE` or `ROLE:AREA,AREA`."""
    found = []
    for one in (value,) if isinstance(value, str) else value:
        name, mark, areas = one.partition(":")
        if name not in set(Role) or (mark and not all(areas.split(","))):
            roles = ", ".join(Role)
            raise click.BadParameter(f"write ROLE or ROLE:AREA,AREA; roles are {roles}.", param=parameter)
        found.append(Grant(Role(name), frozenset(areas.split(",")) if mark else frozenset()))
    return tuple(found)


@user.command()
@click.argument("name")
@click.option("--role", "grants", multiple=True, callback=_grant, help="ROLE or ROLE:AREA,AREA; repeatable.")
@click.option("--mail", help="Mail address; signing in takes it as well as the name.")
@click.option("--assistant", "assistants", multiple=True, help="Sees only what belongs to it; repeatable.")
@config_option
@json_option
def create(
    name: str,
    *,
    grants: tuple[Grant, ...],
    mail: str | None,
    assistants: tuple[str, ...],
    config: Path | None,
    as_json: bool,
) -> None:
    """Make somebody, and show once the token with which they set a password.

    \b
    Example:
      canongate user create ada --role admin --mail ada@tarnwick.example
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_access(settings_from(config)) as access:
        made = access.users.create(OPERATOR, name, mail=mail, grants=grants, assistants=assistants)
    _show_invited(made, as_json=as_json)


@user.command(name="list")
@config_option
@json_option
def list_users(*, config: Path | None, as_json: bool) -> None:
    """List people, oldest first.

    \b
    Example:
      canongate user list --json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    found: list[User] = []
    with open_access(settings_from(config)) as access:
        while batch := access.users.page(OPERATOR, limit=_PAGE, after=found[-1].id if found else ""):
            found += batch
    if as_json:
        click.echo(json.dumps([_document(one) for one in found], indent=2))
        return
    table = Table(box=None)
    for title in ("name", "mail", "roles", "assistants", "password", "authenticator", "state"):
        table.add_column(title, overflow="fold")
    for one in found:
        table.add_row(
            escape(one.name),
            escape(one.mail or ""),
            escape(" ".join(_grants(one))) or "none",
            escape(" ".join(sorted(one.assistants))) or "all",
            "yes" if one.password_hash else "no",
            "yes" if one.has_totp else "no",
            "disabled" if one.disabled_at else "active",
        )
    Console().print(table)


@user.command()
@click.argument("name")
@config_option
@json_option
def disable(name: str, *, config: Path | None, as_json: bool) -> None:
    """Keep somebody out, at once.

    \b
    Example:
      canongate user disable ada
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_access(settings_from(config)) as access:
        found = access.users.named(name)
        changed = access.users.disable(OPERATOR, found.id, rev=found.rev)
    _show(changed, f"{changed.name} is kept out, and no longer signed in.", as_json=as_json)


@user.command()
@click.argument("name")
@config_option
@json_option
def enable(name: str, *, config: Path | None, as_json: bool) -> None:
    """Let somebody in again.

    \b
    Example:
      canongate user enable ada
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_access(settings_from(config)) as access:
        found = access.users.named(name)
        changed = access.users.enable(OPERATOR, found.id, rev=found.rev)
    _show(changed, f"{changed.name} may sign in again.", as_json=as_json)


@user.command(name="reset-password")
@click.argument("name")
@config_option
@json_option
def reset_password(name: str, *, config: Path | None, as_json: bool) -> None:
    """Take somebody's password away, and show once the token with which they set another.

    \b
    Example:
      canongate user reset-password ada
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_access(settings_from(config)) as access:
        made = access.users.reset_password(OPERATOR, access.users.named(name).id)
    _show_invited(made, as_json=as_json)


@user.command(name="reset-totp")
@click.argument("name")
@config_option
@json_option
def reset_totp(name: str, *, config: Path | None, as_json: bool) -> None:
    """Take somebody's authenticator and recovery codes away.

    \b
    Example:
      canongate user reset-totp ada
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_access(settings_from(config)) as access:
        changed = access.users.reset_totp(OPERATOR, access.users.named(name).id)
    _show(changed, f"{changed.name} signs in without an authenticator now.", as_json=as_json)


@user.command()
@click.argument("name")
@click.argument("role", callback=_grant)
@config_option
@json_option
def grant(name: str, *, role: tuple[Grant, ...], config: Path | None, as_json: bool) -> None:
    """Give somebody one more role; they sign in again.

    \b
    Example:
      canongate user grant ada approver:it,hr
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    _regrant(name, lambda before: before | set(role), config, as_json=as_json)


@user.command()
@click.argument("name")
@click.argument("role", type=click.Choice([one.value for one in Role]))
@config_option
@json_option
def revoke(name: str, *, role: str, config: Path | None, as_json: bool) -> None:
    """Take a role away from somebody, in all areas; they sign in again.

    \b
    Example:
      canongate user revoke ada approver
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    _regrant(name, lambda before: {one for one in before if one.role != role}, config, as_json=as_json)


def _regrant(
    name: str,
    change: Callable[[frozenset[Grant]], set[Grant] | frozenset[Grant]],
    config: Path | None,
    *,
    as_json: bool,
) -> None:
    with open_access(settings_from(config)) as access:
        found = access.users.named(name)
        changed = access.users.give(
            OPERATOR, found.id, grants=change(found.grants), assistants=found.assistants, rev=found.rev
        )
    _show(changed, f"{changed.name} has {', '.join(_grants(changed)) or 'no role'} now.", as_json=as_json)


def _show(changed: User, words: str, *, as_json: bool) -> None:
    click.echo(json.dumps(_document(changed)) if as_json else words)


def _show_invited(made: Invited, *, as_json: bool) -> None:
    if as_json:
        told = {"user": _document(made.user), "token": made.token, "expires_at": made.expires_at.isoformat()}
        click.echo(json.dumps(told))
        return
    click.echo(made.token)
    click.echo(
        f"With this token {made.user.name} sets a password, once and until {made.expires_at:%Y-%m-%d %H:%M} UTC: "
        "on the page /admin/setup, or with POST /v1/admin/setup. It is shown this once.",
        err=True,
    )


def _document(one: User) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "mail": one.mail,
        "roles": _grants(one),
        "assistants": sorted(one.assistants),
        "has_password": one.password_hash is not None,
        "has_totp": one.has_totp,
        "disabled_at": one.disabled_at.isoformat() if one.disabled_at else None,
        "created_at": one.created_at.isoformat(),
    }


def _grants(one: User) -> list[str]:
    return sorted(
        f"{each.role}:{','.join(sorted(each.areas))}" if each.areas else str(each.role) for each in one.grants
    )
