import pytest

from portal.plain_text import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("just words", "just words"),
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo."),
        ("<div>One</div><div>two</div>", "One\ntwo"),
        ("<div><br></div><div>after an empty line</div>", "after an empty line"),
        ("a<br>b", "a\nb"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("in the\n  source", "in the source"),
        ("<style>p{}</style><script>x()</script>seen", "seen"),
        ("5 &lt; 6 &amp; &euro;", "5 < 6 & €"),
        ("<SCRIPT>if (a < b) '</p>'</SCRIPT >seen<!-- no --><title>no</title>", "seen"),
        ("<p title='a > b'>seen<br/>twice", "seen\ntwice"),
        ("<b>never closed", "never closed"),
        ("a < b", "a < b"),
        ("a <div> </div>b", "a\nb"),
        ("<div>a</div> <div> b </div>c", "a\nb\nc"),
        (" <div>a</div>\t<div>b</div>", "a\n\nb"),
        ("a<br><div>b</div>", "a\nb"),
        ("<p>a</p><div>b</div><p>c</p>", "a\n\nb\n\nc"),
        ("<div>&nbsp;</div><div>a</div>", "a"),
        ("<table><tr><td>1200</td><td>34</td></tr><tr><th>a<th>b</table>", "1200 34\na b"),
        ("<td><p>One</p></td><td><p>two</p></td>", "One\n\ntwo"),
        ("<dl><dt>Term</dt><dd>what it is</dd></dl>", "Term\nwhat it is"),
        ("a<hr>b<center>c</center><center>d</center>", "a\nb\nc\nd"),
        ("<pre>line 1\nline 2\n\nline 3</pre>and\nmore", "line 1\nline 2\n\nline 3\n\nand more"),
        ("</pre>in the\nsource", "in the source"),
    ],
)
def test_words_of_html(html, text):
    assert plain_text(html) == text


def test_it_is_quick_on_what_is_meant_to_be_slow():
    assert plain_text("<div>" * 50_000 + "deep" + "</div>" * 50_000) == "deep"


def test_two_million_letters_of_paragraphs():
    assert plain_text("<p>x</p>" * 250_000) == "\n\n".join("x" * 250_000)


@pytest.mark.parametrize(
    "piece", ["<!--", "<a ", '<p a="', "<![", "<?", "</", "<", "&", "<script>", "<style><!--", "</p"]
)
def test_what_is_never_closed_is_read_once(piece):
    """Before anybody has logged in, too (portal.typed_texts)."""
    plain_text(piece * 200_000)
    assert plain_text("<p>seen</p>" + piece).startswith("seen")
