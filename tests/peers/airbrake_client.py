"""Reports a failure with a cause to the Airbrake at that address, by Airbrake's own client."""

import sys

import pybrake

address, project, key = sys.argv[1:]
notifier = pybrake.Notifier(
    project_id=int(project),
    project_key=key,
    host=address,
    environment="staging",
    remote_config=False,
    performance_stats=False,
    query_stats=False,
    queue_stats=False,
)
try:
    try:
        raise ConnectionRefusedError("connection refused")
    except OSError as cause:
        raise RuntimeError("no model answers") from cause
except RuntimeError as error:
    notice = notifier.build_notice(error)
    notice["params"]["event"] = "failing"
    sent = notifier.send_notice_sync(notice)
    if "error" in sent:
        sys.exit(str(sent["error"]))
