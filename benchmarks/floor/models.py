from django.conf import settings
from django.db import models


class Line(models.Model):
    """What a list shows a line of."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    who = models.CharField(max_length=120)
    subject = models.CharField(max_length=250)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(name="line_page", fields=["owner", "-id"])]

    def __str__(self) -> str:
        return self.subject


class Sealed(models.Model):
    """Bytes under AES-256-GCM: nonce, ciphertext, tag."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    value = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)


class Copy(models.Model):
    """A row of what a message to many writes: an id, whose it is, a wrapped key."""

    id = models.UUIDField(primary_key=True)
    person = models.IntegerField(db_index=True)
    wrapped_key = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)
