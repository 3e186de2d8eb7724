"""Examples of `outside.yaml`: what each rule finds, and what is like it and allowed. Nothing imports this file."""

import sqlite3
import ssl
import subprocess
import urllib.request

import httpx2
from sqlalchemy import text

# ruleid: sql-lives-in-store
session.execute(text("SELECT 1"))
# ruleid: sql-lives-in-store
sqlite3.connect("file.db")
# ok: sql-lives-in-store
query.text("after")

# ruleid: sql-is-constant, sql-lives-in-store
text(f"SELECT * FROM keys WHERE id = '{sent}'")
# ruleid: sql-is-constant, sql-lives-in-store
text("SELECT * FROM keys WHERE id = " + sent)
# ruleid: sql-is-constant
cursor.execute("SELECT * FROM keys WHERE id = '%s'" % sent)
# ok: sql-is-constant
cursor.execute("SELECT * FROM keys WHERE id = ?", (sent,))

# ruleid: calls-have-a-time-limit
urllib.request.urlopen(address)
# ruleid: calls-have-a-time-limit
subprocess.run(["pg_dump"], check=True)
# ruleid: calls-have-a-time-limit
httpx2.get(address, timeout=None)
# ok: calls-have-a-time-limit
subprocess.run(["pg_dump"], check=True, timeout=60)
# ok: calls-have-a-time-limit
urllib.request.urlopen(address, timeout=5)

# ruleid: certificates-are-checked
httpx2.Client(verify=False)
# ruleid: certificates-are-checked
context.verify_mode = ssl.CERT_NONE
# ok: certificates-are-checked
httpx2.Client(verify=context)
