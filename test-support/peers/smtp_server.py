"""An SMTP server (aiosmtpd) that prints its port, then each message it takes as one line of JSON.
It puts `later@` off once (451) and refuses `never@` (550). Prints nothing without aiosmtpd.

--tls CERT KEY: encrypted from the first byte; --starttls CERT KEY: takes nothing before STARTTLS;
--idle SECONDS: closes a connection that says nothing for so long."""

import argparse
import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys

try:
    from aiosmtpd.smtp import SMTP
except ImportError:
    sys.exit(77)


class Handler:
    def __init__(self):
        self.put_off = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("never@"):
            return "550 no such user"
        if address.startswith("later@") and address not in self.put_off:
            self.put_off.add(address)
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        encrypted = server.transport.get_extra_info("ssl_object") is not None
        print(json.dumps({
            "subject": message["subject"],
            "message-id": message["message-id"],
            "in-reply-to": message["in-reply-to"],
            "bcc": message["bcc"],
            "auto-submitted": message["auto-submitted"],
            "to": envelope.rcpt_tos,
            "parts": [part.get_content_type() for part in message.iter_parts()],
            "text": message.get_body(("plain",)).get_content(),
            "html": message.get_body(("html",)).get_content(),
            "encrypted": encrypted,
        }), flush=True)
        return "250 OK"


def context(files):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*files)
    return made


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--starttls", nargs=2)
    parser.add_argument("--idle", type=float, default=300)
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    handler = Handler()
    starttls = context(chosen.starttls) if chosen.starttls else None

    def connection():
        return SMTP(
            handler,
            timeout=chosen.idle,
            tls_context=starttls,
            require_starttls=starttls is not None,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        connection, "127.0.0.1", 0, ssl=context(chosen.tls) if chosen.tls else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
