"""Every text that people may be shown is among those that output rails are tried on."""

from gateway.approved_texts import _values_of
from store.content import DateSlot, EnumSlot, EnumValue


def test_each_value_of_each_list_is_tried_once():
    colour = EnumSlot(name="colour", ask="Which?", values=tuple(EnumValue(one) for one in ("red", "blue", "green")))
    size = EnumSlot(name="size", ask="How big?", values=tuple(EnumValue(one) for one in ("small", "large")))
    tried = list(_values_of((colour, size, DateSlot(name="day", ask="When?"))))
    assert {one["colour"] for one in tried} == {"red", "blue", "green"}
    assert {one["size"] for one in tried} == {"small", "large"}
    assert len(tried) == 4


def test_a_text_without_blanks_is_tried_once():
    assert list(_values_of(())) == [{}]
