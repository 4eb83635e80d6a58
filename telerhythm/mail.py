"""Messages by e-mail."""

from __future__ import annotations

import json
import smtplib
from email.message import EmailMessage

from alerts.outbox import Message
from telerhythm.alarm_settings import SmtpSettings
from telerhythm.courier import NotDelivered, Refused

TIMEOUT_S = 20.0


class Mail:
    """Sends messages to one address through a mail server, one connection a message."""

    def __init__(self, to: str, smtp: SmtpSettings, password: str | None = None) -> None:
        self._to = to
        self._smtp = smtp
        self._password = password

    def __call__(self, message: Message, is_late: bool) -> None:
        """Send a message.

        Raises
        ------
        NotDelivered
            If the mail server did not take it: to be sent again.
        Refused
            If it says that it never will (the address is wrong).
        """
        mail = compose(message, is_late, self._smtp.sender, self._to)
        try:
            with smtplib.SMTP(self._smtp.host, self._smtp.port, timeout=TIMEOUT_S) as server:
                if self._smtp.starttls:
                    server.starttls()
                if self._smtp.username is not None:
                    server.login(self._smtp.username, self._password or "")
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            if all(500 <= code < 600 for code in codes):
                raise Refused(f"the mail server refuses the address: {codes}") from error
            raise NotDelivered(f"the mail server does not take it now: {codes}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise NotDelivered(f"mail server: {error}") from error


def compose(message: Message, is_late: bool, sender: str, to: str) -> EmailMessage:
    """The mail; its Message-ID is the same when it is sent again."""
    fields = json.loads(message.body)
    late = "LATE " if is_late else ""
    place = f"{fields['ward']} bed {fields['bed']}"
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = (
        f"[{late}{fields['priority'].upper()}] {place}: {fields['kind'].replace('_', ' ')}"
        f" {fields['phase']}"
    )
    mail["Message-ID"] = f"<{message.id}.{fields['alarm_id']}@telerhythm>"
    lines = [fields["text"], "", f"Where: {place} {fields['label']}".rstrip()]
    lines += [f"When: {fields['time']}", f"Rule: {fields['rule']}" if fields["rule"] else ""]
    if fields["by"]:
        lines.append(f"By: {fields['by']}")
    if is_late:
        lines.append("This message could not be sent when it was made.")
    mail.set_content("\n".join(line for line in lines if line is not None) + "\n")
    return mail
