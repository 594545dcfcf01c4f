"""Shapes of what is typed about the instance; the rules are the services'."""

from django import forms

from keyadmin.kernel import hashing
from keyadmin.kernel.survey import LONGEST_MS
from keyadmin.web.forms import KitForm

WRONG_NUMBER = ("invalid", "min_value", "max_value")
TARGET_MS = 50
HASHES = ((hashing.SLOW_SCHEME, hashing.SLOW_SCHEME), (hashing.HMAC_SCHEME, f"{hashing.HMAC_SCHEME} (has no rounds)"))


def _number(label: str, low: int, high: int, what: str, hint: str) -> forms.IntegerField:
    why = f"Write {what} from {low:,} to {high:,}."
    return forms.IntegerField(
        label=label,
        min_value=low,
        max_value=high,
        help_text=hint,
        error_messages=dict.fromkeys(WRONG_NUMBER, why),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class MeasureForm(KitForm):
    """What is to be measured."""

    hash_name = forms.ChoiceField(label="Hash", choices=HASHES, initial=hashing.SLOW_SCHEME)
    target_ms = _number(
        "Time of one check, in milliseconds",
        1,
        LONGEST_MS,
        "a whole number of milliseconds",
        f"From 1 to {LONGEST_MS}. So long whoever guesses waits for each try, and a key for its first use.",
    )


class RoundsForm(KitForm):
    """The number to save, and the version of the settings that was on the screen."""

    version = forms.IntegerField(min_value=1, required=False, widget=forms.HiddenInput)
    api_key_rounds_no = _number(
        "Rounds", 1, hashing.MOST_ROUNDS, "a whole number", f"Keyadmin comes with {hashing.DEFAULT_ROUNDS:,}."
    )
