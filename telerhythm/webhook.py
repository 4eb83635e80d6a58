"""Messages to a webhook: HTTP POST of JSON, signed."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
from urllib.parse import urlsplit

from alerts.outbox import Message
from telerhythm.courier import NotDelivered, Refused

TIMEOUT_S = 10.0
# These may be right another time; any other 4xx says that the message itself is wrong.
_AGAIN = frozenset({401, 403, 404, 408, 425, 429})


class Webhook:
    """Posts messages to one address.

    The signature is HMAC-SHA256 with the secret over the time that the header tells, a full stop
    and the body; a receiver that checks both takes no message that somebody else made or replays.

    Parameters
    ----------
    url : str
        `http://` or `https://`; redirects are not followed, for they could lead elsewhere.
    secret : str
    """

    def __init__(self, url: str, secret: str, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        self._is_secure = parts.scheme == "https"
        self._host, self._port, self._timeout_s = parts.hostname or "", parts.port, timeout_s
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._secret = secret.encode()

    def __call__(self, message: Message, is_late: bool) -> None:
        """Send a message.

        Raises
        ------
        NotDelivered
            If it did not arrive: to be sent again.
        Refused
            If the receiver says that it is wrong: sending it again would not help.
        """
        fields = {**json.loads(message.body), "delivery": message.id, "late": is_late}
        body = json.dumps(fields, ensure_ascii=False).encode()
        sent_s = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Telerhythm-Delivery": message.id,
            "X-Telerhythm-Timestamp": sent_s,
            "X-Telerhythm-Signature": f"sha256={sign(self._secret, sent_s, body)}",
        }
        make = http.client.HTTPSConnection if self._is_secure else http.client.HTTPConnection
        connection = make(self._host, self._port, timeout=self._timeout_s)
        try:
            connection.request("POST", self._path, body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise NotDelivered(f"no answer: {error}") from error
        finally:
            connection.close()
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status not in _AGAIN:
            raise Refused(f"answered {status}")
        raise NotDelivered(f"answered {status}")


def sign(secret: bytes, sent_s: str, body: bytes) -> str:
    """The signature of a message, hexadecimal."""
    return hmac.new(secret, f"{sent_s}.".encode() + body, hashlib.sha256).hexdigest()
