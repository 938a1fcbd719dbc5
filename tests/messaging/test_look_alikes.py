"""What could be taken for another domain."""

import pytest

from messaging.look_alikes import KnownDomains


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        ("exarnple.org", "example.org"),
        ("examp1e.org", "example.org"),
        ("exmaple.org", "example.org"),
        ("exampl.org", "example.org"),
        ("examplee.org", "example.org"),
        ("example.com", "example.org"),
        ("ex-ample.org", "example.org"),
        ("north.example", "n0rth.example"),
        ("xn--bcher-kva.example", "bucher.example"),  # bücher
        ("xn--e1awd7f.org", "epic.org"),  # all its letters Cyrillic
    ],
)
def test_what_looks_alike(domain, known):
    assert KnownDomains([known]).twin_of(domain) == known
    assert KnownDomains([domain]).twin_of(known) == domain


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        ("a.org", "b.org"),
        ("acme.org", "acne.org"),
        ("outside.example", "elsewhere.example"),
        ("gmx.de", "gmail.com"),
        ("abcdef.org", "bcdefg.org"),  # two slips
    ],
)
def test_what_does_not(domain, known):
    assert KnownDomains([known]).twin_of(domain) is None


def test_of_several_the_first_in_the_alphabet_is_named():
    assert KnownDomains(["examples.org", "exampla.org", "sample.org"]).twin_of("example.org") == "exampla.org"
    assert KnownDomains([]).twin_of("example.org") is None
