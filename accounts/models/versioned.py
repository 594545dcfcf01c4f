from django.db import models


class Versioned(models.Model):
    """A row whose edits are counted, so that two people can't overwrite each other in silence."""

    version = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True


class Made(models.Model):
    """A row that knows the API key through which it was created, if it was: its id alone, as a key may be deleted.

    A key with the flair [segment] sees and changes nothing else.
    """

    created_by_key = models.BigIntegerField(null=True)

    class Meta:
        abstract = True
