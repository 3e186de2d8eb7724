# ruff: noqa: RUF001 - signs and digits of other scripts are the point
"""Tests of personal data beside letters without blanks, in other digits, and in other groups and words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rails.checks.personal import find, masked
from rails.recognisers.finding import Entity, Reading

FOUND = (
    ("卡号4111111111111111谢谢", Entity.CARD),
    ("我的卡是4111 1111 1111 1111。", Entity.CARD),
    ("账户DE89370400440532013000请付", Entity.IBAN),
    ("来自81.2.69.142的攻击", Entity.IP),
    ("地址是2a02:2f0e:c123:4500::17吗", Entity.IP),
    ("身份证号11010519491231002X", Entity.NATIONAL_ID),
    ("我的身份证是110105194912310022吗", Entity.NATIONAL_ID),
    ("身份证号码是110105194912310038。", Entity.NATIONAL_ID),
    ("제 번호는010-1234-5678입니다", Entity.PHONE),
    ("전화 010-1234-5678로", Entity.PHONE),
    ("전화번호는 01012345678입니다", Entity.PHONE),
    ("주민번호 900101-1234568", Entity.NATIONAL_ID),
    ("주민번호는900101-1234568입니다", Entity.NATIONAL_ID),
    ("电话13812345678联系我", Entity.PHONE),
    ("我的手机号是13812345678", Entity.PHONE),
    ("携帯は090-1234-5678です", Entity.PHONE),
    ("电话号码010-62345678", Entity.PHONE),
    ("my social is 536904399", Entity.SSN),
    ("SSN 536.90.4399", Entity.SSN),
    ("my social: 536-90-4399", Entity.SSN),
    ("my social is 536 90 4399", Entity.SSN),
    ("536.90.4399", Entity.SSN),
    ("4012/8888/8888/1881", Entity.CARD),
    ("my card is 4012_8888_8888_1881", Entity.CARD),
    ("4012_8888_8888_1881", Entity.CARD),
    ("anna%40firma.de", Entity.EMAIL),
    ("mail=anna.b%40firma.de&x=1", Entity.EMAIL),
    ("رقم هاتفي ٠٥٠١٢٣٤٥٦٧", Entity.PHONE),
    ("اتصل بي على 0501234567", Entity.PHONE),
    ("رقمي 0501234567", Entity.PHONE),
    ("جوالي: ٠٥٥ ١٢٣ ٤٥٦٧", Entity.PHONE),
    ("موبايلي 01012345678", Entity.PHONE),
    ("मेरा फोन नंबर ९८७६५४३२१० है", Entity.PHONE),
    ("मेरा मोबाइल नंबर 9876543210 है", Entity.PHONE),
    ("मुझे 9876543210 पर कॉल करें", Entity.PHONE),
    ("मेरा नंबर ९८७६५ ४३२१० है", Entity.PHONE),
    ("بطاقتي ٤١١١ ١١١١ ١١١١ ١١١١", Entity.CARD),
    ("मेरा कार्ड ४१११ ११११ ११११ ११११", Entity.CARD),
    ("卡号４１１１１１１１１１１１１１１１", Entity.CARD),
    ("ايميلي anna@firma.de.", Entity.EMAIL),
    ("我的邮箱是anna@firma.de，谢谢", Entity.EMAIL),
    ("我的邮箱anna@firma.de请联系", Entity.EMAIL),
    ("IBAN은 DE89 3704 0044 0532 0130 00입니다", Entity.IBAN),
    ("メールはanna@firma.deです", Entity.EMAIL),
    ("81.2.69.142에서", Entity.IP),
    ("护照号码E12345678", Entity.PASSPORT),
    ("出生日期1985年3月12日", Entity.BIRTH_DATE),
    ("生年月日：1985/03/12", Entity.BIRTH_DATE),
    ("ب4111111111111111", Entity.CARD),
    ("पर4111111111111111", Entity.CARD),
    ("4111111111111111से", Entity.CARD),
)
NOBODYS = (
    "密码至少12位，2024年5月3日",
    "订单4111111111111112未到",
    "工单94727916",
    "版本10.0.19045.3803",
    "价格12345678元",
    "2024年12月31日10:30",
    "房间4.12在3楼",
    "ticket 536904399",
    "social event 536904399 people",
    "a/b/c 2024/05/06/1234",
    "file_2024_05_06_1234.txt",
    "100%40 off",
    "رقم التذكرة ٩٤٧٢٧٩١٦",
    "टिकट नंबर ९४७२७९१६",
    "주문번호 94727916",
    "version 536.90.4399",
    "분 1234-5678개",
)
_UNSPACED = st.sampled_from("我的卡号是のカードでช่번호입니다بरा")


def _found(text):
    reading = Reading.of(text)
    return [(finding.entity, reading.text[finding.start : finding.end]) for finding in find(reading)]


@pytest.mark.parametrize(("text", "entity"), FOUND)
def test_personal_data_is_found_whatever_letters_stand_beside_it(text, entity):
    assert [kind for kind, _ in _found(text)] == [entity]


@pytest.mark.parametrize("text", NOBODYS)
def test_other_numbers_are_nobodys_in_any_script(text):
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("卡号4111111111111111谢谢", "卡号[card]谢谢"),
        ("我的邮箱anna@firma.de请联系", "我的邮箱[email]请联系"),
        ("بطاقتي ٤١١١ ١١١١ ١١١١ ١١١١ انتهت", "بطاقتي [card] انتهت"),
        ("मेरा फोन नंबर ९८७६५४३२१० है", "मेरा फोन नंबर [phone] है"),
        ("전화번호는 01012345678입니다", "전화번호는 [phone]입니다"),
        ("to=anna.b%40firma.de&x=1", "to=[email]&x=1"),
        ("来自81.2.69.142的攻击", "来自[ip]的攻击"),
    ],
)
def test_a_mask_covers_just_what_was_found(text, left):
    reading = Reading.of(text)
    assert masked(reading.text, find(reading)) == left


@given(st.text(_UNSPACED, max_size=5), st.text(_UNSPACED, max_size=5), st.sampled_from("0٠०\uff10"))
def test_a_card_is_found_between_letters_without_blanks_in_digits_of_every_script(before, after, zero):
    card = "".join(chr(ord(zero) + int(digit)) for digit in "4012888888881881")
    reading = Reading.of(f"{before}{card}{after}")
    assert masked(reading.text, find(reading)) == f"{before}[card]{after}"


def test_a_letter_of_a_script_with_blanks_makes_a_longer_name_of_a_number():
    assert _found("ж4012888888881881") == []
    assert _found("ref4012888888881881") == []
