"""How the settings of the instance stand in JSON."""

from keyadmin.instance.queries import Rounds


def settings_fields(rounds: Rounds) -> dict[str, object]:
    """`api_key_rounds_no` is the number in force and `source` where it comes from; `saved` null: none ever was."""
    return {
        "api_key_rounds_no": rounds.number,
        "source": rounds.source.value,
        "saved": rounds.saved,
        "warnings": rounds.warnings,
        "version": rounds.version,
    }
