"""Which assistants a change reaches: whose answers may be other ones afterwards."""

from store.catalog import Catalog


def touched_assistants(live: Catalog | None, ahead: Catalog) -> frozenset[str]:
    """Returns the assistants whose document, policy or prompts are not as they are live.

    The limits of an assistant follow from the prompts of its areas alone, so the others answer as before.
    """
    if live is None:
        return frozenset(ahead.assistants)
    areas = {
        version.content.area
        for one, other in ((live, ahead), (ahead, live))
        for key, version in one.prompts.items()
        if key not in other.prompts or other.prompts[key].sha256 != version.sha256
    }
    touched = set()
    for name, assistant in ahead.assistants.items():
        before = live.policies.get(assistant.policy)
        after = ahead.policies[assistant.policy]
        is_same = live.assistants.get(name) == assistant and before is not None and before.document == after.document
        if not is_same or areas & set(assistant.areas):
            touched.add(name)
    return frozenset(touched)
