"""Reads an envelope on standard input and lets Sentry's own relay normalise the events in it.

Prints one line for each event, and one for each attribute that the relay found invalid, discarded
or changed; ends with status 1 when there was one of these, or no event at all.
"""

import gzip
import json
import sys

from sentry_relay.processing import StoreNormalizer


def items(envelope):
    """Yields the header and the payload of each item."""
    _, _, rest = envelope.partition(b"\n")
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        header = json.loads(line)
        length = header.get("length")
        if length is None:
            payload, _, rest = rest.partition(b"\n")
        else:
            payload, rest = rest[:length], rest[length:].removeprefix(b"\n")
        yield header, payload


def complaints(meta, path=""):
    """Yields where the relay's remarks are, and what they say."""
    for key, value in (meta or {}).items():
        if key == "":
            if value.get("err") or value.get("rem"):
                yield path or ".", json.dumps(value)
        elif isinstance(value, dict):
            yield from complaints(value, f"{path}.{key}")


def main():
    envelope = sys.stdin.buffer.read()
    if envelope.startswith(b"\x1f\x8b"):
        envelope = gzip.decompress(envelope)
    events, found = 0, 0
    for header, payload in items(envelope):
        if header["type"] != "event":
            continue
        events += 1
        event = json.loads(payload)
        normalizer = StoreNormalizer(project_id=42, protocol_version="7", enable_trimming=True)
        normal = normalizer.normalize_event(event)
        print("event", json.dumps(event))
        for path, remark in complaints(normal.get("_meta")):
            found += 1
            print("invalid", path, remark)
    sys.exit(0 if events and not found else 1)


main()
