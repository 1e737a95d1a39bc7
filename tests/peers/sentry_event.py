"""Reads a Sentry event as JSON from stdin, normalizes it as Sentry's own Relay does, and fails
when Relay finds anything invalid in it. Needs `pip install sentry-relay`; status 77: not there."""

import json
import sys

try:
    from sentry_relay.processing import StoreNormalizer
except ImportError:
    sys.exit(77)

event = StoreNormalizer(project_id=1).normalize_event(json.load(sys.stdin))


def errors(meta, path):
    for key, value in meta.items():
        if key == "":
            yield from ((path, error) for error in value.get("err", []))
        elif isinstance(value, dict):
            yield from errors(value, f"{path}.{key}")


found = list(errors(event.get("_meta", {}), "event"))
found += [("event", error) for error in event.get("errors") or []]
print(found)
sys.exit(1 if found else 0)
