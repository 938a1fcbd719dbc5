"""The linter of notification texts: what it refuses, in which words, and that the portal's own texts pass."""

from dataclasses import replace

import pytest
from django.utils import translation

from portal import letters, mail_linter, wordings

GOOD = "{sender_name} ({sender_address}) at {organization} has written to you in confidence."
CONTACTS = "help@north.example 020 7946 0000, Desk@North.example"


def lint(subject: str = "A confidential message", text: str = GOOD) -> list[tuple[str, str]]:
    wording = wordings.wording_of("notification")
    assert wording
    return list(mail_linter.problems(wording, subject, text, contacts=CONTACTS))


def words_of(found: list[tuple[str, str]]) -> str:
    return " ".join(sentence for _field, sentence in found)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD + "\n\nQuestions? Write to help@north.example, or to desk@north.example.",
        GOOD + " It concerns your visit on 3.12. at 10.30; see also sec. 2.1 of our terms!",
        GOOD + " Le message est confidentiel. Ihre Nachricht ist vertraulich. Сообщение для вас.",
        "NHS Trust: " + GOOD,
    ],
)
def test_calm_words_pass(text):
    assert lint(text=text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Click: https://evil.example/x", "“https://evil.example/x” is a link"),
        ("See www.north.example", "is a link"),
        ("See portal-north.com/login", "“portal-north.com/login” is a link, or mail programs make it one"),
        ("See http://127.0.0.1:8000/p/north/", "The mail carries one link"),
        ("Write to help@evil.example", "“help@evil.example” is not an address of yours"),
        ('<img src="cid:1">', "without HTML or pictures"),
        ("[here](north)", "would stand in the mail as it is typed"),
        ("Confidential\u200bmessage", "cannot be seen"),
        ("Confidential \u202egnp.exe", "cannot be seen"),
        ("Message for you 🎁", "“🎁”: pictures and currency signs"),
        ("Only £5", "“£”: pictures"),
        ("Your FREE gift", "“free gift” makes a mail look like a promotion"),
        ("Click\nhere", "“click here” makes a mail look like a promotion"),
        ("Don’t miss it", "don't miss"),
        ("Jetzt kostenlos lesen", "“kostenlos”"),
        ("URGENT", "“urgent” is how phishing presses"),
        ("Please verify your account", "Say calmly what there is to do"),
        ("PLEASE READ THIS", "several words in capitals"),
        ("Now! Really!", "One exclamation mark at most"),
        ("From {sender}", "{sender} is not known here. There are: {sender_name}, {sender_address}, {organization}."),
        ("From {{ organization }}", "is not known here"),
        ("{% load static %}", "is not known here"),
        ("From { you", "A brace stands alone"),
    ],
)
def test_what_looks_like_promotion_or_phishing_is_refused(text, words):
    found = lint(text=f"{GOOD} {text}")
    assert {field for field, _sentence in found} == {"text"}
    assert words in words_of(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Somebody at {organization} has written to you.", "Put {sender_address} into the text"),
        ("{sender_address} has written to you.", "Put {organization} into the text: your organisation's name."),
        ("{sender_address} {organization}", "There are only 0 words in it"),
        ("{sender_address} {organization} hello", "There is only 1 word in it"),
    ],
)
def test_a_mail_that_does_not_say_whom_it_is_from_or_nothing_at_all_is_refused(text, words):
    assert words in words_of(lint(text=text))


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("A message!", "No exclamation mark in the subject"),
        ("Re: your visit", "begins like that of an answer"),
        ("fwd : your visit", "begins like that of an answer"),
        ("{organization}", "The subject needs words"),
        ("One\r\nBcc: all@evil.example", "The subject is one line."),
        ("Special price", "look like a promotion"),
        ("north.example", "is a link"),
    ],
)
def test_subjects(subject, words):
    found = lint(subject=subject)
    assert {field for field, _sentence in found} == {"subject"}
    assert words in words_of(found)


@pytest.mark.parametrize("part", ["a", "a.", "<", "<a", "[", "[a](", "{", "a@", "www.", "Re:", "Aaaa "])
def test_no_text_keeps_the_linter_long(part):
    lint(subject=part * 20_000, text=part * 20_000)


@pytest.mark.parametrize("kind", [wording.kind for wording in wordings.all_wordings()])
def test_the_portals_own_texts_pass_as_texts_and_as_whole_mails(organization, kind):
    wording = wordings.wording_of(kind)
    assert wording
    with translation.override("en-gb"):
        assert list(mail_linter.problems(wording, str(wording.subject), str(wording.text))) == []
    assert list(mail_linter.faults(letters.sample(organization, wording, None))) == []


def test_faults_of_a_whole_mail():
    nothing = letters.Letter(subject="", text="\n", html="")
    assert list(mail_linter.faults(nothing)) == ["It has no text part.", "It has no HTML part."]
    evil = replace(nothing, html='<a href="https://evil.example/">x</a><img src="https://evil.example/p.gif">')
    assert list(mail_linter.faults(evil)) == [
        "It has no text part.",
        "It loads something from elsewhere: img.",
        "It has a link that does not lead to the portal: https://evil.example/.",
    ]
