"""Writes the manifest of a crate from cargo's registry so that it builds with what is there.

annotate-manifest.py CARGO.TOML CARGO.LOCK DEV-DEPENDENCIES [DROPPED...]

Drops its tests' and benchmarks' own dependencies, its lints, each optional dependency that
Cargo.lock does not have, and the dependencies and features that are to be dropped. Adds the given
dev-dependencies, with a semicolon between them.
"""

import re
import sys

path, lock, dev, *dropped = sys.argv[1:]
known = set(re.findall(r'^name = "(.*)"\nversion = "((?:0\.)?\d+)', open(lock).read(), re.M))
# features of dependencies which need more than Cargo.lock has
unknown = "aws[-_]lc[-_]rs|libm|debug"
sections = re.split(r"(?m)^(?=\[)", open(path).read())
kept, gone = [], []
for section in sections:
    head = section.split("\n", 1)[0]
    if re.match(r"\[\[(bench|example)\]\]|\[lints|\[(target\..*\.)?dev-dependencies", head):
        continue
    dependency = re.match(r"\[(?:target\..*\.)?(?:build-)?dependencies\.([\w-]+)\]", head)
    if dependency:
        name = dependency[1]
        package = re.search(r'(?m)^package = "(.*)"', section)
        version = re.search(r'(?m)^version = "[\^=~]?((?:0\.)?\d+)', section)
        missing = (package[1] if package else name, version and version[1]) not in known
        if "optional = true" in section and (missing or name in dropped):
            gone.append(name)
            continue
    kept.append(section)
text = "".join(kept)
for name in gone + dropped:
    text = re.sub(rf'"(dep:)?{re.escape(name)}(\??/[^"]*)?",?', "", text)
text = re.sub(rf'"[\w-]+\??/({unknown})",?', "", text)
print(text)
print("[dev-dependencies]", *dev.split(";"), "\n[workspace]", sep="\n")
