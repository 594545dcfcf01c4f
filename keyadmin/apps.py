from django.apps import AppConfig


class KeyadminConfig(AppConfig):
    name = "keyadmin"

    def ready(self) -> None:
        from keyadmin import checks  # noqa: F401  registers them
