"""Reports a failure with a cause to the Rollbar at that address, by Rollbar's own client."""

import sys

import rollbar

address, token = sys.argv[1:]
rollbar.init(token, "staging", endpoint=f"{address}/api/1/", handler="blocking", code_version="1.4.2")
try:
    try:
        raise ConnectionRefusedError("connection refused")
    except OSError as cause:
        raise RuntimeError("no model answers") from cause
except RuntimeError:
    if not rollbar.report_exc_info(extra_data={"event": "failing"}):
        sys.exit("nothing was reported")
