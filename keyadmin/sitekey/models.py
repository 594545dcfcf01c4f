from datetime import datetime

from django.db import models
from django.db.models import Q

from keyadmin.kernel import clock, tokens


class SiteKeyState(models.TextChoices):
    CURRENT = "current", "Current"
    RETIRING = "retiring", "Retiring"


class SiteKey(models.Model):
    """A site key of which only a verifier is stored: the one that counts now, or the one before it, until its end.

    `demanded` stands on the current one, so that nothing can be demanded that does not exist. One that was entered has
    no token id, and the `tail` of a weak one is empty. One that no longer counts has no row: the log tells of it.
    """

    state = models.CharField(max_length=8, choices=SiteKeyState.choices, unique=True)
    prefix = models.CharField(max_length=16, blank=True)
    token_id = models.CharField(max_length=12, null=True)  # noqa: DJ001  empty is no id
    tail = models.CharField(max_length=4, blank=True)
    verifier = models.CharField(max_length=255)
    demanded = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    created_by_label = models.CharField(max_length=150)
    secret_confirmed_at = models.DateTimeField(null=True)  # null: shown on a page, and nobody said that it was saved
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state=SiteKeyState.CURRENT, ends_at__isnull=True)
                | Q(state=SiteKeyState.RETIRING, ends_at__isnull=False),
                name="sitekey_retiring_exactly_with_end",
            ),
            models.CheckConstraint(
                condition=Q(demanded=False) | Q(state=SiteKeyState.CURRENT), name="sitekey_demanded_while_current"
            ),
            models.CheckConstraint(condition=Q(verifier__gt=""), name="sitekey_has_a_verifier"),
            models.CheckConstraint(
                condition=Q(token_id__isnull=False, prefix__gt="", tail__gt="") | Q(token_id__isnull=True, prefix=""),
                name="sitekey_made_here_or_entered",
            ),
        ]

    def __str__(self) -> str:
        return f"site key {self.masked}".strip()

    @property
    def masked(self) -> str:
        """The form that may be shown: `kasite_live_8f3kQ2mZp0Xa...9t0w`; of a weak one that was entered, `...`."""
        if self.token_id is None:
            return tokens.masked_given(self.tail)
        return tokens.masked(self.prefix, "live", self.token_id, self.tail)

    @property
    def is_weak(self) -> bool:
        """Whether it was made elsewhere and could be guessed."""
        return self.token_id is None and not self.tail

    def counts_at(self, moment: datetime) -> bool:
        """Whether a request that carries it then is accepted."""
        return self.ends_at is None or moment < self.ends_at

    @property
    def counts(self) -> bool:
        """The same for now."""
        return self.counts_at(clock.now())
