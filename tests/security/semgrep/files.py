"""Examples of `files.yaml`: what each rule finds, and what is like it and allowed. Nothing imports this file."""

import hmac
import shutil
import tempfile

import yaml

# ruleid: strict-yaml
yaml.load(text, Loader=Loader)
# ruleid: strict-yaml
yaml.unsafe_load(text)
# ruleid: strict-yaml
make(yaml.UnsafeLoader)
# ok: strict-yaml
yaml.safe_load(text)

# ruleid: no-unpacking-by-name
archive.extractall(folder)
# ruleid: no-unpacking-by-name
shutil.unpack_archive("it.zip", folder)
# ok: no-unpacking-by-name
archive.extractfile(member)

# ruleid: no-guessed-temporary-names
tempfile.mktemp()
# ok: no-guessed-temporary-names
tempfile.mkstemp()

# ruleid: digests-in-constant-time
hmac.digest(key, body, "sha256") == sent
# ruleid: digests-in-constant-time
hmac.new(key, body, "sha256").hexdigest() != sent
# ok: digests-in-constant-time
hmac.compare_digest(hmac.digest(key, body, "sha256"), sent)
