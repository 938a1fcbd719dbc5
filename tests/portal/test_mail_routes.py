"""By which way a mail leaves: relays, the domains' own servers, TLS that is demanded, policies that are honoured."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal import connections, delivery, dialling, mail_hosts, moments, routes
from portal.models import MailHold, MailRoute, MailSlot, MtaStsPolicy, OutgoingMail
from portal.outbox import State
from tests import dns_server
from tests.certificates import certificate_for
from tests.smtp_server import SILENCE

from .conftest import MX, deliver_again

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hang_up():
    yield
    connections.close_idle(everything=True)


@pytest.fixture
def under_tls(mx, tmp_path, monkeypatch):
    """under_tls(name): the server speaks TLS with a believed certificate for that name."""

    def speak(name: str = MX) -> None:
        certificate = certificate_for(name, tmp_path)
        mx.extensions, mx.tls = ["STARTTLS"], certificate.context
        mx.script["STARTTLS"] = "220 go on"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))

    return speak


def tls_of(server) -> bool:
    return "STARTTLS" in server.verbs and server.verbs.index("STARTTLS") < server.verbs.index("MAIL")


# --- Which way ------------------------------------------------------------------------------------------------


def test_without_a_route_it_leaves_by_the_installations_relay(enqueue, server, mx):
    enqueue()
    assert delivery.deliver_due() == 1
    assert len(server.mails) == 1
    assert not mx.mails


def test_a_route_is_for_its_domain_and_its_organisation(enqueue, server, mx, route, other_organization):
    route("outside.example", tls="opportunistic")
    MailRoute.objects.create(organization=other_organization, way="relay", host="nowhere.example")
    enqueue()
    enqueue("second@elsewhere.example")
    assert delivery.deliver_due() == 2, list(OutgoingMail.objects.values_list("server_reply", flat=True))
    assert [mail.recipient for mail in mx.mails] == ["first@outside.example"]
    assert [mail.recipient for mail in server.mails] == ["second@elsewhere.example"]


def test_a_route_without_domain_is_for_all_others(enqueue, server, mx, route):
    route("elsewhere.example", way="relay", host="127.0.0.1", port=server.port, tls="opportunistic")
    route(tls="opportunistic")
    enqueue()
    enqueue("second@elsewhere.example")
    assert delivery.deliver_due() == 2, list(OutgoingMail.objects.values_list("server_reply", flat=True))
    assert [mail.recipient for mail in mx.mails] == ["first@outside.example"]
    assert [mail.recipient for mail in server.mails] == ["second@elsewhere.example"]


def test_routes_switched_off_are_not_taken(enqueue, server, mx, route, settings):
    settings.MAIL_ROUTES = False
    route()
    enqueue()
    assert delivery.deliver_due() == 1
    assert server.mails


def test_a_relay_is_logged_in_to_with_the_sealed_password(enqueue, mx, under_tls, route):
    under_tls("127.0.0.1")
    mx.extensions.append("AUTH PLAIN")
    given = []
    mx.script["AUTH"] = lambda argument: given.append(argument) or "235 welcome"
    row = route(way="relay", host="127.0.0.1", port=mx.port, user_name="portal")
    routes.seal_password(row, "swordfish")
    row.save()
    assert b"swordfish" not in bytes(row.sealed_password)
    enqueue()
    assert delivery.deliver_due() == 1
    assert given == ["PLAIN AHBvcnRhbABzd29yZGZpc2g="]
    assert tls_of(mx)


# --- Straight to MX ---------------------------------------------------------------------------------------------


def test_the_best_server_is_tried_first_and_the_next_when_it_cannot_be_reached(enqueue, mx, names, route):
    route(tls="opportunistic")
    names.zone["outside.example", "MX"] = [f"20 {MX}.", "10 dead.outside.example."]
    names.zone["dead.outside.example", "A"] = ["127.0.0.2"]  # nothing listens there
    enqueue()
    assert delivery.deliver_due() == 1
    order = [name for name, kind in names.asked if kind == "A"]
    assert order == ["dead.outside.example", MX]


def test_a_domain_without_mx_is_its_own_mail_server(enqueue, mx, names, route):
    route(tls="opportunistic")
    del names.zone["outside.example", "MX"]
    names.zone["outside.example", "A"] = ["127.0.0.1"]
    enqueue()
    assert delivery.deliver_due() == 1
    assert mx.mails


@pytest.mark.parametrize(
    ("records", "words"), [({"MX": ["0 ."]}, "takes no mail"), ({}, "There is no domain outside.example")]
)
def test_a_domain_that_takes_no_mail_is_final(enqueue, mx, names, route, records, words):
    route(tls="opportunistic")
    del names.zone["outside.example", "MX"]
    names.zone |= {("outside.example", kind): rows for kind, rows in records.items()}
    mail = enqueue()
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert mail.state == State.FAILED
    assert words in mail.server_reply


def test_a_silent_dns_is_tried_again_later(enqueue, mx, names, route, monkeypatch):
    monkeypatch.setattr(mail_hosts, "DNS_SECONDS", 0.3)
    route(tls="opportunistic")
    names.zone["outside.example", "MX"] = dns_server.SILENCE
    mail = enqueue()
    assert delivery.deliver_due() == 0
    mail.refresh_from_db()
    assert mail.state == State.DUE
    assert "DNS does not answer for outside.example" in mail.server_reply


# --- TLS --------------------------------------------------------------------------------------------------------


def test_opportunistic_tls_is_used_where_offered_whoever_signed_the_certificate(
    enqueue, mx, under_tls, route, monkeypatch
):
    under_tls()
    monkeypatch.delenv("SSL_CERT_FILE")
    route(tls="opportunistic")
    enqueue()
    assert delivery.deliver_due() == 1
    assert tls_of(mx)


def test_opportunistic_tls_that_fails_is_done_without(enqueue, mx, route):
    mx.extensions = ["STARTTLS"]
    mx.script["STARTTLS"] = "454 not now"
    route(tls="opportunistic")
    enqueue()
    assert delivery.deliver_due() == 1


def test_enforced_tls_is_delivered_to_a_server_that_proves_its_name(enqueue, mx, under_tls, route):
    under_tls()
    route()
    enqueue()
    assert delivery.deliver_due() == 1
    assert tls_of(mx)


def unproven(mx, under_tls, monkeypatch) -> None:
    under_tls()
    monkeypatch.delenv("SSL_CERT_FILE")


def wrong_name(mx, under_tls, monkeypatch) -> None:
    under_tls("another.example")


def not_offered(mx, under_tls, monkeypatch) -> None:
    pass


def refused(mx, under_tls, monkeypatch) -> None:
    mx.extensions = ["STARTTLS"]
    mx.script["STARTTLS"] = "454 not now"


@pytest.mark.parametrize("flaw", [unproven, wrong_name, not_offered, refused])
def test_enforced_and_not_available_nothing_leaves(enqueue, mx, under_tls, route, monkeypatch, flaw):
    flaw(mx, under_tls, monkeypatch)
    route()
    mail = enqueue()
    assert delivery.deliver_due() == 0
    mail.refresh_from_db()
    assert mail.state == State.DUE
    assert "without it nothing is sent" in mail.server_reply
    assert not {"MAIL", "RCPT", "DATA"} & set(mx.verbs)
    assert MailHold.objects.get().name == "outside.example"
    mx.script.clear()
    mx.verbs.clear()
    under_tls()
    assert deliver_again(mail) == 1
    assert not MailHold.objects.exists()


# --- MTA-STS (RFC 8461) -----------------------------------------------------------------------------------------

POLICY = "version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: {max_age}\r\n"


@pytest.fixture
def policy(names, tmp_path, settings, monkeypatch):
    """policy(mode, …): outside.example publishes it. The server's `status` and `kind` can be changed."""
    believed = tmp_path / "believed.pem"
    certificate = certificate_for("mta-sts.outside.example", tmp_path)

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            self.send_response(self.server.status)
            self.send_header("Content-Type", self.server.kind)
            self.end_headers()
            self.wfile.write(self.server.text.encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.socket = certificate.context.wrap_socket(server.socket, server_side=True)
    server.asked, server.status, server.kind = [], 200, "text/plain"
    settings.MTA_STS_PORT = server.server_address[1]
    names.zone["mta-sts.outside.example", "A"] = ["127.0.0.1"]
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()

    def publish(mode: str, mx: str = "*.outside.example", max_age: int = 86400, text: str = "", id_: str = "1"):
        server.text = text or POLICY.format(mode=mode, mx=mx, max_age=max_age)
        names.zone["_mta-sts.outside.example", "TXT"] = [f'"v=STSv1; id={id_};"']
        mail_hosts._resolver.cache_clear()
        # The mail server's certificate is believed, too, where a test has made one.
        pem = "".join(path.read_text() for path in tmp_path.glob("*.example.pem"))
        believed.write_text(pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(believed))
        return server

    yield publish
    server.shutdown()
    server.server_close()


def test_a_policy_that_enforces_holds_on_an_opportunistic_route(enqueue, mx, under_tls, route, policy):
    under_tls("another.example")
    policy("enforce")
    route(tls="opportunistic")
    mail = enqueue()
    assert delivery.deliver_due() == 0
    mail.refresh_from_db()
    assert "certificate" in mail.server_reply
    assert "MAIL" not in mx.verbs


def test_under_an_enforced_policy_a_proven_server_gets_the_mail(enqueue, mx, under_tls, route, policy):
    under_tls()
    policy("enforce")
    route(tls="opportunistic")
    enqueue()
    assert delivery.deliver_due() == 1
    assert tls_of(mx)


def test_a_server_that_the_policy_does_not_name_gets_nothing(enqueue, mx, under_tls, route, policy):
    under_tls()
    policy("enforce", mx="other.outside.example")
    route(tls="opportunistic")
    mail = enqueue()
    assert delivery.deliver_due() == 0
    mail.refresh_from_db()
    assert "MTA-STS" in mail.server_reply
    assert not mx.verbs


@pytest.mark.parametrize("mode", ["testing", "none"])
def test_a_policy_that_does_not_enforce_changes_nothing(enqueue, mx, route, policy, mode):
    policy(mode, mx="other.outside.example")
    route(tls="opportunistic")
    enqueue()
    assert delivery.deliver_due() == 1


def test_a_policy_is_kept_for_its_time_and_fetched_anew_under_a_new_id(enqueue, mx, under_tls, route, policy):
    under_tls()
    server = policy("enforce")
    route(tls="opportunistic")
    enqueue()
    enqueue()
    delivery.deliver_due()
    assert server.asked == ["/.well-known/mta-sts.txt"]
    an_hour_ago = moments.now() - timedelta(hours=1)
    MtaStsPolicy.objects.update(checked_at=an_hour_ago)
    connections.close_idle(everything=True)
    enqueue()
    delivery.deliver_due()
    assert len(server.asked) == 1, "the same id: nothing new"
    policy("none", id_="2")
    MtaStsPolicy.objects.update(checked_at=an_hour_ago)
    connections.close_idle(everything=True)
    enqueue()
    assert delivery.deliver_due() == 1
    assert (len(server.asked), MtaStsPolicy.objects.get().mode) == (2, "none")


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (404, "text/plain", ""),
        (302, "text/plain", ""),
        (200, "text/html", ""),
        (200, "text/plain", "version: STSv1\nmode: enforce\nmax_age: 60\n"),
        (200, "text/plain", "mode: enforce\nmx: a.example\nmax_age: 60\n"),
        (200, "text/plain", "x" * 70_000),
    ],
)
def test_what_is_no_policy_leaves_the_kept_one(enqueue, mx, under_tls, route, policy, status, kind, text):
    under_tls("another.example")
    policy("enforce")
    route(tls="opportunistic")
    mail = enqueue()
    delivery.deliver_due()
    server = policy("enforce", text=text, id_="2")
    server.status, server.kind = status, kind
    MtaStsPolicy.objects.update(checked_at=moments.now() - timedelta(hours=1))
    assert deliver_again(mail) == 0
    assert len(server.asked) == 2
    assert MtaStsPolicy.objects.get().mode == "enforce"


def test_a_policy_from_a_server_that_does_not_prove_its_name_is_none(enqueue, mx, route, policy, monkeypatch):
    policy("enforce", mx="other.outside.example")
    monkeypatch.delenv("SSL_CERT_FILE")
    route(tls="opportunistic")
    enqueue()
    assert delivery.deliver_due() == 1


@pytest.mark.parametrize(
    ("pattern", "host", "named"),
    [
        ("mx1.a.example", "mx1.a.example", True),
        ("mx1.a.example", "MX1.A.example", True),
        ("*.a.example", "mx1.a.example", True),
        ("*.a.example", "a.example", False),
        ("*.a.example", "x.y.a.example", False),
        ("*.a.example", "mx1.ba.example", False),
    ],
)
def test_patterns_stand_for_one_label(pattern, host, named):
    from portal import mta_sts

    assert mta_sts.allows(MtaStsPolicy(mx=pattern), host) is named


# --- Connections --------------------------------------------------------------------------------------------------


def test_mails_to_one_destination_share_a_connection(enqueue, mx, route):
    route(tls="opportunistic")
    for n in range(5):
        enqueue(f"r{n}@outside.example")
    assert delivery.deliver_due() == 5
    assert mx.verbs.count("EHLO") == 1


def test_after_a_refusal_the_connection_is_reset_and_used_on(enqueue, server):
    server.script["RCPT"] = lambda argument: "550 no such user" if "r1@" in argument else None
    for n in range(3):
        enqueue(f"r{n}@outside.example")
    assert delivery.deliver_due() == 3
    assert (server.verbs.count("EHLO"), server.verbs.count("RSET")) == (1, 1)


def test_a_kept_connection_that_was_closed_meanwhile_costs_no_attempt(enqueue, server):
    enqueue()
    delivery.deliver_due()
    (found,) = connections._kept.values()
    dialling.cut(found[0].smtp)
    mail = enqueue()
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (State.SENT, 1)
    assert server.verbs.count("EHLO") == 2


@pytest.mark.parametrize("limit", ["MOST_MAILS", "MOST_IDLE_SECONDS", "MOST_OPEN_SECONDS"])
def test_a_connection_ends_at_its_limits(enqueue, server, monkeypatch, limit):
    monkeypatch.setattr(connections, limit, 0)
    enqueue()
    enqueue()
    assert delivery.deliver_due() == 2, list(OutgoingMail.objects.values_list("server_reply", flat=True))
    assert server.verbs.count("EHLO") == 2


def test_a_host_is_never_met_by_more_connections_than_allowed(enqueue, mx, route, settings):
    settings.MAIL_CONNECTIONS_PER_HOST = 2
    route(tls="opportunistic")
    enqueue()
    delivery.deliver_due()
    connections.close_idle(everything=True)
    MailSlot.objects.update(holder="another worker", leased_until=moments.now() + timedelta(minutes=1))
    mail = enqueue()
    assert delivery.deliver_due() == 0
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (State.DUE, 0)
    assert not MailHold.objects.exists()
    MailSlot.objects.filter(number=1).update(leased_until=moments.now() - timedelta(seconds=1))
    assert deliver_again(mail) == 1


# --- One destination's trouble is not another's -----------------------------------------------------------------


def test_an_unreachable_destination_holds_nobody_else_up(enqueue, server, mx, names, route):
    route("outside.example", tls="opportunistic")
    names.zone[MX, "A"] = ["127.0.0.2"]
    waiting = [enqueue(f"r{n}@outside.example", due_at=moments.now() - timedelta(minutes=9)) for n in range(3)]
    enqueue("second@elsewhere.example")
    assert delivery.deliver_due() == 1
    assert [mail.recipient for mail in server.mails] == ["second@elsewhere.example"]
    rows = [OutgoingMail.objects.get(pk=mail.pk) for mail in waiting]
    assert [row.attempts for row in rows] == [1, 0, 0], "one was tried, the others keep their place"
    hold = MailHold.objects.get()
    assert [row.due_at for row in rows[1:]] == [hold.until] * 2
    assert all("refused" in row.server_reply for row in rows)


def test_mail_written_during_a_hold_waits_with_the_others(enqueue, mx, names, route):
    route("outside.example", tls="opportunistic")
    names.zone[MX, "A"] = ["127.0.0.2"]
    enqueue()
    delivery.deliver_due()
    late = enqueue()
    delivery.deliver_due()
    late.refresh_from_db()
    assert (late.attempts, late.due_at) == (0, MailHold.objects.get().until)


def test_a_hold_grows_to_two_minutes(enqueue, mx, names, route):
    route("outside.example", tls="opportunistic")
    names.zone[MX, "A"] = ["127.0.0.2"]
    mail = enqueue()
    delivery.deliver_due()
    for _ in range(6):
        deliver_again(mail)
    hold = MailHold.objects.get()
    assert hold.failures == 7
    assert timedelta(seconds=80) < hold.until - moments.now() <= timedelta(minutes=2)


def test_mail_that_is_held_for_48_hours_is_given_up(enqueue, mx, names, route):
    route("outside.example", tls="opportunistic")
    names.zone[MX, "A"] = ["127.0.0.2"]
    mail = enqueue()
    delivery.deliver_due()
    OutgoingMail.objects.filter(pk=mail.pk).update(
        first_tried_at=moments.now() - timedelta(hours=48), due_at=moments.now() - timedelta(seconds=1)
    )
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert mail.state == State.FAILED


def test_a_server_that_never_greets_is_held_within_the_lease(enqueue, mx, route, monkeypatch):
    monkeypatch.setattr("portal.smtp.BEFORE_DATA_SECONDS", 0.4)
    mx.script["GREETING"] = SILENCE
    route(tls="opportunistic")
    mail = enqueue()
    assert delivery.deliver_due() == 0
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (State.DUE, 1)
    assert MailHold.objects.exists()
