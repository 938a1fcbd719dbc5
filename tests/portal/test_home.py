from django.urls import reverse


def test_it_says_where_the_way_in_is(client, db):
    page = client.get("/")

    assert page.status_code == 200
    assert b"Use the link in your notification" in page.content
    assert b"<form" not in page.content


def test_it_names_no_organisation(client, organization):
    assert organization.name.encode() not in client.get("/").content


def test_whoever_is_inside_gets_a_way_on(log_in, recipient):
    assert f'href="{reverse("inbox")}"'.encode() in log_in(recipient).get("/").content


def test_it_asks_the_database_nothing_for_a_stranger(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/")


def test_it_rejects_post(client, db):
    assert client.post("/").status_code == 405
