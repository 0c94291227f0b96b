"""How are people told by mail? In plain text, over a protected line unless an admin says otherwise in so many words."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage

from mcp_migrate.errors import NotificationFailedError
from mcp_migrate.notifiers.interface import Notice
from mcp_migrate.settings.channels import MailChannel
from mcp_migrate.settings.references import resolve


@dataclass(frozen=True, slots=True)
class MailNotifier:
    """Sends one mail to all addresses."""

    channel: MailChannel

    def send(self, notice: Notice) -> None:
        """Connect, log in where a user is given, and hand it over."""
        try:
            with self._connected() as server:
                if self.channel.user is not None:
                    server.login(self.channel.user, resolve(self.channel.password or ""))
                server.send_message(_mail(notice, self.channel))
        except (OSError, smtplib.SMTPException) as error:
            raise NotificationFailedError(
                f"The mail server of the channel {self.channel.name} did not take the notice: {type(error).__name__}.",
                hint="Check server, security, user and password of the channel.",
            ) from error

    def _connected(self) -> smtplib.SMTP:
        host, _, port = self.channel.server.rpartition(":")
        if self.channel.security == "tls":
            return smtplib.SMTP_SSL(host, int(port), timeout=self.channel.within, context=ssl.create_default_context())
        server = smtplib.SMTP(host, int(port), timeout=self.channel.within)
        if self.channel.security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except (OSError, smtplib.SMTPException):
                server.close()
                raise
        return server


def _mail(notice: Notice, channel: MailChannel) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = notice.headline.replace("\n", " ")
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.to)
    mail["Message-ID"] = f"<{notice.notice_id}@mcp-migrate>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(notice.text())
    return mail
