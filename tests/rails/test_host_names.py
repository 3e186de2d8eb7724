# ruff: noqa: RUF001 - letters of other scripts are the point
"""Tests of what is a link without a scheme, what is a scheme without slashes, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rails import host_names
from rails.checks.urls import UrlsParams, find
from rails.host_names import Written, hosts_in, written_in

_PARAMS = UrlsParams(hosts=("*.tarnwick.example", "partner.example"))
ELSEWHERE = (
    "magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a",
    "\\\\evil\\share",
    "Open \\\\evil.example\\share\\x.exe",
    "\\\\10.0.0.5\\c$",
    "//evil.example/x",
    "data:text/html,x",
    "data:,x",
    "javascript:go()",
    "JAVASCRIPT:go()",
    "java\tscript:go()",
    "ftp://a.b/x",
    "file:///etc/passwd",
    "file:c:/x",
    "vbscript:x",
    "ms-word:ofe|u|http://x",
    "ms-msdt:/id",
    "sip:bob@evil.com",
    "skype:bob?call",
    "tel:+123",
    "sms:123",
    "callto:bob",
    "market://details",
    "intent://x",
    "view-source:http://x",
    "jar:http://x!/",
    "ldap://x/",
    "gopher://x",
    "ssh://x",
    "git://x",
    "smb://evil/x",
    "cid:abc",
    "mid:1",
    "geo:1,2",
    "slack://x",
    "zoommtg://x",
    "steam://x",
    "bitcoin:1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
    "ipfs://x",
    "about:blank",
    "ws://x",
    "chrome://settings",
    "urn:isbn:123",
    "evil.com",
    "www.evil.zzz",
    "evil.md/x",
    "evil.py/run",
    "evil.zip/a",
    "sub.evil.io",
    "evil.co.uk",
    "login.evil.app",
    "evil.ai",
    "bit.ly/abc",
    "t.me/x",
    "goo.gl/abc",
    "xn--80ak6aa92e.com",
    "пример.рф",
    "例子.中国",
    "evil.example",
    "evil.test:8080",
    "evil.corp:8443/x",
    "user@evil.example",
    "evil。com",
    "mailto:bob@evil.com",
    "GitHub.Com",
    "x.dev",
    "youtu.be/abc",
    "evil.internal/x",
    "hxxp://x",
    "evil.tk",
    "evil.xyz",
    "evil.click",
    "javascript&colon;alert(1)",
    "evil.ru",
    "http:evil.com",
    "http:/evil.com",
    "blob:abc",
    "ssh:user@x",
    "Go to evil.com.Then call us.",
)
NOWHERE = (
    "All is OK.The badge comes tomorrow.",
    "Ask Dr.Smith about it.",
    "It is written in ASP.NET and .NET 8.",
    "Edit config.py first.",
    "Read README.md please.",
    "Open setup.sh and main.rs.",
    "archive.zip is there",
    "Node.js, Vue.js and D3.js",
    "Ms.Weber",
    "e.g.this",
    "i.e.that",
    "Call at 9.30 a.m.today",
    "done.Please wait",
    "Save it.Then restart.",
    "See index.html or app.ts",
    "package.json, tsconfig.json",
    "backup.tar.gz",
    "photo.JPG",
    "Fig.3",
    "No.5",
    "v1.2.3",
    "St.Gallen",
    "System.Text.Json",
    "java.util.List",
    "os.path.join",
    "numpy.array",
    "Ph.D.",
    "U.S.A.",
    "Co.Ltd",
    "z.B.morgen",
    "Ende.Danach geht es",
    "Fin.Ensuite",
    "file: budget.xlsx",
    "data: see the table",
    "Note: call",
    "tel: 4400",
    "Time: 9:00",
    "About: the team",
    "form:INC-1200",
    "Press Ctrl+C: done",
    "C:\\Users\\bob\\Documents",
    "at D:\\data",
    "http is a protocol",
    "See https://help.tarnwick.example/x",
    "Write to it@tarnwick.example",
    "mailto:it@tarnwick.example",
    "partner.example/x",
    "Excel.Application",
    "and/or",
    "km//h",
    "// comment",
    "1.Open the portal",
    "Inc.and",
    "Mr.Jones",
    "e.V.",
    "main.cpp",
    "notes.md",
    "run.py",
    "Intent: unclear",
    "blob: a thing",
    "Name: Ann",
    "Die Frist endet.Danach",
    "report.final.pdf",
    "my.report.docx",
    "a.k.a.",
    "1.5GB",
    "vs.the",
    "data:",
    "好的。谢谢",
    "请打开门户网站。要提前解锁，请打开设置。",
    "はい。わかりました",
)


@pytest.mark.parametrize("text", ELSEWHERE)
def test_what_points_elsewhere_is_stopped(text):
    assert find(text, _PARAMS) is not None


@pytest.mark.parametrize("text", NOWHERE)
def test_what_points_nowhere_passes(text):
    assert find(text, _PARAMS) is None


@pytest.mark.parametrize("name", ["config.py", "README.md", "setup.sh", "main.rs", "old.zip"])
def test_a_file_name_is_a_host_with_a_path_a_port_or_www(name):
    assert find(f"Open {name} now", _PARAMS) is None
    for text in (f"Open {name}/x now", f"Open {name}:8080 now", f"Open www.{name} now", f"Ask bob@{name} now"):
        assert find(text, _PARAMS) == "urls.host"


_PIECES = st.sampled_from(
    [*"ab.@-_/:,;é\u3002\uff0e\u00a0\x0b\x1c\u2028 \n\t", "com", "sh", "xn--p1ai", "www.", "p.co", "8080"]
)


@given(st.lists(_PIECES | st.characters(exclude_categories=["Cs"]), max_size=30).map("".join))
def test_a_look_at_the_words_finds_what_a_look_at_the_whole_text_finds(text):
    whole = [
        Written(hit.group(1).translate(host_names._STOPS), hit.start() < hit.start(1), text[hit.end() : hit.end() + 8])
        for hit in host_names._BARE.finditer(text)
        if host_names._ENDING.occurs_in(text)
    ]
    assert written_in(text) == whole


@given(st.text(max_size=60))
def test_hosts_are_read_in_any_text_in_lower_case(text):
    assert all(host == host.casefold() and "." in host for host in hosts_in(written_in(text)))


@given(
    st.from_regex(r"[a-z]{2,10}(-[a-z]{2,5})?", fullmatch=True),
    st.sampled_from(["com", "org", "de", "co.uk", "io", "dev", "xyz", "рф", "中国", "xn--p1ai"]),
    st.sampled_from([" ", "(", "“", "：", "at "]),
)
def test_a_host_of_a_common_ending_is_found_wherever_it_stands(name, ending, before):
    assert find(f"Look{before}{name}.{ending} today", _PARAMS) == "urls.host"


@pytest.mark.parametrize("text", ["Open evil.sh now.", "See evil.zip", "Run get.evil.py", "EVIL.MD says how"])
def test_what_may_be_a_host_as_well_as_a_file_must_stand_in_the_facts(text):
    assert find(text, _PARAMS) is None
    assert find(text, _PARAMS, "Run setup.sh on the desktop.") == "urls.host"
    assert find(text, _PARAMS, f"It is told where: {text}") is None
