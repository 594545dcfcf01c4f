"""Forms as the kit shows them. crispy lays out single fields; the form tag and the buttons are the template's."""

from typing import Any

from django import forms


class KitForm(forms.Form):
    """A missing field is called by its name, so that the summary of errors says which; the server does the checking.

    Two forms on one page need an `auto_id` each, such as `auto_id="edit_%s"`.
    """

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        default = forms.Field.default_error_messages["required"]
        for name, field in self.fields.items():
            if field.error_messages.get("required") == default:
                field.error_messages["required"] = f"{field.label or self[name].label} is missing."
