"""Checks that each package states the Rust version it needs, that this Rust has it, and that no
dependency of llm-observe needs a newer one than llm-observe promises.

That our own code keeps to it is checked by clippy's `incompatible_msrv`.
"""

import json
import re
import subprocess
import sys


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def version(text):
    """Returns "1.89" and "1.89.0" as (1, 89, 0)."""
    numbers = re.fullmatch(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(number or 0) for number in numbers.groups())


def needed(metadata, root):
    """Returns the ids of the packages that `root` is built from."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found, left = set(), [root]
    while left:
        package = left.pop()
        if package not in found:
            found.add(package)
            left += [
                dep["pkg"]
                for dep in nodes[package]["deps"]
                if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])
            ]
    return found


def main():
    metadata = json.loads(output("cargo", "metadata", "--locked", "--format-version", "1"))
    packages = {package["id"]: package for package in metadata["packages"]}
    members = [packages[member] for member in metadata["workspace_members"]]
    mistakes = [f"{p['name']} has no rust-version" for p in members if not p["rust_version"]]
    stated = {p["rust_version"] for p in members if p["rust_version"]}
    if len(stated) != 1:
        mistakes.append(f"more than one rust-version: {sorted(stated)}")
    [root] = [p for p in members if p["name"] == "llm-observe"]
    promised = version(root["rust_version"])
    here = output("rustc", "--version").split()[1]
    if promised > version(here.split("-")[0]):
        mistakes.append(f"rust-version is {root['rust_version']}, but rustc is {here}")
    used = [packages[package] for package in needed(metadata, root["id"])]
    for package in used:
        wants = package["rust_version"]
        if wants and version(wants) > promised:
            name = f"{package['name']} {package['version']}"
            mistakes.append(f"{name} needs Rust {wants}, llm-observe promises {root['rust_version']}")
    print(f"rust-version {root['rust_version']}, rustc {here}, {len(used)} packages")
    sys.exit("\n".join(mistakes) or None)


main()
