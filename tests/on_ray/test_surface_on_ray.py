"""The promises about who is let in and how errors look, at the gateway that Ray serves, behind Ray's own proxy."""

from collections.abc import Iterator

import pytest

from tests.guarantees.test_default_deny import (
    test_no_other_spelling_of_a_closed_address_opens_it,
    test_without_a_credential_no_body_is_looked_at,
    test_without_a_credential_only_the_public_table_answers,
)
from tests.guarantees.test_error_shape import (
    test_a_blocked_message_that_is_asked_for_as_an_error,
    test_a_form_that_is_malformed,
    test_a_key_without_the_scope,
    test_a_wrong_header,
    test_bodies_of_the_wrong_type,
    test_bodies_that_are_no_json_object,
    test_missing_fields,
    test_no_key_and_wrong_keys,
    test_unknown_addresses_elsewhere,
    test_unknown_addresses_under_v1,
    test_wrong_fields_values_and_models,
    test_wrong_methods,
)
from tests.on_ray.application import ON_RAY, OnRay
from tests.on_ray.served_world import ServedWorld, served_world
from tests.world import World

pytestmark = [*ON_RAY, pytest.mark.anyio]

__all__ = [
    "test_a_blocked_message_that_is_asked_for_as_an_error",
    "test_a_form_that_is_malformed",
    "test_a_key_without_the_scope",
    "test_a_wrong_header",
    "test_bodies_of_the_wrong_type",
    "test_bodies_that_are_no_json_object",
    "test_missing_fields",
    "test_no_key_and_wrong_keys",
    "test_no_other_spelling_of_a_closed_address_opens_it",
    "test_unknown_addresses_elsewhere",
    "test_unknown_addresses_under_v1",
    "test_without_a_credential_no_body_is_looked_at",
    "test_without_a_credential_only_the_public_table_answers",
    "test_wrong_fields_values_and_models",
    "test_wrong_methods",
]


@pytest.fixture(scope="module")
def in_process(policy) -> World:
    """A gateway that is not served: it has the same routes."""
    return World(policy)


@pytest.fixture
def world(on_ray: OnRay, in_process: World) -> Iterator[ServedWorld]:
    """Takes the place of the world in this process."""
    with served_world(on_ray, in_process.app) as served:
        yield served
