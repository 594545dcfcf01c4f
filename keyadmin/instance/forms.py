"""Shapes of what is typed about the instance; the rules are the services'."""

import re
from typing import Any, Final

from django import forms

from keyadmin.kernel import hashing
from keyadmin.kernel.calibration import WEAK_ROUNDS
from keyadmin.kernel.survey import LONGEST_MS
from keyadmin.web.forms import KitForm

OUT_OF_RANGE = ("min_value", "max_value")
DIGITS_ONLY = "Use digits only; a comma or a space may part the thousands."
TARGET_MS = 50
HASHES = ((hashing.SLOW_SCHEME, hashing.SLOW_SCHEME), (hashing.HMAC_SCHEME, f"{hashing.HMAC_SCHEME} (has no rounds)"))
# Digits of ASCII, together or parted into thousands as the pages print them. A full stop could mean either.
_WHOLE: Final = re.compile(r"[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+")


class NumberField(forms.IntegerField):
    """A whole number without a sign, such as 30000, 30,000 or 30 000; `30.000` and other digits are refused."""

    def to_python(self, value: Any) -> int | None:
        text = str(value).strip() if value not in self.empty_values else ""
        if text and not _WHOLE.fullmatch(text):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(re.sub(r"[^0-9]", "", text))


def _number(label: str, low: int, high: int, what: str, hint: str) -> NumberField:
    why = f"Write {what} from {low:,} to {high:,}."
    return NumberField(
        label=label,
        min_value=low,
        max_value=high,
        help_text=hint,
        error_messages={**dict.fromkeys(OUT_OF_RANGE, why), "invalid": f"{why} {DIGITS_ONLY}"},
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
    """The number to save, and the version of the settings that was on the screen. A weak number has to be meant."""

    version = forms.IntegerField(min_value=1, required=False, widget=forms.HiddenInput)
    api_key_rounds_no = _number(
        "Rounds", 1, hashing.MOST_ROUNDS, "a whole number", f"Keyadmin comes with {hashing.DEFAULT_ROUNDS:,}."
    )
    weak_is_known = forms.BooleanField(label="I know that this is weak", required=False)

    def visible_fields(self) -> list[forms.BoundField]:
        """The box stands there only beside a number that is weak."""
        try:
            number = self.fields["api_key_rounds_no"].to_python(self["api_key_rounds_no"].value())
        except forms.ValidationError:
            number = None
        is_weak = number is not None and number < WEAK_ROUNDS
        return [field for field in super().visible_fields() if is_weak or field.name != "weak_is_known"]

    def clean(self) -> dict[str, Any]:
        typed: dict[str, Any] = self.cleaned_data
        if typed.get("api_key_rounds_no", WEAK_ROUNDS) < WEAK_ROUNDS and not typed.get("weak_is_known"):
            self.add_error("weak_is_known", f"Below {WEAK_ROUNDS:,} rounds is weak. Tick the box if you mean it.")
        return typed
