from django.db import models


class Versioned(models.Model):
    """A row whose edits are counted, so that two people can't overwrite each other in silence."""

    version = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True
